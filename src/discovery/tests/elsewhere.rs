use serde_json::Value;

use super::super::double::page;
use super::super::elsewhere::shares;
use super::*;
use crate::oci::media_type::SIMPLE_SIGNING;
use crate::upstream::UpstreamError as E;

/// Reads beside an image and in one other repository.
async fn both(own: &Registry, other: &Registry, limits: Limits) -> EvidenceSet {
    let (app, signatures) = ("app".parse().expect("a name"), "signatures".parse().expect("a name"));
    let places = [
        Place { source: own, repository: &app, name: None },
        Place { source: other, repository: &signatures, name: Some("s.io/signatures".into()) },
    ];
    read(&places, &subject(), ALL, &limits, &InFlight::new(1 << 30).share(), Timestamp(7)).await
}

fn with_bundles(contents: std::ops::Range<usize>) -> Registry {
    let mut registry = Registry::default();
    let listed: Vec<Value> = contents.map(|n| registry.bundle(&subject(), format!("bundle {n}").as_bytes())).collect();
    registry.pages = vec![Ok(page(&json!(listed), None))];
    registry
}

fn with_signatures(count: usize) -> Registry {
    let mut registry = Registry::default();
    let layer = |registry: &mut Registry, n: usize| {
        let mut layer = registry.layer(SIMPLE_SIGNING, format!("payload {n}").as_bytes());
        layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": "A" });
        layer
    };
    let layers: Vec<_> = (0..count).map(|n| layer(&mut registry, n)).collect();
    let image = json!({ "schemaVersion": 2, "config": config(), "layers": layers });
    registry.put(&tag(".sig"), ManifestType::OciImage, &image);
    registry
}

fn locations(set: &EvidenceSet) -> Vec<&str> {
    set.candidates.iter().map(Candidate::location).collect()
}

#[tokio::test]
async fn every_layout_is_read_in_both_places_and_told_apart() {
    let mut other = with_signatures(1);
    let listed = other.bundle(&subject(), b"bundle");
    other.put(&tag(""), ManifestType::OciIndex, &index(&json!([listed])));
    let set = both(&with_bundles(0..1), &other, Limits::default()).await;
    let all = locations(&set);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[0].starts_with("referrer sha256:"), "{all:?}");
    assert!(all[1].starts_with("s.io/signatures, referrer sha256:"), "{all:?}");
    assert_eq!(all[2], format!("s.io/signatures, tag {}, layer 0", tag(".sig")));
    assert_eq!(summary(&set), (3, vec![], vec![], false));
}

#[tokio::test]
async fn a_place_that_cannot_be_read_is_unread_and_hides_no_other() {
    for suffix in ["", ".sig", ".att"] {
        let broken = || {
            let mut registry = Registry::default();
            registry.manifests.insert(tag(suffix), Err(E::Timeout));
            registry
        };
        let set = both(&with_bundles(0..1), &broken(), Limits::default()).await;
        assert_eq!(summary(&set), (1, vec![Reason::UpstreamTimeout], vec![], false), "{suffix}");
        assert_eq!(set.unread[0].location, format!("s.io/signatures, tag {}", tag(suffix)));
        let set = both(&broken(), &with_bundles(0..1), Limits::default()).await;
        assert_eq!(summary(&set), (1, vec![Reason::UpstreamTimeout], vec![], false), "{suffix}");
        assert_eq!(set.unread[0].location, format!("tag {}", tag(suffix)));
    }
}

#[tokio::test]
async fn the_limit_holds_over_all_places_and_a_flood_in_one_hides_nothing_in_another() {
    let limits = Limits { examined: 6, ..Limits::default() };
    let (flooded, good) = (with_bundles(0..100), with_bundles(200..202));
    let set = both(&flooded, &good, limits).await;
    assert_eq!(summary(&set), (6, vec![], vec![], true));
    assert_eq!(locations(&set).iter().filter(|location| location.starts_with("s.io")).count(), 2);
    assert_eq!((flooded.asked("blob"), good.asked("blob")), (4, 2));

    let (one, other) = (with_signatures(100), with_signatures(100));
    let set = both(&one, &other, limits).await;
    assert_eq!(summary(&set), (6, vec![Reason::EvidenceIncomplete], vec![], true));
    assert_eq!((one.asked("blob"), other.asked("blob")), (3, 3));

    // What a limit cut off in another repository matters to those who look there.
    let set = both(&with_bundles(200..202), &with_bundles(0..100), limits).await;
    assert_eq!(summary(&set), (6, vec![Reason::EvidenceIncomplete], vec![], false));
    assert_eq!(set.unread[0].elsewhere.as_deref(), Some("s.io/signatures"));

    // Nothing beside the image: all that is allowed may stand elsewhere.
    let set = both(&Registry::default(), &with_bundles(0..6), limits).await;
    assert_eq!(summary(&set), (6, vec![], vec![], false));

    // Bytes: four pieces of the largest size, here of eight bytes, in both together.
    let limits = Limits { bundle: 8, attestation: 8, ..Limits::default() };
    let (one, other) = (with_bundles(0..5), with_bundles(0..5));
    let set = both(&one, &other, limits).await;
    assert_eq!(
        (summary(&set), one.asked("blob"), other.asked("blob")),
        ((4, vec![Reason::EvidenceIncomplete], vec![], true), 2, 2)
    );
}

#[test]
fn shares_are_fair_and_never_more_than_there_is() {
    for (total, listed, expected) in [
        (64, &[][..], &[][..]),
        (64, &[100], &[64]),
        (64, &[10], &[10]),
        (64, &[100, 100], &[32, 32]),
        (64, &[100, 1], &[63, 1]),
        (64, &[0, 100], &[0, 64]),
        (10, &[100, 3, 100], &[3, 3, 4]),
        (1, &[5, 5], &[0, 1]),
        (0, &[5, 5], &[0, 0]),
    ] {
        assert_eq!(shares(total, listed), expected, "{total} {listed:?}");
    }
}

#[test]
fn a_registry_that_is_not_configured_is_unread_in_clear_words() {
    let image = |registry: &str, repository: &str| Image {
        registry: registry.parse().expect("a name"),
        repository: repository.parse().expect("a name"),
    };
    let elsewhere = [image("s.io", "signatures"), image("s.io", "signatures"), image("r.io", "app")];
    let upstreams = BTreeMap::new();
    let own = image("r.io", "app");
    let (places, unknown) = super::super::elsewhere::places(&upstreams, &own, &elsewhere);
    assert!(places.is_empty());
    let said: Vec<_> = unknown.iter().map(|one| (one.location.as_str(), one.reason, one.detail.as_str())).collect();
    let why = |registry| format!("the registry `{registry}` is not among the `upstreams`");
    assert_eq!(
        said,
        [
            ("r.io/app", Reason::EvidenceUnreadable, why("r.io").as_str()),
            ("s.io/signatures", Reason::EvidenceUnreadable, why("s.io").as_str()),
        ]
    );
}
