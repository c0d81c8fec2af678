//! Finds the evidence about a digest: untrusted material, and what could not be read.
//!
//! Step two of a pull. What the registry says decides only where to look; every manifest and blob is hashed, and a
//! source that fails is reported as unread, never as empty.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{join_all, join3};

use crate::clock::Timestamp;
use crate::evidence::EvidenceSet;
use crate::limits::Limits;
use crate::oci::{self, Digest, Image, Repository, Subject};
use crate::upstream::Upstream;

pub mod backoff;

pub mod candidate;

pub mod elsewhere;

mod artifact;

mod found;

pub mod in_flight;

pub mod referrers;

mod source;

pub mod tag;

pub use backoff::Backoff;
pub use candidate::{Attachment, Beside, Candidate, Material};
pub use in_flight::{InFlight, Share};

use found::Found;
use source::Source;

/// Which storage formats can matter to the policies that govern an image; the others are not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a place of its own, asked or not")]
pub struct Wants {
    /// Sigstore bundles: referrers.
    pub bundle: bool,
    /// Legacy signatures: the tag `sha256-….sig`, or referrers.
    pub signatures: bool,
    /// Legacy attestations: the tag `sha256-….att`, or referrers.
    pub attestations: bool,
    /// The referrers API, and the tag `sha256-…` that stands in for it.
    pub referrers: bool,
}

/// Reads all evidence about `subject` that `wants` names and `limits` allow: beside the image, and in the repositories
/// `elsewhere`, as far as its `share` of memory goes. It never fails: what could not be read is part of the answer.
pub async fn discover(
    upstreams: &BTreeMap<oci::Registry, Arc<Upstream>>,
    subject: &Subject,
    elsewhere: &[Image],
    wants: Wants,
    limits: &Limits,
    share: &Share,
    now: Timestamp,
) -> EvidenceSet {
    let (places, unknown) = elsewhere::places(upstreams, &subject.image, elsewhere);
    let mut set = Box::pin(read(&places, &subject.digest, wants, limits, share, now)).await;
    set.unread.extend(unknown);
    set
}

/// A repository that may hold evidence.
struct Place<'a, S> {
    source: &'a S,
    repository: &'a Repository,
    /// What explanations call it; nothing for the image's own.
    name: Option<String>,
}

async fn read<S: Source>(
    places: &[Place<'_, S>],
    digest: &Digest,
    wants: Wants,
    limits: &Limits,
    share: &Share,
    now: Timestamp,
) -> EvidenceSet {
    let reader = |place| Reader { place, digest, wants, limits, share, of: places.len() };
    let readers: Vec<_> = places.iter().map(reader).collect();
    let (mut all, signatures, attestations) = join3(
        attached(&readers, Attachment::Referrer),
        attached(&readers, Attachment::Signature),
        attached(&readers, Attachment::Attestation),
    )
    .await;
    all.append(signatures);
    all.append(attestations);
    EvidenceSet {
        candidates: all.candidates,
        unread: all.unread,
        unusable: all.unusable,
        incomplete: all.incomplete,
        read_at: now,
    }
}

/// What is attached in one way, in all places: listed everywhere first, so that the limit can be shared out.
async fn attached<S: Source>(readers: &[Reader<'_, S>], how: Attachment) -> Found {
    // Where nothing is asked for, nothing is put together.
    if !readers.iter().any(|reader| reader.asks_for(how)) {
        return Found::default();
    }
    let listings = join_all(readers.iter().map(|reader| reader.list(how))).await;
    let pieces: Vec<_> = listings.iter().map(|listing| listing.pieces.len()).collect();
    let most = readers.first().map_or(0, |reader| reader.limits.examined);
    let shares = elsewhere::shares(most, &pieces);
    // What is left is for pieces of pieces: a legacy referrer may have several layers.
    let spare = (most - shares.iter().sum::<usize>()) / readers.len().max(1);
    let fetches = readers.iter().zip(listings).zip(shares);
    let fetches = fetches.map(|((reader, listing), share)| reader.fetch(how, listing, share + spare));
    let mut all = Found::default();
    for found in join_all(fetches).await {
        all.append(found);
    }
    all
}

/// What one reading of one place is about; [`referrers`] and [`tag`] are its two halves.
struct Reader<'a, S> {
    place: &'a Place<'a, S>,
    digest: &'a Digest,
    wants: Wants,
    limits: &'a Limits,
    share: &'a Share,
    /// How many places share the limits.
    of: usize,
}

impl<S: Source> Reader<'_, S> {
    async fn list(&self, how: Attachment) -> found::Listing {
        if !self.asks_for(how) {
            return found::Listing::default();
        }
        // Boxed before others are put beside it, which moves it.
        match how {
            Attachment::Referrer => Box::pin(self.list_referrers()).await,
            Attachment::Signature => Box::pin(self.list_signatures()).await,
            Attachment::Attestation => Box::pin(self.list_attestations()).await,
        }
    }

    fn asks_for(&self, how: Attachment) -> bool {
        match how {
            Attachment::Referrer => self.wants.referrers,
            Attachment::Signature => self.wants.signatures,
            Attachment::Attestation => self.wants.attestations,
        }
    }

    /// How many pieces one list may have here.
    fn listed(&self) -> usize {
        self.limits.listed.div_ceil(self.of)
    }

    /// Fetches the first `share` pieces of what was listed.
    async fn fetch(&self, how: Attachment, listing: found::Listing, share: usize) -> Found {
        let (pieces, mut found) = listing.first(share);
        match how {
            Attachment::Referrer => Box::pin(self.fetch_referrers(pieces, share, &mut found)).await,
            Attachment::Signature | Attachment::Attestation => Box::pin(self.fetch_layers(pieces, &mut found)).await,
        }
        match &self.place.name {
            Some(name) => found.within(name),
            None => found,
        }
    }
}

impl Wants {
    /// Whether whoever reads these sources reads all that `other` names.
    pub fn include(self, other: Self) -> bool {
        (self.bundle || !other.bundle)
            && (self.signatures || !other.signatures)
            && (self.attestations || !other.attestations)
            && (self.referrers || !other.referrers)
    }
}

#[cfg(test)]
pub(crate) mod double;
#[cfg(test)]
mod tests;
