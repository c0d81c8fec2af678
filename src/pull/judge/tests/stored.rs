//! Refresh-ahead, and what the store says that is not believed.

use super::super::stored::place;
use super::*;

/// As a replica that has just started: nothing in memory.
pub(super) fn forget(world: &mut World) {
    let (judge, day) = (world.judge_mut(), Duration::from_hours(24));
    let nowhere = Arc::new(MemoryStore::new(1 << 20));
    let stored = Stored::new(nowhere, judge.seal.clone(), day, judge.metrics.store().clone());
    judge.verdicts = Verdicts::new(100);
    judge.held = Held::new(1 << 20, Duration::from_mins(1), stored);
}

fn shown(world: &World, line: &str) -> bool {
    world.judge.metrics.render().lines().any(|one| one == format!("countersign_{line}"))
}

/// Waits until a line of the metrics is there.
async fn becomes(world: &World, line: &str) {
    let shows = async {
        while !shown(world, line) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_mins(1), shows).await;
    assert!(in_time.is_ok(), "{line}\n{}", world.judge.metrics.render());
}

fn key_of(world: &World, image: &Image) -> Key {
    let subject = crate::oci::Image {
        registry: world.registry.options().name.parse().expect("a name"),
        repository: image.manifest.repository.parse().expect("a name"),
    };
    let governing = world.snapshot.policies.governing(&subject.at(image.manifest.digest), Timestamp(1_000));
    Key::new(&governing, world.snapshot.trust.revision(&governing))
}

