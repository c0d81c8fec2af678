//! TLS by an authority of one's own, and a user that may do no more than `docs/store.md` says.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use countersign::store::shared::{Servers, Settings};
use countersign::store::{Shelf, Store};
use tempfile::TempDir;
use tokio::time::{Instant, advance, pause, resume};

use super::{becomes, item, listing, place, settings, store};
use crate::support::guarded::replace;
use crate::support::redis_server::{MASTER, Redis, Secured, USER};

const LONG: Duration = Duration::from_secs(1000);

/// The rights of the documentation, which this test holds to its word.
fn documented_rights() -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/store.md")).expect("the page is there");
    let line = page.lines().find_map(|line| line.trim().strip_prefix("ACL SETUSER countersign on >PASSWORD "));
    line.expect("the page says which rights are needed").to_string()
}

fn secured(redis: &Secured, host: &str, password_file: PathBuf) -> Settings {
    Settings {
        servers: Servers::parse(&format!("rediss://{host}:{}", redis.port), false).expect("a URL"),
        username: Some(USER.into()),
        password_file: Some(password_file),
        ca: Some(redis.ca.clone()),
        ..settings(redis.port)
    }
}

/// A file with this text, which lasts as long as its folder.
fn password(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("password");
    fs::write(&file, text).expect("written");
    (folder, file)
}

#[tokio::test]
async fn a_user_with_the_documented_rights_does_everything_over_tls() {
    let redis = Secured::start("t0psecret", &documented_rights());
    let (_folder, password) = password("t0psecret\n");
    for host in ["localhost", "127.0.0.1"] {
        let (store, metrics) = store(&secured(&redis, host, password.clone()));
        for shelf in [Shelf::Verdicts, Shelf::Evidence] {
            store.put(&place(shelf, "k"), Bytes::from("v"), LONG).await.expect("up");
            assert_eq!(store.get(&place(shelf, "k")).await, Ok(Some(Bytes::from("v"))));
            store.put(&place(shelf, "k"), Bytes::new(), LONG).await.expect("up");
        }
        store.add(&[listing("l", item(1, 1)), listing("m", item(1, 1))], 64, LONG).await.expect("up");
        store.add(&[listing("l", item(1, 1))], 64, LONG).await.expect("up");
        assert_eq!(store.list(&place(Shelf::Members, "l")).await, Ok(vec![item(1, 1)]));
        let lease = place(Shelf::Leases, "work");
        assert_eq!(store.lease(&lease, &[1; 16], LONG).await, Ok(true));
        assert_eq!(store.lease(&lease, &[2; 16], LONG / 2).await, Ok(false));
        store.release(&lease, &[1; 16]).await.expect("up");
        assert_eq!(metrics.trouble(), None, "{}", redis.log());
    }
}

#[tokio::test]
async fn the_documented_rights_are_enough_behind_sentinels_and_for_any_database() {
    let rights = documented_rights();
    let redis = Redis::with(&format!("user default off\nuser {USER} on >t0psecret {rights}\n"));
    // It may not watch that one; what it was told of it, it tells on.
    let sentinel = Redis::sentinel_of(&redis);
    let (_folder, password) = password("t0psecret\n");
    let settings = Settings {
        servers: Servers::parse(&format!("redis://127.0.0.1:{}/3", sentinel.port), true).expect("a URL"),
        sentinel: Some(MASTER.into()),
        username: Some(USER.into()),
        password_file: Some(password),
        ..settings(sentinel.port)
    };
    let (store, metrics) = store(&settings);
    assert_eq!(store.get(&place(Shelf::Verdicts, "k")).await, Ok(None), "{}", redis.log());
    assert_eq!(metrics.trouble(), None);
}

#[tokio::test]
async fn such_a_user_is_told_whether_anything_was_evicted() {
    let redis = Secured::start("t0psecret", &documented_rights());
    let (_folder, password) = password("t0psecret\n");
    let (store, _) = store(&secured(&redis, "localhost", password));
    let nothing = place(Shelf::Verdicts, "k");
    assert_eq!(store.get(&nothing).await, Ok(None));
    let connected = Instant::now();
    // Redis needs its time in between, and what it is asked each minute is not to need minutes.
    let forgot_by = async |seconds: u64| {
        while connected.elapsed() < Duration::from_secs(seconds) {
            pause();
            advance(Duration::from_millis(100)).await;
            resume();
            assert_eq!(store.get(&nothing).await, Ok(None), "{}", redis.log());
        }
        store.forgot().expect("it connected")
    };
    let asked_once = forgot_by(30).await;
    assert_eq!(forgot_by(210).await, asked_once, "none since");
}

#[tokio::test]
async fn whoever_another_authority_certifies_is_not_believed() {
    let redis = Secured::start("t0psecret", &documented_rights());
    let (_folder, password) = password("t0psecret");
    let good = secured(&redis, "localhost", password);
    let other = Settings { ca: Some(redis.other_ca.clone()), ..good.clone() };
    let public = Settings { ca: None, ..good };
    for settings in [other, public] {
        let (store, metrics) = store(&settings);
        let why = store.get(&place(Shelf::Verdicts, "k")).await.expect_err("it is not the one").0;
        assert!(why.contains("TLS: invalid peer certificate"), "{why}");
        assert!(metrics.trouble().is_some_and(|told| *told == why));
    }
}

#[tokio::test]
async fn a_password_that_is_rotated_is_read_again_and_told_to_nobody() {
    let redis = Redis::with("requirepass first-t0psecret\n");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("password");
    replace(&file, "first-t0psecret\n");
    let settings = Settings { password_file: Some(file.clone()), ..settings(redis.port) };
    assert!(!format!("{settings:?}").contains("t0psecret"));
    let (store, _) = store(&settings);
    assert!(!format!("{store:?}").contains("t0psecret"));
    let verdict = place(Shelf::Verdicts, "k");
    store.put(&verdict, Bytes::from("v"), LONG).await.expect("up");

    // Whoever rotates a password ends the connections that were made with the old one.
    let mut admin = redis.client_as("first-t0psecret");
    redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("second-t0psecret").exec(&mut admin).expect("Redis does it");
    redis::cmd("CLIENT")
        .arg("KILL")
        .arg("TYPE")
        .arg("NORMAL")
        .arg("SKIPME")
        .arg("YES")
        .exec(&mut admin)
        .expect("Redis does it");
    let refused = loop {
        match store.get(&verdict).await {
            Err(down) if down.0.contains("WRONGPASS") => break down.0,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert!(!refused.contains("t0psecret"), "{refused}");
    replace(&file, "second-t0psecret\n");
    assert_eq!(becomes(|| store.get(&verdict)).await, Ok(Some(Bytes::from("v"))));
}

#[tokio::test]
async fn a_user_without_a_right_says_which() {
    let redis = Secured::start("t0psecret", "~countersign:* +getrange +ping +set");
    let (_folder, password) = password("t0psecret");
    let (store, _) = store(&secured(&redis, "localhost", password));
    let why = store.lease(&place(Shelf::Leases, "work"), &[1; 16], LONG).await.expect_err("it may not").0;
    assert!(why.contains("NOPERM") && why.contains("eval"), "{why}");
    assert_eq!(store.get(&place(Shelf::Verdicts, "k")).await, Ok(None), "what it may do it does");
}
