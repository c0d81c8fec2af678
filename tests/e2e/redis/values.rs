//! What the store keeps, and what becomes of what it did not put there.

use std::time::Duration;

use bytes::Bytes;
use countersign::store::{Shelf, Store};

use super::{item, listing, place, settings, store};
use crate::support::redis_server::Redis;

const LONG: Duration = Duration::from_secs(1000);

fn remaining(redis: &Redis, key: &str) -> i64 {
    redis::cmd("PTTL").arg(key).query(&mut redis.client()).expect("Redis answers")
}

fn set(redis: &Redis, words: &[&str]) {
    let (command, rest) = words.split_first().expect("a command");
    let done: redis::RedisResult<redis::Value> = redis::cmd(command).arg(rest).query(&mut redis.client());
    done.expect("Redis does it");
}

#[tokio::test]
async fn a_value_is_the_last_one_put_and_ends_when_it_is_of_no_use() {
    let redis = Redis::start();
    let (store, _) = store(&settings(redis.port));
    let verdict = place(Shelf::Verdicts, "registry.io/app@sha256:00");
    assert_eq!(store.get(&verdict).await, Ok(None));
    for value in ["one", "two\r\n\0"] {
        store.put(&verdict, Bytes::from(value), LONG).await.expect("up");
    }
    assert_eq!(store.get(&verdict).await, Ok(Some(Bytes::from("two\r\n\0"))));
    assert_eq!(redis.keys("*"), ["countersign:1:verdicts:registry.io/app@sha256:00"]);
    let left = remaining(&redis, "countersign:1:verdicts:registry.io/app@sha256:00");
    assert!((900_000..=1_000_000).contains(&left), "{left}");
    store.put(&verdict, Bytes::from("three"), Duration::ZERO).await.expect("up");
    assert_eq!(store.get(&verdict).await, Ok(None), "what is of no use is gone, and so is what it replaced");
}

#[tokio::test]
async fn evidence_that_is_read_is_kept_anew_and_a_verdict_is_not() {
    let redis = Redis::start();
    let (store, _) = store(&settings(redis.port));
    for shelf in [Shelf::Evidence, Shelf::Verdicts] {
        store.put(&place(shelf, "k"), Bytes::from("v"), Duration::from_secs(10)).await.expect("up");
        assert!(store.get(&place(shelf, "k")).await.expect("up").is_some());
    }
    let left = ["evidence", "verdicts"].map(|shelf| remaining(&redis, &format!("countersign:1:{shelf}:k")));
    assert!(left[0] > 50_000 && left[1] <= 10_000, "{left:?}");
}

#[tokio::test]
async fn of_what_is_longer_than_it_may_be_no_more_is_read_than_shows_it() {
    let redis = Redis::start();
    let (store, _) = store(&settings(redis.port));
    let junk = vec![b'x'; 100 << 20];
    for shelf in [Shelf::Evidence, Shelf::Verdicts] {
        let key = format!("countersign:1:{}:k", shelf.label());
        redis::cmd("SET").arg(&key).arg(&junk).exec(&mut redis.client()).expect("Redis does it");
        for most in [1_000, 60_000] {
            let read = store.get(&place(shelf, "k").within(most)).await.expect("up").expect("something is there");
            assert_eq!(read.len() as u64, most + 1);
        }
        // What may not be there is not put there.
        store.put(&place(shelf, "k").within(3), Bytes::from("long"), LONG).await.expect("up");
        assert_eq!(store.get(&place(shelf, "k")).await, Ok(None));
        store.put(&place(shelf, "k").within(4), Bytes::from("fits"), LONG).await.expect("up");
        assert_eq!(store.get(&place(shelf, "k")).await, Ok(Some(Bytes::from("fits"))));
    }
}

