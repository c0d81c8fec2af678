//! The store that the configuration asks for, and the key that its records are sealed with.

use std::sync::Arc;

use super::StartError;
use crate::config::{self, Kind};
use crate::record::Seal;
use crate::store::{MemoryStore, Store, Watched};
use crate::telemetry::Metrics;

/// Opens the store that `config` describes.
///
/// # Errors
/// If it cannot be opened, or its key cannot be had.
pub(super) fn open(config: &config::Store, metrics: &Metrics) -> Result<(Arc<dyn Store>, Arc<Seal>), StartError> {
    match &config.kind {
        Kind::Memory => {
            let seal = Seal::random().map_err(|_| StartError::Randomness)?;
            let store = Watched::new(MemoryStore::new(IN_MEMORY), metrics.store().clone());
            Ok((Arc::new(store), Arc::new(seal)))
        }
    }
}

/// Bytes that a store in memory may hold.
const IN_MEMORY: u64 = 256 << 20;
