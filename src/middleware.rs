//! What is cross-cutting, in one stack. Verification is not in it: a layer can be left out, a type cannot.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use futures_util::future::Either;
use http::header::{CACHE_CONTROL, CONNECTION, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::body::Body;
use crate::listener::shed;
use crate::oci::error::ErrorCode;
use crate::reason::Reason;
use crate::telemetry::{Facts, Metrics};

mod observe;

#[cfg(test)]
mod tests;

/// Puts the stack around `service`.
pub fn stack<S, B>(
    service: S,
    metrics: Arc<Metrics>,
) -> impl Service<Request<B>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    let service = tower::service_fn(move |request: Request<B>| {
        if is_unexpected_body(&request) {
            Either::Left(ready(Ok(body_refused())))
        } else {
            Either::Right(service.clone().oneshot(request))
        }
    });
    let after_panic = metrics.clone();
    ServiceBuilder::new()
        // Outermost: whatever happens below, there is a line and the gauge goes down.
        .layer(tower::layer::layer_fn(move |inner| observe::Observe::new(inner, metrics.clone())))
        // Above what can fail, so that no answer is without them.
        .layer(SetResponseHeaderLayer::overriding(API_VERSION, HeaderValue::from_static("registry/2.0")))
        .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, no_store_on_errors))
        // Innermost: a panic below becomes an answer before any other layer hears of it.
        .layer(CatchPanicLayer::custom(move |_| panicked(&after_panic)))
        .service(service)
}

/// Whether a pull announces a chunked body. No client sends one, and where an intermediary reads the framing
/// otherwise than hyper, what one takes for a body is the other's next request.
fn is_unexpected_body<B>(request: &Request<B>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && request.headers().contains_key(TRANSFER_ENCODING)
}

fn body_refused() -> Response<Body> {
    let message = "a pull has no body";
    let mut response = shed::refusal(StatusCode::BAD_REQUEST, ErrorCode::Unsupported, message);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response.extensions_mut().insert(Facts { detail: Some(message.into()), ..Facts::default() });
    response
}

/// A panic allows nothing: 503, counted, because the handler did not come to count it.
fn panicked(metrics: &Metrics) -> Response<Body> {
    metrics.decision("unavailable", Reason::Internal, "");
    let mut response = shed::unavailable(Reason::Internal);
    let detail = Some("a panic; its place is on standard error".into());
    response.extensions_mut().insert(Facts { reason: Some(Reason::Internal), detail, ..Facts::default() });
    response
}

fn no_store_on_errors<T>(response: &Response<T>) -> Option<HeaderValue> {
    let error = response.status().is_client_error() || response.status().is_server_error();
    error.then_some(HeaderValue::from_static("no-store"))
}

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
