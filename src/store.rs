//! What outlives a request: bytes in, bytes or "down" out. It decides nothing and is believed nothing: whoever reads
//! opens what was sealed ([`crate::record`]), or has the digest of what there should be.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

pub mod keys;

pub mod embedded;

mod leases;

pub mod memory;

pub mod shared;

pub mod watched;

pub use embedded::EmbeddedStore;
pub use memory::MemoryStore;
pub use shared::SharedStore;
pub use watched::Watched;

/// A place that remembers. Whatever is in it may be gone at any time.
pub trait Store: Send + Sync {
    /// The value last put at `place`, if it is still kept. What is read is in use, and forgotten after what is not.
    fn get<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>>;

    /// Keeps `value` at `place`, for as long as it is of use: `keep`.
    fn put<'a>(&'a self, place: &'a Place, value: Bytes, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>>;

    /// Puts each listing's item first in the list at its place, which holds each item once and `most` at most, and is
    /// kept for as long as `keep` after the last. Each list changes as a whole; all lists in as few round trips as
    /// possible.
    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>>;

    /// The list at `place`, last added first.
    fn list<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>>;

    /// Whether `holder` has the lease of `place` now, for `length` from now on if nobody had it. It permits nothing:
    /// it spares others the same work.
    fn lease<'a>(
        &'a self,
        place: &'a Place,
        holder: &'a Holder,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreDown>>;

    /// Ends the lease of `place`, if it is still `holder`'s.
    fn release<'a>(&'a self, place: &'a Place, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>>;

    /// Whether other proxies read and write it too.
    fn is_shared(&self) -> bool;

    /// Whether something that it took [lately](LATELY) is gone for no reason of its own, as far as it can tell: what it
    /// does not know may have been there.
    fn has_lost_some(&self) -> bool;

    /// When it may last have forgotten lists that would still be of use, as far as it can tell: what it took before that
    /// may have to be given to it once more.
    fn forgot(&self) -> Option<Instant>;

    /// Returns when everything that was put is as safe as it will be.
    fn flush(&self) -> BoxFuture<'_, ()>;
}

/// Where something is kept: the same place, if shelf and name are.
#[derive(Debug, Clone)]
pub struct Place {
    /// What kind of thing.
    pub shelf: Shelf,
    /// Which one.
    pub name: Vec<u8>,
    /// Bytes that a value there has at most. Of what others put there in its place, no more need be read than shows that
    /// it is longer.
    most: u32,
}

/// The kinds of things that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Evidence as it was fetched.
    Evidence,
    /// Who is at work on what.
    Leases,
    /// Which manifests list a digest.
    Members,
    /// Decisions.
    Verdicts,
}

/// An item, and the place of the list that it belongs to.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Where the list is.
    pub place: Place,
    /// What is added to it.
    pub item: Item,
}

/// An entry of a list: a kind, 32 bytes, and their seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item(pub [u8; 65]);

/// How long somebody who was given something may come back for more of it: who pulls an image goes on to its blobs.
pub const LATELY: Duration = Duration::from_mins(5);

/// Who holds a lease.
pub type Holder = [u8; 16];

/// The store does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store does not answer: {0}")]
pub struct StoreDown(pub String);

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Evidence, Self::Leases, Self::Members, Self::Verdicts];

    /// Bytes that a value has at most.
    pub const fn largest(self) -> u32 {
        match self {
            Self::Evidence => 32 << 20,
            Self::Leases | Self::Members | Self::Verdicts => 64 << 10,
        }
    }

    /// What it is called in keys and metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Leases => "leases",
            Self::Members => "members",
            Self::Verdicts => "verdicts",
        }
    }
}

impl Place {
    /// The place called `name` on `shelf`.
    pub fn new(shelf: Shelf, name: impl Into<Vec<u8>>) -> Self {
        Self { shelf, name: name.into(), most: shelf.largest() }
    }

    /// The same, where no value has more than `bytes`.
    #[must_use]
    pub fn within(self, bytes: u64) -> Self {
        Self { most: u32::try_from(bytes).map_or(self.most, |bytes| bytes.min(self.most)), ..self }
    }

    /// Bytes that a value there has at most.
    pub fn most(&self) -> usize {
        self.most as usize
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.shelf == other.shelf && self.name == other.name
    }
}

impl Eq for Place {}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shelf.hash(state);
        self.name.hash(state);
    }
}

impl Item {
    /// What it says, without its seal: two that say the same are the same item.
    pub fn says(&self) -> &[u8] {
        &self.0[..33]
    }

    /// Its seal.
    pub fn seal(&self) -> &[u8] {
        &self.0[33..]
    }
}
