//! Evidence in the store: what was read about a subject as one sealed record, and each piece of it once, by its digest.
//!
//! A piece is nobody's secret: it is read only because a record that a replica sealed for that very subject names its
//! digest, so that all repositories share one copy and none learns what another has. A record that was moved, edited or
//! made up does not open; one of which a piece is gone or is something else is as if there were none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use tokio::task::spawn_blocking;

use super::About;
use super::writing::Writing;
use crate::clock::Timestamp;
use crate::discovery::{Candidate, Share};
use crate::evidence::{EvidenceRecord, EvidenceSet, record};
use crate::oci::Digest;
use crate::record::Seal;
use crate::store::{Place, Shelf, Store, StoreDown};
use crate::telemetry::StoreMetrics;

/// Where evidence outlives memory, and is shared.
#[derive(Clone)]
pub struct Stored {
    store: Arc<dyn Store>,
    seal: Arc<Seal>,
    keep: Duration,
    metrics: Arc<StoreMetrics>,
    writing: Writing,
}

impl Stored {
    /// Keeps evidence in `store`, sealed, for `keep` after it was read.
    pub fn new(store: Arc<dyn Store>, seal: Arc<Seal>, keep: Duration, metrics: Arc<StoreMetrics>) -> Self {
        Self { store, seal, keep, metrics, writing: Writing::new() }
    }

    /// The writes under way.
    pub fn writing(&self) -> Writing {
        self.writing.clone()
    }

    /// What is stored for `about`, if it was read from all sources that are asked for, at a time that is `young`
    /// enough, and is there to the last byte. It takes its `share` of memory.
    pub(super) async fn read(
        &self,
        about: &About,
        young: impl Fn(Timestamp) -> bool,
        share: &Share,
    ) -> Option<EvidenceSet> {
        let place = place(about);
        // A store that is down costs a reading, nothing more.
        let sealed = self.store.get(&place).await.ok()??;
        let opened = match self.seal.open_evidence(&place, &sealed) {
            Ok(opened) => opened,
            Err(cause) => return self.rejected(cause),
        };
        let record = opened.get();
        if !record.wants.include(about.wants) || !young(record.read_at) {
            return None;
        }
        let wanted = record.pieces();
        if !share.take(wanted.values().sum()).await {
            return None;
        }
        let (count, size) = (wanted.len(), wanted.values().sum());
        let pieces = self.pieces(wanted).await.ok()?;
        // A piece that made room for others was not tampered with.
        if pieces.len() < count {
            return None;
        }
        let (candidates, opened) = hashing(size, move || (Candidate::restore(&opened, &pieces), opened)).await?;
        let Some(candidates) = candidates else { return self.rejected("piece") };
        let EvidenceRecord { read_at, unusable, .. } = opened.get();
        let (read_at, unusable) = (*read_at, unusable.clone());
        Some(EvidenceSet { candidates, unread: Vec::new(), unusable, incomplete: false, read_at })
    }

    fn rejected(&self, cause: &'static str) -> Option<EvidenceSet> {
        self.metrics.rejected(Shelf::Evidence.label(), cause);
        None
    }

