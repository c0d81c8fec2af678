//! Requests whose end can be read in two ways: refused, and what follows them is never taken for another request.

use countersign::demo::registry::Options;

use crate::support::lab::Lab;
use crate::support::wire;

/// What an attacker would like to have read as a second request.
const SECOND: &str = "GET /v2/team/app/manifests/2 HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn framing_that_can_be_read_in_two_ways_is_400_and_nothing_is_forwarded() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    for (name, headers, body) in [
        ("both", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("both, the other way round", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
        ("two lengths", "Content-Length: 0\r\nContent-Length: 5\r\n", ""),
        ("two lengths in one", "Content-Length: 0, 5\r\n", ""),
        ("a signed length", "Content-Length: +5\r\n", ""),
        ("a negative length", "Content-Length: -1\r\n", ""),
        ("chunked", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("not chunked", "Transfer-Encoding: identity\r\n", ""),
        ("chunked twice", "Transfer-Encoding: chunked, identity\r\n", ""),
        ("a space before the colon", "Content-Length : 5\r\n", ""),
        ("a folded line", "X-A: b\r\n c: d\r\n", ""),
        ("a control character", "X-A: \u{0}\r\n", ""),
    ] {
        let first = format!("GET /v2/team/app/manifests/1 HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}");
        let reply = wire::exchange(lab.proxy.address, &(first + SECOND)).await;
        assert_eq!(reply.status(), 400, "{name}: {}", reply.status_line);
        let rest = String::from_utf8_lossy(&reply.body);
        assert!(!rest.contains("HTTP/1.1"), "{name}: what followed was answered: {rest}");
        assert!(lab.double.seen().is_empty(), "{name}: {:?}", lab.double.seen());
    }
}

#[tokio::test]
async fn the_body_of_a_write_is_never_taken_for_a_request() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let length = SECOND.len();
    for headers in [
        format!("Content-Length: {length}\r\n"),
        format!("Content-Length: {length}\r\nConnection: close\r\n"),
        format!("Content-Length: {length}\r\nContent-Length: {length}\r\n"),
    ] {
        let first = format!("POST /v2/team/app/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{SECOND}");
        let close = "GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let reply = wire::exchange(lab.proxy.address, &(first + close)).await;
        assert!(matches!(reply.status(), 400 | 405), "{headers}: {}", reply.status_line);
        let rest = String::from_utf8_lossy(&reply.body);
        assert!(rest.matches("HTTP/1.1").count() <= 1, "{headers}: {rest}");
        assert!(lab.double.seen().is_empty(), "{headers}: {:?}", lab.double.seen());
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_the_proxy_goes_on() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let long = format!("X-A: {}\r\n", "a".repeat(64 << 10));
    let request = format!("GET /v2/team/app/manifests/1 HTTP/1.1\r\nHost: localhost\r\n{long}\r\n");
    let reply = wire::exchange(lab.proxy.address, &request).await;
    assert_eq!(reply.status(), 431);
    assert!(lab.double.seen().is_empty());
    assert_eq!(lab.get("/v2/team/app/manifests/1").await.status, 200);
}
