//! What a refusal says, and that it says so to everybody and disturbs nothing.

use countersign::demo::registry::Options;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::support::expect::{denied, header, refused, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::{blob, manifest};
use crate::support::wire;

/// containerd and `BuildKit` take a 429 for an invitation to try again at once; a 503 serves everybody.
#[tokio::test]
async fn a_registry_that_throttles_is_a_503_that_says_how_long() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    for (wait, said) in [("7", "7"), ("100000", "300"), ("0", "1"), ("soon", "5")] {
        lab.double.fault(Method::HEAD, "/v2/team/app/manifests/", Fault::Status(429));
        lab.double.fault(Method::HEAD, "/v2/team/app/manifests/", Fault::Header("retry-after", wait.into()));
        for agent in ["containerd/2.1.4", "buildkit/0.26", "skopeo/1.9.3"] {
            let headers = HeaderMap::from_iter([(http::header::USER_AGENT, agent.parse().expect("a value"))]);
            let answer = lab.ask(&Method::GET, &manifest("team/app", "1"), headers).await;
            unsure(&answer, "upstream_throttled");
            assert_eq!(header(&answer, "retry-after"), said, "{agent}");
        }
        lab.double.heal();
    }
}

/// The registry refuses the proxy, which asks in its own name: that is for the operator to mend, and no word about
/// the image. A 401 would send nodes looking for credentials of theirs, a 403 would be final.
#[tokio::test]
async fn a_registry_that_refuses_the_proxy_is_a_503() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    for status in [401, 403] {
        lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::Status(status));
        lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::Header("www-authenticate", "Basic realm=\"x\"".into()));
        let answer = lab.get(&manifest("team/app", "1")).await;
        unsure(&answer, "upstream_credentials_rejected");
        assert_eq!(header(&answer, "www-authenticate"), "");
        assert!(answer.message().ends_with("; next: give the proxy `credentials` that may read it"));
        lab.double.heal();
    }
}

#[tokio::test]
async fn evidence_that_rests_says_for_how_long() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    lab.double.fault(Method::GET, &format!("/v2/team/app/referrers/{}", image.digest), Fault::Status(500));
    let answer = lab.get(&manifest("team/app", "1")).await;
    unsure(&answer, "evidence_unreadable");
    assert_eq!(header(&answer, "retry-after"), "1");
}

#[tokio::test]
async fn what_the_registry_does_not_have_has_the_code_of_what_was_asked_for() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    lab.registry().delete("team/app", &image.layer);
    refused(&lab.get(&blob("team/app", image.layer)).await, 404, "BLOB_UNKNOWN", "upstream_not_found");
    refused(&lab.get(&manifest("team/app", "2")).await, 404, "MANIFEST_UNKNOWN", "upstream_not_found");
    refused(&lab.get("/v2/team/none/tags/list").await, 404, "NAME_UNKNOWN", "upstream_not_found");
}

/// C07: a 404 would make containerd ask for the same digest as a blob.
#[tokio::test]
async fn c07_no_denial_is_a_404_and_the_blobs_door_is_closed_too() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app");
    let (_, bytes) = lab.registry().manifest("team/app", "1").expect("it is there");
    assert_eq!(lab.registry().put_blob("team/app", bytes), image.manifest.digest);
    for path in [manifest("team/app", image.manifest.digest), blob("team/app", image.manifest.digest)] {
        for method in [Method::GET, Method::HEAD] {
            let answer = lab.ask(&method, &path, HeaderMap::new()).await;
            assert_eq!(answer.status, 403, "{method} {path}");
        }
    }
    lab.registry().untag("team/app", "1");
    lab.registry().delete("team/app", &image.manifest.digest);
    let other = lab.registry().put_blob("team/app", "other bytes");
    refused(&lab.get(&manifest("team/app", other)).await, 404, "MANIFEST_UNKNOWN", "upstream_not_found");
    denied(&lab.get(&blob("team/app", other)).await, "not_a_member");
}

#[tokio::test]
async fn every_answer_says_which_api_this_is_and_no_error_may_be_kept() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    let unsigned = lab.unsigned("team/unsigned");
    for (path, status) in [
        ("/v2/".to_string(), 200),
        (manifest("team/app", "1"), 200),
        (blob("team/app", image.layer), 200),
        ("/v2/team/app/tags/list".into(), 200),
        (format!("/v2/team/app/referrers/{}", image.manifest.digest), 200),
        (manifest("team/unsigned", "1"), 403),
        (blob("team/unsigned", unsigned.layer), 403),
        (manifest("team/none", "1"), 404),
        ("/v2/_catalog".into(), 404),
        ("/nowhere".into(), 404),
        (manifest("team/App", "1"), 400),
    ] {
        let (get, head) = (lab.get(&path).await, lab.head(&path).await);
        assert_eq!((get.status, head.status), (status, status), "{path}");
        for answer in [&get, &head] {
            assert_eq!(header(answer, "docker-distribution-api-version"), "registry/2.0", "{path}");
            assert_eq!(header(answer, "cache-control") == "no-store", status >= 400, "{path}");
            assert_eq!(header(answer, "content-length"), get.body.len().to_string(), "{path}");
        }
        assert!(head.body.is_empty());
    }
}

/// A node asks for many things over one connection; a refusal does not end it.
#[tokio::test]
async fn a_connection_survives_refusals_and_answers_come_in_order() {
    let lab = Lab::start(Options::default()).await;
    lab.unsigned("team/app");
    let ask = |method: &str, path: &str, more: &str| format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n");
    let all = [
        ask("HEAD", "/v2/team/app/manifests/1", ""),
        ask("GET", "/v2/team/app/manifests/1", ""),
        ask("GET", "/v2/team/app/manifests/2", ""),
        ask("DELETE", "/v2/team/app/manifests/1", ""),
        ask("GET", "/v2/team/App/manifests/1", ""),
        ask("GET", "/v2/", "Connection: close\r\n"),
    ];
    let reply = wire::exchange(lab.proxy.address, &all.concat()).await;
    let text = format!("{}\r\n{}", reply.status_line, String::from_utf8_lossy(&reply.body));
    let statuses: Vec<_> = text.match_indices("HTTP/1.1 ").map(|(at, _)| &text[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["403", "403", "404", "405", "400", "200"], "{text}");
}

#[tokio::test]
async fn what_a_client_sends_is_repeated_as_text() {
    let lab = Lab::start(Options::default()).await;
    for tag in ["\"}],\"a\":[{", "<script>", "\u{e4}\u{202e}\u{2028}", "'`$(id)", &"\u{20ac}".repeat(2000)] {
        let reply = wire::ask(lab.proxy.address, "GET", &manifest("team/app", tag), "localhost", "").await;
        let phrase = reply.status_line.strip_prefix("HTTP/1.1 400 ").expect("a bad request");
        assert!(phrase.len() <= 512 && !phrase.contains('\u{202e}'), "{phrase}");
        if let Ok(body) = serde_json::from_slice::<Value>(&reply.body) {
            assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{body}");
            assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
        } else {
            // hyper itself does not take everything.
            assert!(reply.body.is_empty(), "{tag}");
        }
    }
}
