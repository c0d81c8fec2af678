//! Verdicts in memory: one decision for all who ask at once, judged again when it is no longer fresh.

use std::future::Future;
use std::sync::Arc;

use moka::future::Cache;

use crate::clock::Timestamp;
use crate::decide::Verdict;
use crate::outcome::{Indeterminate, Key};

/// How a verdict was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// It was there.
    Hit,
    /// Another request was already deciding.
    Joined,
    /// This request decided.
    Miss,
}

impl Lookup {
    /// The metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Joined => "joined",
            Self::Miss => "miss",
        }
    }
}

/// The cache. An indeterminate answer is never in it.
#[derive(Debug)]
pub struct Verdicts {
    held: Cache<Key, Arc<Verdict>>,
}

impl Verdicts {
    /// Holds at most `capacity` verdicts.
    pub fn new(capacity: u64) -> Self {
        Self { held: Cache::new(capacity) }
    }

    /// The verdict under `key`, if it is held and fresh at `now`.
    pub async fn fresh(&self, key: &Key, now: Timestamp) -> Option<Arc<Verdict>> {
        self.held.get(key).await.filter(|verdict| now < verdict.fresh_until())
    }

    /// Whether the verdict under `key` is held and fresh at `now`.
    pub async fn has_fresh(&self, key: &Key, now: Timestamp) -> bool {
        self.fresh(key, now).await.is_some()
    }

    /// The verdict under `key` if it is fresh at `now`, else the one that `decide` comes to. All who ask for the same
    /// key meanwhile wait for it; if the first of them goes away, the next one decides.
    ///
    /// # Errors
    /// What `decide` could not tell, for all who waited.
    pub async fn get_or_decide(
        &self,
        key: Key,
        now: Timestamp,
        decide: impl Future<Output = Result<Verdict, Indeterminate>>,
    ) -> Result<(Arc<Verdict>, Lookup), Arc<Indeterminate>> {
        if let Some(verdict) = self.held.get(&key).await {
            if now < verdict.fresh_until() {
                return Ok((verdict, Lookup::Hit));
            }
            self.held.invalidate(&key).await;
        }
        let mut lookup = Lookup::Joined;
        let init = async {
            lookup = Lookup::Miss;
            decide.await.map(Arc::new)
        };
        let verdict = self.held.try_get_with(key, init).await?;
        Ok((verdict, lookup))
    }
}
