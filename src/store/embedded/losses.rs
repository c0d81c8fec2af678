//! What was taken and is not in the file: somebody may still ask for it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use crate::store::LATELY;

/// When something was lost the last time. Whoever sets the wall clock ends nothing, and prolongs nothing.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Before this process had the file.
    before: ArcSwapOption<Instant>,
    /// By this process, which knows it still; the next one will not.
    here: ArcSwapOption<Instant>,
    /// When a list was last gone that this process may have written.
    forgot: ArcSwapOption<Instant>,
}

impl Losses {
    /// The file lacks something that others had put there.
    pub(super) fn found(&self) {
        note(&self.before);
        self.forget();
    }

    /// Something is not written.
    pub(super) fn refused(&self) {
        note(&self.here);
        self.forget();
    }

    /// Lists are gone from the file, to make room or with it.
    pub(super) fn forget(&self) {
        note(&self.forgot);
    }

    /// When that was the last time.
    pub(super) fn forgot(&self) -> Option<Instant> {
        self.forgot.load().as_deref().copied()
    }

    /// Whether somebody may still ask for something that this process does not know.
    pub(super) fn matter(&self) -> bool {
        is_lately(&self.before)
    }

    /// Whether somebody may still ask for something that the next process will not know.
    pub(super) fn will_matter(&self) -> bool {
        is_lately(&self.before) || is_lately(&self.here)
    }
}

fn note(last: &ArcSwapOption<Instant>) {
    last.store(Some(Arc::new(Instant::now())));
}

fn is_lately(last: &ArcSwapOption<Instant>) -> bool {
    last.load().as_deref().is_some_and(|last| last.elapsed() < LATELY)
}
