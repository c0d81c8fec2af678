//! What many keys have in common, once in memory: the names of repositories, and revisions.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::oci::Image;
use crate::outcome::{Key, Revisions};

/// Names and revisions that were seen before. What is forgotten to make room is only shared no longer.
#[derive(Debug, Default)]
pub(super) struct Shared {
    images: Mutex<HashSet<Image>>,
    revisions: Mutex<HashSet<Arc<Revisions>>>,
}

impl Shared {
    /// An equal key that shares what it can.
    pub(super) fn key(&self, key: &Key) -> Arc<Key> {
        let image = seen(&self.images, &key.subject.image);
        Arc::new(Key { subject: image.at(key.subject.digest), revisions: seen(&self.revisions, &key.revisions) })
    }
}

/// What equals `new` and was seen first.
fn seen<T: Clone + Eq + Hash>(all: &Mutex<HashSet<T>>, new: &T) -> T {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(first) = all.get(new) {
        return first.clone();
    }
    if all.len() >= AT_MOST {
        all.clear();
    }
    all.insert(new.clone());
    new.clone()
}

/// Repositories, and pairs of revisions: one for each scope of the policy, and those before an edit.
const AT_MOST: usize = 20_000;
