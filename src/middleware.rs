//! What is cross-cutting, in one stack. Verification is not in it: a layer can be left out, a type cannot.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode, Version};
use tower::{Service, ServiceExt};

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
    let counted = metrics.clone();
    // Outermost: whatever happens below, there is a line and the gauge goes down.
    observe::Observe::new(tower::service_fn(move |request| answer(service.clone(), request, counted.clone())), metrics)
}

/// What `service` answers, or that it panicked; no answer is without these headers.
async fn answer<S, B>(service: S, request: Request<B>, metrics: Arc<Metrics>) -> Result<Response<Body>, Infallible>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
{
    let mut response = match malformed(&request) {
        Some(why) => refused(why),
        None => match AssertUnwindSafe(service.oneshot(request)).catch_unwind().await {
            Ok(answer) => answer?,
            Err(_) => panicked(&metrics),
        },
    };
    let error = response.status().is_client_error() || response.status().is_server_error();
    let headers = response.headers_mut();
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    if error {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(response)
}

/// What in a request's head can be read in two ways, of what hyper lets pass. No client announces a body for a pull, and
/// where an intermediary reads the framing otherwise than hyper, what one takes for a body is the other's next request.
fn malformed<B>(request: &Request<B>) -> Option<&'static str> {
    let headers = request.headers();
    let pull = matches!(*request.method(), Method::GET | Method::HEAD);
    let length = headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if pull && (length || headers.contains_key(TRANSFER_ENCODING)) {
        return Some("a pull has no body");
    }
    let hosts = headers.get_all(HOST).iter().count();
    (request.version() >= Version::HTTP_11 && hosts != 1).then_some("a request has one `Host`")
}

fn refused(message: &'static str) -> Response<Body> {
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

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
