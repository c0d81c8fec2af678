//! A blob as it streams from the registry, with the few headers that a client may see of it.
//!
//! A part that was not asked for is refused. The digest is checked by whoever passes it on.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
};
use http::{Method, StatusCode};
use reqwest::Response;

use super::UpstreamError;
use super::body::{self, Pace};

/// A blob, or a part of one, on its way.
pub struct BlobResponse {
    /// 200, 206 or 416.
    pub status: u16,
    /// `Content-Length`.
    pub content_length: Option<u64>,
    /// `Content-Range`.
    pub content_range: Option<HeaderValue>,
    /// `Accept-Ranges`.
    pub accept_ranges: Option<HeaderValue>,
    /// `ETag`, for a later `If-Range`.
    pub etag: Option<HeaderValue>,
    /// `Content-Type` of an answer in several parts, with the boundary between them; never that of the blob.
    pub byteranges: Option<HeaderValue>,
    /// The bytes. A pause longer than the configured one is its last item, and so is any other error.
    pub body: BoxStream<'static, Result<Bytes, UpstreamError>>,
}

impl BlobResponse {
    /// Takes the answer to `method`, 200, 206 or 416.
    pub(super) fn new(response: Response, method: &Method, ranged: bool, pace: Pace) -> Result<Self, UpstreamError> {
        let status = response.status();
        let headers = response.headers();
        let byteranges = get(headers, &CONTENT_TYPE).filter(is_byteranges);
        let content_range = get(headers, &CONTENT_RANGE);
        if status == StatusCode::PARTIAL_CONTENT && !ranged {
            return Err(UpstreamError::Malformed("it is a part of the blob, and no part was asked for"));
        }
        if status == StatusCode::PARTIAL_CONTENT && content_range.is_none() && byteranges.is_none() {
            return Err(UpstreamError::Malformed("it is a part of the blob, and does not say which"));
        }
        Ok(Self {
            status: status.as_u16(),
            content_length: get(headers, &CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()),
            content_range,
            accept_ranges: get(headers, &ACCEPT_RANGES),
            etag: get(headers, &ETAG),
            byteranges,
            body: match status {
                // What it carries is the registry's error, not content.
                StatusCode::RANGE_NOT_SATISFIABLE => stream::empty().boxed(),
                _ if *method == Method::HEAD => stream::empty().boxed(),
                _ => body::stream(response, pace.idle)?,
            },
        })
    }
}

fn get(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    headers.get(name).cloned()
}

fn is_byteranges(value: &HeaderValue) -> bool {
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("multipart/byteranges")
}
