//! Tells evidence artifacts, `BuildKit`'s attestation manifests among them, from what may run: by their content alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use moka::future::Cache;
use tokio::time::timeout;

use super::{Fetch, PullError, fetch};
use crate::clock::Timestamp;
use crate::discovery::InFlight;
use crate::limits::Limits;
use crate::oci::{Digest, Image, Manifest, Registry, Subject};
use crate::reason::Reason;
use crate::upstream::{Upstream, UpstreamError};
use crate::verify::Pool;
use crate::verify::artifact::{self, EvidenceProof, Reading};

/// Tells evidence artifacts, and remembers what it has told: content does not change.
#[derive(Debug)]
pub struct Artifacts {
    upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
    fetch: Arc<Fetch>,
    in_flight: InFlight,
    limits: Limits,
    /// Nothing for what is no evidence.
    told: Cache<Digest, Option<EvidenceProof>>,
    /// Blobs that could not be read, and until when they are not asked for again.
    failed: Cache<Subject, (Timestamp, UpstreamError)>,
}

impl Artifacts {
    /// Reads from `upstreams`, within `limits`, and together with all other evidence no more than `in_flight` lets.
    pub fn new(
        upstreams: Arc<BTreeMap<Registry, Arc<Upstream>>>,
        fetch: Arc<Fetch>,
        in_flight: InFlight,
        limits: Limits,
    ) -> Self {
        Self { upstreams, fetch, in_flight, limits, told: Cache::new(AT_MOST), failed: Cache::new(AT_MOST) }
    }

    /// Proof that all that `manifest` of the repository `image` lists is evidence, if it is: every byte is read, and
    /// parsed in `pool`. An ordinary image costs no request.
    ///
    /// # Errors
    /// Why something that it lists could not be read or parsed: it may be evidence.
    pub async fn prove(
        &self,
        image: &Image,
        manifest: &Manifest,
        pool: &Pool,
        now: Timestamp,
    ) -> Result<Option<EvidenceProof>, PullError> {
        // An ordinary image carries nothing of what follows.
        if !artifact::may_be_listing(manifest, &self.limits) && Reading::begin(manifest, &self.limits).is_none() {
            return Ok(None);
        }
        let told = Box::pin(timeout(PATIENCE, self.tell(image, manifest, pool, now))).await;
        told.unwrap_or(Err(PullError::Upstream(UpstreamError::Timeout)))
    }

    async fn tell(
        &self,
        image: &Image,
        manifest: &Manifest,
        pool: &Pool,
        now: Timestamp,
    ) -> Result<Option<EvidenceProof>, PullError> {
        if manifest.media_type().is_index() {
            return self.prove_listing(image, manifest, pool, now).await;
        }
        let Some(mut reading) = Reading::begin(manifest, &self.limits) else { return Ok(None) };
        if let Some(told) = self.told.get(&manifest.digest()).await {
            return Ok(told);
        }
        let subject = image.at(manifest.digest());
        if let Some((until, error)) = self.failed.get(&subject).await
            && now < until
        {
            return unread(error);
        }
        let upstream = fetch::upstream(&self.upstreams, &image.registry)?;
        while let Some(blob) = reading.next() {
            // Until these bytes are parsed.
            let share = self.in_flight.share();
            if !share.take(blob.size).await {
                return Err(PullError::unsure(
                    Reason::Overloaded,
                    "too much evidence is being read at once; ask again",
                ));
            }
            let bytes = match upstream.small_blob(&image.repository, &blob.digest, blob.size).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.failed.insert(subject, (now.plus(REST), error.clone())).await;
                    return unread(error);
                }
            };
            let parse = move || {
                let taken = reading.take(&bytes);
                drop(share);
                taken
            };
            let taken = pool.run(parse).await;
            let taken = taken.map_err(|unfinished| PullError::unsure(unfinished.reason(), unfinished.to_string()))?;
            let Ok(taken) = taken else {
                // These bytes are what the manifest lists, whoever sends them.
                self.told.insert(manifest.digest(), None).await;
                return Ok(None);
            };
            reading = taken;
        }
        let proof = reading.end();
        self.told.insert(manifest.digest(), proof.clone()).await;
        Ok(proof)
    }

    /// Proof for an index, such as clients tag where a registry has no list of referrers.
    async fn prove_listing(
        &self,
        image: &Image,
        index: &Manifest,
        pool: &Pool,
        now: Timestamp,
    ) -> Result<Option<EvidenceProof>, PullError> {
        if !artifact::may_be_listing(index, &self.limits) {
            return Ok(None);
        }
        if let Some(told) = self.told.get(&index.digest()).await {
            return Ok(told);
        }
        // The manifests first, which are small, and tell most images.
        let listed: Vec<_> = index.listed().iter().map(|digest| image.at(*digest)).collect();
        let read = listed.into_iter().map(|child| async move { self.fetch.manifest(&child).await });
        let mut read = stream::iter(read).buffered(AT_ONCE);
        let (mut children, mut size) = (Vec::new(), 0_u64);
        while let Some(child) = read.next().await {
            let child = match child {
                Ok(child) => child,
                // A node may hold what the registry does not have, or does not give.
                Err(PullError::Content { .. } | PullError::Upstream(UpstreamError::NotFound)) => return Ok(None),
                Err(unsure) => return Err(unsure),
            };
            let Some(takes) = self.takes(&child) else { return Ok(None) };
            size = size.saturating_add(takes);
            if size > self.limits.attestation.saturating_mul(LARGEST) {
                return Ok(None);
            }
            children.push(child);
        }
        let mut proofs = Vec::new();
        for child in &children {
            // An index within an index is nothing that clients write.
            let Some(proof) = Box::pin(self.tell(image, child, pool, now)).await? else { return Ok(None) };
            proofs.push(proof);
        }
        let proof = EvidenceProof::of_index(index, &proofs);
        self.told.insert(index.digest(), proof.clone()).await;
        Ok(proof)
    }

    /// How many bytes have to be read to tell whether `manifest` is an evidence artifact; nothing if it is none.
    pub fn takes(&self, manifest: &Manifest) -> Option<u64> {
        let reading = Reading::begin(manifest, &self.limits)?;
        Some(reading.size().saturating_add(u64::try_from(manifest.bytes().len()).unwrap_or(u64::MAX)))
    }
}

/// What an artifact is one of whose blobs could not be read: it may be evidence, unless it is larger than it may be.
fn unread(error: UpstreamError) -> Result<Option<EvidenceProof>, PullError> {
    match error {
        UpstreamError::TooLarge { .. } => Ok(None),
        error => Err(error.into()),
    }
}

/// How long it may take to read all of an artifact, or of an index of artifacts.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a registry is not asked again for what it did not give.
const REST: Duration = Duration::from_secs(5);
/// Artifacts and images that are remembered.
const AT_MOST: u64 = 10_000;
/// Manifests of one index that are read at once.
const AT_ONCE: usize = 4;
/// How many attestations of the largest size the artifacts of one index may be as large as.
const LARGEST: u64 = 16;
