//! Answers that are no proper HTTP, byte for byte: refused, within the time and memory of a proper one.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A registry that sends these bytes to whoever asks, the last of them for ever if there are any, and closes.
async fn verbatim(first: &[u8], endless: &[u8]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (first, endless) = (first.to_vec(), endless.to_vec());
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let (first, endless) = (first.clone(), endless.repeat(1000));
            tokio::spawn(async move {
                let _ = tcp.read(&mut [0; 4096]).await;
                let mut sent = tcp.write_all(&first).await;
                while sent.is_ok() && !endless.is_empty() {
                    sent = tcp.write_all(&endless).await;
                }
                let _ = tcp.shutdown().await;
            });
        }
    });
    Url::parse(&format!("http://{address}")).expect("a URL")
}

/// What becomes of a manifest that is answered so.
async fn manifest(first: &str, endless: &str) -> Result<RawManifest, UpstreamError> {
    let dial = verbatim(first.as_bytes(), endless.as_bytes()).await;
    let upstream = build(&dial, Credentials::None, Duration::from_secs(2));
    upstream.manifest(&repository(), &Reference::Tag(tag()), 1000).await
}

#[tokio::test]
async fn a_length_that_is_told_in_two_ways_is_refused() {
    for head in [
        "Transfer-Encoding: chunked\r\nContent-Length: 2",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Content-Length: 2\r\nTransfer-Encoding: xchunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2, 3",
        "Content-Length: -2",
        "Content-Length: 2x",
        "Content-Length: 99999999999999999999999",
    ] {
        let answer = manifest(&format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"), "").await;
        let error = answer.map(|raw| raw.bytes).expect_err(head);
        assert_eq!(error.reason(), Reason::UpstreamUnavailable, "{head}: {error}");
    }
    let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    assert!(manifest(old, "").await.is_err(), "HTTP/1.0 knows no chunks");
    let good = manifest("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "").await;
    assert_eq!(good.map(|raw| raw.bytes), Ok(Bytes::from_static(b"{}")));
}

#[tokio::test]
async fn what_is_no_answer_is_refused() {
    for bytes in [
        "",
        "\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nA: b\rContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let error = manifest(bytes, "").await.map(|raw| raw.bytes).expect_err(bytes);
        assert_eq!(error.reason(), Reason::UpstreamUnavailable, "{bytes:?}: {error}");
    }
}

#[tokio::test]
async fn what_never_ends_is_given_up() {
    let answers = [
        // A header after the other, and one that is as long as all of them.
        ("HTTP/1.1 200 OK\r\n", "A: b\r\n"),
        ("HTTP/1.1 200 OK\r\nA: ", "b"),
        ("HTTP/1.1 200 ", "OK"),
        ("", "HTTP"),
        // Preliminary answers.
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
        // A body, chunks of a byte, a chunk's extension, trailers.
        ("HTTP/1.1 200 OK\r\n\r\n", "x"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=", "b"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", "A: b\r\n"),
    ];
    let given_up = answers.map(|(first, endless)| async move {
        let error = manifest(first, endless).await.map(|raw| raw.bytes).expect_err("it ended");
        let known = [Reason::UpstreamUnavailable, Reason::UpstreamTimeout].contains(&error.reason());
        assert!(known, "{first:?} {endless:?}: {error}");
    });
    futures_util::future::join_all(given_up).await;
}

#[tokio::test]
async fn a_second_answer_behind_the_first_is_nobodys() {
    let split = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let dial = verbatim(split.as_bytes(), b"").await;
    let upstream = build(&dial, Credentials::None, Duration::from_secs(30));
    for _ in 0..3 {
        let raw = upstream.manifest(&repository(), &Reference::Tag(tag()), 1000).await.expect("the first answer");
        assert_eq!(&raw.bytes[..], b"{}");
    }
}

#[tokio::test]
async fn a_held_answer_that_breaks_off_is_asked_for_once_more() {
    let registry = Registry::start(|_, _| Answer::Whole(Response::new(Bytes::from_static(b"{}")))).await;
    let good = registry.address.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let dial = Url::parse(&format!("http://{}", listener.local_addr().expect("an address"))).expect("a URL");
    // The first connection breaks in the middle of the body, the others lead to the registry.
    tokio::spawn(async move {
        let (mut tcp, _) = listener.accept().await.expect("a connection");
        let _ = tcp.read(&mut [0; 4096]).await;
        tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{").await.expect("it reads");
        drop(tcp);
        while let Ok((mut tcp, _)) = listener.accept().await {
            let to = (good.host_str().expect("a host").to_string(), good.port().expect("a port"));
            let mut on = tokio::net::TcpStream::connect(to).await.expect("it listens");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut tcp, &mut on).await });
        }
    });
    let upstream = upstream(&dial, Credentials::None);
    let raw = upstream.manifest(&repository(), &Reference::Tag(tag()), 100).await.expect("the second time");
    assert_eq!((&raw.bytes[..], registry.asked().len()), (&b"{}"[..], 1));
}

#[tokio::test]
async fn c26_a_blob_that_breaks_off_is_not_asked_for_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let dial = Url::parse(&format!("http://{}", listener.local_addr().expect("an address"))).expect("a URL");
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let _ = tcp.read(&mut [0; 4096]).await;
            let _ = tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst").await;
        }
    });
    let upstream = upstream(&dial, Credentials::None);
    let answer = upstream.blob(&Method::GET, &repository(), &Digest::of(b""), None).await.expect("headers");
    let BlobAnswer::Sent(blob) = answer else { panic!("it does not redirect") };
    let items: Vec<_> = blob.body.collect().await;
    assert!(matches!(items.last(), Some(Err(UpstreamError::Transport(_)))), "{items:?}");
    // The client may have the first bytes already.
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn o70_a_registry_that_drips_holds_up_its_own_answers_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let dial = Url::parse(&format!("http://{}", listener.local_addr().expect("an address"))).expect("a URL");
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                let length = tcp.read(&mut asked).await.unwrap_or(0);
                let head = "HTTP/1.1 200 OK\r\nContent-Length: ";
                if asked[..length].starts_with(b"GET /v2/ ") {
                    return tcp.write_all(format!("{head}2\r\n\r\n{{}}").as_bytes()).await;
                }
                tcp.write_all(format!("{head}1000000\r\n\r\n").as_bytes()).await?;
                loop {
                    tcp.write_all(b"x").await?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
    });
    let upstream = build(&dial, Credentials::None, Duration::from_secs(2));
    let answer = upstream.blob(&Method::GET, &repository(), &Digest::of(b""), None).await.expect("headers");
    let BlobAnswer::Sent(BlobResponse { body: mut dripping, .. }) = answer else { panic!("it does not redirect") };
    let (reference, repository) = (Reference::Tag(tag()), repository());
    let held = upstream.manifest(&repository, &reference, 10_000_000);
    let others = async {
        for _ in 0..20 {
            upstream.ping().await.expect("it does not wait for them");
            dripping.next().await.expect("it goes on").expect("a byte");
        }
    };
    let (held, ()) = tokio::join!(held, others);
    // Each byte came in time, the whole did not.
    assert_eq!(held.map(|raw| raw.bytes), Err(UpstreamError::Timeout));
}
