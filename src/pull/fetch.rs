//! Tags and manifests of the upstream: one request for all who ask at once, bytes that hash to their digest.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;
use tokio::time::Instant;

use super::PullError;
use crate::flight::Flights;
use crate::limits::Limits;
use crate::oci::manifest::Bounds;
use crate::oci::{Digest, Image, Manifest, Reference, Registry, Subject, Tag};
use crate::reason::Reason;
use crate::upstream::{RawManifest, Upstream, UpstreamError};

/// Reads manifests, and remembers them by content.
#[derive(Debug)]
pub struct Fetch {
    upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    limits: Limits,
    manifests: Cache<Subject, Arc<Manifest>>,
    reading: Flights<Subject, Result<Arc<Manifest>, PullError>>,
    tags: Cache<(Image, Tag), Resolved>,
    resolving: Flights<(Image, Tag), Result<Digest, PullError>>,
    /// For how long tags are remembered, if at all.
    tag_ttl: Duration,
}

/// What a tag names, and since when that is remembered.
#[derive(Debug, Clone, Copy)]
struct Resolved {
    digest: Digest,
    at: Instant,
}

impl Fetch {
    /// Reads from `upstreams`, and holds at most `bytes` of manifests, and for `tag_ttl` what a tag names.
    pub fn new(
        upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
        limits: Limits,
        bytes: u64,
        tag_ttl: Duration,
    ) -> Self {
        let weigh = |_: &Subject, manifest: &Arc<Manifest>| u32::try_from(manifest.weight()).unwrap_or(u32::MAX);
        let manifests = Cache::builder().max_capacity(bytes).weigher(weigh).build();
        let tags = Cache::builder().max_capacity(10_000).time_to_live(tag_ttl).build();
        let (reading, resolving) = (Flights::default(), Flights::default());
        Self { upstreams, limits, manifests, reading, tags, resolving, tag_ttl }
    }

    /// The digest that `reference` names now, or did a moment ago if tags are remembered. A tag is read once for all who
    /// ask at the same time.
    pub async fn resolve(&self, image: &Image, reference: &Reference) -> Result<Digest, PullError> {
        let tag = match reference {
            Reference::Digest(digest) => return Ok(*digest),
            Reference::Tag(tag) => tag,
        };
        let key = (image.clone(), tag.clone());
        if let Some(resolved) = self.remembered(&key).await {
            return Ok(resolved.digest);
        }
        Box::pin(self.resolve_together(&key)).await
    }

    async fn remembered(&self, key: &(Image, Tag)) -> Option<Resolved> {
        if self.tag_ttl.is_zero() { None } else { self.tags.get(key).await }
    }

    async fn resolve_together(&self, key: &(Image, Tag)) -> Result<Digest, PullError> {
        self.resolving.join(key, pin!(self.resolve_anew(key))).await
    }

    async fn resolve_anew(&self, key: &(Image, Tag)) -> Result<Digest, PullError> {
        // Another request may have come to its end since.
        if let Some(resolved) = self.remembered(key).await {
            return Ok(resolved.digest);
        }
        let at = Instant::now();
        let digest = self.ask(&key.0, &key.1).await?;
        if !self.tag_ttl.is_zero() {
            self.tags.insert(key.clone(), Resolved { digest, at }).await;
        }
        Ok(digest)
    }

    /// Until when `reference` is known to name `digest`, for a while at most; the past, if it is asked for each time.
    pub(super) async fn names_until(
        &self,
        image: &Image,
        reference: &Reference,
        digest: &Digest,
        most: Duration,
    ) -> Instant {
        let now = Instant::now();
        let Reference::Tag(tag) = reference else { return now + most };
        let known = self.remembered(&(image.clone(), tag.clone())).await;
        known.filter(|known| known.digest == *digest).map_or(now, |known| (known.at + self.tag_ttl).min(now + most))
    }

    /// The digest that the registry names now.
    async fn ask(&self, image: &Image, tag: &Tag) -> Result<Digest, PullError> {
        let upstream = upstream(&self.upstreams, &image.registry)?;
        if let Some(digest) = upstream.resolve(&image.repository, tag).await? {
            return Ok(digest);
        }
        // A registry that does not say the digest: the bytes do.
        let reference = Reference::Tag(tag.clone());
        let raw = upstream.manifest(&image.repository, &reference, self.limits.manifest).await.map_err(too_large)?;
        Ok(Digest::of(&raw.bytes))
    }

