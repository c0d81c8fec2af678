//! The decision, audited leaf one: only here does a verdict come to be, and only by what is proven.
//!
//! [`decide`] is a pure function of what governs a subject and of what verification found. It does no I/O and knows
//! nothing of requests. A verdict depends on its key only: subject, policy revision, trust revision.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::examined::Examined;
use crate::outcome::{self, Basis, Denial, Indeterminate, Key, Outcome, Terms};
use crate::policy::{Governing, Mode, Truth};
use crate::reason::{Class, Reason};
use crate::record::{Authenticated, VerdictRecord};
use crate::trust::TrustRevision;
use crate::verify::artifact::EvidenceProof;
use crate::weigh::weigh_policy;

/// Allow or Deny for one subject under one policy revision and one trust revision.
///
/// Only the functions of this module make one.
#[derive(Debug, Clone)]
pub struct Verdict {
    key: Key,
    outcome: Outcome,
    would_deny: Vec<Denial>,
    decided_at: Timestamp,
    valid_until: Timestamp,
    fresh_until: Timestamp,
}

/// Decides what nothing has to be read for: a revoked digest, an exemption that leaves no policy.
pub fn foregone(governing: &Governing, trust: TrustRevision, terms: &Terms) -> Option<Verdict> {
    let outcome = if governing.revoked() {
        Outcome::Deny(Denial::new(Reason::Revoked, "the digest is on the list of revoked digests"))
    } else if governing.remaining().next().is_none() && governing.exempting().is_some() {
        without_policy(governing)
    } else {
        return None;
    };
    Some(conclude(governing, trust, terms, outcome, Vec::new(), (terms.now, Timestamp::FOREVER)))
}

/// Decides on an evidence artifact: whatever policies require, it passes, unless it is revoked.
///
/// # Errors
/// [`Indeterminate`] if the proof is about something else, which no caller should bring about.
pub fn decide_artifact(
    governing: &Governing,
    trust: TrustRevision,
    proof: &EvidenceProof,
    terms: &Terms,
) -> Result<Verdict, Indeterminate> {
    if let Some(verdict) = foregone(governing, trust, terms) {
        return Ok(verdict);
    }
    if proof.digest() != governing.subject().digest {
        return Err(Indeterminate(Denial::new(Reason::Internal, "the proof is about other content")));
    }
    let outcome = Outcome::Allow(Basis::Evidence);
    Ok(conclude(governing, trust, terms, outcome, Vec::new(), (terms.now, Timestamp::FOREVER)))
}

/// Decides what evidence could not change: no policy at all governs it.
pub fn ungoverned(governing: &Governing, trust: TrustRevision, terms: &Terms) -> Option<Verdict> {
    let foregone = foregone(governing, trust, terms);
    if foregone.is_some() || governing.remaining().next().is_some() {
        return foregone;
    }
    let none = without_policy(governing);
    Some(conclude(governing, trust, terms, none, Vec::new(), (terms.now, Timestamp::FOREVER)))
}

