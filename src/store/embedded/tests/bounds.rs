//! It takes no more than it may: of the disk, and of what waits.

use super::keeping::swept;
use super::*;

#[tokio::test]
async fn the_file_stays_within_its_bound_and_goes_on_taking() {
    let (scene, most) = (Scene::new(), 8 << 20);
    let store = scene.open_with(most).expect("it opens");
    let value = Bytes::from(vec![7; 9_000]);
    store.add(&[Listing { place: members("kept"), item: item(1, 1) }], 3, DAY).await.expect("up");
    store.put(&verdict("kept"), Bytes::from("value"), DAY).await.expect("up");
    for round in 0..40 {
        scene.wait(Duration::from_mins(1));
        for each in 0..50 {
            let place = Place::new(Shelf::Evidence, format!("{round}/{each}"));
            store.put(&place, value.clone(), DAY).await.expect("little waits");
        }
        store.flush().await;
        assert!(size(&scene.path()) <= most, "{} bytes in round {round}", size(&scene.path()));
    }
    let newest = store.get(&Place::new(Shelf::Evidence, "39/49")).await;
    assert_eq!(newest, Ok(Some(value)), "of 18 MB the newest are there");
    assert_eq!(store.get(&Place::new(Shelf::Evidence, "0/0")).await, Ok(None), "and the oldest are not");
    assert!(store.get(&verdict("kept")).await.expect("up").is_some(), "verdicts go after evidence");
    assert_eq!(store.list(&members("kept")).await, Ok(vec![item(1, 1)]), "members go last");
}

#[tokio::test]
async fn what_was_used_least_lately_goes_first_and_members_last() {
    let scene = Scene::new();
    let store = scene.open();
    for name in ["old", "used", "new"] {
        for shelf in [Shelf::Evidence, Shelf::Verdicts, Shelf::Members] {
            store.put(&Place::new(shelf, name), Bytes::from(vec![1; 1000]), 9 * DAY).await.expect("up");
        }
        store.flush().await;
        scene.wait(Duration::from_hours(2));
    }
    let each = store.slot.with(ledger::cost).expect("it is open") / 9;
    for shelf in [Shelf::Evidence, Shelf::Verdicts, Shelf::Members] {
        store.get(&Place::new(shelf, "used")).await.expect("up").expect("it is there");
    }
    let mut gone = Vec::new();
    for left in (0..9).rev() {
        swept(&store, each * left + each / 2);
        for shelf in [Shelf::Evidence, Shelf::Verdicts, Shelf::Members] {
            for name in ["old", "used", "new"] {
                let place = Place::new(shelf, name);
                // Not over `get`, which would be a use.
                let found = store.slot.with(|database| ledger::value(database, Spot::of(&place), 0));
                let said = (shelf, name);
                if found.expect("it is open").is_none() && !gone.contains(&said) {
                    gone.push(said);
                }
            }
        }
    }
    let order = [Shelf::Evidence, Shelf::Verdicts, Shelf::Members];
    let expected: Vec<_> =
        order.into_iter().flat_map(|shelf| ["old", "new", "used"].map(|name| (shelf, name))).collect();
    assert_eq!(gone, expected);
}

#[tokio::test]
async fn when_too_much_waits_the_store_is_down_until_some_is_written() {
    let (scene, most) = (Scene::new(), 8 << 20);
    let store = scene.open_with(most).expect("it opens");
    let mut refused = None;
    for each in 0..1000 {
        let put = store.put(&verdict(&each.to_string()), Bytes::from(vec![1; 100_000]), DAY).await;
        if let Err(StoreDown(why)) = put {
            refused = Some(why);
            break;
        }
    }
    assert_eq!(refused.as_deref(), Some("too much waits to be written"), "a megabyte may wait");
    assert!(scene.pending.waiting.get() > 0);
    assert!(store.get(&verdict("0")).await.expect("it can be read").is_some());
    store.flush().await;
    assert_eq!(scene.pending.waiting.get(), 0);
    store.put(&verdict("again"), Bytes::from("value"), DAY).await.expect("there is room again");
    drop(store);
    assert!(!scene.open_with(most).expect("it opens").has_lost_some(), "a verdict is come to again");
}

#[tokio::test]
async fn who_lists_what_and_was_not_taken_is_lacking_in_the_next_process() {
    let scene = Scene::new();
    let store = scene.open();
    store.queue.faulty("somebody cut the cable".into());
    let listing = [Listing { place: members("a"), item: item(1, 1) }];
    let mut refused = 0;
    while store.add(&listing, 3, DAY).await.is_err() {
        refused += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(refused > 0 && !store.has_lost_some(), "this process knows what it was");
    drop(store);
    assert!(scene.open().has_lost_some());
}

/// A value is come to again; who lists what was recorded, and nobody records it once more.
#[test]
fn of_what_cannot_be_written_lists_wait_until_they_can_within_bounds() {
    let pending = pending();
    let queue = Queue::new(1 << 20, pending.clone(), Arc::new(Present::default()));
    let (list, value) = (Spot::of(&members("a")), Spot::of(&verdict("a")));
    let items = |spot, count: u8| {
        let items = (0..count).map(|each| item(each, 1)).collect();
        (spot, Write::Items { items, most: 300, expires: 9 })
    };
    let given = || match queue.next(Duration::ZERO) {
        queue::Next::Batch(batch) => batch.iter().map(|(spot, _)| spot).collect(),
        _ => Vec::new(),
    };
    queue.add([items(list, 1), (value, Write::Value { bytes: Bytes::from("value"), expires: 9 })]).expect("up");
    assert_eq!(given().len(), 2);
    assert!(queue.failed("no room".into(), true));
    assert_eq!(pending.lost.get(), 0, "both wait again");
    for _ in 0..3 {
        assert!(given().contains(&list));
        assert!(queue.failed("no room".into(), false));
    }
    assert_eq!(given(), [list]);
    queue.written();
    assert_eq!(pending.lost.get(), 1, "the value, once");

    queue.up();
    let much = (0..20).map(|each| items(Spot::of(&members(&each.to_string())), 250));
    queue.add(much).expect("it fits");
    assert_eq!(given().len(), 20);
    assert!(!queue.failed("no room".into(), false), "it is lost, and that is said");
    assert_eq!(pending.lost.get(), 21);
    queue.up();
    queue.add([items(list, 1)]).expect("up");
    queue.stop();
    assert_eq!(given(), [list]);
    assert!(!queue.failed("no room".into(), false), "nobody waits for room at the end");
    assert!(given().is_empty());
}

#[tokio::test]
async fn a_value_that_is_too_large_is_not_kept_and_troubles_nobody() {
    let scene = Scene::new();
    let store = scene.open();
    let large = Bytes::from(vec![1; usize::try_from(MOST / 8).expect("it fits")]);
    store.put(&verdict("large"), large, DAY).await.expect("up");
    assert_eq!(store.get(&verdict("large")).await, Ok(None));
}
