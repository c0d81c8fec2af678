//! Which admitted manifests of a repository list a digest: a fact, not a permission.
//!
//! What is found here only says whom to ask. Whether a parent lists the digest is read again from the parent's own
//! bytes, and whether it may be served is judged anew, at each use.

use std::sync::Arc;

use crate::admission::Admitted;
use crate::oci::{Digest, Image, Manifest, Subject};
use crate::store::{Item, Store, StoreDown};

/// The memory of memberships.
#[derive(Clone)]
pub struct Membership {
    store: Arc<dyn Store>,
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
    /// Keeps memberships in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Records what an admitted manifest lists.
    pub async fn record(&self, image: &Image, parent: &Admitted<Arc<Manifest>>) -> Result<(), StoreDown> {
        let manifest = parent.content();
        let kind = if manifest.media_type().is_index() { Kind::Child } else { Kind::Blob };
        let item = Parent { digest: manifest.digest(), kind }.to_item();
        if kind == Kind::Child {
            self.store.add(&indexes(image), item, KEPT).await?;
        }
        for listed in manifest.listed() {
            self.store.add(&key(image, listed), item, KEPT).await?;
        }
        Ok(())
    }

    /// The indexes that were recorded in the repository `image`, the newest admitted first.
    pub async fn indexes(&self, image: &Image) -> Result<Vec<Digest>, StoreDown> {
        let items = self.store.list(&indexes(image)).await?;
        Ok(items.iter().filter_map(Parent::from_item).map(|index| index.digest).collect())
    }

    /// Who lists `subject`, the newest admitted first.
    pub async fn parents(&self, subject: &Subject) -> Result<Vec<Parent>, StoreDown> {
        let items = self.store.list(&key(&subject.image, &subject.digest)).await?;
        Ok(items.iter().filter_map(Parent::from_item).collect())
    }
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Membership")
    }
}

impl Parent {
    fn to_item(self) -> Item {
        let mut item = [0; 33];
        item[0] = match self.kind {
            Kind::Blob => b'b',
            Kind::Child => b'c',
        };
        item[1..].copy_from_slice(self.digest.as_bytes());
        item
    }

    fn from_item(item: &Item) -> Option<Self> {
        let kind = match item[0] {
            b'b' => Kind::Blob,
            b'c' => Kind::Child,
            _ => return None,
        };
        let mut digest = [0; 32];
        digest.copy_from_slice(&item[1..]);
        Some(Self { digest: Digest::from_bytes(digest), kind })
    }
}

/// `member/registry/repository@<32 bytes>`: a repository's name has no `@`.
fn key(image: &Image, digest: &Digest) -> Vec<u8> {
    let (registry, repository) = (image.registry.as_str().as_bytes(), image.repository.as_str().as_bytes());
    [b"member/", registry, b"/", repository, b"@", digest.as_bytes()].concat()
}

/// `indexes/registry/repository`.
fn indexes(image: &Image) -> Vec<u8> {
    format!("indexes/{}/{}", image.registry, image.repository).into_bytes()
}

/// Parents kept for one digest: base layers have many, and the newest are the likeliest to be allowed. And indexes kept
/// for one repository.
pub const KEPT: usize = 64;
