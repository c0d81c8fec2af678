use std::fs;

use super::*;
use crate::clock::Timestamp;
use crate::test_support::subject;

mod changed;

mod content;

mod evidence;

mod golden;

mod identities;

mod keys;

mod revocations;

mod schema;

mod sources;

const KEY_A: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEsdEK1vp6C2LZH8b+yM9IQJrw9NJ
UKqXEfRynonVzn9+t9eYctEAkMiLFZu1GOwQ6EaQZRO+KtaHYI/89n+iIg==
-----END PUBLIC KEY-----
";
const KEY_B: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEoNL9HxepLkU1nitr350P2P2cyZ8T
ilrG17NwKJSU7gBsmJ9mL9DHkG2z0ogPbq+a4YnEVu3ssqRwMxK7IaTExg==
-----END PUBLIC KEY-----
";
const KEY_K256: &str = "-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEQoXPpwCRLFwRRU7BjAJCPIZSLISLXRk5
vKUyn1npdgsr79QVeiRLp/y+mqlKsMnlh0p+0JpXcBU3d0jmtO8lig==
-----END PUBLIC KEY-----
";

/// Line 1 to 3 of most policies below.
const AUTHORITIES: &str = "\
authorities:
  a: { key: { file: a.pub, insecureSkipTransparencyLog: true } }
  release-key: { key: { file: b.pub, insecureSkipTransparencyLog: true } }
";

/// A folder with the keys and what else the case needs.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let keys =
        [("a.pub", KEY_A), ("b.pub", KEY_B), ("k256.pub", KEY_K256), ("keys/a.pem", KEY_A), ("keys/b.pub", KEY_B)];
    for (name, text) in keys.iter().chain(files) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn parsed(text: &str) -> Result<Policies, PolicyErrors> {
    parse(text, "policy.yaml", folder(&[]).path())
}

fn policy(require: &str) -> String {
    format!("{AUTHORITIES}policies:\n- name: p\n  match: [ r.io/** ]\n  require: {require}\n")
}

