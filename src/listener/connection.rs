//! One connection, from its first byte to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, ready};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::stall::Stall;
use super::streams::Bounds;
use super::tls::{Greeted, Tls};
use super::{ClientAddress, Handler, MAX_HEADER, http2, shed};
use crate::body::Body;
use crate::oci::error::ErrorCode;

/// How a connection is served.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) tls: Option<Arc<Tls>>,
    /// How long TLS may take, and then each head.
    pub(super) patience: Duration,
    /// Whether more than one request is answered.
    pub(super) keep_alive: bool,
}

/// Serves one connection. When `shutdown` is true, or its sender gone, it ends with the answers that have begun.
pub(super) async fn serve<H>(
    stream: TcpStream,
    peer: SocketAddr,
    handler: H,
    terms: Terms,
    mut shutdown: watch::Receiver<bool>,
) where
    H: Handler,
{
    // A head or an error body should not wait for more; if the socket is gone, reading it will tell.
    let _ = stream.set_nodelay(true);
    let Terms { tls, patience, keep_alive } = terms;
    let ended = match tls {
        None => http1(Stall::new(stream, STALL), peer, handler, patience, keep_alive, shutdown).await,
        Some(tls) => {
            let greeted = tokio::select! {
                greeted = tls.greet(stream, STALL, patience) => greeted,
                _ = shutdown.wait_for(|stop| *stop) => return,
            };
            match greeted {
                Ok(Greeted::Http1(stream)) => http1(stream, peer, handler, patience, keep_alive, shutdown).await,
                Ok(Greeted::Http2(stream)) => {
                    let bounds = Bounds { idle: patience, stall: STALL, once: !keep_alive };
                    http2::serve(stream, peer, handler, bounds, shutdown).await
                }
                Ok(Greeted::Plain(stream)) => {
                    let refuse = |_| Either::Left(ready(tls_wanted()));
                    http1(Stall::new(stream, STALL), peer, refuse, patience, false, shutdown).await
                }
                Err(error) => {
                    tracing::debug!(client.address = %peer, %error, "no TLS came about");
                    return;
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(client.address = %peer, %error, "connection ended");
    }
}

/// Serves HTTP/1.1.
async fn http1<H, I>(
    io: I,
    peer: SocketAddr,
    handler: H,
    header_timeout: Duration,
    keep_alive: bool,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), hyper::Error>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Handler,
{
    let service = service_fn(move |request: Request<Incoming>| {
        handler(request.map(|_| ClientAddress(peer))).map(Ok::<_, Infallible>)
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_header_size(MAX_HEADER as usize)
        // A piece of a blob is several times as long: one waits for the client, and no second beside it.
        .max_buf_size(2 * MAX_HEADER as usize)
        // A client that has sent all it will may close its half and still wants the answer.
        .half_close(true)
        .keep_alive(keep_alive);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        _ = shutdown.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

/// What a client is told that speaks HTTP where HTTPS is spoken.
fn tls_wanted() -> Response<Body> {
    shed::refusal(StatusCode::BAD_REQUEST, ErrorCode::Unsupported, "this is HTTPS, and the request is plain HTTP")
}

/// How long a client may be waited for while it takes a piece of an answer: less than 1 KiB/s is no pull.
pub(super) const STALL: Duration = Duration::from_mins(1);
