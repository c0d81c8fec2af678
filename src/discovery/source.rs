//! What discovery asks of a registry, as a trait: the upstream client, or a double that counts.

use bytes::Bytes;

use crate::oci::{Digest, Reference, Repository};
use crate::upstream::{Page, RawManifest, Upstream, UpstreamError};

/// A registry that can be asked for evidence.
pub(super) trait Source: Sync {
    /// One page of the referrers of `digest`: the first, or the one that an earlier page named. A registry without
    /// the API, or configured so, does not have it.
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

impl Source for Upstream {
    async fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
        max: u64,
        page: Option<&str>,
    ) -> Result<Page, UpstreamError> {
        self.referrers(repository, digest, max, page).await
    }

    async fn manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
        max: u64,
    ) -> Result<RawManifest, UpstreamError> {
        self.manifest(repository, reference, max).await
    }

    async fn blob(&self, repository: &Repository, digest: &Digest, max: u64) -> Result<Bytes, UpstreamError> {
        self.small_blob(repository, digest, max).await
    }
}
