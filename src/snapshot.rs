//! Policies and trust, swapped as one and read once a request.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::policy::Policies;
use crate::trust::Trust;

/// What one request decides under, from its first line to its last.
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

    /// The snapshot of this moment; a request keeps the one it began with.
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Replaces it for every request that begins from now on.
    pub fn swap(&self, snapshot: Snapshot) {
        self.0.store(Arc::new(snapshot));
    }
}
