//! What was taken and is not in the file: somebody may still ask for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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
}

impl Losses {
    pub(super) const fn new(clock: Arc<Clock>) -> Self {
        Self { clock, before: AtomicU32::new(0), here: AtomicU32::new(0) }
    }

    /// The file lacks something that others had put there.
    pub(super) fn found(&self) {
        self.before.store(seconds(&self.clock), Ordering::Relaxed);
    }

    /// Something is not written.
    pub(super) fn refused(&self) {
        self.here.store(seconds(&self.clock), Ordering::Relaxed);
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
