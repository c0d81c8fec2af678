//! What is made rightly is accepted by `sigstore-verify`, whose authors never saw this code; what is bent is not.

use serde_json::{Value, json};
use sigstore_verify::SubjectAltName;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, DerPublicKey};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier};

use super::pieces::{BUNDLE, CERTIFICATE, CHAIN, SIGNATURE, TIMESTAMP};
use super::*;
use crate::demo::signer::{signature_statement, simple_signing_payload};
use crate::oci::Digest;
use crate::test_support::SIGSTORE;

mod bent;

const NOW: i64 = 1_784_894_400;

fn statement() -> Content {
    Content::statement(&signature_statement(subject()))
}

fn payload() -> Content {
    Content::document(&simple_signing_payload("r.io/app", subject()))
}

fn subject() -> Digest {
    Digest::of(b"a manifest")
}

fn myorg() -> Recipe {
    SIGSTORE.keyless(&Identity::gitlab("myorg/app"), NOW).expect("a key")
}

/// The verdict on a bundle about the manifest; on a message, about itself.
fn verify(root: &Value, bundle: &Value, key: Option<&Key>) -> Result<VerificationResult, String> {
    let root = TrustedRoot::from_json(&root.to_string()).map_err(|error| error.to_string())?;
    let verifier = Verifier::new(&root).map_err(|error| error.to_string())?;
    let payload = payload();
    let artifact = if bundle["messageSignature"].is_null() { b"a manifest" } else { payload.payload() };
    let bundle = Bundle::from_json(&bundle.to_string()).map_err(|error| error.to_string())?;
    let result = match key {
        Some(key) => {
            let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki()));
            verifier.verify(artifact, &bundle, &policy)
        }
        None => verifier.verify(artifact, &bundle, &VerificationPolicy::any_identity()),
    };
    result.map_err(|error| error.to_string())
}

#[test]
fn a_gitlab_pipeline_is_who_it_says() {
    let bundle = myorg().sign(statement()).expect("signs").bundle();
    let result = verify(&SIGSTORE.trusted_root(), &bundle, None).expect("it verifies");
    assert!(result.certificate_verified() && result.sct_verified() && result.tlog_verified());
    assert_eq!(result.issuer(), Some("https://gitlab.com"));
    let name = "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main";
    assert_eq!(result.identity(), Some(&SubjectAltName::Uri(name.into())));
    let certificate = result.certificate().expect("a certificate");
    assert_eq!((certificate.not_before.as_second(), certificate.not_after.as_second()), (NOW, NOW + 600));
    let claims = format!("{:?}", certificate.ci_claims);
    for claim in ["https://gitlab.com/myorg/app", "https://gitlab.com/myorg", "push", "gitlab-hosted"] {
        assert!(claims.contains(&format!("\"{claim}\"")), "{claim}: {claims}");
    }
}

#[test]
fn every_form_verifies() {
    let keyed = SIGSTORE.keyed(&Key::p256().expect("a key"), NOW);
    let of = |identity: &Identity| SIGSTORE.keyless(identity, NOW).expect("a key");
    let intoto = |recipe: Recipe| Recipe { kind: Some(Kind::InTotoV2), ..recipe };
    for (name, recipe, messages) in [
        ("keyless", myorg(), true),
        ("keyless, stamped", SIGSTORE.stamped(myorg()), true),
        ("keyless, v2", SIGSTORE.with_rekor_v2(myorg()), true),
        ("keyless, intoto", intoto(myorg()), false),
        ("a workflow", of(&Identity::github("myorg/app")), true),
        ("a person", of(&Identity::email("a@myorg.test", "https://accounts.test")), true),
        ("key", keyed.clone(), true),
        ("key, stamped", SIGSTORE.stamped(keyed.clone()), true),
        ("key, v2", SIGSTORE.with_rekor_v2(keyed.clone()), true),
        ("key, intoto", intoto(keyed), false),
    ] {
        let key = recipe.certificate.is_none().then_some(&recipe.key);
        for content in [statement(), payload()].into_iter().take(1 + usize::from(messages)) {
            let bundle = recipe.sign(content).expect("signs").bundle();
            let result = verify(&SIGSTORE.trusted_root(), &bundle, key);
            assert!(result.is_ok(), "{name}: {result:?}\n{bundle:#}");
        }
    }
}

