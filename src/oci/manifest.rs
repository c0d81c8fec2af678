//! A manifest: bytes that hash to their digest and can be read in one way only.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::digest::Digest;
use super::media_type::ManifestType;

pub mod descriptor;

pub mod error;

mod document;

mod platform;

pub use descriptor::Descriptor;
pub use error::ManifestError;

use document::Document;

/// Proof that these bytes are that digest and parse as one kind of manifest. Only [`Manifest::parse`] makes one.
///
/// The rules are those of the image specification and of the advisories on ambiguous documents (GHSA-mc8v-mgrf-8f4m,
/// GHSA-77vh-xpmg-72qh): the type in the body, the type in the header and the members present must agree.
#[derive(Debug, Clone)]
pub struct Manifest {
    bytes: Bytes,
    digest: Digest,
    /// The digest as it is written: an answer has it in a header.
    digest_text: Bytes,
    media_type: ManifestType,
    artifact_type: Option<String>,
    subject: Option<Digest>,
    config: Option<Descriptor>,
    entries: Vec<Descriptor>,
    listed: Vec<Digest>,
    lists_indexes: bool,
    annotations: BTreeMap<String, String>,
}

/// The most that a manifest may list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Manifests of an index.
    pub children: usize,
    /// Layers of an image.
    pub layers: usize,
}

/// The same of both.
impl From<usize> for Bounds {
    fn from(most: usize) -> Self {
        Self { children: most, layers: most }
    }
}

impl Manifest {
    /// Parses `bytes`, which must hash to `expected`, as the manifest that `content_type` announces, within `bounds`.
    ///
    /// # Errors
    /// Why it cannot be served, and where that stands in it.
    pub fn parse(
        bytes: Bytes,
        expected: &Digest,
        content_type: &str,
        bounds: impl Into<Bounds>,
    ) -> Result<Self, ManifestError> {
        let digest = Digest::of(&bytes);
        if digest != *expected {
            return Err(ManifestError::DigestMismatch { expected: *expected, actual: digest });
        }
        let media_type = ManifestType::parse(content_type).ok_or_else(|| error::unsupported(content_type))?;
        Document::parse(&bytes)?.read(bytes, digest, media_type, bounds.into())
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What they hash to.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The same as it is written.
    pub fn digest_text(&self) -> &Bytes {
        &self.digest_text
    }

    /// Which of the four kinds of document it is.
    pub fn media_type(&self) -> ManifestType {
        self.media_type
    }

    /// For an artifact, what it claims to be.
    pub fn artifact_type(&self) -> Option<&str> {
        self.artifact_type.as_deref()
    }

    /// The manifest that this one refers to, if any.
    pub fn subject(&self) -> Option<Digest> {
        self.subject
    }

    /// An image's config.
    pub fn config(&self) -> Option<&Descriptor> {
        self.config.as_ref()
    }

    /// An index's children, or an image's layers.
    pub fn entries(&self) -> &[Descriptor] {
        &self.entries
    }

    /// Every digest that it lists, sorted: an index's children, or an image's config and layers.
    pub fn listed(&self) -> &[Digest] {
        &self.listed
    }

    /// Whether it is an index that lists something as an index.
    pub fn lists_indexes(&self) -> bool {
        self.lists_indexes
    }

    /// The annotations in it, which whoever signs it signs.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// Whether it lists `digest`.
    pub fn lists(&self, digest: &Digest) -> bool {
        self.listed.binary_search(digest).is_ok()
    }

    /// The size that it declares for `digest`, if it lists it.
    pub fn size_of(&self, digest: &Digest) -> Option<u64> {
        self.config.iter().chain(&self.entries).find(|entry| entry.digest == *digest).map(|entry| entry.size)
    }

    /// About how many bytes it takes in memory.
    pub fn weight(&self) -> usize {
        let listed = self.config.iter().chain(&self.entries).map(Descriptor::weight);
        self.bytes.len()
            + self.digest_text.len()
            + listed.sum::<usize>()
            + self.listed.len() * size_of::<Digest>()
            + size_of::<Self>()
    }
}

#[cfg(test)]
mod tests;
