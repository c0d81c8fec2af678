//! What discovery found for one digest, and what it could not read.

use crate::clock::Timestamp;
use crate::discovery::candidate::Candidate;
use crate::reason::Reason;

/// Untrusted material, and how complete the reading was. Absence is a fact only if everything was read.
#[derive(Debug, Clone)]
pub struct EvidenceSet {
    /// Everything fetched, in the registry's order.
    pub candidates: Vec<Candidate>,
    /// Sources that failed for another reason than 404, or pieces that were cut off.
    pub unread: Vec<Unread>,
    /// Material that was there but cannot be evidence: too large, a wrong digest, not a manifest.
    pub unusable: Vec<Unread>,
    /// Whether a limit ended the reading early.
    pub incomplete: bool,
    /// When the reading began.
    pub read_at: Timestamp,
}

/// A source, or one piece in it, that gave no candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where, such as `tag sha256-….sig` or `referrer sha256:…`.
    pub location: String,
    /// Why, as a reason.
    pub reason: Reason,
    /// Why, for people.
    pub detail: String,
}
