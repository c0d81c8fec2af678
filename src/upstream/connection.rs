//! One HTTP exchange with the registry or its token server: bounded in time, counted, its status told apart.
//!
//! It refuses to follow a redirect, and to ask a server that is down. Every request here changes nothing, so it may be
//! sent once more as long as nothing of an answer was passed on. An error names no address, which may hold secrets in
//! its query.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use std::{io, iter};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, TRANSFER_ENCODING};
use http::{StatusCode, Version};
use hyper_util::client::legacy;
use tokio::time::{Instant, sleep, timeout_at};

use super::UpstreamError;
use super::body::{self, Pace};
use super::breaker::{Breaker, Pass};
use super::hint;
use super::http_client::HttpClient;
use super::message::{Request, Response};
use super::redirect::NotPublic;
use crate::telemetry::Metrics;

/// The HTTP clients and their bounds.
#[derive(Debug)]
pub(super) struct Connection {
    /// Swapped when the files change that they were made from.
    pub(super) clients: ArcSwap<Clients>,
    pub(super) metrics: Arc<Metrics>,
    /// From the request to the end of the answer's headers, whatever is tried in between.
    pub(super) headers_within: Duration,
    pub(super) pace: Pace,
    /// Who is asked: the `registry`, or the `storage` that it redirects to.
    pub(super) server: &'static str,
    pub(super) breaker: Breaker,
    pub(super) token_server: Breaker,
}

/// The clients of one registry.
#[derive(Debug)]
pub(super) struct Clients {
    /// For answers that are read at once. Over HTTP/2 they share a connection.
    pub(super) held: HttpClient,
    /// For blobs, which clients read at their own pace. They never share a connection: over HTTP/2 a few clients that
    /// stop reading would hold all of its window, and everybody else's answers with it.
    pub(super) streamed: HttpClient,
}

impl Connection {
    /// Sends a request that changes nothing; once more if the connection could not be made, or broke before an answer.
    pub(super) async fn send(&self, operation: &'static str, request: &Request) -> Result<Response, UpstreamError> {
        let pass = self.pass(operation)?;
        let deadline = Instant::now() + self.headers_within;
        let mut answer = self.attempt(operation, request, deadline).await;
        if let Err(Failure { again: Some(after), .. }) = &answer {
            sleep(*after).await;
            answer = self.attempt(operation, request, deadline).await;
        }
        match &answer {
            // A list may take long where nothing else does.
            Err(failure) if failure.error == UpstreamError::Timeout && LISTS.contains(&operation) => drop(pass),
            Err(failure) if failure.unreached => pass.unreached(Instant::now().into_std()),
            // It is there, whatever it said; a connection that breaks costs nobody time.
            _ => pass.reached(),
        }
        answer.map_err(|failure| told(failure.error, operation == "redirect"))
    }

    /// Leave to ask the server of this operation.
    fn pass(&self, operation: &'static str) -> Result<Pass<'_>, UpstreamError> {
        let (breaker, server) = match operation {
            "token" => (&self.token_server, "token server"),
            _ => (&self.breaker, self.server),
        };
        breaker.pass(Instant::now().into_std()).map_err(|left| {
            let whole = Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0));
            UpstreamError::LeftAlone { server, retry_after: whole }
        })
    }

    async fn attempt(
        &self,
        operation: &'static str,
        request: &Request,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        let message = request.message().map_err(Failure::of_ours)?;
        let started = Instant::now();
        let clients = self.clients.load_full();
        let client = if operation == "blob" { &clients.streamed } else { &clients.held };
        let answer = match timeout_at(deadline, client.send(message)).await {
            Ok(Ok(answer)) => Ok(Response::new(request.url.clone(), answer)),
            Ok(Err(error)) => Err(Failure::from(error)),
            Err(_) => Err(Failure::timeout()),
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
        answer.and_then(framed)
    }

    /// Reads the body of an answer.
    pub(super) async fn read(&self, response: &mut Response, limit: u64) -> Result<Bytes, UpstreamError> {
        body::read(response, limit, self.pace).await
    }
}

/// The same, with what to do about it where that is known.
fn told(error: UpstreamError, redirected: bool) -> UpstreamError {
    match error {
        UpstreamError::Transport(text) => {
            let hint = hint::of(&text, redirected).map(|hint| ["; ", hint].concat());
            UpstreamError::Transport(text + hint.as_deref().unwrap_or_default())
        }
        other => other,
    }
}

