//! A store whose every answer is counted, and whose state is seen.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Holder, Item, Listing, Place, Shelf, Store, StoreDown};
use crate::telemetry::StoreMetrics;

/// Counts what `S` does.
#[derive(Debug)]
pub struct Watched<S> {
    store: S,
    metrics: Arc<StoreMetrics>,
}

impl<S> Watched<S> {
    /// Counts what `store` does in `metrics`.
    pub fn new(store: S, metrics: Arc<StoreMetrics>) -> Self {
        Self { store, metrics }
    }
}

impl<S: Store> Watched<S> {
    fn seen<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        of: Shelf,
        answer: impl Future<Output = Result<T, StoreDown>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreDown>> {
        async move {
            let answer = answer.await;
            self.metrics.operation(operation, of.label(), answer.is_ok());
            self.show(operation, of, answer.as_ref().err());
            answer
        }
        .boxed()
    }

    /// Shows how the store stands. A shared one that is full, or only reads, still does some of what it is asked, so that no
    /// operation shows that it is well again: whoever keeps its connection finds that out. Evidence has a connection of
    /// its own, which may be slow because of what it carries.
    fn show(&self, operation: &'static str, of: Shelf, down: Option<&StoreDown>) {
        let is_anothers = match down {
            None => self.store.is_shared(),
            Some(_) => self.store.is_shared() && of == Shelf::Evidence,
        };
        if !is_anothers {
            let writes = !matches!(operation, "get" | "list");
            self.metrics.standing(writes, down.map(|StoreDown(why)| why.as_str()));
        }
    }
}

impl<S: Store> Store for Watched<S> {
    fn get<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        self.seen("get", place.shelf, self.store.get(place))
    }

    fn put<'a>(&'a self, place: &'a Place, value: Bytes, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.seen("put", place.shelf, self.store.put(place, value, keep))
    }

    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.seen("add", Shelf::Members, self.store.add(listings, most, keep))
    }

    fn list<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        self.seen("list", place.shelf, self.store.list(place))
    }

    fn lease<'a>(
        &'a self,
        place: &'a Place,
        holder: &'a Holder,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreDown>> {
        self.seen("lease", place.shelf, self.store.lease(place, holder, length))
    }

    fn release<'a>(&'a self, place: &'a Place, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.seen("release", place.shelf, self.store.release(place, holder))
    }

    fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    fn has_lost_some(&self) -> bool {
        self.store.has_lost_some()
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        self.store.flush()
    }
}
