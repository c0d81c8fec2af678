//! The verdict on a subject: from memory, from the store, or anew: told by its content to be evidence itself, or
//! discover, or take what is held → verify → decide.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join;

use super::held::{About, Held};
use super::{Artifacts, Case, Fetch, Gathered, Piece, PullError, Witness};
use crate::cache::{Lookup, Verdicts};
use crate::clock::Timestamp;
use crate::decide::{Verdict, decide_artifact, foregone, ungoverned};
use crate::discovery::{self, Backoff, InFlight, Share, Wants};
use crate::examined::Examined;
use crate::limits::Limits;
use crate::oci::{Manifest, Registry, Subject};
use crate::outcome::{Basis, Denial, Indeterminate, Key, Outcome, Terms};
use crate::policy::{Governing, Leaf};
use crate::reason::Reason;
use crate::record::{Seal, VerdictRecord};
use crate::snapshot::Snapshot;
use crate::store::{Place, Shelf, Store};
use crate::telemetry::Metrics;
use crate::upstream::{Upstream, UpstreamError};
use crate::verify::Pool;
use crate::verify::artifact::EvidenceProof;
use crate::verify::pool::Unfinished;

mod children;

/// Comes to verdicts.
pub struct Judge {
    /// The registries that hold the evidence.
    pub upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    /// The manifests that indexes list.
    pub fetch: Arc<Fetch>,
    /// Which of them are evidence.
    pub artifacts: Artifacts,
    /// Verdicts in memory.
    pub verdicts: Verdicts,
    /// Verdicts that outlive memory.
    pub store: Arc<dyn Store>,
    /// What the store's records are sealed with.
    pub seal: Arc<Seal>,
    /// Evidence that was read already.
    pub held: Held,
    /// Evidence that is not asked for again yet.
    pub backoff: Backoff,
    /// Evidence that is being read or judged.
    pub in_flight: InFlight,
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
    /// The verdict on what is governed, whose manifest this is, and how it was come by.
    ///
    /// # Errors
    /// [`PullError::Indeterminate`], never remembered.
    pub async fn verdict(
        &self,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        manifest: &Manifest,
        now: Timestamp,
    ) -> Result<(Arc<Verdict>, Lookup), PullError> {
        let key = Key::new(governing, snapshot.trust.revision(governing));
        // Boxed when it begins, and only then: a warm answer carries nothing of it.
        let anew = async { Box::pin(self.anew(snapshot, governing, manifest, now)).await };
        let answer = self.verdicts.get_or_decide(key, now, anew).await;
        self.metrics.verdict_cache(answer.as_ref().map_or(Lookup::Miss, |(_, lookup)| *lookup).label());
        answer.map_err(|indeterminate| Indeterminate::clone(&indeterminate).into())
    }

    /// The verdict on what is governed, if it is in memory and allows it for its signatures.
    pub async fn signed(&self, snapshot: &Snapshot, governing: &Governing, now: Timestamp) -> Option<Arc<Verdict>> {
        let verdict = self.verdicts.fresh(&Key::new(governing, snapshot.trust.revision(governing)), now).await?;
        matches!(verdict.outcome(), Outcome::Allow(Basis::Signed)).then(|| {
            self.metrics.verdict_cache(Lookup::Hit.label());
            verdict
        })
    }

    /// Whether the verdict on what is governed is in memory.
    pub async fn remembers(&self, snapshot: &Snapshot, governing: &Governing, now: Timestamp) -> bool {
        self.verdicts.has_fresh(&Key::new(governing, snapshot.trust.revision(governing)), now).await
    }

