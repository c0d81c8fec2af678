//! A test for every known attack on finding evidence, named by its row in `tests/attacks/table.tsv`.

use serde_json::Value;

use super::super::double::page;
use super::*;
use crate::oci::media_type::{BUNDLE_V03, DSSE, SIMPLE_SIGNING};
use crate::upstream::{Page, UpstreamError as E};

pub(super) fn signature(registry: &mut Registry, payload: &[u8], text: &str) -> Value {
    let mut layer = registry.layer(SIMPLE_SIGNING, payload);
    layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": text });
    layer
}

pub(super) fn image(layers: &Value) -> Value {
    json!({ "schemaVersion": 2, "config": config(), "layers": layers })
}

/// The bundles that were found.
pub(super) fn bundles(set: &EvidenceSet) -> Vec<&[u8]> {
    let mut found = Vec::new();
    for candidate in &set.candidates {
        if let Material::Bundle(bytes) = candidate.untrusted() {
            found.push(&bytes[..]);
        }
    }
    found
}

/// One good bundle and what stands beside it: the first is found whatever the second is.
pub(super) async fn beside_a_good_one(bad: impl FnOnce(&mut Registry) -> Value) -> (EvidenceSet, Registry) {
    let mut registry = Registry::default();
    let bad = bad(&mut registry);
    let good = registry.bundle(&subject(), b"good");
    registry.pages = vec![Ok(page(&json!([bad, good]), None))];
    let set = found(&registry).await;
    assert!(bundles(&set).contains(&&b"good"[..]), "{set:?}");
    (set, registry)
}

#[tokio::test]
async fn a04_a_hundred_thousand_legacy_layers() {
    let mut registry = Registry::default();
    let one = signature(&mut registry, b"payload", "A");
    registry.put(&tag(".sig"), ManifestType::OciImage, &image(&json!([one])));
    assert_eq!(summary(&found(&registry).await), (1, vec![], vec![], false));

    let layers: Vec<Value> = (0..100_000)
        .map(|n| {
            let mut layer = one.clone();
            layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": n.to_string() });
            layer
        })
        .collect();
    registry.put(&tag(".sig"), ManifestType::OciImage, &image(&json!(layers)));
    registry.asked.lock().expect("a lock").clear();
    // It is far above the limit of a manifest, and not a layer of it is read.
    assert_eq!(summary(&found(&registry).await), (0, vec![], vec![Reason::EvidenceTooLarge], true));
    assert_eq!(registry.asked("blob"), 0);
}

#[tokio::test]
async fn a05_a_layer_that_is_longer_than_it_says_or_says_too_much() {
    for (size, reason) in [(json!(1024), Reason::EvidenceTooLarge), (json!(10_u64 << 30), Reason::EvidenceTooLarge)] {
        let (set, registry) = beside_a_good_one(|registry| {
            let mut layer = registry.layer(BUNDLE_V03, &[b'x'; 4096]);
            layer["size"] = size.clone();
            registry.referrer(&subject(), BUNDLE_V03, &json!([layer]))
        })
        .await;
        assert_eq!(summary(&set), (1, vec![], vec![reason], false), "{size}");
        assert!(registry.asked("blob") <= 2);
    }
}

/// Nothing is ever unpacked: whoever reads it later finds no JSON.
#[tokio::test]
async fn a14_a_compressed_bomb_is_bytes_like_any() {
    let bomb = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &[0; 1000]].concat();
    let (set, _) = beside_a_good_one(|registry| registry.bundle(&subject(), &bomb)).await;
    assert_eq!(bundles(&set), [&bomb[..], b"good"]);
}

