//! What was taken and is not in the file: somebody may still ask for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use super::seconds;
use crate::clock::Clock;
use crate::store::LATELY;

/// When something was lost the last time, in seconds since the epoch; zero if nothing was.
#[derive(Debug)]
pub(super) struct Losses {
    clock: Arc<Clock>,
    /// Before this process had the file.
    before: AtomicU32,
    /// By this process, which knows it still; the next one will not.
    here: AtomicU32,
    /// When a list was last gone that this process may have written.
    forgot: ArcSwapOption<Instant>,
}

impl Losses {
    pub(super) fn new(clock: Arc<Clock>) -> Self {
        Self { clock, before: AtomicU32::new(0), here: AtomicU32::new(0), forgot: ArcSwapOption::empty() }
    }

    /// The file lacks something that others had put there.
    pub(super) fn found(&self) {
        self.before.store(seconds(&self.clock), Ordering::Relaxed);
        self.forget();
    }

    /// Something is not written.
    pub(super) fn refused(&self) {
        self.here.store(seconds(&self.clock), Ordering::Relaxed);
        self.forget();
    }

    /// Lists are gone from the file, to make room or with it.
    pub(super) fn forget(&self) {
        self.forgot.store(Some(Arc::new(Instant::now())));
    }

    /// When that was the last time.
    pub(super) fn forgot(&self) -> Option<Instant> {
        self.forgot.load().as_deref().copied()
    }

    /// Whether somebody may still ask for something that this process does not know.
    pub(super) fn matter(&self) -> bool {
        self.lately(&self.before)
    }

    /// Whether somebody may still ask for something that the next process will not know.
    pub(super) fn will_matter(&self) -> bool {
        self.lately(&self.before) || self.lately(&self.here)
    }

    fn lately(&self, last: &AtomicU32) -> bool {
        let last = last.load(Ordering::Relaxed);
        // A clock that is set back ends nothing.
        last != 0 && u64::from(seconds(&self.clock).saturating_sub(last)) < LATELY.as_secs()
    }
}
