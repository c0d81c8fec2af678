//! Requirements as a tree, evaluated in three values: it holds, it fails, it could not be told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Attestation, Name, On};
use crate::clock::Timestamp;
use crate::reason::Reason;

/// What must hold for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// Every branch.
    AllOf(Vec<Self>),
    /// One branch.
    AnyOf(Vec<Self>),
    /// `n` branches, each by another signer.
    AtLeast {
        /// How many.
        n: usize,
        /// Of which.
        of: Vec<Self>,
    },
    /// One kind of evidence.
    Leaf(Leaf),
}

/// One kind of evidence that must exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// An attestation.
    Attestation(Attestation),
    /// A signature of the image itself.
    Signature {
        /// Who must have made it.
        by: Name,
        /// What it must be about.
        on: On,
        /// What its signer must have signed with it.
        annotations: BTreeMap<String, String>,
    },
}

/// Who signed, as far as thresholds distinguish: a key's fingerprint or an issuer's identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signer(pub Arc<str>);

/// What is missing for a requirement to hold, or to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// The reason.
    pub reason: Reason,
    /// Why the nearest candidate did not count, if there was one.
    pub cause: Option<Reason>,
    /// The same in a sentence for people.
    pub detail: String,
}

/// The value of a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It fails, whatever else could still be read.
    Fails(Shortfall),
    /// It holds.
    Holds(Held),
    /// What was read does not tell.
    Unknown(Shortfall),
}

/// On what a requirement holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// On whose word.
    pub signers: BTreeSet<Signer>,
    /// Until when, if nothing else changes.
    pub until: Timestamp,
    /// Why there may be further signers that were not seen.
    pub more: Option<Shortfall>,
}

impl Leaf {
    /// Whose evidence it asks for.
    pub fn by(&self) -> &Name {
        match self {
            Self::Attestation(Attestation { by, .. }) | Self::Signature { by, .. } => by,
        }
    }

    /// Which manifest of a multi-platform image it is about.
    pub fn on(&self) -> On {
        match self {
            Self::Attestation(Attestation { on, .. }) | Self::Signature { on, .. } => *on,
        }
    }
}

impl Held {
    /// Both, on the word of all.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.signers.extend(other.signers);
        Self { signers: self.signers, until: self.until.min(other.until), more: self.more.or(other.more) }
    }
}

impl Truth {
    /// Both must hold. What fails decides, whatever could not be told.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fails(why), _) | (_, Self::Fails(why)) => Self::Fails(why),
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
            (Self::Holds(one), Self::Holds(other)) => Self::Holds(one.and(other)),
        }
    }
}

impl Requirement {
    /// Every leaf of the tree.
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::AllOf(of) | Self::AnyOf(of) | Self::AtLeast { of, .. } => of.iter().flat_map(Self::leaves).collect(),
            Self::Leaf(leaf) => vec![leaf],
        }
    }

    /// Evaluates the tree over the values of its leaves. A node without branches fails: nothing is never enough.
    pub fn evaluate(&self, leaf: &impl Fn(&Leaf) -> Truth) -> Truth {
        self.value(leaf, false)
    }

    /// Whether some leaf is about each platform's own manifest.
    pub fn asks_platforms(&self) -> bool {
        self.leaves().iter().any(|leaf| leaf.on() == On::Platform)
    }

    /// Within a threshold every signer is `counted`.
    fn value(&self, leaf: &impl Fn(&Leaf) -> Truth, counted: bool) -> Truth {
        match self {
            Self::Leaf(one) => leaf(one),
            Self::AllOf(of) => Branches::of(of, leaf, counted).enough(of.len().max(1), counted),
            Self::AnyOf(of) => Branches::of(of, leaf, counted).enough(1, counted),
            Self::AtLeast { n, of } => Branches::of(of, leaf, true).signed((*n).max(1)),
        }
    }
}

