//! Verdicts in memory: one decision for all who ask at once, judged again when it is no longer fresh.

use std::pin::pin;
use std::sync::Arc;

use moka::future::Cache;
use tokio::time::Instant;

use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::flight::Flights;
use crate::outcome::{Indeterminate, Key};

pub mod lease;

pub mod refresh;

mod shared;

pub use lease::Leases;
pub use refresh::Refresh;
use shared::Shared;

/// How a verdict was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// It was there.
    Hit,
    /// Another request was already deciding.
    Joined,
    /// This request decided.
    Miss,
    /// It was in the store.
    Restored,
    /// It was there, is not fresh, and cannot be judged anew now: the last known good.
    Stale,
}

impl Lookup {
    /// The metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Joined => "joined",
            Self::Miss => "miss",
            Self::Restored => "restored",
            Self::Stale => "stale",
        }
    }
}

/// The cache. An indeterminate answer is never in it.
///
/// What is no longer fresh stays until it is replaced or room is needed: it may be the last known good.
#[derive(Debug)]
pub struct Verdicts {
    kept: Cache<Key, Kept>,
    deciding: Flights<Key, Result<Verdict, Arc<Indeterminate>>>,
    shared: Shared,
    /// The zero of a clock that nobody can set.
    started: Instant,
}

/// A verdict, and what the time was when that clock was at zero, as far as was known when it was kept.
#[derive(Debug, Clone)]
struct Kept {
    verdict: Verdict,
    zero: Timestamp,
}

impl Verdicts {
    /// Holds at most `capacity` verdicts.
    pub fn new(capacity: u64) -> Self {
        Self {
            kept: Cache::new(capacity),
            deciding: Flights::default(),
            shared: Shared::default(),
            started: Instant::now(),
        }
    }

    /// The verdict under `key`, if one is held that is fresh at `now`.
    pub async fn fresh(&self, key: &Key, now: Timestamp) -> Option<Verdict> {
        // That it was asked for in vain is noted once a pull, by `last`: that is how a cache learns what is wanted.
        if !self.kept.contains_key(key) {
            return None;
        }
        let (verdict, now) = self.last(key, now).await?;
        (now < verdict.fresh_until()).then_some(verdict)
    }

    /// The last verdict under `key`, fresh or not; and the time to judge it by: not earlier than `now`, nor than the time
    /// that has passed since says. A clock that is set back makes no verdict last longer.
    pub async fn last(&self, key: &Key, now: Timestamp) -> Option<(Verdict, Timestamp)> {
        let Kept { verdict, zero } = self.kept.get(key).await?;
        Some((verdict, now.max(zero.plus(self.started.elapsed()))))
    }

    /// The verdict that `decide` comes to, unless there is one by then that is fresh at `now`. All who ask for the same
    /// key meanwhile wait for it; if the first of them goes away, the next one decides.
    ///
    /// # Errors
    /// What `decide` could not tell, for all who waited.
    pub async fn decide_once(
        &self,
        key: Key,
        now: Timestamp,
        decide: impl Future<Output = Result<Verdict, Indeterminate>>,
    ) -> Result<(Verdict, Lookup), Arc<Indeterminate>> {
        let mut lookup = Lookup::Joined;
        let decided = self.deciding.join(&key, pin!(self.decide_anew(&key, now, decide, &mut lookup))).await;
        Ok((decided?, lookup))
    }

    async fn decide_anew(
        &self,
        key: &Key,
        now: Timestamp,
        decide: impl Future<Output = Result<Verdict, Indeterminate>>,
        lookup: &mut Lookup,
    ) -> Result<Verdict, Arc<Indeterminate>> {
        // Another decision may have come to its end since.
        if let Some(verdict) = self.fresh(key, now).await {
            *lookup = Lookup::Hit;
            return Ok(verdict);
        }
        *lookup = Lookup::Miss;
        let zero = self.zero(now);
        Ok(self.put(decide.await.map_err(Arc::new)?, now, zero).await)
    }

    /// Puts the verdict that `decide` comes to in the place of the one before. Nobody waits for it.
    ///
    /// # Errors
    /// What `decide` could not tell; the one before stays.
    pub async fn renew(
        &self,
        now: Timestamp,
        decide: impl Future<Output = Result<Verdict, Indeterminate>>,
    ) -> Result<Verdict, Indeterminate> {
        let zero = self.zero(now);
        Ok(self.put(decide.await?, now, zero).await)
    }

    /// Forgets the verdict under `key`.
    pub async fn forget(&self, key: &Key) {
        self.kept.invalidate(key).await;
    }

    async fn put(&self, verdict: Verdict, now: Timestamp, mut zero: Timestamp) -> Verdict {
        let verdict = self.shared.within(verdict);
        // What was decided at another time comes from the store, and ends by what was known of the time before.
        if verdict.decided_at() != now
            && let Some(before) = self.kept.get(verdict.key()).await
        {
            zero = zero.max(before.zero);
        }
        self.kept.insert(verdict.key().clone(), Kept { verdict: verdict.clone(), zero }).await;
        verdict
    }

    fn zero(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_sub(self.started.elapsed().as_secs()))
    }
}

#[cfg(test)]
mod tests;
