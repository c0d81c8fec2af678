use tokio::time::{Instant, advance};

use super::*;
use crate::store::MemoryStore;
use crate::telemetry::Metrics;

const MINUTE: Duration = Duration::from_mins(1);

/// One that is kept in memory, in so many bytes, for so long.
fn membership(bytes: u64, keep: Duration) -> (Membership, Arc<MemoryStore>) {
    let (store, seal) = (Arc::new(MemoryStore::new(bytes)), Arc::new(Seal::random().expect("randomness")));
    (Membership::new(store.clone(), seal, keep, Metrics::new().store().clone()), store)
}

#[tokio::test(start_paused = true)]
async fn what_was_recorded_is_recorded_again_before_the_store_has_to_forget_it_or_when_it_has() {
    for (keep, again) in [(Duration::from_hours(48), 60 * MINUTE), (20 * MINUTE, 5 * MINUTE)] {
        let (membership, _) = membership(1 << 20, keep);
        let then = Instant::now();
        advance(again.saturating_sub(Duration::from_millis(1))).await;
        assert!(membership.is_recorded(then));
        advance(Duration::from_millis(1)).await;
        assert!(!membership.is_recorded(then));
    }
    let (membership, store) = membership(1 << 10, Duration::from_hours(48));
    let then = Instant::now();
    while store.forgot().is_none() {
        assert!(membership.is_recorded(then));
        advance(MINUTE / 100).await;
        let place = Place::new(Shelf::Members, format!("{:?}", then.elapsed()));
        store.add(&[Listing { place, item: Item([1; 65]) }], KEPT, MINUTE).await.expect("up");
        tokio::task::yield_now().await;
    }
    assert!(!membership.is_recorded(then) && !membership.is_recorded(store.forgot().expect("it did")));
    advance(MINUTE / 100).await;
    assert!(membership.is_recorded(Instant::now()));
}
