//! What many verdicts have in common, once in memory: names of repositories, revisions, and exemptions.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::decide::Verdict;
use crate::outcome::{Decided, Key, Outcome, Scope, Told};

/// What was seen before. What is forgotten to make room is only shared no longer.
#[derive(Debug, Default)]
pub(super) struct Shared {
    scopes: Mutex<HashSet<Arc<Scope>>>,
    told: Mutex<HashSet<Arc<Told>>>,
}

impl Shared {
    /// The same verdict, sharing what it can.
    pub(super) fn within(&self, verdict: Verdict) -> Verdict {
        let key = Key { digest: verdict.key().digest, scope: seen(&self.scopes, &verdict.key().scope) };
        let decided = match (&verdict.decided, verdict.outcome()) {
            (Decided::Told(told), Outcome::Allow(_)) => Decided::Told(seen(&self.told, told)),
            (as_it_is, _) => as_it_is.clone(),
        };
        verdict.sharing(key, decided)
    }
}

/// What equals `new` and was seen first.
fn seen<T: Eq + Hash>(all: &Mutex<HashSet<Arc<T>>>, new: &Arc<T>) -> Arc<T> {
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

/// Repositories under one revision each, and those before an edit; exemptions.
const AT_MOST: usize = 20_000;
