//! A store that is watched, and fails or dawdles where it is told to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::*;
use crate::store::{Holder, Item, Listing, MemoryStore, Place, Store, StoreDown};

/// A memory store that notes what is put into it.
pub(super) struct Spy {
    inner: MemoryStore,
    /// The place and size of everything put, in order.
    pub(super) puts: Mutex<Vec<(Vec<u8>, usize)>>,
    /// The place of everything got, and how much could be there.
    pub(super) gets: Mutex<Vec<(Vec<u8>, usize)>>,
    pub(super) down: AtomicBool,
    /// What is put waits for a permit, and what is got for one of the other.
    pub(super) may_put: Semaphore,
    pub(super) may_get: Semaphore,
}

impl Spy {
    pub(super) fn new() -> Arc<Self> {
        let [may_put, may_get] = [(); 2].map(|()| Semaphore::new(1_000));
        Arc::new(Self {
            inner: MemoryStore::new(64 << 20),
            puts: Mutex::default(),
            gets: Mutex::default(),
            down: AtomicBool::new(false),
            may_put,
            may_get,
        })
    }

    /// The places of all records, or of all pieces.
    pub(super) fn put(&self, kind: u8) -> Vec<Vec<u8>> {
        let puts = self.puts.lock().expect("a lock");
        puts.iter().map(|(name, _)| name.clone()).filter(|name| name[0] == kind).collect()
    }

    fn up(&self) -> Result<(), StoreDown> {
        if self.down.load(Ordering::SeqCst) { Err(StoreDown("as told".into())) } else { Ok(()) }
    }
}

impl Store for Spy {
    fn get<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        async {
            self.may_get.acquire().await.expect("open").forget();
            self.up()?;
            self.gets.lock().expect("a lock").push((place.name.clone(), place.most()));
            self.inner.get(place).await
        }
        .boxed()
    }

    fn put<'a>(&'a self, place: &'a Place, value: Bytes, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            self.may_put.acquire().await.expect("open").forget();
            self.up()?;
            self.puts.lock().expect("a lock").push((place.name.clone(), value.len()));
            self.inner.put(place, value, keep).await
        }
        .boxed()
    }

    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.inner.add(listings, most, keep)
    }

    fn list<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        self.inner.list(place)
    }

    fn lease<'a>(
        &'a self,
        place: &'a Place,
        holder: &'a Holder,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreDown>> {
        self.inner.lease(place, holder, length)
    }

    fn release<'a>(&'a self, place: &'a Place, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.inner.release(place, holder)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn has_lost_some(&self) -> bool {
        false
    }

    fn forgot(&self) -> Option<tokio::time::Instant> {
        None
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.inner.flush()
    }
}
