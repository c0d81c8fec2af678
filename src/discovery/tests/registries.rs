//! Registries that lie about evidence or send without end, each test named by its row in `tests/attacks/table.tsv`.

use serde_json::Value;

use super::super::double::page;
use super::rows::{beside_a_good_one, bundles, image, signature};
use super::*;
use crate::oci::media_type::BUNDLE_V03;
use crate::upstream::RawManifest;

const LIMIT: usize = 64;

/// A manifest that refers to what `subject` says.
fn referring(registry: &mut Registry, subject: &Value) -> Value {
    let layer = registry.layer(BUNDLE_V03, b"referring");
    let mut manifest = image(&json!([layer]));
    manifest["artifactType"] = json!(BUNDLE_V03);
    manifest["subject"] = subject.clone();
    let digest = registry.put("", ManifestType::OciImage, &manifest).to_string();
    json!({ "mediaType": ManifestType::OciImage.as_str(), "size": 1, "digest": digest, "artifactType": BUNDLE_V03 })
}

#[tokio::test]
async fn o44_lists_without_end() {
    let other = json!({ "mediaType": "a/b", "size": 1, "digest": subject().to_string(), "artifactType": "a/b" });
    let mut registry = Registry::default();
    let good = registry.bundle(&subject(), b"good");
    // As many as a page may hold, and ours behind them; or in front.
    let flood = vec![other.clone(); 20_000];
    registry.pages = vec![Ok(page(&json!([&flood[..], std::slice::from_ref(&good)].concat()), Some("0")))];
    assert_eq!(summary(&found(&registry).await), (0, vec![], vec![], true));
    registry.pages = vec![Ok(page(&json!([std::slice::from_ref(&good), &flood[..]].concat()), Some("0")))];
    assert_eq!(summary(&found(&registry).await), (1, vec![], vec![], true));
    // A page of a hundred thousand is longer than any is read.
    registry.pages = vec![Ok(page(&json!(vec![other; 100_000]), None))];
    assert_eq!(summary(&found(&registry).await), (0, vec![Reason::EvidenceUnreadable], vec![], false));
    // Each page leads to the next.
    registry.pages = (1..200).map(|next: usize| Ok(page(&json!([]), Some(&next.to_string())))).collect();
    registry.asked.lock().expect("a lock").clear();
    assert_eq!(summary(&found(&registry).await), (0, vec![], vec![], true));
    assert!(registry.asked("referrers") <= 64 && registry.asked("manifest sha256:") == 0);
}

/// The first in the order of the list are read, as many as the limit; the answer says that there are more.
#[tokio::test]
async fn o46_one_good_among_five_thousand() {
    let mut registry = Registry::default();
    let good = registry.bundle(&subject(), b"good");
    let bad: Vec<_> = (0..4999).map(|n| registry.bundle(&subject(), format!("bad {n}").as_bytes())).collect();
    let good_layer = signature(&mut registry, b"payload", "good");
    let bad_layers: Vec<_> = (0..4999).map(|n| signature(&mut registry, b"payload", &format!("bad {n}"))).collect();
    let with =
        |all: &[Value], one: &Value, at: usize| json!([&all[..at], std::slice::from_ref(one), &all[at..]].concat());
    let is_good = |candidate: &Candidate| match candidate.untrusted() {
        Material::Bundle(bytes) => &bytes[..] == b"good",
        Material::SimpleSigning { signature, .. } => signature == "good",
        Material::Envelope(_) => false,
    };
    for at in [0, 31, LIMIT - 1, LIMIT, 999, 1000, 2500, 4999] {
        registry.pages = vec![Ok(page(&with(&bad, &good, at), None))];
        registry.put(&tag(".sig"), ManifestType::OciImage, &image(&with(&bad_layers, &good_layer, at)));
        registry.asked.lock().expect("a lock").clear();
        let set = found(&registry).await;
        assert_eq!(summary(&set), (2 * LIMIT, vec![], vec![], true));
        let expected = if at < LIMIT { vec![at, LIMIT + at] } else { vec![] };
        let places: Vec<_> = (0..2 * LIMIT).filter(|n| is_good(&set.candidates[*n])).collect();
        assert_eq!(places, expected, "at {at}");
        assert_eq!((registry.asked("manifest sha256:"), registry.asked("blob")), (LIMIT, LIMIT + 1));
    }
}

#[tokio::test]
async fn o48_a_fallback_tag_that_is_an_image_or_lies() {
    let mut registry = Registry::default();
    let layer = registry.layer("application/vnd.oci.image.layer.v1.tar", b"a layer");
    let plain = image(&json!([layer]));
    registry.put(&tag(""), ManifestType::OciImage, &plain);
    assert_eq!(summary(&found(&registry).await), (0, vec![], vec![Reason::EvidenceMalformed], false));

    // What it says about others proves nothing: an image is no bundle, and a bundle about another image is not ours.
    let digest = registry.put("", ManifestType::OciImage, &plain).to_string();
    let lie = json!({
        "mediaType": ManifestType::OciImage.as_str(), "size": 1, "digest": digest, "artifactType": BUNDLE_V03,
        "annotations": { "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1" },
    });
    let other = registry.bundle(&Digest::of(b"another image"), b"about another");
    let good = registry.bundle(&subject(), b"good");
    registry.put(&tag(""), ManifestType::OciIndex, &index(&json!([lie, other, good])));
    let set = found(&registry).await;
    assert_eq!(summary(&set), (1, vec![], vec![Reason::SubjectMismatch; 2], false));
    assert_eq!(bundles(&set), [b"good"]);
}

