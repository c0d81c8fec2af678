//! What policy makes of evidence that verifies: it must be what was asked for, by as many as were asked for.

use std::time::Duration;

use super::*;
use crate::decide::decide;
use crate::outcome::{Outcome, Terms};
use crate::policy::Policies;
use crate::policy::file::parse;
use crate::test_support::{
    KEY_A, KEY_B, annotated, examined, findings_of, signed_attestation, signed_simple, subject as image,
};
use crate::test_support::{against, patient};
use std::sync::Arc;

use crate::verify::tests::{COSIGN_SIGN, bytes, evidence, statement};
use crate::verify::verify_all;

const AT: Timestamp = Timestamp(1_000_000);

fn policies(require: &str) -> Result<Policies, String> {
    let authority = |name: &str, pem: String| {
        format!("  {name}: {{ key: {{ inline: {pem:?}, insecureSkipTransparencyLog: true }} }}\n")
    };
    let text = format!(
        "authorities:\n{}{}policies:\n  - name: p\n    match: [ \"r.io/**\" ]\n    formats: [ bundle, legacy ]\n    require: {require}\n",
        authority("a", KEY_A.public_pem()),
        authority("b", KEY_B.public_pem()),
    );
    parse(&text, "test.yaml", std::path::Path::new(".")).map_err(|errors| errors.to_string())
}

fn outcome(require: &str, candidates: &[&Candidate]) -> String {
    let policies = policies(require).expect("a policy");
    let findings = findings_of(candidates, image().digest, &["a", "b"]);
    let governing = policies.governing(&image(), AT);
    let secs = Duration::from_secs;
    let terms =
        Terms { now: AT, allow: secs(600), deny: secs(15), evidence_max_age: secs(300), last_known_good: secs(0) };
    let verdict =
        decide(&governing, Trust::none().revision(&governing), &examined(&findings), &terms).expect("a verdict");
    match verdict.outcome() {
        Outcome::Allow(basis) => basis.reason().to_string(),
        Outcome::Deny(denial) => format!("{} ({})", denial.reason, denial.cause.map_or("", Reason::code)),
    }
}

fn attested(kind: &str) -> Candidate {
    signed_attestation(&KEY_A, image().digest, kind)
}

const SLSA: &str = "https://slsa.dev/provenance/v1";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const MISSING: &str = "attestation_missing (predicate_type_mismatch)";

#[test]
fn a02_an_attestation_of_another_type() {
    let wants = format!("{{ attestation: {{ by: a, type: {SLSA} }} }}");
    assert_eq!(outcome(&wants, &[&attested(SLSA)]), "signed");
    assert_eq!(outcome(&wants, &[&attested("https://cosign.sigstore.dev/attestation/v1")]), MISSING);
    assert_eq!(outcome(&wants, &[&attested(VULN), &attested(SBOM)]), MISSING);
    assert_eq!(outcome(&wants, &[&attested(VULN), &attested(SLSA)]), "signed");
    let by_b = signed_attestation(&KEY_B, image().digest, SLSA);
    assert_eq!(outcome(&wants, &[&by_b]), "attestation_missing (key_mismatch)");
}

#[test]
fn a29_short_names_are_types_and_no_type_is_none() {
    let wants = |kind: &str| format!("{{ attestation: {{ by: a, type: {kind} }} }}");
    assert_eq!(outcome(&wants("slsaprovenance1"), &[&attested(SLSA)]), "signed");
    assert_eq!(outcome(&wants("slsaprovenance1"), &[&attested("https://slsa.dev/provenance/v0.2")]), MISSING);
    assert_eq!(outcome(&wants("slsaprovenance1"), &[&attested("slsaprovenance1")]), MISSING);
    for none in ["''", "[ ]", "null"] {
        assert!(policies(&wants(none)).is_err(), "{none}");
    }
    assert!(policies("{ attestation: { by: a } }").is_err());
}

#[test]
fn b06_an_attestation_is_no_signature() {
    let wants = "{ signature: { by: a } }";
    let signature = signed_simple(&KEY_A, image().digest);
    assert_eq!(outcome(wants, &[&signature]), "signed");
    assert_eq!(outcome(wants, &[&attested(VULN)]), "signature_missing (predicate_type_mismatch)");
    assert_eq!(outcome(wants, &[&attested(VULN), &signature]), "signed");
}

/// The same mix, again and again: no map's order decides.
#[test]
fn b40_the_same_evidence_gives_the_same_answer() {
    let (good, foreign) = (signed_simple(&KEY_A, image().digest), signed_simple(&KEY_B, image().digest));
    let copied = signed_simple(&KEY_A, another());
    let wants = format!("{{ allOf: [ {{ signature: {{ by: a }} }}, {{ attestation: {{ by: a, type: {SBOM} }} }} ] }}");
    let mix = [&copied, &foreign, &attested(VULN), &good, &attested(SBOM)];
    for _ in 0..100 {
        assert_eq!(outcome(&wants, &mix), "signed");
        assert_eq!(outcome(&wants, &mix[..4]), MISSING);
    }
}

