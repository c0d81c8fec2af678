//! The store that the configuration asks for, and the keys that its records are sealed with.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::StartError;
use crate::clock::Clock;
use crate::config::{self, Config, Kind};
use crate::membership::Membership;
use crate::pull::held::{Stored, Writing};
use crate::pull::{Held, Puller};
use crate::record::Seal;
use crate::store::{EmbeddedStore, MemoryStore, SharedStore, Store, Watched, keys};
use crate::telemetry::{Metrics, StoreMetrics};

/// What outlives a request: a store, and the keys that its records are sealed with.
pub type Memory = (Arc<dyn Store>, Arc<Seal>);

/// Some of what was learned is not in the store.
#[derive(Debug, thiserror::Error)]
#[error("the store did not take all that was learned: {why}")]
pub struct NotStored {
    /// What is the matter with it, as far as that is known.
    why: String,
}

/// What is written to the store before the proxy ends.
pub(super) struct Remembered {
    store: Arc<dyn Store>,
    metrics: Arc<StoreMetrics>,
    evidence: Writing,
    membership: Membership,
}

impl Remembered {
    pub(super) fn of(puller: &Puller) -> Self {
        let judge = &puller.judge;
        let (store, evidence) = (judge.store.clone(), judge.held.writing());
        let metrics = judge.metrics.store().clone();
        Self { store, metrics, evidence, membership: puller.membership.clone() }
    }

    /// Returns when it is.
    ///
    /// # Errors
    /// If not all that was learned is there.
    pub(super) async fn written(&self) -> Result<(), NotStored> {
        let evidence = self.evidence.end(WRITTEN).await;
        if !evidence {
            tracing::warn!("the store is too slow: some evidence was not stored, and is read again");
        }
        let members = timeout(WRITTEN, self.membership.settle()).await == Ok(true);
        if !members {
            tracing::warn!("the store took no memberships: what was admitted last is known when it is asked for again");
        }
        self.store.flush().await;
        if evidence && members && self.metrics.unwritten() == 0 {
            return Ok(());
        }
        Err(NotStored { why: self.metrics.trouble().map_or("it was away or too slow".into(), |why| why.to_string()) })
    }
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembered")
    }
}

/// Opens the store that `config` describes.
///
/// # Errors
/// If it cannot be opened, or its key cannot be had.
pub(super) fn open(config: &config::Store, clock: &Arc<Clock>, metrics: &Metrics) -> Result<Memory, StartError> {
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

/// Evidence in memory, before what is stored of it. What is too old to allow anything is of no use there either.
pub(super) fn held(config: &Config, store: &Arc<dyn Store>, seal: &Arc<Seal>, metrics: &Metrics) -> Held {
    let longest = config.cache.evidence_max_age;
    let keep = config.store.evidence.min(longest);
    Held::new(HELD, longest, Stored::new(store.clone(), seal.clone(), keep, metrics.store().clone()))
}

/// A store that is gone when this process ends, and its key with it.
///
/// # Errors
/// If the system has no randomness to give.
pub(super) fn in_memory(metrics: &Metrics) -> Result<Memory, StartError> {
    let seal = Seal::random().map_err(|_| StartError::Randomness)?;
    let store = Watched::new(MemoryStore::new(IN_MEMORY), metrics.store().clone());
    Ok((Arc::new(store), Arc::new(seal)))
}

fn seal(keys: &keys::Keys) -> Seal {
    let older: Vec<_> = keys.older.iter().map(Vec::as_slice).collect();
    Seal::new(&keys.newest, &older)
}

/// How long evidence is still written at the end.
const WRITTEN: Duration = Duration::from_secs(5);

/// Bytes that evidence in memory may take.
const HELD: u64 = 64 << 20;

/// Bytes that a store in memory may hold.
const IN_MEMORY: u64 = 256 << 20;
