//! Memberships that the store did not take. They are kept, within bounds, and written when it answers again: other
//! proxies know nothing of them until then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::KEPT;
use crate::oci::Subject;
use crate::store::{Listing, Store};

/// What is still to be written.
pub(super) struct Owed {
    store: Arc<dyn Store>,
    keep: Duration,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// What manifests list.
    listings: HashMap<Subject, Vec<Listing>>,
    bytes: usize,
    /// Whether somebody tries to write it.
    is_tried: bool,
    /// Whether something had no room since it was last empty.
    is_full: bool,
}

impl Owed {
    /// Owes nothing to `store`, which is to keep each list for `keep`.
    pub(super) fn new(store: Arc<dyn Store>, keep: Duration) -> Self {
        Self { store, keep, waiting: Mutex::default() }
    }

    /// Keeps what `parent` lists until the store takes it. Whether there was room for it.
    pub(super) fn keep(self: &Arc<Self>, parent: Subject, listings: Vec<Listing>) -> bool {
        let (mut waiting, bytes) = (self.waiting(), weight(&listings));
        if !waiting.listings.contains_key(&parent) {
            if waiting.bytes + bytes > MOST {
                if !std::mem::replace(&mut waiting.is_full, true) {
                    tracing::warn!(
                        "the store has been away for long: what is admitted from now on is known to this proxy only"
                    );
                }
                return false;
            }
            waiting.bytes += bytes;
            waiting.listings.insert(parent, listings);
        }
        if !std::mem::replace(&mut waiting.is_tried, true) {
            tokio::spawn(pay(Arc::downgrade(self)));
        }
        true
    }

    /// Writes what waits, until the store takes no more. Whether nothing waits any more.
    pub(super) async fn write(&self) -> bool {
        loop {
            let (parents, listings) = self.some();
            if parents.is_empty() {
                return true;
            }
            if self.store.add(&listings, KEPT, self.keep).await.is_err() {
                return false;
            }
            let mut waiting = self.waiting();
            for parent in &parents {
                // Unless somebody else wrote it meanwhile.
                if let Some(written) = waiting.listings.remove(parent) {
                    waiting.bytes -= weight(&written);
                }
            }
        }
    }

    /// As much as is written at once; nothing only if nothing waits, and then nobody tries any more.
    fn some(&self) -> (Vec<Subject>, Vec<Listing>) {
        let mut waiting = self.waiting();
        let (mut parents, mut some) = (Vec::new(), Vec::new());
        for (parent, listings) in &waiting.listings {
            parents.push(parent.clone());
            some.extend_from_slice(listings);
            if some.len() >= TOGETHER {
                break;
            }
        }
        if parents.is_empty() {
            *waiting = Waiting::default();
        }
        (parents, some)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries again and again, until nothing waits or nobody is left who would want it.
async fn pay(owed: Weak<Owed>) {
    loop {
        sleep(AGAIN).await;
        let Some(owed) = owed.upgrade() else { return };
        if owed.write().await {
            return;
        }
    }
}

fn weight(listings: &[Listing]) -> usize {
    let each = listings.iter().map(|listing| size_of::<Listing>() + listing.place.name.len());
    OVERHEAD + each.sum::<usize>()
}

/// Bytes that may wait: some ten thousand images.
const MOST: usize = 16 << 20;
/// What a manifest takes besides what it lists.
const OVERHEAD: usize = 256;
/// Listings that are written at once.
const TOGETHER: usize = 512;
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::{Digest, Image};
    use crate::store::{Item, MemoryStore, Place, Shelf};

    #[tokio::test(start_paused = true)]
    async fn what_has_room_is_written_by_itself_and_what_has_none_is_told_to_have_none() {
        let store = Arc::new(MemoryStore::new(1 << 20));
        let owed = Arc::new(Owed::new(store.clone(), Duration::from_hours(1)));
        let image = Image { registry: "e.io".parse().expect("a name"), repository: "app".parse().expect("one") };
        let listing = |name: &str| Listing { place: Place::new(Shelf::Members, name), item: Item([1; 65]) };
        assert!(!owed.keep(image.at(Digest::of(b"large")), vec![listing(&"x".repeat(MOST))]));
        for _ in 0..2 {
            assert!(owed.keep(image.at(Digest::of(b"small")), vec![listing("k")]));
        }
        assert_eq!(owed.waiting().bytes, weight(&[listing("k")]), "once");
        sleep(2 * AGAIN).await;
        assert_eq!(store.list(&Place::new(Shelf::Members, "k")).await, Ok(vec![Item([1; 65])]));
        let owes_nothing = || {
            let waiting = owed.waiting();
            waiting.listings.is_empty() && waiting.bytes == 0 && !waiting.is_tried
        };
        assert!(owes_nothing());

        // Who ends does not wait for the next try; whoever tries finds nothing then.
        assert!(owed.keep(image.at(Digest::of(b"late")), vec![listing("l")]));
        assert!(owed.write().await && owed.write().await);
        assert_eq!(store.list(&Place::new(Shelf::Members, "l")).await, Ok(vec![Item([1; 65])]));
        sleep(2 * AGAIN).await;
        assert!(owes_nothing());
    }
}
