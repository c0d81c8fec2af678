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
        ("a return in a value", "X-A: b\rContent-Length: 5\r\n", ""),
        ("a return in a name", "X\rA: b\r\n", ""),
        ("a line without a colon", "Content-Length\r\n", ""),
        ("a name with a tab", "Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"),
        ("a coding that is almost one", "Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"),
        ("two codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
        ("a length in hexadecimal", "Content-Length: 0x5\r\n", ""),
        ("a length beyond all", "Content-Length: 99999999999999999999999\r\n", ""),
        ("a body for a pull", "Content-Length: 73\r\n", ""),
        ("a second host", "Host: other\r\n", ""),
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

/// A61: what is chunked wrongly ends the connection; what follows is never taken for a request.
#[tokio::test]
async fn a61_chunks_that_can_be_read_in_two_ways_end_the_connection() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    for (name, body) in [
        ("an endless extension", format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(100_000))),
        ("a size beyond all", "fffffffffffffffff\r\n".to_string()),
        ("a size that wraps", "10000000000000000\r\n\r\n".to_string()),
        ("a signed size", "-1\r\n\r\n".to_string()),
        ("a size in another way", "0x0\r\n\r\n".to_string()),
        ("a size of nothing", "\r\n\r\n".to_string()),
        ("a bare line feed", "0\n\n".to_string()),
        ("a chunk that is longer than it says", "1\r\nab\r\n0\r\n\r\n".to_string()),
        ("trailers", "0\r\nContent-Length: 5\r\nHost: other\r\n\r\n".to_string()),
    ] {
        let head = "POST /v2/team/app/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
        let close = "GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let all = format!("{head}{body}{SECOND}{close}");
        let reply = wire::exchange(lab.proxy.address, &all).await;
        assert!(matches!(reply.status(), 400 | 405), "{name}: {}", reply.status_line);
        let rest = String::from_utf8_lossy(&reply.body);
        let further = rest.matches("HTTP/1.1").count();
        // Trailers are allowed, so both requests after them may be answered: as what they are.
        assert!(further == 0 || name == "trailers" && further <= 2, "{name}: {rest}");
        assert!(name == "trailers" || lab.double.seen().is_empty(), "{name}: {:?}", lab.double.seen());
    }
}

#[tokio::test]
async fn a61_other_protocols_are_not_spoken() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    // A client that knows beforehand is not understood.
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
    let said = wire::all(lab.proxy.address, preface).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4") || said.starts_with("HTTP/1.1 505"), "{said}");
    for line in [
        "GET /v2/ HTTP/2.0",
        "GET /v2/ HTTP/1.2",
        "GET /v2/ HTTP/0.9",
        "GET /v2/",
        "GET  /v2/ HTTP/1.1",
        "GET /v2/ x HTTP/1.1",
    ] {
        let said = wire::all(lab.proxy.address, &format!("{line}\r\nHost: a\r\n\r\n{SECOND}")).await;
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 400") || said.starts_with("HTTP/1.1 505"),
            "{line}: {said}"
        );
        assert!(said.matches("HTTP/1.1").count() <= 1, "{line}: {said}");
    }
    // An upgrade that is offered is not taken.
    for upgrade in ["h2c", "websocket", "TLS/1.0"] {
        let more = format!(
            "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAoAAA"
        );
        let request = format!("GET /v2/ HTTP/1.1\r\nHost: localhost\r\n{more}\r\n\r\n");
        let reply = wire::exchange(lab.proxy.address, &request).await;
        assert_eq!((reply.status(), reply.header("upgrade"), &reply.body[..]), (200, "", &b"{}"[..]));
    }
    let reply = wire::exchange(
        lab.proxy.address,
        "CONNECT registry.demo:443 HTTP/1.1\r\nHost: registry.demo:443\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert_eq!((reply.status(), reply.header("allow")), (405, "get, head"));
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
}

#[tokio::test]
async fn an_old_client_is_served_and_its_connection_closed() {
    let lab = Lab::start(Options::default()).await;
    let digest = lab.signed("team/app").manifest.digest;
    for head in ["", "Host: localhost\r\n", "Connection: close\r\n"] {
        let request = format!("GET /v2/team/app/manifests/1 HTTP/1.0\r\n{head}\r\n{SECOND}");
        let reply = wire::exchange(lab.proxy.address, &request).await;
        assert_eq!(
            (reply.status(), reply.header("docker-content-digest")),
            (200, digest.to_string().as_str()),
            "{head}"
        );
        assert!(!String::from_utf8_lossy(&reply.body).contains("HTTP/1.1"), "{head}");
    }
    let request = "GET /v2/ HTTP/1.1\r\n\r\n".to_string() + SECOND;
    let reply = wire::exchange(lab.proxy.address, &request).await;
    assert_eq!((reply.status(), reply.header("connection")), (400, "close"), "HTTP/1.1 has a host");
}

#[tokio::test]
async fn a61_heads_have_a_length_and_a_number_of_lines() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("team/app");
    let get = "GET /v2/team/app/manifests/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let lines = |count: usize| "X-A: b\r\n".repeat(count);
    assert_eq!(wire::exchange(lab.proxy.address, &format!("{get}{}\r\n", lines(50))).await.status(), 200);
    lab.double.forget();
    for (name, request) in [
        ("lines", format!("{get}{}\r\n", lines(200))),
        ("a line", format!("{get}X: {}\r\n\r\n", "a".repeat(40_000))),
        ("a target", format!("GET /v2/?{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(40_000))),
        ("a target that does not end", format!("GET /v2/{}", "a".repeat(70_000))),
        ("a method", format!("{} /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "A".repeat(40_000))),
    ] {
        let reply = wire::exchange(lab.proxy.address, &request).await;
        assert!(matches!(reply.status(), 400 | 414 | 431), "{name}: {}", reply.status_line);
    }
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
    assert_eq!(lab.get("/v2/team/app/manifests/1").await.status, 200);
}