/// Asserts the first line of every error.
fn assert_errors(text: &str, expected: &[&str]) {
    let errors = parsed(text).map(|_| ()).expect_err(text);
    let lines: Vec<_> =
        errors.all().iter().map(|e| e.to_string().lines().next().unwrap_or_default().to_string()).collect();
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn an_error_shows_the_line_and_a_caret() {
    let text = policy("\n    signature:\n      bye: release-key");
    let errors = parsed(&text).map(|_| ()).expect_err(&text);
    assert_eq!(
        errors.to_string(),
        "policy.yaml:9:7: policies[0].require.signature: unknown key `bye`; did you mean `by`?\n  \
         9 |       bye: release-key\n    |       ^"
    );
    let text = policy("\n    signature:\n      by: relase-key");
    let errors = parsed(&text).map(|_| ()).expect_err(&text);
    assert_eq!(
        errors.to_string(),
        "policy.yaml:9:11: policies[0].require.signature.by: there is no authority `relase-key`; did you mean \
         `release-key`?\n  9 |       by: relase-key\n    |           ^"
    );
}

#[test]
fn every_semantic_mistake_is_told_at_once() {
    assert_errors(
        "\
authorities:
  none: { }
  both: { key: { file: a.pub, inline: x, insecureSkipTransparencyLog: true } }
  gone: { key: { file: gone.pub, insecureSkipTransparencyLog: true } }
  k256: { key: { file: k256.pub, insecureSkipTransparencyLog: true } }
  empty: { key: { directory: ., insecureSkipTransparencyLog: false } }
policies:
- name: p
  match: [ ]
  mode: enforced
  formats: [ ]
  refuseTags: [ 'a b' ]
  require: { allOf: [ ] }
- name: p
  match: [ r.io/App, index.docker.io/**, r.io/a@sha256:1 ]
  require: { signature: { by: nobody }, attestation: { by: both } }
- match: [ r.io/** ]
exemptions:
- match: [ r.io/app@sha256:12 ]
  policies: [ q, '' ]
  expires: tomorrow
revoked: { digests: [ latest ] }
default: allow
",
        &[
            "policy.yaml:2:3: authorities.none: one of `key`, `keyless` is needed",
            "policy.yaml:3:39: authorities.both.key.inline: `file` and `inline` exclude each other",
            "policy.yaml:4:24: authorities.gone.key.file: key file `gone.pub`: it does not exist",
            "policy.yaml:5:24: authorities.k256.key.file: key file `k256.pub`: a key on the curve secp256k1 is not \
             supported, only P-256, P-384 and P-521",
            "policy.yaml:6:12: authorities.empty.key: a key needs a `trustRoot`, whose transparency log its \
             signatures are in, or `insecureSkipTransparencyLog: true` spelled out",
            "policy.yaml:6:30: authorities.empty.key.directory: key file `k256.pub`: a key on the curve secp256k1 is \
             not supported, only P-256, P-384 and P-521",
            "policy.yaml:9:3: policies[0].match: an empty `match` governs nothing",
            "policy.yaml:10:9: policies[0].mode: `enforced` is not one of `enforce`, `audit`",
            "policy.yaml:11:3: policies[0].formats: an empty `formats` accepts no evidence",
            "policy.yaml:12:17: policies[0].refuseTags[0]: `a b` is not a tag",
            "policy.yaml:13:14: policies[0].require.allOf: an empty list requires nothing, and nothing is never enough",
            "policy.yaml:14:9: policies[1].name: there is already a policy `p` at policy.yaml:8:9",
            "policy.yaml:15:12: policies[1].match[0]: registries and repositories are lower-case",
            "policy.yaml:15:22: policies[1].match[1]: the canonical name of `index.docker.io` is `docker.io`",
            "policy.yaml:15:42: policies[1].match[2]: a scope names registries and repositories only; digests stand in \
             exemptions and revocations",
            "policy.yaml:16:41: policies[1].require.attestation: `signature` and `attestation` exclude each other",
            "policy.yaml:17:3: policies[2]: `name` is missing",
            "policy.yaml:17:3: policies[2]: `require` is missing",
            "policy.yaml:19:3: exemptions[0]: `reason` is missing",
            "policy.yaml:19:12: exemptions[0].match[0]: `sha256:12` is not a digest: expected `sha256:` and 64 \
             lower-case hex digits",
            "policy.yaml:20:15: exemptions[0].policies[0]: there is no policy `q`",
            "policy.yaml:20:18: exemptions[0].policies[1]: there is no policy ``",
            "policy.yaml:21:12: exemptions[0].expires: `tomorrow` is not an instant such as `2026-12-02T00:00:00Z`",
            "policy.yaml:22:23: revoked.digests[0]: not a digest: expected `sha256:` and 64 lower-case hex digits",
            "policy.yaml:23:10: default: `allow` is not one of `deny`, `audit`",
        ],
    );
}

#[test]
fn an_old_signature_by_a_key_cannot_be_taken_for_a_new_one() {
    let leaf = |more: &str| policy(&format!("{{ attestation: {{ by: a, type: vuln{more} }} }}"));
    for (more, key) in [
        (", maxAge: 7d", Some("maxAge")),
        (", select: any, maxAge: 7d", Some("maxAge")),
        (", condition: 'has(predicate.scanner)'", Some("condition")),
        (", select: newest, condition: 'has(predicate.scanner)'", Some("condition")),
        (", maxAge: 7d, condition: 'has(predicate.scanner)'", Some("maxAge")),
        (", select: any, condition: 'has(predicate.scanner)'", None),
        (", select: all, condition: 'has(predicate.scanner)'", None),
        (", maxAge: 7d, ageFrom: metadata.scanFinishedOn", None),
        (", condition: 'has(predicate.scanner)', ageFrom: metadata.scanFinishedOn", None),
        (", select: newest", None),
        ("", None),
    ] {
        let errors = parsed(&leaf(more)).err().map(|errors| errors.to_string());
        let expected = key.map(|key| format!("attestation.{key}: `a` is a key, and anyone may log"));
        match (&errors, &expected) {
            (None, None) => {}
            (Some(errors), Some(expected)) if errors.contains(expected) => {}
            _ => panic!("{more}: {errors:?}"),
        }
    }
}

#[test]
fn everything_about_a_requirement_is_in_the_revision() {
    let revision = |more: &str| {
        let text = policy(&format!("{{ attestation: {{ by: a, type: vuln, ageFrom: a.b, {more} }} }}"));
        let policies = parsed(&text).unwrap_or_else(|errors| panic!("{errors}"));
        policies.governing(&subject(), Timestamp(1)).revision()
    };
    let all = [
        "select: newest",
        "select: any",
        "select: all",
        "on: platform",
        "maxAge: 7d",
        "maxAge: 8d",
        "condition: 'has(predicate.a)'",
        "condition: 'has(predicate.b)'",
    ];
    let revisions: std::collections::HashSet<_> = all.iter().map(|more| revision(more)).collect();
    assert_eq!(revisions.len(), all.len());
    assert_eq!(revision("select: newest, on: index"), revision("select: newest"), "what is the default");
    assert_eq!(revision("maxAge: 7d"), revision("maxAge: 168h"), "the same in other words");
}

#[test]
fn thresholds_are_between_one_and_all() {
    for (n, fine) in [(0, false), (1, true), (2, true), (3, false)] {
        let text = policy(&format!(
            "{{ atLeast: {{ n: {n}, of: [ {{ signature: {{ by: a }} }}, {{ signature: {{ by: release-key }} }} ] }} }}"
        ));
        assert_eq!(parsed(&text).is_ok(), fine, "{text}");
    }
    assert!(parsed(&policy("{ atLeast: { n: 1, of: [ ] } }")).is_err());
    assert!(parsed(&policy("{ atLeast: { n: 1 } }")).is_err());
    assert!(parsed(&policy("{ anyOf: [ ] }")).is_err());
    assert!(parsed(&policy("{ }")).is_err());
}

#[test]
fn half_a_policy_is_an_error_or_a_policy_and_never_a_panic() {
    let text = include_str!("../../../config/policy.example.yaml");
    let folder = folder(&[]);
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)).step_by(29) {
        let _ = parse(&text[..end], "p.yaml", folder.path());
        let _ = parse(&text[end..], "p.yaml", folder.path());
    }
}
