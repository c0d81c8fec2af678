//! Leases within one process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Holder, Place};

/// Who holds what, and until when.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<Vec<u8>, (Holder, Instant)>>);

impl Leases {
    /// Whether `holder` has the lease of `place` now, for `length` from now on if nobody had it.
    pub(super) fn take(&self, place: &Place, holder: &Holder, length: Duration) -> bool {
        let now = Instant::now();
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.len() >= SWEEP_AT {
            leases.retain(|_, (_, end)| now < *end);
        }
        let (by, _) = *leases
            .entry(place.name.clone())
            .and_modify(|(by, end)| {
                if now >= *end {
                    (*by, *end) = (*holder, now + length);
                }
            })
            .or_insert((*holder, now + length));
        by == *holder
    }

    /// Ends the lease of `place`, if it is still `holder`'s.
    pub(super) fn release(&self, place: &Place, holder: &Holder) {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.get(&place.name).is_some_and(|(by, _)| by == holder) {
            leases.remove(&place.name);
        }
    }
}

/// Leases above which those that have ended are looked for.
const SWEEP_AT: usize = 1_000;