#[test]
fn an_entry_verifies_wherever_it_stands() {
    for size in 1..=9 {
        for index in 0..size {
            for log in [&SIGSTORE.rekor, &SIGSTORE.rekor_v2] {
                let mut recipe = SIGSTORE.stamped(myorg());
                recipe.logs = vec![log.clone().at(index, size)];
                let bundle = recipe.sign(statement()).expect("signs").bundle();
                let result = verify(&SIGSTORE.trusted_root(), &bundle, None);
                assert!(result.is_ok(), "{index} of {size}: {result:?}\n{bundle:#}");
            }
        }
    }
    let mut first = SIGSTORE.with_rekor_v2(myorg());
    first.logs = vec![SIGSTORE.rekor_v2.clone().at(0, 1)];
    let entry = first.sign(statement()).expect("signs").entries[0].json();
    assert!(entry["logIndex"].is_null() && entry["inclusionProof"]["hashes"].is_null(), "{entry:#}");
}

/// The annotations say what a bundle of version 0.1 says, so the crate can judge them.
#[test]
fn legacy_annotations_verify_as_a_bundle_of_version_0_1() {
    for (content, stamps_layer) in [(payload(), false), (statement(), true)] {
        let recipe = Recipe { stamps_layer, ..SIGSTORE.stamped(myorg()) };
        let pieces = recipe.sign(content).expect("signs");
        let annotations = pieces.annotations();
        let parsed = |name: &str| serde_json::from_str::<Value>(&annotations[name]).expect("JSON");
        let (log, stamp) = (parsed(BUNDLE), parsed(TIMESTAMP));
        let lines = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        let entry = json!({
            "logIndex": log["Payload"]["logIndex"].to_string(),
            "logId": pieces.entries[0].json()["logId"],
            "kindVersion": pieces.entries[0].json()["kindVersion"],
            "integratedTime": log["Payload"]["integratedTime"].to_string(),
            "inclusionPromise": { "signedEntryTimestamp": log["SignedEntryTimestamp"] },
            "canonicalizedBody": log["Payload"]["body"],
        });
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
            "verificationMaterial": {
                "x509CertificateChain": { "certificates": [{ "rawBytes": lines(&annotations[CERTIFICATE]) }] },
                "tlogEntries": [entry],
            },
        });
        if stamps_layer {
            bundle["dsseEnvelope"] = serde_json::from_slice(&pieces.layer()).expect("JSON");
            assert_eq!(annotations[SIGNATURE], "");
        } else {
            let stamps = json!([{ "signedTimestamp": stamp["SignedRFC3161Timestamp"] }]);
            bundle["verificationMaterial"]["timestampVerificationData"] = json!({ "rfc3161Timestamps": stamps });
            bundle["messageSignature"] = json!({ "signature": annotations[SIGNATURE] });
        }
        // Proofs are not in the legacy format; the crate is asked for none.
        let root = TrustedRoot::from_json(&SIGSTORE.trusted_root_json()).expect("a root");
        let parsed = Bundle::from_json(&bundle.to_string()).expect("a bundle");
        let artifact = if stamps_layer { b"a manifest" } else { pieces.content.payload() };
        let verifier = Verifier::new(&root).expect("a root");
        let result = verifier.verify(artifact, &parsed, &VerificationPolicy::any_identity());
        assert!(result.is_ok(), "{result:?}\n{bundle:#}");
        assert_eq!(annotations[CHAIN].matches("BEGIN CERTIFICATE").count(), 2);
    }
}
