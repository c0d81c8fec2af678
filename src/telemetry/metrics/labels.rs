//! The values that labels can have.

use crate::reason::{Class, Reason};

/// The outcome that a reason belongs to: the label of metrics and the field of log lines.
pub const fn outcome_of(reason: Reason) -> &'static str {
    match reason.class() {
        Class::Allow => "allow",
        Class::Deny => "deny",
        Class::Unavailable => "unavailable",
        Class::Request(_) => "request",
    }
}

pub(super) const OUTCOMES: [&str; 4] = ["allow", "deny", "unavailable", "request"];
pub(super) const EVIDENCE: [&str; 4] = ["hit", "stored", "miss", "joined"];
pub(super) const VERDICTS: [&str; 5] = ["hit", "miss", "joined", "restored", "stale"];
pub(super) const SHELVES: [&str; 3] = ["evidence", "members", "verdicts"];
pub(super) const REJECTED: [&str; 5] = ["form", "piece", "place", "seal", "time"];
pub(super) const LISTENERS: [&str; 2] = ["pull", "admin"];
pub(super) const OPERATIONS: [&str; 9] =
    ["resolve", "manifest", "blob", "referrers", "tags", "catalog", "ping", "token", "redirect"];

/// Upstream statuses that tell an operator something; any other is counted as its class.
pub(super) const STATUSES: [&str; 20] = [
    "200", "206", "2xx", "307", "3xx", "401", "403", "404", "416", "429", "4xx", "500", "502", "503", "504", "5xx",
    "error", "timeout", "1xx", "other",
];

/// The reasons that stand with the name of the policy that gave them.
pub(super) const BY_POLICY: &[Reason] = &[
    Reason::Unsigned,
    Reason::FormatNotAccepted,
    Reason::SignatureMissing,
    Reason::AttestationMissing,
    Reason::ThresholdNotMet,
    Reason::ConditionFalse,
    Reason::ConditionError,
    Reason::ConditionBudget,
    Reason::ChildDenied,
    Reason::TooOld,
    Reason::NoSigningTime,
    Reason::ExemptionExpired,
    Reason::TagRefused,
    Reason::EvidenceUnreadable,
    Reason::EvidenceIncomplete,
    Reason::TrustRootUnavailable,
    Reason::TrustRootExpired,
];

pub(super) fn decision(reason: Reason, policy: &str) -> Vec<&str> {
    vec![outcome_of(reason), reason.code(), policy]
}

pub(super) fn would_deny(reason: Reason, policy: &str) -> Vec<&str> {
    vec![reason.code(), policy]
}

/// An upstream status as one of [`STATUSES`].
pub(super) fn status(status: &str) -> &'static str {
    if let Some(known) = STATUSES.iter().find(|known| **known == status) {
        return known;
    }
    match (status.len(), status.as_bytes().first()) {
        (3, Some(b'1')) => "1xx",
        (3, Some(b'2')) => "2xx",
        (3, Some(b'3')) => "3xx",
        (3, Some(b'4')) => "4xx",
        (3, Some(b'5')) => "5xx",
        _ => "other",
    }
}

pub(super) fn pairs(first: &[&'static str], second: &[&'static str]) -> Vec<[&'static str; 2]> {
    first.iter().flat_map(|a| second.iter().map(|b| [*a, *b])).collect()
}

/// What is done where in the store, and how it may end.
pub(super) fn store_operations() -> Vec<[&'static str; 3]> {
    const DONE: [(&str, &str); 8] = [
        ("get", "evidence"),
        ("get", "verdicts"),
        ("put", "evidence"),
        ("put", "verdicts"),
        ("add", "members"),
        ("list", "members"),
        ("lease", "leases"),
        ("release", "leases"),
    ];
    DONE.iter().flat_map(|(operation, shelf)| ["ok", "down"].map(|result| [*operation, *shelf, result])).collect()
}
