//! Evidence that outlives memory: what is there to the last byte, sealed for that very place, and nothing else.

use serde_json::json;

use super::spy::Spy;
use super::*;
use crate::demo::sigstore::{Content, Identity, Pieces, pieces};
use crate::discovery::{Beside, Candidate};
use crate::evidence::record::tests::any;
use crate::policy::{Authority, Keyless, Kind, Name, Pattern};
use crate::store::{Place, Shelf, Store};
use crate::test_support::{Dice, SIGSTORE};
use crate::trust::{Root, Trust};
use crate::verify::{Against, verify_all};

mod verification;

const NOW: Timestamp = Timestamp(1_750_000_000);

/// A store, the key of those who share it, and one of them.
struct Fleet {
    spy: Arc<Spy>,
    seal: Arc<Seal>,
    metrics: Arc<Metrics>,
}

impl Fleet {
    fn new() -> Self {
        let seal = Arc::new(Seal::random().expect("randomness"));
        Self { spy: Spy::new(), seal, metrics: Arc::new(Metrics::new()) }
    }

    /// One more replica, or the same after a restart.
    fn replica(&self) -> Held {
        let (spy, seal, metrics) = (self.spy.clone(), self.seal.clone(), self.metrics.store().clone());
        let stored = Stored::new(spy, seal, Duration::from_hours(1), metrics);
        Held::new(64 << 20, Duration::from_hours(24), stored)
    }

    /// Has a replica read `set` and store it.
    async fn reads(&self, about: &About, set: EvidenceSet) -> Held {
        let held = self.replica();
        assert_eq!(held.asked(about, NOW, async { EvidenceSet { read_at: NOW, ..set } }).await.1, Origin::Registry);
        assert!(held.writing().end(MINUTE).await, "it is written");
        held
    }

    /// What a replica that was never asked before has from the store; nothing if it asks the registry.
    async fn stored(&self, about: &About) -> Option<Arc<EvidenceSet>> {
        let anew = async { EvidenceSet { incomplete: true, ..complete(0) } };
        let (set, origin) = self.replica().asked(about, NOW, anew).await;
        (origin == Origin::Store).then_some(set)
    }

    /// Pieces that were not believed.
    fn rejected_pieces(&self) -> Option<usize> {
        let line = "countersign_store_records_rejected_total{cause=\"piece\",shelf=\"evidence\"} ";
        self.metrics.render().lines().find_map(|shown| shown.strip_prefix(line)?.parse().ok())
    }

    async fn value(&self, name: &[u8]) -> Bytes {
        self.spy.get(&evidence(name)).await.expect("up").expect("it is there")
    }

    async fn put(&self, name: &[u8], value: impl Into<Bytes>) {
        Store::put(&*self.spy, &evidence(name), value.into(), MINUTE).await.expect("up");
    }
}

fn evidence(name: &[u8]) -> Place {
    Place::new(Shelf::Evidence, name)
}

#[tokio::test]
async fn what_one_replica_read_another_has_exactly_as_it_was_read() {
    let mut dice = Dice::seeded(7);
    for number in 0..100_u8 {
        let (wants, set) = any(&mut dice);
        let fleet = Fleet::new();
        let mut about = about(wants, &[]);
        about.subject.digest = Digest::of(&[number]);
        fleet.reads(&about, set.clone()).await;
        let restored = fleet.stored(&about).await.expect("it is stored");
        assert_eq!(*restored, EvidenceSet { read_at: NOW, ..set });
    }
}

#[tokio::test]
async fn it_serves_those_only_who_ask_for_the_same_and_no_older() {
    let (wide, both) = (about(ALL, &[]), about(ALL, &["a/one", "a/two"]));
    let fleet = Fleet::new();
    for about in [&wide, &both] {
        fleet.reads(about, complete(10)).await;
    }
    for (asked, there) in [
        (about(BUNDLES, &[]), true),
        (about(ALL, &["a/two", "a/one"]), true),
        (about(ALL, &["a/one"]), false),
        (About { subject: wide.subject.image.at(Digest::of(b"other")), ..wide.clone() }, false),
    ] {
        assert_eq!(fleet.stored(&asked).await.is_some(), there, "{asked:?}");
    }
    let narrow = Fleet::new();
    narrow.reads(&about(BUNDLES, &[]), complete(10)).await;
    assert!(narrow.stored(&wide).await.is_none(), "what else there is was not looked for");
    for (now, max_age, origin) in [
        (NOW.plus(MINUTE), Duration::from_secs(61), Origin::Store),
        (NOW.plus(MINUTE), MINUTE, Origin::Registry),
        // By a clock that was set back.
        (Timestamp(NOW.0 - 60), MINUTE, Origin::Store),
        (Timestamp(NOW.0 - 61), MINUTE, Origin::Registry),
    ] {
        let (held, share) = (fleet.replica(), InFlight::new(1 << 30).share());
        let anew = async { EvidenceSet { incomplete: true, ..complete(0) } };
        assert_eq!(held.get(&wide, now, max_age, &share, anew).await.1, origin, "{now} {max_age:?}");
    }
}

