use std::sync::Arc;

use serde_json::Value;

use super::super::double::page;
use super::*;
use crate::policy::{Authority, Format, PublicKey};
use crate::test_support::against;
use crate::upstream::RawManifest;
use crate::verify::{Claim, verify_all};

/// What a registry held after cosign 3 and cosign 2 had signed and attested one image.
const RECORDED: &str = include_str!("cosign.json");

fn recorded() -> (Value, Registry) {
    let record: Value = serde_json::from_str(RECORDED).expect("JSON");
    let members = |name: &str| record[name].as_object().expect("an object").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_string();
    let mut registry = Registry::default();
    for (reference, bytes) in members("manifests") {
        let raw = RawManifest { bytes: text(&bytes).into(), content_type: ManifestType::OciImage.as_str().into() };
        registry.manifests.insert(reference, Ok(raw));
    }
    for (digest, bytes) in members("blobs") {
        registry.blobs.insert(digest.parse().expect("a digest"), Ok(text(&bytes).into()));
    }
    let list: Value = serde_json::from_str(&text(&record["referrers"])).expect("JSON");
    registry.pages = vec![Ok(page(&list["manifests"], None))];
    (record, registry)
}

#[tokio::test]
async fn what_cosign_writes_is_found_and_verified() {
    let (record, registry) = recorded();
    let subject: Digest = record["digest"].as_str().expect("a text").parse().expect("a digest");
    let key = PublicKey::from_pem(record["key"].as_str().expect("a text")).expect("a key");
    let authority = Arc::new(Authority::of_keys("cosign", vec![key]));
    let limits = Limits::default();
    let evidence = read_one(&registry, &subject, ALL, &limits).await;
    assert_eq!(summary(&evidence), (6, vec![], vec![], false));

    let findings = verify_all(&evidence, &subject, &[Arc::clone(&authority)], against(&limits));
    assert_eq!(findings.rejected, []);
    let mut claims: Vec<_> = findings
        .verified
        .iter()
        .map(|proof| (proof.format() == Format::Bundle, proof.claim() == &Claim::Signature))
        .collect();
    claims.sort_unstable();
    // Two signatures and one attestation by each.
    assert_eq!(claims, [(false, false), (false, true), (false, true), (true, false), (true, true), (true, true)]);

    let other = verify_all(&evidence, &Digest::of(b"another image"), &[authority], against(&limits));
    assert!(other.verified.is_empty());
    assert!(other.rejected.iter().all(|one| one.reason == Reason::SubjectMismatch));
}
