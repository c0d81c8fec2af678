//! A verdict's key and its content, in memory as small as many of them need to be.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Denial, Outcome};
use crate::clock::Timestamp;
use crate::oci::Subject;
use crate::policy::Governing;
use crate::policy::governing::Revision;
use crate::trust::TrustRevision;

/// Everything that a verdict is a function of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The manifest that it is about.
    pub subject: Subject,
    /// Under what it is judged.
    pub revisions: Arc<Revisions>,
}

/// Under what a subject is judged. Many verdicts have the same, and share it in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Revisions {
    /// The revision of what policy says about it.
    pub policy: Revision,
    /// The revision of the trusted roots.
    pub trust: TrustRevision,
}

impl Key {
    /// The key of the verdict on what is governed.
    pub fn new(governing: &Governing, trust: TrustRevision) -> Self {
        let revisions = Revisions { policy: governing.revision(), trust };
        Self { subject: governing.subject().clone(), revisions: Arc::new(revisions) }
    }
}

/// What a verdict says about its key, and for how long.
#[derive(Debug, Clone)]
pub struct Ruling {
    pub(crate) key: Arc<Key>,
    pub(crate) outcome: Outcome,
    pub(crate) would_deny: Box<[Denial]>,
    pub(crate) decided_at: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) fresh_until: Timestamp,
    pub(crate) stale: bool,
}

impl Ruling {
    /// What it is about, and under which revisions it was made.
    pub fn key(&self) -> &Arc<Key> {
        &self.key
    }

    /// What it says.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// What audited policies would have refused.
    pub fn would_deny(&self) -> &[Denial] {
        &self.would_deny
    }

    /// When it was decided.
    pub fn decided_at(&self) -> Timestamp {
        self.decided_at
    }

    /// The instant at which a fact it rests on stops holding. Nothing extends it but a new decision.
    pub fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// The instant at which it is judged again.
    pub fn fresh_until(&self) -> Timestamp {
        self.fresh_until
    }

    /// Whether it is answered though it should have been judged anew: the last known good.
    pub fn is_stale(&self) -> bool {
        self.stale
    }
}

/// Why a stored verdict is not believed, though its MAC is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbelieved {
    /// It is about something else, or was made under other revisions.
    Elsewhere,
    /// It is not fresh any more.
    Expired,
    /// It was made later than it is now.
    Future,
}