#[tokio::test]
async fn a_record_that_is_edited_moved_or_by_another_key_is_none() {
    let fleet = Fleet::new();
    let (one, other) = (about(ALL, &[]), about(ALL, &["a/one"]));
    fleet.reads(&one, complete(10)).await;
    fleet.reads(&other, complete(20)).await;
    let records = fleet.spy.put(b'r');
    let [first, second] = [&records[0], &records[1]];
    let good = fleet.value(first).await;
    assert!(fleet.stored(&one).await.is_some());
    for at in 0..good.len() {
        let mut altered = good.to_vec();
        altered[at] ^= 1;
        fleet.put(first, altered).await;
        assert!(fleet.stored(&one).await.is_none(), "byte {at}");
    }
    fleet.put(first, good.clone()).await;
    fleet.put(second, good).await;
    assert!(fleet.stored(&other).await.is_none(), "moved");
    assert!(fleet.stored(&one).await.is_some());
    let foreign = Fleet { spy: fleet.spy.clone(), ..Fleet::new() };
    assert!(foreign.stored(&one).await.is_none(), "another key");
}

#[tokio::test]
async fn a_record_of_which_a_piece_is_gone_or_something_else_is_none_until_it_is_read_anew() {
    let about = about(ALL, &[]);
    let set = || {
        let bundle = |byte| candidate(Material::Bundle(Bytes::from(vec![byte; 100])));
        EvidenceSet { candidates: vec![bundle(1), bundle(2), bundle(1)], ..complete(0) }
    };
    let fleet = Fleet::new();
    fleet.reads(&about, set()).await;
    let pieces = fleet.spy.put(b'p');
    assert_eq!(pieces.len(), 2, "each once");
    let good = fleet.value(&pieces[0]).await;
    let longer = [&good[..], &[0]].concat();
    for bad in [Bytes::new(), good.slice(1..), longer.into(), fleet.value(&pieces[1]).await] {
        fleet.put(&pieces[0], bad).await;
        assert!(fleet.stored(&about).await.is_none());
    }
    assert_eq!(fleet.rejected_pieces(), Some(4));
    fleet.reads(&about, set()).await;
    assert_eq!(fleet.stored(&about).await.expect("as before").candidates, set().candidates);

    // A piece that is gone, as what makes room is.
    let gone = Fleet::new();
    for place in fleet.spy.put(b'r').into_iter().chain(pieces.into_iter().skip(1)) {
        gone.put(&place, fleet.value(&place).await).await;
    }
    let gone = Fleet { seal: fleet.seal.clone(), ..gone };
    assert!(gone.stored(&about).await.is_none());
    assert_eq!(gone.rejected_pieces(), Some(0), "nobody has tampered with it");
}

#[tokio::test]
async fn no_more_is_read_than_what_was_sealed_has() {
    let fleet = Fleet::new();
    let about = about(ALL, &[]);
    fleet.reads(&about, complete(5_000)).await;
    fleet.spy.gets.lock().expect("a lock").clear();
    assert!(fleet.stored(&about).await.is_some());
    let [(record, least), (piece, size)] = [b'r', b'p'].map(|kind| {
        let gets = fleet.spy.gets.lock().expect("a lock");
        gets.iter().find(|(name, _)| name[0] == kind).cloned().expect("it is read")
    });
    assert_eq!((least, size), (1 << 20, fleet.value(&piece).await.len()));
    assert!(fleet.value(&record).await.len() < 1_000);

    // What is said beside a thousand signatures is more than a record has room for.
    let beside = Beside { chain: Some("x".repeat(2_000)), ..Beside::default() };
    let one = candidate(Material::Bundle("{}".into())).with(beside);
    let many = Fleet::new();
    many.reads(&about, EvidenceSet { candidates: vec![one; 1_000], ..complete(0) }).await;
    let put = many.spy.puts.lock().expect("a lock").iter().map(|(name, bytes)| (name[0], *bytes)).collect::<Vec<_>>();
    assert_eq!(put, [(b'r', 0)], "and what was there before is none of it");
    assert!(many.stored(&about).await.is_none());
}

