//! A policy of ours as it is made, before it is written.

use super::authorities::{Id, Signers};

/// One policy.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) name: String,
    /// Where it comes from, for a comment.
    pub(super) from: String,
    pub(super) matches: Vec<String>,
    pub(super) except: Vec<String>,
    pub(super) enforce: bool,
    pub(super) require: Vec<Requirement>,
    pub(super) format: &'static str,
    pub(super) evidence: Option<String>,
}

/// One thing that must hold.
#[derive(Debug)]
pub(super) enum Requirement {
    Signature(Signers),
    Attestation(Attestation),
}

/// Attestations of one type.
#[derive(Debug)]
pub(super) struct Attestation {
    pub(super) by: Signers,
    pub(super) predicate_type: String,
    pub(super) conditions: Vec<String>,
}

impl Policy {
    /// The authorities that it names.
    pub(super) fn ids(&self) -> impl Iterator<Item = Id> + '_ {
        self.require.iter().flat_map(|requirement| match requirement {
            Requirement::Signature(by) | Requirement::Attestation(Attestation { by, .. }) => by.ids(),
        })
    }
}
