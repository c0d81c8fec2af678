//! Real evidence is judged by the policy's own keys and trusted roots, and never beside virtual signers.

use serde_json::Value;

use super::*;
use crate::demo::signer::{Signer, simple_signing_payload};

const NOW: i64 = 1_764_331_000;

/// A policy by a trusted root in a file, and one by a key; a folder with evidence of both about one image.
fn real(declared: &str, tests: &str) -> TempDir {
    let signer = Signer::generate().expect("a key");
    let policy = format!(
        r#"
trustRoots: {{ company: {declared} }}
authorities:
  ci: {{ keyless: {{ trustRoot: company, issuer: https://gitlab.com, identity: "https://gitlab.com/myorg/**" }} }}
  k: {{ key: {{ inline: {:?}, insecureSkipTransparencyLog: true }} }}
policies:
  - {{ name: ci, match: [ "r.io/ci" ], require: {{ signature: {{ by: ci }} }} }}
  - {{ name: k, match: [ "r.io/k" ], require: {{ signature: {{ by: k }} }} }}
"#,
        signer.public_key_pem()
    );
    let folder = folder(&policy, tests);
    let write = |name: &str, text: String| fs::write(folder.path().join("tests").join(name), text).expect("a file");
    write("root.json", SIGSTORE.trusted_root_json());
    let statement = signature_statement(about());
    let recipe = SIGSTORE.keyless(&Identity::gitlab("myorg/app"), NOW).expect("a key");
    write("ci.json", recipe.sign(Content::statement(&statement)).expect("signs").bundle().to_string());
    write("k.json", signer.bundle(&statement).expect("signs").to_string());
    let payload: Value = simple_signing_payload("r.io/k", about());
    let signature = signer.sign(payload.to_string().as_bytes()).expect("signs");
    write("payload.json", payload.to_string());
    write("payload.sig", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature) + "\n");
    folder
}

fn about() -> Digest {
    Digest::of(b"the image")
}

fn answers(declared: &str, tests: &str) -> Vec<(Verdict, String, String)> {
    let folder = real(declared, tests);
    let suites = loaded(&folder).unwrap_or_else(|errors| panic!("{errors}"));
    let outcomes = suites[0].run().expect("randomness");
    outcomes.into_iter().map(|one| (one.answer.verdict, one.answer.reason.to_string(), one.answer.detail)).collect()
}

fn case(name: &str, image: &str, evidence: &str) -> String {
    format!("  - {{ name: {name}, image: \"r.io/{image}@{}\", evidence: [ {evidence} ], expect: allow }}\n", about())
}

fn file(cases: &[String]) -> String {
    format!("policy: ../policy.yaml\nnow: 2025-11-28T12:00:00Z\ncases:\n{}", cases.concat())
}

#[test]
fn bundles_and_layers_are_judged_by_real_keys_and_roots() {
    let tests = file(&[
        case("a", "ci", "{ file: ci.json }"),
        case("b", "k", "{ file: k.json }"),
        case("c", "k", "{ legacy: { payload: payload.json, signature: payload.sig } }"),
        case("d", "k", "{ file: ci.json }"),
        case("e", "ci", "{ file: k.json }"),
    ]);
    let answers = answers("{ file: tests/root.json }", &tests);
    let verdicts: Vec<_> = answers.iter().map(|(verdict, ..)| *verdict).collect();
    assert_eq!(verdicts, [Verdict::Allow, Verdict::Allow, Verdict::Allow, Verdict::Deny, Verdict::Deny], "{answers:?}");
}

#[test]
fn virtual_keys_and_roots_do_not_reach_real_evidence_nor_the_other_way_round() {
    // The same identity, signed by another Sigstore than the declared one: virtual signers count all the same.
    let tests = file(&[
        case("a", "ci", "{ signature: { by: { gitlab: myorg/app } } }"),
        case("b", "k", "{ signature: { by: { key: k } } }"),
    ]);
    let answers = answers("{ file: tests/root.json }", &tests);
    assert!(answers.iter().all(|(verdict, ..)| *verdict == Verdict::Allow), "{answers:?}");
}

#[test]
fn a_tuf_repository_is_not_asked_and_can_be_replaced() {
    let tests = file(&[case("a", "ci", "{ file: ci.json }")]);
    let (verdict, reason, detail) = answers("{ tuf: { } }", &tests).remove(0);
    assert_eq!((verdict, reason.as_str()), (Verdict::Unknown, "trust_root_unavailable"));
    assert!(detail.contains("name a `trusted_root.json` for it under `trustRoots`"), "{detail}");
    let replaced = format!("trustRoots: {{ company: root.json }}\n{tests}");
    assert_eq!(answers("{ tuf: { } }", &replaced)[0].0, Verdict::Allow);
}

#[test]
fn real_evidence_is_about_a_known_digest_and_alone() {
    for (tests, part) in [
        (file(&[case("a", "ci", "{ file: ci.json }, { signature: { by: { key: k } } }")]), "make two cases of it"),
        (
            file(&[case("a", "ci", "{ file: ci.json }").replace(&format!("@{}", about()), ":1")]),
            "say which, as in `r.io/ci@sha256:…`",
        ),
        (file(&[case("a", "k", "{ legacy: { payload: payload.json } }")]), "`signature` is missing"),
        (
            file(&[case("a", "k", "{ legacy: { envelope: k.json, signature: payload.sig } }")]),
            "has its signature within",
        ),
        (file(&[case("a", "k", "{ legacy: { certificate: k.json } }")]), "one of `payload`, `envelope` is needed"),
    ] {
        let said = loaded(&real("{ file: tests/root.json }", &tests)).err().unwrap_or_else(|| panic!("{tests}"));
        assert!(said.contains(part), "{tests}\n{said}");
    }
    let said = loaded(&real("{ file: none.json }", &file(&[case("a", "ci", "{ file: ci.json }")])));
    assert!(said.is_err_and(|said| said.contains("policy.yaml:2:") && said.contains("it does not exist")));
}
