//! The store of a single replica that outlives it: one file, which one process has at a time.
//!
//! A put is done when it waits for the one thread that writes; it is readable from then on, and on the disk a tenth of a
//! second later. Whoever opens a file that was not closed knows that some of that may be lacking. Reads of what may be
//! there go to the disk, on the threads for what blocks: a disk that hangs must hold up nothing but those who ask it, and
//! these only for a second. What the file says is authenticated by those who asked for it.
//!
//! Leases need no file: who asks for one is in this process.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::leases::Leases;
use super::{Holder, Item, Listing, Place, Store, StoreDown};
use crate::clock::Clock;
use crate::telemetry::PendingWrites;

mod batch;

mod fault;

mod file;

mod garbage;

mod ledger;

mod losses;

mod present;

mod queue;

mod slot;

mod spot;

#[cfg(test)]
mod tests;

mod writer;

pub use file::OpenError;

use batch::{Write, newest_first};
use fault::Fault;
use file::{Found, Opened};
use losses::Losses;
use present::Present;
use queue::Queue;
use slot::Slot;
use spot::Spot;
use writer::Writer;

/// The store in a file.
pub struct EmbeddedStore {
    slot: Arc<Slot>,
    queue: Arc<Queue>,
    present: Arc<Present>,
    losses: Arc<Losses>,
    clock: Arc<Clock>,
    leases: Leases,
    readers: Arc<Semaphore>,
    /// The largest value that is kept.
    largest: usize,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedStore {
    /// Opens the file at `path`, or makes it; it will take `most` bytes at most. `pending` shows how many writes
    /// wait, or were given up.
    ///
    /// A disk that is full or fails at this moment is not an error: the store is down until it works.
    ///
    /// # Errors
    /// If the configuration names a file that cannot be used; the error says what to do.
    pub fn open(path: PathBuf, most: u64, clock: Arc<Clock>, pending: PendingWrites) -> Result<Self, OpenError> {
        let waiting = usize::try_from(most / 8).unwrap_or(usize::MAX).min(WAITING);
        let (slot, present) = (Arc::new(Slot::default()), Arc::new(Present::default()));
        let queue = Arc::new(Queue::new(waiting, pending, present.clone()));
        let losses = Arc::new(Losses::default());
        let opened = file::open(&path);
        let is_open = opened.is_ok();
        match opened {
            Ok(Opened { database, found }) => {
                if found != Found::Whole {
                    losses.found();
                }
                slot.put(database);
            }
            Err(error @ OpenError::Unusable { .. }) => {
                tracing::error!(%error, "the store is down; verdicts are come to without it");
                queue.failed(error.to_string(), true);
            }
            Err(error) => return Err(error),
        }
        let writer = Writer {
            path: path.clone(),
            slot: slot.clone(),
            queue: queue.clone(),
            present: present.clone(),
            clock: clock.clone(),
            losses: losses.clone(),
            most: most / 4 * 3,
        };
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || writer.run(is_open));
        let thread = thread.map_err(|error| OpenError::Unusable { path, why: error.to_string() })?;
        Ok(Self {
            slot,
            queue,
            present,
            losses,
            clock,
            leases: Leases::default(),
            readers: Arc::new(Semaphore::new(READERS)),
            largest: waiting / 2,
            writer: Mutex::new(Some(thread)),
        })
    }

