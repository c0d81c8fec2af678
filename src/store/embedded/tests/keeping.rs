//! What is put is read at once, and after a restart, until it is of no more use.

use super::*;

#[tokio::test]
async fn what_is_put_is_read_at_once_and_by_the_next_process() {
    let scene = Scene::new();
    let store = scene.open();
    assert_eq!(store.get(&verdict("a")).await, Ok(None));
    for value in ["one", "two"] {
        store.put(&verdict("a"), Bytes::from(value), DAY).await.expect("up");
        assert_eq!(store.get(&verdict("a")).await, Ok(Some(Bytes::from(value))), "while it waits");
    }
    assert_eq!(store.get(&Place::new(Shelf::Evidence, "a")).await, Ok(None), "it is of its shelf");
    store.flush().await;
    assert_eq!(scene.pending.waiting.get(), 0);
    assert_eq!(store.get(&verdict("a")).await, Ok(Some(Bytes::from("two"))), "from the file");
    drop(store);
    assert_eq!(scene.open().get(&verdict("a")).await, Ok(Some(Bytes::from("two"))), "from the file of before");
}

#[tokio::test]
async fn a_list_is_the_newest_first_whether_it_waits_or_is_written() {
    let scene = Scene::new();
    let store = scene.open();
    let add = async |says: u8, seal: u8| {
        let listings = [members("a"), members("b")].map(|place| Listing { place, item: item(says, seal) });
        store.add(&listings, 3, DAY).await.expect("up");
    };
    for says in [1, 2, 3] {
        add(says, 0).await;
    }
    store.flush().await;
    add(2, 9).await;
    add(4, 0).await;
    let expected = vec![item(4, 0), item(2, 9), item(3, 0)];
    assert_eq!(store.list(&members("a")).await.as_ref(), Ok(&expected), "half of it waits");
    store.flush().await;
    assert_eq!(store.list(&members("a")).await.as_ref(), Ok(&expected), "all is written");
    drop(store);
    let store = scene.open();
    assert_eq!(store.list(&members("b")).await, Ok(expected));
    assert_eq!(store.list(&members("c")).await, Ok(vec![]));
}

#[tokio::test]
async fn what_is_of_no_more_use_is_not_read_and_is_forgotten() {
    let scene = Scene::new();
    let store = scene.open();
    store.put(&verdict("a"), Bytes::from("value"), DAY).await.expect("up");
    store.put(&verdict("b"), Bytes::from("value"), Duration::ZERO).await.expect("up");
    store.add(&[Listing { place: members("a"), item: item(1, 1) }], 3, 2 * DAY).await.expect("up");
    assert_eq!(store.get(&verdict("b")).await, Ok(None), "it was of use for no time");
    store.flush().await;
    assert_eq!(store.get(&verdict("b")).await, Ok(None));
    scene.wait(Duration::from_secs(86_399));
    assert!(store.get(&verdict("a")).await.expect("up").is_some());
    scene.wait(Duration::from_secs(1));
    assert_eq!(store.get(&verdict("a")).await, Ok(None));
    assert_eq!(store.list(&members("a")).await, Ok(vec![item(1, 1)]));

    let before = store.slot.with(ledger::cost).expect("it is open");
    swept(&store, u64::MAX);
    let after = store.slot.with(ledger::cost).expect("it is open");
    assert!(after < before / 2, "{after} of {before}");
    assert_eq!(store.list(&members("a")).await, Ok(vec![item(1, 1)]));
}

#[tokio::test]
async fn a_lease_is_one_holders() {
    let scene = Scene::new();
    let store = scene.open();
    let (a, minute) = (Place::new(Shelf::Leases, "a"), Duration::from_mins(1));
    assert_eq!(store.lease(&a, &[1; 16], minute).await, Ok(true));
    assert_eq!(store.lease(&a, &[2; 16], minute).await, Ok(false));
    store.release(&a, &[1; 16]).await.expect("up");
    assert_eq!(store.lease(&a, &[2; 16], minute).await, Ok(true));
}

/// Sweeps all of the file, down to `target`.
pub(super) fn swept(store: &EmbeddedStore, target: u64) {
    let mut sweep = garbage::Sweep::new(store.now(), target, store.queue.uses());
    while !store.slot.with(|database| sweep.step(database)).expect("it is open").done {}
}
