//! What many verdicts have in common, once in memory: names of repositories, revisions, exemptions, and denials in the same
//! words.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::decide::Verdict;
use crate::outcome::{Decided, Key, Outcome, Scope, Told};

/// What was seen before. What is forgotten to make room is only shared no longer.
#[derive(Debug, Default)]
pub(super) struct Shared {
    scopes: Mutex<HashSet<Arc<Scope>>>,
    allowed: Mutex<HashSet<Arc<Told>>>,
    /// Apart from those: whoever may push can have any number of them made.
    denied: Mutex<HashSet<Arc<Told>>>,
}

impl Shared {
    /// The same verdict, sharing what it can.
    pub(super) fn within(&self, verdict: Verdict) -> Verdict {
        let key = Key { digest: verdict.key().digest, scope: seen(&self.scopes, &verdict.key().scope) };
        let decided = match (&verdict.decided, verdict.outcome()) {
            (Decided::Told(told), Outcome::Allow(_)) => Decided::Told(seen(&self.allowed, told)),
            (Decided::Told(told), Outcome::Deny(_)) => Decided::Told(seen(&self.denied, told)),
            (Decided::Signed, _) => Decided::Signed,
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
    let old = if all.len() >= AT_MOST { std::mem::take(&mut *all) } else { HashSet::new() };
    all.insert(new.clone());
    drop(all);
    // To take many apart takes time, and nobody is to wait for it.
    drop(old);
    new.clone()
}

/// Repositories under one revision each, and those before an edit; exemptions; denials.
const AT_MOST: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tests::{NOW, verdict};
    use crate::test_support::subject;

    #[test]
    fn what_is_said_in_the_same_words_is_once_in_memory() {
        let shared = Shared::default();
        for allows in [true, false] {
            let [one, other] = [(); 2].map(|()| shared.within(verdict(&subject(), allows, NOW)));
            let (Decided::Told(one), Decided::Told(other)) = (&one.decided, &other.decided) else {
                panic!("neither goes without words");
            };
            assert!(Arc::ptr_eq(one, other), "{one:?}");
        }
    }
}
