use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::*;
use crate::discovery::double::candidate;
use crate::discovery::{InFlight, Material};
use crate::evidence::{Unread, Unusable};
use crate::oci::Digest;
use crate::policy::Format;
use crate::reason::Reason;
use crate::record::Seal;
use crate::store::MemoryStore;
use crate::telemetry::{Metrics, StoreMetrics};
use crate::test_support::subject;

mod spy;
mod stored;

const ALL: Wants = Wants { bundle: true, signatures: true, attestations: true, referrers: true };
const BUNDLES: Wants = Wants { bundle: true, signatures: false, attestations: false, referrers: true };
const MINUTE: Duration = Duration::from_mins(1);

/// What holds evidence, and counts how often it had to be read.
struct World {
    held: Held,
    read: AtomicUsize,
}

impl World {
    fn new() -> Self {
        Self { held: held(Duration::from_hours(1)), read: AtomicUsize::new(0) }
    }

    /// Asks for evidence that is at most a minute old, which a reading would find as `set`; how often it was read.
    async fn asks(&self, about: &About, now: u64, set: EvidenceSet) -> usize {
        let before = self.read.load(Ordering::SeqCst);
        let reading = async {
            self.read.fetch_add(1, Ordering::SeqCst);
            EvidenceSet { read_at: Timestamp(now), ..set }
        };
        let (set, origin) = self.held.asked(about, Timestamp(now), reading).await;
        assert!(set.read_at.plus(MINUTE) > Timestamp(now), "too old");
        let read = self.read.load(Ordering::SeqCst) - before;
        assert_eq!(origin == Origin::Memory, read == 0);
        read
    }
}

/// Memory alone, as before a store that forgets everything at once.
fn held(longest: Duration) -> Held {
    let seal = Arc::new(Seal::random().expect("randomness"));
    Held::new(1 << 20, longest, Stored::new(Arc::new(MemoryStore::new(0)), seal, MINUTE, metrics()))
}

fn metrics() -> Arc<StoreMetrics> {
    Metrics::new().store().clone()
}

fn share() -> Share {
    InFlight::new(1 << 30).share()
}

impl Held {
    /// Asks for what is at most a minute old.
    async fn asked(
        &self,
        about: &About,
        now: Timestamp,
        read: impl Future<Output = EvidenceSet>,
    ) -> (Arc<EvidenceSet>, Origin) {
        self.get(about, now, MINUTE, &share(), read).await
    }
}

fn about(wants: Wants, elsewhere: &[&str]) -> About {
    let image =
        |name: &&str| Image { registry: "e.io".parse().expect("a name"), repository: name.parse().expect("one") };
    About { subject: subject(), elsewhere: elsewhere.iter().map(image).collect(), wants }
}

fn complete(bytes: usize) -> EvidenceSet {
    let candidates = vec![candidate(Material::Bundle(Bytes::from(vec![0; bytes])))];
    EvidenceSet { candidates, unread: Vec::new(), unusable: Vec::new(), incomplete: false, read_at: Timestamp(0) }
}

#[tokio::test]
async fn what_was_read_is_read_again_when_it_is_too_old() {
    let (world, about) = (World::new(), about(ALL, &[]));
    for (now, read) in [(1_000, 1), (1_000, 0), (1_059, 0), (1_060, 1), (1_061, 0), (1_120, 1)] {
        assert_eq!(world.asks(&about, now, complete(10)).await, read, "at {now}");
    }
    // Set back by an hour, the clock calls nothing young; by what a request may take, it does.
    assert_eq!(world.asks(&about, 1_100, complete(10)).await, 0);
    assert_eq!(world.asks(&about, 1_000, complete(10)).await, 1);
}

#[tokio::test]
async fn the_age_that_is_asked_for_counts_not_the_longest() {
    let (world, about) = (World::new(), about(ALL, &[]));
    world.asks(&about, 1_000, complete(10)).await;
    let never = async { unreachable!("it is young enough") };
    assert_eq!(
        world.held.get(&about, Timestamp(2_000), Duration::from_secs(1_001), &share(), never).await.1,
        Origin::Memory
    );
    let anew = async { complete(10) };
    assert_eq!(
        world.held.get(&about, Timestamp(2_000), Duration::from_secs(1_000), &share(), anew).await.1,
        Origin::Registry
    );
    let anew = async { complete(10) };
    assert_eq!(
        world.held.get(&about, Timestamp(0), Duration::ZERO, &share(), anew).await.1,
        Origin::Registry,
        "nothing is so young"
    );
}

