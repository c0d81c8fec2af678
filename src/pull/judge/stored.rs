//! Verdicts that outlive memory. What the store says is believed as far as its MAC and its bounds go; what is not is
//! counted, and judged anew.

use std::sync::Arc;

use super::Judge;
use crate::decide::Verdict;
use crate::outcome::{Indeterminate, Key, Terms};
use crate::record::VerdictRecord;

impl Judge {
    /// The verdict under `key` that the store gives back: fresh, or if it comes to `unsure`, the last known good.
    pub(super) async fn stored(
        &self,
        key: &Arc<Key>,
        terms: &Terms,
        unsure: Option<&Indeterminate>,
    ) -> Option<Verdict> {
        let place = place(key);
        // A store that is down costs a verification, nothing more.
        let sealed = self.store.get(&place).await.ok()??;
        let record = self.seal.open::<VerdictRecord>(&place, &sealed)?;
        Verdict::restore(&record, key, terms, unsure).ok()
    }

    /// Stores a verdict, where it can be found again.
    pub(super) async fn keep(&self, verdict: &Verdict) {
        let place = place(verdict.key());
        if let Some(Ok(sealed)) = VerdictRecord::of(verdict).map(|record| self.seal.close(&place, &record))
            && let Err(down) = self.store.put(&place, sealed.into()).await
        {
            tracing::warn!(error = %down, "verdict not stored");
        }
    }
}

/// Where the record of a verdict is kept: its whole key.
fn place(key: &Key) -> Vec<u8> {
    format!("verdict/{}/{}/{}", key.subject, key.revisions.policy.0, key.revisions.trust).into_bytes()
}
