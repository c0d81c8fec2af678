//! What this proxy has recorded itself or read lately, found without asking the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use moka::future::Cache;
use tokio::sync::Mutex;

use super::{KEPT, Parent};
use crate::store::Place;

/// The lists that were wanted lately, within bounds.
pub(super) struct Near {
    lists: Cache<Place, Arc<List>>,
    /// Whoever changes a list holds this, so that no two do.
    changing: Mutex<()>,
    keep: Duration,
}

/// One list. Base layers have many parents, and a new one with each image: what has room is changed where it is.
struct List {
    parents: ArcSwap<Vec<Parent>>,
    /// For how many it was weighed.
    room: usize,
    since: Instant,
}

impl Near {
    /// Keeps each list for `keep` at most, after something was last put into it, or half as long.
    pub(super) fn new(keep: Duration) -> Self {
        let weigh = |place: &Place, list: &Arc<List>| {
            let bytes = place.name.len() + list.room * size_of::<Parent>() + OVERHEAD;
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let lists = Cache::builder().max_capacity(BYTES).weigher(weigh).time_to_live(keep).build();
        Self { lists, changing: Mutex::default(), keep }
    }

    /// The list at `place`, the newest first.
    pub(super) async fn get(&self, place: &Place) -> Option<Arc<Vec<Parent>>> {
        Some(self.lists.get(place).await?.parents.load_full())
    }

    /// Puts `newest` first in the list at `place`.
    pub(super) async fn put_first(&self, place: &Place, newest: &[Parent]) {
        if newest.is_empty() {
            return;
        }
        let _changing = self.changing.lock().await;
        let list = self.lists.get(place).await;
        let held = list.as_ref().map(|list| list.parents.load_full()).unwrap_or_default();
        if held.starts_with(newest) {
            return;
        }
        let mut merged = Vec::with_capacity((newest.len() + held.len()).min(KEPT));
        merged.extend_from_slice(&newest[..newest.len().min(KEPT)]);
        merged.extend(held.iter().filter(|parent| !newest.contains(parent)).take(KEPT - merged.len()));
        merged.shrink_to_fit();
        match list {
            Some(list) if merged.len() <= list.room && list.since.elapsed() < self.keep / 2 => {
                list.parents.store(Arc::new(merged));
            }
            _ => {
                let (room, since) = (merged.len().next_power_of_two(), Instant::now());
                let list = List { parents: ArcSwap::from_pointee(merged), room, since };
                self.lists.insert(place.clone(), Arc::new(list)).await;
            }
        }
    }
}

/// Bytes of all lists.
const BYTES: u64 = 64 << 20;

/// What a list costs besides its bytes, as measured for moka, and where it is changed.
const OVERHEAD: usize = 300;

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;
    use crate::oci::Digest;
    use crate::store::Shelf;

    fn parents(numbers: impl IntoIterator<Item = usize>) -> Vec<Parent> {
        let parent = |number: usize| Parent { digest: Digest::of(&number.to_be_bytes()), kind: Kind::Blob };
        numbers.into_iter().map(parent).collect()
    }

    #[tokio::test]
    async fn the_newest_stand_first_each_once_and_no_more_than_are_kept() {
        let (near, place) = (Near::new(Duration::from_hours(1)), Place::new(Shelf::Members, "x"));
        assert!(near.get(&place).await.is_none());
        for number in 0..=KEPT {
            near.put_first(&place, &parents([number])).await;
            let newest: Vec<_> = (0..=number).rev().take(KEPT).collect();
            assert_eq!(near.get(&place).await.as_deref(), Some(&parents(newest)));
        }
        near.put_first(&place, &parents([7, 5])).await;
        let held = near.get(&place).await.expect("it is held");
        let others = (0..=KEPT).rev().filter(|number| ![5, 7].contains(number));
        assert_eq!(*held, parents([7, 5].into_iter().chain(others).take(KEPT)));
        near.put_first(&place, &parents(100..300)).await;
        assert_eq!(near.get(&place).await.as_deref(), Some(&parents(100..100 + KEPT)));
        near.put_first(&place, &[]).await;
        assert_eq!(near.get(&place).await.map(|held| held.len()), Some(KEPT));
    }

    #[tokio::test]
    async fn a_list_is_changed_where_it_is_unless_it_outgrew_its_weight_or_would_soon_be_forgotten() {
        let (near, place) = (Near::new(Duration::from_mins(1)), Place::new(Shelf::Members, "x"));
        let mut before = None;
        for number in 1..=8 {
            near.put_first(&place, &parents([number])).await;
            let list = near.lists.get(&place).await.expect("it is held");
            let stayed = before.is_some_and(|before| Arc::ptr_eq(&before, &list));
            assert_eq!((stayed, list.room), (![1, 2, 3, 5].contains(&number), number.next_power_of_two()));
            before = Some(list);
        }
        for (seconds, stays) in [(5, true), (50, false)] {
            let since = Instant::now().checked_sub(Duration::from_secs(seconds)).expect("the machine is older");
            let list = Arc::new(List { parents: ArcSwap::from_pointee(parents([1])), room: 2, since });
            near.lists.insert(place.clone(), list.clone()).await;
            near.put_first(&place, &parents([2])).await;
            assert_eq!(near.get(&place).await.as_deref(), Some(&parents([2, 1])));
            assert_eq!(Arc::ptr_eq(&near.lists.get(&place).await.expect("it is held"), &list), stays, "{seconds}");
        }
    }
}
