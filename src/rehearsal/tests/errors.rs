//! Mistakes in files of cases, each with its place.

use super::*;

/// What is said of a file with these cases.
fn said(rest: &str) -> String {
    let folder = folder(&policy(), rest);
    loaded(&folder).err().unwrap_or_else(|| panic!("{rest} is taken"))
}

fn said_of_case(case: &str) -> String {
    said(&format!("policy: ../policy.yaml\ncases:\n  - {case}\n"))
}

#[test]
fn a_mistake_is_shown_where_it_stands() {
    let said = said(
        "policy: ../policy.yaml
cases:
  - name: a
    image: r.io/app:1
    evidence:
      - signature: { by: ci, signedat: -1d }
    expect: allow
",
    );
    let expected = "\
tests/a.yaml:6:30: cases[0].evidence[0].signature: unknown key `signedat`; did you mean `signedAt`?
  6 |       - signature: { by: ci, signedat: -1d }
    |                              ^";
    assert_eq!(said, expected);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let said = said(
        "policy: ../policy.yaml
now: yesterday
cases:
  - name: a
    image: r.io/app
    evidence: [ { signature: { by: cy } }, { attestation: { by: { key: release-kee }, type: vuln } } ]
    expect: { verdict: maybe, policy: sighned }
  - { name: a, image: r.io/app:1, expect: { verdict: allow, reason: unsigned } }
",
    );
    for (place, part) in [
        ("2:6", "now: `yesterday` is neither an instant"),
        ("5:12", "cases[0].image: no tag"),
        ("6:36", "evidence[0].signature.by: `signers` has no `cy`"),
        ("6:46", "evidence[1].attestation: one of `predicate`, `predicateFile` is needed"),
        (
            "6:72",
            "evidence[1].attestation.by.key: the policy has no authority `release-kee`; did you mean `release-key`?",
        ),
        ("7:24", "cases[0].expect.verdict: `maybe` is not one of `allow`, `deny`, `unknown`"),
        ("7:39", "cases[0].expect.policy: there is no policy `sighned`; did you mean `signed`?"),
        ("8:13", "cases[1].name: another case has this name"),
        ("8:69", "cases[1].expect.reason: `unsigned` goes with `deny`, never with `allow`"),
    ] {
        assert!(
            said.lines().any(|line| line.contains(&format!("a.yaml:{place}: ")) && line.contains(part)),
            "{place} {part}\n{said}"
        );
    }
}

#[test]
fn what_means_nothing_is_a_mistake() {
    for (case, part) in [
        ("{ image: r.io/app:1, expect: allow }", "`name` is missing"),
        ("{ name: a, expect: allow }", "`image` is missing"),
        ("{ name: a, image: r.io/app:1 }", "`expect` is missing"),
        ("{ name: a, image: r.io/app:1, expect: { reason: signed } }", "`verdict` is missing"),
        ("{ name: a, image: r.io/app:1, expect: { verdict: deny, reason: unsinged } }", "did you mean `unsigned`?"),
        (
            "{ name: a, image: r.io/app:1, expect: { verdict: unknown, reason: not_routed } }",
            "no policy is asked about",
        ),
        ("{ name: a, image: r.io/app:1, expect: { verdict: allow, wouldDeny: [ x ] } }", "there is no policy `x`"),
        ("{ name: a, image: r.io/app:1, now: 8d, expect: allow }", "neither an instant"),
        ("{ name: a, image: r.io/app:1, expect: allow, evidence: [ { } ] }", "one of `signature`, `attestation`"),
        ("{ name: a, image: r.io/app:1, expect: allow, evidence: [ { signature: { } } ] }", "`by` is missing"),
        (
            "{ name: a, image: r.io/app:1, expect: allow, evidence: [ { signature: { by: { gitlab: a/b }, format: x } } ] }",
            "`x` is not one of",
        ),
        (
            "{ name: a, image: r.io/app:1, expect: allow, evidence: [ { signature: { by: { gitlab: a/b }, about: x } } ] }",
            "`x` is",
        ),
        (
            "{ name: a, image: r.io/app:1, expect: allow, evidence: [ { signature: { by: { gitlab: a/b }, signedAt: 8d } } ] }",
            "neither an instant",
        ),
        (
            "{ name: a, image: r.io/app:1, expect: allow, evidence: [ { attestation: { by: { gitlab: a/b }, predicate: {} } } ] }",
            "`type` is missing",
        ),
        (
            "{ name: a, image: r.io/app:1, expect: allow, evidence: [ { attestation: { by: { gitlab: a/b }, type: vul, predicate: {} } } ] }",
            "did you mean `vuln`?",
        ),
        (
            "{ name: a, image: r.io/app:1, expect: allow, evidence: [ { attestation: { by: { gitlab: a/b }, type: vuln, predicateFile: no.json } } ] }",
            "`no.json`: it does not exist",
        ),
        (
            "{ name: a, image: r.io/app:1, expect: allow, evidence: [ { attestation: { by: { gitlab: a/b }, type: vuln, predicateFile: a.yaml } } ] }",
            "`a.yaml` is not JSON",
        ),
        ("{ name: a, image: r.io/app:1, expect: allow, evidence: [ { incomplete: false } ] }", "need not say so"),
        ("{ name: a, image: r.io/app:1, expect: allow, children: [ { evidence: [ ] } ] }", "`platform` is missing"),
        (
            "{ name: a, image: r.io/app:1, expect: allow, evidence: [ { file: no.json } ] }",
            "`no.json`: it does not exist",
        ),
    ] {
        let said = said_of_case(case);
        assert!(said.contains(part) && said.contains("tests/a.yaml:3:"), "{case}\n{said}");
    }
}

