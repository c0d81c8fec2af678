//! Evidence that cannot be read: not the same as none.

use countersign::demo::cosign::tag;
use countersign::demo::images::Stored;
use countersign::demo::registry::Options;
use countersign::demo::signer::Signer;
use http::Method;
use serde_json::json;

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Gate, Kind};
use crate::support::scene::{authority, manifest, rule};

#[tokio::test]
async fn a_failing_source_of_evidence_is_503_and_a_request_after_a_rest_is_fine() {
    let lab = Lab::start(Options::default()).await;
    let bundle = |name: &str| lab.signed(name).manifest;
    let legacy = |name: &str| {
        let image = lab.unsigned(name).manifest;
        lab.signer.sign_legacy(lab.registry(), &image).expect("signs");
        image
    };
    let images = [bundle("team/b1"), bundle("team/b2"), legacy("team/l1"), legacy("team/l2")];
    let sources = [
        "/v2/team/b1/referrers/".to_string(),
        "/v2/team/b2/blobs/".to_string(),
        manifest("team/l1", tag(&images[2].digest, Some("sig"))),
        "/v2/team/l2/blobs/".to_string(),
    ];
    for (image, source) in images.iter().zip(&sources) {
        lab.double.fault_times(1, Method::GET, source, Fault::Status(500));
        let answer = lab.get(&manifest(&image.repository, "1")).await;
        unsure(&answer, "evidence_unreadable");
        assert!(answer.message().contains("policy \"demo\""), "{}", answer.message());
    }
    for image in &images {
        served(&lab.get_after_rest(&manifest(&image.repository, "1"), "signed").await, image.digest, "signed");
    }
}

#[tokio::test]
async fn throttled_broken_and_endless_evidence_is_not_a_denial() {
    let lab = Lab::start(Options::default()).await;
    let faults = [
        ("team/a", "referrers", Fault::Status(429)),
        ("team/b", "referrers", Fault::Status(401)),
        ("team/c", "referrers", Fault::Reset(10)),
        ("team/d", "referrers", Fault::Body("not an index".into())),
        ("team/e", "blobs", Fault::Body("other bytes".into())),
    ];
    for (repository, kind, fault) in faults {
        let image = lab.signed(repository).manifest;
        lab.double.fault(Method::GET, &format!("/v2/{repository}/{kind}/"), fault);
        unsure(&lab.get(&manifest(repository, "1")).await, "evidence_unreadable");
        lab.double.heal();
        served(&lab.get_after_rest(&manifest(repository, "1"), "signed").await, image.digest, "signed");
    }
}

#[tokio::test]
async fn good_evidence_in_one_source_suffices_whatever_another_does() {
    let lab = Lab::start(Options::default()).await;
    let bundle = lab.signed("team/bundle").manifest;
    lab.double.fault(Method::GET, &manifest("team/bundle", tag(&bundle.digest, Some("sig"))), Fault::Status(500));
    served(&lab.get(&manifest("team/bundle", "1")).await, bundle.digest, "signed");
    let legacy = lab.unsigned("team/legacy").manifest;
    lab.signer.sign_legacy(lab.registry(), &legacy).expect("signs");
    lab.double.fault(Method::GET, "/v2/team/legacy/referrers/", Fault::Status(500));
    served(&lab.get(&manifest("team/legacy", "1")).await, legacy.digest, "signed");
}

#[tokio::test]
async fn an_image_signed_after_it_was_denied_is_served_once_the_denial_is_no_longer_fresh() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 0s }\n").await;
    let image = lab.unsigned("team/app").manifest;
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    lab.signer.sign_bundle(lab.registry(), &image).expect("signs");
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
}

