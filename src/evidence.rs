//! What discovery found for one digest, and what it could not read.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::discovery::candidate::Candidate;
use crate::policy::Format;
use crate::reason::Reason;

mod form;

pub mod record;

pub use record::EvidenceRecord;

/// Untrusted material, and how complete the reading was. Absence is a fact only if everything was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceSet {
    /// Everything fetched, in the registry's order.
    pub candidates: Vec<Candidate>,
    /// Sources that failed for another reason than 404, or pieces that were cut off.
    pub unread: Vec<Unread>,
    /// Material that was there but cannot be evidence: too large, or not what it says it is.
    pub unusable: Vec<Unusable>,
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
    /// The other repository that it is in, if it is not beside the image.
    pub elsewhere: Option<Arc<str>>,
    /// Why, as a reason.
    pub reason: Reason,
    /// Why, for people.
    pub detail: String,
}

/// One piece that was read and cannot be evidence, whoever signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Where it was found.
    pub location: String,
    /// How it was stored.
    pub format: Format,
    /// Why, as a reason.
    pub reason: Reason,
    /// Why, for people.
    pub detail: String,
}

impl EvidenceSet {
    /// About how many bytes it takes in memory.
    pub fn size(&self) -> usize {
        let unusable = self.unusable.iter().map(|one| size_of::<Unusable>() + one.location.len() + one.detail.len());
        self.candidates.iter().map(Candidate::size).chain(unusable).sum()
    }
}

impl Unread {
    pub(crate) fn new(location: impl Into<String>, reason: Reason, detail: &str) -> Self {
        Self { location: location.into(), elsewhere: None, reason, detail: printable(detail) }
    }

    /// The same, in the repository `place`.
    pub(crate) fn within(self, place: &str) -> Self {
        Self { location: format!("{place}, {}", self.location), elsewhere: Some(place.into()), ..self }
    }
}

impl Unusable {
    pub(crate) fn new(location: impl Into<String>, format: Format, reason: Reason, detail: &str) -> Self {
        Self { location: location.into(), format, reason, detail: printable(detail) }
    }
}

/// A text that quotes foreign material, made fit for one log line: bounded, without characters that move the cursor,
/// turn the line around or cannot be seen.
pub(crate) fn printable(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if hides(c) { '\u{fffd}' } else { c }).take(400).collect()
}
