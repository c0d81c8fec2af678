use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body_util::BodyExt;

use super::*;
use crate::body::{self, Body};
use crate::telemetry::log::tests::captured;

/// Asks a stack around `answer`, has `take` do with the answer what a connection might, and gives the line of it.
fn line_of(answer: fn(&str) -> Answer, method: Method, take: fn(Option<Response<Body>>)) -> serde_json::Value {
    let metrics = Arc::new(Metrics::new());
    let logged = captured(true, "info", || {
        let handler = move |request: Request<ClientAddress>| {
            let path = request.uri().path().to_string();
            async move {
                if path == "/never" {
                    std::future::pending::<()>().await;
                }
                answer(&path)
            }
        };
        let stack = stack(|_| None, handler, metrics.clone());
        let path = if method == Method::DELETE { "/never" } else { "/v2/" };
        let request = Request::builder().method(method).uri(path).header("host", "a").body(CLIENT).expect("a request");
        let answered = stack(request).now_or_never();
        take(answered);
    });
    assert!(metrics.render().contains("\ncountersign_requests_in_flight 0\n"));
    assert_eq!(logged.lines().count(), 1, "{logged}");
    serde_json::from_str(&logged).expect("JSON")
}

fn fine(_: &str) -> Answer {
    let response = Response::new(body::full(Bytes::from_static(b"fine")));
    Answer { response, facts: Facts { reason: Some(Reason::Signed), ..Facts::default() }.into() }
}

fn endless(_: &str) -> Answer {
    Response::new(body::stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(b"more"))))).into()
}

fn broken(_: &str) -> Answer {
    let chunks = [Ok(Bytes::from_static(b"some")), Err(io::Error::from(io::ErrorKind::UnexpectedEof))];
    Response::new(body::stream(stream::iter(chunks))).into()
}

fn read(response: Option<Response<Body>>) {
    let body = response.expect("an answer").into_body();
    let _ = body.collect().now_or_never().expect("all is there");
}

fn read_one(response: Option<Response<Body>>) {
    let mut body = response.expect("an answer").into_body();
    let frame = body.frame().now_or_never().expect("it is there");
    assert!(frame.is_some_and(|frame| frame.is_ok()));
}

#[test]
fn there_is_one_line_however_a_request_ends() {
    let line = line_of(fine, Method::GET, read);
    assert_eq!((&line["http.status"], &line["bytes_sent"]), (&200.into(), &4.into()), "{line}");
    assert_eq!((&line["aborted"], &line["verdict.reason"]), (&serde_json::Value::Null, &"signed".into()), "{line}");

    // hyper leaves the body of a HEAD alone.
    let line = line_of(fine, Method::HEAD, drop);
    assert_eq!((&line["aborted"], &line["bytes_sent"]), (&serde_json::Value::Null, &0.into()), "{line}");

    for (answer, take, sent) in
        [(fine as fn(&str) -> _, drop as fn(Option<Response<Body>>), 0), (endless, read_one, 4), (broken, read, 4)]
    {
        let line = line_of(answer, Method::GET, take);
        assert_eq!((&line["aborted"], &line["bytes_sent"]), (&true.into(), &sent.into()), "{line}");
    }

    let line = line_of(fine, Method::DELETE, |answer| assert!(answer.is_none()));
    assert_eq!((&line["aborted"], &line["http.status"]), (&true.into(), &serde_json::Value::Null), "{line}");
}

#[test]
fn a_panic_is_counted_logged_and_answered() {
    let line = line_of(
        |_| panic!("on purpose"),
        Method::GET,
        |answer| {
            let response = answer.expect("an answer");
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()["docker-distribution-api-version"], "registry/2.0");
            assert_eq!(response.headers()["cache-control"], "no-store");
            assert_eq!(response.headers()["retry-after"], "5");
            read(Some(response));
        },
    );
    assert_eq!((&line["level"], &line["verdict.reason"]), (&"WARN".into(), &"internal".into()), "{line}");
    let metrics = Metrics::new();
    panicked(&metrics);
    let counted = r#"countersign_decisions_total{outcome="unavailable",policy="",reason="internal"} 1"#;
    assert!(metrics.render().contains(counted));
}

#[test]
fn only_errors_forbid_to_be_stored() {
    line_of(fine, Method::GET, |answer| {
        let response = answer.expect("an answer");
        assert!(!response.headers().contains_key("cache-control"));
        assert_eq!(response.headers()["docker-distribution-api-version"], "registry/2.0");
    });
    let refused = |_: &str| {
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::FORBIDDEN;
        response.into()
    };
    line_of(refused, Method::GET, |answer| {
        assert_eq!(answer.expect("an answer").headers()["cache-control"], "no-store");
    });
}

const CLIENT: ClientAddress =
    ClientAddress(std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9));

#[test]
fn what_has_an_answer_at_once_gives_it_and_what_panics_leaves_it_to_the_handler() {
    let metrics = Arc::new(Metrics::new());
    let at_once = |request: &Request<ClientAddress>| match request.uri().path() {
        "/v2/ready" => Some(fine("")),
        "/v2/panic" => panic!("on purpose"),
        _ => None,
    };
    let handler = |_: Request<ClientAddress>| async {
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::ACCEPTED;
        Answer::from(response)
    };
    let stack = stack(at_once, handler, metrics.clone());
    let ask = |path: &str, length: &str| {
        let request = Request::builder().uri(path).header("host", "a").header("content-length", length);
        stack(request.body(CLIENT).expect("a request"))
    };
    let status = |path, length| ask(path, length).now_or_never().expect("an answer").status();
    assert!(matches!(ask("/v2/ready", "0"), Either::Left(_)));
    let lines = captured(true, "info", || {
        assert_eq!(status("/v2/ready", "0"), StatusCode::OK);
        assert_eq!(status("/v2/other", "0"), StatusCode::ACCEPTED);
        assert_eq!(status("/v2/panic", "0"), StatusCode::ACCEPTED);
        assert_eq!(status("/v2/ready", "1"), StatusCode::BAD_REQUEST, "what is malformed has no answer");
    });
    assert_eq!(lines.lines().count(), 4, "{lines}");
    assert!(metrics.render().contains("\ncountersign_requests_in_flight 0\n"));
}