#[tokio::test]
async fn a32_huge_lists_missing_layers_and_absurd_sizes() {
    let list = |manifests: &str| Page {
        bytes: format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":{manifests}}}"#, index_type()).into(),
        ..page(&json!([]), None)
    };
    // A list above the limit of a manifest is no absence.
    let entry = json!({ "mediaType": "a/b", "size": 1, "digest": subject().to_string() }).to_string() + ",";
    let huge = list(&format!("[{}]", entry.repeat(50_000).trim_end_matches(',')));
    let registry = Registry { pages: vec![Ok(huge)], ..Registry::default() };
    assert_eq!(summary(&found(&registry).await), (0, vec![Reason::EvidenceUnreadable], vec![], false));

    for size in ["-1", "9223372036854775808.5", "18446744073709551616", "\"1\"", "null"] {
        let (set, _) = beside_a_good_one(|registry| {
            let mut descriptor = registry.bundle(&subject(), b"bad");
            descriptor["size"] = serde_json::from_str(size).expect("JSON");
            descriptor
        })
        .await;
        assert_eq!(summary(&set), (1, vec![], vec![Reason::EvidenceMalformed], false), "{size}");
    }
    for layers in [json!(null), json!([]), json!([null]), json!({})] {
        let (set, _) = beside_a_good_one(|registry| registry.referrer(&subject(), BUNDLE_V03, &layers)).await;
        assert_eq!(summary(&set), (1, vec![], vec![Reason::EvidenceMalformed], false), "{layers}");
    }
}

fn index_type() -> &'static str {
    ManifestType::OciIndex.as_str()
}

#[tokio::test]
async fn a35_ten_thousand_invalid_referrers() {
    let mut registry = Registry::default();
    let bad: Vec<Value> = (0..10_000)
        .map(|n| {
            let digest = Digest::of(format!("{n}").as_bytes()).to_string();
            json!({ "mediaType": ManifestType::OciImage.as_str(), "size": 1, "digest": digest, "artifactType": BUNDLE_V03 })
        })
        .collect();
    let good = registry.bundle(&subject(), b"good");
    // In time, it is found; behind the flood, the answer is that more may be there.
    registry.pages = vec![Ok(page(&json!([[good.clone()].as_slice(), &bad[..20]].concat()), None))];
    assert_eq!(bundles(&found(&registry).await), [b"good"]);
    registry.pages = vec![Ok(page(&json!([&bad[..], &[good]].concat()), None))];
    registry.asked.lock().expect("a lock").clear();
    let set = found(&registry).await;
    assert!(set.incomplete && bundles(&set).is_empty());
    assert!(registry.asked("manifest sha256:") <= 64 && registry.asked("blob") == 0);
}

#[tokio::test]
async fn a36_a_referrer_of_another_image() {
    let other = Digest::of(b"another image");
    let (set, registry) = beside_a_good_one(|registry| registry.bundle(&other, b"about another")).await;
    assert_eq!(summary(&set), (1, vec![], vec![Reason::SubjectMismatch], false));
    assert_eq!(registry.asked("blob"), 1);
}

