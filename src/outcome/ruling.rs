//! A verdict's key and its content, in memory as small as a million of them need to be: what many have in common is
//! shared, and what most say takes no room.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Basis, Denial, Outcome};
use crate::clock::Timestamp;
use crate::oci::{Digest, Image, Subject};
use crate::policy::Governing;
use crate::policy::governing::Revision;
use crate::trust::TrustRevision;

/// Everything that a verdict is a function of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The manifest that it is about.
    pub digest: Digest,
    /// Where that is, and under what it is judged.
    pub scope: Arc<Scope>,
}

/// Where a subject is, and under what it is judged. Many verdicts have the same, and share it in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The repository.
    pub image: Image,
    /// The revision of what policy says about it.
    pub policy: Revision,
    /// The revision of the trusted roots.
    pub trust: TrustRevision,
}

impl Key {
    /// The key of the verdict on what is governed.
    pub fn new(governing: &Governing, trust: TrustRevision) -> Self {
        let Subject { image, digest } = governing.subject().clone();
        Self { digest, scope: Arc::new(Scope { image, policy: governing.revision(), trust }) }
    }

    /// Whether it is about `subject`.
    pub fn is_about(&self, subject: &Subject) -> bool {
        self.digest == subject.digest && self.scope.image == subject.image
    }

    /// The same in words, which no other key has.
    pub fn text(&self) -> String {
        let Scope { image, policy, trust } = &*self.scope;
        format!("{image}@{}/{}/{trust}", self.digest, policy.0)
    }
}

/// What a verdict says about its key, and for how long.
#[derive(Debug, Clone)]
pub struct Ruling {
    pub(crate) key: Key,
    pub(crate) decided: Decided,
    pub(crate) decided_at: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) fresh_until: Timestamp,
    pub(crate) stale: bool,
}

/// Whether something may be served, and what audited policies would have refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decided {
    /// It is signed, and no audited policy says otherwise: what is said of most.
    Signed,
    /// Anything else.
    Told(Arc<Told>),
}

/// What is said of few, or of many in the same words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Told {
    outcome: Outcome,
    would_deny: Vec<Denial>,
}

impl Decided {
    pub(crate) fn new(mut outcome: Outcome, would_deny: Vec<Denial>) -> Self {
        if let Outcome::Deny(denial) = &mut outcome {
            // It stays in memory as it is.
            denial.detail.shrink_to_fit();
        }
        match outcome {
            Outcome::Allow(Basis::Signed) if would_deny.is_empty() => Self::Signed,
            _ => Self::Told(Arc::new(Told { outcome, would_deny })),
        }
    }
}

impl Ruling {
    /// What it is about, and under which revisions it was made.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What it says.
    pub fn outcome(&self) -> &Outcome {
        match &self.decided {
            Decided::Signed => &SIGNED,
            Decided::Told(told) => &told.outcome,
        }
    }

    /// What audited policies would have refused.
    pub fn would_deny(&self) -> &[Denial] {
        match &self.decided {
            Decided::Signed => &[],
            Decided::Told(told) => &told.would_deny,
        }
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

static SIGNED: Outcome = Outcome::Allow(Basis::Signed);

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
