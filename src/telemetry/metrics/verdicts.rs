//! What is shown of verdicts: how they are come by, judged anew ahead of their end, shared, and outlive it.

use prometheus::core::GenericCounter;
use prometheus::{IntCounter, Registry};

use super::family::{Counters, counter, counter_vec};
use super::labels;

/// Counters of the verdict cache and what is around it.
#[derive(Debug)]
pub struct VerdictMetrics {
    lookups: Counters<1>,
    refreshes: Counters<1>,
    leases: Counters<1>,
    stale_answers: IntCounter,
}

impl VerdictMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        let by_result = |name, help| counter_vec(r, name, help, &["result"]);
        let one = |result| [result];
        Self {
            lookups: Counters::new(
                by_result("verdict_cache_requests_total", "Look-ups of the verdict cache."),
                labels::VERDICTS.map(one),
            ),
            refreshes: Counters::new(
                by_result("verdict_refreshes_total", "Allows judged anew before they ended."),
                ["renewed", "restored", "denied", "failed"].map(one),
            ),
            leases: Counters::new(
                by_result("leases_total", "Turns at verifying, where replicas share a store."),
                ["won", "waited", "timed_out", "down"].map(one),
            ),
            stale_answers: counter(
                r,
                "stale_answers_total",
                "Answers by the last known good: judging anew could not reach a registry or a TUF repository.",
            ),
        }
    }

    /// Counts a look-up: `hit`, `miss`, `joined`, `restored` or `stale`.
    pub fn lookup(&self, result: &'static str) {
        self.lookups.at([result], GenericCounter::inc);
    }

    /// Counts an Allow that was judged anew before it ended: `renewed`, `restored` from the store, `denied` or `failed`.
    pub fn refreshed(&self, result: &'static str) {
        self.refreshes.at([result], GenericCounter::inc);
    }

    /// Counts how waiting for a turn at verifying ended: it was `won`, or another replica's record came (`waited`), or it did
    /// not in time (`timed_out`), or the store was `down`.
    pub fn lease(&self, result: &'static str) {
        self.leases.at([result], GenericCounter::inc);
    }

    /// Counts an answer by the last known good.
    pub fn stale_answer(&self) {
        self.stale_answers.inc();
    }
}
