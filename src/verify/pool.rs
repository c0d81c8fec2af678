//! Where verifications run: off the threads that serve connections, a few at once, with a bounded number waiting.
//!
//! Tokio's blocking threads do the work and two semaphores bound it, rather than threads and a channel of our own: one
//! who goes away while waiting leaves the queue without a trace, a panic ends one job and no thread, and nothing has to
//! be shut down.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task;

use crate::limits::Verification;
use crate::reason::Reason;

/// Runs verifications within the limits.
#[derive(Debug)]
pub struct Pool {
    /// One permit for each job that runs or waits.
    admitted: Arc<Semaphore>,
    /// One permit for each job that runs; who waits for one is served in order.
    running: Arc<Semaphore>,
}

/// Why a verification came to no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// The queue is full.
    #[error("too many verifications are waiting; ask again")]
    Busy,
    /// The job panicked, or the program is stopping.
    #[error("the verification did not finish")]
    Broken,
}

impl Unfinished {
    /// The reason that a client is given.
    pub fn reason(self) -> Reason {
        match self {
            Self::Busy => Reason::VerifierBusy,
            Self::Broken => Reason::Internal,
        }
    }
}

impl Pool {
    /// A pool within `limits`.
    pub fn new(limits: Verification) -> Self {
        let threads = limits.threads.clamp(1, MAX_THREADS);
        let admitted = limits.queue.saturating_add(threads).min(Semaphore::MAX_PERMITS);
        Self { admitted: Arc::new(Semaphore::new(admitted)), running: Arc::new(Semaphore::new(threads)) }
    }

    /// Runs `job` on a thread of its own as soon as one is free. If the caller goes away before, it never runs; if
    /// later, it keeps its place until it has ended, because it cannot be interrupted.
    ///
    /// # Errors
    /// [`Unfinished::Busy`] at once if the queue is full; [`Unfinished::Broken`] if `job` panics.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Unfinished> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| Unfinished::Busy)?;
        // The semaphores are never closed.
        let running = self.running.clone().acquire_owned().await.map_err(|_| Unfinished::Broken)?;
        let result = task::spawn_blocking(move || {
            let _held = (running, admitted);
            job()
        });
        result.await.map_err(|_| Unfinished::Broken)
    }
}

/// Tokio has 512 blocking threads; reading files and resolving names needs some.
const MAX_THREADS: usize = 256;

#[cfg(test)]
mod tests;
