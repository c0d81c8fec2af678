//! The store of all proxies: the program's own store in memory, a network away, counted, and gone when it is told to.

use std::collections::{BTreeMap, HashSet};
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
    /// Where something was put.
    places: Mutex<HashSet<Place>>,
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

/// What it holds at the end.
#[derive(Clone, Default)]
pub(crate) struct Held {
    pub(crate) values: Vec<(Place, Bytes)>,
    /// The newest item of each first.
    pub(crate) lists: Vec<(Place, Vec<Item>)>,
}

impl Held {
    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.values.len() + self.lists.len()
    }

    /// What their names and all under them take by themselves.
    pub(crate) fn bytes(&self) -> usize {
        let values = self.values.iter().map(|(place, value)| place.name.len() + value.len());
        let lists = self.lists.iter().map(|(place, items)| place.name.len() + size_of_val(items.as_slice()));
        values.chain(lists).sum()
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} keys, {} bytes", self.keys(), self.bytes())
    }
}

impl Counting {
    pub(crate) fn new(began: Instant) -> Self {
        Self {
            store: MemoryStore::new(8 << 30),
            began,
            gone: AtomicBool::default(),
            operations: Mutex::default(),
            places: Mutex::default(),
        }
    }

    /// From now on it does not answer.
    pub(crate) fn go(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn operations(&self) -> Operations {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All that it holds: values, and lists.
    pub(crate) async fn held(&self) -> Result<Held, StoreDown> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut held = Held::default();
        for place in places {
            if let Some(value) = self.store.get(&place).await? {
                held.values.push((place, value));
                continue;
            }
            let items = self.store.list(&place).await?;
            held.lists.push((place, items));
        }
        Ok(held)
    }

    fn known(&self, place: &Place) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if !places.contains(place) {
            places.insert(place.clone());
        }
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
            self.known(place);
            self.store.put(place, value, keep).await
        }
        .boxed()
    }

    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            let bytes = listings.iter().map(|listing| listing.place.name.len() + size_of::<Item>());
            self.asked("add", Shelf::Members, bytes.sum()).await?;
            for listing in listings {
                self.known(&listing.place);
            }
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

    fn has_lost_some(&self) -> bool {
        false
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.store.flush()
    }
}

/// To a Redis in the same zone, which is nearer; the virtual time goes by whole milliseconds.
const ROUND_TRIP: Duration = Duration::from_millis(1);
