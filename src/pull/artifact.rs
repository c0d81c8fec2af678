//! Tells evidence artifacts, `BuildKit`'s attestation manifests among them, from what may run: by their content alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use moka::future::Cache;

use super::{PullError, fetch};
use crate::limits::Limits;
use crate::oci::manifest::Descriptor;
use crate::oci::{Digest, Image, Manifest, Registry};
use crate::upstream::{Upstream, UpstreamError};
use crate::verify::{Pool, artifact};

/// Tells evidence artifacts, and remembers those that it has told: content does not change.
#[derive(Debug)]
pub struct Artifacts {
    upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    limits: Limits,
    known: Cache<Digest, ()>,
}

impl Artifacts {
    /// Reads from `upstreams`, within `limits`.
    pub fn new(upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>, limits: Limits) -> Self {
        Self { upstreams, limits, known: Cache::new(AT_MOST) }
    }

    /// Whether all that `manifest` of the repository `image` lists is evidence: every byte is read, and parsed in `pool`.
    ///
    /// What its descriptors say can only keep it from being tried.
    ///
    /// # Errors
    /// Why something that it lists could not be read or parsed: it may be evidence.
    pub async fn is_evidence(&self, image: &Image, manifest: &Manifest, pool: &Pool) -> Result<bool, PullError> {
        let Some(config) = manifest.config().filter(|config| self.may_be_evidence(config, manifest.entries())) else {
            return Ok(false);
        };
        if self.known.get(&manifest.digest()).await.is_some() {
            return Ok(true);
        }
        let upstream = fetch::upstream(&self.upstreams, &image.registry)?;
        for (number, blob) in std::iter::once(config).chain(manifest.entries()).enumerate() {
            let bytes = match upstream.small_blob(&image.repository, &blob.digest, blob.size).await {
                Ok(bytes) => bytes,
                Err(UpstreamError::TooLarge { .. }) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            if u64::try_from(bytes.len()).ok() != Some(blob.size) {
                return Ok(false);
            }
            let (media_type, limits) = (blob.media_type.clone(), self.limits);
            let parse = move || match number {
                0 => artifact::config(&bytes),
                _ => artifact::layer(&media_type, &bytes, &limits),
            };
            let parsed = pool.run(parse).await;
            if parsed.map_err(|unfinished| PullError::unsure(unfinished.reason(), unfinished.to_string()))?.is_err() {
                return Ok(false);
            }
        }
        self.known.insert(manifest.digest(), ()).await;
        Ok(true)
    }

    fn may_be_evidence(&self, config: &Descriptor, layers: &[Descriptor]) -> bool {
        let fits = |layer: &Descriptor| {
            artifact::max_size(&layer.media_type, &self.limits).is_some_and(|most| layer.size <= most)
        };
        let total = layers.iter().fold(0_u64, |total, layer| total.saturating_add(layer.size));
        (1..=self.limits.examined).contains(&layers.len())
            && config.size <= artifact::MAX_CONFIG
            && layers.iter().all(fits)
            && total <= self.limits.attestation.saturating_mul(LARGEST)
    }
}

/// Artifacts that are remembered.
const AT_MOST: u64 = 10_000;
/// How many layers of the largest size an artifact may be as large as.
const LARGEST: u64 = 4;
