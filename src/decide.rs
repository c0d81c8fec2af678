//! The decision, audited leaf one: only here does a verdict come to be, and only by what is proven.
//!
//! [`decide`] is a pure function of what governs a subject and of what verification found. It does no I/O and knows
//! nothing of requests. A verdict depends on its key only: subject, policy revision, trust revision.

use std::ops::Deref;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::examined::Examined;
use crate::outcome::{self, Basis, Decided, Denial, Indeterminate, Key, Outcome, Ruling, Terms, Unbelieved};
use crate::policy::Governing;
use crate::reason::{Class, Reason};
use crate::record::{Authenticated, VerdictRecord};
use crate::trust::TrustRevision;
use crate::verify::artifact::EvidenceProof;
use crate::weigh::{Weighed, weigh_all};

/// Allow or Deny for one subject under one policy revision and one trust revision.
///
/// Only the functions of this module make one.
#[derive(Debug, Clone)]
pub struct Verdict(Ruling);

/// What it says can be read, not changed.
impl Deref for Verdict {
    type Target = Ruling;

    fn deref(&self) -> &Ruling {
        &self.0
    }
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
    let Weighed { denied, unsure, would_deny, held } = weigh_all(governing, examined, terms.now);
    let outcome = match (denied, unsure) {
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
    let (key, decided) = (Key::new(governing, trust), Decided::new(outcome, would_deny));
    Verdict(Ruling { key, decided, decided_at: terms.now, valid_until, fresh_until, stale: false })
}

impl Verdict {
    /// Takes up a stored verdict again. Its record's MAC was checked, and it must be about exactly this key, revocations
    /// and all, and fresh; or, if `unsure` came of judging it anew, the last that is known good.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn restore(
        record: &Authenticated<VerdictRecord>,
        about: &Key,
        terms: &Terms,
        unsure: Option<&Indeterminate>,
    ) -> Result<Self, Unbelieved> {
        let VerdictRecord { key, would_deny, decided_at, valid_until, fresh_until, .. } = record.get().clone();
        if key != *about {
            return Err(Unbelieved::Elsewhere);
        }
        // By a clock that was ahead, or ours was set back: it would last longer than it should.
        if decided_at > terms.now.plus(outcome::AHEAD) {
            return Err(Unbelieved::Future);
        }
        let outcome = record.get().outcome();
        // Whoever stored it may have let verdicts last longer than they do now.
        let lasts = if matches!(outcome, Outcome::Allow(_)) { terms.allow } else { terms.deny };
        let fresh_until = fresh_until.min(decided_at.plus(lasts));
        let (key, decided) = (about.clone(), Decided::new(outcome, would_deny));
        let verdict = Self(Ruling { key, decided, decided_at, valid_until, fresh_until, stale: false });
        match unsure {
            Some(unsure) => verdict.last_known_good(about, terms, unsure).ok_or(Unbelieved::Expired),
            None if terms.now < fresh_until => Ok(verdict),
            None => Err(Unbelieved::Expired),
        }
    }

    /// What an Allow that is no longer fresh still answers, by `terms.last_known_good`: marked as stale, about the same
    /// key, and only if all that kept it from being judged anew is a registry or a TUF repository that is away. A Deny
    /// is never good, and no fact that an Allow rests on is stretched.
    pub fn last_known_good(&self, about: &Key, terms: &Terms, unsure: &Indeterminate) -> Option<Self> {
        let same_allow = *self.key() == *about && matches!(self.outcome(), Outcome::Allow(_));
        let valid_until = self.valid_until().min(self.fresh_until().plus(terms.last_known_good));
        let good = same_allow && unsure.is_outage() && terms.now < valid_until;
        good.then(|| Self(Ruling { valid_until, stale: true, ..self.0.clone() }))
    }

    /// The same, sharing the memory of what is equal.
    #[must_use]
    pub(crate) fn sharing(self, key: Key, decided: Decided) -> Self {
        if self.0.key == key && self.0.decided == decided { Self(Ruling { key, decided, ..self.0 }) } else { self }
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
        let decided = Decided::new(Outcome::Allow(Basis::Audited(refusal.reason)), vec![refusal.clone()]);
        let (key, valid_until) = (Key::new(governing, trust), now.plus(Duration::from_secs(1)));
        Some(Self(Ruling { key, decided, decided_at: now, valid_until, fresh_until: now, stale: false }))
    }
}

#[cfg(test)]
mod tests;
