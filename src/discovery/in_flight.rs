//! How much evidence is in memory at once, for all digests together: each is bounded by its own limits, but many are
//! read at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The evidence that is being read or judged. Its clones are one.
#[derive(Debug, Clone)]
pub struct InFlight {
    /// One permit for each KiB; who waits is served in order.
    free: Arc<Semaphore>,
    /// How long a reading waits for others to end.
    patience: Duration,
}

/// What the evidence of one question takes, until this is dropped.
#[derive(Debug)]
pub struct Share {
    free: Arc<Semaphore>,
    patience: Duration,
    held: Mutex<Vec<OwnedSemaphorePermit>>,
}

impl InFlight {
    /// Lets `bytes` of evidence be in memory at once.
    pub fn new(bytes: usize) -> Self {
        let free = Arc::new(Semaphore::new((bytes / KIB).min(Semaphore::MAX_PERMITS)));
        Self { free, patience: PATIENCE }
    }

    /// Begins a question; nothing is taken yet.
    pub fn share(&self) -> Share {
        Share { free: self.free.clone(), patience: self.patience, held: Mutex::default() }
    }
}

impl Share {
    /// Takes `bytes` more, as soon as they are free; says whether they were in time. A little is not counted, so that
    /// ordinary signatures wait behind nobody.
    pub async fn take(&self, bytes: u64) -> bool {
        if bytes <= A_LITTLE {
            return true;
        }
        let Ok(permits) = u32::try_from(bytes.div_ceil(KIB as u64)) else { return false };
        match timeout(self.patience, self.free.clone().acquire_many_owned(permits)).await {
            Ok(Ok(permit)) => {
                self.held.lock().unwrap_or_else(PoisonError::into_inner).push(permit);
                true
            }
            _ => false,
        }
    }
}

const KIB: usize = 1 << 10;
/// What ten signatures may have.
const A_LITTLE: u64 = 128 << 10;
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_together_take_no_more_than_there_is_and_wait_for_each_other() {
        let all = InFlight { patience: Duration::from_millis(20), ..InFlight::new(1 << 20) };
        let (one, other) = (all.share(), all.share());
        assert!(one.take(600 << 10).await && one.take(300 << 10).await);
        assert!(!other.take(200 << 10).await, "not in time");
        assert!(other.take(A_LITTLE).await, "a little is always there");
        assert!(!other.take(2 << 20).await && !other.take(u64::MAX).await, "never");
        let (taken, ()) = tokio::join!(other.take(200 << 10), async { drop(one) });
        assert!(taken);
        drop(other);
        assert_eq!(all.free.available_permits(), 1 << 10);
    }
}
