//! Keyless authorities, trust roots, and keys that use them.

use super::*;
use crate::policy::{Extension, Kind, Pattern, TrustSource, Validity};

const ROOTS: &str = "\
trustRoots:
  public-good: { tuf: { } }
  company: { file: trusted_root.json }
  lab: { tuf: { mirror: 'https://tuf.lab.test/repo', root: root.json }, insecureSkipTransparencyLog: true }
  github: { file: github.json, insecureSkipCertificateTransparency: true }
";

const CI: &str = "trustRoot: public-good, issuer: 'https://gitlab.com', identity: 'https://gitlab.com/myorg/**'";

fn authorities(text: &str) -> Result<Policies, PolicyErrors> {
    let folder = folder(&[("root.json", "{}")]);
    parse(&format!("{ROOTS}authorities:\n{text}"), "policy.yaml", folder.path())
}

fn one(text: &str) -> std::sync::Arc<Authority> {
    let policies = authorities(text).expect(text);
    policies.authorities().next().expect("an authority").clone()
}

/// The problems of one authority `x`, after their places.
fn problems(text: &str) -> Vec<String> {
    let errors = authorities(text).map(|_| ()).expect_err(text);
    assert!(errors.all().iter().all(|error| error.line.is_some()), "{errors}");
    errors.all().iter().map(|error| error.message.clone()).collect()
}

#[test]
fn a_certificate_must_say_all_that_is_written() {
    let authority = one(&format!("  x: {{ keyless: {{ {CI}, sourceRepository: 'https://gitlab.com/myorg/**' }} }}\n"));
    let Kind::Keyless(keyless) = authority.kind() else { panic!("{authority:?}") };
    assert_eq!(keyless.issuer, "https://gitlab.com");
    assert_eq!(keyless.identity, Pattern::glob("https://gitlab.com/myorg/**").expect("a glob"));
    let [pin] = &keyless.pins[..] else { panic!("{keyless:?}") };
    assert_eq!(
        (pin.extension, pin.value.to_string().as_str()),
        (Extension::SourceRepository, "https://gitlab.com/myorg/**")
    );
    assert_eq!(authority.trust_root().map(Name::as_str), Some("public-good"));
    assert!(!authority.skips_transparency_log() && !authority.skips_certificate_transparency());
    assert_eq!(authority.validity(), Validity::ALWAYS);
    let regex = one("  x: { keyless: { trustRoot: company, issuer: i, identityRegex: 'a|b' } }\n");
    let Kind::Keyless(keyless) = regex.kind() else { panic!("{regex:?}") };
    assert_eq!(keyless.identity, Pattern::regex("a|b").expect("a regex"));
}

#[test]
fn every_extension_has_a_key_that_pins_it_and_nothing_else() {
    for extension in Extension::ALL {
        let key = extension.key();
        let authority = one(&format!("  x: {{ keyless: {{ {CI}, {key}: 'v-{key}*' }} }}\n"));
        let Kind::Keyless(keyless) = authority.kind() else { panic!("{authority:?}") };
        let [pin] = &keyless.pins[..] else { panic!("{key}: {keyless:?}") };
        assert_eq!((pin.extension, pin.value.to_string()), (*extension, format!("v-{key}*")));
        assert_eq!(
            problems(&format!("  x: {{ keyless: {{ {CI}, {key}: '' }} }}\n")),
            [format!("authorities.x.keyless.{key}: a pattern has 1 to 1024 characters")]
        );
    }
}

