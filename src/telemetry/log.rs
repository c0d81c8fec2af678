//! One log line a request: a handler gives its [`Facts`] with the answer, the middleware writes them.

//!
//! What a client or a registry sent is cut to a length and stripped of control characters before it is written, in
//! either format: a line in the log is one that the proxy wrote (JSON alone would pass on some of what terminals obey).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderValue, USER_AGENT};
use http::{Method, StatusCode, Uri};
use tracing::{Dispatch, Level};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::oci::{Digest, Image, Reference};
use crate::reason::{Class, Reason};

use super::metrics::outcome_of;

/// What a handler learned about one request; every field that stays empty is left out of the log line.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The repository asked for.
    pub image: Option<Image>,
    /// The tag or digest, as asked.
    pub reference: Option<Reference>,
    /// The manifest or blob that it came to.
    pub digest: Option<Digest>,
    /// The reason of the answer, allow reasons too.
    pub reason: Option<Reason>,
    /// Why the nearest evidence did not count.
    pub cause: Option<Reason>,
    /// The policy that decided.
    pub policy: Option<Arc<str>>,
    /// The reason of the exemption that let it through.
    pub exemption: Option<Arc<str>>,
    /// Whether it is the last known good, because judging it anew could not reach a registry or a TUF repository.
    pub stale: bool,
    /// What audited policies, or audit mode, would have refused: policy (may be empty) and reason.
    pub would_deny: Vec<(Arc<str>, Reason)>,
    /// How the verdict was come by, if one was asked for, such as `hit` or `joined` (another request's flight).
    pub cache: Option<&'static str>,
    /// The sentence for people.
    pub detail: Option<String>,
}

/// The log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Something else writes the log of this process already.
    #[error("a log is installed already")]
    Installed(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// The level is neither a level nor a filter such as `info,countersign=debug`.
    #[error("not a log level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
}

/// Sends the log of this process to standard error, as JSON or as text without colours.
///
/// # Errors
/// If `level` is not a level, or a log is installed already.
pub fn install(json: bool, level: &str) -> Result<(), InstallError> {
    tracing::dispatcher::set_global_default(dispatch(json, level, std::io::stderr)?)?;
    Ok(())
}

fn dispatch<W>(json: bool, level: &str, writer: W) -> Result<Dispatch, InstallError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse(level)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(writer);
    Ok(if json {
        Dispatch::new(lines.json().flatten_event(true).with_current_span(false).with_span_list(false).finish())
    } else {
        Dispatch::new(lines.finish())
    })
}

/// What the log says of a request; kept from its head, because the handler consumes it.
#[derive(Debug)]
pub struct Request {
    method: Method,
    uri: Uri,
    user_agent: Option<HeaderValue>,
    client: Option<SocketAddr>,
}

impl Request {
    /// Keeps what the log needs of `request`, which came from `client`.
    pub fn of<B>(request: &http::Request<B>, client: Option<SocketAddr>) -> Self {
        let user_agent = request.headers().get(USER_AGENT).cloned();
        Self { method: request.method().clone(), uri: request.uri().clone(), user_agent, client }
    }
}

/// How the answer to a request ended.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// The status; none if the client left before there was one.
    pub status: Option<StatusCode>,
    /// From the request's head to the last byte of the answer.
    pub took: Duration,
    /// Bytes of the body that were given to the connection.
    pub bytes_sent: u64,
    /// Whether the answer broke off before its end.
    pub aborted: bool,
}

/// Whether the lines of answers that give what was asked for are written.
pub fn writes_answers() -> bool {
    tracing::enabled!(target: TARGET, Level::INFO)
}

/// Writes the line of one request: `warn` if no verdict could be reached, otherwise `info`.
pub fn request_line(request: &Request, ending: &Ending, facts: &Facts) {
    let unavailable = match facts.reason.map(Reason::class) {
        Some(class) => class == Class::Unavailable,
        None => ending.status.is_some_and(|status| status.is_server_error()),
    };
    macro_rules! line {
        ($level:expr) => {
            if tracing::enabled!(target: TARGET, $level) {
                let query = request.uri.query().map(parameters);
                let user_agent = request.user_agent.as_ref().map(|value| String::from_utf8_lossy(value.as_bytes()));
                let image = facts.image.as_ref();
                tracing::event!(
                    target: TARGET,
                    $level,
                    http.method = &*clean(request.method.as_str(), 32),
                    http.path = &*clean(request.uri.path(), 512),
                    http.query = query.as_deref(),
                    http.status = ending.status.map(|status| status.as_u16()),
                    duration_ms = ending.took.as_secs_f64() * 1000.0,
                    bytes_sent = ending.bytes_sent,
                    aborted = ending.aborted.then_some(true),
                    client.address = request.client.map(tracing::field::display),
                    user_agent = user_agent.as_deref().map(|text| clean(text, 200)).as_deref(),
                    image.registry = image.map(|image| image.registry.as_str()),
                    image.repository = image.map(|image| image.repository.as_str()),
                    image.reference = facts.reference.as_ref().map(tracing::field::display),
                    image.digest = facts.digest.as_ref().map(tracing::field::display),
                    policy.name = facts.policy.as_deref().map(|text| clean(text, 128)).as_deref(),
                    verdict.outcome = facts.reason.map(outcome_of),
                    verdict.reason = facts.reason.map(Reason::code),
                    verdict.cause = facts.cause.map(Reason::code),
                    verdict.stale = facts.stale.then_some(true),
                    exemption.reason = facts.exemption.as_deref().map(|text| clean(text, 200)).as_deref(),
                    cache.hit = facts.cache.map(|how| how == "hit"),
                    cache.result = facts.cache,
                    would_deny = would_deny(facts).as_deref(),
                    detail = facts.detail.as_deref().map(|text| clean(text, 1000)).as_deref(),
                    "request"
                );
            }
        };
    }
    if unavailable {
        line!(Level::WARN);
    } else {
        line!(Level::INFO);
    }
}

/// The names of a query's parameters, without their values: those may be secrets.
fn parameters(query: &str) -> String {
    let names: Vec<&str> = query.split('&').map(|pair| pair.split_once('=').map_or("?", |(name, _)| name)).collect();
    clean(&names.join(","), 100).into_owned()
}

fn would_deny(facts: &Facts) -> Option<String> {
    let mut text = String::new();
    for (policy, reason) in &facts.would_deny {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{policy}:{reason}", if text.is_empty() { "" } else { "," });
    }
    (!text.is_empty()).then(|| clean(&text, 500).into_owned())
}

/// `text` on one line, at most `most` characters, and nothing in it that a terminal obeys or does not show.
fn clean(text: &str, most: usize) -> Cow<'_, str> {
    let printable = |b: u8| b == b' ' || b.is_ascii_graphic();
    if text.len() <= most && text.bytes().all(printable) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(most.min(text.len()) + 8);
    for (count, c) in text.chars().enumerate() {
        if count == most {
            cleaned.push('…');
            break;
        }
        match c {
            '\\' | '"' | '\'' => cleaned.push(c),
            _ => cleaned.extend(c.escape_debug()),
        }
    }
    Cow::Owned(cleaned)
}

/// What the lines are filtered by.
const TARGET: &str = "countersign::request";

#[cfg(test)]
pub(crate) mod tests;
