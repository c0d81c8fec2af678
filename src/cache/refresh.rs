//! Refresh-ahead: which verdicts are judged anew before they end, in the background, and how many at once.
//!
//! Only what somebody asks for is refreshed. Where many end together, as after a deployment, each is due at a time of its
//! own, another one in every replica.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::outcome::{Key, Outcome};

/// When an Allow is judged anew ahead of its end.
#[derive(Debug)]
pub struct Refresh {
    before: Duration,
    at_once: Arc<Semaphore>,
    /// What is being judged anew, or was a moment ago.
    lately: Cache<Key, ()>,
    spread: RandomState,
}

impl Refresh {
    /// Refreshes what ends within `before`; nothing if that is no time at all.
    pub fn new(before: Duration) -> Self {
        Self {
            before,
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            lately: Cache::builder().max_capacity(100_000).time_to_live(AGAIN).build(),
            spread: RandomState::new(),
        }
    }

    /// Until when nothing that ends at `end` is due.
    pub fn earliest(&self, end: Timestamp) -> Timestamp {
        Timestamp(end.0.saturating_sub(self.before.as_secs()))
    }

    /// Whether it is time: in the last part of an Allow's life, half of it at most, from an instant on that chance
    /// chooses within the first half of that part.
    pub fn is_due(&self, verdict: &Verdict, now: Timestamp) -> bool {
        let end = verdict.fresh_until();
        let most = self.before.min(end.since(verdict.decided_at()) / 2);
        if end.since(now) >= most || !matches!(verdict.outcome(), Outcome::Allow(_)) {
            return false;
        }
        let chance = u32::try_from(self.spread.hash_one(verdict.key()) % u64::from(PARTS)).unwrap_or(0);
        end.since(now) < most / 2 + most / 2 / PARTS * chance
    }

    /// Leave to judge `key` anew, until it is dropped; none while that is being done, a moment after, or while enough
    /// others are.
    pub async fn begin(&self, key: &Key) -> Option<OwnedSemaphorePermit> {
        let leave = self.at_once.clone().try_acquire_owned().ok()?;
        self.lately.entry_by_ref(key).or_insert(()).await.is_fresh().then_some(leave)
    }
}

/// Refreshed at the same time.
const AT_ONCE: usize = 8;
/// After an attempt, whatever came of it, the next one waits so long.
const AGAIN: Duration = Duration::from_secs(30);
/// Instants to choose from.
const PARTS: u32 = 1024;

#[cfg(test)]
mod tests;
