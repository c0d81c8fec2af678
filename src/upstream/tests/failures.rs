//! What goes wrong with a registry: statuses, times, sizes, connections.

use tokio::net::TcpSocket;

use super::*;

/// An upstream that gives up in a moment.
fn impatient(dial: &Url) -> Upstream {
    build(dial, Credentials::None, Duration::from_millis(150))
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_at_the_limit() {
    // Chunked, and it would stall for ever: only counting what comes can end it early.
    let (_registry, upstream) = answered(|_, _| Answer::Stalled(Response::new(Bytes::from_static(&[0; 64])))).await;
    let above = upstream.small_blob(&repository(), &Digest::of(b""), 63).await;
    assert_eq!(above, Err(UpstreamError::TooLarge { limit: 63 }));
}

#[tokio::test]
async fn statuses_become_errors() {
    let throttled = UpstreamError::Throttled { retry_after: Some(Duration::from_secs(7)) };
    for (answer, expected) in [
        (status(404), UpstreamError::NotFound),
        (status(401), UpstreamError::CredentialsRejected { status: 401 }),
        (status(403), UpstreamError::CredentialsRejected { status: 403 }),
        (status(429).header("retry-after", "7"), throttled),
        (status(429).header("retry-after", "soon"), UpstreamError::Throttled { retry_after: None }),
        (
            status(503).header("retry-after", "9"),
            UpstreamError::Unavailable { retry_after: Some(Duration::from_secs(9)) },
        ),
        (status(503), UpstreamError::Unavailable { retry_after: None }),
        (status(500), UpstreamError::Status(500)),
        (status(405), UpstreamError::Status(405)),
        (status(204), UpstreamError::Status(204)),
        (status(304), UpstreamError::Status(304)),
        (status(206).header("content-range", "bytes 0-0/2"), UpstreamError::Status(206)),
        (status(307).header("location", "https://s3.evil/x?secret"), refused("s3.evil")),
    ] {
        let answer = answer.body(Bytes::new()).expect("a response");
        let (registry, upstream) = answered(move |_, _| Answer::Whole(answer.clone())).await;
        let error = upstream.manifest(&repository(), &Reference::Tag(tag()), 9).await.expect_err("no manifest");
        assert_eq!(error, expected);
        assert_eq!(registry.asked().len(), 1, "an answer is an answer: {error}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn an_encoded_answer_is_refused() {
    let (_registry, upstream) = answered(|_, _| whole(status(200).header("content-encoding", "gzip"), "x")).await;
    let manifest = upstream.manifest(&repository(), &Reference::Tag(tag()), 9).await;
    assert!(matches!(manifest, Err(UpstreamError::Malformed(_))));
    let blob = upstream.blob(&Method::GET, &repository(), &Digest::of(b"x"), None).await;
    assert!(matches!(blob.err(), Some(UpstreamError::Malformed(_))));
}

#[tokio::test]
async fn headers_that_do_not_come_are_a_timeout() {
    let registry = Registry::start(|_, _| Answer::Never).await;
    let upstream = impatient(&registry.address);
    assert_eq!(upstream.resolve(&repository(), &tag()).await, Err(UpstreamError::Timeout));
    assert_eq!(registry.asked().len(), 1);
}

#[tokio::test]
async fn a_body_that_stalls_is_a_timeout() {
    let registry = Registry::start(|_, _| Answer::Stalled(Response::new(Bytes::from_static(b"first")))).await;
    let upstream = impatient(&registry.address);
    let held = upstream.manifest(&repository(), &Reference::Tag(tag()), 100).await;
    assert_eq!(held.map(|_| ()), Err(UpstreamError::Timeout));
    let digest = Digest::of(b"first");
    let answer = upstream.blob(&Method::GET, &repository(), &digest, None).await.expect("headers");
    let BlobAnswer::Sent(blob) = answer else { panic!("it does not redirect") };
    let items: Vec<_> = blob.body.collect().await;
    assert_eq!(items, [Ok(Bytes::from_static(b"first")), Err(UpstreamError::Timeout)]);
}

#[tokio::test]
async fn a_connection_that_is_cut_is_tried_once_more() {
    let registry = Registry::start(|_, _| Answer::Cut).await;
    let error = upstream(&registry.address, Credentials::None).ping().await.expect_err("cut");
    assert!(matches!(&error, UpstreamError::Transport(text) if !text.contains("http://")), "{error}");
    assert_eq!(registry.asked().len(), 2);
}

#[tokio::test]
async fn a_port_without_a_listener_is_a_transport_error() {
    let (_held, dial) = nobody();
    let error = upstream(&dial, Credentials::None).ping().await.expect_err("nobody there");
    assert!(matches!(&error, UpstreamError::Transport(text) if text.contains("refused")), "{error}");
}

/// A port that nobody listens on, and somebody holds.
fn nobody() -> (TcpSocket, Url) {
    let held = TcpSocket::new_v4().expect("a socket");
    held.bind("127.0.0.1:0".parse().expect("an address")).expect("loopback has a free port");
    let dial = format!("http://{}", held.local_addr().expect("it is bound"));
    (held, Url::parse(&dial).expect("a URL"))
}

#[tokio::test]
async fn a_registry_that_is_down_is_left_alone_and_found_again() {
    let (held, dial) = nobody();
    let upstream = upstream(&dial, Credentials::None);
    for _ in 0..5 {
        assert!(matches!(upstream.ping().await, Err(UpstreamError::Transport(_))));
    }
    let error = upstream.ping().await.expect_err("nobody there");
    assert!(matches!(error, UpstreamError::LeftAlone { server: "registry", .. }), "{error}");
    let wait = error.retry_after().expect("it is known");
    assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_secs(2), "{wait:?}");
    assert_eq!(error.reason(), Reason::UpstreamUnavailable);

    drop(held);
    let registry = Registry::start_at(&dial, |_, _| whole(status(200), "{}")).await;
    let began = std::time::Instant::now();
    while let Err(error) = upstream.ping().await {
        assert!(matches!(error, UpstreamError::LeftAlone { .. }), "{error}");
        assert!(began.elapsed() < Duration::from_secs(30), "it is never asked again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(registry.asked().len(), 1);
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_left_alone_and_others_do_not_wait() {
    let registry = Registry::start(|_, _| Answer::Never).await;
    let upstream = impatient(&registry.address);
    for answer in futures_util::future::join_all((0..5).map(|_| upstream.ping())).await {
        assert_eq!(answer, Err(UpstreamError::Timeout));
    }
    assert!(matches!(upstream.ping().await, Err(UpstreamError::LeftAlone { .. })));
    assert_eq!(registry.asked().len(), 5);
}

#[tokio::test]
async fn a_registry_that_answers_with_errors_or_cuts_connections_is_asked_all_the_same() {
    let registry = Registry::start(|asked, _| match asked.uri.path() {
        "/v2/" => Answer::Cut,
        _ => whole(status(502), ""),
    })
    .await;
    let upstream = upstream(&registry.address, Credentials::None);
    for _ in 0..10 {
        assert!(matches!(upstream.ping().await, Err(UpstreamError::Transport(_))));
        assert_eq!(upstream.resolve(&repository(), &tag()).await, Err(UpstreamError::Status(502)));
    }
}

#[tokio::test]
async fn a_token_server_that_is_down_is_left_alone() {
    let (_held, server) = nobody();
    let (_registry, upstream) = answered({
        let realm = format!("{server}token");
        move |_, _| whole(status(401).header("www-authenticate", format!("Bearer realm=\"{realm}\"")), "")
    })
    .await;
    for _ in 0..5 {
        assert!(matches!(upstream.ping().await, Err(UpstreamError::Transport(_))));
    }
    let error = upstream.ping().await.expect_err("nobody there");
    assert!(matches!(error, UpstreamError::LeftAlone { server: "token server", .. }), "{error}");
}
