//! The shared store before a Redis that is none, is broken, or means harm. (A real one: `tests/e2e/redis`.)

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign::store::shared::{Servers, Settings, SharedStore};
use countersign::store::{Place, Shelf, Store, StoreDown, Watched};
use countersign::telemetry::{Metrics, StoreMetrics};

use crate::support::redis_double::{RedisDouble, Reply, greeting};

fn settings(port: u16) -> Settings {
    Settings {
        servers: Servers::parse(&format!("redis://127.0.0.1:{port}"), false).expect("a URL"),
        sentinel: None,
        username: None,
        password_file: None,
        ca: None,
        timeout: Duration::from_secs(2),
        evidence: Duration::from_mins(1),
    }
}

fn store(settings: &Settings) -> (SharedStore, Arc<StoreMetrics>) {
    let metrics = Metrics::new().store().clone();
    let store = SharedStore::start(settings, metrics.clone());
    (store, metrics)
}

fn verdict() -> Place {
    Place::new(Shelf::Verdicts, "k")
}

/// Why there is no answer from a Redis that greets as it should and answers a read with this.
async fn read_answered_with(reply: Reply) -> (String, RedisDouble) {
    let double = RedisDouble::start(move |command| greeting(command).unwrap_or_else(|| reply.clone())).await;
    let (store, _) = store(&settings(double.port));
    let StoreDown(why) = store.get(&verdict()).await.expect_err("no answer counts");
    (why, double)
}

#[tokio::test]
async fn a_reply_that_announces_gigabytes_ends_the_connection_before_they_come() {
    let endless = Reply::Endless(b"$2147483647\r\n".to_vec(), vec![b'x'; 1 << 16]);
    let (why, double) = read_answered_with(endless).await;
    assert!(why.contains("a reply of more than"), "{why}");
    let before = double.written();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(before < 64 << 20, "{before} bytes were read");
    assert_eq!(double.written(), before, "nobody reads any more");
}

#[tokio::test]
async fn a_reply_that_grows_without_an_announcement_ends_the_connection_too() {
    for (begins, goes_on, what) in [
        ("+", "x", "a line of more than 4096 bytes"),
        ("*2147483647\r\n", ":1\r\n", "a reply of more than 1024 values"),
        ("*1\r\n", "*1\r\n", "a reply of more than 1024 values"),
        ("*1000\r\n", &format!("$4000\r\n{}\r\n", "x".repeat(4000)), "a reply of more than"),
    ] {
        let endless = Reply::Endless(begins.into(), goes_on.repeat(1000).into());
        let (why, _) = read_answered_with(endless).await;
        let parsed_first = begins == "*1\r\n" && why.contains("recursion");
        assert!(why.contains(what) || parsed_first, "{begins:?}: {why}");
    }
}

#[tokio::test]
async fn what_is_not_the_protocol_is_no_answer() {
    for garbage in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "\0\0\0\0\n",
        "$-5\r\n",
        "$abc\r\n",
        "$3\r\nabcdef\r\n",
        "%1\r\n+a\r\n+b\r\n",
    ] {
        let (why, _) = read_answered_with(Reply::Bytes(garbage.into())).await;
        assert!(!why.is_empty(), "{garbage:?}");
    }
}

