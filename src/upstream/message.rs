//! What is asked and what is answered, as HTTP has it. Neither shows its headers or its body, which may hold secrets.

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT};
use http::response::Parts;
use http::{Method, StatusCode, Uri, Version};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use url::Url;

use super::UpstreamError;

/// A request, which can be sent as often as it has to be.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// Asks `url`, with nothing but the headers of every request.
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: usual_headers(), body: Bytes::new() }
    }

    /// The same for the HTTP client.
    ///
    /// # Errors
    /// An address that nothing can be sent to.
    pub(super) fn message(&self) -> Result<http::Request<Full<Bytes>>, UpstreamError> {
        let uri: Result<Uri, _> = self.url.as_str().parse();
        let uri = uri.map_err(|_| UpstreamError::Malformed("it leads to an address that cannot be asked"))?;
        let mut message = http::Request::new(Full::new(self.body.clone()));
        *message.method_mut() = self.method.clone();
        *message.uri_mut() = uri;
        *message.headers_mut() = self.headers.clone();
        Ok(message)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The headers of every request, unless it says otherwise: who asks, and for bytes as they are.
pub(super) fn usual_headers() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("countersign/", env!("CARGO_PKG_VERSION"))));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

/// An answer, whose body is still on its way.
pub(super) struct Response {
    head: Parts,
    url: Url,
    body: Incoming,
}

impl Response {
    /// The answer that `url` gave.
    pub(super) fn new(url: Url, answer: http::Response<Incoming>) -> Self {
        let (head, body) = answer.into_parts();
        Self { head, url, body }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(super) fn version(&self) -> Version {
        self.head.version
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Where it came from.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// How many bytes are to come, if that is known.
    pub(super) fn length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    pub(super) fn body_mut(&mut self) -> &mut Incoming {
        &mut self.body
    }

    pub(super) fn into_body(self) -> Incoming {
        self.body
    }

    /// What is left when the body was read: the headers, and where they came from.
    pub(super) fn into_head(self) -> (HeaderMap, Url) {
        (self.head.headers, self.url)
    }
}

/// Those of every request, its own, and whom it is sent for.
const HEADERS: usize = 6;
