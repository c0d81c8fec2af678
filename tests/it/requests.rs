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

/// O58, O59, C19: of a request only the names reach the registry.
#[tokio::test]
async fn nothing_of_a_request_but_its_names_reaches_the_registry() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    let more = "X-Forwarded-Host: evil\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: host=evil\r\n\
        X-Original-URL: /v2/other/manifests/1\r\nX-Rewrite-URL: /v2/other/manifests/1\r\n\
        X-HTTP-Method-Override: DELETE\r\nOCI-Namespace: evil\r\nUser-Agent: cosign/3\r\nCookie: a=b\r\n\
        Authorization: Basic eDp5\r\nProxy-Authorization: Basic eDp5\r\nTE: trailers\r\nUpgrade: h2c\r\n\
        Referer: http://evil/\r\nOrigin: http://evil\r\nX-Registry-Auth: e30=";
    for path in [manifest("team/app", "1"), manifest("team/app", image.manifest.digest), blob("team/app", image.layer)]
    {
        let target = format!("{path}?ns=registry.demo&token=secret&redirect=http%3A%2F%2Fevil&x=%2e%2e#y");
        let reply = wire::ask(lab.proxy.address, "GET", &target, "localhost", more).await;
        assert_eq!(reply.status(), 200, "{path}: {}", reply.status_line);
    }
    for seen in lab.double.seen() {
        assert!(seen.path.starts_with("/v2/team/app/") && !seen.path.contains(['?', '#', '%']), "{}", seen.path);
        let known = ["accept", "accept-encoding", "host", "user-agent"];
        assert!(seen.headers.keys().all(|name| known.contains(&name.as_str())), "{seen:?}");
        assert!(seen.headers["user-agent"].to_str().expect("text").starts_with("countersign/"), "{seen:?}");
    }
}

/// B35.
#[tokio::test]
async fn b35_names_of_any_length_are_refused_and_nobody_is_asked() {
    let lab = Lab::start(Options::default()).await;
    for (name, status) in [
        ("a".repeat(5_000), 400),
        ("a-".repeat(2_500) + "a", 400),
        ("a/".repeat(2_500) + "a", 400),
        ("_".repeat(5_000), 400),
        ("a".repeat(50_000), 431),
    ] {
        for target in [manifest(&name, "1"), manifest("team/app", &name)] {
            let reply = wire::ask(lab.proxy.address, "GET", &target, "localhost", "").await;
            // A reference has no slash in it.
            let status = if name.contains('/') && !target.ends_with("/1") { 404 } else { status };
            assert_eq!(reply.status(), status, "{}", &target[..40]);
        }
    }
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
}
