//! A refusal in the words that the client, the log and the metrics share.

use std::time::Duration;

use super::phrase::printable;
use crate::oci::error::ErrorCode;
use crate::pull::PullError;
use crate::reason::{Class, Reason};
use crate::route::{Route, RouteError};

/// Why a request is answered with an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// Why the nearest evidence did not count.
    pub cause: Option<Reason>,
    /// The policy that said no.
    pub policy: Option<String>,
    /// What happened, for people.
    pub detail: String,
    /// What it happened to, such as `registry.company.com/app:1`.
    pub what: String,
    /// What the registry does not have, if it is that.
    pub unknown: ErrorCode,
    /// When to ask again, for a 503.
    pub retry_after: Duration,
}

impl Refusal {
    /// A refusal of the request as such.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        let (cause, policy, what) = (None, None, String::new());
        let unknown = ErrorCode::ManifestUnknown;
        Self { reason, cause, policy, detail: detail.into(), what, unknown, retry_after: RETRY_AFTER }
    }

    /// The refusal that a failed pull comes to.
    pub fn of(error: &PullError) -> Self {
        let mut refusal = Self::new(error.reason(), error.to_string());
        match error {
            PullError::Denied(denial) | PullError::Indeterminate(denial) => {
                refusal.cause = denial.cause;
                refusal.policy = denial.policy.as_ref().map(ToString::to_string);
            }
            PullError::Upstream(error) => refusal.retry_after = error.retry_after().unwrap_or(RETRY_AFTER),
            PullError::Content { .. } => {}
        }
        refusal
    }

    /// Says what was asked for.
    #[must_use]
    pub fn about(mut self, route: &Route) -> Self {
        self.what = route.to_string();
        self.unknown = match route {
            Route::Blob(_) => ErrorCode::BlobUnknown,
            Route::Catalog(..) | Route::Tags(..) => ErrorCode::NameUnknown,
            Route::Manifest(_) | Route::Ping | Route::Referrers(..) => ErrorCode::ManifestUnknown,
        };
        self
    }

    /// The line `reason (cause): policy "P": what happened: to what; next: what to do`. What matters most comes first:
    /// whoever shows it may cut it.
    pub fn message(&self) -> String {
        let cause = self.cause.map_or(String::new(), |cause| format!(" ({cause})"));
        let policy = self.policy.as_ref().map_or(String::new(), |policy| format!("policy \"{policy}\": "));
        let detail = printable(&self.detail, MAX_DETAIL);
        let what = if self.what.is_empty() { String::new() } else { format!(": {}", self.what) };
        let next = self.next_step().map_or(String::new(), |step| format!("; next: {step}"));
        printable(&format!("{}{cause}: {policy}{detail}{what}{next}", self.reason), MAX_MESSAGE)
    }

    /// Whoever is told that something is not there asks for something else: programs do, all the time.
    fn next_step(&self) -> Option<&'static str> {
        let refused = matches!(self.reason.class(), Class::Deny | Class::Unavailable);
        self.reason.next_step().filter(|_| refused)
    }

    /// The code of the distribution specification.
    pub(super) fn code(&self) -> ErrorCode {
        match (self.reason, self.reason.class()) {
            (Reason::NameInvalid, _) => ErrorCode::NameInvalid,
            (Reason::DigestInvalid, _) => ErrorCode::DigestInvalid,
            (Reason::UpstreamNotFound, _) => self.unknown,
            (Reason::ClientUnauthenticated, _) => ErrorCode::Unauthorized,
            (Reason::MethodUnsupported | Reason::NotRouted, _) => ErrorCode::Unsupported,
            (_, Class::Unavailable) => ErrorCode::Unavailable,
            _ => ErrorCode::Denied,
        }
    }
}

impl From<RouteError> for Refusal {
    fn from(error: RouteError) -> Self {
        Self::new(error.reason, error.detail)
    }
}

/// What a 503 says when nothing better is known.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Bytes of what happened: it must leave room for the rest.
const MAX_DETAIL: usize = 800;

/// Bytes of the whole.
const MAX_MESSAGE: usize = 2048;
