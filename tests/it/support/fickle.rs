//! A store that replicas share, to which each has a way of its own that can be cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use countersign::app::Memory;
use countersign::record::Seal;
use countersign::store::{Holder, Item, Listing, MemoryStore, Place, Store, StoreDown};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// One replica's way to the store.
pub(crate) struct Fickle {
    store: Arc<MemoryStore>,
    cut: AtomicBool,
}

impl Fickle {
    /// As many ways to one store, and what each replica is started on.
    pub(crate) fn ways<const N: usize>() -> [(Arc<Self>, Memory); N] {
        let store = Arc::new(MemoryStore::new(64 << 20));
        let seal = Arc::new(Seal::random().expect("randomness"));
        std::array::from_fn(|_| {
            let way = Arc::new(Self { store: store.clone(), cut: AtomicBool::new(false) });
            (way.clone(), (way as Arc<dyn Store>, seal.clone()))
        })
    }

    /// Nothing is answered from now on.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Everything is answered again.
    pub(crate) fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }

    fn way<'a, T: 'a>(&self, answer: BoxFuture<'a, Result<T, StoreDown>>) -> BoxFuture<'a, Result<T, StoreDown>> {
        if self.cut.load(Ordering::SeqCst) {
            return async { Err(StoreDown("the way is cut".into())) }.boxed();
        }
        answer
    }
}

impl Store for Fickle {
    fn get<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        self.way(self.store.get(place))
    }

    fn put<'a>(&'a self, place: &'a Place, value: Bytes, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.way(self.store.put(place, value, keep))
    }

    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.way(self.store.add(listings, most, keep))
    }

    fn list<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        self.way(self.store.list(place))
    }

    fn lease<'a>(
        &'a self,
        place: &'a Place,
        holder: &'a Holder,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreDown>> {
        self.way(self.store.lease(place, holder, length))
    }

    fn release<'a>(&'a self, place: &'a Place, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.way(self.store.release(place, holder))
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
