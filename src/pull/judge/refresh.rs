//! Refresh-ahead: an Allow that is asked for shortly before its end is judged anew in the background.

use std::sync::Arc;

use super::Judge;
use crate::cache::Lookup;
use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::oci::Manifest;
use crate::outcome::Outcome;
use crate::policy::Governing;
use crate::snapshot::Snapshot;

impl Judge {
    /// Begins to judge anew what `verdict` is about, unless that is under way. Nobody waits for it; if it fails, `verdict`
    /// goes on to its end.
    pub(super) async fn refresh_ahead(
        self: &Arc<Self>,
        snapshot: &Arc<Snapshot>,
        governing: &Governing,
        manifest: &Arc<Manifest>,
        verdict: &Verdict,
        now: Timestamp,
    ) {
        let Some(leave) = self.refresh.begin(verdict.key()).await else { return };
        let (judge, verdict) = (self.clone(), verdict.clone());
        let (snapshot, governing, manifest) = (snapshot.clone(), governing.clone(), manifest.clone());
        tokio::spawn(async move {
            let mut how = None;
            let anew = async {
                let (verdict, lookup) = judge.anew(&snapshot, &governing, &manifest, now, Some(&verdict)).await?;
                how = Some(lookup);
                Ok(verdict)
            };
            let renewed = Box::pin(judge.verdicts.renew(now, anew)).await;
            judge.metrics.verdicts().refreshed(match renewed.as_ref().map(|verdict| verdict.outcome()) {
                Ok(Outcome::Allow(_)) if how == Some(Lookup::Restored) => "restored",
                Ok(Outcome::Allow(_)) => "renewed",
                Ok(Outcome::Deny(_)) => "denied",
                Err(_) => "failed",
            });
            drop(leave);
            // The Allow before it must not come back if this proxy is killed now.
            if renewed.is_ok_and(|verdict| matches!(verdict.outcome(), Outcome::Deny(_))) {
                judge.store.flush().await;
            }
        });
    }
}
