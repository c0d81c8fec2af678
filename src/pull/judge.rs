//! The verdict on a subject: from memory, from the store, or anew: discover → verify → decide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::held::{About, Held};
use super::{PullError, Witness};
use crate::cache::{Lookup, Verdicts};
use crate::clock::Timestamp;
use crate::decide::{Verdict, decide, foregone};
use crate::discovery::{self, Backoff, Wants};
use crate::limits::Limits;
use crate::oci::Registry;
use crate::outcome::{Denial, Indeterminate, Key, Outcome, Terms};
use crate::policy::{Governing, Leaf};
use crate::record::{Seal, VerdictRecord};
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::upstream::Upstream;
use crate::verify::pool::Unfinished;
use crate::verify::{Against, Findings, Pool, verify_all};

/// Comes to verdicts.
pub struct Judge {
    /// The registries that hold the evidence.
    pub upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    /// Verdicts in memory.
    pub verdicts: Verdicts,
    /// Verdicts that outlive memory.
    pub store: Arc<dyn Store>,
    /// What the store's records are sealed with.
    pub seal: Seal,
    /// Evidence that was read already.
    pub held: Held,
    /// Evidence that is not asked for again yet.
    pub backoff: Backoff,
    /// Where verifications run.
    pub pool: Pool,
    /// The bounds of discovery and verification.
    pub limits: Limits,
    /// How long verdicts last.
    pub lasting: Lasting,
    /// Where verifications are counted.
    pub metrics: Arc<Metrics>,
    /// Who keeps what was seen, where it is to be explained.
    pub witness: Option<Arc<Witness>>,
}

/// How long verdicts and evidence last, as configured.
#[derive(Debug, Clone, Copy)]
pub struct Lasting {
    /// An Allow.
    pub allow: Duration,
    /// A Deny.
    pub deny: Duration,
    /// Evidence, after it was read.
    pub evidence: Duration,
}

impl Judge {
    /// The verdict on what is governed, and how it was come by.
    ///
    /// # Errors
    /// [`PullError::Indeterminate`], never remembered.
    pub async fn verdict(
        &self,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        now: Timestamp,
    ) -> Result<(Arc<Verdict>, Lookup), PullError> {
        let key = Key::new(governing, snapshot.trust.revision(governing));
        // Boxed when it begins, and only then: a warm answer carries nothing of it.
        let anew = async { Box::pin(self.anew(snapshot, governing, now)).await };
        let answer = self.verdicts.get_or_decide(key, now, anew).await;
        self.metrics.verdict_cache(answer.as_ref().map_or(Lookup::Miss, |(_, lookup)| *lookup).label());
        answer.map_err(|indeterminate| Indeterminate::clone(&indeterminate).into())
    }

    async fn anew(
        &self,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        now: Timestamp,
    ) -> Result<Verdict, Indeterminate> {
        let trust = snapshot.trust.revision(governing);
        let terms =
            Terms { now, allow: self.lasting.allow, deny: self.lasting.deny, evidence_max_age: self.lasting.evidence };
        if let Some(verdict) = foregone(governing, trust, &terms) {
            return Ok(verdict);
        }
        let place = place(&Key::new(governing, trust));
        // A store that is down costs a verification, nothing more.
        if let Ok(Some(sealed)) = self.store.get(&place).await
            && let Some(record) = self.seal.open::<VerdictRecord>(&place, &sealed)
            && let Some(verdict) = Verdict::restore(&record, governing, trust, now)
        {
            return Ok(verdict);
        }
        let (subject, revision) = (governing.subject(), governing.revision());
        if let Some(nothing) = self.backoff.resting(subject, revision, now).await {
            // No authority is asked, so nothing is verified: what could not be read a moment ago leaves it open still.
            let (trusted, revoked) = (&snapshot.trust, snapshot.policies.revoked());
            let against = Against { trust: trusted, revoked, limits: &self.limits, now };
            return decide(governing, trust, &verify_all(&nothing, &subject.digest, &[], against), &terms);
        }
        let (mut findings, old) = self.findings(snapshot, governing, now, self.lasting.evidence).await?;
        let mut decided = decide(governing, trust, &findings, &terms);
        // What is held may allow. Where it does not, the registry may have what is missing.
        if old && !allows(&decided) {
            (findings, _) = self.findings(snapshot, governing, now, self.lasting.deny).await?;
            decided = decide(governing, trust, &findings, &terms);
        }
        let verdict = match decided {
            Ok(verdict) => verdict,
            Err(unsure) => {
                self.backoff.failed(subject, revision, &findings.unread, findings.incomplete, now).await;
                return Err(unsure);
            }
        };
        self.backoff.succeeded(subject, revision).await;
        if let Some(Ok(sealed)) = VerdictRecord::of(&verdict).map(|record| self.seal.close(&place, &record))
            && let Err(down) = self.store.put(&place, sealed.into()).await
        {
            tracing::warn!(error = %down, "verdict not stored");
        }
        Ok(verdict)
    }

