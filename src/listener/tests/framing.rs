//! Where a request ends, and who may have another opinion of it.

use super::*;

#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_refused_and_nothing_after_them_is_read() {
    let server = answering(OPTIONS, ok).await;
    let mut wrong = Vec::new();
    for (framing, status) in [
        ("content-length: 3\r\ncontent-length: 4\r\n", 400),
        ("content-length: 3, 4\r\n", 400),
        ("content-length: +3\r\n", 400),
        ("content-length: -1\r\n", 400),
        ("content-length : 3\r\n", 400),
        ("transfer-encoding: xchunked\r\n", 400),
        ("transfer-encoding: chunked, identity\r\n", 400),
        ("transfer-encoding: chunked\r\n", 400),
        ("content-length: 3\r\ntransfer-encoding: chunked\r\n", 400),
        ("transfer-encoding: chunked\r\ncontent-length: 3\r\n", 400),
        ("x: a\r\n\tfolded: b\r\n", 400),
        (" x: a\r\n", 400),
        ("x: a\0b\r\n", 400),
    ] {
        let first = format!("GET /v2/ HTTP/1.1\r\nhost: a\r\n{framing}\r\n");
        let answer = ask(server.address, format!("{first}0\r\n\r\n{GET_CLOSE}")).await;
        let answers = answer.matches("HTTP/1.1 ").count();
        if !answer.starts_with(&format!("HTTP/1.1 {status} ")) || answers != 1 || answer.contains("fine") {
            wrong.push(format!("{framing:?}: {answer}"));
        }
    }
    let post = "POST /v2/ HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = ask(server.address, format!("{post}0\r\n\r\n{GET_CLOSE}")).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    let long = format!("GET /v2/ HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(MAX_HEADER as usize));
    let answer = ask(server.address, long).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_has_said_all_still_gets_its_answer() {
    let (server, chunks) = streaming(OPTIONS).await;
    let mut client = TcpStream::connect(server.address).await.expect("it accepts");
    client.write_all(GET.as_bytes()).await.expect("it reads");
    chunks.send("soon").expect("it streams");
    until(&mut client, "soon\r\n").await;
    client.shutdown().await.expect("it half-closes");
    // Time for the server to see that, and to draw the wrong conclusion.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    chunks.send("late").expect("it still streams");
    drop(chunks);
    assert_eq!(rest(&mut client).await, "4\r\nlate\r\n0\r\n\r\n");
    server.stop().await;
}
