//! What goes wrong with a registry: statuses, times, sizes, connections.

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
        (status(500), UpstreamError::Status(500)),
        (status(405), UpstreamError::Status(405)),
        (status(204), UpstreamError::Status(204)),
        (status(304), UpstreamError::Status(304)),
        (status(206).header("content-range", "bytes 0-0/2"), UpstreamError::Status(206)),
        (status(307).header("location", "https://s3.evil/x?secret"), refused("s3.evil")),
    ] {
        let answer = answer.body(Bytes::new()).expect("a response");
        let (_registry, upstream) = answered(move |_, _| Answer::Whole(answer.clone())).await;
        let error = upstream.manifest(&repository(), &Reference::Tag(tag()), 9).await.expect_err("no manifest");
        assert_eq!(error, expected);
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
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|bound| bound.local_addr()).expect("a port");
    let dial = Url::parse(&format!("http://{free}")).expect("a URL");
    let error = upstream(&dial, Credentials::None).ping().await.expect_err("nobody there");
    assert!(matches!(&error, UpstreamError::Transport(text) if text.contains("refused")), "{error}");
}
