//! What is shown of the store.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use prometheus::core::GenericCounter;
use prometheus::{IntCounter, IntGauge, Registry};

use super::family::{Counters, counter, counter_vec, gauge};
use super::labels;

/// Its operations, whether it answers, and what was read back and not believed.
#[derive(Debug)]
pub struct StoreMetrics {
    operations: Counters<3>,
    up: IntGauge,
    pending: PendingWrites,
    rejected: Counters<2>,
    /// Of reading, and of writing.
    troubles: [ArcSwapOption<String>; 2],
    /// When it did not answer the last time.
    last_trouble: Mutex<Option<Instant>>,
}

/// Writes that pulls do not wait for.
#[derive(Debug, Clone)]
pub struct PendingWrites {
    /// Those that wait for the disk.
    pub waiting: IntGauge,
    /// Those that were given up.
    pub lost: IntCounter,
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
        Self {
            operations: Counters::new(operations, labels::store_operations()),
            up: gauge(r, "store_up", "1 while the store answers; pulls go on without it."),
            pending: PendingWrites {
                waiting: gauge(
                    r,
                    "store_pending_writes",
                    "Writes that wait to be on the disk; they can be read already.",
                ),
                lost: counter(
                    r,
                    "store_lost_writes_total",
                    "Writes that were given up: what is lacking is verified again.",
                ),
            },
            rejected: Counters::new(rejected, labels::pairs(&labels::SHELVES, &labels::REJECTED)),
            troubles: [ArcSwapOption::empty(), ArcSwapOption::empty()],
            last_trouble: Mutex::default(),
        }
    }

    /// Counts an operation on the things `of` one kind, and whether it was `done`.
    pub fn operation(&self, operation: &'static str, of: &'static str, done: bool) {
        let result = if done { "ok" } else { "down" };
        self.operations.at([operation, of, result], GenericCounter::inc);
    }

    /// Notes how the store stands, as somebody found out who `writes`, or only reads; `trouble` is why there was no answer,
    /// if there was none. A store that is full still reads: only what writes shows that it is not any more.
    pub fn standing(&self, writes: bool, trouble: Option<&str>) {
        let stood = self.trouble().is_none();
        match trouble {
            None if stood => return,
            None => {
                self.troubles[usize::from(READING)].store(None);
                if writes {
                    self.troubles[usize::from(WRITING)].store(None);
                }
            }
            Some(why) => {
                self.troubles[usize::from(writes)].store(Some(Arc::new(why.to_string())));
                *self.last_trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
        }
        let stands = self.trouble().is_none();
        if stands && !stood {
            tracing::info!("the store answers again");
        } else if let Some(why) = trouble.filter(|_| stood) {
            tracing::warn!(error = why, "the store fails; pulls go on without it");
        }
    }

    /// Shows whether it stands now, whoever found out what at the same moment as somebody else.
    pub(super) fn show(&self) {
        self.up.set(i64::from(self.trouble().is_none()));
    }

    /// Whether it did not answer at some time within `lately`.
    pub fn was_away(&self, lately: Duration) -> bool {
        let last = *self.last_trouble.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < lately)
    }

    /// The writes that wait, or were given up.
    pub fn pending(&self) -> &PendingWrites {
        &self.pending
    }

    /// How many records the store has not, or not yet, though they were put there; lists are put again by themselves.
    pub fn unwritten(&self) -> u64 {
        let mut refused = 0;
        for shelf in ["evidence", "verdicts"] {
            self.operations.at(["put", shelf, "down"], |counter| refused += counter.get());
        }
        refused + self.pending.lost.get() + u64::try_from(self.pending.waiting.get()).unwrap_or(0)
    }

    /// Counts a record `of` one kind that was not believed, because of its `seal`, its `form`, its `time`, what it is about
    /// (`place`), or a `piece` of it.
    pub fn rejected(&self, of: &'static str, cause: &'static str) {
        self.rejected.at([of, cause], GenericCounter::inc);
    }

    /// Why the store does not answer, or does not take anything, if it did not the last time.
    pub fn trouble(&self) -> Option<Arc<String>> {
        self.troubles.iter().find_map(ArcSwapOption::load_full)
    }
}

const READING: bool = false;
const WRITING: bool = true;
