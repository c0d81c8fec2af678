//! The results of reading: candidates, what was unusable, what was unread; kept in the registry's order.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use super::{Candidate, Reader, Source};
use crate::evidence::{Unread, Unusable};
use crate::oci::Digest;
use crate::oci::manifest::{Descriptor, ManifestError};
use crate::policy::Format;
use crate::reason::Reason;
use crate::upstream::UpstreamError;

/// What one source gave.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    pub(super) unread: Vec<Unread>,
    pub(super) unusable: Vec<Unusable>,
    pub(super) incomplete: bool,
}

/// What a source lists, before any of it is fetched.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) pieces: Vec<Piece>,
    pub(super) found: Found,
}

/// One piece that may be evidence: a referrer's manifest, or a layer of a legacy tag.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) location: String,
    pub(super) descriptor: Descriptor,
}

impl Listing {
    /// The first `most` pieces; that there are more is a fact, too.
    pub(super) fn first(mut self, most: usize) -> (Vec<Piece>, Found) {
        self.found.incomplete |= self.pieces.len() > most;
        self.pieces.truncate(most);
        (self.pieces, self.found)
    }
}

/// Why one piece gave no candidate.
#[derive(Debug, Clone)]
pub(super) enum Miss {
    /// It could not be read: absence is not established.
    Unread(Reason, String),
    /// It was read and cannot be evidence.
    Unusable(Reason, String),
}

impl Found {
    pub(super) fn append(&mut self, other: Self) {
        self.candidates.extend(other.candidates);
        self.unread.extend(other.unread);
        self.unusable.extend(other.unusable);
        self.incomplete |= other.incomplete;
    }

    /// The same, found in the repository `place`.
    pub(super) fn within(mut self, place: &str) -> Self {
        self.candidates = self.candidates.into_iter().map(|candidate| candidate.within(place)).collect();
        self.unread = self.unread.into_iter().map(|unread| unread.within(place)).collect();
        // Like what could not be read in it, what a limit cut off matters to those only who look there.
        if std::mem::take(&mut self.incomplete) {
            let cut_off = Unread::new(place, Reason::EvidenceIncomplete, "a limit ended the reading");
            self.unread.push(Unread { elsewhere: Some(place.into()), ..cut_off });
        }
        for unusable in &mut self.unusable {
            unusable.location.insert_str(0, &format!("{place}, "));
        }
        self
    }

    pub(super) fn miss(&mut self, location: &str, format: Format, miss: Miss) {
        match miss {
            Miss::Unread(reason, detail) => self.unread.push(Unread::new(location, reason, &detail)),
            Miss::Unusable(reason, detail) => {
                self.unusable.push(Unusable::new(location, format, reason, &detail));
            }
        }
    }
}

impl Miss {
    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::Unusable(Reason::EvidenceMalformed, why.into())
    }

    pub(super) fn too_large(why: impl Into<String>) -> Self {
        Self::Unusable(Reason::EvidenceTooLarge, why.into())
    }
}

impl From<UpstreamError> for Miss {
    /// A piece that something else lists: even 404 is a failure to read it.
    fn from(error: UpstreamError) -> Self {
        match error {
            UpstreamError::TooLarge { .. } => Self::too_large(error.to_string()),
            _ => match error.reason() {
                reason @ Reason::UpstreamDigestMismatch => Self::Unread(reason, error.to_string()),
                reason => Self::Unread(unread(&error), format!("{reason}: {error}")),
            },
        }
    }
}

/// That something could not be read; or, where a registry that is away is all that stands in the way, that it is.
pub(super) fn unread(error: &UpstreamError) -> Reason {
    if error.is_outage() { error.reason() } else { Reason::EvidenceUnreadable }
}

