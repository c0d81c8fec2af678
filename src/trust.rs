//! What signatures are verified against that were not made with a key of our own: trusted roots, by name.
//!
//! [`Trust`] is what one request sees; [`Roots`] keeps it up to date, in the background. No pull waits for that.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use sigstore_verify::Verifier;
use sigstore_verify::crypto::Keyring;
use sigstore_verify::trust_root::TrustedRoot;

use crate::oci::Digest;
use crate::policy::{Governing, Name};
use crate::reason::Reason;

mod anchors;

mod demands;

mod file;

mod roots;

mod settings;

#[cfg(test)]
mod tests;

mod tuf;

#[cfg(test)]
pub(crate) use tuf::double;

pub use roots::{Kind, Roots, files};
pub use settings::{Settings, Upkeep};

/// The identity of the trusted roots' content: part of a verdict's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrustRevision(Digest);

/// The trusted roots of this moment.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Those that decide, and those that have expired.
    roots: BTreeMap<Name, Arc<Root>>,
    /// Those that decide nothing, whether or not their content is known.
    unusable: BTreeMap<Name, Unusable>,
}

/// One trusted root: certificate authorities, transparency logs, time stamp authorities, and since when.
pub struct Root {
    digest: Digest,
    content: TrustedRoot,
    verifier: Verifier,
    log_keys: Keyring,
}

impl Trust {
    /// No trusted root at all: only keys decide.
    pub fn none() -> Self {
        Self::default()
    }

    /// These roots.
    pub fn of(roots: BTreeMap<Name, Arc<Root>>) -> Self {
        Self { roots, unusable: BTreeMap::new() }
    }

    /// The same, but for those that decide nothing now.
    #[must_use]
    pub fn without(self, unusable: BTreeMap<Name, Unusable>) -> Self {
        Self { unusable, ..self }
    }

    /// The root `name`, if it may decide.
    ///
    /// # Errors
    /// If it is not loaded, or has expired.
    pub fn usable(&self, name: &Name) -> Result<&Arc<Root>, Unusable> {
        if let Some(unusable) = self.unusable.get(name) {
            return Err(unusable.clone());
        }
        self.roots.get(name).ok_or_else(|| Unusable {
            reason: Reason::TrustRootUnavailable,
            detail: format!("the trust root `{name}` is not loaded"),
        })
    }

    /// Whether requests see the same of `other`.
    pub fn same(&self, other: &Self) -> bool {
        let digests = |trust: &Self| trust.roots.values().map(|root| root.digest).collect::<Vec<_>>();
        self.unusable == other.unusable && self.roots.keys().eq(other.roots.keys()) && digests(self) == digests(other)
    }

    /// The revision of the roots that what governs one image uses.
    pub fn revision(&self, governing: &Governing) -> TrustRevision {
        if governing.trust_roots().is_empty() {
            return *WITHOUT_ROOTS;
        }
        revision(governing.trust_roots().iter().map(|name| {
            let content: &[u8] = match self.usable(name) {
                Ok(root) => root.digest.as_bytes(),
                // What was decided by a root that has expired since is not found any more.
                Err(unusable) => unusable.reason.code().as_bytes(),
            };
            (name, content)
        }))
    }

    /// The revision that these roots have or had while none of them had expired; nothing if the content of one is not known.
    pub fn revision_of_content(&self, governing: &Governing) -> Option<TrustRevision> {
        let names = governing.trust_roots();
        let contents = names.iter().map(|name| Some((name, &self.roots.get(name)?.digest.as_bytes()[..])));
        contents.collect::<Option<Vec<_>>>().map(|contents| revision(contents.into_iter()))
    }
}

/// The revision of what uses keys only. Each request asks for it.
static WITHOUT_ROOTS: LazyLock<TrustRevision> = LazyLock::new(|| revision(std::iter::empty()));

fn revision<'a>(contents: impl Iterator<Item = (&'a Name, &'a [u8])>) -> TrustRevision {
    let mut hash = Context::new(&SHA256);
    for (name, content) in contents {
        hash.update(name.as_str().as_bytes());
        hash.update(&[0]);
        hash.update(content);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    TrustRevision(Digest::from_bytes(bytes))
}

/// Why a trusted root decides nothing now: a 503, because a refresh may mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The reason.
    pub reason: Reason,
    /// The same for people.
    pub detail: String,
}

/// The text is not a trusted root that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RootError(String);

impl Root {
    /// Parses `trusted_root.json`.
    ///
    /// # Errors
    /// If it is not one, or a key or certificate in it is of an unsupported kind.
    pub fn parse(json: &str) -> Result<Self, RootError> {
        let wrong = |error: &dyn std::fmt::Display| RootError(error.to_string());
        crate::strict_json::unambiguous(json.as_bytes()).map_err(|error| wrong(&error))?;
        let mut root = TrustedRoot::from_json(json).map_err(|error| wrong(&error))?;
        anchors::tighten(&mut root).map_err(RootError)?;
        let verifier = Verifier::new(&root).map_err(|error| wrong(&error))?;
        let log_keys = root.rekor_keys().map_err(|error| wrong(&error))?;
        Ok(Self { digest: Digest::of(json.as_bytes()), content: root, verifier, log_keys })
    }

    /// What it hashes to.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its content.
    pub fn content(&self) -> &TrustedRoot {
        &self.content
    }

    /// The keys of its transparency logs.
    pub fn log_keys(&self) -> &Keyring {
        &self.log_keys
    }

    /// The verifier over it.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Root({})", self.digest)
    }
}

impl std::fmt::Display for TrustRevision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}