#[tokio::test]
async fn a_list_holds_each_item_once_newest_first_and_is_bounded() {
    let redis = Redis::start();
    let (store, _) = store(&settings(redis.port));
    let list = place(Shelf::Members, "l");
    assert_eq!(store.list(&list).await, Ok(vec![]));
    for says in [1, 2, 3, 2, 4] {
        store.add(&[listing("l", item(says, 0))], 3, LONG).await.expect("up");
    }
    assert_eq!(store.list(&list).await, Ok(vec![item(4, 0), item(2, 0), item(3, 0)]));
    // The same item under another seal takes the place of the one before.
    store.add(&[listing("l", item(3, 9))], 3, LONG).await.expect("up");
    assert_eq!(store.list(&list).await, Ok(vec![item(3, 9), item(4, 0), item(2, 0)]));
    store.add(&[listing("l", item(3, 9))], 3, Duration::from_secs(10)).await.expect("up");
    assert!(remaining(&redis, "countersign:1:members:l") <= 10_000, "it was added last for ten seconds");
    assert_eq!(store.list(&list).await, Ok(vec![item(3, 9), item(4, 0), item(2, 0)]));
}

#[tokio::test]
async fn many_lists_change_in_one_round_trip() {
    let redis = Redis::start();
    let (store, _) = store(&settings(redis.port));
    let listings: Vec<_> = (0..1000).map(|n| listing(&format!("l{n}"), item(1, 1))).collect();
    let calls = |redis: &Redis| {
        let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut redis.client()).expect("Redis answers");
        let eval =
            stats.lines().find_map(|line| line.strip_prefix("cmdstat_eval:calls=")?.split(',').next()?.parse().ok());
        eval.unwrap_or(0_usize)
    };
    store.add(&listings, 64, LONG).await.expect("up");
    assert_eq!(calls(&redis), 8, "a script changes 128 lists");
    assert_eq!(redis.keys("countersign:1:members:*").len(), 1000);
    assert_eq!(store.list(&place(Shelf::Members, "l999")).await, Ok(vec![item(1, 1)]));
}

