//! The answer: admitted content, or why there is none. It knows nothing of registries or verification.
//!
//! What a client is told follows what clients were seen to do: containerd shows nothing but the status line of a HEAD,
//! so the reason stands in the HTTP/1.1 reason phrase as well as in the body; a 404 would make it ask for the same
//! digest as a blob, so a denial is never one.

use std::sync::Arc;

use http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LINK, LOCATION,
    RETRY_AFTER,
};
use http::{HeaderMap, Response, StatusCode};
use hyper::ext::ReasonPhrase;

use crate::admission::Admitted;
use crate::body::{self, Body};
use crate::oci::{Manifest, error};
use crate::reason::{self, Class, Reason};

pub mod refusal;

mod phrase;

pub use refusal::Refusal;

/// An answer with a manifest, to be given once or often.
#[derive(Debug)]
pub struct Prepared {
    admitted: Admitted<Arc<Manifest>>,
    headers: HeaderMap,
}

/// Answers with a manifest. Only admitted ones can be given here.
pub fn manifest(admitted: Admitted<Arc<Manifest>>) -> Prepared {
    let manifest = admitted.content();
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(API_VERSION, HeaderValue::from_static(REGISTRY));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(manifest.media_type().as_str()));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(manifest.bytes().len()));
    // It is visible text; were it not, a client would miss the header and could not go on.
    if let Ok(digest) = HeaderValue::from_maybe_shared(manifest.digest_text().clone()) {
        headers.insert(CONTENT_DIGEST, digest);
    }
    admitted_for(&mut headers, &admitted);
    Prepared { admitted, headers }
}

impl Prepared {
    /// What it is that is given.
    pub fn admitted(&self) -> &Admitted<Arc<Manifest>> {
        &self.admitted
    }

    /// Gives it; without its body to a HEAD.
    pub fn answer(&self, head: bool) -> Response<Body> {
        let body = if head { body::empty() } else { body::full(self.admitted.content().bytes().clone()) };
        let mut response = Response::new(body);
        *response.headers_mut() = self.headers.clone();
        response
    }
}

/// Says on what grounds content is served.
fn admitted_for<T>(headers: &mut HeaderMap, admitted: &Admitted<T>) {
    headers.insert(REASON, HeaderValue::from_static(admitted.basis().reason().code()));
    if admitted.is_stale() {
        headers.insert(STALE, HeaderValue::from_static("true"));
    }
}

/// Answers `/v2/`.
pub fn ping(head: bool) -> Response<Body> {
    json(StatusCode::OK, "application/json", b"{}".to_vec(), head)
}

/// Answers with a page of a list; `next` is where a client finds the one after it.
pub fn list(content_type: &'static str, bytes: Vec<u8>, head: bool, next: Option<&str>) -> Response<Body> {
    let mut response = json(StatusCode::OK, content_type, bytes, head);
    if let Some(next) = next {
        response.headers_mut().insert(LINK, value(&format!("<{next}>; rel=\"next\"")));
    }
    response
}

/// Notes that the registry has left out referrers of other types than was asked for.
pub(crate) fn filtered(headers: &mut HeaderMap) {
    headers.insert(FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
}

fn json(status: StatusCode, content_type: &'static str, bytes: Vec<u8>, head: bool) -> Response<Body> {
    let length = bytes.len();
    let mut response = Response::new(if head { body::empty() } else { body::full(bytes.into()) });
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Answers with a refusal: status, reason phrase and OCI error body say the same.
pub fn refusal(refusal: &Refusal, head: bool) -> Response<Body> {
    let status = status(refusal.reason);
    let message = refusal.message();
    let mut response = json(status, "application/json", error::body(refusal.code(), &message), head);
    let phrase = format!("{}: {message}", status.canonical_reason().unwrap_or("Refused"));
    if let Ok(phrase) = ReasonPhrase::try_from(phrase::printable(&phrase, MAX_PHRASE).into_bytes()) {
        response.extensions_mut().insert(phrase);
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REASON, HeaderValue::from_static(refusal.reason.code()));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from(refusal.retry_after.as_secs().clamp(1, 300)));
    }
    response
}

fn status(reason: Reason) -> StatusCode {
    match reason.class() {
        Class::Allow => StatusCode::OK,
        Class::Deny => StatusCode::FORBIDDEN,
        Class::Request(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// Headers of a manifest's answer.
const HEADERS: usize = 6;

/// The longest reason phrase, in bytes: containerd prints more, log systems cut it.
const MAX_PHRASE: usize = 512;

/// The digest of a manifest, as the distribution specification names it.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// What clients tell a registry by.
pub(crate) const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// Its value.
pub(crate) const REGISTRY: &str = "registry/2.0";
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
/// The reason of the answer, allow reasons too.
pub(crate) const REASON: HeaderName = HeaderName::from_static("countersign-reason");
/// The mark of an answer by the last known good.
const STALE: HeaderName = HeaderName::from_static(reason::STALE_HEADER);

/// Answers with a blob; see [`crate::blob`].
pub(crate) fn blob(
    admitted: &Admitted<crate::oci::Blob>,
    status: StatusCode,
    content_type: HeaderValue,
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_DIGEST, value(&admitted.content().0.to_string()));
    admitted_for(headers, admitted);
    response
}

/// Sends the client for a blob to another host. The address is often a secret, and soon stale.
pub(crate) fn elsewhere(admitted: &Admitted<crate::oci::Blob>, location: HeaderValue) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_DIGEST, value(&admitted.content().0.to_string()));
    admitted_for(headers, admitted);
    response
}

#[cfg(test)]
mod tests;
