//! The store that replicas share: Redis or Valkey.
//!
//! Whoever else can write there can take away, and put back what once was; what a record says is nobody's word but its
//! seal's ([`crate::record`]). So nothing here trusts an answer: replies are bounded before they are parsed, what is odd
//! under a key is nothing that opens and is overwritten, and an operation that gets no answer in time has none.
//!
//! Everything is a string. A list is its items one after the other, the newest first, changed by a script, so that one
//! command reads it within bounds whatever somebody made of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::{Pipeline, Value};
use tokio::time::Instant;

use super::{Holder, Item, Listing, Place, Shelf, Store, StoreDown};
use crate::telemetry::StoreMetrics;

mod bounded;

mod dial;

mod lasting;

mod link;

pub mod login;

mod script;

mod sentinel;

pub mod settings;

pub mod tls;

use dial::{refusal, takes_nothing};
use link::Link;
pub use settings::{Servers, Settings};

/// The shared store.
#[derive(Debug)]
pub struct SharedStore {
    /// For what is small: what a pull waits for is never behind a large value.
    small: Link,
    /// For evidence.
    large: Link,
    evidence: Duration,
}

impl SharedStore {
    /// Begins to keep up connections, and to show how they stand. Nothing is refused if there is nobody yet: that shows,
    /// and pulls go on without.
    pub fn start(settings: &Settings, metrics: Arc<StoreMetrics>) -> Self {
        let link = |of: Shelf, metrics| Link::start(settings.clone(), of.largest() as usize + REPLY_OVERHEAD, metrics);
        let (small, large) = (link(Shelf::Verdicts, Some(metrics)), link(Shelf::Evidence, None));
        Self { small, large, evidence: settings.evidence }
    }

    fn link(&self, of: Shelf) -> &Link {
        if of == Shelf::Evidence { &self.large } else { &self.small }
    }

    async fn read(&self, place: &Place, most: usize) -> Result<Option<Bytes>, StoreDown> {
        // What is longer is read as far as one byte more, and is no record.
        let key = key(place);
        let mut commands = Pipeline::new();
        commands.cmd("GETRANGE").arg(&key).arg(0).arg(most);
        if place.shelf == Shelf::Evidence {
            commands.cmd("PEXPIRE").arg(&key).arg(milliseconds(self.evidence));
        }
        let replies = self.link(place.shelf).ask(&commands).await?;
        match replies.into_iter().next() {
            Some(Value::BulkString(bytes)) if bytes.is_empty() => Ok(None),
            Some(Value::BulkString(bytes)) => Ok(Some(bytes.into())),
            // Somebody put a thing there that is no string: a record that does not open.
            Some(Value::ServerError(error)) if error.code() == "WRONGTYPE" => Ok(Some(Bytes::new())),
            other => Err(unexpected(other.as_ref())),
        }
    }

    async fn done(&self, of: Shelf, commands: &Pipeline) -> Result<Option<Value>, StoreDown> {
        let replies = self.link(of).ask(commands).await?;
        match replies.iter().find_map(refusal) {
            Some(why) => Err(StoreDown(takes_nothing(&why))),
            None => Ok(replies.into_iter().next()),
        }
    }
}

impl Store for SharedStore {
    fn get<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>> {
        self.read(place, place.most()).boxed()
    }

    fn put<'a>(&'a self, place: &'a Place, value: Bytes, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            // What could not be read back is not kept, and neither is what it takes the place of.
            let mut commands = Pipeline::new();
            if value.is_empty() || value.len() > place.most() || keep.is_zero() {
                commands.cmd("DEL").arg(key(place));
            } else {
                commands.cmd("SET").arg(key(place)).arg(&*value).arg("PX").arg(milliseconds(keep));
            }
            self.done(place.shelf, &commands).await.map(drop)
        }
        .boxed()
    }

    fn add<'a>(&'a self, listings: &'a [Listing], most: usize, keep: Duration) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            let most = most.min(LONGEST_LIST);
            for together in listings.chunks(TOGETHER) {
                let mut commands = Pipeline::new();
                for some in together.chunks(A_SCRIPT) {
                    commands.add_command(script::add(some, most, milliseconds(keep)));
                }
                self.done(Shelf::Members, &commands).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn list<'a>(&'a self, place: &'a Place) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>> {
        async move {
            let Some(bytes) = self.read(place, LONGEST_LIST * size_of::<Item>() - 1).await? else {
                return Ok(Vec::new());
            };
            let (whole, rest) = bytes.as_chunks();
            let mut items: Vec<_> = whole.iter().copied().map(Item).collect();
            // What is no list, or cut off, had something else in it: an item that nobody has sealed says so.
            if items.is_empty() || !rest.is_empty() {
                items.push(NO_ITEM);
            }
            Ok(items)
        }
        .boxed()
    }

    fn lease<'a>(
        &'a self,
        place: &'a Place,
        holder: &'a Holder,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool, StoreDown>> {
        async move {
            let mut commands = Pipeline::new();
            commands.add_command(script::lease(place, holder, milliseconds(length)));
            match self.done(place.shelf, &commands).await? {
                Some(Value::Int(held)) => Ok(held == 1),
                other => Err(unexpected(other.as_ref())),
            }
        }
        .boxed()
    }

    fn release<'a>(&'a self, place: &'a Place, holder: &'a Holder) -> BoxFuture<'a, Result<(), StoreDown>> {
        async move {
            let mut commands = Pipeline::new();
            commands.add_command(script::release(place, holder));
            self.done(place.shelf, &commands).await.map(drop)
        }
        .boxed()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn has_lost_some(&self) -> bool {
        // It cannot tell.
        false
    }

    fn forgot(&self) -> Option<Instant> {
        self.small.forgot()
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        // What Redis has acknowledged is as safe as Redis makes it.
        std::future::ready(()).boxed()
    }
}

/// The key of `place`. The number goes up when what is stored changes its form.
fn key(place: &Place) -> Vec<u8> {
    [b"countersign:1:", place.shelf.label().as_bytes(), b":", &place.name].concat()
}

/// Redis counts in 64 bits and ends a key whose time is up: a thousand years are enough, and one is the least.
fn milliseconds(keep: Duration) -> u64 {
    u64::try_from(keep.as_millis()).unwrap_or(u64::MAX).clamp(1, 1000 * 365 * 86_400_000)
}

fn unexpected(reply: Option<&Value>) -> StoreDown {
    let refused = reply.and_then(refusal);
    StoreDown(refused.unwrap_or_else(|| "an answer to something else than what was asked".into()))
}

/// What a reply has beside the value.
const REPLY_OVERHEAD: usize = 8 << 10;
/// Items of a list that are kept and read.
const LONGEST_LIST: usize = 256;
/// One that says nothing.
const NO_ITEM: Item = Item([0; size_of::<Item>()]);
/// Lists that one script changes: Redis does nothing else meanwhile.
const A_SCRIPT: usize = 128;
/// Lists that are changed in one round trip.
const TOGETHER: usize = 2048;
