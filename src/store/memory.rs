//! The store of a single replica that may forget everything when it restarts.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use moka::Expiry;
use moka::future::Cache;
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::leases::Leases;
use super::{Holder, Item, Listing, Place, Store, StoreDown};

/// A bounded map in memory; what was used least lately goes first.
#[derive(Debug)]
pub struct MemoryStore {
    values: Cache<Place, Kept<Bytes>>,
    lists: Cache<Place, Kept<Arc<[Item]>>>,
    /// Whoever changes a list holds this, so that no two do.
    adding: Mutex<()>,
    leases: Leases,
    /// When a list last had to make room.
    forgot: Arc<ArcSwapOption<Instant>>,
}

/// A value, and how long it is of use.
#[derive(Debug, Clone)]
struct Kept<T> {
    value: T,
    keep: Duration,
}

struct AsLongAsItSays;

impl<T> Expiry<Place, Kept<T>> for AsLongAsItSays {
    fn expire_after_create(&self, _: &Place, kept: &Kept<T>, _: std::time::Instant) -> Option<Duration> {
        Some(kept.keep)
    }

    fn expire_after_update(
        &self,
        _: &Place,
        kept: &Kept<T>,
        _: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.keep)
    }
}

impl MemoryStore {
    /// Keeps at most `bytes` of values, and as much of lists, keys counted.
    pub fn new(bytes: u64) -> Self {
        let weight =
            |place: &Place, value: usize| u32::try_from(place.name.len() + value + OVERHEAD).unwrap_or(u32::MAX);
        let forgot = Arc::new(ArcSwapOption::empty());
        let noted = forgot.clone();
        Self {
            values: Cache::builder()
                .eviction_policy(EvictionPolicy::lru())
                .max_capacity(bytes)
                .weigher(move |place: &Place, kept: &Kept<Bytes>| weight(place, kept.value.len()))
                .expire_after(AsLongAsItSays)
                .build(),
            lists: Cache::builder()
                .eviction_policy(EvictionPolicy::lru())
                .max_capacity(bytes)
                .weigher(move |place: &Place, kept: &Kept<Arc<[Item]>>| weight(place, size_of_val(&*kept.value)))
                .expire_after(AsLongAsItSays)
                .eviction_listener(move |_, _, cause| {
                    if cause == RemovalCause::Size {
                        noted.store(Some(Arc::new(Instant::now())));
                    }
                })
                .build(),
            adding: Mutex::default(),
            leases: Leases::default(),
            forgot,
        }
    }

    async fn add_one(&self, listing: &Listing, most: usize, keep: Duration) {
        let held = self.lists.get(&listing.place).await.map(|kept| kept.value).unwrap_or_default();
        let others = held.iter().filter(|other| other.says() != listing.item.says());
        let value = std::iter::once(&listing.item).chain(others.take(most.saturating_sub(1))).copied().collect();
        self.lists.insert(listing.place.clone(), Kept { value, keep }).await;
    }
}

/// What an entry costs besides its bytes, as measured for moka.
const OVERHEAD: usize = 200;

impl Store for MemoryStore {
    fn get<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        self.values.get(place).map(|kept| Ok(kept.map(|kept| kept.value))).boxed()
    }

    fn put<'a>(&'a self, place: &'a Place, value: Bytes, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.values.insert(place.clone(), Kept { value, keep }).map(Ok).boxed()
    }

    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            let _adding = self.adding.lock().await;
            for listing in listings {
                self.add_one(listing, most, keep).await;
            }
            Ok(())
        }
        .boxed()
    }

    fn list<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        self.lists.get(place).map(|kept| Ok(kept.map(|kept| kept.value.to_vec()).unwrap_or_default())).boxed()
    }

    fn lease<'a>(
        &'a self,
        place: &'a Place,
        holder: &'a Holder,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreDown>> {
        ready(Ok(self.leases.take(place, holder, length))).boxed()
    }

    fn release<'a>(&'a self, place: &'a Place, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.leases.release(place, holder);
        ready(Ok(())).boxed()
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn has_lost_some(&self) -> bool {
        false
    }

    fn forgot(&self) -> Option<Instant> {
        self.forgot.load().as_deref().copied()
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Shelf;

    const DAY: Duration = Duration::from_hours(24);

    fn place(name: &str) -> Place {
        Place::new(Shelf::Members, name)
    }

    #[tokio::test]
    async fn a_list_holds_each_item_once_newest_first_and_is_bounded() {
        let store = MemoryStore::new(1 << 20);
        for byte in [1, 2, 3, 2, 4] {
            let listing = Listing { place: place("k"), item: Item([byte; 65]) };
            store.add(&[listing], 3, DAY).await.expect("up");
        }
        let other_seal = Item(std::array::from_fn(|at| if at < 33 { 4 } else { 9 }));
        store.add(&[Listing { place: place("k"), item: other_seal }], 3, DAY).await.expect("up");
        assert_eq!(store.list(&place("k")).await, Ok(vec![other_seal, Item([2; 65]), Item([3; 65])]));
        assert_eq!(store.list(&place("other")).await, Ok(vec![]));
    }

    #[tokio::test]
    async fn that_a_list_had_to_make_room_is_told() {
        let (bytes, forgot) = (10 << 10, |store: &MemoryStore| store.forgot().is_some());
        let store = MemoryStore::new(bytes);
        let add = async |number: u8| {
            let listing = Listing { place: place(&number.to_string()), item: Item([number; 65]) };
            store.add(&[listing], 3, DAY).await.expect("up");
            store.lists.run_pending_tasks().await;
        };
        add(0).await;
        add(0).await;
        assert!(!forgot(&store), "it is there");
        for number in 1..100 {
            add(number).await;
        }
        assert!(forgot(&store));
        assert_eq!(store.list(&place("0")).await, Ok(vec![]));
    }

    #[tokio::test]
    async fn a_value_is_the_last_one_put_and_of_its_shelf() {
        let store = MemoryStore::new(1 << 20);
        assert_eq!(store.get(&place("k")).await, Ok(None));
        for value in ["one", "two"] {
            store.put(&place("k"), Bytes::from(value), DAY).await.expect("up");
        }
        assert_eq!(store.get(&place("k")).await, Ok(Some(Bytes::from("two"))));
        assert_eq!(store.get(&Place::new(Shelf::Verdicts, "k")).await, Ok(None));
        store.put(&place("k"), Bytes::from("three"), Duration::ZERO).await.expect("up");
        assert_eq!(store.get(&place("k")).await, Ok(None), "it was of use for no time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_one_holders_until_it_ends_or_is_given_back() {
        let (store, second) = (MemoryStore::new(1 << 20), Duration::from_secs(1));
        let lease = async |holder: u8| store.lease(&place("k"), &[holder; 16], second).await.expect("up");
        assert!(lease(1).await && lease(1).await && !lease(2).await);
        store.release(&place("k"), &[2; 16]).await.expect("up");
        assert!(!lease(2).await, "it was not the other's to give back");
        store.release(&place("k"), &[1; 16]).await.expect("up");
        assert!(lease(2).await && !lease(1).await);
        tokio::time::advance(second).await;
        assert!(lease(1).await);
    }
}