#[tokio::test]
async fn o49_a_legacy_tag_that_is_no_image_of_signatures() {
    let malformed = vec![Reason::EvidenceMalformed];
    for suffix in [".sig", ".att"] {
        let mut registry = Registry::default();
        registry.put(&tag(suffix), ManifestType::OciIndex, &index(&json!([])));
        assert_eq!(summary(&found(&registry).await), (0, vec![], malformed.clone(), false));
        let schema_1 = RawManifest {
            bytes: r#"{"schemaVersion":1,"fsLayers":[]}"#.into(),
            content_type: "application/vnd.docker.distribution.manifest.v1+prettyjws".into(),
        };
        registry.manifests.insert(tag(suffix), Ok(schema_1));
        assert_eq!(summary(&found(&registry).await), (0, vec![], malformed.clone(), false));
        registry.put(&tag(suffix), ManifestType::OciImage, &image(&json!([])));
        assert_eq!(summary(&found(&registry).await), (0, vec![], vec![], false));
    }
}

#[tokio::test]
async fn o50_a_referrer_that_does_not_refer_to_us() {
    let hex = subject().hex();
    let of = |digest: String| json!({ "mediaType": "a/b", "size": 1, "digest": digest });
    for (subject, reason) in [
        (of(Digest::of(b"another image").to_string()), Reason::SubjectMismatch),
        (json!(null), Reason::SubjectMismatch),
        (of(format!("sha512:{hex}{hex}")), Reason::EvidenceMalformed),
        (of(format!("sha256:{}", hex.to_uppercase())), Reason::EvidenceMalformed),
        (json!({}), Reason::EvidenceMalformed),
        (json!([]), Reason::EvidenceMalformed),
    ] {
        let (set, _) = beside_a_good_one(|registry| referring(registry, &subject)).await;
        assert_eq!(summary(&set), (1, vec![], vec![reason], false), "{subject}");
    }
    // The digest binds; what else is said about the subject says nothing more.
    let (set, _) = beside_a_good_one(|registry| referring(registry, &of(subject().to_string()))).await;
    assert_eq!(bundles(&set), [&b"referring"[..], b"good"]);
}

#[tokio::test]
async fn o51_descriptors_that_disagree_with_what_comes() {
    type Bend = fn(&mut Registry, Value) -> Value;
    let layer: Bend = |registry, referrer| {
        registry.blobs.insert(Digest::of(b"bent"), Ok("tneb".into()));
        referrer
    };
    let manifest: Bend = |registry, referrer| {
        let other = registry.manifests.values().next().expect("it is there").clone();
        let digest = referrer["digest"].as_str().expect("a digest");
        let another = other.map(|raw| RawManifest { bytes: [&raw.bytes[..], b" "].concat().into(), ..raw });
        registry.manifests.insert(digest.into(), another);
        referrer
    };
    for bend in [layer, manifest] {
        let (set, _) = beside_a_good_one(|registry| {
            let referrer = registry.bundle(&subject(), b"bent");
            bend(registry, referrer)
        })
        .await;
        assert_eq!(summary(&set), (1, vec![Reason::UpstreamDigestMismatch], vec![], false));
    }
    for (size, reason) in [(3, Reason::EvidenceTooLarge), (5, Reason::EvidenceMalformed)] {
        let (set, _) = beside_a_good_one(|registry| {
            let mut layer = registry.layer(BUNDLE_V03, b"bent");
            layer["size"] = json!(size);
            registry.referrer(&subject(), BUNDLE_V03, &json!([layer]))
        })
        .await;
        assert_eq!(summary(&set), (1, vec![], vec![reason], false), "{size}");
    }
}

/// It is read from where the digest leads, and must not contradict it.
#[tokio::test]
async fn o52_evidence_within_a_descriptor() {
    let with_data = |registry: &mut Registry, data: &str| {
        let mut layer = registry.layer(BUNDLE_V03, b"bundle");
        layer["data"] = json!(data);
        registry.referrer(&subject(), BUNDLE_V03, &json!([layer]))
    };
    let (right, wrong) = ("YnVuZGxl", "b3RoZXIh");
    let (set, _) = beside_a_good_one(|registry| with_data(registry, right)).await;
    assert_eq!(bundles(&set), [&b"bundle"[..], b"good"]);
    let (set, registry) = beside_a_good_one(|registry| with_data(registry, wrong)).await;
    assert_eq!((summary(&set), registry.asked("blob")), ((1, vec![], vec![Reason::EvidenceMalformed], false), 1));
    let (set, _) = beside_a_good_one(|registry| {
        let referrer = with_data(registry, right);
        registry.blobs.insert(Digest::of(b"bundle"), Ok("other!".into()));
        referrer
    })
    .await;
    assert_eq!(summary(&set), (1, vec![Reason::UpstreamDigestMismatch], vec![], false));
}

/// What is read at once is bounded for all together: who comes too late may ask again.
#[tokio::test]
async fn evidence_waits_for_memory_and_not_for_ever() {
    let mut registry = Registry::default();
    let large = registry.bundle(&subject(), &vec![b'x'; 1 << 20]);
    registry.pages = vec![Ok(page(&json!([large]), None))];
    let repository = "app".parse().expect("a repository");
    let place = || Place { source: &registry, repository: &repository, name: None };
    let all = InFlight::new(1 << 20);
    let (first, second) = (all.share(), all.share());
    let limits = Limits::default();
    let set = read(&[place()], &subject(), ALL, &limits, &first, Timestamp(7)).await;
    assert_eq!(summary(&set), (1, vec![], vec![], false));
    let set = read(&[place()], &subject(), ALL, &limits, &second, Timestamp(7)).await;
    assert_eq!(summary(&set), (0, vec![Reason::Overloaded], vec![], false));
    drop(first);
    let set = read(&[place()], &subject(), ALL, &limits, &second, Timestamp(7)).await;
    assert_eq!(summary(&set), (1, vec![], vec![], false));
}