/// Decides whether every policy that governs the subject holds on what was `examined`.
///
/// A policy that fails decides, whatever another could not tell: all of them must hold. Audited policies only leave a
/// note.
///
/// # Errors
/// [`Indeterminate`] if an enforced policy could hold, had everything been read.
pub fn decide(
    governing: &Governing,
    trust: TrustRevision,
    examined: &Examined,
    terms: &Terms,
) -> Result<Verdict, Indeterminate> {
    if let Some(verdict) = foregone(governing, trust, terms) {
        return Ok(verdict);
    }
    let (mut denied, mut unsure, mut would_deny) = (Vec::new(), Vec::new(), Vec::new());
    let mut held: Option<Timestamp> = None;
    for policy in governing.remaining() {
        let (list, why) = match (policy.mode(), weigh_policy(policy, examined, terms.now)) {
            (Mode::Enforce, Truth::Holds(on)) => {
                held = Some(held.map_or(on.until, |other| other.min(on.until)));
                continue;
            }
            (Mode::Audit, Truth::Holds(_)) => continue,
            (Mode::Audit, Truth::Fails(why) | Truth::Unknown(why)) => (&mut would_deny, why),
            (Mode::Enforce, Truth::Fails(why)) => (&mut denied, why),
            (Mode::Enforce, Truth::Unknown(why)) => (&mut unsure, why),
        };
        list.push(Denial::by(policy, why, governing));
    }
    let outcome = match (denied.into_iter().next(), unsure.into_iter().next()) {
        (Some(denial), _) => Outcome::Deny(denial),
        (None, Some(unsure)) => return Err(Indeterminate(unsure)),
        (None, None) if held.is_some() => Outcome::Allow(Basis::Signed),
        (None, None) => without_policy(governing),
    };
    let until = held.unwrap_or(Timestamp::FOREVER);
    Ok(conclude(governing, trust, terms, outcome, would_deny, (examined.read_at(), until)))
}

/// What holds when no enforced policy remains: an exemption took it away, or there was none.
fn without_policy(governing: &Governing) -> Outcome {
    match governing.exempting() {
        Some(exemption) => Outcome::Allow(Basis::Exempt(exemption.reason().into())),
        None => Outcome::Deny(outcome::without_policy(governing)),
    }
}

fn conclude(
    governing: &Governing,
    trust: TrustRevision,
    terms: &Terms,
    outcome: Outcome,
    would_deny: Vec<Denial>,
    (read_at, until): (Timestamp, Timestamp),
) -> Verdict {
    let valid_until = governing.holds_until().min(until);
    let fresh_until = match outcome {
        Outcome::Allow(_) => terms.now.plus(terms.allow).min(read_at.plus(terms.evidence_max_age)),
        Outcome::Deny(_) => terms.now.plus(terms.deny),
    };
    let fresh_until = fresh_until.min(valid_until);
    Verdict { key: Key::new(governing, trust), outcome, would_deny, decided_at: terms.now, valid_until, fresh_until }
}

impl Verdict {
    /// Takes up a stored verdict again. Its record's MAC was checked, and it must be about exactly this subject under
    /// exactly these revisions.
    pub fn restore(
        record: &Authenticated<VerdictRecord>,
        governing: &Governing,
        trust: TrustRevision,
        now: Timestamp,
    ) -> Option<Self> {
        let record = record.get();
        if record.key != Key::new(governing, trust) || now >= record.fresh_until || governing.revoked() {
            return None;
        }
        let (key, outcome, would_deny) = (record.key.clone(), record.outcome(), record.would_deny.clone());
        let (decided_at, valid_until, fresh_until) = (record.decided_at, record.valid_until, record.fresh_until);
        Some(Self { key, outcome, would_deny, decided_at, valid_until, fresh_until })
    }

    /// What audit makes of a refusal: an Allow for this one answer, where the operator asked for it.
    ///
    /// A revoked digest stays refused, and so does an index that lists one.
    pub fn audited(refusal: &Denial, governing: &Governing, trust: TrustRevision, now: Timestamp) -> Option<Self> {
        let firm = governing.revoked() || refusal.reason.is_firm();
        let asked = governing.audits_all() || governing.left_to_audit();
        if firm || !asked || !matches!(refusal.reason.class(), Class::Deny | Class::Unavailable) {
            return None;
        }
        let (outcome, would_deny) = (Outcome::Allow(Basis::Audited(refusal.reason)), vec![refusal.clone()]);
        let valid_until = now.plus(Duration::from_secs(1));
        let key = Key::new(governing, trust);
        Some(Self { key, outcome, would_deny, decided_at: now, valid_until, fresh_until: now })
    }

    /// What it is about, and under which revisions it was made.
    pub fn key(&self) -> &Key {
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
}

#[cfg(test)]
mod tests;