#[tokio::test]
async fn a_verdict_is_remembered_and_costs_the_registry_nothing_more() {
    let lab = Lab::start(Options::default()).await;
    let (signed, unsigned) = (lab.signed("team/app").manifest, lab.unsigned("team/unsigned").manifest);
    for image in [&signed, &unsigned] {
        lab.get(&manifest(&image.repository, image.digest)).await;
    }
    lab.double.forget();
    served(&lab.get(&manifest("team/app", signed.digest)).await, signed.digest, "signed");
    denied(&lab.get(&manifest("team/unsigned", unsigned.digest)).await, "unsigned");
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
    served(&lab.get(&manifest("team/app", "1")).await, signed.digest, "signed");
    assert_eq!((lab.double.seen().len(), lab.double.count(Kind::Resolve)), (1, 1), "the tag, and nothing else");
}

#[tokio::test]
async fn evidence_that_never_comes_is_given_up() {
    let lab = Lab::edited(Options::default(), |config| {
        let tls = "tls: { insecurePlainHttp: true }";
        config.replace(tls, &format!("{tls}\n    timeouts: {{ connect: 200ms, firstByte: 200ms, idle: 200ms }}"))
    })
    .await;
    lab.signed("team/app");
    lab.double.fault(Method::GET, "/v2/team/app/referrers/", Fault::Gate(Gate::closed()));
    unsure(&lab.get(&manifest("team/app", "1")).await, "evidence_unreadable");
}

#[tokio::test]
async fn legacy_signatures_are_looked_for_at_their_tag_and_among_referrers_where_that_allows_nothing() {
    let lab = Lab::start(Options::default()).await;
    let policy = lab.policy().replace("formats: [ bundle, legacy ]", "formats: [ legacy ]");
    lab.set_policy(&policy).expect("a policy");
    let tagged = lab.unsigned("team/tagged").manifest;
    lab.signer.sign_legacy(lab.registry(), &tagged).expect("signs");
    served(&lab.get(&manifest("team/tagged", "1")).await, tagged.digest, "signed");
    assert_eq!(lab.double.count_of(&Method::GET, "/v2/team/tagged/referrers/"), 0);

    // Who may push may put something at the tag: that must not hide what counts.
    let image = lab.unsigned("team/referred").manifest;
    refer_legacy(&lab, &lab.signer, &image);
    lab.foreign.sign_legacy(lab.registry(), &image).expect("signs");
    served(&lab.get(&manifest("team/referred", "1")).await, image.digest, "signed");
}

#[tokio::test]
async fn a_policy_that_is_only_watched_is_told_of_a_signature_among_referrers_too() {
    let lab = Lab::start(Options::default()).await;
    let keys = authority("ours", &lab.signer.public_key_pem()) + &authority("theirs", &lab.foreign.public_key_pem());
    let rules = rule("obeyed", "registry.demo/**", "enforce", "ours", "")
        + &rule("watched", "registry.demo/**", "audit", "theirs", "");
    let rules = rules.replace("formats: [ bundle, legacy ]", "formats: [ legacy ]");
    lab.set_policy(&format!("authorities:\n{keys}policies:\n{rules}")).expect("a policy");
    let image = lab.unsigned("team/app").manifest;
    refer_legacy(&lab, &lab.foreign, &image);
    lab.signer.sign_legacy(lab.registry(), &image).expect("signs");
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
    assert_eq!(lab.metric("would_deny_total", &[("policy", "watched")]).await, Some(0));
}

/// Signs `image` as cosign does if it is told to store legacy signatures as referrers.
fn refer_legacy(lab: &Lab, by: &Signer, image: &Stored) {
    let (registry, repository) = (lab.registry(), &image.repository);
    let good = by.sign_legacy(registry, image).expect("signs").digest;
    let (kind, bytes) = registry.manifest(repository, &good.to_string()).expect("it was stored");
    let mut referrer: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    referrer["subject"] = json!({ "mediaType": kind, "digest": image.digest.to_string(), "size": 1 });
    referrer["artifactType"] = "application/vnd.dev.cosign.artifact.sig.v1+json".into();
    registry.put_manifest(repository, &kind, referrer.to_string(), None);
    registry.untag(repository, &tag(&image.digest, Some("sig")));
}
