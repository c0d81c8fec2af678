//! The operator's listener: liveness, readiness, metrics. It is apart from the pulls, so that neither can be had
//! through the other's address.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, ready};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::body::{self, Body};
use crate::listener::{self, ClientAddress, Handler, Options};
use crate::telemetry::Metrics;

/// Whether pulls should be sent here.
#[derive(Debug)]
pub struct Readiness(AtomicU8);

const LOADING: u8 = 0;
const READY: u8 = 1;
const DRAINING: u8 = 2;

impl Readiness {
    /// Not ready: policy or trust are not loaded.
    pub const fn loading() -> Self {
        Self(AtomicU8::new(LOADING))
    }

    /// Ready.
    pub const fn ready() -> Self {
        Self(AtomicU8::new(READY))
    }

    /// Everything is loaded now; what is draining stays so.
    pub fn loaded(&self) {
        // It fails if it was ready, or is draining: both may stay.
        let _ = self.0.compare_exchange(LOADING, READY, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// No more pulls should be sent here.
    pub fn draining(&self) {
        self.0.store(DRAINING, Ordering::Relaxed);
    }

    /// Why it is not ready, if it is not.
    pub fn obstacle(&self) -> Option<&'static str> {
        match self.0.load(Ordering::Relaxed) {
            READY => None,
            DRAINING => Some("draining"),
            _ => Some("not loaded"),
        }
    }
}

/// Serves the operator until `shutdown`, which should come after the pulls have drained: `/readyz` says so meanwhile.
pub async fn serve(
    tcp: TcpListener,
    metrics: Arc<Metrics>,
    readiness: Arc<Readiness>,
    shutdown: watch::Receiver<bool>,
) {
    let counted = metrics.listener("admin");
    listener::serve_as(tcp, handler(metrics, readiness), OPTIONS, counted, shutdown).await;
}

/// `/livez`, `/readyz` and `/metrics`.
pub fn handler(metrics: Arc<Metrics>, readiness: Arc<Readiness>) -> impl Handler {
    move |request: Request<ClientAddress>| {
        Either::Left(ready(answer(request.method(), request.uri().path(), &metrics, &readiness)))
    }
}

fn answer(method: &Method, path: &str, metrics: &Metrics, readiness: &Readiness) -> Response<Body> {
    let known = matches!(path, "/livez" | "/readyz" | "/metrics");
    if known && !matches!(*method, Method::GET | Method::HEAD) {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n".into());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match (path, readiness.obstacle()) {
        ("/livez", _) => text(StatusCode::OK, "alive\n".into()),
        ("/readyz", None) => text(StatusCode::OK, ready_text(metrics)),
        ("/readyz", Some(obstacle)) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{obstacle}\n")),
        ("/metrics", _) => {
            let mut response = text(StatusCode::OK, metrics.render());
            let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, content_type);
            response
        }
        _ => text(StatusCode::NOT_FOUND, "not found\n".into()),
    }
}

/// A store that is down stops no pull, and is said all the same.
fn ready_text(metrics: &Metrics) -> String {
    let trouble = metrics.store().trouble();
    let trouble = trouble.map(|why| format!("store: fails; pulls go on without it: {why}\n"));
    format!("ready\n{}", trouble.unwrap_or_default())
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(body::full(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A handful of probes and scrapers.
const OPTIONS: Options =
    Options { tls: None, max_connections: 64, header_timeout: Duration::from_secs(30), drain: Duration::from_secs(2) };

#[cfg(test)]
mod tests;
