//! Replicas that share a store, on time that stands still until a test moves it.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use futures_util::{FutureExt, future};

use super::super::tests::{NOW, verdict};
use super::*;
use crate::store::{Item, Listing, MemoryStore, StoreDown};
use crate::test_support::subject;

/// Replicas' view of one store: what each of them thinks of its leases.
fn replica(store: &Arc<dyn Store>) -> Leases {
    Leases { store: store.clone(), metrics: Arc::new(Metrics::new()) }
}

fn key() -> Key {
    verdict(&subject(), true, NOW).key().clone()
}

const RECORD: fn() -> Place = || Place::new(Shelf::Verdicts, "record");

/// What a replica does: it waits for its turn, verifies for `takes`, and stores what came of it if it `stores`.
async fn pull(store: &Arc<dyn Store>, takes: Duration, stores: bool, verified: &AtomicUsize) -> Duration {
    let (replica, began) = (replica(store), Instant::now());
    let look = || async { store.get(&RECORD()).await.ok().flatten() };
    if let Err(_lease) = replica.wait(&key(), look).await {
        verified.fetch_add(1, Ordering::SeqCst);
        sleep(takes).await;
        if stores {
            let _ = store.put(&RECORD(), Bytes::from_static(b"a record"), Duration::from_mins(1)).await;
        }
    }
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn of_many_replicas_one_verifies_and_the_others_take_what_it_left() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 20));
    let verified = AtomicUsize::new(0);
    let took = join_all((0..50).map(|_| pull(&store, Duration::from_secs(1), true, &verified))).await;
    assert_eq!(verified.load(Ordering::SeqCst), 1);
    assert!(took.iter().all(|took| *took <= Duration::from_millis(1200)), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_waited_for_one_lease_verifies_for_itself() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 20));
    let verified = AtomicUsize::new(0);
    let slow = pull(&store, Duration::from_mins(1), true, &verified);
    // One that comes late does not wait anew each time the lease changes hands.
    let late = async {
        sleep(Duration::from_secs(4)).await;
        pull(&store, Duration::ZERO, false, &verified).await
    };
    let quick = pull(&store, Duration::ZERO, false, &verified);
    let (_, late, quick) = tokio::join!(slow, late, quick);
    assert_eq!(verified.load(Ordering::SeqCst), 3);
    assert!(quick <= LENGTH + LONGEST && late <= LENGTH + LONGEST, "{quick:?} {late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_came_to_nothing_or_was_given_up_is_the_next_ones() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 20));
    let verified = AtomicUsize::new(0);
    let second = Duration::from_secs(1);
    let failing = pull(&store, second, false, &verified);
    let next = async {
        sleep(Duration::from_millis(500)).await;
        pull(&store, second, true, &verified).await
    };
    let (_, took) = tokio::join!(failing, next);
    assert_eq!(verified.load(Ordering::SeqCst), 2);
    assert!(took < LENGTH / 2, "it was given back: {took:?}");

    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 20));
    let given_up = tokio::time::timeout(second, pull(&store, second * 60, true, &verified));
    let next = async {
        sleep(Duration::from_millis(500)).await;
        pull(&store, second, true, &verified).await
    };
    let (gone, took) = tokio::join!(given_up, next);
    assert!(gone.is_err() && took < LENGTH / 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_everybody_verifies_at_once() {
    let store: Arc<dyn Store> = Arc::new(Down);
    let verified = AtomicUsize::new(0);
    let took = join_all((0..3).map(|_| pull(&store, Duration::ZERO, true, &verified))).await;
    assert_eq!((verified.load(Ordering::SeqCst), took), (3, vec![Duration::ZERO; 3]));
}

#[test]
fn a_store_that_nobody_shares_costs_no_leases() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(1 << 20));
    assert!(Leases::shared(&store, &Arc::new(Metrics::new())).is_none());
}

/// A store that does not answer.
struct Down;

fn down<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, StoreDown>> {
    future::ready(Err(StoreDown("down".into()))).boxed()
}

impl Store for Down {
    fn get<'a>(&'a self, _: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        down()
    }
    fn put<'a>(&'a self, _: &'a Place, _: Bytes, _: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        down()
    }
    fn add<'a>(&'a self, _: &'a [Listing], _: usize, _: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        down()
    }
    fn list<'a>(&'a self, _: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        down()
    }
    fn lease<'a>(&'a self, _: &'a Place, _: &'a Holder, _: Duration) -> BoxFuture<'a, Result<bool, StoreDown>> {
        down()
    }
    fn release<'a>(&'a self, _: &'a Place, _: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>> {
        down()
    }
    fn is_shared(&self) -> bool {
        true
    }

    fn has_lost_some(&self) -> bool {
        false
    }
    fn flush(&self) -> BoxFuture<'_, ()> {
        future::ready(()).boxed()
    }
}
