//! A blob as it streams from the registry, with the few headers that a client may see of it.
//!
//! A part that was not asked for is refused. The digest is checked by whoever passes it on.

use std::fmt;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::UpstreamError;
use super::body::{self, Pace};
use super::message::Response;

/// What the registry answers to whom asks for a blob.
pub enum BlobAnswer {
    /// The blob.
    Sent(BlobResponse),
    /// The address, at an allowed host, where the client itself is to ask.
    Elsewhere(HeaderValue),
}

/// A blob, or a part of one, on its way.
pub struct BlobResponse {
    /// 200, 206 or 416.
    pub status: u16,
    /// `Content-Length`.
    pub content_length: Option<u64>,
    /// `Content-Range`.
    pub content_range: Option<ContentRange>,
    /// The boundary of an answer in several parts.
    pub boundary: Option<String>,
    /// The bytes. A pause longer than the configured one is its last item, and so is any other error.
    pub body: BoxStream<'static, Result<Bytes, UpstreamError>>,
}

/// Which bytes of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The first and the last byte; none of a 416.
    pub span: Option<(u64, u64)>,
    /// The size of the whole, if it is said.
    pub total: Option<u64>,
}

impl BlobResponse {
    /// Takes the answer to `method`, 200, 206 or 416.
    pub(super) fn new(response: Response, method: &Method, ranged: bool, pace: Pace) -> Result<Self, UpstreamError> {
        let status = response.status();
        let headers = response.headers();
        let content_range = text(headers, &CONTENT_RANGE).and_then(ContentRange::parse);
        let boundary = text(headers, &CONTENT_TYPE).and_then(boundary);
        if status == StatusCode::PARTIAL_CONTENT && !ranged {
            return Err(UpstreamError::Malformed("it is a part of the blob, and no part was asked for"));
        }
        let part = content_range.is_some_and(|range| range.span.is_some());
        if status == StatusCode::PARTIAL_CONTENT && !part && boundary.is_none() {
            return Err(UpstreamError::Malformed("it is a part of the blob, and does not say which"));
        }
        Ok(Self {
            status: status.as_u16(),
            content_length: text(headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok()),
            content_range,
            boundary,
            body: match status {
                // What it carries is the registry's error, not content.
                StatusCode::RANGE_NOT_SATISFIABLE => stream::empty().boxed(),
                _ if *method == Method::HEAD => stream::empty().boxed(),
                _ => body::stream(response, pace.idle)?,
            },
        })
    }

    /// What a HEAD would say, from the answer to a GET of the first byte.
    pub(super) fn measured(self) -> Result<Self, UpstreamError> {
        let total = self.content_range.and_then(|range| range.total);
        let content_length = if self.status == 200 { self.content_length } else { total };
        if content_length.is_none() {
            return Err(UpstreamError::Malformed("it does not say how long the blob is"));
        }
        let body = stream::empty().boxed();
        Ok(Self { status: 200, content_length, content_range: None, boundary: None, body })
    }
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (unit, range) = text.trim().split_once(' ')?;
        let (span, total) = range.trim().split_once('/')?;
        let total = if total == "*" { None } else { Some(total.parse().ok()?) };
        let span = match span {
            "*" => None,
            span => {
                let (first, last) = span.split_once('-')?;
                Some((first.parse().ok()?, last.parse().ok()?))
            }
        };
        let ordered = span.is_none_or(|(first, last): (u64, u64)| first <= last && total.is_none_or(|all| last < all));
        (unit.eq_ignore_ascii_case("bytes") && ordered).then_some(Self { span, total })
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.span {
            Some((first, last)) => write!(f, "bytes {first}-{last}/")?,
            None => f.write_str("bytes */")?,
        }
        match self.total {
            Some(total) => write!(f, "{total}"),
            None => f.write_str("*"),
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The boundary in `multipart/byteranges; boundary=…`, if it needs no quotes or has them.
fn boundary(content_type: &str) -> Option<String> {
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("multipart/byteranges") {
        return None;
    }
    let (_, value) = parts.filter_map(|part| part.split_once('=')).find(|(n, _)| n.eq_ignore_ascii_case("boundary"))?;
    let value = value.trim_matches('"');
    let fits = (1..=70).contains(&value.len());
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&b));
    (fits && plain).then(|| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read_strictly() {
        for (text, span, total) in [
            ("bytes 0-3/10", Some((0, 3)), Some(10)),
            ("Bytes 9-9/10", Some((9, 9)), Some(10)),
            ("bytes 0-3/*", Some((0, 3)), None),
            ("bytes */10", None, Some(10)),
        ] {
            let range = ContentRange::parse(text).expect(text);
            assert_eq!(range, ContentRange { span, total });
            assert_eq!(range.to_string(), text.to_lowercase());
        }
        for text in ["", "bytes", "bytes 3-0/10", "bytes 0-10/10", "bytes 0-3", "lines 0-3/10", "bytes -3/10", "0-3/10"]
        {
            assert_eq!(ContentRange::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_boundary_is_taken_out_of_its_type() {
        for (text, expected) in [
            ("multipart/byteranges; boundary=THIS_STRING", Some("THIS_STRING")),
            ("Multipart/ByteRanges;charset=x; Boundary=\"a:b\"", Some("a:b")),
            ("multipart/byteranges", None),
            ("multipart/byteranges; boundary=", None),
            ("multipart/byteranges; boundary=\"a\\\"; x\"", None),
            ("multipart/mixed; boundary=a", None),
            ("application/vnd.oci.image.manifest.v1+json; boundary=a", None),
        ] {
            assert_eq!(boundary(text).as_deref(), expected, "{text}");
        }
    }
}
