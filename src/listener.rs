//! The downstream side: accepts connections, one task each, within limits, and ends in an orderly way.
//!
//! HTTP/1.1, with TLS or without: the reason phrase of a denial needs it, which is what containerd shows. HTTP/2 only
//! over TLS, and only if it is configured. What is bounded here: connections, the time for TLS, the time and size of a
//! request's head (which is also how long a connection may idle), the time that a client may refuse to read, and the
//! time to finish after a shutdown. hyper refuses ambiguous framing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, Either, Ready, ready};
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::body::Body;
use crate::reason::Reason;
use crate::telemetry::{ListenerMetrics, Metrics};
use connection::Terms;

pub use tls::Tls;

pub mod shed;

pub mod tls;

mod connection;

mod http2;

mod stall;

mod streams;

#[cfg(test)]
pub(crate) mod tests;

/// What a listener speaks, and its bounds.
#[derive(Debug, Clone)]
pub struct Options {
    /// What it shows to clients; without it, it speaks plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// Connections served at a time.
    pub max_connections: usize,
    /// How long a client may take to agree upon TLS, to send the head of a request, and idle before it.
    pub header_timeout: Duration,
    /// How long answers that have begun may take after a shutdown.
    pub drain: Duration,
}

/// Where a request comes from: all that a request has besides its head, because what no client sends with a pull, a
/// body, nobody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub SocketAddr);

/// What answers requests.
pub trait Handler: Fn(Request<ClientAddress>) -> Answering + Clone + Send + Sync + 'static {}

impl<H> Handler for H where H: Fn(Request<ClientAddress>) -> Answering + Clone + Send + Sync + 'static {}

/// An answer, at once or in a while.
pub type Answering = Either<Ready<Response<Body>>, BoxFuture<'static, Response<Body>>>;

/// Has `handler` answer what comes in on `tcp` until `shutdown` is true or its sender is gone; then closes what is idle
/// at once, lets what is in flight finish, and returns, after `options.drain` at the latest.
///
/// Connections above the limit are answered `503 overloaded` and closed. Leaving them in the kernel's queue instead
/// would look like a dead network: containerd waits without a word, and old versions then try another door.
/// As many as [`SPARE`] are turned away at a time; only then does the queue fill.
pub async fn serve<H>(
    tcp: TcpListener,
    handler: H,
    options: Options,
    metrics: Arc<Metrics>,
    shutdown: watch::Receiver<bool>,
) where
    H: Handler,
{
    serve_as(tcp, handler, options, metrics.listener("pull"), shutdown).await;
}

/// [`serve`], counted under another name.
pub(crate) async fn serve_as<H>(
    tcp: TcpListener,
    handler: H,
    options: Options,
    metrics: ListenerMetrics,
    mut shutdown: watch::Receiver<bool>,
) where
    H: Handler,
{
    let places = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
    let spare = Arc::new(Semaphore::new(SPARE));
    let mut connections = JoinSet::new();
    let mut said = None::<Instant>;
    loop {
        let (stream, peer, to_spare) = tokio::select! {
            _ = shutdown.wait_for(|stop| *stop) => break,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection panicked");
                }
                continue;
            }
            accepted = accept(&tcp, &spare, &metrics) => accepted,
        };
        let in_use = metrics.connection();
        let (tls, stopping) = (options.tls.clone(), shutdown.clone());
        if let Ok(place) = places.clone().try_acquire_owned() {
            drop(to_spare);
            let terms = Terms { tls, patience: options.header_timeout, keep_alive: true };
            let connection = connection::serve(stream, peer, handler.clone(), terms, stopping);
            connections.spawn(holding(connection, (place, in_use)));
        } else {
            metrics.turned_away();
            if said.is_none_or(|said| said.elapsed() > SAY_AGAIN) {
                said = Some(Instant::now());
                tracing::warn!(max_connections = options.max_connections, "connections are turned away");
            }
            let refuse = |_| Either::Left(ready(shed::unavailable(Reason::Overloaded)));
            let terms = Terms { tls, patience: options.header_timeout.min(TURN_AWAY), keep_alive: false };
            let connection = connection::serve(stream, peer, refuse, terms, stopping);
            connections.spawn(holding(connection, (to_spare, in_use)));
        }
    }
    drop(tcp);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(options.drain, all).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections are cut: they did not finish in time");
    }
    connections.shutdown().await;
}

/// Waits for a connection while there is room to turn one away; an error never ends it.
async fn accept(
    tcp: &TcpListener,
    spare: &Arc<Semaphore>,
    metrics: &ListenerMetrics,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    let to_spare = spare.clone().acquire_owned().await.ok(); // it is never closed
    loop {
        match tcp.accept().await {
            Ok((stream, peer)) => return (stream, peer, to_spare),
            Err(error) => {
                metrics.accept_error();
                if let Some(pause) = pause_after(&error) {
                    tracing::warn!(%error, "connections cannot be accepted");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// How long to wait after `accept` failed: not at all if it concerns that one connection; else until some descriptor
/// or memory may have been given back, because the next try would fail at once, and the next.
fn pause_after(error: &io::Error) -> Option<Duration> {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    let of_one = matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted);
    (!of_one).then_some(Duration::from_millis(250))
}

/// Drives a connection to its end while it holds its place.
async fn holding<P>(connection: impl Future<Output = ()>, place: P) {
    connection.await;
    drop(place);
}

/// Connections that are told at a time that there are too many.
pub const SPARE: usize = 64;

/// How long one that is turned away may take to ask.
const TURN_AWAY: Duration = Duration::from_secs(2);

/// How often a log line says so.
const SAY_AGAIN: Duration = Duration::from_secs(10);

/// Bytes of an answer that a client has to take within [`connection::STALL`], however it spreads them.
const PIECE: usize = 64 << 10;

/// Bytes of a request's head: tokens of some issuers are larger than 8 KiB.
const MAX_HEADER: u32 = 32 << 10;
