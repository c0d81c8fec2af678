//! The rules of the repositories that were asked for, so that a thousand scopes are gone through once for each and not
//! once for each request. They are a function of the policy text and the repository, and live no longer than the text.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::rules::Rules;
use crate::oci::Image;

/// Rules by repository. Looking one up takes no lock; how many there are is bounded, whatever clients ask for.
#[derive(Debug)]
pub(in crate::policy) struct Remembered {
    hasher: RandomState,
    shards: [ArcSwap<Shard>; SHARDS],
}

type Shard = HashMap<Image, Arc<Rules>, RandomState>;

impl Remembered {
    /// The rules of `image`, which are those that `find` finds.
    pub(super) fn rules(&self, image: &Image, find: impl FnOnce() -> Rules) -> Arc<Rules> {
        let hash = self.hasher.hash_one(image);
        let shard = &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()];
        if let Some(rules) = shard.load().get(image) {
            return rules.clone();
        }
        let rules = Arc::new(find());
        shard.rcu(|held| {
            // A full one begins anew: what is asked for often is soon there again.
            let mut next = if held.len() < IN_SHARD { Shard::clone(held) } else { self.empty() };
            next.insert(image.clone(), rules.clone());
            next
        });
        rules
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().len()).sum()
    }

    fn empty(&self) -> Shard {
        Shard::with_hasher(self.hasher.clone())
    }
}

impl Default for Remembered {
    fn default() -> Self {
        let hasher = RandomState::new();
        let shards = std::array::from_fn(|_| ArcSwap::from_pointee(Shard::with_hasher(hasher.clone())));
        Self { hasher, shards }
    }
}

const SHARDS: usize = 64;

/// Repositories in one of them.
const IN_SHARD: usize = 64;
