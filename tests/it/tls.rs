//! Pulls over TLS: what is agreed upon, HTTP/2 by the same rules as HTTP/1.1, and certificates that are replaced.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Version};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::expect::{denied, header, refused, served};
use crate::support::scene::{blob, manifest};
use crate::support::secure::Secure;
use crate::support::wire;

#[tokio::test]
async fn both_versions_of_tls_are_spoken_and_http_2_only_where_it_is_configured() {
    for (keys, offered, agreed) in [
        ("", &["h2", "http/1.1"][..], Some("http/1.1")),
        ("", &[], None),
        ("http2: true,", &["h2", "http/1.1"], Some("h2")),
        ("http2: true,", &["http/1.1"], Some("http/1.1")),
    ] {
        let all = Secure::start(keys, "").await;
        for version in [&TLS12, &TLS13] {
            let config = Arc::new(all.trusting(&[version], offered));
            let stream = all.connect(&config).await.expect("TLS");
            let session = stream.get_ref().1;
            assert_eq!(session.protocol_version(), Some(version.version));
            assert_eq!(session.alpn_protocol().map(String::from_utf8_lossy).as_deref(), agreed, "{keys} {offered:?}");
        }
        let config = Arc::new(all.trusting(&[&TLS13], &["h3"]));
        assert!(all.connect(&config).await.is_err(), "there is no protocol in common");
    }
}

#[tokio::test]
async fn images_come_over_either_version_of_http() {
    for (keys, version) in [("", Version::HTTP_11), ("http2: true,", Version::HTTP_2)] {
        let all = Secure::start(keys, "").await;
        let (signed, unsigned) = (all.lab.signed("team/app"), all.lab.unsigned("team/other"));
        let http = all.client();
        let (spoken, answer) = http.get(&manifest("team/app", "1")).await;
        assert_eq!(spoken, version);
        served(&answer, signed.manifest.digest, "signed");
        let (_, layer) = http.get(&blob("team/app", signed.layer)).await;
        served(&layer, signed.layer, "member");
        let range = [("range", "bytes=1-3")];
        let (_, part) = http.ask(Method::GET, &blob("team/app", signed.layer), &range, None).await;
        assert_eq!((part.status, &part.body[..]), (206, &layer.body[1..4]));
        // HTTP/2 has no reason phrase: the header and the body say it.
        let (_, answer) = http.get(&manifest("team/other", unsigned.manifest.digest)).await;
        denied(&answer, "unsigned");
    }
}

/// What hyper would send of a HEAD over HTTP/2 is not what clients expect.
#[tokio::test]
async fn a_head_over_http_2_has_the_length_of_the_get_and_no_body() {
    let all = Secure::start("http2: true,", "").await;
    let image = all.lab.signed("team/app");
    all.lab.unsigned("team/other");
    let http = all.client();
    let paths = [
        manifest("team/app", "1"),
        blob("team/app", image.layer),
        manifest("team/other", "1"),
        "/v2/".into(),
        "/v2/team/app/tags/list".into(),
        "/nowhere".into(),
    ];
    for path in paths {
        let (_, get) = http.get(&path).await;
        let (version, head) = http.ask(Method::HEAD, &path, &[], None).await;
        assert_eq!((version, head.status, head.body.len()), (Version::HTTP_2, get.status, 0), "{path}");
        assert_eq!(header(&head, "content-length"), get.body.len().to_string(), "{path}");
        assert_eq!(header(&head, "countersign-reason"), header(&get, "countersign-reason"), "{path}");
    }
    // What the stack itself answers, too.
    let (_, head) = http.ask(Method::HEAD, "/v2/", &[("host", "other")], None).await;
    assert_eq!((head.status, head.body.len()), (400, 0));
    assert_ne!(header(&head, "content-length"), "");
}

