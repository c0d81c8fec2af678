//! A registry that is gone, or breaks off: clients are told so, at once if it is known, and get nothing by halves.

use countersign::demo::registry::Options;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use http::{HeaderMap, HeaderValue, Method};

use crate::support::expect::{header, served, unsure};
use crate::support::lab::Lab;
use crate::support::nobody::Nobody;
use crate::support::registry_double::{Fault, Gate, Kind};
use crate::support::scene::{blob, manifest};

const REGISTRY: [(&str, &str); 2] = [("registry", "registry.demo"), ("server", "registry")];

#[tokio::test]
async fn a_registry_that_cannot_be_reached_costs_no_time_after_a_few_requests() {
    let held = Nobody::new();
    let nobody = held.address();
    let lab = Lab::edited(Options::default(), |config| {
        let elsewhere = |line: &str| match line.split_once("dial: ") {
            Some((indent, _)) => format!("{indent}dial: \"http://{nobody}\"\n"),
            None => format!("{line}\n"),
        };
        config.lines().map(elsewhere).collect()
    })
    .await;
    assert_eq!(lab.metric("upstream_unreachable", &REGISTRY).await, Some(0));
    let path = manifest("team/app", "1");
    for _ in 0..5 {
        unsure(&lab.get(&path).await, "upstream_unavailable");
    }
    let answer = lab.get(&path).await;
    unsure(&answer, "upstream_unavailable");
    assert!(answer.message().contains("the registry cannot be reached; it is asked again in"), "{}", answer.message());
    let wait: u64 = header(&answer, "retry-after").parse().expect("seconds");
    assert!(wait <= 30, "{wait}");
    assert_eq!(lab.metric("upstream_unreachable", &REGISTRY).await, Some(1));
}

#[tokio::test]
async fn a_registry_that_answers_no_more_is_left_alone_and_used_again_when_it_does() {
    let lab = Lab::edited(Options::default(), |config| {
        let tls = "tls: { insecurePlainHttp: true }";
        config.replace(tls, &format!("{tls}\n    timeouts: {{ connect: 100ms, firstByte: 100ms, idle: 1s }}"))
    })
    .await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", "1");
    lab.double.fault(Method::HEAD, "/v2/", Fault::Gate(Gate::closed()));
    for _ in 0..5 {
        unsure(&lab.get(&path).await, "upstream_timeout");
    }
    unsure(&lab.get(&path).await, "upstream_unavailable");
    assert_eq!(lab.double.count(Kind::Resolve), 5);
    lab.double.heal();
    served(&lab.get_after_rest(&path, "signed").await, image.digest, "signed");
    assert_eq!(lab.double.count(Kind::Resolve), 6, "one request tried");
    assert_eq!(lab.metric("upstream_unreachable", &REGISTRY).await, Some(0));
}

#[tokio::test]
async fn c26_a_manifest_that_breaks_off_is_asked_for_once_more_and_never_served_in_part() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    lab.double.fault(Method::GET, &path, Fault::Reset(40));
    unsure(&lab.get(&path).await, "upstream_unavailable");
    assert_eq!(lab.double.count_of(&Method::GET, &path), 2);
    lab.double.heal();
    lab.double.fault_times(1, Method::GET, &path, Fault::Reset(40));
    served(&lab.get(&path).await, image.digest, "signed");
}

#[tokio::test]
async fn c27_nothing_is_encoded_whatever_the_client_or_the_registry_wants() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    let mut wants = HeaderMap::new();
    wants.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd"));
    let digest = image.manifest.digest;
    for (path, digest) in [(manifest("team/app", digest), digest), (blob("team/app", image.layer), image.layer)] {
        let answer = lab.ask(&Method::GET, &path, wants.clone()).await;
        assert!(!answer.headers.contains_key(CONTENT_ENCODING));
        assert_eq!(countersign::oci::Digest::of(&answer.body), digest);
    }
    assert!(lab.double.seen().iter().all(|seen| seen.headers[ACCEPT_ENCODING] == "identity"));

    let other = lab.signed("team/other");
    lab.double.fault(Method::GET, "/v2/team/", Fault::Header("content-encoding", "gzip".into()));
    for path in [manifest("team/other", other.manifest.digest), blob("team/app", image.layer)] {
        unsure(&lab.ask(&Method::GET, &path, wants.clone()).await, "upstream_unavailable");
    }
}

#[tokio::test]
async fn c25_whatever_fails_at_the_registry_nothing_is_served() {
    let patience = "timeouts: { connect: 300ms, firstByte: 300ms, idle: 300ms }";
    let lab = Lab::edited(Options::default(), |config| {
        let tls = "tls: { insecurePlainHttp: true }";
        config.replace(tls, &format!("{tls}\n    {patience}"))
    })
    .await;
    // Evidence is read in several places; each of them fails in each way.
    let places = ["manifests/sha256-", "referrers/", "manifests/sha256:", "blobs/"];
    let faults = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(429),
        Fault::Status(401),
        Fault::Body("{".into()),
        Fault::Reset(1),
        Fault::Stall(1),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        for (place, prefix) in places.iter().enumerate() {
            let repository = format!("team/app-{number}-{place}");
            let unsigned = lab.unsigned(&repository).manifest;
            lab.double.fault(Method::GET, &format!("/v2/{repository}/{prefix}"), fault.clone());
            let answer = lab.get(&manifest(&repository, unsigned.digest)).await;
            assert!(matches!(answer.status, 403 | 503), "{prefix}: {}", answer.status);
            let head = lab.head(&manifest(&repository, unsigned.digest)).await;
            assert!(matches!(head.status, 403 | 503), "{prefix}: {}", head.status);
            lab.double.heal();
        }
    }
    assert!(lab.double.seen().len() > 50, "hardly anything was asked");
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    served(&lab.get_after_rest(&path, "signed").await, image.digest, "signed");
}
