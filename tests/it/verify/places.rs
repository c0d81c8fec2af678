//! Where a piece of evidence was found is part of what is told.

use countersign::demo::cosign::tag;
use countersign::demo::images::Stored;
use countersign::demo::proxy;
use countersign::demo::registry::Options;

use super::explained;
use crate::support::lab::Lab;
use crate::support::scene::manifest;

/// The locations of all evidence about `team/app:1`, in order.
async fn locations(lab: &Lab) -> Vec<String> {
    let (_, json) = explained(lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    let evidence = json["evidence"].as_array().expect("a list").iter();
    evidence.map(|piece| piece["location"].as_str().expect("a text").to_string()).collect()
}

#[tokio::test]
async fn every_piece_is_told_with_its_place() {
    let policy = |name: &str, key: &str| {
        proxy::policy(name, key)
            .replace("default:", &format!("    evidence: {{ repository: {name}/signatures }}\ndefault:"))
    };
    let lab = Lab::with_policy(Options::default(), policy).await;
    let image = lab.unsigned("team/app").manifest;
    let bundle = lab.signer.sign_bundle(lab.registry(), &image).expect("signs");
    lab.signer.sign_legacy(lab.registry(), &image).expect("signs");
    lab.signer.sign_legacy(lab.registry(), &image).expect("signs");
    let elsewhere = Stored { repository: "signatures".into(), ..image.clone() };
    let other = lab.signer.sign_bundle(lab.registry(), &elsewhere).expect("signs");
    let sig = tag(&image.digest, Some("sig"));
    let expected = [
        format!("referrer {}", bundle.digest),
        format!("registry.demo/signatures, referrer {}", other.digest),
        format!("tag {sig}, layer 0"),
        format!("tag {sig}, layer 1"),
    ];
    assert_eq!(locations(&lab).await, expected);
}

#[tokio::test]
async fn a_registry_without_the_referrers_api_lists_by_a_tag() {
    let lab = Lab::start(Options { referrers: false, ..Options::default() }).await;
    let image = lab.unsigned("team/app").manifest;
    let bundle = lab.signer.sign_bundle(lab.registry(), &image).expect("signs");
    let expected = format!("referrer {}, listed by tag {}", bundle.digest, tag(&image.digest, None));
    assert_eq!(locations(&lab).await, [expected]);
}