    /// Those of `wanted` that are there; of an empty one there is nothing to store.
    async fn pieces(&self, wanted: BTreeMap<Digest, u64>) -> Result<BTreeMap<Digest, Bytes>, StoreDown> {
        let read = wanted.into_iter().map(|(digest, size)| async move {
            let place = piece_place(&digest, size);
            let piece = if size == 0 { Some(Bytes::new()) } else { self.store.get(&place).await? };
            Ok(piece.map(|bytes| (digest, bytes)))
        });
        let found: Vec<_> = stream::iter(read).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Stores what was read for `about`, as far as others leave room for it; what takes time, after this returns.
    pub(super) fn write(&self, about: &About, set: &Arc<EvidenceSet>) {
        let size = set.size();
        if size > LARGEST {
            return;
        }
        let Some(permit) = self.writing.begin(size) else {
            tracing::warn!(subject = %about.subject, "the store is too slow: evidence not stored");
            self.metrics.pending().lost.inc();
            return;
        };
        let (stored, about, set) = (self.clone(), about.clone(), set.clone());
        let mut put = Box::pin(async move {
            // A store that is down costs a reading, and has been counted.
            let _ = stored.put(&about, &set).await;
            drop(permit);
        });
        // What a store takes at once is not worth waking another thread for.
        if size > SMALL || put.as_mut().now_or_never().is_none() {
            tokio::spawn(put);
        }
    }

    async fn put(&self, about: &About, set: &Arc<EvidenceSet>) -> Result<(), StoreDown> {
        let (wants, hashed) = (about.wants, set.clone());
        let record = hashing(set.size() as u64, move || EvidenceRecord::of(wants, &hashed)).await;
        let Some(record) = record.flatten() else { return Ok(()) };
        let place = place(about);
        let sealed = self.seal.close_bytes(&place, &record.to_bytes());
        if sealed.len() as u64 > LARGEST_RECORD {
            // Nor is what it would take the place of.
            return self.store.put(&place, Bytes::new(), Duration::ZERO).await;
        }
        let digests = record.candidates.iter().map(|candidate| candidate.piece);
        let pieces: BTreeMap<_, _> = digests.zip(set.candidates.iter().map(record::piece).cloned()).collect();
        // The record last: it names nothing that is not there.
        let puts = pieces.into_iter().map(|(digest, piece)| self.put_piece(digest, piece));
        stream::iter(puts).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        self.store.put(&place, sealed.into(), self.keep).await
    }

    async fn put_piece(&self, digest: Digest, piece: Bytes) -> Result<(), StoreDown> {
        if piece.is_empty() {
            return Ok(());
        }
        self.store.put(&piece_place(&digest, piece.len() as u64), piece, self.keep).await
    }
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stored")
    }
}

/// `r`, the subject, `@`, its digest, and what the other repositories hash to, in any order. No repository has an `@`.
fn place(about: &About) -> Place {
    let image = about.subject.image.to_string();
    let mut elsewhere: Vec<_> = about.elsewhere.iter().map(ToString::to_string).collect();
    elsewhere.sort_unstable();
    let elsewhere = Digest::of(elsewhere.join("\n").as_bytes());
    let (digest, elsewhere) = (about.subject.digest.as_bytes(), elsewhere.as_bytes());
    let name = [b"r", image.as_bytes(), b"@", digest, elsewhere].concat();
    Place::new(Shelf::Evidence, name).within(LARGEST_RECORD)
}

/// `p` and the digest, for all repositories; of something else no more is read than a piece of this `size` has.
fn piece_place(digest: &Digest, size: u64) -> Place {
    Place::new(Shelf::Evidence, [b"p", &digest.as_bytes()[..]].concat()).within(size)
}

/// What comes of `work`, which hashes about `bytes`: where that takes long, off the threads that serve connections.
async fn hashing<T: Send + 'static>(bytes: u64, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if bytes <= AT_A_STRETCH { Some(work()) } else { spawn_blocking(work).await.ok() }
}

/// What one reading may have in the store: more is read again when it is wanted.
const LARGEST: usize = 32 << 20;
/// What a record may have, for which no share of memory is taken before it is read: a thousand bundles have 150 KiB.
const LARGEST_RECORD: u64 = 1 << 20;
/// What is sealed on the way of an answer; more is not worth its time.
const SMALL: usize = 64 << 10;
/// What is hashed where it is asked for: less than a millisecond.
const AT_A_STRETCH: u64 = 1 << 20;
/// Pieces that are read or written at once.
const AT_ONCE: usize = 8;

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn what_takes_long_to_hash_is_hashed_elsewhere() {
        let here = thread::current().id();
        for (bytes, is_here) in [(0, true), (1 << 20, true), ((1 << 20) + 1, false), (32 << 20, false)] {
            let there = hashing(bytes, || thread::current().id()).await;
            assert_eq!(there.map(|there| there == here), Some(is_here), "{bytes}");
        }
    }
}