    /// Writes what waits, closes the file, and returns when that is done; a disk that hangs is not waited for.
    pub fn close(&self) {
        self.queue.stop();
        let Some(thread) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let began = Instant::now();
        while !thread.is_finished() {
            if began.elapsed() > FLUSH {
                tracing::error!("the store's disk hangs: what waits to be written is lost");
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        if thread.join().is_err() {
            tracing::error!("the store's thread ended badly");
        }
    }

    /// What the file holds at `spot`.
    async fn read(&self, spot: Spot) -> Result<Option<Vec<u8>>, StoreDown> {
        if !self.present.may_hold(spot) {
            return Ok(None);
        }
        let (file, queue, now) = (self.slot.clone(), self.queue.clone(), self.now());
        let read = async {
            let permit = self.readers.clone().acquire_owned().await;
            let work = move || {
                let found = file.with(|database| ledger::value(database, spot, now));
                drop(permit);
                if let Ok(Some(_)) = &found {
                    queue.used(spot);
                }
                found.map_err(|fault| {
                    if fault != Fault::Closed {
                        queue.faulty(fault.to_string());
                    }
                    StoreDown(fault.to_string())
                })
            };
            tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(StoreDown(error.to_string())))
        };
        tokio::time::timeout(READ, read).await.unwrap_or_else(|_| Err(StoreDown("the disk is slow".into())))
    }

    /// While the file fails nothing is answered, lest the store seem to come and go.
    fn up(&self) -> Result<(), StoreDown> {
        self.queue.down().map_or(Ok(()), Err)
    }

    /// Seconds since the epoch.
    fn now(&self) -> u32 {
        seconds(&self.clock)
    }

    /// When something is of no more use.
    fn expiry(&self, keep: Duration) -> u32 {
        self.now().saturating_add(u32::try_from(keep.as_secs()).unwrap_or(u32::MAX))
    }
}

impl Store for EmbeddedStore {
    fn get<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        async move {
            let spot = Spot::of(place);
            self.up()?;
            match self.queue.value(spot) {
                Some(Write::Value { bytes, expires }) => Ok((self.now() < expires).then_some(bytes)),
                _ => Ok(self.read(spot).await?.map(Bytes::from)),
            }
        }
        .boxed()
    }

    fn put<'a>(&'a self, place: &'a Place, value: Bytes, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        // What is so large would drive out too much else.
        let written = if value.len() > self.largest {
            self.up()
        } else {
            let write = Write::Value { bytes: value, expires: self.expiry(keep) };
            self.queue.add([(Spot::of(place), write)])
        };
        std::future::ready(written).boxed()
    }

    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        let expires = self.expiry(keep);
        let writes = listings
            .iter()
            .map(|listing| (Spot::of(&listing.place), Write::Items { items: vec![listing.item], most, expires }));
        let taken = self.queue.add(writes);
        if taken.is_err() {
            self.losses.refused();
        }
        std::future::ready(taken).boxed()
    }

    fn list<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        async move {
            let spot = Spot::of(place);
            // First what waits: what is written meanwhile is then seen twice, and not missed.
            self.up()?;
            let (waiting, most) = self.queue.items(spot);
            let older = self.read(spot).await?.map(|bytes| ledger::listed(&bytes)).unwrap_or_default();
            Ok(newest_first(waiting, older, most))
        }
        .boxed()
    }

    fn lease<'a>(
        &'a self,
        place: &'a Place,
        holder: &'a Holder,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreDown>> {
        std::future::ready(self.up().map(|()| self.leases.take(place, holder, length))).boxed()
    }

    fn release<'a>(&'a self, place: &'a Place, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>> {
        self.leases.release(place, holder);
        std::future::ready(Ok(())).boxed()
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn has_lost_some(&self) -> bool {
        self.losses.matter()
    }

    fn forgot(&self) -> Option<tokio::time::Instant> {
        self.losses.forgot()
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        let queue = self.queue.clone();
        tokio::task::spawn_blocking(move || queue.flushed(FLUSH)).map(drop).boxed()
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmbeddedStore")
    }
}

/// Seconds since the epoch, until 2106.
fn seconds(clock: &Clock) -> u32 {
    u32::try_from(clock.now().0).unwrap_or(u32::MAX)
}

/// How long a read may take.
const READ: Duration = Duration::from_secs(1);

/// How long what waits may take to be written before this stops.
const FLUSH: Duration = Duration::from_secs(10);

/// Reads at a time.
const READERS: usize = 16;

/// What may wait to be written, in bytes.
const WAITING: usize = 64 << 20;
