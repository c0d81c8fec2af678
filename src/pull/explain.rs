//! Explaining a pull: the very same steps, with a witness who keeps what they saw. It decides nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Case, PullError, Puller};
use crate::clock::Timestamp;
use crate::evidence::EvidenceSet;
use crate::examined::{Examined, Part};
use crate::oci::Manifest;
use crate::outcome::Basis;
use crate::policy::{Authority, Governing, Leaf, Policy, Truth};
use crate::reason::Reason;
use crate::route::ManifestPull;
use crate::select::{self, Considered};
use crate::verify::Findings;
use crate::weigh;

/// Keeps what judging saw. A proxy that serves has none.
#[derive(Debug, Default)]
pub struct Witness(Mutex<Vec<Sight>>);

/// The evidence about one subject, and what verification made of it.
#[derive(Debug)]
pub struct Sight {
    case: Case,
    examined: Examined,
}

/// What the proxy would answer, and why.
#[derive(Debug)]
pub struct Explanation {
    /// On what grounds it would serve, or why not.
    pub answer: Result<Basis, PullError>,
    /// What the reference names now, if the registry could tell: which policies govern it.
    pub governing: Option<Governing>,
    /// The manifest itself, if it could be read.
    pub manifest: Option<Arc<Manifest>>,
    /// Whose evidence those policies ask for.
    pub authorities: Vec<Arc<Authority>>,
    /// What was judged on evidence: at most the manifest and what it lists.
    pub sights: Vec<Sight>,
    /// What policies that are only watched would have refused, with their names.
    pub would_deny: Vec<(String, Reason)>,
    /// When it was asked.
    pub now: Timestamp,
}

impl Witness {
    pub(super) fn saw(&self, case: Case, examined: Examined) {
        self.sights().push(Sight { case, examined });
    }

    fn sights(&self) -> MutexGuard<'_, Vec<Sight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sight {
    /// What was judged.
    pub fn governing(&self) -> &Governing {
        &self.case.governing
    }

    /// Everything that was found, and what could not be read.
    pub fn evidence(&self) -> &EvidenceSet {
        &self.case.evidence.own.evidence
    }

    /// What verification made of it.
    pub fn findings(&self) -> &Findings {
        &self.examined.own.findings
    }

    /// What was looked at, with what an index lists.
    pub fn examined(&self) -> &Examined {
        &self.examined
    }

    /// What all that `policy` requires comes to, by the decision's own rule.
    pub fn required(&self, policy: &Policy) -> Truth {
        weigh::weigh_policy(policy, &self.examined, self.case.terms.now)
    }

    /// What one requirement of `policy` comes to on what was found about `part`, by the decision's own rule.
    pub fn weigh(&self, policy: &Policy, leaf: &Leaf, part: &Part) -> Truth {
        weigh::weigh(leaf, policy, part, self.case.terms.now)
    }

    /// The evidence about `part` that counts for `leaf`, and what came of each piece.
    pub fn considered<'a>(&self, policy: &Policy, leaf: &Leaf, part: &'a Part) -> Vec<Considered<'a>> {
        let (counting, _) = weigh::counting(leaf, policy, part);
        match leaf {
            Leaf::Attestation(wanted) => select::consider(wanted, counting, &part.image, self.case.terms.now),
            Leaf::Signature { .. } => {
                let each = counting.into_iter();
                each.map(|proof| Considered { proof, time: proof.signing().time(), chosen: true, fails: None })
                    .collect()
            }
        }
    }
}

impl Puller {
    /// Pulls as for a client, and tells everything that was learned on the way.
    pub async fn explain(&self, pull: &ManifestPull) -> Explanation {
        let mut ask = self.ask();
        let answer = self.manifest(&mut ask, pull).await.map(|admitted| admitted.basis().clone());
        let policies = &ask.snapshot.policies;
        let subject = ask.facts.digest.map(|digest| pull.image.at(digest));
        let governing = subject.as_ref().map(|subject| policies.governing(subject, ask.now));
        // It is in memory, unless it could not be read before.
        let manifest = match &subject {
            Some(subject) if !matches!(answer, Err(PullError::Upstream(_))) => self.fetch.manifest(subject).await.ok(),
            _ => None,
        };
        let mut names: Vec<_> =
            governing.iter().flat_map(Governing::policies).flat_map(|p| p.require().leaves()).collect();
        names.sort_unstable_by_key(|leaf| leaf.by());
        names.dedup_by_key(|leaf| leaf.by());
        let authorities = names.into_iter().filter_map(|leaf| policies.authority(leaf.by()).cloned()).collect();
        let sights = self.judge.witness.as_ref().map(|witness| std::mem::take(&mut *witness.sights()));
        let would_deny = ask.facts.would_deny.iter().map(|(policy, reason)| (policy.to_string(), *reason)).collect();
        Explanation {
            answer,
            governing,
            manifest,
            authorities,
            sights: sights.unwrap_or_default(),
            would_deny,
            now: ask.now,
        }
    }
}
