//! How long what was admitted would be admitted again: nothing of what it was decided by changes until then.
//!
//! The policies and trusted roots are the same, the verdict is fresh and not yet due to be judged anew, and the tag is
//! remembered. What remains, the content, is named by its digest.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::{Ask, Puller};
use crate::admission::Admitted;
use crate::cache::Lookup;
use crate::clock::Timestamp;
use crate::oci::Manifest;
use crate::route::ManifestPull;
use crate::snapshot::Snapshot;

/// What has to be so that an answer may be given again.
#[derive(Debug)]
pub struct Standing {
    snapshot: Weak<Snapshot>,
    /// The instants between which it holds, by the clock that verdicts go by.
    from: Timestamp,
    until: Timestamp,
    /// When it ends, by a clock that nobody can set.
    end: Instant,
}

impl Puller {
    /// How long the answer to `pull` that was just admitted may be given again, if it may.
    ///
    /// It may if it came from memory: whatever else a pull sets going, a refresh, a search, a record, goes on to be
    /// set going by those that are decided, one in ten seconds at least.
    pub async fn standing(
        &self,
        ask: &Ask,
        pull: &ManifestPull,
        admitted: &Admitted<Arc<Manifest>>,
    ) -> Option<Standing> {
        let (manifest, judged) = (admitted.content(), ask.judged?.max(ask.now));
        let subject = pull.image.at(manifest.digest());
        // An exemption of its own may be what lets its tag be pulled, whoever lists it.
        let governed = ask.snapshot.policies.governing(&subject, ask.now).holds_until();
        let until = self.judge.refresh.earliest(admitted.fresh_until()).min(governed);
        // Indexes within an index are the registry's to give each time.
        if ask.facts.cache != Some(Lookup::Hit.label()) || until <= judged || manifest.lists_indexes() {
            return None;
        }
        let most = SPAN.min(until.since(judged));
        let end = self.fetch.names_until(&pull.image, &pull.reference, &subject.digest, most).await;
        let snapshot = Arc::downgrade(&ask.snapshot);
        (Instant::now() < end).then_some(Standing { snapshot, from: ask.now, until, end })
    }

    /// Whether an answer that had this standing may be given at `now`.
    pub fn still(&self, standing: &Standing, now: Instant) -> bool {
        now < standing.end
            && (standing.from..standing.until).contains(&self.clock.now())
            && self.current.is_that(&standing.snapshot)
    }
}

/// How long an answer is given again before it is decided anew.
const SPAN: Duration = Duration::from_secs(10);
