//! Who is asked: several proxies, one that is not there, and servers that are none.

use countersign::demo::registry::Options;
use http::Method;

use super::{address, run};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::manifest;

#[tokio::test]
async fn each_proxy_is_asked_and_the_worst_answer_counts() {
    let (one, two) = (Lab::start(Options::default()).await, Lab::start(Options::default()).await);
    one.signed("team/app");
    two.unsigned("team/app");
    let (first, second) = (address(&one), address(&two));
    let ran = run(&["-", "--proxy", &first, "--proxy", &format!("{second}/")], "registry.demo/team/app:1").await;
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("✘ registry.demo/team/app:1\n  {second}: unsigned: ")), "{}", ran.stdout);
    assert!(!ran.stdout.contains(&first), "{}", ran.stdout);
    let both = ["-", "--proxy", &first, "--proxy", &second, "--output", "json"];
    let json = run(&both, "registry.demo/team/app:1").await.json();
    let answers = &json["references"][0]["answers"];
    assert_eq!((&answers[0]["proxy"], &answers[0]["reason"]), (&first.into(), &"signed".into()));
    assert_eq!((&answers[1]["proxy"], &answers[1]["reason"]), (&second.into(), &"unsigned".into()));
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_said_before_anything_is_asked() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    // Nothing listens on the port of discard.
    let proxies = ["-", "--proxy", &address(&lab), "--proxy", "http://127.0.0.1:9"];
    let ran = run(&proxies, "registry.demo/team/app:1").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("no proxy answers at http://127.0.0.1:9: "), "{}", ran.stderr);
    assert_eq!(lab.double.seen().len(), 0);
}

/// A registry would say yes to anything that it has.
#[tokio::test]
async fn a_server_that_is_no_countersign_allows_nothing() {
    let lab = Lab::start(Options::default()).await;
    lab.unsigned("team/app");
    let registry = format!("http://{}", lab.double.address());
    let ran = run(&["-", "--proxy", &registry], "registry.demo/team/app:1").await;
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stdout.contains("it answered 200 without `Countersign-Reason`"), "{}", ran.stdout);
}

/// As where a balancer stands in front of it.
#[tokio::test]
async fn a_status_and_a_reason_that_disagree_allow_nothing() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    for reason in ["unsigned", "signed"] {
        lab.double.heal();
        let status = if reason == "unsigned" { 200 } else { 502 };
        for method in [Method::HEAD, Method::GET] {
            let path = manifest("team/app", "1");
            if status != 200 {
                lab.double.fault(method.clone(), &path, Fault::Status(status));
            }
            lab.double.fault(method, &path, Fault::Header("countersign-reason", reason.into()));
        }
        let registry = format!("http://{}", lab.double.address());
        let ran = run(&["-", "--proxy", &registry], "registry.demo/team/app:1").await;
        assert_ne!(ran.code, 0, "{reason}: {}", ran.stdout);
        assert!(ran.stdout.contains("0 allowed"), "{reason}: {}", ran.stdout);
    }
}

/// A registry that the proxy does not know is refused there, and so here.
#[tokio::test]
async fn the_registry_of_each_image_is_named_to_the_proxy() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let ran = run(&["-", "--proxy", &address(&lab)], "registry.other.com/team/app:1").await;
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("  registry_unknown: "), "{}", ran.stdout);
    assert_eq!(lab.double.seen().len(), 0);
}
