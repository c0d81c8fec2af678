use super::*;
use crate::listener::tests::{ask, running};

#[tokio::test]
async fn it_answers_what_an_operator_asks() {
    let readiness = Arc::new(Readiness::loading());
    let (metrics, told) = (Arc::new(Metrics::new()), readiness.clone());
    let server = running(|tcp, shutdown| serve(tcp, metrics, told, shutdown)).await;
    let get = |path: &'static str| {
        ask(server.address, format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"))
    };

    assert!(get("/livez").await.starts_with("HTTP/1.1 200 "));
    let answer = get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("\r\n\r\nnot loaded\n"), "{answer}");
    readiness.loaded();
    let answer = get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nready\n"), "{answer}");
    readiness.draining();
    readiness.loaded();
    assert!(get("/readyz").await.ends_with("\r\n\r\ndraining\n"));
    assert!(get("/livez").await.starts_with("HTTP/1.1 200 "));

    let answer = get("/metrics").await;
    assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.contains("\ncountersign_connections{listener=\"admin\"} 1\n"), "{answer}");
    for path in ["/", "/v2/", "/metrics/", "/livez/x"] {
        assert!(get(path).await.starts_with("HTTP/1.1 404 "), "{path}");
    }
    let head = ask(server.address, "HEAD /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".into()).await;
    assert!(head.contains("content-length: 6\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let post = ask(server.address, "POST /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".into()).await;
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD\r\n"), "{post}");
    server.stop().await;
}
