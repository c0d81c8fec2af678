//! Which admitted manifests of a repository list a digest: a fact, not a permission.
//!
//! What is found here only says whom to ask. Whether a parent lists the digest is read again from the parent's own
//! bytes, and whether it may be served is judged anew, at each use.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::admission::Admitted;
use crate::oci::{Digest, Image, Manifest, Subject};
use crate::record::Seal;
use crate::store::{Item, LATELY, Listing, Place, Shelf, Store, StoreDown};
use crate::telemetry::StoreMetrics;

mod near;

mod owed;

#[cfg(test)]
mod tests;

use near::Near;
use owed::Owed;

/// The memory of memberships: what this proxy has recorded or read lately, before what the store keeps.
#[derive(Clone)]
pub struct Membership {
    near: Arc<Near>,
    store: Arc<dyn Store>,
    seal: Arc<Seal>,
    keep: Duration,
    owed: Arc<Owed>,
    metrics: Arc<StoreMetrics>,
    began: Instant,
}

/// Who lists something, as far as that can be known.
#[derive(Debug)]
pub struct Known {
    /// The manifests, the newest admitted first.
    pub parents: Vec<Parent>,
    /// Why there may be others.
    pub doubt: Option<Doubt>,
}

/// Why not all that lists something may be known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The store does not tell.
    #[error(transparent)]
    Down(#[from] StoreDown),
    /// Somebody who has no key of ours has written to the list, perhaps in the place of what we wrote.
    #[error("the store's list of what lists it has been written by somebody else; what stood there may be lost")]
    Forged,
}

/// A manifest that lists a digest, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The listing manifest.
    pub digest: Digest,
    /// What the listed digest is to it.
    pub kind: Kind,
}

/// What a listed digest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The config or a layer of an image.
    Blob,
    /// A manifest of an index.
    Child,
}

impl Membership {
    /// Keeps memberships in `store`, sealed, for `keep` after each was last recorded.
    pub fn new(store: Arc<dyn Store>, seal: Arc<Seal>, keep: Duration, metrics: Arc<StoreMetrics>) -> Self {
        let (near, owed) = (Arc::new(Near::new(keep)), Arc::new(Owed::new(store.clone(), keep)));
        Self { near, store, seal, keep, owed, metrics, began: Instant::now() }
    }

    /// Records what an admitted manifest lists. What the store does not take now it is given when it answers again.
    /// Whether all is recorded, or will be: if not, only this proxy knows it.
    pub async fn record(&self, image: &Image, parent: &Admitted<Arc<Manifest>>) -> bool {
        let manifest = parent.content();
        let kind = if manifest.media_type().is_index() { Kind::Child } else { Kind::Blob };
        let parent = Parent { digest: manifest.digest(), kind };
        let indexes = (kind == Kind::Child).then(|| indexes(image));
        let listed = manifest.listed().iter().map(|listed| parents(image, listed));
        let mut listings = Vec::with_capacity(manifest.listed().len() + 1);
        for place in indexes.into_iter().chain(listed) {
            self.near.put_first(&place, &[parent]).await;
            listings.push(Listing { item: self.sealed(&place, parent), place });
        }
        let taken = self.store.add(&listings, KEPT, self.keep).await;
        taken.is_ok() || self.owed.keep(image.at(parent.digest), listings)
    }

    /// Whether what was recorded then is still there for all to see, as far as is known, and need not be recorded again.
    pub fn is_recorded(&self, then: tokio::time::Instant) -> bool {
        then.elapsed() < RECORD_AGAIN.min(self.keep / 4) && self.store.forgot().is_none_or(|forgot| forgot < then)
    }

    /// The indexes that were recorded in the repository `image`.
    pub async fn indexes(&self, image: &Image) -> Known {
        self.known(&indexes(image)).await
    }

    /// Who lists `subject`.
    pub async fn parents(&self, subject: &Subject) -> Known {
        self.known(&parents(&subject.image, &subject.digest)).await
    }

    /// Who lists `subject`, as far as this proxy knows without asking the store.
    pub async fn near(&self, subject: &Subject) -> Option<Arc<Vec<Parent>>> {
        self.near.get(&parents(&subject.image, &subject.digest)).await
    }

    /// Gives the store once more what it did not take; whether it has all now.
    pub async fn settle(&self) -> bool {
        self.owed.write().await
    }

    /// Whether other proxies, or this one before it was started again, may have admitted manifests lately without being
    /// able to say so.
    pub fn may_have_missed_some(&self) -> bool {
        self.has_lost_some()
            || self.store.is_shared() && (self.began.elapsed() < LATELY || self.metrics.was_away(LATELY))
    }

    /// Whether something that was recorded lately is known to be lost, perhaps: this proxy was killed, or its store was
    /// damaged.
    pub fn has_lost_some(&self) -> bool {
        self.store.has_lost_some()
    }

    /// What the store knows, and what only this proxy does because the store did not take it, or has lost it.
    async fn known(&self, place: &Place) -> Known {
        let near = self.near.get(place).await.unwrap_or_default();
        let (mut parents, doubt) = match self.store.list(place).await {
            Ok(items) => {
                let read: Vec<_> = items.iter().take(KEPT).map(|item| self.opened(place, item)).collect();
                let doubt = read.contains(&None).then_some(Doubt::Forged);
                (read.into_iter().flatten().collect(), doubt)
            }
            Err(down) => (Vec::new(), Some(down.into())),
        };
        if !near.starts_with(&parents) {
            self.near.put_first(place, &parents).await;
        }
        parents.extend(near.iter().filter(|parent| !parents.contains(parent)).copied().collect::<Vec<_>>());
        parents.truncate(KEPT);
        Known { parents, doubt }
    }

    fn sealed(&self, place: &Place, parent: Parent) -> Item {
        let mut item = [0; 65];
        let (says, seal) = item.split_at_mut(33);
        says.copy_from_slice(&parent.to_bytes());
        seal.copy_from_slice(&self.seal.stamp(place, says));
        Item(item)
    }

    /// What an item says, if one of us has written it for this place.
    fn opened(&self, place: &Place, item: &Item) -> Option<Parent> {
        if !self.seal.vouches(place, item.says(), item.seal()) {
            self.metrics.rejected(place.shelf.label(), "seal");
            return None;
        }
        Parent::from_bytes(item.says())
    }
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Membership")
    }
}

impl Parent {
    fn to_bytes(self) -> [u8; 33] {
        let mut bytes = [0; 33];
        bytes[0] = match self.kind {
            Kind::Blob => b'b',
            Kind::Child => b'c',
        };
        bytes[1..].copy_from_slice(self.digest.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, digest) = bytes.split_first()?;
        let kind = match kind {
            b'b' => Kind::Blob,
            b'c' => Kind::Child,
            _ => return None,
        };
        Some(Self { digest: Digest::from_bytes(digest.try_into().ok()?), kind })
    }
}

fn parents(image: &Image, digest: &Digest) -> Place {
    Place::new(Shelf::Members, format!("parents/{image}@{digest}"))
}

fn indexes(image: &Image) -> Place {
    Place::new(Shelf::Members, format!("indexes/{image}"))
}

/// Parents kept for one digest: base layers have many, and the newest are the likeliest to be allowed. And indexes kept
/// for one repository.
pub const KEPT: usize = 64;

/// How often what a manifest lists is recorded while it is pulled, though the store has forgotten nothing: where it has to
/// forget, what was used least goes first.
const RECORD_AGAIN: Duration = Duration::from_hours(1);