/// The values of a node's branches.
#[derive(Default)]
struct Branches {
    held: Vec<Held>,
    unknown: Vec<Shortfall>,
    failed: Vec<Shortfall>,
}

impl Branches {
    fn of(of: &[Requirement], leaf: &impl Fn(&Leaf) -> Truth, counted: bool) -> Self {
        let mut branches = Self::default();
        for branch in of {
            match branch.value(leaf, counted) {
                Truth::Fails(why) => branches.failed.push(why),
                Truth::Holds(on) => branches.held.push(on),
                Truth::Unknown(why) => branches.unknown.push(why),
            }
        }
        branches
    }

    /// Whether `n` of them hold.
    fn enough(mut self, n: usize, counted: bool) -> Truth {
        if self.held.len() >= n {
            // Those that hold longest are enough, unless somebody counts signers.
            self.held.sort_by_key(|on| std::cmp::Reverse(on.until));
            self.held.truncate(if counted { usize::MAX } else { n });
            return self.hold();
        }
        match self.unknown.first() {
            Some(why) if self.held.len() + self.unknown.len() >= n => Truth::Unknown(why.clone()),
            _ => Truth::Fails(first(self.failed)),
        }
    }

    /// Whether `n` of them hold, each on another's word.
    fn signed(self, n: usize) -> Truth {
        let signed = distinct_signers(&self.held);
        if signed >= n {
            return self.hold();
        }
        // Whoever holds already might have further signers where nobody could look.
        let more = || self.held.iter().filter_map(|on| on.more.as_ref());
        match self.unknown.iter().chain(more()).next() {
            Some(why) if signed + self.unknown.len() + more().count() >= n => Truth::Unknown(why.clone()),
            _ => Truth::Fails(threshold(signed, n, &self.failed)),
        }
    }

    fn hold(self) -> Truth {
        self.held.into_iter().reduce(Held::and).map_or_else(|| Truth::Fails(first(self.failed)), Truth::Holds)
    }
}

fn first(failed: Vec<Shortfall>) -> Shortfall {
    // The branch that came closest explains best: on one something counted, one with a cause had a candidate.
    let best = failed.iter().map(closeness).max();
    let closest = failed.into_iter().find(|why| Some(closeness(why)) == best);
    closest.unwrap_or_else(|| Shortfall {
        reason: Reason::NoPolicy,
        cause: None,
        detail: "the requirement is empty".into(),
    })
}

fn closeness(why: &Shortfall) -> u8 {
    match why.reason {
        Reason::ConditionBudget
        | Reason::ConditionError
        | Reason::ConditionFalse
        | Reason::NoSigningTime
        | Reason::ThresholdNotMet
        | Reason::TooOld => 2,
        _ => why.cause.is_some().into(),
    }
}

fn threshold(counted: usize, n: usize, failed: &[Shortfall]) -> Shortfall {
    let cause = failed.iter().find_map(|why| why.cause.or(Some(why.reason)));
    Shortfall { reason: Reason::ThresholdNotMet, cause, detail: format!("{counted} of {n} distinct signers") }
}

/// How many branches can each be given a signer of its own (the largest matching, by augmenting paths).
fn distinct_signers(branches: &[Held]) -> usize {
    fn assign<'a>(
        branch: usize,
        branches: &'a [Held],
        taken: &mut BTreeMap<&'a Signer, usize>,
        tried: &mut BTreeSet<&'a Signer>,
    ) -> bool {
        for signer in &branches[branch].signers {
            if tried.insert(signer) {
                let holder = taken.get(signer).copied();
                if holder.is_none_or(|holder| assign(holder, branches, taken, tried)) {
                    taken.insert(signer, branch);
                    return true;
                }
            }
        }
        false
    }
    let mut taken = BTreeMap::new();
    (0..branches.len()).filter(|branch| assign(*branch, branches, &mut taken, &mut BTreeSet::new())).count()
}

#[cfg(test)]
mod tests;