#[test]
fn a_signer_is_somebody() {
    for (by, part) in [
        ("{ }", "one of `gitlab`, `github`, `identity`, `key`, `stranger` is needed"),
        ("{ gitlab: a/b, github: a/b }", "exclude each other"),
        ("{ gitlab: myorg }", "is not a project"),
        ("{ gitlab: https://gitlab.com/a/b }", "is not a project"),
        ("{ gitlab: a/b, sourceRepositry: x }", "did you mean `sourceRepository`?"),
        ("{ identity: a@b }", "`issuer` is missing"),
        ("{ identity: x, issuer: y }", "is neither a URI nor an e-mail address"),
        ("{ key: gitlab-ci }", "is an identity and no key"),
        ("{ key: release-key, number: 2 }", "numbered from 1 to 1"),
        ("{ key: release-key, number: 0 }", "numbered from 1 to 1"),
        ("{ key: release-key, sourceRef: x }", "it says nothing about this signer"),
        ("{ stranger: x, issuer: y }", "it says nothing about this signer"),
    ] {
        let said = said(&format!(
            "policy: ../policy.yaml\nsigners: {{ who: {by} }}\ncases: [ {{ name: a, image: r.io/app:1, expect: allow }} ]\n"
        ));
        assert!(said.contains(part) && said.contains("tests/a.yaml:2:"), "{by}\n{said}");
    }
}

#[test]
fn a_file_has_a_policy_and_cases() {
    for (tests, part) in [
        ("cases: [ { name: a, image: r.io/app:1, expect: allow } ]", "`policy` is missing"),
        ("policy: no.yaml\ncases: [ ]", "no.yaml` does not exist"),
        ("policy: ../policy.yaml", "a file without any tests nothing"),
        ("policy: ../policy.yaml\ncases: [ ]", "a file without any tests nothing"),
        ("policy: ../policy.yaml\ntrustRoots: { publik-good: a.yaml }\ncases: [ ]", "did you mean `public-good`?"),
        ("policy: ../policy.yaml\ntrustRoots: { company: no.json }\ncases: [ ]", "`no.json`: it does not exist"),
        ("policy: ../policy.yaml\ntrustRoots: { company: a.yaml }\ncases: [ ]", "`a.yaml` is not a trusted root"),
        ("policies: [ ]", "unknown key `policies`"),
        ("", "the file says nothing"),
    ] {
        let said = said(tests);
        assert!(said.contains(part), "{tests}\n{said}");
    }
    let wrong = folder("policies: [ { name: a } ]", "policy: ../policy.yaml\ncases: [ ]");
    assert!(loaded(&wrong).is_err_and(|said| said.contains("policy.yaml:1:")), "the policy's own mistakes");
    let empty = TempDir::new().expect("a folder");
    fs::create_dir(empty.path().join("tests")).expect("a folder");
    assert!(loaded(&empty).is_err_and(|said| said.contains("holds no `*.yaml`")));
}
