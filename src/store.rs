//! What outlives a request: bytes in, bytes or "down" out. It decides nothing and is believed nothing.

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub mod memory;

pub use memory::MemoryStore;

/// A place that remembers.
pub trait Store: Send + Sync {
    /// The value last put under `key`, if it is still kept.
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Bytes>, StoreDown>>;

    /// Keeps `value` under `key`.
    fn put<'a>(&'a self, key: &'a [u8], value: Bytes) -> BoxFuture<'a, Result<(), StoreDown>>;

    /// Puts `item` first in the list under `key`, which holds each item once and `most` at most; atomic.
    fn add<'a>(&'a self, key: &'a [u8], item: Item, most: usize) -> BoxFuture<'a, Result<(), StoreDown>>;

    /// The list under `key`, last added first.
    fn list<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Vec<Item>, StoreDown>>;
}

/// An entry of a list: a kind and 32 bytes.
pub type Item = [u8; 33];

/// The store does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store does not answer: {0}")]
pub struct StoreDown(pub String);
