//! Policies and trust, swapped as one and read once an answer.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;

use crate::policy::Policies;
use crate::trust::Trust;

/// What one answer is decided under, from the first look at the request to the head of the answer.
#[derive(Debug)]
pub struct Snapshot {
    /// The policies.
    pub policies: Arc<Policies>,
    /// The trusted roots.
    pub trust: Trust,
}

/// Where the current snapshot is found.
#[derive(Debug)]
pub struct Current(ArcSwap<Snapshot>);

impl Current {
    /// Starts with `snapshot`.
    pub fn new(snapshot: Snapshot) -> Self {
        Self(ArcSwap::from_pointee(snapshot))
    }

    /// The snapshot of this moment, to be kept until there is an answer.
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Whether `snapshot` is still the current one.
    pub fn is(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.0.load(), snapshot)
    }

    /// Whether the current snapshot is the one that `snapshot` refers to.
    pub fn is_that(&self, snapshot: &Weak<Snapshot>) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.0.load()), snapshot.as_ptr())
    }

    /// Replaces it for every answer that begins from now on.
    pub fn swap(&self, snapshot: Snapshot) {
        self.0.store(Arc::new(snapshot));
    }
}
