//! The store of all proxies: the program's own store in memory, a network away, counted, and gone when it is told to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use countersign::store::{Holder, Item, Listing, MemoryStore, Place, Shelf, Store, StoreDown};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};

/// It.
pub(crate) struct Counting {
    store: MemoryStore,
    began: Instant,
    gone: AtomicBool,
    operations: Mutex<Operations>,
}

/// What it was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operations {
    /// By operation and shelf.
    pub(crate) by_kind: BTreeMap<(&'static str, &'static str), u64>,
    /// Of names, values and items, both ways.
    pub(crate) bytes: u64,
    /// Leases that somebody else had.
    pub(crate) waits: u64,
    /// How many there were in each second.
    seconds: BTreeMap<u64, u64>,
}

impl Counting {
    pub(crate) fn new(began: Instant) -> Self {
        Self { store: MemoryStore::new(8 << 30), began, gone: AtomicBool::default(), operations: Mutex::default() }
    }

    /// From now on it does not answer.
    pub(crate) fn go(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn operations(&self) -> Operations {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts an operation on things `of` one kind that sends so many bytes, and lets it travel.
    async fn asked(&self, operation: &'static str, of: Shelf, bytes: usize) -> Result<(), StoreDown> {
        if self.gone.load(Ordering::Relaxed) {
            // As its clients do once they have noticed.
            return Err(StoreDown("it is gone".into()));
        }
        self.count(|counted| {
            *counted.by_kind.entry((operation, of.label())).or_default() += 1;
            *counted.seconds.entry(self.began.elapsed().as_secs()).or_default() += 1;
            counted.bytes += bytes as u64;
        });
        sleep(ROUND_TRIP).await;
        Ok(())
    }

    fn count(&self, count: impl FnOnce(&mut Operations)) {
        count(&mut self.operations.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Operations {
    /// All there were.
    pub(crate) fn all(&self) -> u64 {
        self.by_kind.values().sum()
    }

    /// Those of one kind on one shelf.
    pub(crate) fn of(&self, operation: &'static str, kind: Shelf) -> u64 {
        self.by_kind.get(&(operation, kind.label())).copied().unwrap_or_default()
    }

    /// The most in one second.
    pub(crate) fn peak(&self) -> u64 {
        self.seconds.values().copied().max().unwrap_or_default()
    }

    /// What came after `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let less = |counts: &BTreeMap<_, u64>, by: &BTreeMap<_, u64>| {
            counts.iter().map(|(key, count)| (*key, count - by.get(key).copied().unwrap_or_default())).collect()
        };
        Self {
            by_kind: less(&self.by_kind, &earlier.by_kind),
            bytes: self.bytes - earlier.bytes,
            waits: self.waits - earlier.waits,
            seconds: self.seconds.clone(),
        }
    }
}

impl Store for Counting {
    fn get<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        async move {
            self.asked("get", place.shelf, place.name.len()).await?;
            let value = self.store.get(place).await?;
            self.count(|counted| counted.bytes += value.as_ref().map_or(0, Bytes::len) as u64);
            Ok(value)
        }
        .boxed()
    }

    fn put<'a>(&'a self, place: &'a Place, value: Bytes, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            self.asked("put", place.shelf, place.name.len() + value.len()).await?;
            self.store.put(place, value, keep).await
        }
        .boxed()
    }

    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            let bytes = listings.iter().map(|listing| listing.place.name.len() + size_of::<Item>());
            self.asked("add", Shelf::Members, bytes.sum()).await?;
            self.store.add(listings, most, keep).await
        }
        .boxed()
    }

    fn list<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        async move {
            self.asked("list", place.shelf, place.name.len()).await?;
            let items = self.store.list(place).await?;
            self.count(|counted| counted.bytes += size_of_val(items.as_slice()) as u64);
            Ok(items)
        }
        .boxed()
    }

    fn lease<'a>(
        &'a self,
        place: &'a Place,
        holder: &'a Holder,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreDown>> {
        async move {
            self.asked("lease", Shelf::Leases, place.name.len() + holder.len()).await?;
            let ours = self.store.lease(place, holder, length).await?;
            self.count(|counted| counted.waits += u64::from(!ours));
            Ok(ours)
        }
        .boxed()
    }

    fn release<'a>(&'a self, place: &'a Place, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            self.asked("release", Shelf::Leases, place.name.len() + holder.len()).await?;
            self.store.release(place, holder).await
        }
        .boxed()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.store.flush()
    }
}

/// To a Redis in the same zone.
const ROUND_TRIP: Duration = Duration::from_micros(500);
