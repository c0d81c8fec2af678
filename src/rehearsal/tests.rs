use std::fs;

use tempfile::TempDir;

use super::*;
use crate::demo::signer::signature_statement;
use crate::demo::sigstore::Content;
use crate::demo::sigstore::{Identity, Key};
use crate::oci::{Digest, Image, Reference};
use crate::test_support::SIGSTORE;

mod errors;

mod real;

mod signers;

/// What the tests are about: an identity, a logged key and one that is not, and policies over repositories of their own.
fn policy() -> String {
    let (release, quiet) = (key(), key());
    format!(
        r#"
trustRoots: {{ company: {{ file: no-such-root.json }}, public-good: {{ tuf: {{ }} }} }}
authorities:
  gitlab-ci:
    keyless: {{ trustRoot: company, issuer: https://gitlab.com, identity: "https://gitlab.com/myorg/**", sourceRepository: "https://gitlab.com/myorg/**" }}
  release-key: {{ key: {{ inline: {release:?}, trustRoot: public-good }} }}
  quiet-key: {{ key: {{ inline: {quiet:?}, insecureSkipTransparencyLog: true }} }}
policies:
  - {{ name: signed, match: [ "r.io/app" ], refuseTags: [ latest ], require: {{ signature: {{ by: gitlab-ci }} }} }}
  - {{ name: scanned, match: [ "r.io/scanned" ], require: {{ attestation: {{ by: gitlab-ci, type: vuln, maxAge: 7d }} }} }}
  - {{ name: by-key, match: [ "r.io/key" ], require: {{ signature: {{ by: release-key }} }} }}
  - {{ name: two, match: [ "r.io/two" ], require: {{ atLeast: {{ n: 2, of: [ {{ signature: {{ by: release-key }} }}, {{ signature: {{ by: quiet-key }} }} ] }} }} }}
  - {{ name: each, match: [ "r.io/each" ], require: {{ signature: {{ by: gitlab-ci, on: platform }} }} }}
  - {{ name: bundles, match: [ "r.io/bundles" ], formats: [ bundle ], require: {{ signature: {{ by: gitlab-ci }} }} }}
  - {{ name: annotated, match: [ "r.io/annotated" ], require: {{ signature: {{ by: gitlab-ci, annotations: {{ env: prod }} }} }} }}
  - {{ name: contents, match: [ "r.io/contents" ], require: {{ attestation: {{ by: gitlab-ci, type: cyclonedx, condition: 'predicate.components.all(c, c.name != "banned") && image.annotations["team"] == "a"' }} }} }}
  - {{ name: watched, match: [ "r.io/app" ], mode: audit, require: {{ signature: {{ by: release-key }} }} }}
exemptions:
  - {{ match: [ "r.io/app@sha256:{exempt}" ], reason: INC-1, expires: 2025-12-01T00:00:00Z }}
revoked: {{ digests: [ "sha256:{revoked}" ], identities: [ "https://gitlab.com/myorg/gone//**" ] }}
"#,
        exempt = Digest::of(b"exempt").hex(),
        revoked = Digest::of(b"revoked").hex(),
    )
}

fn key() -> String {
    Key::p256().expect("a key").public_pem()
}

/// A folder with the policy and one file of cases.
fn folder(policy: &str, tests: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("policy.yaml"), policy).expect("a file");
    fs::create_dir(folder.path().join("tests")).expect("a folder");
    fs::write(folder.path().join("tests/a.yaml"), tests).expect("a file");
    folder
}

fn loaded(folder: &TempDir) -> Result<Vec<Suite>, String> {
    let setting = Setting { policy: None, now: Timestamp(1_764_331_200), image };
    let said = |errors: FileErrors| errors.to_string().replace(&format!("{}/", folder.path().display()), "");
    load(&folder.path().join("tests"), &setting).map_err(said)
}

fn image(text: &str) -> Result<ManifestPull, String> {
    let (name, reference) = if let Some((name, digest)) = text.split_once('@') {
        (name, Reference::Digest(digest.parse().map_err(|_| "no digest")?))
    } else {
        let (name, tag) = text.split_once(':').ok_or("no tag")?;
        (name, Reference::Tag(tag.parse().map_err(|_| "no tag")?))
    };
    let (registry, repository) = name.split_once('/').ok_or("no repository")?;
    let image = Image {
        registry: registry.parse().map_err(|_| "no registry")?,
        repository: repository.parse().map_err(|_| "no repository")?,
    };
    Ok(ManifestPull { image, reference })
}

/// All `cases`, on the policy above, come to what they say.
#[track_caller]
fn hold(cases: &str) {
    hold_on(&policy(), cases);
}

#[track_caller]
fn hold_on(policy: &str, cases: &str) {
    let tests = format!(
        "policy: ../policy.yaml\nnow: 2025-11-28T12:00:00Z\nsigners:\n  ci: {{ gitlab: myorg/app }}\n  release: {{ key: \
         release-key }}\n  quiet: {{ key: quiet-key }}\ncases:\n{cases}"
    );
    let folder = folder(policy, &tests);
    let suites = loaded(&folder).unwrap_or_else(|errors| panic!("{errors}"));
    let outcomes = suites[0].run().expect("randomness");
    assert!(!outcomes.is_empty());
    for outcome in outcomes {
        assert!(outcome.passed(), "{}: {:?}\n{:#?}", outcome.case.name, outcome.answer, outcome.differences);
    }
}

#[test]
fn a_signature_lets_an_image_through_and_its_absence_does_not() {
    hold(
        "  - { name: signed, image: r.io/app:1, evidence: [ { signature: { by: ci } } ], expect: { verdict: allow, reason: signed } }
  - { name: legacy, image: r.io/app:1, evidence: [ { signature: { by: ci, format: legacy } } ], expect: allow }
  - { name: unsigned, image: r.io/app:1, expect: { verdict: deny, reason: unsigned, policy: signed, detail: gitlab-ci } }
  - { name: unlogged, image: r.io/app:1, evidence: [ { signature: { by: ci, logged: false } } ], expect: { verdict: deny, cause: log_entry_missing } }
  - { name: copied, image: r.io/app:1, evidence: [ { signature: { by: ci, about: \"sha256:0000000000000000000000000000000000000000000000000000000000000000\" } } ], expect: { verdict: deny, cause: subject_mismatch } }
  - { name: nobody's, image: r.io/other:1, expect: { verdict: deny, reason: no_policy } }
  - { name: formats, image: r.io/bundles:1, evidence: [ { signature: { by: ci, format: legacy } } ], expect: { verdict: deny, cause: format_not_accepted } }
",
    );
}

#[test]
fn an_attestation_has_an_age() {
    hold(
        "  - { name: fresh, image: r.io/scanned:1, evidence: [ { attestation: { by: ci, type: vuln, predicate: {}, signedAt: -6d } } ], expect: allow }
  - { name: fresh and legacy, image: r.io/scanned:1, evidence: [ { attestation: { by: ci, type: vuln, predicate: {}, signedAt: -6d, format: legacy } } ], expect: allow }
  - { name: stale, image: r.io/scanned:1, evidence: [ { attestation: { by: ci, type: vuln, predicate: {}, signedAt: -8d } } ], expect: { verdict: deny, reason: too_old, detail: 8 days } }
  - { name: later, image: r.io/scanned:1, now: +8d, evidence: [ { attestation: { by: ci, type: vuln, predicate: {}, signedAt: 2025-11-28T11:00:00Z } } ], expect: { verdict: deny, reason: too_old } }
  - { name: in ten years, image: r.io/scanned:1, now: 2035-11-28T12:00:00Z, evidence: [ { attestation: { by: ci, type: vuln, predicate: {} } } ], expect: allow }
  - { name: another type, image: r.io/scanned:1, evidence: [ { attestation: { by: ci, type: cyclonedx, predicate: {} } } ], expect: { verdict: deny, reason: attestation_missing, cause: predicate_type_mismatch } }
",
    );
}

#[test]
fn conditions_see_predicates_and_annotations() {
    let evidence = |name: &str| {
        format!(
            "evidence: [ {{ attestation: {{ by: ci, type: cyclonedx, predicate: {{ components: [ {{ name: {name}, version: 3.5 }} ] }} }} }} ]"
        )
    };
    let (good, banned) = (evidence("openssl"), evidence("banned"));
    hold(&format!(
        "  - {{ name: good, image: r.io/contents:1, annotations: {{ team: a }}, {good}, expect: allow }}
  - {{ name: banned, image: r.io/contents:1, annotations: {{ team: a }}, {banned}, expect: {{ verdict: deny, reason: condition_false }} }}
  - {{ name: another team, image: r.io/contents:1, annotations: {{ team: b }}, {good}, expect: {{ verdict: deny, reason: condition_false }} }}
  - {{ name: no team, image: r.io/contents:1, {good}, expect: {{ verdict: deny, reason: condition_error }} }}
"
    ));
}

#[test]
fn signatures_may_have_signed_annotations() {
    hold(
        "  - { name: yes, image: r.io/annotated:1, evidence: [ { signature: { by: ci, annotations: { env: prod } } } ], expect: allow }
  - { name: legacy, image: r.io/annotated:1, evidence: [ { signature: { by: ci, annotations: { env: prod }, format: legacy } } ], expect: allow }
  - { name: another, image: r.io/annotated:1, evidence: [ { signature: { by: ci, annotations: { env: test } } } ], expect: { verdict: deny, cause: condition_false } }
  - { name: none, image: r.io/annotated:1, evidence: [ { signature: { by: ci } } ], expect: { verdict: deny } }
",
    );
}

#[test]
fn keys_have_stand_ins_each_its_own() {
    hold(
        "  - { name: by key, image: r.io/key:1, evidence: [ { signature: { by: release } } ], expect: allow }
  - { name: by key and legacy, image: r.io/key:1, evidence: [ { signature: { by: release, format: legacy } } ], expect: allow }
  - { name: another key, image: r.io/key:1, evidence: [ { signature: { by: quiet } } ], expect: { verdict: deny, cause: key_mismatch } }
  - { name: a stranger, image: r.io/key:1, evidence: [ { signature: { by: { stranger: x } } } ], expect: { verdict: deny, cause: key_mismatch } }
  - { name: unlogged, image: r.io/key:1, evidence: [ { signature: { by: release, logged: false } } ], expect: { verdict: deny, cause: log_entry_missing } }
  - { name: both, image: r.io/two:1, evidence: [ { signature: { by: release } }, { signature: { by: quiet, logged: false } } ], expect: allow }
  - { name: one, image: r.io/two:1, evidence: [ { signature: { by: release } }, { signature: { by: release } } ], expect: { verdict: deny, reason: threshold_not_met } }
",
    );
}

#[test]
fn one_key_under_two_names_is_one_signer_and_a_revoked_one_none() {
    let (one, lost) = (key(), key());
    let policy = format!(
        r#"
authorities:
  a: {{ key: {{ inline: {one:?}, insecureSkipTransparencyLog: true }} }}
  b: {{ key: {{ inline: {one:?}, insecureSkipTransparencyLog: true }} }}
  release-key: {{ key: {{ inline: {lost:?}, insecureSkipTransparencyLog: true }} }}
  quiet-key: {{ key: {{ inline: {one:?}, insecureSkipTransparencyLog: true }} }}
policies:
  - {{ name: two, match: [ "r.io/two" ], require: {{ atLeast: {{ n: 2, of: [ {{ signature: {{ by: a }} }}, {{ signature: {{ by: b }} }} ] }} }} }}
  - {{ name: lost, match: [ "r.io/lost" ], require: {{ signature: {{ by: release-key }} }} }}
revoked: {{ keys: [ {lost:?} ] }}
"#
    );
    hold_on(
        &policy,
        "  - { name: twice, image: r.io/two:1, evidence: [ { signature: { by: { key: a } } }, { signature: { by: { key: b } } } ], expect: { verdict: deny, reason: threshold_not_met } }
  - { name: lost, image: r.io/lost:1, evidence: [ { signature: { by: release } } ], expect: { verdict: deny, cause: revoked } }
",
    );
}

#[test]
fn what_is_decided_without_evidence_is_decided_as_in_a_pull() {
    let (exempt, revoked) = (Digest::of(b"exempt"), Digest::of(b"revoked"));
    hold(&format!(
        "  - {{ name: tag, image: r.io/app:latest, evidence: [ {{ signature: {{ by: ci }} }} ], expect: {{ verdict: deny, reason: tag_refused, policy: signed }} }}
  - {{ name: tag in audit, image: r.io/app:latest, audit: true, evidence: [ {{ signature: {{ by: ci }} }} ], expect: {{ verdict: allow, reason: audited, cause: tag_refused, wouldDeny: [ signed ] }} }}
  - {{ name: exempt, image: \"r.io/app@{exempt}\", expect: {{ verdict: allow, reason: exempt, detail: INC-1 }} }}
  - {{ name: expired, image: \"r.io/app@{exempt}\", now: 2025-12-02T00:00:00Z, expect: {{ verdict: deny, detail: INC-1 }} }}
  - {{ name: revoked, image: \"r.io/app@{revoked}\", evidence: [ {{ signature: {{ by: ci }} }} ], audit: true, expect: {{ verdict: deny, reason: revoked }} }}
  - {{ name: revoked identity, image: r.io/app:1, evidence: [ {{ signature: {{ by: {{ gitlab: myorg/gone }} }} }} ], expect: {{ verdict: deny, cause: revoked }} }}
  - {{ name: audit, image: r.io/app:1, audit: true, expect: {{ verdict: allow, reason: audited, cause: unsigned, policy: watched }} }}
  - {{ name: watched, image: r.io/app:1, evidence: [ {{ signature: {{ by: ci }} }} ], expect: {{ verdict: allow, wouldDeny: [ watched ] }} }}
  - {{ name: content, image: r.io/app:1, evidence: [ {{ signature: {{ by: ci }} }}, {{ signature: {{ by: release }} }} ], expect: {{ verdict: allow, wouldDeny: [ ] }} }}
"
    ));
}

#[test]
fn what_could_not_be_read_leaves_it_open() {
    hold(
        "  - { name: unread, image: r.io/app:1, evidence: [ { unread: the registry did not answer } ], expect: { verdict: unknown, reason: evidence_unreadable, policy: signed, detail: did not answer } }
  - { name: cut off, image: r.io/app:1, evidence: [ { incomplete: true } ], expect: { verdict: unknown, reason: evidence_incomplete } }
  - { name: enough, image: r.io/app:1, evidence: [ { unread: x }, { signature: { by: ci } } ], expect: allow }
",
    );
}

#[test]
fn an_index_is_judged_by_what_it_lists() {
    let revoked = Digest::of(b"revoked");
    hold(&format!(
        "  - name: all
    image: r.io/each:1
    children:
      - {{ platform: linux/amd64, evidence: [ {{ signature: {{ by: ci }} }} ] }}
      - {{ platform: linux/arm64, evidence: [ {{ signature: {{ by: ci }} }} ] }}
    expect: allow
  - name: one lacks
    image: r.io/each:1
    evidence: [ {{ signature: {{ by: ci }} }} ]
    children:
      - {{ platform: linux/amd64, evidence: [ {{ signature: {{ by: ci }} }} ] }}
      - {{ platform: linux/arm64 }}
    expect: {{ verdict: deny, reason: unsigned, detail: linux/arm64 }}
  - name: an image
    image: r.io/each:1
    evidence: [ {{ signature: {{ by: ci }} }} ]
    expect: allow
  - name: revoked child
    image: r.io/app:1
    audit: true
    evidence: [ {{ signature: {{ by: ci }} }} ]
    children: [ {{ platform: linux/amd64, digest: \"{revoked}\" }} ]
    expect: {{ verdict: deny, reason: child_denied }}
"
    ));
}

#[test]
fn every_respect_is_compared() {
    let wrong = [
        ("verdict", "deny"),
        ("{ verdict: allow, reason: exempt }", "reason"),
        ("{ verdict: allow, cause: unsigned }", "cause"),
        ("{ verdict: allow, policy: signed }", "policy"),
        ("{ verdict: allow, wouldDeny: [ ] }", "wouldDeny"),
        ("{ verdict: allow, detail: banana }", "detail"),
    ];
    for (expect, what) in wrong {
        let (expect, what) = if expect == "verdict" { (what, expect) } else { (expect, what) };
        let tests = format!(
            "policy: ../policy.yaml\ncases:\n  - {{ name: a, image: r.io/app:1, evidence: [ {{ signature: {{ by: {{ gitlab: \
             myorg/app }} }} }} ], expect: {expect} }}\n"
        );
        let folder = folder(&policy(), &tests);
        let suites = loaded(&folder).expect(expect);
        let outcomes = suites[0].run().expect("randomness");
        let differences: Vec<_> = outcomes[0].differences.iter().map(|difference| difference.what).collect();
        assert_eq!(differences, [what], "{expect}: {:?}", outcomes[0].answer);
    }
}
