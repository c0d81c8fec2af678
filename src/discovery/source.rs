//! What discovery asks of a registry, as a trait: the upstream client, or a double that counts.

use bytes::Bytes;

use crate::oci::{Digest, Reference, Repository};
use crate::upstream::{RawManifest, UpstreamError};

/// One page of an answer of the referrers API, nothing checked.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) bytes: Bytes,
    pub(super) content_type: String,
    /// The query of the next page, if the registry named one of this very endpoint.
    pub(super) next: Option<String>,
    /// Whether it named one that leads elsewhere.
    pub(super) foreign_next: bool,
}

/// A registry that can be asked for evidence.
pub(super) trait Source: Sync {
    /// Whether the referrers API is asked at all.
    fn referrers_enabled(&self) -> bool;

    /// One page of the referrers of `digest`.
    fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
        max: u64,
        page: Option<&str>,
    ) -> impl Future<Output = Result<Page, UpstreamError>> + Send;

    /// A manifest of at most `max` bytes.
    fn manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
        max: u64,
    ) -> impl Future<Output = Result<RawManifest, UpstreamError>> + Send;

    /// A blob of at most `max` bytes, in memory.
    fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        max: u64,
    ) -> impl Future<Output = Result<Bytes, UpstreamError>> + Send;
}
