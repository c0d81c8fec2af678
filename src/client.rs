//! Who is asking, and what they may read. Only anonymous callers are told apart from nobody yet.

use crate::oci::Image;
use crate::policy::Scope;

/// What callers may read: manifests, blobs, tags and referrers alike.
#[derive(Debug, Clone, Default)]
pub struct Clients {
    anonymous: Vec<Scope>,
}

impl Clients {
    /// Lets anonymous callers read what `may` covers; nothing configured lets nobody read anything.
    pub fn anonymous(may: Vec<Scope>) -> Self {
        Self { anonymous: may }
    }

    /// Whether there is anything at all that the caller may read.
    pub fn may_read_anything(&self) -> bool {
        !self.anonymous.is_empty()
    }

    /// Whether the caller may read `image`.
    pub fn may_read(&self, image: &Image) -> bool {
        self.anonymous.iter().any(|scope| scope.matches(image))
    }
}