/// O57, O59: over HTTP/2 the name of the host is in two places.
#[tokio::test]
async fn the_authority_of_http_2_is_the_host_and_two_that_differ_are_refused() {
    let all = Secure::start("http2: true,", "").await;
    let image = all.lab.signed("team/app");
    let (http, path) = (all.client(), manifest("team/app", "1"));
    let authority = all.address().to_string();
    let (_, answer) = http.ask(Method::GET, &path, &[("host", &authority)], None).await;
    served(&answer, image.manifest.digest, "signed");
    all.lab.double.forget();
    for host in ["registry.demo", "other", "127.0.0.1"] {
        let (version, answer) = http.ask(Method::GET, &path, &[("host", host)], None).await;
        assert_eq!((version, answer.status), (Version::HTTP_2, 400), "{host}");
        assert_eq!(answer.message(), "a request has one `Host`");
    }
    assert!(all.lab.double.seen().is_empty(), "{:?}", all.lab.double.seen());
}

#[tokio::test]
async fn a_pull_over_http_2_has_no_body_and_a_write_is_refused() {
    let all = Secure::start("http2: true,", "").await;
    all.lab.signed("team/app");
    let (http, path) = (all.client(), manifest("team/app", "1"));
    for (method, headers) in [
        (Method::GET, &[][..]),
        (Method::HEAD, &[]),
        (Method::GET, &[("content-length", "4")]),
        (Method::GET, &[("te", "trailers")]),
    ] {
        let (_, answer) = http.ask(method.clone(), &path, headers, Some("body")).await;
        assert_eq!(answer.status, 400, "{method} {headers:?}");
        assert_eq!(answer.message(), if method == Method::GET { "a pull has no body" } else { "" });
    }
    for method in [Method::PUT, Method::POST, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let (_, answer) = http.ask(method.clone(), &path, &[], Some("body")).await;
        refused(&answer, 405, "UNSUPPORTED", "method_unsupported");
    }
    assert!(all.lab.double.seen().is_empty(), "{:?}", all.lab.double.seen());
    assert_eq!(http.get(&path).await.1.status, 200, "the connection goes on");
}

#[tokio::test]
async fn plain_http_is_told_what_is_spoken_here() {
    let all = Secure::start("", "").await;
    all.lab.signed("team/app");
    let request = format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", manifest("team/app", "1"));
    let reply = wire::exchange(all.address(), &(request.clone() + &request)).await;
    assert_eq!(reply.status(), 400, "{}", reply.status_line);
    let said = String::from_utf8_lossy(&reply.body);
    assert!(said.contains("this is HTTPS") && !said.contains("HTTP/1.1"), "{said}");
    assert!(all.lab.double.seen().is_empty(), "{:?}", all.lab.double.seen());
}

/// O70: who does not get on with TLS holds no connection for ever.
#[tokio::test]
async fn o70_a_handshake_that_does_not_come_about_is_ended_and_counted() {
    let all = Secure::start("http2: true,", "headerTimeout: 100ms,").await;
    all.lab.signed("team/app");
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    for (count, begun) in [(1, &hello[..0]), (2, &hello[..1]), (3, &hello[..]), (4, &[0x16; 4096])] {
        let mut stream = TcpStream::connect(all.address()).await.expect("it listens");
        stream.write_all(begun).await.expect("it is open");
        let mut rest = Vec::new();
        // It may be told why, and a reset is an end too.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the proxy closes the connection");
        all.lab.metric_becomes("tls_handshakes_failed_total", &[("listener", "pull")], count).await;
    }
    // A client that trusts another authority.
    let other = Secure::start("", "").await;
    let config = Arc::new(other.trusting(rustls::ALL_VERSIONS, &[]));
    assert!(all.connect(&config).await.is_err());
    all.lab.metric_becomes("tls_handshakes_failed_total", &[("listener", "pull")], 5).await;
    all.lab.metric_becomes("connections", &[("listener", "pull")], 0).await;
    assert_eq!(all.client().get(&manifest("team/app", "1")).await.1.status, 200);
}