/// What nobody signed is not even read.
#[tokio::test]
async fn b01_a_statement_that_nobody_signed() {
    const IN_TOTO: &str = "application/vnd.in-toto+json";
    let (set, registry) = beside_a_good_one(|registry| {
        let layer = registry.layer(IN_TOTO, br#"{"_type":"https://in-toto.io/Statement/v1"}"#);
        registry.referrer(&subject(), IN_TOTO, &json!([layer]))
    })
    .await;
    assert_eq!((set.candidates.len(), registry.asked("blob")), (1, 1));
    // Nor is it a bundle because a list or a manifest says so.
    let (set, _) = beside_a_good_one(|registry| {
        let layer = registry.layer(IN_TOTO, b"{}");
        registry.referrer(&subject(), BUNDLE_V03, &json!([layer]))
    })
    .await;
    assert_eq!(summary(&set), (1, vec![], vec![Reason::EvidenceMalformed], false));
}

/// Annotations are anybody's: they choose nothing.
#[tokio::test]
async fn b05_annotations_that_lie_hide_nothing() {
    for predicate in ["https://sigstore.dev/cosign/sign/v1", "https://slsa.dev/provenance/v1", ""] {
        let (set, _) = beside_a_good_one(|registry| {
            let mut descriptor = registry.bundle(&subject(), b"annotated");
            descriptor["annotations"] = json!({ "dev.sigstore.bundle.predicateType": predicate });
            descriptor
        })
        .await;
        assert_eq!(bundles(&set), [&b"annotated"[..], b"good"]);
    }
}

#[tokio::test]
async fn o61_ten_thousand_annotations() {
    let mut registry = Registry::default();
    let mut layer = signature(&mut registry, b"payload", "A");
    for n in 0..10_000 {
        layer["annotations"][format!("x{n}")] = json!("y");
    }
    registry.put(&tag(".sig"), ManifestType::OciImage, &image(&json!([layer])));
    // More than are read; and above the limit of a manifest, nothing is.
    assert_eq!(summary(&found(&registry).await), (0, vec![], vec![Reason::EvidenceTooLarge], true));
    layer["annotations"]["dev.sigstore.cosign/certificate"] = json!("A".repeat(5 << 20));
    registry.put(&tag(".sig"), ManifestType::OciImage, &image(&json!([layer])));
    assert_eq!(summary(&found(&registry).await), (0, vec![], vec![Reason::EvidenceTooLarge], true));
}

#[tokio::test]
async fn o81_a_bundles_layer_in_something_else() {
    const CHART: &str = "application/vnd.cncf.helm.config.v1+json";
    let (set, registry) = beside_a_good_one(|registry| {
        let layer = registry.layer(BUNDLE_V03, b"within a chart");
        registry.referrer(&subject(), CHART, &json!([layer]))
    })
    .await;
    assert_eq!((bundles(&set), registry.asked("blob")), (vec![&b"good"[..]], 1));
    // A bundle of which the layer says that it is a chart's is none either.
    let (set, _) = beside_a_good_one(|registry| {
        let layer = registry.layer("application/vnd.cncf.helm.chart.content.v1.tar+gzip", b"{}");
        registry.referrer(&subject(), BUNDLE_V03, &json!([layer]))
    })
    .await;
    assert_eq!(summary(&set), (1, vec![], vec![Reason::EvidenceMalformed], false));
    // In legacy tags, only layers of the right type are evidence.
    let mut registry = Registry::default();
    let (wrong, right) = (registry.layer(BUNDLE_V03, b"a bundle"), registry.layer(DSSE, b"an envelope"));
    registry.put(&tag(".att"), ManifestType::OciImage, &image(&json!([wrong, right])));
    assert_eq!(found(&registry).await.candidates.len(), 1);
}

/// A repository of signatures for all images: what is found under one digest is about that digest or nothing.
#[tokio::test]
async fn o82_evidence_of_several_images_in_one_repository() {
    let mut registry = Registry::default();
    let other = Digest::of(b"another image");
    let theirs = signature(&mut registry, b"about another", "A");
    let ours = signature(&mut registry, b"about ours", "A");
    registry.put(&format!("sha256-{}.sig", other.hex()), ManifestType::OciImage, &image(&json!([theirs])));
    registry.put(&tag(".sig"), ManifestType::OciImage, &image(&json!([ours])));
    let (about_other, about_ours) = (registry.bundle(&other, b"theirs"), registry.bundle(&subject(), b"ours"));
    registry.pages = vec![Ok(page(&json!([about_other, about_ours]), None))];
    let set = found(&registry).await;
    assert_eq!(summary(&set), (2, vec![], vec![Reason::SubjectMismatch], false));
    assert_eq!(bundles(&set), [b"ours"]);
}

/// Every failure but an absence leaves a doubt, and so does a list that ends too early.
#[tokio::test]
async fn a57_no_evidence_is_found_only_where_none_is() {
    for (pages, unread) in [
        (vec![Ok(page(&json!([]), None))], false),
        (vec![Ok(page(&json!(null), None))], false),
        (vec![Err(E::NotFound)], false),
        (vec![Err(E::Status(500))], true),
        (vec![Err(E::Timeout)], true),
    ] {
        let registry = Registry { pages, ..Registry::default() };
        let set = found(&registry).await;
        assert_eq!((set.candidates.len(), !set.unread.is_empty()), (0, unread));
    }
}