impl From<ManifestError> for Miss {
    fn from(error: ManifestError) -> Self {
        match error {
            ManifestError::DigestMismatch { .. } => Self::Unread(Reason::UpstreamDigestMismatch, error.to_string()),
            ManifestError::Limits(_) => Self::too_large(error.to_string()),
            _ => Self::malformed(error.to_string()),
        }
    }
}

/// What `futures` come to, a few at a time, in their order.
pub(super) async fn all<F: Future>(futures: impl ExactSizeIterator<Item = F>) -> Vec<F::Output> {
    // A queue wakes whoever waits for it once more each time, and a thread that has nothing to do with it as well.
    if futures.len() <= AT_ONCE {
        return join_all(futures).await;
    }
    stream::iter(futures).buffered(AT_ONCE).collect().await
}

/// The blobs of one source, by digest: each is fetched once, however often it is listed.
pub(super) type Blobs = BTreeMap<Digest, Result<Bytes, Miss>>;

impl<S: Source> Reader<'_, S> {
    /// Fetches the blobs that `wanted` describes, a few at a time. A descriptor above its limit is not fetched; one
    /// whose bytes would exceed the whole budget of a source neither, which is reported by `true`.
    pub(super) async fn blobs(&self, wanted: &[(&Descriptor, u64)]) -> (Blobs, bool) {
        let largest = wanted.iter().map(|(_, max)| *max).max().unwrap_or(0);
        let pieces = BUDGET / u64::try_from(self.of).unwrap_or(u64::MAX);
        let (mut budget, mut cut_off) = (largest.saturating_mul(pieces.max(1)), false);
        let mut sizes: BTreeMap<Digest, u64> = BTreeMap::new();
        let mut order = Vec::new();
        for (descriptor, _) in wanted.iter().filter(|(descriptor, max)| descriptor.size <= *max) {
            if let Some(size) = sizes.get_mut(&descriptor.digest) {
                *size = descriptor.size.max(*size);
            } else if let Some(rest) = budget.checked_sub(descriptor.size) {
                budget = rest;
                sizes.insert(descriptor.digest, descriptor.size);
                order.push(descriptor.digest);
            } else {
                cut_off = true;
            }
        }
        if !self.share.take(sizes.values().sum()).await {
            let why = "too much evidence is being read at once; ask again";
            let none = |digest| (digest, Err(Miss::Unread(Reason::Overloaded, why.to_string())));
            return (order.into_iter().map(none).collect(), cut_off);
        }
        let fetches = order.into_iter().map(|digest| {
            let size = sizes.get(&digest).copied().unwrap_or(0);
            async move { (digest, self.blob(&digest, size).await) }
        });
        (all(fetches).await.into_iter().collect(), cut_off)
    }

    async fn blob(&self, digest: &Digest, size: u64) -> Result<Bytes, Miss> {
        let bytes = self.place.source.blob(self.place.repository, digest, size).await?;
        let actual = Digest::of(&bytes);
        if actual != *digest {
            return Err(Miss::Unread(Reason::UpstreamDigestMismatch, format!("the blob hashes to {actual}")));
        }
        Ok(bytes)
    }
}

/// The blob that `descriptor` points to, out of `blobs`, provided that it has the declared size.
pub(super) fn pick(blobs: &Blobs, descriptor: &Descriptor, max: u64) -> Option<Result<Bytes, Miss>> {
    if descriptor.size > max {
        return Some(Err(Miss::too_large(format!("{} bytes declared, at most {max} are read", descriptor.size))));
    }
    blobs.get(&descriptor.digest).cloned().map(|blob| {
        blob.and_then(|bytes| match u64::try_from(bytes.len()) {
            Ok(size) if size == descriptor.size => Ok(bytes),
            _ => Err(Miss::malformed(format!("{} bytes declared, {} sent", descriptor.size, bytes.len()))),
        })
    })
}

/// Requests of one source under way at once.
const AT_ONCE: usize = 8;
/// How many pieces of the largest size the blobs of one source may fill, in all places together.
const BUDGET: u64 = 4;
