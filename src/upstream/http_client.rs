//! The HTTP client: connections that are made in bounded time and kept for the next request.
//!
//! It follows no redirect, and takes nothing from the environment: no proxy stands between.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Builder, Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::redirect::Resolver;

/// A client, and the connections that it keeps. A clone shares them.
#[derive(Debug, Clone)]
pub(super) struct HttpClient(Client<Dialler, Full<Bytes>>);

impl HttpClient {
    /// Speaks HTTP/1.1; dials what `resolver` gives, `within` this time.
    pub(super) fn http1(mut tls: ClientConfig, resolver: Resolver, within: Duration) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(builder().build(Dialler::new(tls, resolver, within)))
    }

    /// Speaks HTTP/2 as well, with servers that prefer it. Such a server has bounds to what it may make the proxy hold,
    /// and a connection that went silent is noticed.
    pub(super) fn http2(mut tls: ClientConfig, resolver: Resolver, within: Duration) -> Self {
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut builder = builder();
        builder
            .http2_max_header_list_size(32 << 10)
            .http2_initial_stream_window_size(256 << 10)
            .http2_initial_connection_window_size(4 << 20)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .http2_keep_alive_timeout(Duration::from_secs(5));
        Self(builder.build(Dialler::new(tls, resolver, within)))
    }

    /// Sends a request; comes back with the headers of its answer.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        self.0.request(request).await
    }
}

fn builder() -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(POOL_IDLE);
    builder
}

/// Makes connections: name, TCP and TLS in bounded time.
#[derive(Debug, Clone)]
struct Dialler {
    https: HttpsConnector<HttpConnector<Resolver>>,
    within: Duration,
}

impl Dialler {
    fn new(tls: ClientConfig, resolver: Resolver, within: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(resolver);
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(within));
        http.set_keepalive(Some(PROBE));
        http.set_keepalive_interval(Some(PROBE));
        http.set_keepalive_retries(Some(PROBES));
        #[cfg(target_os = "linux")]
        http.set_tcp_user_timeout(Some(PROBE * 2));
        Self { https: HttpsConnector::from((http, Arc::new(tls))), within }
    }
}

impl Service<Uri> for Dialler {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (dialled, within) = (self.https.call(uri), self.within);
        Box::pin(async move { timeout(within, dialled).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))? })
    }
}

/// Shorter than registries and the balancers before them keep a connection.
const POOL_IDLE: Duration = Duration::from_secs(30);
/// How long TCP hears nothing before it asks, and between two questions.
const PROBE: Duration = Duration::from_secs(15);
const PROBES: u32 = 3;
