//! Pulls over real HTTP and reads the reason of the answer, as a node's operator would.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;

/// An HTTP client for loopback.
#[derive(Debug, Clone)]
pub struct Client(reqwest::Client);

/// An answer, read completely.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// From sending the request to the end of the body.
    pub took: Duration,
}

/// The reason of an answer, in the proxy's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The reason code; empty if the answer has none.
    pub reason: String,
    /// Why the nearest candidate did not count.
    pub cause: Option<String>,
}

impl Client {
    /// Makes a client that follows no redirect and uses no proxy from the environment.
    ///
    /// # Errors
    /// If there is no TLS provider.
    pub fn new() -> io::Result<Self> {
        // The client insists on a TLS provider though nothing here is TLS. In the program, main has installed it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(io::Error::other)?;
        Ok(Self(client))
    }

    /// Sends a request without a body, and reads the answer up to 16 MiB.
    ///
    /// # Errors
    /// If the connection fails, or the body is cut off or longer.
    pub async fn send(&self, method: &Method, url: &str, headers: HeaderMap) -> io::Result<Answer> {
        let begun = Instant::now();
        let request = self.0.request(method.clone(), url).headers(headers);
        let response = http::Response::from(request.send().await.map_err(|error| failed(url, &error))?);
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LIMIT).collect().await.map_err(|error| failed(url, &*error))?.to_bytes();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, took: begun.elapsed() })
    }

    /// [`Client::send`] of a GET without further headers.
    ///
    /// # Errors
    /// As there.
    pub async fn get(&self, url: &str) -> io::Result<Answer> {
        self.send(&Method::GET, url, HeaderMap::new()).await
    }
}

impl Answer {
    /// The reason: of an error from the text `reason (cause): …` in its OCI body, otherwise from the header.
    pub fn given(&self) -> Given {
        let header = self.headers.get("countersign-reason").and_then(|value| value.to_str().ok());
        let message = self.message();
        let (codes, _) = message.split_once(": ").unwrap_or_default();
        let (reason, cause) = match codes.strip_suffix(')').and_then(|codes| codes.split_once(" (")) {
            Some((reason, cause)) => (reason, Some(cause.to_string())),
            None => (codes, None),
        };
        if self.status < 400 || reason.is_empty() {
            return Given { reason: header.unwrap_or_default().to_string(), cause: None };
        }
        Given { reason: reason.to_string(), cause }
    }

    /// The message of the OCI error in the body, or an empty text.
    pub fn message(&self) -> String {
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        body.and_then(|body| body["errors"][0]["message"].as_str().map(str::to_string)).unwrap_or_default()
    }
}

/// The error with its causes, for the outermost one says only that sending failed.
fn failed(url: &str, error: &(dyn Error + 'static)) -> io::Error {
    let mut text = format!("{url}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    io::Error::other(text)
}

const TIMEOUT: Duration = Duration::from_secs(30);
const LIMIT: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, header: Option<&str>, message: &str) -> Given {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("countersign-reason", header.parse().expect("a value"));
        }
        let body = serde_json::json!({ "errors": [{ "code": "DENIED", "message": message }] }).to_string().into();
        Answer { status, headers, body, took: Duration::ZERO }.given()
    }

    #[test]
    fn the_reason_is_read_where_clients_see_it() {
        let given = |reason: &str, cause: Option<&str>| Given { reason: reason.into(), cause: cause.map(Into::into) };
        assert_eq!(answer(403, None, "unsigned: no signature (yet): x"), given("unsigned", None));
        let cause = "signature_missing (key_mismatch): policy \"p\": no signature";
        assert_eq!(answer(403, Some("other"), cause), given("signature_missing", Some("key_mismatch")));
        assert_eq!(answer(200, Some("signed"), "unsigned: not an error"), given("signed", None));
        assert_eq!(answer(502, None, "bad gateway"), given("", None));
    }
}
