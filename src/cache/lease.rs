//! Leases: of all replicas that share a store, one verifies, and the others wait for the record that it leaves there.
//!
//! They spare work and permit nothing: whoever waited for as long as a lease lasts verifies for itself, and so does
//! everybody while the store is down.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::outcome::Key;
use crate::store::{Holder, Place, Shelf, Store};
use crate::telemetry::Metrics;

/// The leases of one replica.
pub struct Leases {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
}

/// A turn at verifying. It is given back when it is dropped, whether that came to something or the client has gone.
pub struct Lease {
    store: Arc<dyn Store>,
    place: Place,
    holder: Holder,
}

impl Leases {
    /// The leases in `store`, if anybody shares it.
    pub fn shared(store: &Arc<dyn Store>, metrics: &Arc<Metrics>) -> Option<Self> {
        store.is_shared().then(|| Self { store: store.clone(), metrics: metrics.clone() })
    }

    /// Waits until it is this replica's turn to decide on `key`, or for what others leave: `theirs`, looked for now and
    /// then. At most for one lease's length, from now on.
    ///
    /// # Errors
    /// The turn; nothing if it is taken without a lease.
    pub async fn wait<T, F: Future<Output = Option<T>> + Send>(
        &self,
        key: &Key,
        theirs: impl Fn() -> F,
    ) -> Result<T, Option<Lease>> {
        let (place, began, mut pause) = (Place::new(Shelf::Leases, key.text()), Instant::now(), SHORTEST);
        let mut holder = Holder::default();
        if rand::fill(&mut holder).is_err() {
            return Err(None);
        }
        loop {
            match self.store.lease(&place, &holder, LENGTH).await {
                Ok(false) => {}
                Ok(true) => {
                    let lease = Lease { store: self.store.clone(), place, holder };
                    // Between the last look and this turn, whoever had it may have come to an end.
                    if let Some(theirs) = theirs().await {
                        self.metrics.verdicts().lease("waited");
                        return Ok(theirs);
                    }
                    self.metrics.verdicts().lease("won");
                    return Err(Some(lease));
                }
                Err(_) => {
                    self.metrics.verdicts().lease("down");
                    return Err(None);
                }
            }
            let left = LENGTH.saturating_sub(began.elapsed());
            if left.is_zero() {
                self.metrics.verdicts().lease("timed_out");
                return Err(None);
            }
            sleep(pause.min(left)).await;
            pause = LONGEST.min(pause * 3 / 2);
            if let Some(theirs) = theirs().await {
                self.metrics.verdicts().lease("waited");
                return Ok(theirs);
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (store, holder) = (self.store.clone(), self.holder);
        let place = Place::new(self.place.shelf, std::mem::take(&mut self.place.name));
        // Without a runtime it ends by itself.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { store.release(&place, &holder).await });
        }
    }
}

/// How long reading and verifying the evidence of one digest takes at most, if nothing is wrong.
const LENGTH: Duration = Duration::from_secs(5);
/// Between looks, at first.
const SHORTEST: Duration = Duration::from_millis(20);
/// Between looks, at last.
const LONGEST: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests;