#[tokio::test]
async fn lists_that_many_change_at_once_lose_nothing() {
    let redis = Redis::start();
    let (one, _) = store(&settings(redis.port));
    let (other, _) = store(&settings(redis.port));
    let add = |store: &'static _, says| {
        let store: &countersign::store::shared::SharedStore = store;
        async move { store.add(&[listing("l", item(says, says))], 64, LONG).await }
    };
    let stores: [&'static _; 2] = [Box::leak(Box::new(one)), Box::leak(Box::new(other))];
    let all = futures_util::future::join_all((0..40).map(|says| add(stores[usize::from(says % 2)], says))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(stores[0].list(&place(Shelf::Members, "l")).await.expect("up").len(), 40);
}

#[tokio::test]
async fn a_lease_has_one_holder_who_alone_can_release_it() {
    let redis = Redis::start();
    let (store, _) = store(&settings(redis.port));
    let (lease, [ours, theirs]) = (place(Shelf::Leases, "work"), [[1; 16], [2; 16]]);
    assert_eq!(store.lease(&lease, &ours, LONG).await, Ok(true));
    assert_eq!(store.lease(&lease, &ours, LONG).await, Ok(true), "it still is");
    assert_eq!(store.lease(&lease, &theirs, LONG).await, Ok(false));
    store.release(&lease, &theirs).await.expect("up");
    assert_eq!(store.lease(&lease, &theirs, LONG).await, Ok(false), "it was not theirs to release");
    store.release(&lease, &ours).await.expect("up");
    assert_eq!(store.lease(&lease, &theirs, Duration::from_millis(30)).await, Ok(true));
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(store.lease(&lease, &ours, LONG).await, Ok(true), "it has ended");
}

#[tokio::test]
async fn what_somebody_else_put_there_stops_nothing() {
    let redis = Redis::start();
    let (store, _) = store(&settings(redis.port));
    for kind in
        [&["HSET", "KEY", "f", "v"][..], &["LPUSH", "KEY", "x"], &["SADD", "KEY", "x"], &["XADD", "KEY", "*", "f", "v"]]
    {
        let put = |shelf: &str| {
            let key = format!("countersign:1:{shelf}:k");
            set(&redis, &["DEL", &key]);
            set(&redis, &kind.iter().map(|word| if *word == "KEY" { key.as_str() } else { word }).collect::<Vec<_>>());
        };
        ["verdicts", "evidence", "members", "leases"].into_iter().for_each(put);
        for shelf in [Shelf::Verdicts, Shelf::Evidence] {
            let odd = place(shelf, "k");
            assert_eq!(store.get(&odd).await, Ok(Some(Bytes::new())), "{kind:?}: no record opens from that");
            store.put(&odd, Bytes::from("v"), LONG).await.expect("it is replaced");
            assert_eq!(store.get(&odd).await, Ok(Some(Bytes::from("v"))), "{kind:?}");
        }
        let list = place(Shelf::Members, "k");
        assert_eq!(store.list(&list).await, Ok(vec![item(0, 0)]), "{kind:?}: what stood there is gone");
        store.add(&[listing("k", item(1, 1))], 64, LONG).await.expect("it is replaced");
        assert_eq!(store.list(&list).await, Ok(vec![item(1, 1)]), "{kind:?}");
        let lease = place(Shelf::Leases, "k");
        store.release(&lease, &[1; 16]).await.expect("there is nothing of ours");
        assert_eq!(store.lease(&lease, &[1; 16], LONG).await, Ok(true), "{kind:?}");
    }
    set(&redis, &["SET", "countersign:1:members:k", &"\u{1}".repeat(100)]);
    assert_eq!(store.list(&place(Shelf::Members, "k")).await, Ok(vec![item(1, 1), item(0, 0)]), "the rest is cut off");
}

#[tokio::test]
async fn values_without_bounds_are_read_within_ours() {
    let redis = Redis::start();
    let (store, metrics) = store(&settings(redis.port));
    let huge = vec![b'x'; 100 << 20];
    for shelf in ["verdicts", "evidence", "members", "leases"] {
        let key = format!("countersign:1:{shelf}:k");
        let done: redis::RedisResult<()> = redis::cmd("SET").arg(&key).arg(&huge).query(&mut redis.client());
        done.expect("Redis takes it");
    }
    let verdict = store.get(&place(Shelf::Verdicts, "k")).await.expect("up").expect("something");
    assert_eq!(verdict.len(), (64 << 10) + 1);
    let evidence = store.get(&place(Shelf::Evidence, "k")).await.expect("up").expect("something");
    assert_eq!(evidence.len(), (32 << 20) + 1);
    assert_eq!(store.list(&place(Shelf::Members, "k")).await.expect("up").len(), 256);
    assert_eq!(store.lease(&place(Shelf::Leases, "k"), &[1; 16], LONG).await, Ok(false));
    assert!(remaining(&redis, "countersign:1:leases:k") <= 1_000_000, "and not for ever");
    store.add(&[listing("k", item(1, 1))], 64, LONG).await.expect("up");
    assert_eq!(store.list(&place(Shelf::Members, "k")).await.expect("up").len(), 64);
    // What is too long to be read back is not put.
    let too_long = Bytes::from(vec![b'x'; (64 << 10) + 1]);
    store.put(&place(Shelf::Verdicts, "k"), too_long, LONG).await.expect("up");
    assert_eq!(store.get(&place(Shelf::Verdicts, "k")).await, Ok(None));
    assert_eq!(metrics.trouble(), None);
}

#[tokio::test]
async fn a_full_redis_is_read_and_refuses_what_is_new() {
    let redis = Redis::start();
    let (store, _) = store(&settings(redis.port));
    let verdict = place(Shelf::Verdicts, "k");
    store.put(&verdict, Bytes::from("v"), LONG).await.expect("up");
    set(&redis, &["CONFIG", "SET", "maxmemory", "1"]);
    let why = store.put(&verdict, Bytes::from("w"), LONG).await.expect_err("it is full").0;
    assert!(why.starts_with("it takes nothing new: OOM "), "{why}");
    assert!(store.add(&[listing("l", item(1, 1))], 64, LONG).await.is_err());
    assert!(store.lease(&place(Shelf::Leases, "k"), &[1; 16], LONG).await.is_err());
    assert_eq!(store.get(&verdict).await, Ok(Some(Bytes::from("v"))));
    set(&redis, &["CONFIG", "SET", "maxmemory", "0"]);
    store.put(&verdict, Bytes::from("w"), LONG).await.expect("it is not full any more");
}
