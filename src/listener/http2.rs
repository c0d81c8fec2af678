//! HTTP/2, put into the words of HTTP/1.1, so that one set of rules judges both.
//!
//! `:authority` is `Host`, and a second one if both are there and differ. What follows a head is a body, announced or
//! not. There is no reason phrase: the body of a refusal and its header `countersign-reason` say the same.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::streams::{Bounds, Over, Streams};
use super::{ClientAddress, Handler, MAX_HEADER};
use crate::body::{self, Body};

/// Serves a connection until it ends, is abused, or has been idle for too long.
pub(super) async fn serve<H, I>(
    io: I,
    peer: SocketAddr,
    handler: H,
    bounds: Bounds,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), hyper::Error>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let streams = Streams::new(bounds);
    let seen = streams.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let stream = seen.begin();
        let head = request.method() == Method::HEAD;
        let answer = handler(in_words_of_http1(request).map(|_| ClientAddress(peer)));
        async move {
            let response = answer.await;
            let response = if head { without_body(response) } else { response };
            Ok::<_, Infallible>(response.map(|body| stream.answered(body)))
        }
    });
    let mut connection = pin!(builder().serve_connection(TokioIo::new(io), service));
    let mut leaving = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => return ended,
            over = streams.over() => match over {
                Over::Enough => connection.as_mut().graceful_shutdown(),
                Over::Abused => return Ok(()),
            },
            _ = shutdown.wait_for(|stop| *stop), if !leaving => {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The bounds of one connection. That of streams taken back before they were looked at is h2's own (20); see
/// [`Streams`] for those taken back later.
fn builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER)
        // What clients send is heads: bodies are refused, so there is nothing to gain from more.
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// The request as HTTP/1.1 would have put it.
fn in_words_of_http1<B: http_body::Body>(request: Request<B>) -> Request<B> {
    let (mut head, body) = request.into_parts();
    if let Some(authority) = head.uri.authority() {
        let name = authority.as_str().as_bytes();
        let same = |host: &HeaderValue| host.as_bytes().eq_ignore_ascii_case(name);
        if !head.headers.get(HOST).is_some_and(same)
            && let Ok(host) = HeaderValue::from_bytes(name)
        {
            head.headers.append(HOST, host);
        }
    }
    if let Some(target) = head.uri.path_and_query().filter(|_| head.method != Method::CONNECT) {
        head.uri = Uri::from(target.clone());
    }
    if !body.is_end_stream() {
        head.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    Request::from_parts(head, body)
}

/// The answer to a HEAD: hyper sends what it is given, and clients take any body for a broken connection.
fn without_body(mut response: Response<Body>) -> Response<Body> {
    let length = response.body().size_hint().exact();
    if let Some(length) = length.filter(|_| !response.headers().contains_key(CONTENT_LENGTH)) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    response.map(|_| body::empty())
}

/// Requests at a time on one connection.
const MAX_STREAMS: u32 = 100;
/// Bytes that a client may send before it is told to go on, of one stream and of all.
const WINDOW: u32 = 64 << 10;
/// Bytes of an answer that wait for the client.
const SEND_BUFFER: usize = 256 << 10;
/// How often a silent client is asked whether it is there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests;
