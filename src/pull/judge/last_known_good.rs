//! The last known good: what is still answered by digest while a registry or a TUF repository is away.
//!
//! The decision is [`Verdict::last_known_good`]; here is only where such an Allow may be found.

use std::time::Duration;

use bytes::Bytes;

use super::Judge;
use super::stored::place;
use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::outcome::{Indeterminate, Key};
use crate::policy::Governing;
use crate::snapshot::Snapshot;

impl Judge {
    /// The last Allow on what is governed, if it goes on answering though judging it anew came to `unsure`.
    pub(super) async fn last_known_good(
        &self,
        snapshot: &Snapshot,
        governing: &Governing,
        unsure: &Indeterminate,
        now: Timestamp,
    ) -> Option<Verdict> {
        if self.lasting.last_known_good.is_zero() || !unsure.is_outage() {
            return None;
        }
        // A root whose metadata has expired decides nothing, and makes a revision of its own; what it decided before stands
        // under the one that its content has, and counts unless something was decided since.
        let (present, before) = (snapshot.trust.revision(governing), snapshot.trust.revision_of_content(governing));
        for trust in std::iter::once(present).chain(before.filter(|before| *before != present)) {
            let key = Key::new(governing, trust);
            if let Some((last, now)) = self.verdicts.last(&key, now).await {
                // What memory has is the newest: a Deny in it is not passed over for an Allow before it.
                return last.last_known_good(&key, &self.terms(now), unsure);
            }
            if let Some(good) = self.stored(&key, &self.terms(now), Some(unsure)).await {
                return Some(good);
            }
        }
        None
    }

    /// Forgets what was decided before a trusted root expired: a Deny was decided since, which does not last as long as
    /// that may be the last known good.
    pub(super) async fn forget_what_was_before(&self, snapshot: &Snapshot, governing: &Governing) {
        let before = snapshot.trust.revision_of_content(governing);
        let Some(before) = before.filter(|before| *before != snapshot.trust.revision(governing)) else { return };
        let key = Key::new(governing, before);
        self.verdicts.forget(&key).await;
        let _ = self.store.put(&place(&key), Bytes::new(), Duration::ZERO).await;
    }
}