#[test]
fn an_identity_without_its_issuer_cannot_be_written_nor_an_issuer_without_an_identity() {
    let head = "authorities.x.keyless";
    for (text, expected) in [
        ("issuer: i, identity: x", vec![": `trustRoot` is missing"]),
        ("trustRoot: company", vec![": `issuer` is missing", ": one of `identity`, `identityRegex` is needed"]),
        ("trustRoot: company, identity: x", vec![": `issuer` is missing"]),
        ("trustRoot: company, issuer: ' ', identity: x", vec![".issuer: it is empty, and would match nothing"]),
        ("trustRoot: company, issuer: i", vec![": one of `identity`, `identityRegex` is needed"]),
        ("trustRoot: company, issuer: i, identity: ''", vec![".identity: a pattern has 1 to 1024 characters"]),
        (
            "trustRoot: company, issuer: i, identityRegex: ''",
            vec![".identityRegex: a pattern has 1 to 1024 characters"],
        ),
        (
            "trustRoot: company, issuer: i, identity: x, identityRegex: x",
            vec![".identityRegex: `identity` and `identityRegex` exclude each other"],
        ),
        (
            "trustRoot: compny, issuer: i, identity: x",
            vec![".trustRoot: there is no trust root `compny`; did you mean `company`?"],
        ),
        (
            "trustRoot: company, issuer: i, identity: x, sourceRepo: y",
            vec![": unknown key `sourceRepo`; did you mean `sourceRef`?"],
        ),
    ] {
        let found = problems(&format!("  x: {{ keyless: {{ {text} }} }}\n"));
        let expected: Vec<_> = expected.into_iter().map(|one| format!("{head}{one}")).collect();
        assert_eq!(found, expected, "{text}");
    }
    assert!(
        problems("  x: { keyless: { trustRoot: company, issuer: i, identityRegex: 'a)|(b' } }\n")[0]
            .contains("identityRegex")
    );
}

#[test]
fn what_is_skipped_is_spelled_out_by_the_authority_or_by_its_root() {
    let skips =
        |authority: &Authority| (authority.skips_transparency_log(), authority.skips_certificate_transparency());
    for (text, expected) in [
        ("keyless: { trustRoot: company, issuer: i, identity: x }", (false, false)),
        ("keyless: { trustRoot: company, issuer: i, identity: x, insecureSkipTransparencyLog: false }", (false, false)),
        ("keyless: { trustRoot: company, issuer: i, identity: x, insecureSkipTransparencyLog: true }", (true, false)),
        (
            "keyless: { trustRoot: company, issuer: i, identity: x, insecureSkipCertificateTransparency: true }",
            (false, true),
        ),
        ("keyless: { trustRoot: lab, issuer: i, identity: x }", (true, false)),
        ("keyless: { trustRoot: github, issuer: i, identity: x }", (false, true)),
        ("key: { file: a.pub, trustRoot: company }", (false, false)),
        ("key: { file: a.pub, trustRoot: lab }", (true, false)),
        ("key: { file: a.pub, insecureSkipTransparencyLog: true }", (true, false)),
        ("key: { file: a.pub, trustRoot: company, insecureSkipTransparencyLog: true }", (true, false)),
    ] {
        assert_eq!(skips(&one(&format!("  x: {{ {text} }}\n"))), expected, "{text}");
    }
    for text in ["key: { file: a.pub }", "key: { file: a.pub, insecureSkipTransparencyLog: false }"] {
        assert!(problems(&format!("  x: {{ {text} }}\n"))[0].contains("a key needs a `trustRoot`"), "{text}");
    }
}

#[test]
fn keys_have_a_beginning_and_an_end() {
    let skip = "insecureSkipTransparencyLog: true";
    let key = |more: &str| format!("  x: {{ key: {{ file: a.pub, {skip}, {more} }} }}\n");
    let authority = one(&key("notBefore: 1970-01-02T00:00:00Z, notAfter: 1970-01-03T00:00:00Z"));
    let expected = Validity { not_before: Timestamp(86_400), not_after: Timestamp(172_800) };
    assert_eq!(authority.validity(), expected);
    let end_only = one(&key("notAfter: 1970-01-03T00:00:00Z"));
    assert_eq!(end_only.validity(), Validity { not_before: Timestamp(0), ..expected });
    assert!(
        problems(&key("notBefore: 2026-01-01T00:00:00Z, notAfter: 2025-01-01T00:00:00Z"))[0].contains("is not after")
    );
    assert!(problems(&key("notAfter: never"))[0].contains("is not an instant"));
}