#[test]
fn o04_a_type_that_only_looks_like_the_wanted_one() {
    let wants = format!("{{ attestation: {{ by: a, type: {SLSA} }} }}");
    assert_eq!(outcome(&wants, &[&attested(SLSA)]), "signed");
    for near in [
        "https://slsa.dev/provenance/v1/",
        "HTTPS://slsa.dev/provenance/v1",
        "https://slsa.dev/provenance/v1.0",
        "https://slsa.dev/provenance/v1 ",
        "https://sls\u{430}.dev/provenance/v1",
    ] {
        assert_eq!(outcome(&wants, &[&attested(near)]), MISSING, "{near}");
    }
}

#[test]
fn o36_one_signer_twice_is_one() {
    let wants = "{ atLeast: { n: 2, of: [ { signature: { by: a } }, { signature: { by: b } } ] } }";
    let (by_a, again) = (signed_simple(&KEY_A, image().digest), signed_simple(&KEY_A, image().digest));
    let by_b = signed_simple(&KEY_B, image().digest);
    assert_eq!(outcome(wants, &[&by_a, &by_b]), "signed");
    assert!(outcome(wants, &[&by_a, &again]).starts_with("threshold_not_met"));
    let same = "{ atLeast: { n: 2, of: [ { signature: { by: a } }, { signature: { by: a } } ] } }";
    assert!(outcome(same, &[&by_a, &again]).starts_with("threshold_not_met"));
}

/// Annotations count where they are signed: in `optional` of the payload, or on the statement's subject. Those of layers
/// are not even read.
#[test]
fn o19_annotations_outside_the_signature() {
    let (wants, here) = ("{ signature: { by: a, annotations: { env: prod } } }", image().digest);
    let missing = "signature_missing (condition_false)";
    assert_eq!(outcome(wants, &[&annotated(&KEY_A, here, r#"{"env":"prod","x":1}"#)]), "signed");
    for optional in
        ["null", "{}", r#"{"env":"test"}"#, r#"{"env":["prod"]}"#, r#"{"ENV":"prod"}"#, r#"{"env":"prod "}"#]
    {
        assert_eq!(outcome(wants, &[&annotated(&KEY_A, here, optional)]), missing, "{optional}");
    }
    let bundle = |annotations: Value| {
        let subject = json!([{ "digest": { "sha256": here.hex() }, "annotations": annotations }]);
        let statement = edited(&statement(&here, COSIGN_SIGN), "/subject", subject);
        let key = crate::verify::signer::Signer::new();
        (key.authority("k"), Material::Bundle(bytes(&key.bundle(&bytes(&statement)))))
    };
    for (annotations, expected) in [(json!({ "env": "prod" }), 1), (json!({ "env": "test" }), 0), (Value::Null, 0)] {
        let (key, material) = bundle(annotations);
        let set = evidence(vec![material]);
        let found = verify_all(&set, &here, &[Arc::new(key)], against(&patient()));
        assert_eq!(found.verified.len(), 1);
        let signed = found.verified.iter().filter(|one| one.annotations().get("env").is_some_and(|env| env == "prod"));
        assert_eq!(signed.count(), expected);
    }
}

#[test]
fn b27_annotations_of_another_signature() {
    let (wants, here) = ("{ signature: { by: a, annotations: { env: prod } } }", image().digest);
    let plain = signed_simple(&KEY_A, here);
    let by_another = annotated(&KEY_B, here, r#"{"env":"prod"}"#);
    assert_eq!(outcome(wants, &[&plain, &by_another]), "signature_missing (condition_false)");
    assert_eq!(outcome(wants, &[&by_another, &plain]), "signature_missing (condition_false)");
    let both = "{ signature: { by: a, annotations: { env: prod, team: x } } }";
    let halves = [annotated(&KEY_A, here, r#"{"env":"prod"}"#), annotated(&KEY_A, here, r#"{"team":"x"}"#)];
    assert_eq!(outcome(both, &[&halves[0], &halves[1]]), "signature_missing (condition_false)");
}

/// A signature says nothing of when: only what must be fresh makes an old image stay where it is.
#[test]
fn a38_a_tag_moved_back_to_an_old_signed_image() {
    let here = image().digest;
    let scanned = |at: &str| crate::test_support::attested(&KEY_A, here, VULN, &format!(r#"{{"at":"{at}"}}"#));
    let (signature, old, young) =
        (signed_simple(&KEY_A, here), scanned("1970-01-02T00:00:00Z"), scanned("1970-01-12T00:00:00Z"));
    let plain = "{ signature: { by: a } }";
    let fresh =
        format!("{{ allOf: [ {plain}, {{ attestation: {{ by: a, type: {VULN}, maxAge: 7d, ageFrom: at }} }} ] }}");
    assert_eq!(outcome(plain, &[&signature]), "signed", "nobody asked for freshness");
    assert_eq!(outcome(&fresh, &[&signature, &young]), "signed");
    assert_eq!(outcome(&fresh, &[&signature, &old]), "too_old ()");
    assert_eq!(outcome(&fresh, &[&signature]), "attestation_missing (predicate_type_mismatch)");
}
