//! One judgement as a pure function: what governs a manifest, the evidence as it was read, and what follows from both.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::decide::{Verdict, decide};
use crate::evidence::EvidenceSet;
use crate::examined::{Children, Examined, Part};
use crate::limits::Limits;
use crate::oci::{Manifest, Subject};
use crate::outcome::{Indeterminate, Terms};
use crate::policy::condition::ImageFacts;
use crate::policy::{Authority, Governing, Leaf, Shortfall};
use crate::snapshot::Snapshot;
use crate::verify::{Against, verify_all};

/// Everything that a judgement is a function of.
#[derive(Debug)]
pub struct Case {
    /// Policies and trust.
    pub snapshot: Arc<Snapshot>,
    /// What governs the manifest.
    pub governing: Governing,
    /// What was read about it.
    pub evidence: Gathered,
    /// The bounds of verification.
    pub limits: Limits,
    /// The present, and how long verdicts last.
    pub terms: Terms,
}

/// The evidence about a manifest and, if its policies ask, about what it lists.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// About the manifest itself.
    pub own: Piece,
    /// About every image that it lists; nothing if nobody asked; or why they could not all be read.
    pub children: Option<Result<Vec<Piece>, Shortfall>>,
}

/// The evidence about one manifest.
#[derive(Debug, Clone)]
pub struct Piece {
    /// The manifest, as conditions ask for it.
    pub image: ImageFacts,
    /// What an index says it is for; for people.
    pub platform: String,
    /// What was read, untrusted.
    pub evidence: Arc<EvidenceSet>,
    /// Whether it was in memory or the store already.
    pub held: bool,
}

impl Case {
    /// Verifies everything, and decides. No I/O.
    pub fn deliberate(&self) -> (Examined, Result<Verdict, Indeterminate>) {
        let trust = self.snapshot.trust.revision(&self.governing);
        let authorities = self.authorities();
        let began = Instant::now();
        let examine = |piece: &Piece| self.examine(piece, &authorities, began);
        let own = examine(&self.evidence.own);
        let children = match &self.evidence.children {
            None => Children::NotAsked,
            Some(Err(why)) => Children::Unread(why.clone()),
            Some(Ok(pieces)) => Children::Read(pieces.iter().map(examine).collect()),
        };
        let examined = Examined { own, children };
        let verdict = decide(&self.governing, trust, &examined, &self.terms);
        (examined, verdict)
    }

    fn authorities(&self) -> Vec<Arc<Authority>> {
        let leaves = self.governing.remaining().flat_map(|policy| policy.require().leaves());
        let names: BTreeSet<_> = leaves.map(Leaf::by).collect();
        names.into_iter().filter_map(|name| self.snapshot.policies.authority(name).cloned()).collect()
    }

    fn examine(&self, piece: &Piece, authorities: &[Arc<Authority>], began: Instant) -> Part {
        let (trust, revoked) = (&self.snapshot.trust, self.snapshot.policies.revoked());
        let mut limits = self.limits;
        let time = &mut limits.verification.time;
        *time = (*time).min((*time * FOR_ALL).saturating_sub(began.elapsed()));
        let against = Against { trust, revoked, limits: &limits, now: self.terms.now };
        let findings = verify_all(&piece.evidence, &piece.image.digest, authorities, against);
        Part { image: piece.image.clone(), platform: piece.platform.clone(), findings }
    }
}

impl Gathered {
    /// About a manifest of which nobody asks what it lists.
    pub fn alone(own: Piece) -> Self {
        Self { own, children: None }
    }

    /// Whether some of it was in memory or the store, and for `time` or longer at `now`.
    pub fn held_for(&self, time: Duration, now: Timestamp) -> bool {
        let children = self.children.iter().flatten().flatten();
        let mut pieces = std::iter::once(&self.own).chain(children);
        pieces.any(|piece| piece.held && now >= piece.evidence.read_at.plus(time))
    }
}

impl Piece {
    /// What was read about `subject`, whose manifest this is.
    pub fn new(subject: &Subject, manifest: &Manifest, evidence: impl Into<Arc<EvidenceSet>>) -> Self {
        let image = ImageFacts {
            registry: subject.image.registry.to_string(),
            repository: subject.image.repository.to_string(),
            digest: subject.digest,
            annotations: manifest.annotations().clone(),
        };
        Self { image, platform: String::new(), evidence: evidence.into(), held: false }
    }
}

/// How many times longer than on one manifest is worked on one and all that it lists.
const FOR_ALL: u32 = 4;

#[cfg(test)]
mod tests;