#[tokio::test]
async fn a_half_answer_is_none() {
    for half in ["$10\r\nabc", "$10\r\n", "$1", ""] {
        let (why, _) = read_answered_with(Reply::Ends(half.into())).await;
        assert!(!why.contains("no answer within"), "{half:?}: it is known at once, not waited for: {why}");
        let double = RedisDouble::start(move |command| greeting(command).unwrap_or(Reply::Stalls(half.into()))).await;
        let quick = Settings { timeout: Duration::from_millis(200), ..settings(double.port) };
        let (store, _) = store(&quick);
        let why = loop {
            let StoreDown(why) = store.get(&verdict()).await.expect_err("no answer counts");
            // On a slow machine the connection itself takes longer than that.
            if why != "no connection has been made yet" {
                break why;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert_eq!(why, "no answer within 200ms", "{half:?}");
    }
}

#[tokio::test]
async fn an_answer_of_another_type_is_none() {
    for other in [":5\r\n", "*1\r\n$1\r\nx\r\n", "+OK\r\n", "$-1\r\n", "*-1\r\n"] {
        let double = RedisDouble::start(move |command| greeting(command).unwrap_or(Reply::Bytes(other.into()))).await;
        let (store, _) = store(&settings(double.port));
        let place = verdict();
        let said = [
            store.get(&place).await.map(drop),
            store.list(&Place::new(Shelf::Members, "k")).await.map(drop),
            store
                .lease(&Place::new(Shelf::Leases, "k"), &[1; 16], Duration::from_secs(1))
                .await
                .map(|held| assert!(!held)),
        ];
        for (operation, answer) in ["get", "list", "lease"].iter().zip(said) {
            assert!(answer.is_err() || (*operation == "lease" && other == ":5\r\n"), "{operation} {other:?}");
        }
    }
}

#[tokio::test]
async fn a_cluster_says_that_it_cannot_be_the_store() {
    let (why, _) = read_answered_with(Reply::Bytes(b"-MOVED 3999 10.0.0.1:6381\r\n".to_vec())).await;
    assert_eq!(why, "it is a Redis Cluster, which cannot be the store: MOVED 3999 10.0.0.1:6381");
}

#[tokio::test]
async fn a_redis_that_talks_unasked_answers_nothing_by_that() {
    let double = RedisDouble::start(|_| Reply::Endless(b"+PONG\r\n".to_vec(), b"+OK\r\n".repeat(1000))).await;
    let quick = Settings { timeout: Duration::from_millis(200), ..settings(double.port) };
    let (store, _) = store(&quick);
    for _ in 0..10 {
        assert!(store.get(&verdict()).await.is_err());
    }
}

#[tokio::test]
async fn a_server_that_quotes_the_password_is_told_on_without_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("password");
    std::fs::write(&file, "t0psecret\n").expect("written");
    let double =
        RedisDouble::start(|command| Reply::Bytes(format!("-ERR unknown command: {command:?}\r\n").into())).await;
    let with = Settings { username: Some("proxy".into()), password_file: Some(file), ..settings(double.port) };
    let (store, metrics) = store(&with);
    let StoreDown(why) = store.get(&verdict()).await.expect_err("it is not let in");
    assert!(why.contains("unknown command") && why.contains("[redacted]") && !why.contains("t0psecret"), "{why}");
    assert!(metrics.trouble().is_some_and(|told| !told.contains("t0psecret")));
}

#[tokio::test]
async fn a_server_that_always_fails_is_tried_less_and_less() {
    let double = RedisDouble::start(|_| Reply::Ends(Vec::new())).await;
    let (store, _) = store(&settings(double.port));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(store.get(&verdict()).await.is_err());
    // Two connections each time: after 0, 100, 300 and 700 ms.
    assert!(double.connections() <= 8, "{} connections", double.connections());
}

#[tokio::test]
async fn a_redis_that_is_full_stays_so_whatever_it_still_does_until_it_takes_something_new() {
    let full = Arc::new(AtomicBool::new(true));
    let is_full = full.clone();
    let double = RedisDouble::start(move |command| match command.first().map(String::as_str) {
        Some("SET") if is_full.load(Ordering::SeqCst) => {
            Reply::Bytes(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n".to_vec())
        }
        Some("GETRANGE") => Reply::Bytes(b"$0\r\n\r\n".to_vec()),
        // A lease that somebody has is told without writing anything.
        Some("EVAL") => Reply::Bytes(b":1\r\n".to_vec()),
        _ => greeting(command).unwrap_or(Reply::Bytes(b"+OK\r\n".to_vec())),
    })
    .await;
    let (store, metrics) = store(&settings(double.port));
    let store = Watched::new(store, metrics.clone());
    let becomes = async |well: bool| {
        let polled = async {
            while metrics.trouble().is_none() != well {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), polled).await.expect("it is found out");
    };
    becomes(false).await;
    let lease = Place::new(Shelf::Leases, "k");
    for _ in 0..20 {
        store.get(&verdict()).await.expect("it is read");
        store.list(&Place::new(Shelf::Members, "k")).await.expect("it is read");
        assert_eq!(store.lease(&lease, &[1; 16], Duration::from_secs(1)).await, Ok(true));
        store.release(&lease, &[1; 16]).await.expect("it is there");
        let why = metrics.trouble().expect("it takes nothing all the while");
        assert!(why.starts_with("it takes nothing new: OOM "), "{why}");
        let StoreDown(why) = store.put(&verdict(), "v".into(), Duration::from_secs(1)).await.expect_err("it is full");
        assert!(why.starts_with("it takes nothing new: OOM "), "{why}");
    }
    full.store(false, Ordering::SeqCst);
    becomes(true).await;
}

const POLL: Duration = Duration::from_millis(10);
