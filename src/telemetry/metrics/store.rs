//! What is shown of the store.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use prometheus::core::GenericCounter;
use prometheus::{IntGauge, Registry};

use super::family::{Counters, counter_vec, gauge};
use super::labels;

/// Its operations, whether it answers, and what was read back and not believed.
#[derive(Debug)]
pub struct StoreMetrics {
    operations: Counters<3>,
    up: IntGauge,
    rejected: Counters<2>,
    trouble: ArcSwapOption<String>,
}

impl StoreMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        let operations = counter_vec(
            r,
            "store_operations_total",
            "Operations on the store, and whether it answered.",
            &["operation", "shelf", "result"],
        );
        let rejected = counter_vec(
            r,
            "store_records_rejected_total",
            "Records read from the store that were not believed, and why; they are made anew.",
            &["shelf", "cause"],
        );
        let up = gauge(r, "store_up", "1 while the store answers; pulls go on without it.");
        up.set(1);
        Self {
            operations: Counters::new(operations, labels::store_operations()),
            up,
            rejected: Counters::new(rejected, labels::pairs(&labels::SHELVES, &labels::REJECTED)),
            trouble: ArcSwapOption::empty(),
        }
    }

    /// Counts an operation on the things `of` one kind; `trouble` is why there was no answer, if there was none.
    pub fn operation(&self, operation: &'static str, of: &'static str, trouble: Option<&str>) {
        let result = if trouble.is_none() { "ok" } else { "down" };
        self.operations.at([operation, of, result], GenericCounter::inc);
        match (trouble, self.trouble.load().is_some()) {
            (None, false) => {}
            (None, true) => {
                self.trouble.store(None);
                self.up.set(1);
                tracing::info!("the store answers again");
            }
            (Some(why), known) => {
                self.trouble.store(Some(Arc::new(why.to_string())));
                self.up.set(0);
                if !known {
                    tracing::warn!(error = why, "the store does not answer; pulls go on without it");
                }
            }
        }
    }

    /// Counts a record `of` one kind that was not believed, because of its `seal`, its `form`, its `time`, or what it is about
    /// (`place`).
    pub fn rejected(&self, of: &'static str, cause: &'static str) {
        self.rejected.at([of, cause], GenericCounter::inc);
    }

    /// Why the store does not answer, if it did not the last time.
    pub fn trouble(&self) -> Option<Arc<String>> {
        self.trouble.load_full()
    }
}
