//! One HTTP exchange with the registry or its token server: bounded in time, counted, its status told apart.
//!
//! It refuses to follow a redirect. An error names no address, which may hold secrets in its query.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use reqwest::{Client, Request, Response};
use tokio::time::timeout;

use super::UpstreamError;
use super::body::{self, Pace};
use super::redirect::NotPublic;
use crate::telemetry::Metrics;

/// The HTTP client and its bounds.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) http: Client,
    pub(super) metrics: Arc<Metrics>,
    /// From the request to the end of the answer's headers.
    pub(super) headers_within: Duration,
    pub(super) pace: Pace,
}

impl Connection {
    /// Sends a request that changes nothing; once more if the connection, kept from an earlier one, was already gone.
    pub(super) async fn send(&self, operation: &'static str, request: Request) -> Result<Response, UpstreamError> {
        let again = request.try_clone();
        match (self.attempt(operation, request).await, again) {
            (Err(Failure { lost: true, .. }), Some(again)) => Ok(self.attempt(operation, again).await?),
            (answer, _) => Ok(answer?),
        }
    }

    async fn attempt(&self, operation: &'static str, request: Request) -> Result<Response, Failure> {
        let started = Instant::now();
        let answer = match timeout(self.headers_within, self.http.execute(request)).await {
            Ok(answer) => answer.map_err(Failure::from),
            Err(_) => Err(Failure { lost: false, error: UpstreamError::Timeout }),
        };
        let status = match &answer {
            Ok(response) => response.status(),
            Err(failure) => {
                let status = if failure.error == UpstreamError::Timeout { "timeout" } else { "error" };
                self.metrics.upstream(operation, status, started.elapsed());
                return answer;
            }
        };
        self.metrics.upstream(operation, status.as_str(), started.elapsed());
        answer
    }

    /// Reads the body of an answer.
    pub(super) async fn read(&self, response: Response, limit: u64) -> Result<Bytes, UpstreamError> {
        body::read(response, limit, self.pace).await
    }
}

/// What a status that was not hoped for says. The registry's own text is not repeated: it is untrusted.
pub(super) async fn refusal(response: Response) -> UpstreamError {
    let status = response.status();
    let error = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            UpstreamError::CredentialsRejected { status: status.as_u16() }
        }
        StatusCode::NOT_FOUND => UpstreamError::NotFound,
        StatusCode::TOO_MANY_REQUESTS => UpstreamError::Throttled { retry_after: retry_after(&response) },
        redirect if redirect.is_redirection() && response.headers().contains_key(LOCATION) => {
            UpstreamError::RedirectRefused { host: location_host(&response), why: NOT_FOLLOWED.into() }
        }
        other => UpstreamError::Status(other.as_u16()),
    };
    body::discard(response).await;
    error
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn location_host(response: &Response) -> String {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| response.url().join(location).ok());
    target.as_ref().and_then(|target| target.host_str()).unwrap_or("an unreadable address").to_string()
}

/// How an attempt failed, and whether the connection may have been gone before it began.
struct Failure {
    lost: bool,
    error: UpstreamError,
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let lost = error.is_request() && !error.is_connect() && !error.is_timeout();
        Self { lost, error: error.into() }
    }
}

impl From<Failure> for UpstreamError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl From<reqwest::Error> for UpstreamError {
    /// Keeps the causes and leaves out the address.
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        if let Some(NotPublic { address }) = find(&error) {
            return Self::NotPublic { address: *address };
        }
        let mut text = String::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            let separator = if text.is_empty() { "" } else { ": " };
            // Writing to a string cannot fail.
            let _ = write!(text, "{separator}{error}");
            cause = error.source();
        }
        Self::Transport(if text.is_empty() { error.without_url().to_string() } else { text })
    }
}

/// The first cause of this type.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    error.downcast_ref().or_else(|| find(error.source()?))
}

/// Of redirects that no configuration allows.
const NOT_FOLLOWED: &str = "and only redirects of blobs are followed to another host";
