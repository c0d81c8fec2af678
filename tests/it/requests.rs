//! Requests that are answered without asking the registry: not allowed, not a pull, or not understood.

use countersign::demo::cosign::tag;
use countersign::demo::registry::Options;
use http::{HeaderMap, Method};

use crate::support::expect::{denied, header, refused};
use crate::support::lab::Lab;
use crate::support::scene::{blob, manifest};
use crate::support::wire;

#[tokio::test]
async fn without_clients_nobody_may_read_anything() {
    let lab = Lab::edited(Options::default(), |config| {
        let (before, clients) = config.split_once("clients:").expect("a section");
        let (_, after) = clients.split_once("upstreams:").expect("a section");
        format!("{before}upstreams:{after}")
    })
    .await;
    forbidden_everywhere(&lab).await;
}

#[tokio::test]
async fn a_caller_reads_only_what_the_configuration_lets_it_read() {
    let lab = Lab::edited(Options::default(), |config| {
        config.replace("may: [ \"registry.demo/**\" ]", "may: [ \"registry.demo/public/*\" ]")
    })
    .await;
    lab.signed("public/app");
    assert_eq!(lab.get(&manifest("public/app", "1")).await.status, 200);
    lab.double.forget();
    forbidden_everywhere(&lab).await;
}

async fn forbidden_everywhere(lab: &Lab) {
    let image = lab.signed("team/app");
    for path in [
        manifest("team/app", "1"),
        manifest("team/app", image.manifest.digest),
        manifest("team/app", tag(&image.manifest.digest, Some("sig"))),
        blob("team/app", image.layer),
        "/v2/team/app/tags/list".into(),
        format!("/v2/team/app/referrers/{}", image.manifest.digest),
    ] {
        denied(&lab.get(&path).await, "client_forbidden");
        assert_eq!(lab.head(&path).await.status, 403, "{path}");
    }
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
}

#[tokio::test]
async fn the_ping_says_that_this_is_a_registry_and_asks_nobody() {
    let lab = Lab::start(Options::default()).await;
    for path in ["/v2/", "/v2"] {
        let (get, head) = (lab.get(path).await, lab.head(path).await);
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!(header(&get, "docker-distribution-api-version"), "registry/2.0");
        assert_eq!(&get.body[..], b"{}");
    }
    assert!(lab.double.seen().is_empty());
}

#[tokio::test]
async fn writes_are_unsupported_and_never_forwarded() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    for method in [Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        for path in [
            manifest("team/app", "1"),
            blob("team/app", image.layer),
            "/v2/team/app/blobs/uploads/".into(),
            format!("/v2/team/app/blobs/uploads/?mount={}&from=other", image.layer),
            "/v2/".into(),
        ] {
            let answer = lab.ask(&method, &path, HeaderMap::new()).await;
            refused(&answer, 405, "UNSUPPORTED", "method_unsupported");
        }
    }
    let put =
        "PUT /v2/team/app/manifests/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(wire::exchange(lab.proxy.address, put).await.status(), 405);
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
}

#[tokio::test]
async fn what_is_not_understood_is_never_forwarded() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.signed("team/app").manifest.digest;
    let hex = digest.hex();
    for (target, status, reason) in [
        ("/".to_string(), 404, "not_routed"),
        ("/v1/_ping".into(), 404, "not_routed"),
        ("/v2/_catalog".into(), 404, "not_routed"),
        ("/token?service=x".into(), 404, "not_routed"),
        ("/V2/team/app/manifests/1".into(), 404, "not_routed"),
        ("//v2/team/app/manifests/1".into(), 404, "not_routed"),
        ("/v2/team/app".into(), 404, "not_routed"),
        ("/v2/manifests/1".into(), 404, "not_routed"),
        ("/v2/team/app/manifests/1/".into(), 404, "not_routed"),
        ("/v2/team/app/tags/other".into(), 404, "not_routed"),
        ("/v2/team/app/blobs/uploads/1234".into(), 404, "not_routed"),
        ("http://registry.demo/v2/team/app/manifests/1".into(), 404, "not_routed"),
        ("/v2/team/../app/manifests/1".into(), 400, "name_invalid"),
        ("/v2/../team/app/manifests/1".into(), 400, "name_invalid"),
        ("/v2/team//app/manifests/1".into(), 400, "name_invalid"),
        ("/v2/Team/app/manifests/1".into(), 400, "name_invalid"),
        ("/v2/team%2fapp/manifests/1".into(), 400, "name_invalid"),
        ("/v2/team/app/manifests/%31".into(), 400, "name_invalid"),
        ("/v2/team/app/manifests/-1".into(), 400, "name_invalid"),
        (format!("/v2/team/app/manifests/sha256:{}", hex.to_uppercase()), 400, "digest_invalid"),
        (format!("/v2/team/app/manifests/sha256:{}", &hex[..63]), 400, "digest_invalid"),
        (format!("/v2/team/app/manifests/md5:{hex}"), 400, "digest_invalid"),
        ("/v2/team/app/blobs/1".into(), 400, "digest_invalid"),
        ("/v2/team/app/tags/list?n=-1".into(), 400, "name_invalid"),
        ("/v2/team/app/tags/list?n=1&n=2".into(), 400, "name_invalid"),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = wire::ask(lab.proxy.address, method, &target, "localhost", "").await;
            assert_eq!((reply.status(), reply.header("countersign-reason")), (status, reason), "{target}");
        }
    }
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
}

#[tokio::test]
async fn a_tag_and_its_digest_together_are_not_a_reference() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.signed("team/app").manifest.digest;
    let answer = lab.get(&manifest("team/app", format!("1@{digest}"))).await;
    assert_eq!(answer.status, 400);
    assert!(lab.double.seen().is_empty());
}
