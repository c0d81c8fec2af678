//! Registries that lie, stall, fail or send the wrong thing: never unsigned bytes, and never a guess.

use std::time::Duration;

use countersign::demo::registry::Options;
use http::{HeaderMap, Method};

use crate::support::expect::{denied, header, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Double, Fault, Gate, Kind};
use crate::support::scene::{IMAGE, blob, manifest};

const DIGEST: &str = "docker-content-digest";

#[tokio::test]
async fn a31_a_lying_digest_never_brings_unsigned_bytes() {
    let lab = Lab::start(Options::default()).await;
    let signed = lab.signed("team/app").manifest;
    let unsigned = lab.unsigned("team/other").manifest;
    let (_, bytes) = lab.registry().manifest("team/other", "1").expect("it is there");
    lab.registry().put_manifest("team/app", IMAGE, bytes.clone(), Some("evil"));

    // The tag of the signed image, with the digest of the other.
    let lie = Fault::Header(DIGEST, unsigned.digest.to_string());
    lab.double.fault_times(1, Method::HEAD, &manifest("team/app", "1"), lie);
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    // The tag of the other, with the digest of the signed image: that is what is verified and served.
    let lie = Fault::Header(DIGEST, signed.digest.to_string());
    lab.double.fault_times(1, Method::HEAD, &manifest("team/app", "evil"), lie);
    served(&lab.get(&manifest("team/app", "evil")).await, signed.digest, "signed");
}

#[tokio::test]
async fn other_bytes_under_a_signed_digest_are_not_served_and_not_remembered() {
    let lab = Lab::start(Options::default()).await;
    let signed = lab.signed("team/app").manifest;
    lab.unsigned("team/other");
    let (_, bytes) = lab.registry().manifest("team/other", "1").expect("it is there");
    lab.double.fault_times(1, Method::GET, &manifest("team/app", signed.digest), Fault::Body(bytes));
    unsure(&lab.get(&manifest("team/app", "1")).await, "upstream_digest_mismatch");
    served(&lab.get(&manifest("team/app", "1")).await, signed.digest, "signed");
}

#[tokio::test]
async fn a_tag_that_moves_while_it_is_pulled_gives_the_image_that_was_verified() {
    let lab = Lab::start(Options::default()).await;
    let signed = lab.signed("team/app").manifest;
    lab.unsigned("team/other");
    let (_, bytes) = lab.registry().manifest("team/other", "1").expect("it is there");
    let moves = Fault::before(move |registry| {
        registry.put_manifest("team/app", IMAGE, bytes.clone(), Some("1"));
    });
    lab.double.fault_times(1, Method::GET, "/v2/team/app/", moves);
    served(&lab.get(&manifest("team/app", "1")).await, signed.digest, "signed");
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    served(&lab.get(&manifest("team/app", signed.digest)).await, signed.digest, "signed");
}

#[tokio::test]
async fn a30_a_tag_that_moves_between_two_reads_of_it_cannot_be_served_unverified() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    lab.unsigned("team/other");
    let (_, bytes) = lab.registry().manifest("team/other", "1").expect("it is there");
    // A registry that says no digest: the proxy reads the tag, and the tag moves just before.
    lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::NoHeader(DIGEST));
    let moves = Fault::before(move |registry| {
        registry.put_manifest("team/app", IMAGE, bytes.clone(), Some("1"));
    });
    lab.double.fault_times(1, Method::GET, &manifest("team/app", "1"), moves);
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
}

#[tokio::test]
async fn a_manifest_above_the_limit_is_refused_with_and_without_a_length() {
    let lab = Lab::start(Options::default()).await;
    let huge = lab.signed_bytes("team/huge", IMAGE, vec![b' '; (4 << 20) + 1]);
    denied(&lab.get(&manifest("team/huge", huge.digest)).await, "manifest_too_large");
    let endless = lab.signed("team/endless").manifest;
    lab.double.fault(Method::GET, &manifest("team/endless", endless.digest), Fault::Endless(u64::MAX));
    denied(&lab.get(&manifest("team/endless", "1")).await, "manifest_too_large");
}