    async fn anew(
        &self,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        manifest: &Manifest,
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
        if let Some(proof) = self.evidence_artifact(governing, manifest, now).await? {
            let verdict = decide_artifact(governing, trust, &proof, &terms)?;
            self.keep(&place, &verdict).await;
            return Ok(verdict);
        }
        if let Some(verdict) = ungoverned(governing, trust, &terms) {
            return Ok(verdict);
        }
        let (subject, revision) = (governing.subject(), governing.revision());
        let case = |evidence| Case {
            snapshot: snapshot.clone(),
            governing: governing.clone(),
            evidence,
            limits: self.limits,
            terms,
        };
        if let Some(nothing) = self.backoff.resting(subject, revision, now).await {
            // There is nothing to verify: what could not be read a moment ago leaves it open still.
            return case(Gathered::alone(Piece::new(subject, manifest, nothing))).deliberate().1;
        }
        let (began, share) = (Instant::now(), self.in_flight.share());
        let evidence = self.gather(governing, manifest, now, self.lasting.evidence, &share).await;
        let old = evidence.held_for(self.lasting.deny, now);
        let (mut examined, mut verdict) = self.deliberated(case(evidence)).await?;
        // What is held may allow. Where it does not, the registry may have what is missing.
        if old && !allows(&verdict) {
            let evidence = self.gather(governing, manifest, now, self.lasting.deny, &share).await;
            (examined, verdict) = self.deliberated(case(evidence)).await?;
        }
        self.count(&examined, began);
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(unsure) => {
                let (unread, incomplete) = examined.missing();
                self.backoff.failed(subject, revision, &unread, incomplete, now).await;
                return Err(unsure);
            }
        };
        self.backoff.succeeded(subject, revision).await;
        self.keep(&place, &verdict).await;
        Ok(verdict)
    }

    /// Stores a verdict, where it can be found again.
    async fn keep(&self, place: &Place, verdict: &Verdict) {
        if let Some(Ok(sealed)) = VerdictRecord::of(verdict).map(|record| self.seal.close(place, &record)) {
            let keep = verdict.fresh_until().since(verdict.decided_at());
            // A store that is down costs a verification, and has been counted.
            let _ = self.store.put(place, sealed.into(), keep).await;
        }
    }

    /// Proof that the manifest is an evidence artifact, if it is one.
    async fn evidence_artifact(
        &self,
        governing: &Governing,
        manifest: &Manifest,
        now: Timestamp,
    ) -> Result<Option<EvidenceProof>, Indeterminate> {
        match self.artifacts.prove(&governing.subject().image, manifest, &self.pool, now).await {
            Ok(proof) => Ok(proof),
            // Of what is not there, nothing can pass by its content; policies may know more.
            Err(PullError::Upstream(UpstreamError::NotFound)) => Ok(None),
            Err(PullError::Denied(denial) | PullError::Indeterminate(denial)) => Err(Indeterminate(denial)),
            Err(error) => {
                let detail =
                    format!("it may be an evidence artifact, and could not be read: {}: {error}", error.reason());
                Err(Indeterminate(Denial::new(Reason::EvidenceUnreadable, detail)))
            }
        }
    }

    /// The evidence that the policies ask for: what was read less than `max_age` ago, or is read now.
    async fn gather(
        &self,
        governing: &Governing,
        manifest: &Manifest,
        now: Timestamp,
        max_age: Duration,
        share: &Share,
    ) -> Gathered {
        let own = self.piece(governing, governing.subject(), manifest, now, max_age, share);
        let asked = governing.remaining().any(|policy| policy.require().asks_platforms());
        if !asked || !manifest.media_type().is_index() {
            return Gathered::alone(own.await);
        }
        let (own, children) = join(own, self.children(governing, manifest, now, max_age, share)).await;
        Gathered { own, children: Some(children) }
    }

    /// The evidence about one manifest, `subject`.
    async fn piece(
        &self,
        governing: &Governing,
        subject: &Subject,
        manifest: &Manifest,
        now: Timestamp,
        max_age: Duration,
        share: &Share,
    ) -> Piece {
        let (elsewhere, wants) = (governing.evidence_elsewhere(), wants(governing));
        let about = About { subject: subject.clone(), elsewhere, wants };
        let read = discovery::discover(&self.upstreams, subject, &about.elsewhere, wants, &self.limits, share, now);
        let (evidence, origin) = self.held.get(&about, now, max_age, share, read).await;
        self.metrics.evidence_cache(origin.label());
        Piece { held: origin.held(), ..Piece::new(subject, manifest, evidence) }
    }

    /// Verifies and decides, off the threads that serve connections.
    async fn deliberated(&self, case: Case) -> Result<(Examined, Result<Verdict, Indeterminate>), Indeterminate> {
        let deliberation = self.pool.run(move || {
            let (examined, verdict) = case.deliberate();
            (case, examined, verdict)
        });
        let queued = self.metrics.verifying();
        let (case, examined, verdict) = deliberation.await.map_err(|unfinished| {
            self.metrics.verification_unfinished(unfinished == Unfinished::Busy);
            Indeterminate(Denial::new(unfinished.reason(), unfinished.to_string()))
        })?;
        drop(queued);
        if let Some(witness) = &self.witness {
            witness.saw(case, examined.clone());
        }
        Ok((examined, verdict))
    }

    fn count(&self, examined: &Examined, began: Instant) {
        let findings = &examined.own.findings;
        let result = match (findings.verified.is_empty(), findings.unread.is_empty() && findings.unjudged.is_empty()) {
            (false, _) => "verified",
            (true, true) => "rejected",
            (true, false) => "unread",
        };
        self.metrics.verification(result, began.elapsed());
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Judge")
    }
}

fn allows(verdict: &Result<Verdict, Indeterminate>) -> bool {
    verdict.as_ref().is_ok_and(|verdict| matches!(verdict.outcome(), Outcome::Allow(_)))
}

/// Which sources of evidence the policies can make use of.
fn wants(governing: &Governing) -> Wants {
    let mut wants = Wants { bundle: false, signatures: false, attestations: false };
    for policy in governing.remaining() {
        wants.bundle |= policy.formats().bundle;
        for leaf in policy.require().leaves() {
            wants.signatures |= policy.formats().legacy && matches!(leaf, Leaf::Signature { .. });
            wants.attestations |= policy.formats().legacy && matches!(leaf, Leaf::Attestation(_));
        }
    }
    wants
}

/// Where the record of a verdict is kept: its whole key.
fn place(key: &Key) -> Place {
    Place::new(Shelf::Verdicts, format!("{}/{}/{}", key.subject, key.policy.0, key.trust))
}

#[cfg(test)]
mod tests;
