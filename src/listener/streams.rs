//! What the streams of one HTTP/2 connection are doing, and when that is enough.
//!
//! Over HTTP/1.1 a connection that carries nothing is closed, and so is one whose client does not read. Here a client
//! can keep one alive with pings, or take nothing of a stream by giving it no window, and the socket shows neither. Nor
//! does the number of streams at a time bound those who ask and take it back at once.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::PIECE;
use crate::body::{Body, BodyError};

/// What a client may do with its streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How long there may be none.
    pub(super) idle: Duration,
    /// How long it may be waited for while it takes a [`PIECE`] of an answer that is there.
    pub(super) stall: Duration,
    /// Whether the first is the last.
    pub(super) once: bool,
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// No further request is wanted; those that are there may end.
    Enough,
    /// A client does not take its answers, or asks only to take it back.
    Abused,
}

/// The streams of one connection.
#[derive(Debug)]
pub(super) struct Streams {
    bounds: Bounds,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    begun: u64,
    /// Since when each one waits for the client; none while it waits for us.
    open: HashMap<u64, Option<Instant>>,
    /// When the last one ended.
    idle_since: Instant,
    /// Requests that were taken back, less those that were not.
    taken_back: u32,
    /// Whether it was said that it is enough.
    said: bool,
}

impl Streams {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        let idle_since = Instant::now();
        let state = State { begun: 0, open: HashMap::new(), idle_since, taken_back: 0, said: false };
        Arc::new(Self { bounds, state: Mutex::new(state), changed: Notify::new() })
    }

    /// A request has come in.
    pub(super) fn begin(self: &Arc<Self>) -> Stream {
        let mut state = self.state();
        state.begun += 1;
        let id = state.begun;
        state.open.insert(id, None);
        drop(state);
        if self.bounds.once {
            self.changed.notify_one();
        }
        Stream { of: self.clone(), id, complete: false }
    }

    /// Returns when it is enough; `Enough` at most once.
    pub(super) async fn over(&self) -> Over {
        loop {
            let until = match self.look(Instant::now()) {
                Ok(until) => until,
                Err(over) => return over,
            };
            tokio::select! {
                () = sleep_until(until) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// When to look again, if it is not enough.
    fn look(&self, now: Instant) -> Result<Instant, Over> {
        let mut state = self.state();
        let oldest = state.open.values().flatten().min().map(|oldest| *oldest + self.bounds.stall);
        if state.taken_back > MOST_TAKEN_BACK || oldest.is_some_and(|stalled| stalled <= now) {
            return Err(Over::Abused);
        }
        let idle = state.idle_since + self.bounds.idle;
        if self.bounds.once && state.begun > 0 && !state.said || state.open.is_empty() && idle <= now {
            // What does not end by itself then ends when it has been idle again.
            state.idle_since = now;
            return if std::mem::replace(&mut state.said, true) { Err(Over::Abused) } else { Err(Over::Enough) };
        }
        // While it is busy it is looked at now and then: to be told of each request that ends would cost each one.
        let busy = now + self.bounds.idle;
        Ok(if state.open.is_empty() { idle } else { oldest.map_or(busy, |stalled| stalled.min(busy)) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request, until its answer has gone or nobody wants it.
#[derive(Debug)]
pub(super) struct Stream {
    of: Arc<Streams>,
    id: u64,
    complete: bool,
}

impl Stream {
    /// The body of its answer.
    pub(super) fn answered(self, body: Body) -> Watched {
        self.waits_for_client(true);
        Watched { body, rest: Bytes::new(), stream: self }
    }

    fn waits_for_client(&self, so: bool) {
        self.of.state().open.insert(self.id, so.then(Instant::now));
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.of.state();
        state.open.remove(&self.id);
        state.taken_back = if self.complete { state.taken_back.saturating_sub(1) } else { state.taken_back + 1 };
        if state.open.is_empty() {
            state.idle_since = Instant::now();
        }
        if state.taken_back > MOST_TAKEN_BACK {
            self.of.changed.notify_one();
        }
    }
}

/// A body that notes whose turn it is.
pub(super) struct Watched {
    body: Body,
    /// What was given by it and not yet passed on: h2 asks for more only when most of the last piece has gone.
    rest: Bytes,
    stream: Stream,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut polled = if self.rest.is_empty() {
            Pin::new(&mut self.body).poll_frame(cx)
        } else {
            Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))))
        };
        if let Poll::Ready(Some(Ok(frame))) = &mut polled
            && let Some(data) = frame.data_mut().filter(|data| data.len() > PIECE)
        {
            self.rest = data.split_off(PIECE);
        }
        self.stream.complete = matches!(polled, Poll::Ready(None | Some(Err(_))));
        self.stream.waits_for_client(polled.is_ready());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.rest.is_empty() { self.body.size_hint() } else { SizeHint::default() }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stream.complete |= self.is_end_stream();
    }
}

/// Requests that a client may take back before it has had the answers to as many others.
const MOST_TAKEN_BACK: u32 = 200;

#[cfg(test)]
mod tests;
