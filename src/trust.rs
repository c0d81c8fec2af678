//! What signatures made without a key of our own are verified against. No trusted roots are supported yet, so there is
//! nothing but the revision of their absence.

use serde::{Deserialize, Serialize};

use crate::oci::Digest;

/// The identity of the trusted roots' content: part of a verdict's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrustRevision(Digest);

/// The trusted roots.
#[derive(Debug, Clone, Copy)]
pub struct Trust {
    revision: TrustRevision,
}

impl Trust {
    /// No trusted root at all: only keys decide.
    pub fn none() -> Self {
        Self { revision: TrustRevision(Digest::of(b"no trusted roots")) }
    }

    /// The revision of the roots.
    pub fn revision(self) -> TrustRevision {
        self.revision
    }
}

impl std::fmt::Display for TrustRevision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}
