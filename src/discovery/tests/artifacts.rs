//! Legacy evidence that cosign stores as referrers (`--registry-referrers-mode=oci-1-1`), and what else refers.

use serde_json::Value;

use super::super::double::page;
use super::*;
use crate::oci::media_type::{DSSE, SIMPLE_SIGNING};

const SIGNATURE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
const ATTESTATION: &str = "application/vnd.in-toto+json";

fn signature(registry: &mut Registry, payload: &str) -> Value {
    let mut layer = registry.layer(SIMPLE_SIGNING, payload.as_bytes());
    layer["annotations"] = json!({
        "dev.cosignproject.cosign/signature": "A",
        "dev.sigstore.cosign/certificate": "PEM",
    });
    layer
}

fn kinds(set: &EvidenceSet) -> Vec<&'static str> {
    let kind = |candidate: &Candidate| match candidate.untrusted() {
        Material::Bundle(_) => "bundle",
        Material::Envelope(_) => "envelope",
        Material::SimpleSigning { .. } => "signature",
    };
    set.candidates.iter().map(kind).collect()
}

/// One of each, as referrers, in this order.
fn one_of_each() -> (Registry, Vec<Value>) {
    let mut registry = Registry::default();
    let layer = signature(&mut registry, "payload");
    let signed = registry.referrer(&subject(), SIGNATURE, &json!([layer]));
    let layer = registry.layer(DSSE, b"envelope");
    let attested = registry.referrer(&subject(), ATTESTATION, &json!([layer]));
    let bundle = registry.bundle(&subject(), b"bundle");
    (registry, vec![signed, attested, bundle])
}

#[tokio::test]
async fn legacy_evidence_is_read_from_referrers_with_what_stands_beside_it() {
    // As the list gives the type: of the artifact, of its config, an empty one, or none.
    for shown in [None, Some(json!("")), Some(json!("application/vnd.oci.image.config.v1+json")), Some(json!(null))] {
        let (mut registry, mut listed) = one_of_each();
        if let Some(shown) = &shown {
            for descriptor in &mut listed {
                descriptor["artifactType"] = shown.clone();
            }
        }
        registry.pages = vec![Ok(page(&json!(listed), None))];
        let set = found(&registry).await;
        assert_eq!((kinds(&set), summary(&set)), (vec!["signature", "envelope", "bundle"], (3, vec![], vec![], false)));
        let signed = &set.candidates[0];
        assert_eq!(signed.beside().certificate.as_deref(), Some("PEM"));
        assert_eq!(signed.location(), format!("referrer {}, layer 0", listed[0]["digest"].as_str().expect("a text")));
        assert!(set.candidates.iter().all(|candidate| candidate.attachment() == Attachment::Referrer));
        // And by the tag that stands in for the API.
        registry.pages = vec![];
        registry.put(&tag(""), ManifestType::OciIndex, &index(&json!(listed)));
        assert_eq!(kinds(&found(&registry).await), ["signature", "envelope", "bundle"], "{shown:?}");
    }
}

#[tokio::test]
async fn only_what_is_wanted_is_fetched_from_referrers() {
    let none = Wants { bundle: false, signatures: false, attestations: false, referrers: true };
    for (wants, expected) in [
        (Wants { bundle: true, ..none }, "bundle"),
        (Wants { signatures: true, ..none }, "signature"),
        (Wants { attestations: true, ..none }, "envelope"),
    ] {
        for typed in [true, false] {
            let (mut registry, mut listed) = one_of_each();
            if !typed {
                for descriptor in &mut listed {
                    descriptor["artifactType"] = json!(null);
                }
            }
            registry.pages = vec![Ok(page(&json!(listed), None))];
            let set = read_one(&registry, &subject(), wants, &Limits::default()).await;
            assert_eq!((kinds(&set), summary(&set)), (vec![expected], (1, vec![], vec![], false)));
            assert_eq!(registry.asked("blob"), 1);
            assert_eq!(registry.asked("manifest sha256:"), if typed { 1 } else { 3 });
        }
    }
}

#[tokio::test]
async fn a_bare_statement_or_an_sbom_that_refers_is_no_evidence() {
    let mut registry = Registry::default();
    let bare = registry.layer("application/vnd.in-toto+json", b"{}");
    let bare = registry.referrer(&subject(), ATTESTATION, &json!([bare]));
    let sbom = registry.layer("application/spdx+json", b"{}");
    let sbom = registry.referrer(&subject(), "", &json!([sbom]));
    registry.pages = vec![Ok(page(&json!([bare, sbom]), None))];
    assert_eq!(summary(&found(&registry).await), (0, vec![], vec![], false));
    assert_eq!(registry.asked("blob"), 0);
}

#[tokio::test]
async fn legacy_referrers_of_something_else_or_without_a_signature_say_why() {
    let mut registry = Registry::default();
    let layer = signature(&mut registry, "payload");
    let foreign = registry.referrer(&Digest::of(b"other"), SIGNATURE, &json!([layer]));
    let unsigned = registry.layer(SIMPLE_SIGNING, b"unsigned");
    let unsigned = registry.referrer(&subject(), SIGNATURE, &json!([unsigned]));
    let good = registry.bundle(&subject(), b"good");
    registry.pages = vec![Ok(page(&json!([foreign, unsigned, good]), None))];
    let set = found(&registry).await;
    assert_eq!(kinds(&set), ["bundle"]);
    assert_eq!(summary(&set), (1, vec![], vec![Reason::SubjectMismatch, Reason::EvidenceMalformed], false));
    assert!(set.unusable.iter().all(|one| one.format == crate::policy::Format::Legacy), "{:?}", set.unusable);
}

#[tokio::test]
async fn a_referrer_with_many_layers_takes_nothing_from_the_others() {
    let mut registry = Registry::default();
    let layers: Vec<_> = (0..50).map(|n| signature(&mut registry, &format!("payload {n}"))).collect();
    let many = registry.referrer(&subject(), SIGNATURE, &json!(layers));
    let good = registry.bundle(&subject(), b"good");
    registry.pages = vec![Ok(page(&json!([many, good]), None))];
    let set = discovered(&registry, Limits { examined: 3, ..Limits::default() }).await;
    assert_eq!((kinds(&set), summary(&set)), (vec!["signature", "bundle", "signature"], (3, vec![], vec![], true)));
    assert_eq!(registry.asked("blob"), 3);
}

#[tokio::test]
async fn a_list_of_other_things_is_followed_by_the_tag_too() {
    let mut registry = Registry::default();
    let bundle = registry.bundle(&subject(), b"bundle");
    registry.put(&tag(""), ManifestType::OciIndex, &index(&json!([bundle])));
    let layer = registry.layer("application/spdx+json", b"{}");
    let sbom = registry.referrer(&subject(), "application/spdx+json", &json!([layer]));
    let broken = json!({ "mediaType": "a/b", "size": 1, "digest": "sha512:00" });
    registry.pages = vec![Ok(page(&json!([sbom, broken]), None))];
    let set = found(&registry).await;
    assert_eq!((kinds(&set), summary(&set)), (vec!["bundle"], (1, vec![], vec![Reason::EvidenceMalformed], false)));
}
