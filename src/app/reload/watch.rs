//! Noticing by itself that the policy has changed, without a signal: a file that was written, a directory with one more, a
//! link that leads elsewhere, as Kubernetes does it.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep};

use super::{Reloader, TICK};
use crate::policy::file::{PolicyErrors, Sources};

/// An attempt to load the policy: what there was to be read, and what came of it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) sources: Sources,
    failed: Option<String>,
    /// When the same files are tried again.
    again: Option<Instant>,
}

impl Attempt {
    pub(super) fn succeeded(sources: Sources) -> Self {
        Self { sources, failed: None, again: None }
    }

    pub(super) fn failed(sources: Sources, errors: &PolicyErrors, later: bool) -> Self {
        Self { sources, failed: Some(errors.to_string()), again: later.then(|| Instant::now() + RETRY) }
    }

    /// Whether both failed for the same reason on the same files.
    pub(super) fn failed_alike(&self, other: &Self) -> bool {
        self.failed.is_some() && self.failed == other.failed && self.sources.same_policy(&other.sources)
    }

    /// Whether another attempt may come to something else, if that is what there is to be read now.
    fn outdated(&self, now: &Sources) -> bool {
        // Those of a policy in force are looked after by themselves.
        let trust_roots = self.failed.is_some() && !self.sources.same_trust_roots(now);
        trust_roots || !self.sources.same_policy(now) || self.again.is_some_and(|at| at <= Instant::now())
    }
}

impl Reloader {
    /// Looks at the policy's files for ever.
    pub(super) async fn watch(&self) {
        loop {
            sleep(TICK).await;
            if AssertUnwindSafe(self.notice()).catch_unwind().await.is_err() {
                tracing::error!("looking for changes of the policy failed; it goes on");
            }
        }
    }

    /// Loads the policy again if that may come to something else, unless its files are still being written.
    pub(super) async fn notice(&self) {
        let last = self.attempt();
        let Some(seen) = self.sources().await.filter(|now| last.outdated(now)) else { return };
        // Half of a file may be a policy, too: what is taken has stayed as it is for a moment.
        sleep(SETTLED).await;
        self.take(&last, &seen).await;
    }

    /// Loads the policy again, if nothing has changed since `seen` and nobody has tried since `last`.
    pub(super) async fn take(&self, last: &Arc<Attempt>, seen: &Sources) {
        let _one_by_one = self.0.reloading.lock().await;
        if !Arc::ptr_eq(last, &self.attempt()) {
            return;
        }
        let loaded = self.load().await;
        let after = Sources::look(&self.0.path, Some(seen));
        if loaded.sources.same_policy(seen) && after.same_policy(seen) {
            // Why not is in the log.
            let _ = self.conclude(loaded, false);
        }
    }

    /// What there is to be read now.
    pub(super) async fn sources(&self) -> Option<Sources> {
        let (path, last) = (self.0.path.clone(), self.attempt());
        tokio::task::spawn_blocking(move || Sources::look(&path, Some(&last.sources))).await.ok()
    }

    pub(super) fn attempt(&self) -> Arc<Attempt> {
        self.0.attempt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn remember(&self, attempt: Attempt) {
        *self.0.attempt.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(attempt);
    }
}

/// How long files have to stay as they are before they count.
const SETTLED: Duration = Duration::from_millis(250);
/// How soon the same files are tried again, where a TUF repository did not answer.
const RETRY: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests;
