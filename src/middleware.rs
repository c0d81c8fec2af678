//! What is cross-cutting, in one stack. Verification is not in it: a layer can be left out, a type cannot.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{Either, ready};
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, StatusCode, Version};

use crate::listener::{ClientAddress, Handler, shed};
use crate::oci::error::ErrorCode;
use crate::reason::Reason;
use crate::respond::{API_VERSION, REGISTRY};
use crate::telemetry::{Answer, Facts, Metrics, log};

mod observe;

#[cfg(test)]
mod tests;

/// Puts the stack around `handler`; what `at_once` has an answer to does not come to it.
pub fn stack<A, H, F>(at_once: A, handler: H, metrics: Arc<Metrics>) -> impl Handler
where
    A: Fn(&Request<ClientAddress>) -> Option<Answer> + Clone + Send + Sync + 'static,
    H: Fn(Request<ClientAddress>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output: Into<Answer>> + Send + 'static,
{
    // Outermost: whatever happens below, there is a line and the gauge goes down.
    move |request: Request<ClientAddress>| {
        let in_flight = metrics.request();
        let look = AssertUnwindSafe(|| if malformed(&request).is_none() { at_once(&request) } else { None });
        // After a panic the handler looks.
        if let Ok(Some(answer)) = catch_unwind(look) {
            // For a line that is not written nothing is kept.
            let answered = if log::writes_answers() {
                observe::Line::begin(&request, in_flight).observed(answer)
            } else {
                answer.response
            };
            return Either::Left(ready(answered));
        }
        let line = observe::Line::begin(&request, in_flight);
        Either::Right(line.observe(answer(handler.clone(), request, metrics.clone())).boxed())
    }
}

/// What `handler` answers, or that it panicked; no answer is without these headers.
async fn answer<H, F>(handler: H, request: Request<ClientAddress>, metrics: Arc<Metrics>) -> Answer
where
    H: Fn(Request<ClientAddress>) -> F,
    F: Future<Output: Into<Answer>>,
{
    let Answer { mut response, facts } = match malformed(&request) {
        Some(why) => refused(why),
        None => match AssertUnwindSafe(async { handler(request).await.into() }).catch_unwind().await {
            Ok(answer) => answer,
            Err(_) => panicked(&metrics),
        },
    };
    let error = response.status().is_client_error() || response.status().is_server_error();
    let headers = response.headers_mut();
    headers.insert(API_VERSION, HeaderValue::from_static(REGISTRY));
    if error {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Answer { response, facts }
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

fn refused(message: &'static str) -> Answer {
    let mut response = shed::refusal(StatusCode::BAD_REQUEST, ErrorCode::Unsupported, message);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    Answer { response, facts: Facts { detail: Some(message.into()), ..Facts::default() }.into() }
}

/// A panic allows nothing: 503, counted, because the handler did not come to count it.
fn panicked(metrics: &Metrics) -> Answer {
    metrics.decision("unavailable", Reason::Internal, "");
    let detail = Some("a panic; its place is on standard error".into());
    let facts = Facts { reason: Some(Reason::Internal), detail, ..Facts::default() };
    Answer { response: shed::unavailable(Reason::Internal), facts: facts.into() }
}
