//! The store that the configuration asks for, and the keys that its records are sealed with.

use std::sync::Arc;

use super::StartError;
use crate::clock::Clock;
use crate::config::{self, Kind};
use crate::record::Seal;
use crate::store::{EmbeddedStore, MemoryStore, SharedStore, Store, Watched, keys};
use crate::telemetry::Metrics;

/// Opens the store that `config` describes.
///
/// # Errors
/// If it cannot be opened, or its key cannot be had.
pub(super) fn open(
    config: &config::Store,
    clock: &Arc<Clock>,
    metrics: &Metrics,
) -> Result<(Arc<dyn Store>, Arc<Seal>), StartError> {
    match &config.kind {
        Kind::Memory => in_memory(metrics),
        Kind::Embedded { path, most } => {
            let pending = metrics.store().pending().clone();
            let store = EmbeddedStore::open(path.clone(), *most, clock.clone(), pending)?;
            // The file is held: nobody else makes a key beside it.
            let keys = match &config.keys[..] {
                [] => keys::read_or_make(&path.with_extension("key"))?,
                [newest, older @ ..] => keys::read(newest, older)?,
            };
            Ok((Arc::new(Watched::new(store, metrics.store().clone())), Arc::new(seal(&keys))))
        }
        Kind::Shared(settings) => {
            let (newest, older) = config.keys.split_first().ok_or(StartError::NoKeys)?;
            let seal = seal(&keys::read(newest, older)?);
            let store = SharedStore::start(settings, metrics.store().clone());
            Ok((Arc::new(Watched::new(store, metrics.store().clone())), Arc::new(seal)))
        }
    }
}

/// A store that is gone when this process ends, and its key with it.
///
/// # Errors
/// If the system has no randomness to give.
pub(super) fn in_memory(metrics: &Metrics) -> Result<(Arc<dyn Store>, Arc<Seal>), StartError> {
    let seal = Seal::random().map_err(|_| StartError::Randomness)?;
    let store = Watched::new(MemoryStore::new(IN_MEMORY), metrics.store().clone());
    Ok((Arc::new(store), Arc::new(seal)))
}

fn seal(keys: &keys::Keys) -> Seal {
    let older: Vec<_> = keys.older.iter().map(Vec::as_slice).collect();
    Seal::new(&keys.newest, &older)
}

/// Bytes that a store in memory may hold.
const IN_MEMORY: u64 = 256 << 20;
