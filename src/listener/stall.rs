//! A connection whose peer does not read what it asked for is given up.
//!
//! hyper bounds the time to send a request; a client that sends one and then stops reading would hold its place, and
//! the registry's, for ever. So would one that reads a byte now and then: it may keep the proxy waiting for so long in
//! all, for each piece of an answer, and what it lets wait before the proxy has something to say does not count.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::PIECE;

/// A stream that may be waited for no longer than `limit` in all until a [`PIECE`] has been written, or fails.
#[derive(Debug)]
pub(super) struct Stall<I> {
    io: I,
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    /// Since when a write is pending.
    since: Option<Instant>,
    /// How long writes were pending before, and the bytes that came of it.
    waited: Duration,
    written: usize,
}

impl<I> Stall<I> {
    pub(super) fn new(io: I, limit: Duration) -> Self {
        Self { io, limit, timer: None, since: None, waited: Duration::ZERO, written: 0 }
    }

    /// Passes on what a write came to, unless the peer has been waited for too long.
    fn bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        bytes: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(result) = written {
            if let Some(since) = self.since.take() {
                self.waited += since.elapsed();
            }
            // As long as nobody is waited for, there is nothing to count.
            if !self.waited.is_zero() {
                self.written += result.as_ref().map_or(0, bytes);
                if self.written >= PIECE {
                    (self.waited, self.written) = (Duration::ZERO, 0);
                }
            }
            return Poll::Ready(result);
        }
        let begins = self.since.is_none();
        let until = *self.since.get_or_insert_with(Instant::now) + self.limit.saturating_sub(self.waited);
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if begins {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Stall<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Stall<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, buf);
        self.bounded(cx, written, |bytes| *bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.bounded(cx, written, |bytes| *bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        self.bounded(cx, flushed, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(cx);
        self.bounded(cx, shut, |()| 0)
    }
}
