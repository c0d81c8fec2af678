//! The pieces of evidence that count for a demand, and what came of each.

use serde::Serialize;

use super::evidence;
use crate::evidence::printable;
use crate::pull;
use crate::reason::Reason;

/// A piece of evidence that is by whom it must be, about the image, and of the type that is asked for.
#[derive(Debug, Serialize)]
pub(super) struct Considered {
    pub(super) location: String,
    /// `bundle` or `legacy`.
    pub(super) format: &'static str,
    /// On whose word.
    pub(super) signer: String,
    /// When it was made, as far as that is sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<String>,
    /// Whether it is one of those that are looked at; of older ones only the newest may be.
    pub(super) chosen: bool,
    /// Whether it satisfies age and condition.
    pub(super) satisfies: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

impl Considered {
    pub(super) fn of(considered: pull::Considered<'_>) -> Self {
        let pull::Considered { proof, time, chosen, fails } = considered;
        Self {
            location: printable(proof.location()),
            format: evidence::name(proof.format()),
            signer: printable(&proof.signer().0),
            time: time.map(|time| time.to_string()),
            chosen,
            satisfies: fails.is_none(),
            reason: fails.as_ref().map(|(reason, _)| *reason),
            detail: fails.map(|(_, detail)| printable(&detail)),
        }
    }
}
