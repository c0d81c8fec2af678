//! Answers that are given without asking the service.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;

use crate::body::{self, Body};
use crate::oci::error::{self, ErrorCode};
use crate::reason::Reason;

/// Answers 503 for `reason`, in the body and in the reason phrase, and asks to come again.
pub fn unavailable(reason: Reason) -> Response<Body> {
    let next = reason.next_step().map_or(String::new(), |step| format!("; next: {step}"));
    let message = format!("{reason}: {}{next}", reason.meaning());
    let mut response = refusal(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, &message);
    if let Ok(phrase) = ReasonPhrase::try_from(format!("Service Unavailable: {message}").into_bytes()) {
        response.extensions_mut().insert(phrase);
    }
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Answers with an error body of the distribution specification.
pub(crate) fn refusal(status: StatusCode, code: ErrorCode, message: &str) -> Response<Body> {
    let bytes = Bytes::from(error::body(code, message));
    let length = HeaderValue::from(bytes.len());
    let mut response = Response::new(body::full(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