#[tokio::test]
async fn an_allow_that_is_asked_for_near_its_end_is_read_anew_while_nobody_waits() {
    let mut world = World::new(LIMITS).await;
    world.judge_mut().refresh = Refresh::new(Duration::from_secs(30));
    let (asked_for, forgotten) = (world.push("team/app"), world.push("team/forgotten"));
    world.sign(&asked_for);
    world.sign(&forgotten);
    let first = world.judged(&asked_for, 1_000).await;
    assert_eq!((first.0, world.judged(&forgotten, 1_000).await.0), (Reason::Signed, Reason::Signed));
    let before = *world.asked.lock().expect("a lock");
    assert_eq!(world.judged(&asked_for, 1_029).await.0, Reason::Signed);
    assert_eq!(*world.asked.lock().expect("a lock"), before, "not yet");
    for _ in 0..10 {
        assert_eq!(world.judged(&asked_for, 1_059).await.0, Reason::Signed);
    }
    becomes(&world, r#"verdict_refreshes_total{result="renewed"} 1"#).await;
    let cost = *world.asked.lock().expect("a lock") - before;
    assert!((1..=first.1).contains(&cost), "one reading of one image: {cost}");
    world.break_down(true);
    assert_eq!(world.judged(&asked_for, 1_118).await, (Reason::Signed, 0), "it ends a minute after the refresh began");
    assert_eq!(world.judged(&forgotten, 1_060).await.0, Reason::EvidenceUnreadable, "nobody asked for it");
}

#[tokio::test]
async fn a_refresh_that_fails_leaves_the_allow_until_its_end_and_one_that_denies_ends_it() {
    let mut world = World::new(LIMITS).await;
    world.judge_mut().refresh = Refresh::new(Duration::from_secs(30));
    let (signed, other) = (world.push("team/app"), world.push("team/other"));
    world.sign(&signed);
    world.sign(&other);
    assert_eq!(world.judged(&signed, 1_000).await.0, Reason::Signed);
    assert_eq!(world.judged(&other, 1_000).await.0, Reason::Signed);
    world.break_down(true);
    assert_eq!(world.judged(&signed, 1_059).await.0, Reason::Signed);
    becomes(&world, r#"verdict_refreshes_total{result="failed"} 1"#).await;
    assert_eq!(world.judged(&signed, 1_059).await, (Reason::Signed, 0), "and is not tried again at once");
    assert_eq!(world.judged(&signed, 1_060).await.0, Reason::EvidenceUnreadable);

    world.break_down(false);
    world.unsigned.store(true, Ordering::SeqCst);
    assert_eq!(world.judged(&other, 1_059).await.0, Reason::Signed);
    becomes(&world, r#"verdict_refreshes_total{result="denied"} 1"#).await;
    assert_eq!(world.judged(&other, 1_059).await.0, Reason::Unsigned);
}

#[tokio::test]
async fn what_the_store_should_not_say_is_counted_and_judged_anew() {
    let mut world = World::new(LIMITS).await;
    let (signed, unsigned) = (world.push("team/app"), world.push("team/unsigned"));
    world.sign(&signed);
    assert_eq!(world.judged(&signed, 1_000).await.0, Reason::Signed);
    forget(&mut world);
    assert_eq!(world.judged(&signed, 1_001).await, (Reason::Signed, 0), "restored");
    assert!(shown(&world, r#"verdict_cache_requests_total{result="restored"} 1"#));
    let [ours, theirs] = [place(&key_of(&world, &signed)), place(&key_of(&world, &unsigned))];
    let record = world.judge.store.get(&ours).await.expect("up").expect("stored");

    // Moved to another image's place, and altered.
    world.judge.store.put(&theirs, record.clone(), Duration::from_mins(1)).await.expect("up");
    assert_eq!(world.judged(&unsigned, 1_001).await.0, Reason::Unsigned);
    let mut altered = record.to_vec();
    *altered.last_mut().expect("bytes") ^= 1;
    world.judge.store.put(&ours, altered.into(), Duration::from_mins(1)).await.expect("up");
    forget(&mut world);
    let (reason, asked) = world.judged(&signed, 1_001).await;
    assert!(reason == Reason::Signed && asked > 0, "verified: {asked}");
    assert!(shown(&world, r#"store_records_rejected_total{cause="seal",shelf="verdicts"} 2"#));

    // What is not a record, though we sealed it.
    let sealed = world.judge.seal.close_bytes(&ours, b"{}");
    world.judge.store.put(&ours, sealed.into(), Duration::from_mins(1)).await.expect("up");
    forget(&mut world);
    assert!(world.judged(&signed, 1_001).await.1 > 0);
    assert!(shown(&world, r#"store_records_rejected_total{cause="form",shelf="verdicts"} 1"#));

    // Played back past its end, and found by a clock that was set back.
    for (now, times) in [(1_060, 1), (900, 2)] {
        world.judge.store.put(&ours, record.clone(), Duration::from_mins(1)).await.expect("up");
        forget(&mut world);
        let (reason, asked) = world.judged(&signed, now).await;
        assert!(reason == Reason::Signed && asked > 0, "verified at {now}: {asked}");
        let line = format!(r#"store_records_rejected_total{{cause="time",shelf="verdicts"}} {times}"#);
        assert!(shown(&world, &line), "{}", world.judge.metrics.render());
    }
}

#[tokio::test]
async fn what_ended_in_memory_has_not_begun_again_in_the_store_because_the_clock_was_set_back() {
    let world = World::new(LIMITS).await;
    let signed = world.push("team/app");
    world.sign(&signed);
    assert_eq!(world.judged(&signed, 1_000).await.0, Reason::Signed);
    // A minute goes by, in which the clock is set back by half of one.
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(1)).await;
    tokio::time::resume();
    assert_eq!(world.judged(&signed, 1_030).await.0, Reason::Signed);
    assert!(shown(&world, r#"verdict_cache_requests_total{result="miss"} 2"#), "{}", world.judge.metrics.render());
    assert!(shown(&world, r#"verdict_cache_requests_total{result="restored"} 0"#));
    assert!(shown(&world, r#"store_records_rejected_total{cause="time",shelf="verdicts"} 1"#));
}

#[tokio::test]
async fn the_store_has_the_last_known_good_for_a_replica_that_has_forgotten_it() {
    let mut world = World::new(LIMITS).await;
    world.judge_mut().lasting.last_known_good = Duration::from_mins(5);
    let signed = world.push("team/app");
    world.sign(&signed);
    assert_eq!(world.judged(&signed, 1_000).await.0, Reason::Signed);
    world.break_down(true);
    assert_eq!(world.judged(&signed, 1_060).await.0, Reason::Signed, "from memory");
    forget(&mut world);
    assert_eq!(world.judged(&signed, 1_070).await.0, Reason::Signed, "from the store");
    assert_eq!(world.judged(&signed, 1_359).await.0, Reason::Signed);
    assert_eq!(world.judged(&signed, 1_360).await.0, Reason::EvidenceUnreadable, "and for no longer");
    assert!(shown(&world, r#"verdict_cache_requests_total{result="stale"} 3"#));
    assert!(shown(&world, r#"store_records_rejected_total{cause="time",shelf="verdicts"} 0"#));
    // Whatever else it holds.
    world.break_down(false);
    world.unsigned.store(true, Ordering::SeqCst);
    assert_eq!(world.judged(&signed, 1_400).await.0, Reason::Unsigned);
    world.break_down(true);
    assert_eq!(world.judged(&signed, 1_401).await.0, Reason::EvidenceUnreadable, "a Deny is never good");
}