#[test]
fn no_verdict_outlives_the_first_key_that_ends() {
    let text = "\
authorities:
  a: { key: { file: a.pub, insecureSkipTransparencyLog: true, notAfter: 1970-01-02T00:00:00Z } }
  b: { key: { file: b.pub, insecureSkipTransparencyLog: true, notAfter: 1970-01-03T00:00:00Z } }
policies:
- name: p
  match: [ r.io/app ]
  require: { anyOf: [ { signature: { by: a } }, { signature: { by: b } } ] }
- name: q
  match: [ r.io/other ]
  require: { signature: { by: b } }
exemptions:
- { match: [ r.io/app ], policies: [ p ], reason: x, expires: '1970-01-02T12:00:00Z' }
- { match: [ r.io/app ], policies: [ q ], reason: 'of no use here', expires: '1970-01-01T12:00:00Z' }
";
    let policies = parsed(text).expect(text);
    let until = |repository: &str, now| {
        let image =
            crate::oci::Image { registry: "r.io".parse().expect("r"), repository: repository.parse().expect("n") };
        policies.governing(&image.at(Digest::of(b"x")), Timestamp(now)).holds_until()
    };
    assert_eq!(until("app", 86_400), Timestamp(86_401), "the last instant counts");
    assert_eq!(until("app", 86_401), Timestamp(129_600), "then the exemption ends");
    assert_eq!(until("app", 129_600), Timestamp(172_801));
    assert_eq!(until("app", 172_801), Timestamp::FOREVER, "what has ended carries nothing");
    assert_eq!(until("other", 0), Timestamp(172_801));
    assert_eq!(until("none", 0), Timestamp::FOREVER);
}

#[test]
fn trust_roots_come_from_a_file_or_a_tuf_repository() {
    let policies = authorities("  x: { key: { file: a.pub, trustRoot: lab } }\n").expect("roots");
    let source = |name: &str| policies.trust_roots()[&Name::new(name).expect("a name")].source().clone();
    let TrustSource::Tuf(public) = source("public-good") else { panic!() };
    assert_eq!((public.mirror, public.root), (None, None));
    let TrustSource::Tuf(lab) = source("lab") else { panic!() };
    assert_eq!(lab.mirror.map(String::from).as_deref(), Some("https://tuf.lab.test/repo"));
    assert_eq!(lab.root.as_deref(), Some(&b"{}"[..]));
    let TrustSource::File(path) = source("company") else { panic!() };
    assert!(path.is_absolute() && path.ends_with("trusted_root.json"), "beside the policy: {path:?}");
    let company = &policies.trust_roots()[&Name::new("company").expect("a name")];
    assert_eq!(
        company.problem("it is gone").to_string().lines().next(),
        Some("policy.yaml:3:20: trustRoots.company.file: it is gone")
    );
}

#[test]
fn a_mirror_is_an_address_and_brings_its_own_root() {
    for (text, expected) in [
        ("tuf: { }, file: x", "r.file: `tuf` and `file` exclude each other"),
        ("insecureSkipTransparencyLog: true", "r: one of `tuf`, `file` is needed"),
        ("tuf: { mirror: 'https://t.test/' }", "r.tuf: `root` is missing"),
        ("tuf: { mirror: 'https://t.test/', root: gone.json }", "r.tuf.root: TUF root `gone.json`: it does not exist"),
        ("tuf: { mirror: here, root: a.pub }", "r.tuf.mirror: `here` is not a URL"),
        ("tuf: { mirror: 'file:///x', root: a.pub }", "r.tuf.mirror: a mirror is `https://` or `http://`"),
        ("tuf: { mirror: 'https://u:p@t.test/', root: a.pub }", "r.tuf.mirror: a mirror is `https://`"),
        ("tuf: { mirror: 'https://t.test/?a=b', root: a.pub }", "r.tuf.mirror: a mirror is `https://`"),
    ] {
        let errors = parsed(&format!("trustRoots: {{ r: {{ {text} }} }}\n")).map(|_| ()).expect_err(text);
        let message = &errors.all()[0].message;
        assert!(message.starts_with(&format!("trustRoots.{expected}")), "{text}: {message}");
    }
}
