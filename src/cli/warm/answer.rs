//! What came of asking for an image, in the proxy's own words, whoever was asked.

use serde::Serialize;

use crate::cli::verify::report::Answer as Said;
use crate::evidence::printable;
use crate::oci::Digest;
use crate::pull::Explanation;
use crate::reason::{Class, Reason};
use crate::telemetry::outcome_of;

/// One answer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Answer {
    /// The proxy that gave it, if one was asked.
    pub(super) proxy: Option<String>,
    /// What the image lists that the answer is about, if it is not the image itself: `linux/arm64 (sha256:…)`.
    pub(super) child: Option<String>,
    /// `allow`, `deny`, `unavailable` or `request`.
    pub(super) outcome: &'static str,
    pub(super) reason: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) detail: String,
}

/// What an answer, or all about one image, comes to; the last is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Allowed,
    Unknown,
    Denied,
}

/// An answer, and where to go on.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) answer: Answer,
    /// What the image lists, if it is an index.
    pub(super) lists: Vec<Listed>,
}

/// An entry of an index.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) digest: Digest,
    /// `linux/arm64`, or an empty string.
    pub(super) platform: String,
}

impl Answer {
    /// The answer of a pull in this process.
    pub(super) fn of(explanation: &Explanation) -> Self {
        let Said { reason, cause, policy, detail } = Said::of(explanation);
        let code = |reason: Reason| reason.code().to_string();
        Self {
            proxy: None,
            child: None,
            outcome: outcome_of(reason),
            reason: Some(code(reason)),
            cause: cause.map(code),
            policy,
            detail: printable(&detail),
        }
    }

    /// No answer that could be understood, because of `why`.
    pub(super) fn none(why: &str) -> Self {
        let outcome = outcome_of(Reason::Internal);
        Self { proxy: None, child: None, outcome, reason: None, cause: None, policy: None, detail: printable(why) }
    }

    /// What it comes to; as for `countersign verify`, what cannot be asked for could not be told.
    pub(super) fn outcome(&self) -> Outcome {
        match self.outcome {
            outcome if outcome == outcome_of(Reason::Signed) => Outcome::Allowed,
            outcome if outcome == outcome_of(Reason::Unsigned) => Outcome::Denied,
            _ => Outcome::Unknown,
        }
    }

    /// Whether it says that the registry does not have it.
    pub(super) fn is_absent(&self) -> bool {
        self.reason.as_deref() == Some(Reason::UpstreamNotFound.code())
    }

    /// One line for people; `of_several` if it has to say whose answer it is.
    pub(super) fn line(&self, of_several: bool) -> String {
        let names = self.proxy.iter().filter(|_| of_several).chain(&self.child);
        let who = names.fold(String::new(), |who, name| who + name + ": ");
        let cause = self.cause.as_ref().map_or(String::new(), |cause| format!(" ({cause})"));
        let codes = self.reason.as_ref().map_or(String::new(), |reason| format!("{reason}{cause}: "));
        let policy = self.policy.as_ref().map_or(String::new(), |policy| format!("policy \"{policy}\": "));
        format!("{who}{codes}{policy}{}", self.detail)
    }
}

impl Asked {
    /// An answer that leads no further.
    pub(super) fn ended(answer: Answer) -> Self {
        Self { answer, lists: Vec::new() }
    }
}

/// The outcome of a reason that a proxy gives with this status. A reason that this version does not know counts as the
/// status does; where the two disagree, nothing is known.
pub(super) fn outcome_by(reason: &str, status: u16) -> &'static str {
    let allows = status == 200;
    let known = Reason::ALL.iter().find(|known| known.code() == reason);
    outcome_of(match (known, status) {
        (Some(known), _) if (known.class() == Class::Allow) == allows => *known,
        (None, 200) => Reason::Signed,
        (None, 403) => Reason::Unsigned,
        _ => Reason::Internal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_and_status_have_to_agree() {
        for (reason, status, expected) in [
            ("signed", 200, "allow"),
            ("signed", 502, "unavailable"),
            ("unsigned", 403, "deny"),
            ("unsigned", 200, "unavailable"),
            ("upstream_not_found", 404, "request"),
            ("evidence_unreadable", 503, "unavailable"),
            ("of_the_future", 200, "allow"),
            ("of_the_future", 403, "deny"),
            ("of_the_future", 404, "unavailable"),
            ("of_the_future", 301, "unavailable"),
        ] {
            assert_eq!(outcome_by(reason, status), expected, "{reason} {status}");
        }
    }
}
