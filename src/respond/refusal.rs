//! A refusal in the words that the client, the log and the metrics share.

use std::time::Duration;

use crate::pull::PullError;
use crate::reason::Reason;
use crate::route::RouteError;

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
    /// When to ask again, for a 503.
    pub retry_after: Duration,
}

impl Refusal {
    /// A refusal of the request as such.
    pub fn new(reason: Reason, detail: impl Into<String>, what: impl Into<String>) -> Self {
        let (detail, what) = (detail.into(), what.into());
        Self { reason, cause: None, policy: None, detail, what, retry_after: RETRY_AFTER }
    }

    /// The refusal that a failed pull of `what` comes to.
    pub fn of(error: &PullError, what: impl Into<String>) -> Self {
        let mut refusal = Self::new(error.reason(), error.to_string(), what);
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

    /// The sentence: `reason (cause): policy "P": what happened: to what`.
    pub fn message(&self) -> String {
        let cause = self.cause.map_or(String::new(), |cause| format!(" ({cause})"));
        let policy = self.policy.as_ref().map_or(String::new(), |policy| format!("policy \"{policy}\": "));
        let what = if self.what.is_empty() { String::new() } else { format!(": {}", self.what) };
        format!("{}{cause}: {policy}{}{what}", self.reason, self.detail)
    }
}

impl From<RouteError> for Refusal {
    fn from(error: RouteError) -> Self {
        Self::new(error.reason, error.detail, "")
    }
}

/// What a 503 says when nothing better is known.
const RETRY_AFTER: Duration = Duration::from_secs(5);
