//! The images that an index lists, and the evidence about each: what `on: platform` asks for.
//!
//! Everything that an index lists, at any depth, is an image unless its content proves it to be an index or evidence.
//! Nothing is left out because it cannot be read: a manifest that the registry does not have now may be there when a
//! node asks for it, under the verdict that was made without it. Nor because an exemption names it: a verdict on the
//! index is about what governs the index, so it is the index that is to be exempt.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, stream};

use super::wants::How;
use super::{Judge, Piece};
use crate::clock::Timestamp;
use crate::discovery::Share;
use crate::oci::manifest::Descriptor;
use crate::oci::{Image, Manifest};
use crate::policy::{Governing, Shortfall};
use crate::pull::PullError;
use crate::reason::Reason;
use crate::upstream::UpstreamError;

/// What an entry of an index turned out to be.
enum Listed {
    Evidence,
    Image(Child),
    Index(Vec<Descriptor>),
}

/// An image within an index.
struct Child {
    platform: String,
    manifest: Arc<Manifest>,
}

impl Judge {
    /// Reads the evidence about every image that `index` lists.
    ///
    /// # Errors
    /// Why that is not known of one of them, or why one of them cannot be served.
    pub(super) async fn children(
        &self,
        governing: &Governing,
        index: &Manifest,
        now: Timestamp,
        how: How,
        share: &Share,
    ) -> Result<Vec<Piece>, Shortfall> {
        let within = &governing.subject().image;
        let images = self.images(within, index, now).await?;
        let read = images.into_iter().map(|Child { platform, manifest }| async move {
            let subject = within.at(manifest.digest());
            Piece { platform, ..self.piece(governing, &subject, &manifest, now, how, share).await }
        });
        let (mut read, mut pieces, mut bytes) = (stream::iter(read).buffered(DISCOVERIES), Vec::new(), 0_usize);
        while let Some(piece) = read.next().await {
            bytes = bytes.saturating_add(piece.evidence.size());
            if bytes > EVIDENCE {
                return Err(too_much(&format!("evidence of more than {} MiB", EVIDENCE >> 20)));
            }
            pieces.push(piece);
        }
        Ok(pieces)
    }

    /// Every image that `outermost` lists, at any depth, once.
    async fn images(&self, within: &Image, outermost: &Manifest, now: Timestamp) -> Result<Vec<Child>, Shortfall> {
        let (mut seen, mut images) = (BTreeSet::new(), Vec::new());
        let (mut level, told) = (outermost.entries().to_vec(), AtomicU64::new(0));
        for _ in 0..self.limits.index_depth {
            level.retain(|entry| seen.insert(entry.digest));
            if seen.len() > MANIFESTS {
                return Err(too_much(&format!("more than {MANIFESTS} manifests")));
            }
            let read = std::mem::take(&mut level).into_iter().map(|entry| self.listed(within, entry, &told, now));
            let mut read = stream::iter(read).buffered(AT_ONCE);
            while let Some(listed) = read.next().await {
                match listed? {
                    Listed::Evidence => {}
                    Listed::Image(image) => images.push(image),
                    Listed::Index(entries) => level.extend(entries),
                }
                if images.len() > IMAGES || level.len() > MANIFESTS {
                    return Err(too_much(&format!("more than {IMAGES} images, or {MANIFESTS} manifests")));
                }
            }
            if level.is_empty() {
                return Ok(images);
            }
        }
        let detail = format!("there are more than {} indexes within each other", self.limits.index_depth);
        Err(Shortfall { reason: Reason::IndexTooDeep, cause: None, detail })
    }

    /// What `entry` turns out to be; `told` counts the bytes that are read to tell evidence.
    async fn listed(
        &self,
        within: &Image,
        entry: Descriptor,
        told: &AtomicU64,
        now: Timestamp,
    ) -> Result<Listed, Shortfall> {
        let fell_short = |error| shortfall(&entry, &error);
        let manifest = self.fetch.manifest(&within.at(entry.digest)).await.map_err(fell_short)?;
        if manifest.media_type().is_index() {
            return Ok(Listed::Index(manifest.entries().to_vec()));
        }
        let (takes, most) =
            (self.artifacts.takes(&manifest).unwrap_or(0), self.limits.attestation.saturating_mul(TOLD));
        if told.fetch_add(takes, Ordering::Relaxed).saturating_add(takes) > most {
            return Err(too_much(&format!("what may be evidence of more than {most} bytes")));
        }
        if self.artifacts.prove(within, &manifest, &self.pool, now).await.map_err(fell_short)?.is_some() {
            return Ok(Listed::Evidence);
        }
        Ok(Listed::Image(Child { platform: entry.platform, manifest }))
    }
}

/// Why a child is not known, or cannot be served.
fn shortfall(entry: &Descriptor, error: &PullError) -> Shortfall {
    let mut cause = None;
    let (reason, why) = match error {
        PullError::Content { reason, detail } => (*reason, detail.clone()),
        PullError::Upstream(gone) if gone.is_outage() => {
            cause = Some(gone.reason());
            (Reason::EvidenceUnreadable, format!("{}: {gone}", gone.reason()))
        }
        PullError::Upstream(UpstreamError::NotFound) => {
            let why = "the registry does not have it; push it, or an index without it";
            (Reason::EvidenceUnreadable, why.to_string())
        }
        PullError::Indeterminate(denial) if matches!(denial.reason, Reason::VerifierBusy | Reason::Internal) => {
            (denial.reason, denial.detail.clone())
        }
        _ => (Reason::EvidenceUnreadable, format!("{}: {error}", error.reason())),
    };
    let detail = match entry.platform.as_str() {
        "" => format!("{}: {why}", entry.digest),
        platform => format!("{platform} ({}): {why}", entry.digest),
    };
    Shortfall { reason, cause, detail }
}

fn too_much(what: &str) -> Shortfall {
    let detail =
        format!("the index lists {what}, too much to be judged at once: split it, or require less `on: platform`");
    Shortfall { reason: Reason::EvidenceIncomplete, cause: None, detail }
}

/// Images of one index that are judged.
const IMAGES: usize = 64;
/// Manifests of any kind that are read for one index.
const MANIFESTS: usize = 256;
/// Bytes of evidence about all images of one index.
const EVIDENCE: usize = 256 << 20;
/// How many attestations of the largest size may be read to tell evidence from images.
const TOLD: u64 = 16;
/// Manifests that are read at once for one index.
const AT_ONCE: usize = 8;
/// Images whose evidence is read at once, each from several sources.
const DISCOVERIES: usize = 4;
