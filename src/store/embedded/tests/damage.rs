//! A file that is cut off or altered: what is read from it is what was written, or nothing; and it never ends the program.

use std::fs;

use super::*;
use crate::record::Seal;

const RECORDS: usize = 60;

fn name(each: usize) -> Place {
    verdict(&format!("registry.example/app-{each}"))
}

fn body(each: usize) -> Vec<u8> {
    format!("{each} is allowed ").repeat(1 + each * 3).into_bytes()
}

/// A scene whose file holds sealed records, and the bytes of the file.
async fn written(seal: &Seal) -> (Scene, Vec<u8>) {
    let scene = Scene::new();
    let store = scene.open();
    for each in 0..RECORDS {
        store.put(&name(each), seal.close_bytes(&name(each), &body(each)).into(), DAY).await.expect("up");
    }
    drop(store);
    let bytes = fs::read(scene.path()).expect("a file");
    (scene, bytes)
}

/// How many records the store still has. What it has is what was written.
async fn count(store: &EmbeddedStore, seal: &Seal) -> usize {
    let mut found = 0;
    for each in 0..RECORDS {
        let place = name(each);
        let read = loop {
            match store.get(&place).await {
                // A machine that is busy damages nothing.
                Err(StoreDown(why)) if why == "the disk is slow" => {}
                read => break read,
            }
        };
        if let Ok(Some(sealed)) = read
            && let Some(opened) = seal.open_bytes(&place, &sealed)
        {
            assert_eq!(*opened.get(), body(each), "record {each}");
            found += 1;
        }
    }
    found
}

#[tokio::test]
async fn a_file_that_is_cut_off_anywhere_is_set_aside_or_refused() {
    let seal = Seal::random().expect("randomness");
    let (scene, whole) = written(&seal).await;
    for length in (0..64).map(|part| whole.len() * part / 64).chain([1, 9, 63, 64, 100, 319, 320, 321, 511, 4095]) {
        fs::write(scene.path(), &whole[..length]).expect("a file");
        match scene.open_with(MOST) {
            Ok(store) => {
                assert_eq!(count(&store, &seal).await, 0, "at {length} of {}", whole.len());
                assert!(length == 0 || scene.aside().len() == 1, "at {length}: {:?}", scene.aside());
                assert!(length == 0 || store.has_lost_some(), "at {length}");
                store.put(&name(0), Bytes::from("value"), DAY).await.expect("it goes on");
            }
            Err(error) => assert!(matches!(error, OpenError::Foreign { .. }), "at {length}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_file_in_which_bits_are_flipped_gives_what_was_written_or_nothing() {
    let seal = Seal::random().expect("randomness");
    let (scene, whole) = written(&seal).await;
    let (mut kept, mut emptied, mut refused) = (0, 0, 0);
    // Where there is something, and the whole of the header.
    let somewhere = (0..whole.len()).filter(|at| *at < 320 || whole[*at] != 0);
    for (nth, at) in somewhere.enumerate().filter(|(nth, _)| *nth < 320 && nth % 4 == 0 || nth % 499 == 0) {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (nth % 8);
        fs::write(scene.path(), &flipped).expect("a file");
        match scene.open_with(MOST) {
            Ok(store) => match count(&store, &seal).await {
                0 => emptied += 1,
                found => {
                    assert_eq!(found, RECORDS, "bit {} of byte {at}: some are gone", nth % 8);
                    kept += 1;
                }
            },
            Err(error) => {
                assert!(matches!(error, OpenError::Foreign { .. } | OpenError::Unusable { .. }), "byte {at}: {error}");
                refused += 1;
            }
        }
    }
    assert!(kept > 0 && emptied > 20 && refused > 0, "kept {kept}, emptied {emptied}, refused {refused}");
}

#[tokio::test]
async fn a_file_that_is_damaged_while_it_is_used_is_set_aside_and_begun_anew() {
    let seal = Seal::random().expect("randomness");
    let (scene, whole) = written(&seal).await;
    let store = scene.open();
    // Everything but the header, behind the store's back; nothing was read yet.
    let noise: Vec<u8> = whole.iter().enumerate().map(|(at, byte)| if at < 4096 { *byte } else { !byte }).collect();
    fs::write(scene.path(), noise).expect("a file");
    let began = Instant::now();
    while scene.aside().is_empty() || store.queue.down().is_some() {
        count(&store, &seal).await;
        // A read may find what is still in memory; a write reads more.
        let _ = store.put(&name(0), Bytes::from("value"), DAY).await;
        store.flush().await;
        assert!(began.elapsed() < Duration::from_mins(1), "it was never noticed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    store.put(&name(1), seal.close_bytes(&name(1), &body(1)).into(), DAY).await.expect("it goes on");
    assert!(store.has_lost_some());
    store.flush().await;
    assert_eq!(count(&store, &seal).await, 1);
}

/// Whoever can write the file moves a record to another's place, and puts back one that was replaced.
#[tokio::test]
async fn a_record_that_was_moved_within_the_file_does_not_open() {
    let seal = Seal::random().expect("randomness");
    let (scene, _) = written(&seal).await;
    let store = scene.open();
    let sealed = store.get(&name(1)).await.expect("up").expect("it is there");
    store.put(&name(2), sealed, DAY).await.expect("up");
    store.flush().await;
    assert_eq!(count(&store, &seal).await, RECORDS - 1);
}
