//! The answers of the demo's registry: documents, errors and the headers on them.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, IntoHeaderName, LINK};
use http::{Response, StatusCode, Uri};
use http_body_util::Full;

use crate::oci::error::{self, ErrorCode};

/// 200, with its type and length.
pub(super) fn document(content_type: &str, bytes: Bytes) -> Response<Full<Bytes>> {
    let length = bytes.len().to_string();
    with(with(Response::new(Full::new(bytes)), CONTENT_TYPE, content_type), CONTENT_LENGTH, &length)
}

/// An error as registries write it.
pub(super) fn problem(status: StatusCode, code: ErrorCode, message: &str) -> Response<Full<Bytes>> {
    let mut response = document("application/json", error::body(code, message).into());
    *response.status_mut() = status;
    response
}

/// Links to the page that begins at `next`.
pub(super) fn linked(response: Response<Full<Bytes>>, next: Option<usize>, uri: &Uri) -> Response<Full<Bytes>> {
    match next {
        Some(next) => with(response, LINK, &format!("<{}?from={next}>; rel=\"next\"", uri.path())),
        None => response,
    }
}

/// Adds a header; one that cannot be sent is left out, as only a test would put it.
pub(super) fn with(
    mut response: Response<Full<Bytes>>,
    name: impl IntoHeaderName,
    value: &str,
) -> Response<Full<Bytes>> {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The header in which registries repeat a digest.
pub(super) const CONTENT_DIGEST: &str = "docker-content-digest";