/// O70: HTTP/2 lets a client keep a connection that carries nothing.
#[tokio::test]
async fn o70_an_http_2_connection_without_requests_is_ended() {
    let all = Secure::start("http2: true,", "headerTimeout: 200ms,").await;
    let config = Arc::new(all.trusting(&[&TLS13], &["h2"]));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let ping = b"\0\0\x08\x06\0\0\0\0\x0012345678";
    // The head of a request that is never finished: HEADERS without END_HEADERS.
    let head = b"\0\0\x01\x01\0\0\0\0\x01\x82";
    for (name, first, again) in [
        ("nothing", &b""[..], &b""[..]),
        ("half a preface", &preface[..10], b""),
        ("the preface", preface, b""),
        ("pings", preface, ping),
        ("half a head", &[&preface[..], head].concat(), b""),
    ] {
        let mut stream = all.connect(&config).await.expect("TLS");
        stream.write_all(first).await.expect("it is open");
        let (mut read, mut write) = tokio::io::split(stream);
        let end = async {
            let mut bytes = [0; 1024];
            while read.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
        };
        let goes_on = async {
            while !again.is_empty() && write.write_all(again).await.is_ok() {
                let _ = write.flush().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            std::future::pending::<()>().await;
        };
        let ended = async {
            tokio::select! { () = end => {}, () = goes_on => {} }
        };
        timeout(PATIENCE, ended).await.unwrap_or_else(|_| panic!("{name}: the connection is kept"));
    }
    all.lab.metric_becomes("connections", &[("listener", "pull")], 0).await;
}

/// Requests that are taken back at once cost the client nothing: after some it is cut off.
#[tokio::test]
async fn an_http_2_client_that_takes_back_all_it_asks_is_cut_off() {
    let all = Secure::start("http2: true,", "").await;
    let image = all.lab.signed("team/app");
    let config = Arc::new(all.trusting(&[&TLS13], &["h2"]));
    let mut stream = all.connect(&config).await.expect("TLS");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("it is open");
    let (mut read, mut write) = tokio::io::split(stream);
    let asks = async {
        for id in (1_u32..20_000).step_by(2) {
            let id = id.to_be_bytes();
            // GET, https, the path /v2/ and an authority; END_STREAM and END_HEADERS; then RST_STREAM.
            let block = b"\x82\x87\x04\x04/v2/\x01\x01a";
            let headers = [&[0, 0, 11, 1, 5][..], &id, block].concat();
            let reset = [&[0, 0, 4, 3, 0][..], &id, &[0, 0, 0, 8]].concat();
            if write.write_all(&[headers, reset].concat()).await.is_err() || write.flush().await.is_err() {
                return;
            }
        }
    };
    let end = async {
        let mut bytes = [0; 4096];
        while read.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
    };
    timeout(PATIENCE, async { tokio::join!(asks, end) }).await.expect("the proxy closes the connection");
    let (_, answer) = all.client().get(&manifest("team/app", "1")).await;
    served(&answer, image.manifest.digest, "signed");
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_shown_to_new_connections() {
    let all = Secure::start("http2: true,", "").await;
    let config = Arc::new(all.trusting(&[&TLS13], &["http/1.1"]));
    let connected = async || {
        let mut stream = all.connect(&config).await.expect("TLS");
        // The ticket comes with the answer.
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.expect("it is open");
        stream.read_to_end(&mut Vec::new()).await.expect("an orderly end");
        let session = stream.get_ref().1;
        let shown = session.peer_certificates().and_then(|chain| chain.first()).expect("a certificate").to_vec();
        (session.handshake_kind().expect("it was shaken"), shown)
    };
    let (kind, first) = connected().await;
    assert_eq!(kind, HandshakeKind::Full);
    assert_eq!(connected().await, (HandshakeKind::Resumed, first.clone()));

    let failed = ("certificate_reload_failed", &[][..]);
    let good = std::fs::read(all.certificate()).expect("a file");
    std::fs::write(all.certificate(), "nonsense").expect("a file");
    all.lab.metric_becomes(failed.0, failed.1, 1).await;
    assert_eq!(connected().await.1, first);
    std::fs::write(all.certificate(), good).expect("a file");
    all.lab.metric_becomes(failed.0, failed.1, 0).await;

    all.renew();
    all.lab.metric_becomes("certificate_reloads_total", &[("result", "loaded")], 1).await;
    let (kind, second) = connected().await;
    assert_eq!(kind, HandshakeKind::Full, "what was agreed under the old certificate is over");
    assert_ne!(second, first);
}

const PATIENCE: Duration = Duration::from_secs(20);
