use serde_json::Value;

use super::*;
use crate::oci::media_type::{DSSE, SIMPLE_SIGNING};
use crate::upstream::UpstreamError as E;

fn signed(registry: &mut Registry, payload: &[u8], signature: &str) -> Value {
    let mut layer = registry.layer(SIMPLE_SIGNING, payload);
    layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": signature });
    layer
}

fn put(registry: &mut Registry, suffix: &str, layers: &[Value]) {
    let image = json!({ "schemaVersion": 2, "config": config(), "layers": layers });
    registry.put(&tag(suffix), ManifestType::OciImage, &image);
}

fn pairs(set: &EvidenceSet) -> Vec<(&[u8], &str)> {
    set.candidates
        .iter()
        .map(|candidate| match candidate.untrusted() {
            Material::SimpleSigning { payload, signature } => (&payload[..], signature.as_str()),
            Material::Envelope(bytes) => (&bytes[..], ""),
            Material::Bundle(_) => panic!("a bundle"),
        })
        .collect()
}

#[tokio::test]
async fn signatures_are_read_layer_by_layer_and_a_payload_once() {
    let mut registry = Registry::default();
    let (a, b) = (signed(&mut registry, b"payload", "A"), signed(&mut registry, b"payload", "B"));
    let other = registry.layer("application/octet-stream", b"other");
    let unsigned = registry.layer(SIMPLE_SIGNING, b"payload");
    let c = signed(&mut registry, b"another", "A");
    put(&mut registry, ".sig", &[a.clone(), b, other, a, unsigned, c]);
    let set = found(&registry).await;
    assert_eq!(pairs(&set), [(&b"payload"[..], "A"), (b"payload", "B"), (b"another", "A")]);
    assert_eq!(summary(&set), (3, vec![], vec![Reason::EvidenceMalformed], false));
    assert_eq!(set.candidates[2].location(), format!("tag {}, layer 5", tag(".sig")));
    assert_eq!(registry.asked("blob"), 2);
}

#[tokio::test]
async fn dockers_media_types_are_read_too() {
    let mut registry = Registry::default();
    let layer = signed(&mut registry, b"payload", "A");
    let kind = ManifestType::DockerImage;
    let image = json!({ "schemaVersion": 2, "mediaType": kind.as_str(), "config": config(), "layers": [layer] });
    registry.put(&tag(".sig"), kind, &image);
    assert_eq!(found(&registry).await.candidates.len(), 1);
}

#[tokio::test]
async fn attestations_are_envelopes_each_once() {
    let mut registry = Registry::default();
    let (a, b) = (registry.layer(DSSE, b"one"), registry.layer(DSSE, b"two"));
    let other = signed(&mut registry, b"payload", "A");
    put(&mut registry, ".att", &[a.clone(), b, a, other]);
    let set = found(&registry).await;
    assert_eq!(pairs(&set), [(&b"one"[..], ""), (b"two", "")]);
    assert_eq!(summary(&set), (2, vec![], vec![], false));
}

#[tokio::test]
async fn a_listed_payload_that_cannot_be_had_is_unread_or_unusable() {
    for (blob, unread, unusable) in [
        (Err(E::NotFound), vec![Reason::EvidenceUnreadable], vec![]),
        (Err(E::Timeout), vec![Reason::UpstreamTimeout], vec![]),
        (Ok("lies".into()), vec![Reason::UpstreamDigestMismatch], vec![]),
        (Ok("longer than was declared".into()), vec![], vec![Reason::EvidenceTooLarge]),
    ] {
        for suffix in [".sig", ".att"] {
            let mut registry = Registry::default();
            let layer = match suffix {
                ".sig" => signed(&mut registry, b"payload", "A"),
                _ => registry.layer(DSSE, b"payload"),
            };
            put(&mut registry, suffix, &[layer]);
            registry.blobs.insert(Digest::of(b"payload"), blob.clone());
            assert_eq!(summary(&found(&registry).await), (0, unread.clone(), unusable.clone(), false), "{blob:?}");
        }
    }
}

#[tokio::test]
async fn limits_end_the_reading_and_say_so() {
    let mut registry = Registry::default();
    let layers: Vec<Value> = (0..5).map(|n| signed(&mut registry, format!("{n}").as_bytes(), "A")).collect();
    put(&mut registry, ".sig", &layers);
    let set = discovered(&registry, Limits { examined: 3, ..Limits::default() }).await;
    assert_eq!(summary(&set), (3, vec![], vec![], true));
    assert_eq!(registry.asked("blob"), 3);
    let set = discovered(&registry, Limits { listed: 2, ..Limits::default() }).await;
    assert_eq!(summary(&set), (2, vec![], vec![], true));
    let set = discovered(&registry, Limits { bundle: 0, ..Limits::default() }).await;
    assert_eq!(summary(&set), (0, vec![], vec![Reason::EvidenceTooLarge; 5], false));
    assert_eq!(registry.asked("blob"), 5, "a declared size above the limit is not fetched");
}

#[tokio::test]
async fn a06_twenty_thousand_layers_cost_no_more_than_the_limit() {
    let mut registry = Registry::default();
    let one = signed(&mut registry, b"payload", "A");
    let layers: Vec<Value> = (0..20_000)
        .map(|n| {
            let mut layer = one.clone();
            layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": n.to_string() });
            layer
        })
        .collect();
    put(&mut registry, ".sig", &layers);
    let set = discovered(&registry, Limits { manifest: 32 << 20, ..Limits::default() }).await;
    assert_eq!(summary(&set), (64, vec![], vec![], true));
    assert_eq!(registry.asked("blob"), 1);
}

#[tokio::test]
async fn layers_that_differ_only_in_what_stands_beside_them_are_both_kept_with_it() {
    for suffix in [".sig", ".att"] {
        let mut registry = Registry::default();
        let layer = match suffix {
            ".sig" => signed(&mut registry, b"payload", "A"),
            _ => registry.layer(DSSE, b"payload"),
        };
        let beside = |n: &str| {
            let mut layer = layer.clone();
            for name in ["certificate", "chain", "bundle", "rfc3161timestamp"] {
                layer["annotations"][format!("dev.sigstore.cosign/{name}")] = format!("{name} {n}").into();
            }
            layer
        };
        put(&mut registry, suffix, &[layer.clone(), beside("1"), beside("2"), beside("1")]);
        let set = found(&registry).await;
        let text = |name: &str, n: &str| Some(format!("{name} {n}"));
        let all = |n: &str| Beside {
            certificate: text("certificate", n),
            chain: text("chain", n),
            bundle: text("bundle", n),
            timestamp: text("rfc3161timestamp", n),
        };
        let found: Vec<_> = set.candidates.iter().map(|candidate| candidate.beside().clone()).collect();
        assert_eq!(found, [Beside::default(), all("1"), all("2")], "{suffix}");
        assert_eq!(registry.asked("blob"), 1);
    }
}
