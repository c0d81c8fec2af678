//! Redis goes away, is slow, and comes back.

use std::time::{Duration, Instant};

use bytes::Bytes;
use countersign::store::shared::Settings;
use countersign::store::{Shelf, Store};

use super::{becomes, place, settings, store};
use crate::support::process::free_port;
use crate::support::redis_server::Redis;

const LONG: Duration = Duration::from_secs(1000);

#[tokio::test]
async fn a_redis_that_dies_costs_nobody_anything_and_is_used_again_when_it_is_back() {
    let redis = Redis::start();
    let (store, metrics) = store(&settings(redis.port));
    let verdict = place(Shelf::Verdicts, "k");
    store.put(&verdict, Bytes::from("v"), LONG).await.expect("up");
    let port = redis.port;
    drop(redis);
    while store.get(&verdict).await.is_ok() {}
    let began = Instant::now();
    for _ in 0..1000 {
        assert!(store.get(&verdict).await.is_err());
    }
    // A thousand operations that waited for their time would take more than an hour.
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    assert!(metrics.trouble().is_some());

    let redis = Redis::on(port, "");
    assert_eq!(becomes(|| store.get(&verdict)).await, Ok(None));
    store.put(&verdict, Bytes::from("w"), LONG).await.expect("up");
    assert_eq!(redis.keys("*").len(), 1);
}

#[tokio::test]
async fn a_redis_that_stands_still_is_down_after_one_operation_was_waited_for() {
    let redis = Redis::start();
    let settings = Settings { timeout: Duration::from_millis(500), ..settings(redis.port) };
    let (store, _) = store(&settings);
    let verdict = place(Shelf::Verdicts, "k");
    becomes(|| store.put(&verdict, Bytes::from("v"), LONG)).await.expect("up");
    redis.signal("STOP");
    let why = loop {
        if let Err(down) = store.get(&verdict).await {
            break down.0;
        }
    };
    assert!(why.contains("no answer within 500ms"), "{why}");
    let began = Instant::now();
    for _ in 0..1000 {
        assert!(store.get(&verdict).await.is_err());
    }
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    redis.signal("CONT");
    assert_eq!(becomes(|| store.get(&verdict)).await, Ok(Some(Bytes::from("v"))));
}

#[tokio::test]
async fn a_redis_that_is_away_at_first_is_used_when_it_comes() {
    let port = free_port();
    let (store, metrics) = store(&settings(port));
    let verdict = place(Shelf::Verdicts, "k");
    let why = store.get(&verdict).await.expect_err("nobody is there").0;
    assert!(why.contains(&format!("`127.0.0.1:{port}`")) && why.contains("refused"), "{why}");
    assert!(metrics.trouble().is_some(), "it shows before anybody asks");
    let _redis = Redis::on(port, "");
    assert_eq!(becomes(|| store.get(&verdict)).await, Ok(None));
    assert_eq!(metrics.trouble(), None);
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_found_out_without_a_pull() {
    let redis = Redis::start();
    let settings = Settings { timeout: Duration::from_millis(500), ..settings(redis.port) };
    let (_store, metrics) = store(&settings);
    let began = Instant::now();
    redis.signal("STOP");
    while metrics.trouble().is_none() && began.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(metrics.trouble().is_some());
    redis.signal("CONT");
    while metrics.trouble().is_some() && began.elapsed() < Duration::from_secs(40) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(metrics.trouble(), None);
}
