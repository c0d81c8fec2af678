//! Requirements as a tree, evaluated in three values: it holds, it fails, it could not be told.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Name;
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
    /// An attestation of exactly this predicate type.
    Attestation {
        /// Who must have made it.
        by: Name,
        /// What it must be.
        predicate_type: String,
    },
    /// A signature of the image itself.
    Signature {
        /// Who must have made it.
        by: Name,
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
    /// It holds, on the word of these signers.
    Holds(BTreeSet<Signer>),
    /// What was read does not tell.
    Unknown(Shortfall),
}

impl Leaf {
    /// Whose evidence it asks for.
    pub fn by(&self) -> &Name {
        match self {
            Self::Attestation { by, .. } | Self::Signature { by } => by,
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
        match self {
            Self::Leaf(one) => leaf(one),
            Self::AllOf(of) => at_least(of.len().max(1), of, false, leaf),
            Self::AnyOf(of) => at_least(1, of, false, leaf),
            Self::AtLeast { n, of } => at_least((*n).max(1), of, true, leaf),
        }
    }
}

fn at_least(n: usize, of: &[Requirement], distinct: bool, leaf: &impl Fn(&Leaf) -> Truth) -> Truth {
    let (mut held, mut unknown, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for branch in of {
        match branch.evaluate(leaf) {
            Truth::Fails(why) => failed.push(why),
            Truth::Holds(signers) => held.push(signers),
            Truth::Unknown(why) => unknown.push(why),
        }
    }
    let counted = if distinct { distinct_signers(&held) } else { held.len() };
    if counted >= n {
        return Truth::Holds(held.into_iter().flatten().collect());
    }
    let reachable = counted + unknown.len() >= n;
    match unknown.into_iter().next() {
        Some(why) if reachable => Truth::Unknown(why),
        _ => Truth::Fails(if distinct { threshold(counted, n, &failed) } else { first(failed) }),
    }
}

fn first(failed: Vec<Shortfall>) -> Shortfall {
    // The branch that came closest explains best: one with a cause had at least a candidate.
    let closest = failed.iter().position(|why| why.cause.is_some()).unwrap_or(0);
    failed.into_iter().nth(closest).unwrap_or_else(|| Shortfall {
        reason: Reason::NoPolicy,
        cause: None,
        detail: "the requirement is empty".into(),
    })
}

fn threshold(counted: usize, n: usize, failed: &[Shortfall]) -> Shortfall {
    let cause = failed.iter().find_map(|why| why.cause.or(Some(why.reason)));
    Shortfall { reason: Reason::ThresholdNotMet, cause, detail: format!("{counted} of {n} distinct signers") }
}

/// How many branches can each be given a signer of its own (the largest matching, by augmenting paths).
fn distinct_signers(branches: &[BTreeSet<Signer>]) -> usize {
    fn assign<'a>(
        branch: usize,
        branches: &'a [BTreeSet<Signer>],
        taken: &mut std::collections::BTreeMap<&'a Signer, usize>,
        tried: &mut BTreeSet<&'a Signer>,
    ) -> bool {
        for signer in &branches[branch] {
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
    let mut taken = std::collections::BTreeMap::new();
    (0..branches.len()).filter(|branch| assign(*branch, branches, &mut taken, &mut BTreeSet::new())).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(reason: Reason) -> Shortfall {
        Shortfall { reason, cause: None, detail: String::new() }
    }

    /// A leaf whose authority's name says its value: `h:alice,bob` holds, `f` fails, `u` is unknown.
    fn leaf(text: &str) -> Requirement {
        Requirement::Leaf(Leaf::Signature { by: Name::new(text).expect("a name") })
    }

    fn value(leaf: &Leaf) -> Truth {
        match leaf.by().as_str().split_once(':') {
            Some((_, signers)) => Truth::Holds(signers.split(',').map(|s| Signer(s.into())).collect()),
            None if leaf.by().as_str() == "u" => Truth::Unknown(why(Reason::EvidenceUnreadable)),
            None => Truth::Fails(why(Reason::Unsigned)),
        }
    }

    fn word(requirement: &Requirement) -> &'static str {
        match requirement.evaluate(&value) {
            Truth::Fails(_) => "fails",
            Truth::Holds(_) => "holds",
            Truth::Unknown(_) => "unknown",
        }
    }

    #[test]
    fn three_values_all_the_way_up() {
        let (h, f, u) = (|| leaf("h:a"), || leaf("f"), || leaf("u"));
        let all = Requirement::AllOf;
        let any = Requirement::AnyOf;
        for (tree, expected) in [
            (all(vec![]), "fails"),
            (any(vec![]), "fails"),
            (all(vec![h(), h()]), "holds"),
            (all(vec![h(), u()]), "unknown"),
            (all(vec![u(), f()]), "fails"),
            (any(vec![u(), h()]), "holds"),
            (any(vec![u(), f()]), "unknown"),
            (any(vec![f(), f()]), "fails"),
            (all(vec![any(vec![f(), h()]), h()]), "holds"),
        ] {
            assert_eq!(word(&tree), expected, "{tree:?}");
        }
    }

    #[test]
    fn a_threshold_counts_distinct_signers() {
        let at_least = |n, of: &[&str]| Requirement::AtLeast { n, of: of.iter().map(|text| leaf(text)).collect() };
        for (tree, expected) in [
            (at_least(2, &["h:a", "h:a"]), "fails"),
            (at_least(2, &["h:a", "h:a,b"]), "holds"),
            (at_least(2, &["h:a,b", "h:a"]), "holds"),
            (at_least(3, &["h:a,b", "h:a", "h:b"]), "fails"),
            (at_least(2, &["h:a", "u"]), "unknown"),
            (at_least(3, &["h:a", "u", "f"]), "fails"),
            (at_least(0, &["f"]), "fails"),
        ] {
            assert_eq!(word(&tree), expected, "{tree:?}");
        }
    }
}
