//! Many pulls at once: one verification, and nobody suffers for another.

use std::sync::Arc;
use std::time::Instant;

use countersign::demo::cosign::tag;
use countersign::demo::images::Image;
use countersign::demo::registry::Options;
use http::Method;
use tokio::task::JoinSet;

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Gate, Kind};
use crate::support::scene::{blob, manifest};
use crate::support::wire;

const NODES: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_pulls_of_one_image_are_one_verification() {
    let lab = Arc::new(Lab::start(Options::default()).await);
    let image = lab.signed("team/app");
    let gate = closed_before(&lab, "/v2/team/app/referrers/");
    let pulls = pull_at_once(&lab, "team/app");
    lab.metric_becomes("requests_in_flight", &[], NODES as u64).await;
    gate.open();
    for answer in pulls.join_all().await {
        served(&answer, image.manifest.digest, "signed");
    }
    assert_eq!(lab.metric("verifications_total", &[]).await, Some(1));
    assert_eq!(lab.metric("verifications_total", &[("result", "verified")]).await, Some(1));
    assert_eq!(lab.metric("verdict_cache_requests_total", &[("result", "miss")]).await, Some(1));
    assert_eq!(lab.metric("verdict_cache_requests_total", &[]).await, Some(NODES as u64));
    read_once(&lab, &image);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_pulls_of_an_unsigned_image_are_one_verification() {
    let lab = Arc::new(Lab::start(Options::default()).await);
    let image = lab.unsigned("team/app");
    let gate = closed_before(&lab, "/v2/team/app/referrers/");
    let pulls = pull_at_once(&lab, "team/app");
    lab.metric_becomes("requests_in_flight", &[], NODES as u64).await;
    gate.open();
    for answer in pulls.join_all().await {
        denied(&answer, "unsigned");
    }
    assert_eq!(lab.metric("verifications_total", &[]).await, Some(1));
    assert_eq!(lab.double.count_of(&Method::GET, &manifest("team/app", image.manifest.digest)), 1);
    assert_eq!(lab.double.count(Kind::Referrers), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pulls_that_wait_share_a_failure_and_one_after_a_rest_tries_again() {
    let lab = Arc::new(Lab::start(Options::default()).await);
    let image = lab.signed("team/app");
    let gate = closed_before(&lab, "/v2/team/app/referrers/");
    lab.double.fault(Method::GET, "/v2/team/app/referrers/", Fault::Status(500));
    let pulls = pull_at_once(&lab, "team/app");
    lab.metric_becomes("requests_in_flight", &[], NODES as u64).await;
    let opened = Instant::now();
    gate.open();
    for answer in pulls.join_all().await {
        unsure(&answer, "evidence_unreadable");
    }
    // One reading, and one more for each rest that a slow machine let pass.
    let most = 1 + usize::try_from(opened.elapsed().as_secs()).expect("not that long");
    assert!((1..=most).contains(&lab.double.count(Kind::Referrers)), "a storm of 503 costs the registry one reading");
    lab.double.heal();
    served(&lab.get_after_rest(&manifest("team/app", "1"), "signed").await, image.manifest.digest, "signed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tag_is_resolved_once_for_all_who_ask_at_the_same_time() {
    let lab = Arc::new(Lab::start(Options::default()).await);
    lab.signed("team/app");
    let gate = Gate::closed();
    lab.double.fault(Method::HEAD, "/v2/team/app/manifests/1", Fault::Gate(gate.clone()));
    let pulls = pull_at_once(&lab, "team/app");
    lab.metric_becomes("requests_in_flight", &[], NODES as u64).await;
    gate.open();
    assert!(pulls.join_all().await.iter().all(|answer| answer.status == 200));
    assert_eq!((lab.double.count(Kind::Resolve), lab.metric("verifications_total", &[]).await), (1, Some(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_client_that_goes_away_does_not_fail_the_rest() {
    let lab = Arc::new(Lab::start(Options::default()).await);
    let image = lab.signed("team/app");
    let gate = closed_before(&lab, "/v2/team/app/referrers/");
    let path = manifest("team/app", "1");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let first = wire::send(lab.proxy.address, &request).await;
    lab.double.arrived(Kind::Referrers, 1).await;
    let rest = pull_at_once(&lab, "team/app");
    lab.metric_becomes("requests_in_flight", &[], NODES as u64 + 1).await;
    // A reset, as of a node that is gone: half a close could still want the answer.
    first.set_zero_linger().expect("a socket");
    drop(first);
    gate.open();
    for answer in rest.join_all().await {
        served(&answer, image.manifest.digest, "signed");
    }
    assert_eq!(lab.metric("verifications_total", &[("result", "verified")]).await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_image_that_is_slow_to_verify_does_not_hold_up_another() {
    let lab = Arc::new(Lab::start(Options::default()).await);
    let (slow, fast) = (lab.signed("team/slow"), lab.signed("team/fast"));
    let gate = closed_before(&lab, "/v2/team/slow/referrers/");
    let pulls = pull_at_once(&lab, "team/slow");
    lab.double.arrived(Kind::Referrers, 1).await;
    served(&lab.get(&manifest("team/fast", "1")).await, fast.manifest.digest, "signed");
    served(&lab.get(&blob("team/fast", fast.layer)).await, fast.layer, "member");
    gate.open();
    for answer in pulls.join_all().await {
        served(&answer, slow.manifest.digest, "signed");
    }
}

fn closed_before(lab: &Lab, prefix: &str) -> Gate {
    let gate = Gate::closed();
    lab.double.fault(Method::GET, prefix, Fault::Gate(gate.clone()));
    gate
}

fn pull_at_once(lab: &Arc<Lab>, repository: &'static str) -> JoinSet<countersign::demo::client::Answer> {
    let mut pulls = JoinSet::new();
    for _ in 0..NODES {
        let lab = lab.clone();
        pulls.spawn(async move { lab.get(&manifest(repository, "1")).await });
    }
    pulls
}

/// The double counted one read of the manifest and of each piece of evidence.
#[track_caller]
fn read_once(lab: &Lab, image: &Image) {
    let repository = &image.manifest.repository;
    assert_eq!(lab.double.count_of(&Method::GET, &manifest(repository, image.manifest.digest)), 1);
    assert_eq!(lab.double.count(Kind::Referrers), 1);
    let legacy = manifest(repository, tag(&image.manifest.digest, Some("sig")));
    assert_eq!(lab.double.count_of(&Method::GET, &legacy), 1);
    // The image, the fallback and the legacy tag, and the manifest and blob of its only bundle.
    assert_eq!((lab.double.count(Kind::Manifest), lab.double.count(Kind::Blob)), (4, 1));
}