#[tokio::test]
async fn a_registry_that_does_not_answer_in_time_is_a_timeout_and_nothing_is_remembered() {
    let lab = Lab::edited(Options::default(), |config| {
        let tls = "tls: { insecurePlainHttp: true }";
        config.replace(tls, &format!("{tls}\n    timeouts: {{ connect: 200ms, firstByte: 200ms, idle: 200ms }}"))
    })
    .await;
    let image = lab.signed("team/app");
    let digest = image.manifest.digest;
    let gate = Gate::closed();
    for (method, fault) in [
        (Method::HEAD, Fault::Gate(gate.clone())),
        (Method::GET, Fault::Gate(gate.clone())),
        (Method::GET, Fault::Stall(10)),
    ] {
        lab.double.fault(method, "/v2/team/app/manifests/", fault);
        unsure(&lab.get(&manifest("team/app", "1")).await, "upstream_timeout");
        lab.double.heal();
    }
    gate.open();
    served(&lab.get(&manifest("team/app", "1")).await, digest, "signed");
    lab.double.fault(Method::GET, &blob("team/app", image.layer), Fault::Gate(Gate::closed()));
    unsure(&lab.get(&blob("team/app", image.layer)).await, "upstream_timeout");
}

#[tokio::test]
async fn a_failing_registry_is_503_and_the_next_request_is_fine() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    let path = manifest("team/app", "1");
    for method in [Method::HEAD, Method::GET] {
        lab.double.fault_times(1, method, "/v2/team/app/manifests/", Fault::Status(500));
        unsure(&lab.get(&path).await, "upstream_unavailable");
    }
    served(&lab.get(&path).await, image.manifest.digest, "signed");
    lab.double.fault_times(1, Method::GET, &blob("team/app", image.layer), Fault::Status(502));
    unsure(&lab.get(&blob("team/app", image.layer)).await, "upstream_unavailable");
    served(&lab.get(&blob("team/app", image.layer)).await, image.layer, "member");
}

#[tokio::test]
async fn a_registry_that_asks_to_slow_down_is_503_with_its_own_wait() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::Status(429));
    lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::Header("retry-after", "17".into()));
    let answer = lab.get(&manifest("team/app", "1")).await;
    unsure(&answer, "upstream_throttled");
    assert_eq!(header(&answer, "retry-after"), "17");
    assert_eq!(lab.double.count(Kind::Resolve), 1, "a throttled request is not repeated");
}

#[tokio::test]
async fn rejected_credentials_are_503_and_never_a_login_prompt() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    for status in [401, 403] {
        lab.double.heal();
        lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::Status(status));
        let challenge = "Basic realm=\"registry.demo\"".to_string();
        lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::Header("www-authenticate", challenge));
        let answer = lab.get(&manifest("team/app", "1")).await;
        unsure(&answer, "upstream_credentials_rejected");
        assert!(!answer.headers.contains_key("www-authenticate"));
    }
}

#[tokio::test]
async fn a_redirect_of_a_manifest_is_neither_relayed_nor_followed_elsewhere() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.signed("team/app").manifest.digest;
    let elsewhere = Double::start(Options::default()).await;
    elsewhere.registry().put_manifest("team/app", IMAGE, "{}", Some("1"));
    for (method, reference) in [(Method::HEAD, "1".to_string()), (Method::GET, digest.to_string())] {
        let target = format!("http://{}{}", elsewhere.address(), manifest("team/app", "1"));
        lab.double.fault(method.clone(), &manifest("team/app", &reference), Fault::Status(307));
        lab.double.fault(method, &manifest("team/app", &reference), Fault::Header("location", target));
        let answer = lab.get(&manifest("team/app", reference)).await;
        unsure(&answer, "redirect_refused");
        assert!(!answer.headers.contains_key("location"));
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_corrupt_or_broken_blob_is_cut_before_its_end() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    let path = blob("team/app", image.layer);
    let mut bytes = lab.get(&path).await.body.to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    for fault in [Fault::Body(bytes.into()), Fault::Reset(100), Fault::Body("short".into())] {
        // Each time: a connection that breaks before the head of an answer is tried once more.
        lab.double.fault(Method::GET, &path, fault);
        let url = format!("http://{}{path}", lab.proxy.address);
        let answer = lab.client.send(&Method::GET, &url, HeaderMap::new()).await;
        assert!(!answer.is_ok_and(|answer| answer.status == 200), "a whole answer came");
        lab.double.heal();
    }
    let answer = lab.get(&path).await;
    served(&answer, image.layer, "member");
    assert!(answer.took < Duration::from_secs(10));
}
