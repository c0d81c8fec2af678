//! The operator's listener, and how the program ends.

use std::time::Duration;

use countersign::demo::registry::Options;
use http::Method;
use tokio::net::TcpStream;

use crate::support::expect::served;
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Gate, Kind};
use crate::support::scene::{blob, manifest};

#[tokio::test]
async fn health_and_metrics_are_on_the_operators_listener_only() {
    let lab = Lab::start(Options::default()).await;
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(lab.admin(path).await.status, 200, "{path}");
        assert_eq!(lab.get(path).await.status, 404, "{path}");
    }
    for path in ["/v2/", "/", "/metrics/x"] {
        assert_eq!(lab.admin(path).await.status, 404, "{path}");
    }
    assert!(lab.double.seen().is_empty(), "neither asks the registry");
}

#[tokio::test]
async fn decisions_are_counted_from_0_by_outcome_reason_and_policy() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    lab.unsigned("team/unsigned");
    let denials = [("outcome", "deny"), ("reason", "unsigned"), ("policy", "demo")];
    let signed = [("outcome", "allow"), ("reason", "signed")];
    let members = [("outcome", "allow"), ("reason", "member")];
    for series in [&denials[..], &signed, &members] {
        assert_eq!(lab.metric("decisions_total", series).await, Some(0), "{series:?}");
    }
    for expected in 1..=2 {
        lab.get(&manifest("team/unsigned", "1")).await;
        assert_eq!(lab.metric("decisions_total", &denials).await, Some(expected));
    }
    lab.head(&manifest("team/app", "1")).await;
    lab.get(&blob("team/app", image.layer)).await;
    assert_eq!(lab.metric("decisions_total", &signed).await, Some(1));
    assert_eq!(lab.metric("decisions_total", &members).await, Some(1));
    assert_eq!(lab.metric("decisions_total", &[]).await, Some(4));
    assert_eq!(lab.metric("verdict_cache_requests_total", &[("result", "hit")]).await, Some(2));
}

#[tokio::test]
async fn no_label_names_a_repository_a_tag_or_a_digest() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    for reference in ["1".to_string(), "no-such-tag".into(), image.digest.to_string(), "bad reference".into()] {
        lab.get(&manifest("team/app", reference.replace(' ', "%20"))).await;
    }
    let text = String::from_utf8(lab.admin("/metrics").await.body.to_vec()).expect("text");
    for name in ["team/app", "no-such-tag", "sha256", "bad"] {
        assert!(!text.lines().filter(|line| !line.starts_with('#')).any(|line| line.contains(name)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_lets_what_is_in_flight_finish_and_takes_nothing_new() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let gate = Gate::closed();
    lab.double.fault(Method::GET, "/v2/team/app/referrers/", Fault::Gate(gate.clone()));
    let Lab { double, client, proxy, .. } = lab;
    let (address, admin) = (proxy.address, proxy.admin);
    let url = format!("http://{address}{}", manifest("team/app", "1"));
    let pull = tokio::spawn({
        let client = client.clone();
        async move { client.get(&url).await }
    });
    double.arrived(Kind::Referrers, 1).await;
    let shutdown = tokio::spawn(proxy.shutdown());
    // Until the listener is closed, a connection is still taken.
    let closed = async { while TcpStream::connect(address).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("the listener closes");
    assert!(!shutdown.is_finished(), "it waits for the pull");
    let ready = client.get(&format!("http://{admin}/readyz")).await.expect("an answer");
    assert_eq!((ready.status, &ready.body[..]), (503, &b"draining\n"[..]));
    assert_eq!(client.get(&format!("http://{admin}/livez")).await.expect("an answer").status, 200);
    gate.open();
    served(&pull.await.expect("no panic").expect("an answer"), image.digest, "signed");
    shutdown.await.expect("no panic");
    assert!(TcpStream::connect(admin).await.is_err(), "everything is closed");
}
