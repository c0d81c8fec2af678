//! Which file is opened, which is refused with what to do, and which is begun anew.

use redb::{Database, TableDefinition};

use super::*;
use crate::store::LATELY;

/// A table of another program's.
const OTHERS: TableDefinition<'_, &str, &str> = TableDefinition::new("letters");

fn refused(scene: &Scene) -> String {
    scene.open_with(MOST).map(drop).expect_err("it is refused").to_string()
}

fn contains(text: &str, all: &[&str]) {
    assert!(all.iter().all(|each| text.contains(each)), "{all:?} in {text}");
}

#[tokio::test]
async fn a_file_that_another_holds_is_refused_and_harmed_in_nothing() {
    let scene = Scene::new();
    let store = scene.open();
    store.put(&verdict("a"), Bytes::from("value"), DAY).await.expect("up");
    let path = scene.path().display().to_string();
    contains(&refused(&scene), &[&path, "another countersign", "stop that one", "`store.kind: redis`"]);
    store.flush().await;
    assert!(store.get(&verdict("a")).await.expect("up").is_some());
}

#[test]
fn what_is_not_ours_is_refused_and_left_as_it_is() {
    let scene = Scene::new();
    std::fs::write(scene.path(), "a letter to a friend, of some length, which nobody should lose\n".repeat(99))
        .expect("a file");
    let before = std::fs::read(scene.path()).expect("a file");
    contains(&refused(&scene), &["is not a store of countersign", "move it away"]);
    assert_eq!(std::fs::read(scene.path()).expect("a file"), before);

    let scene = Scene::new();
    let database = Database::create(scene.path()).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    transaction.open_table(OTHERS).expect("a table").insert("a", "b").expect("it fits");
    transaction.commit().expect("it is written");
    drop(database);
    contains(&refused(&scene), &["a database of another program", "move it away"]);
    let database = Database::open(scene.path()).expect("it is still there");
    let table = redb::ReadableDatabase::begin_read(&database).expect("a transaction").open_table(OTHERS);
    assert_eq!(table.expect("a table").get("a").expect("up").expect("it is there").value(), "b");
    assert!(scene.aside().is_empty());
}

#[tokio::test]
async fn a_file_that_was_never_finished_is_begun_anew() {
    let scene = Scene::new();
    scene.open().close();
    // What tells whose file it is comes last.
    let mut half = std::fs::read(scene.path()).expect("a file");
    half[..9].fill(0);
    std::fs::write(scene.path(), vec![0; (4 << 20) + 1]).expect("a file");
    contains(&refused(&scene), &["it holds something else", "move"]);
    for half in [&half[..], &half[..4096], &[0; 100]] {
        std::fs::write(scene.path(), half).expect("a file");
        let store = scene.open();
        assert_eq!(scene.aside().len(), 1, "whatever it was, the last one is kept");
        store.put(&verdict("a"), Bytes::from("value"), DAY).await.expect("it goes on");
    }
}

/// Writes another version into the file.
fn set_format(scene: &Scene, format: u64) {
    set(scene, "format", format);
}

fn set(scene: &Scene, key: &str, value: u64) {
    let database = Database::create(scene.path()).expect("a database");
    let transaction = database.begin_write().expect("a transaction");
    transaction.open_table(ledger::META).expect("a table").insert(key, value).expect("it fits");
    transaction.commit().expect("it is written");
}

#[tokio::test]
async fn a_later_layout_is_refused_and_an_earlier_one_begun_anew() {
    let scene = Scene::new();
    scene.open().put(&verdict("a"), Bytes::from("value"), DAY).await.expect("up");
    set_format(&scene, ledger::FORMAT + 1);
    contains(&refused(&scene), &["a later countersign", "layout 2, this one reads 1", "move the file away"]);
    set_format(&scene, ledger::FORMAT);
    assert!(scene.open().get(&verdict("a")).await.expect("up").is_some(), "it was left as it is");

    set_format(&scene, ledger::FORMAT - 1);
    let store = scene.open();
    assert!(store.has_lost_some(), "all of it");
    assert_eq!(store.get(&verdict("a")).await, Ok(None));
    store.put(&verdict("a"), Bytes::from("new"), DAY).await.expect("up");
    drop(store);
    assert_eq!(scene.open().get(&verdict("a")).await, Ok(Some(Bytes::from("new"))));
}

/// What a kill leaves is a file that was not closed.
#[tokio::test]
async fn a_file_that_was_not_closed_lacks_something_for_a_while_and_one_that_was_lacks_nothing() {
    let (scene, killed) = (Scene::new(), Scene::new());
    let store = scene.open();
    assert!(!store.has_lost_some(), "nobody had it before");
    store.put(&verdict("a"), Bytes::from("value"), DAY).await.expect("up");
    store.flush().await;
    std::fs::copy(scene.path(), killed.path()).expect("a file");
    drop(store);
    assert!(!scene.open().has_lost_some(), "it was closed");

    let lately = |seconds| Duration::from_secs(LATELY.as_secs() - seconds);
    let store = killed.open();
    assert!(store.has_lost_some());
    assert!(store.get(&verdict("a")).await.expect("up").is_some(), "it was on the disk");
    tokio::time::pause();
    tokio::time::advance(lately(10)).await;
    assert!(store.has_lost_some());
    drop(store);
    // Whoever was told that something is lacking may come back to the next process.
    let store = killed.open();
    assert!(store.has_lost_some());
    killed.wait(DAY);
    assert!(store.has_lost_some(), "the wall clock was only set");
    tokio::time::advance(lately(0)).await;
    assert!(!store.has_lost_some(), "nobody asks for it any more");
    assert!(!store.losses.will_matter(), "nor the next process");
}

/// A kill between the mark and the first record: what an open leaves at least.
#[test]
fn a_file_that_was_only_marked_gets_its_tables() {
    let scene = Scene::new();
    set_format(&scene, ledger::FORMAT);
    set(&scene, "in use", 1);
    let store = scene.open();
    assert!(store.has_lost_some());
    let read = store.slot.with(|database| ledger::value(database, Spot::of(&verdict("a")), 0));
    assert_eq!(read, Ok(None));
}

/// Somebody deletes the file, or mounts another disk over it.
#[tokio::test]
async fn a_file_that_is_another_when_it_is_opened_again_lacks_something() {
    let scene = Scene::new();
    let store = scene.open();
    std::fs::remove_file(scene.path()).expect("it is there");
    store.queue.faulty("somebody cut the cable".into());
    while store.put(&verdict("a"), Bytes::from("value"), DAY).await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(store.has_lost_some());
}

#[test]
fn a_missing_folder_is_made_and_what_is_missing_above_it_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let folder = scene.folder.path().join("made");
    let open = |path: PathBuf| EmbeddedStore::open(path, MOST, scene.clock.clone(), scene.pending.clone());
    open(folder.join("store.redb")).expect("it opens");
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("store.redb"))), (0o700, 0o600));

    let error = open(scene.folder.path().join("not/made/store.redb")).map(drop).expect_err("it is refused");
    contains(&error.to_string(), &["not/made` cannot be made", "`store.embedded.path`", "`store.kind: memory`"]);
    let error = open(folder).map(drop).expect_err("it is refused");
    contains(&error.to_string(), &["cannot be opened for reading and writing", "directory"]);
}
