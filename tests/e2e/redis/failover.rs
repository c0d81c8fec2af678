//! Sentinels: the master that they name is used, and the one that takes its place.

use std::time::Duration;

use bytes::Bytes;
use countersign::store::shared::{Servers, Settings};
use countersign::store::{Shelf, Store};

use super::{becomes, place, settings, store};
use crate::support::redis_server::{MASTER, Redis};

const LONG: Duration = Duration::from_secs(1000);

fn through(sentinels: &[u16]) -> Settings {
    let hosts: Vec<_> = sentinels.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    Settings {
        servers: Servers::parse(&format!("redis://{}", hosts.join(",")), true).expect("a URL"),
        sentinel: Some(MASTER.into()),
        ..settings(1)
    }
}

#[tokio::test]
async fn a_replica_that_takes_the_masters_place_is_found_without_a_restart() {
    let master = Redis::start();
    let replica = Redis::replica_of(&master);
    let sentinel = Redis::sentinel_for(&master, &replica);
    // The first sentinel of the two is gone.
    let (store, _) = store(&through(&[1, sentinel.port]));
    let (before, after) = (place(Shelf::Verdicts, "before"), place(Shelf::Verdicts, "after"));
    becomes(|| store.put(&before, Bytes::from("v"), LONG)).await.expect("the master is there");
    let arrived = || replica.keys("*").len() == 1;
    assert!(crate::support::process::poll(Duration::from_secs(10), arrived), "it is copied");

    master.signal("KILL");
    let put = becomes(|| store.put(&after, Bytes::from("w"), LONG)).await;
    assert_eq!(put, Ok(()), "the replica takes its place: {}", sentinel.log());
    // Whoever was connected while it became the master is cut off, even if it was answered once as such.
    assert_eq!(becomes(|| store.get(&before)).await, Ok(Some(Bytes::from("v"))));
    assert_eq!(replica.keys("*").len(), 2, "{}", sentinel.log());
}

#[tokio::test]
async fn a_replica_is_no_master_whatever_the_sentinels_say() {
    let master = Redis::start();
    let replica = Redis::replica_of(&master);
    // It watches the replica, whom it takes for a master until it has asked.
    let (store, _) = store(&settings(replica.port));
    let verdict = place(Shelf::Verdicts, "k");
    let said = async {
        loop {
            let why = store.put(&verdict, Bytes::from("v"), LONG).await.expect_err("it only reads").0;
            // An operation that was under way when the connection was given up says no more than that.
            if why.starts_with("it is a replica") && why.contains("READONLY") {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), said).await.expect("it says that it is a replica");
}

#[tokio::test]
async fn sentinels_that_know_no_such_master_say_so() {
    let master = Redis::start();
    let sentinel = Redis::sentinel_of(&master);
    let settings = Settings { sentinel: Some("other".into()), ..through(&[sentinel.port]) };
    let (store, _) = store(&settings);
    let why = store.get(&place(Shelf::Verdicts, "k")).await.expect_err("there is none").0;
    assert!(why.contains("knows no master `other`"), "{why}");
}
