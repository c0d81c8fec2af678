//! A verdict that is not in memory: from the store, or anew: told by its content to be evidence itself, or discover, or
//! take what is held → verify → decide.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Judge;
use super::wants::{How, wants};
use crate::cache::Lookup;
use crate::clock::Timestamp;
use crate::decide::{Verdict, decide_artifact, foregone, ungoverned};
use crate::oci::Manifest;
use crate::outcome::{Indeterminate, Key, Outcome};
use crate::policy::Governing;
use crate::pull::{Case, Gathered, Piece};
use crate::snapshot::Snapshot;

impl Judge {
    /// Comes to a verdict; or, if one is `renewing`, to one that ends later, on evidence that is read now.
    pub(super) async fn anew(
        &self,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        manifest: &Manifest,
        now: Timestamp,
        renewing: Option<&Verdict>,
    ) -> Result<(Verdict, Lookup), Indeterminate> {
        let (trust, terms) = (snapshot.trust.revision(governing), self.terms(now));
        if let Some(verdict) = foregone(governing, trust, &terms) {
            return Ok((verdict, Lookup::Miss));
        }
        let key = Key::new(governing, trust);
        let later = |verdict: &Verdict| renewing.is_none_or(|old| old.fresh_until() < verdict.fresh_until());
        if let Some(verdict) = self.stored(&key, &terms, None).await.filter(later) {
            return Ok((verdict, Lookup::Restored));
        }
        let theirs = || async { self.stored(&key, &terms, None).await.filter(later) };
        let turn = match &self.leases {
            Some(leases) => leases.wait(&key, theirs).await,
            None => Err(None),
        };
        // Whoever else wants to know waits until this is dropped, after the verdict was stored.
        let _lease = match turn {
            Ok(theirs) => return Ok((theirs, Lookup::Restored)),
            Err(lease) => lease,
        };
        if let Some(proof) = self.evidence_artifact(governing, manifest, now).await? {
            let verdict = decide_artifact(governing, trust, &proof, &terms)?;
            self.keep(&verdict).await;
            return Ok((verdict, Lookup::Miss));
        }
        if let Some(verdict) = ungoverned(governing, trust, &terms) {
            return Ok((verdict, Lookup::Miss));
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
            return case(Gathered::alone(Piece::new(subject, manifest, nothing)))
                .deliberate()
                .1
                .map(|verdict| (verdict, Lookup::Miss));
        }
        let (began, share) = (Instant::now(), self.in_flight.share());
        // A renewal from what is held would end with it.
        let max_age = if renewing.is_some() { Duration::ZERO } else { self.lasting.evidence };
        let evidence = self.gather(governing, manifest, now, How { max_age, thorough: false }, &share).await;
        let old = evidence.held_for(self.lasting.deny, now);
        let narrow = wants(governing, true) != wants(governing, false);
        let (mut examined, mut verdict) = self.deliberated(case(evidence)).await?;
        // What is held, or stands where it mostly does, may allow. Where it does not, the registry may have what is missing.
        let lacks = if allows(&verdict) { narrow && would_deny(&verdict) } else { old || narrow };
        if lacks {
            let how = How { max_age: self.lasting.deny, thorough: true };
            let evidence = self.gather(governing, manifest, now, how, &share).await;
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
        if matches!(verdict.outcome(), Outcome::Deny(_)) {
            self.forget_what_was_before(snapshot, governing).await;
        }
        self.keep(&verdict).await;
        Ok((verdict, Lookup::Miss))
    }
}

fn allows(verdict: &Result<Verdict, Indeterminate>) -> bool {
    verdict.as_ref().is_ok_and(|verdict| matches!(verdict.outcome(), Outcome::Allow(_)))
}

/// Whether a policy that is only watched says no.
fn would_deny(verdict: &Result<Verdict, Indeterminate>) -> bool {
    verdict.as_ref().is_ok_and(|verdict| !verdict.would_deny().is_empty())
}
