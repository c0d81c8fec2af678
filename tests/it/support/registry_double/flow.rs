//! A long body that is made while it is sent, and knows how much of it was taken.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::watch;

/// A body of so many zeros; its clones count together.
#[derive(Clone)]
pub(crate) struct Flow {
    length: u64,
    /// Where it breaks off.
    breaks: u64,
    made: Arc<AtomicU64>,
    left: Arc<watch::Sender<bool>>,
}

/// One sending of a [`Flow`].
pub(super) struct Flowing {
    flow: Flow,
    sent: u64,
}

impl Flow {
    pub(crate) fn of(length: u64) -> Self {
        Self::breaking(length, u64::MAX)
    }

    /// The same, but it breaks off after so many.
    pub(crate) fn breaking(length: u64, breaks: u64) -> Self {
        Self { length, breaks, made: Arc::default(), left: Arc::new(watch::Sender::new(false)) }
    }

    /// The bytes that were taken so far.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    /// Waits until somebody has dropped it before its end.
    pub(crate) async fn is_dropped(&self) {
        // The sender is in `self`, so waiting cannot fail.
        let _ = self.left.subscribe().wait_for(|left| *left).await;
    }

    pub(super) fn begin(self) -> Flowing {
        Flowing { flow: self, sent: 0 }
    }
}

impl http_body::Body for Flowing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let size = (self.flow.length - self.sent).min(ZEROS.len() as u64);
        if size == 0 {
            return Poll::Ready(None);
        }
        if self.sent >= self.flow.breaks {
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
        }
        self.sent += size;
        self.flow.made.fetch_add(size, Ordering::SeqCst);
        let zeros = Bytes::from_static(ZEROS).slice(..usize::try_from(size).expect("a chunk"));
        Poll::Ready(Some(Ok(Frame::data(zeros))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.flow.length - self.sent)
    }
}

impl Drop for Flowing {
    fn drop(&mut self) {
        if self.sent < self.flow.length {
            self.flow.left.send_replace(true);
        }
    }
}

const ZEROS: &[u8] = &[0; 64 << 10];