    /// Takes the evidence that was read less than `max_age` ago, or reads it, and verifies it, off the threads that
    /// serve connections. Also says whether it is so old that it denies nothing.
    async fn findings(
        &self,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<(Findings, bool), Indeterminate> {
        let began = Instant::now();
        let (subject, digest) = (governing.subject(), governing.subject().digest);
        let (elsewhere, wants) = (governing.evidence_elsewhere(), wants(governing));
        let about = About { subject: subject.clone(), elsewhere, wants };
        let read = discovery::discover(&self.upstreams, subject, &about.elsewhere, wants, &self.limits, now);
        let (set, lookup) = self.held.get(&about, now, max_age, read).await;
        self.metrics.evidence_cache(lookup.label());
        let old = lookup == Lookup::Hit && now >= set.read_at.plus(self.lasting.deny);
        let names: BTreeSet<_> =
            governing.remaining().flat_map(|policy| policy.require().leaves()).map(Leaf::by).collect();
        let authorities: Vec<_> =
            names.into_iter().filter_map(|name| snapshot.policies.authority(name).cloned()).collect();
        let (limits, snapshot) = (self.limits, snapshot.clone());
        let kept = self.witness.as_ref().map(|witness| (witness, set.clone()));
        let verification = self.pool.run(move || {
            let (trust, revoked) = (&snapshot.trust, snapshot.policies.revoked());
            verify_all(&set, &digest, &authorities, Against { trust, revoked, limits: &limits, now })
        });
        let queued = self.metrics.verifying();
        let findings = verification.await.map_err(|unfinished| {
            self.metrics.verification_unfinished(unfinished == Unfinished::Busy);
            Indeterminate(Denial::new(unfinished.reason(), unfinished.to_string()))
        })?;
        drop(queued);
        if let Some((witness, set)) = kept {
            witness.saw(governing, set, &findings);
        }
        let result = match (findings.verified.is_empty(), findings.unread.is_empty() && findings.unjudged.is_empty()) {
            (false, _) => "verified",
            (true, true) => "rejected",
            (true, false) => "unread",
        };
        self.metrics.verification(result, began.elapsed());
        Ok((findings, old))
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Judge")
    }
}

fn allows(decided: &Result<Verdict, Indeterminate>) -> bool {
    decided.as_ref().is_ok_and(|verdict| matches!(verdict.outcome(), Outcome::Allow(_)))
}

/// Which sources of evidence the policies can make use of.
fn wants(governing: &Governing) -> Wants {
    let mut wants = Wants { bundle: false, signatures: false, attestations: false };
    for policy in governing.remaining() {
        wants.bundle |= policy.formats().bundle;
        for leaf in policy.require().leaves() {
            wants.signatures |= policy.formats().legacy && matches!(leaf, Leaf::Signature { .. });
            wants.attestations |= policy.formats().legacy && matches!(leaf, Leaf::Attestation { .. });
        }
    }
    wants
}

/// Where the record of a verdict is kept: its whole key.
fn place(key: &Key) -> Vec<u8> {
    format!("verdict/{}/{}/{}", key.subject, key.policy.0, key.trust).into_bytes()
}

#[cfg(test)]
mod tests;
