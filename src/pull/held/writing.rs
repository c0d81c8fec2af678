//! What is written behind the answers: so much at once and no more, and all of it before the proxy ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The writes under way. Its clones are one.
#[derive(Debug, Clone)]
pub struct Writing {
    /// One permit for each KiB.
    free: Arc<Semaphore>,
}

impl Writing {
    pub(super) fn new() -> Self {
        Self { free: Arc::new(Semaphore::new(AT_ONCE as usize)) }
    }

    /// Begins to write `bytes`, until what it returns is dropped; nothing while a slow store has enough to do.
    pub(super) fn begin(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = u32::try_from(bytes / KIB).ok()?.saturating_add(LEAST);
        self.free.clone().try_acquire_many_owned(permits).ok()
    }

    /// Waits until everything is written, for `patience` at most, and lets nothing more begin. Says whether it was in
    /// time.
    pub async fn end(&self, patience: Duration) -> bool {
        let ended = timeout(patience, self.free.acquire_many(AT_ONCE)).await.is_ok();
        self.free.close();
        ended
    }
}

const KIB: usize = 1 << 10;
/// What may be under way, in KiB.
const AT_ONCE: u32 = 64 << 10;
/// What a write counts at least, so that small ones are bounded in number, too.
const LEAST: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn so_much_is_written_at_once_and_no_more_and_the_end_waits_for_it() {
        let writing = Writing::new();
        let (large, small) = (writing.begin(48 << 20), writing.begin(0));
        assert!(large.is_some() && small.is_some());
        assert!(writing.begin(16 << 20).is_none(), "too much");
        assert!(writing.begin(usize::MAX).is_none());
        assert!(!writing.clone().end(Duration::from_millis(10)).await, "not in time");
        let writing = Writing::new();
        let (large, ended) = (writing.begin(48 << 20), writing.end(Duration::from_mins(1)));
        let mut ended = Box::pin(ended);
        assert!(futures_util::poll!(&mut ended).is_pending());
        drop(large);
        assert!(ended.await);
        assert!(writing.begin(0).is_none(), "it has ended");
        let many = Writing::new();
        let begun: Vec<_> = std::iter::from_fn(|| many.begin(0)).collect();
        assert_eq!(begun.len(), 1024);
    }
}
