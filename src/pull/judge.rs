//! The verdict on a subject: from memory, from the store, or anew: told by its content to be evidence itself, or
//! discover, or take what is held → verify → decide.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join;

use super::held::{About, Held};
use super::{Artifacts, Case, Fetch, Gathered, Piece, PullError, Witness};
use crate::cache::{Leases, Lookup, Refresh, Verdicts};
use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::discovery::{self, Backoff, InFlight, Share};
use crate::examined::Examined;
use crate::limits::Limits;
use crate::oci::{Manifest, Registry, Subject};
use crate::outcome::{Basis, Denial, Indeterminate, Key, Outcome, Terms};
use crate::policy::Governing;
use crate::reason::Reason;
use crate::record::Seal;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::upstream::{Upstream, UpstreamError};
use crate::verify::Pool;
use crate::verify::artifact::EvidenceProof;
use crate::verify::pool::Unfinished;
use wants::{How, wants};

mod anew;

mod children;

mod last_known_good;

mod refresh;

mod stored;

mod wants;

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
    /// Which of them are judged anew before they end.
    pub refresh: Refresh,
    /// The turns of the replicas that share the store, if any do.
    pub leases: Option<Leases>,
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
    /// An Allow beyond its end, while it cannot be judged anew because a registry or a TUF repository is away.
    pub last_known_good: Duration,
}

impl Judge {
    /// The verdict on what is governed, whose manifest this is, and how it was come by.
    ///
    /// # Errors
    /// [`PullError::Indeterminate`], never remembered.
    pub async fn verdict(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        manifest: &Arc<Manifest>,
        now: Timestamp,
    ) -> Result<(Verdict, Lookup), PullError> {
        let key = Key::new(governing, snapshot.trust.revision(governing));
        if let Some(verdict) = self.verdicts.fresh(&key, now).await {
            return Ok((self.hit(snapshot, governing, manifest, verdict, now).await, Lookup::Hit));
        }
        // Boxed when it begins, and only then: a warm answer carries nothing of it.
        let answer = Box::pin(self.decided(snapshot, governing, manifest, key, now)).await;
        self.metrics.verdicts().lookup(answer.as_ref().map_or(Lookup::Miss, |(_, lookup)| *lookup).label());
        Ok(answer?)
    }

    /// The verdict on what is governed, whose manifest this is, if it is in memory and allows it for its signatures; and
    /// the time that it was judged by.
    pub async fn signed(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        manifest: &Arc<Manifest>,
        now: Timestamp,
    ) -> Option<(Verdict, Timestamp)> {
        let key = Key::new(governing, snapshot.trust.revision(governing));
        let (verdict, judged) = self.verdicts.last(&key, now).await?;
        let signed = matches!(verdict.outcome(), Outcome::Allow(Basis::Signed));
        if !signed || judged >= verdict.fresh_until() {
            return None;
        }
        Some((self.hit(snapshot, governing, manifest, verdict, now).await, judged))
    }

    /// Counts a use of `verdict`; near its end it is judged anew in the background.
    async fn hit(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        manifest: &Arc<Manifest>,
        verdict: Verdict,
        now: Timestamp,
    ) -> Verdict {
        self.metrics.verdicts().lookup(Lookup::Hit.label());
        if self.refresh.is_due(&verdict, now) {
            Box::pin(self.refresh_ahead(snapshot, governing, manifest, &verdict, now)).await;
        }
        verdict
    }

    /// Whether the verdict on what is governed is in memory.
    pub async fn remembers(&self, snapshot: &Snapshot, governing: &Governing, now: Timestamp) -> bool {
        self.verdicts.fresh(&Key::new(governing, snapshot.trust.revision(governing)), now).await.is_some()
    }

    /// The verdict that is decided once for all who ask; or else the last that is known good.
    async fn decided(
        &self,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        manifest: &Manifest,
        key: Key,
        now: Timestamp,
    ) -> Result<(Verdict, Lookup), Indeterminate> {
        let mut restored = false;
        // Boxed before it is handed on: the cache would copy all of it several times.
        let anew = Box::pin(async {
            let (verdict, how) = self.anew(snapshot, governing, manifest, now, None).await?;
            restored = how == Lookup::Restored;
            Ok(verdict)
        });
        match Box::pin(self.verdicts.decide_once(key, now, anew)).await {
            Ok((verdict, Lookup::Miss)) if restored => Ok((verdict, Lookup::Restored)),
            Ok(answer) => Ok(answer),
            Err(unsure) => match self.last_known_good(snapshot, governing, &unsure, now).await {
                Some(verdict) => Ok((verdict, Lookup::Stale)),
                None => Err(Indeterminate::clone(&unsure)),
            },
        }
    }

    fn terms(&self, now: Timestamp) -> Terms {
        let Lasting { allow, deny, evidence, last_known_good } = self.lasting;
        Terms { now, allow, deny, evidence_max_age: evidence, last_known_good }
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
                let cause = match &error {
                    PullError::Upstream(gone) if gone.is_outage() => Some(gone.reason()),
                    _ => None,
                };
                Err(Indeterminate(Denial { cause, ..Denial::new(Reason::EvidenceUnreadable, detail) }))
            }
        }
    }

    /// The evidence that the policies ask for: what was read not too long ago, or is read now.
    async fn gather(
        &self,
        governing: &Governing,
        manifest: &Manifest,
        now: Timestamp,
        how: How,
        share: &Share,
    ) -> Gathered {
        let own = self.piece(governing, governing.subject(), manifest, now, how, share);
        let asked = governing.remaining().any(|policy| policy.require().asks_platforms());
        if !asked || !manifest.media_type().is_index() {
            return Gathered::alone(own.await);
        }
        let (own, children) = join(own, self.children(governing, manifest, now, how, share)).await;
        Gathered { own, children: Some(children) }
    }

    /// The evidence about one manifest, `subject`.
    async fn piece(
        &self,
        governing: &Governing,
        subject: &Subject,
        manifest: &Manifest,
        now: Timestamp,
        how: How,
        share: &Share,
    ) -> Piece {
        let (elsewhere, wants) = (governing.evidence_elsewhere(), wants(governing, how.thorough));
        let about = About { subject: subject.clone(), elsewhere, wants };
        let read = discovery::discover(&self.upstreams, subject, &about.elsewhere, wants, &self.limits, share, now);
        let (evidence, origin) = self.held.get(&about, now, how.max_age, share, read).await;
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

#[cfg(test)]
mod tests;
