//! The store that the configuration asks for, and the key that its records are sealed with.

use std::path::PathBuf;
use std::sync::Arc;

use super::StartError;
use crate::config::{self, Kind};
use crate::record::Seal;
use crate::store::{MemoryStore, SharedStore, Store, Watched, keys};
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
        Kind::Shared(settings) => {
            let seal = seal(&config.keys)?;
            let store = SharedStore::start(settings, metrics.store().clone());
            Ok((Arc::new(Watched::new(store, metrics.store().clone())), Arc::new(seal)))
        }
    }
}

/// The seal whose keys are in the files `paths`, the newest first.
fn seal(paths: &[PathBuf]) -> Result<Seal, StartError> {
    let (newest, older) = paths.split_first().ok_or(StartError::NoKeys)?;
    let keys = keys::read(newest, older)?;
    let older: Vec<_> = keys.older.iter().map(Vec::as_slice).collect();
    Ok(Seal::new(&keys.newest, &older))
}

/// Bytes that a store in memory may hold.
const IN_MEMORY: u64 = 256 << 20;