/// Lets an answer pass whose length is told in one way. Where two disagree, two readers see two answers.
fn framed(response: Response) -> Result<Response, Failure> {
    let headers = response.headers();
    let encodings: Vec<_> = headers.get_all(TRANSFER_ENCODING).iter().map(HeaderValue::as_bytes).collect();
    let why = match encodings.as_slice() {
        [] => return Ok(response),
        [_] if headers.contains_key(CONTENT_LENGTH) => "it has a length and is chunked as well",
        [chunked] if chunked.eq_ignore_ascii_case(b"chunked") && response.version() == Version::HTTP_11 => {
            return Ok(response);
        }
        _ => "its transfer encoding is not `chunked`",
    };
    Err(Failure::of_ours(UpstreamError::Malformed(why)))
}

/// What a status that was not hoped for says. The registry's own text is not repeated: it is untrusted.
pub(super) async fn refusal(response: Response) -> UpstreamError {
    let status = response.status();
    let error = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            UpstreamError::CredentialsRejected { status: status.as_u16() }
        }
        StatusCode::NOT_FOUND => UpstreamError::NotFound,
        StatusCode::TOO_MANY_REQUESTS => UpstreamError::Throttled { retry_after: retry_after(response.headers()) },
        StatusCode::SERVICE_UNAVAILABLE => UpstreamError::Unavailable { retry_after: retry_after(response.headers()) },
        redirect if redirect.is_redirection() && response.headers().contains_key(LOCATION) => {
            UpstreamError::RedirectRefused { host: location_host(&response), why: NOT_FOLLOWED.into() }
        }
        other => UpstreamError::Status(other.as_u16()),
    };
    body::discard(response).await;
    error
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn location_host(response: &Response) -> String {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| response.url().join(location).ok());
    target.as_ref().and_then(|target| target.host_str()).unwrap_or("an unreadable address").to_string()
}

/// How an attempt failed.
struct Failure {
    /// After how long another attempt may do better, if it may.
    again: Option<Duration>,
    /// The server could not be connected to, or did not answer in time.
    unreached: bool,
    error: UpstreamError,
}

impl Failure {
    fn timeout() -> Self {
        Self { again: None, unreached: true, error: UpstreamError::Timeout }
    }

    /// A refusal of ours: it says nothing of the server.
    fn of_ours(error: UpstreamError) -> Self {
        Self { again: None, unreached: false, error }
    }
}

impl From<legacy::Error> for Failure {
    fn from(error: legacy::Error) -> Self {
        match broken(&error) {
            // It has waited long enough.
            UpstreamError::Timeout => Self::timeout(),
            refused @ UpstreamError::NotPublic { .. } => Self::of_ours(refused),
            broken if error.is_connect() => Self { again: Some(jitter()), unreached: true, error: broken },
            // A connection kept from an earlier request may have been gone before this one.
            broken => Self { again: Some(Duration::ZERO), unreached: false, error: broken },
        }
    }
}

/// How a connection broke, with the causes, none of which names the address.
pub(super) fn broken(error: &(dyn Error + 'static)) -> UpstreamError {
    let causes = || iter::successors(Some(error), |error| (**error).source());
    if causes().any(is_timeout) {
        return UpstreamError::Timeout;
    }
    if let Some(NotPublic { address }) = causes().find_map(|error| error.downcast_ref()) {
        return UpstreamError::NotPublic { address: *address };
    }
    let texts: Vec<_> = causes().map(ToString::to_string).collect();
    UpstreamError::Transport(texts.join(": "))
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let of_http = error.downcast_ref().is_some_and(hyper::Error::is_timeout);
    of_http || error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::TimedOut)
}

/// The operations whose answer a registry has to put together.
const LISTS: [&str; 3] = ["referrers", "tags", "catalog"];

/// A moment, another one each time: requests that failed together do not come back together.
fn jitter() -> Duration {
    Duration::from_millis(20 + RandomState::new().hash_one(0) % 80)
}

/// Of redirects that no configuration allows.
const NOT_FOLLOWED: &str = "and only redirects of blobs are followed to another host";