    /// The manifest `subject`: from memory, or by digest from the registry, parsed and re-hashed.
    pub async fn manifest(&self, subject: &Subject) -> Result<Arc<Manifest>, PullError> {
        if let Some(held) = self.manifests.get(subject).await {
            return Ok(held);
        }
        // Boxed when it begins, and only then: a warm answer carries nothing of it.
        Box::pin(self.manifest_together(subject)).await
    }

    async fn manifest_together(&self, subject: &Subject) -> Result<Arc<Manifest>, PullError> {
        self.reading.join(subject, pin!(self.manifest_anew(subject))).await
    }

    async fn manifest_anew(&self, subject: &Subject) -> Result<Arc<Manifest>, PullError> {
        // Another request may have come to its end since. (Whether somebody asks in vain has been noted.)
        if self.manifests.contains_key(subject)
            && let Some(held) = self.manifests.get(subject).await
        {
            return Ok(held);
        }
        let raw = self.raw(&subject.image, &Reference::Digest(subject.digest)).await?;
        let manifest = self.parsed(raw, &subject.digest)?;
        self.manifests.insert(subject.clone(), manifest.clone()).await;
        Ok(manifest)
    }

    /// What `reference` names: from memory, or from the registry, and then not remembered: whoever reads much would have
    /// others' manifests forgotten. Adds to `spent` the bytes that were read; at most `limits.manifest`.
    pub(super) async fn past_memory(
        &self,
        image: &Image,
        reference: &Reference,
        spent: &AtomicU64,
    ) -> Result<Arc<Manifest>, PullError> {
        if let Reference::Digest(digest) = reference
            && let Some(held) = self.manifests.get(&image.at(*digest)).await
        {
            return Ok(held);
        }
        let raw = self.raw(image, reference).await;
        let bytes = match &raw {
            Ok(raw) => u64::try_from(raw.bytes.len()).unwrap_or(u64::MAX),
            Err(PullError::Upstream(UpstreamError::NotFound)) => 0,
            // However much of it came.
            Err(_) => self.limits.manifest,
        };
        spent.fetch_add(bytes, Ordering::Relaxed);
        let raw = raw?;
        let digest = match reference {
            Reference::Digest(digest) => *digest,
            Reference::Tag(_) => Digest::of(&raw.bytes),
        };
        self.parsed(raw, &digest)
    }

    async fn raw(&self, image: &Image, reference: &Reference) -> Result<RawManifest, PullError> {
        let upstream = upstream(&self.upstreams, &image.registry)?;
        upstream.manifest(&image.repository, reference, self.limits.manifest).await.map_err(too_large)
    }

    fn parsed(&self, raw: RawManifest, digest: &Digest) -> Result<Arc<Manifest>, PullError> {
        let bounds = Bounds { children: self.limits.index_children, layers: LAYERS };
        Ok(Arc::new(Manifest::parse(raw.bytes, digest, &raw.content_type, bounds)?))
    }
}

/// The upstream of a registry; routing made sure that there is one.
pub(crate) fn upstream<'a>(
    upstreams: &'a BTreeMap<Registry, Arc<Upstream>>,
    registry: &Registry,
) -> Result<&'a Arc<Upstream>, PullError> {
    upstreams.get(registry).ok_or_else(|| {
        let detail = format!("the registry `{registry}` is not configured here");
        PullError::Content { reason: Reason::RegistryUnknown, detail }
    })
}

/// A manifest above the limit is the content's fault, not the registry's.
fn too_large(error: UpstreamError) -> PullError {
    match error {
        UpstreamError::TooLarge { limit } => {
            let detail =
                format!("the manifest is longer than {limit} bytes; split the index, or raise `limits.manifest`");
            PullError::Content { reason: Reason::ManifestTooLarge, detail }
        }
        other => PullError::Upstream(other),
    }
}

/// The most layers of one image. Container runtimes stack at most a few hundred, and cosign reads a thousand.
const LAYERS: usize = 1000;