#[tokio::test]
async fn nothing_outlives_its_time_by_a_clock_that_was_set_back() {
    let (held, about) = (held(Duration::from_millis(20)), about(ALL, &[]));
    let now = Timestamp(1_000);
    let read = || async { EvidenceSet { read_at: now, ..complete(10) } };
    assert_eq!(held.get(&about, now, MINUTE, &share(), read()).await.1, Origin::Registry);
    let gone = async { while held.kept.get(&about.subject).await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("it goes by itself");
    assert_eq!(held.get(&about, now, MINUTE, &share(), read()).await.1, Origin::Registry);
}

#[tokio::test]
async fn it_serves_who_asks_for_no_other_source() {
    let both = ["a/one", "a/two"];
    for (held, asked, read) in [
        (about(ALL, &[]), about(BUNDLES, &[]), 0),
        (about(BUNDLES, &[]), about(ALL, &[]), 1),
        (about(Wants { bundle: false, ..ALL }, &[]), about(BUNDLES, &[]), 1),
        (about(ALL, &both), about(ALL, &["a/two", "a/one"]), 0),
        (about(ALL, &both), about(ALL, &["a/one"]), 1),
        (about(ALL, &["a/one"]), about(ALL, &both), 1),
        (about(ALL, &["a/one"]), about(ALL, &["a/two"]), 1),
        (about(ALL, &["a/one"]), about(ALL, &[]), 1),
    ] {
        let world = World::new();
        world.asks(&held, 1_000, complete(10)).await;
        assert_eq!(world.asks(&asked, 1_000, complete(10)).await, read, "{held:?}\n{asked:?}");
    }
    let world = World::new();
    world.asks(&about(ALL, &[]), 1_000, complete(10)).await;
    let mut other = about(ALL, &[]);
    other.subject.digest = Digest::of(b"other");
    assert_eq!(world.asks(&other, 1_000, complete(10)).await, 1);
}

#[tokio::test]
async fn what_was_not_read_completely_is_not_kept_and_takes_nothing_away() {
    let (world, about) = (World::new(), about(ALL, &[]));
    let unread = vec![Unread::new("referrers", Reason::EvidenceUnreadable, "500")];
    for broken in [EvidenceSet { unread, ..complete(10) }, EvidenceSet { incomplete: true, ..complete(10) }] {
        assert_eq!(world.asks(&about, 1_000, broken.clone()).await, 1);
        assert_eq!(world.asks(&about, 1_000, broken.clone()).await, 1);
        assert_eq!(world.asks(&about, 1_000, complete(10)).await, 1);
        // Whoever wants it younger fails, and what was held stays for those who do not.
        let newer = async { broken };
        assert_eq!(world.held.get(&about, Timestamp(1_000), Duration::ZERO, &share(), newer).await.1, Origin::Registry);
        assert_eq!(world.asks(&about, 1_000, complete(10)).await, 0);
        world.held.kept.invalidate(&about.subject).await;
    }
}

#[tokio::test]
async fn who_asks_meanwhile_waits_for_the_same_reading() {
    let (held, about) = (held(MINUTE), about(ALL, &[]));
    let (open, gate) = oneshot::channel::<()>();
    let share = share();
    let first = held.get(&about, Timestamp(1_000), MINUTE, &share, async {
        gate.await.expect("it opens");
        EvidenceSet { read_at: Timestamp(1_000), ..complete(10) }
    });
    let joins = || held.get(&about, Timestamp(1_000), MINUTE, &share, async { unreachable!("it is being read") });
    let rest = (0..8).map(|_| joins());
    let open = async { open.send(()).expect("somebody waits") };
    let ((_, first), rest, ()) = tokio::join!(first, join_all(rest), open);
    assert_eq!(first, Origin::Registry);
    assert!(
        rest.iter().all(|(set, origin)| (*origin, set.candidates.len()) == (Origin::Another { held: false }, 1)),
        "{rest:?}"
    );
    let later = held.get(&about, Timestamp(1_000), Duration::ZERO, &share, async { complete(10) });
    assert_eq!(later.await.1, Origin::Registry, "it has landed");
}

#[tokio::test]
async fn a_reading_that_is_given_up_is_begun_by_the_next() {
    let (held, about) = (held(MINUTE), about(ALL, &[]));
    let share = share();
    let mut first = Box::pin(held.get(&about, Timestamp(1_000), MINUTE, &share, std::future::pending()));
    assert!(futures_util::poll!(&mut first).is_pending());
    let mut second = Box::pin(held.get(&about, Timestamp(1_000), MINUTE, &share, async { complete(10) }));
    assert!(futures_util::poll!(&mut second).is_pending());
    drop(first);
    assert_eq!(second.await.1, Origin::Registry);
}

#[tokio::test]
async fn what_it_takes_is_bounded_by_bytes() {
    let held = held(MINUTE);
    let mut about = about(ALL, &[]);
    for number in 0..100_u8 {
        about.subject.digest = Digest::of(&[number]);
        let read = async { EvidenceSet { read_at: Timestamp(1_000), ..complete(100 << 10) } };
        held.get(&about, Timestamp(1_000), MINUTE, &share(), read).await;
        held.kept.run_pending_tasks().await;
    }
    assert!((1..=10).contains(&held.kept.entry_count()), "{}", held.kept.entry_count());
    assert!(held.kept.weighted_size() <= 1 << 20);
    about.subject.digest = Digest::of(b"large");
    let large = async { EvidenceSet { read_at: Timestamp(1_000), ..complete(2 << 20) } };
    assert_eq!(held.get(&about, Timestamp(1_000), MINUTE, &share(), large).await.1, Origin::Registry);
    held.kept.run_pending_tasks().await;
    assert!(held.kept.weighted_size() <= 1 << 20, "what is larger than all that may be held is not");
}
