//! The store of a single replica that may forget everything when it restarts.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use moka::future::Cache;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;

use super::{Item, Store, StoreDown};

/// A bounded map in memory; what was used least lately goes first.
#[derive(Debug)]
pub struct MemoryStore {
    values: Cache<Vec<u8>, Bytes>,
    lists: Cache<Vec<u8>, Arc<[Item]>>,
}

impl MemoryStore {
    /// Keeps at most `bytes` of values, and as much of lists, keys counted.
    pub fn new(bytes: u64) -> Self {
        let weight = |key: usize, value: usize| u32::try_from(key + value + OVERHEAD).unwrap_or(u32::MAX);
        Self {
            values: Cache::builder()
                .eviction_policy(EvictionPolicy::lru())
                .max_capacity(bytes)
                .weigher(move |key: &Vec<u8>, value: &Bytes| weight(key.len(), value.len()))
                .build(),
            lists: Cache::builder()
                .eviction_policy(EvictionPolicy::lru())
                .max_capacity(bytes)
                .weigher(move |key: &Vec<u8>, list: &Arc<[Item]>| weight(key.len(), size_of_val(&**list)))
                .build(),
        }
    }
}

/// What an entry costs besides its bytes, as measured for moka.
const OVERHEAD: usize = 200;

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        self.values.get(key).map(Ok).boxed()
    }

    fn put<'a>(&'a self, key: &'a [u8], value: Bytes) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.values.insert(key.into(), value).map(Ok).boxed()
    }

    fn add<'a>(&'a self, key: &'a [u8], item: Item, most: usize) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            self.lists
                .entry_by_ref(key)
                .and_compute_with(|held| {
                    let held = held.map(moka::Entry::into_value).unwrap_or_default();
                    let op = if held.first() == Some(&item) {
                        Op::Nop
                    } else {
                        let rest = held.iter().filter(|other| **other != item).take(most.saturating_sub(1));
                        Op::Put(std::iter::once(&item).chain(rest).copied().collect())
                    };
                    std::future::ready(op)
                })
                .await;
            Ok(())
        }
        .boxed()
    }

    fn list<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        self.lists.get(key).map(|list| Ok(list.map(|list| list.to_vec()).unwrap_or_default())).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_holds_each_item_once_newest_first_and_is_bounded() {
        let store = MemoryStore::new(1 << 20);
        for byte in [1, 2, 3, 2, 4] {
            store.add(b"k", [byte; 33], 3).await.expect("up");
        }
        assert_eq!(store.list(b"k").await, Ok(vec![[4; 33], [2; 33], [3; 33]]));
        assert_eq!(store.list(b"other").await, Ok(vec![]));
    }

    #[tokio::test]
    async fn a_value_is_the_last_one_put() {
        let store = MemoryStore::new(1 << 20);
        assert_eq!(store.get(b"k").await, Ok(None));
        for value in ["one", "two"] {
            store.put(b"k", Bytes::from(value)).await.expect("up");
        }
        assert_eq!(store.get(b"k").await, Ok(Some(Bytes::from("two"))));
    }
}
