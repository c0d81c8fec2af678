//! Verdicts in memory: what a denial costs however often it is asked for, and what an Allow does not outlive.

use std::sync::Arc;

use countersign::demo::images;
use countersign::demo::registry::Options;
use http::Method;
use tokio::task::JoinSet;

use crate::support::expect::{denied, served};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Gate, Kind};
use crate::support::scene::{manifest, two_teams};
use crate::support::wire;

#[tokio::test]
async fn a_client_that_asks_for_a_denied_image_again_and_again_costs_the_registry_one_reading() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 1h }\n").await;
    let image = lab.unsigned("team/app").manifest;
    let path = manifest("team/app", image.digest);
    denied(&lab.get(&path).await, "unsigned");
    let one = lab.double.seen().len();
    for _ in 0..50 {
        denied(&lab.get(&path).await, "unsigned");
        assert_eq!(lab.head(&path).await.status, 403);
    }
    assert_eq!(lab.double.seen().len(), one);
    // By tag, a request for the digest that it names now; no more.
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    assert_eq!((lab.double.seen().len() - one, lab.double.count(Kind::Referrers)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o69_a_thousand_clients_of_an_unsigned_image_are_one_reading_and_all_denied() {
    let lab = Arc::new(Lab::edited(Options::default(), |config| config + "cache: { deny: 1h }\n").await);
    let image = lab.unsigned("team/app").manifest;
    let gate = Gate::closed();
    lab.double.fault(Method::GET, "/v2/team/app/referrers/", Fault::Gate(gate.clone()));
    let path = manifest("team/app", image.digest);
    let first = wire::send(lab.proxy.address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
    lab.double.arrived(Kind::Referrers, 1).await;
    let mut rest = JoinSet::new();
    for number in 0..1000 {
        let (lab, path) = (lab.clone(), path.clone());
        rest.spawn(async move {
            let answer = if number % 2 == 0 { lab.get(&path).await } else { lab.head(&path).await };
            (number, answer)
        });
    }
    lab.metric_becomes("requests_in_flight", &[], 1001).await;
    first.set_zero_linger().expect("a socket");
    drop(first);
    gate.open();
    for (number, answer) in rest.join_all().await {
        if number % 2 == 0 {
            denied(&answer, "unsigned");
        }
        assert_eq!(answer.status, 403);
    }
    // One for the client that left, if it had gone before the registry answered; one for all others.
    assert!(lab.double.count(Kind::Referrers) <= 2);
    assert_eq!(lab.metric("verifications_total", &[]).await, Some(1));
    assert_eq!(lab.double.count_of(&Method::GET, &path), 1);
    assert!(lab.double.seen().len() < 20, "{:?}", lab.double.seen());
}

#[tokio::test]
async fn o65_no_allow_outlives_its_evidence_or_its_policy() {
    let lab =
        Lab::edited(Options::default(), |config| config + "cache: { allow: 1s, evidenceMaxAge: 1s, deny: 0s }\n").await;
    let (bare, image) = (lab.unsigned("team/bare").manifest, lab.signed("team/app").manifest);
    denied(&lab.get(&manifest("team/bare", bare.digest)).await, "unsigned");
    let path = manifest("team/app", image.digest);
    served(&lab.get(&path).await, image.digest, "signed");
    // Its evidence is deleted: denied when the Allow ends.
    for evidence in ["/v2/team/app/referrers/", "/v2/team/app/manifests/sha256-"] {
        lab.double.fault(Method::GET, evidence, Fault::Status(404));
    }
    let gone = async {
        loop {
            let answer = lab.get(&path).await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(std::time::Duration::from_mins(1), gone).await.expect("in time");
    denied(&answer, "unsigned");

    // The policy changes: denied at once.
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    served(&lab.get(&path).await, image.digest, "signed");
    lab.distrust_signer();
    denied(&lab.get(&path).await, "signature_missing");
}

#[tokio::test]
async fn o66_one_digest_in_two_repositories_is_judged_in_each() {
    let lab = Lab::start(Options::default()).await;
    two_teams(&lab);
    let [ours, theirs] = ["ours/app", "theirs/app"]
        .map(|repository| images::image(lab.registry(), repository, Some("1"), "the same\n").manifest);
    assert_eq!(ours.digest, theirs.digest);
    lab.signer.sign_bundle(lab.registry(), &ours).expect("signs");
    let [allowed, refused] = ["ours/app", "theirs/app"].map(|repository| manifest(repository, ours.digest));
    for _ in 0..3 {
        denied(&lab.get(&refused).await, "unsigned");
        served(&lab.get(&allowed).await, ours.digest, "signed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_and_get_wait_for_the_same_decision() {
    let lab = Arc::new(Lab::start(Options::default()).await);
    let image = lab.signed("team/app").manifest;
    let gate = Gate::closed();
    lab.double.fault(Method::GET, "/v2/team/app/referrers/", Fault::Gate(gate.clone()));
    let path = manifest("team/app", image.digest);
    let mut pulls = JoinSet::new();
    for number in 0..64 {
        let (lab, path) = (lab.clone(), path.clone());
        pulls.spawn(async move { if number % 2 == 0 { lab.get(&path).await } else { lab.head(&path).await } });
    }
    lab.metric_becomes("requests_in_flight", &[], 64).await;
    gate.open();
    let answers = pulls.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(answers.iter().filter(|answer| answer.body.len() == image.size).count(), 32);
    assert_eq!(lab.metric("verifications_total", &[]).await, Some(1));
    assert_eq!(lab.double.count(Kind::Referrers), 1);
}