#[tokio::test]
async fn a_large_piece_is_stored_once_however_many_name_it() {
    let fleet = Fleet::new();
    let bill = complete(4 << 20).candidates;
    for number in 0..10_u8 {
        let mut about = about(ALL, &[]);
        about.subject.digest = Digest::of(&[number]);
        about.subject.image.repository = format!("team/{number}").parse().expect("a name");
        fleet.reads(&about, EvidenceSet { candidates: bill.clone(), ..complete(0) }).await;
    }
    let places: std::collections::BTreeSet<_> = fleet.spy.put(b'p').into_iter().collect();
    assert_eq!((places.len(), fleet.spy.put(b'r').len()), (1, 10));
    let records = fleet.spy.puts.lock().expect("a lock");
    assert!(records.iter().filter(|(name, _)| name[0] == b'r').all(|(_, size)| *size < 200), "{records:?}");
}

#[tokio::test]
async fn what_is_too_large_or_was_not_read_completely_is_not_stored() {
    let fleet = Fleet::new();
    let unread = vec![Unread::new("referrers", Reason::EvidenceUnreadable, "500")];
    for (number, set) in
        [EvidenceSet { unread, ..complete(10) }, EvidenceSet { incomplete: true, ..complete(10) }, complete(33 << 20)]
            .into_iter()
            .enumerate()
    {
        let about = about(ALL, &[["a/one", "a/two", "a/three"][number]]);
        fleet.reads(&about, set).await;
    }
    assert!(fleet.spy.puts.lock().expect("a lock").is_empty());
}

#[tokio::test]
async fn a_store_that_is_slow_or_down_delays_nobody_and_costs_a_reading() {
    let fleet = Fleet::new();
    fleet.spy.may_put.forget_permits(1_000);
    let (about, held) = (about(ALL, &[]), fleet.replica());
    assert_eq!(
        held.asked(&about, NOW, async { EvidenceSet { read_at: NOW, ..complete(10) } }).await.1,
        Origin::Registry
    );
    assert!(!held.writing().end(Duration::from_millis(10)).await, "it is being written still");
    let lost = || fleet.metrics.store().pending().lost.get();
    assert_eq!(lost(), 0, "it has time");
    let other = About { subject: about.subject.image.at(Digest::of(b"other")), ..about.clone() };
    held.asked(&other, NOW, async { EvidenceSet { read_at: NOW, ..complete(10) } }).await;
    assert_eq!(lost(), 1, "nothing more is begun");
    fleet.spy.may_put.add_permits(1_000);
    let down = Fleet::new();
    down.reads(&about, complete(10)).await;
    down.spy.down.store(true, Ordering::SeqCst);
    assert!(down.stored(&about).await.is_none());
    down.reads(&about, complete(10)).await;
    down.spy.down.store(false, Ordering::SeqCst);
    assert!(down.stored(&about).await.is_some(), "what was there is there");
}

#[tokio::test]
async fn who_takes_nothing_so_old_does_not_wait_for_it() {
    let fleet = Fleet::new();
    let about = about(ALL, &[]);
    fleet.reads(&about, complete(10)).await;
    let (held, later) = (fleet.replica(), NOW.plus(Duration::from_hours(2)));
    fleet.spy.may_get.forget_permits(1_000);
    let share = InFlight::new(1 << 30).share();
    let day = Duration::from_hours(24);
    let never = async { unreachable!("it is in the store") };
    let mut old = Box::pin(held.get(&about, later, day, &share, never));
    assert!(futures_util::poll!(&mut old).is_pending());
    let anew = async { EvidenceSet { read_at: later, ..complete(20) } };
    let mut confirmed = Box::pin(held.get(&about, later, MINUTE, &share, anew));
    assert!(futures_util::poll!(&mut confirmed).is_pending(), "it joins");
    fleet.spy.may_get.add_permits(1_000);
    let ((old, from), (new, anew)) = tokio::join!(old, confirmed);
    assert_eq!((old.read_at, from, new.read_at, anew), (NOW, Origin::Store, later, Origin::Registry));
    // Who joins and is content knows that it is not new.
    let held = fleet.replica();
    let ask = || held.get(&about, later, day, &share, async { unreachable!("it is in the store") });
    fleet.spy.may_get.forget_permits(2_000);
    let ((_, first), (_, second), ()) = tokio::join!(ask(), ask(), async { fleet.spy.may_get.add_permits(9) });
    assert_eq!((first, second), (Origin::Store, Origin::Another { held: true }));
    assert!(first.held() && second.held() && !Origin::Another { held: false }.held());
}

#[tokio::test]
async fn what_is_stored_takes_its_share_of_memory() {
    let fleet = Fleet::new();
    let about = about(ALL, &[]);
    fleet.reads(&about, complete(1 << 20)).await;
    let share = InFlight::new(1 << 10).share();
    let anew = async { EvidenceSet { incomplete: true, ..complete(0) } };
    assert_eq!(fleet.replica().get(&about, NOW, MINUTE, &share, anew).await.1, Origin::Registry, "there is no room");
}
