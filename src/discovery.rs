//! Finds the evidence about a digest: untrusted material, and what could not be read.
//!
//! Step two of a pull. What the registry says decides only where to look; every manifest and blob is hashed, and a
//! source that fails is reported as unread, never as empty.

use futures_util::future::join3;

use crate::clock::Timestamp;
use crate::evidence::EvidenceSet;
use crate::limits::Limits;
use crate::oci::{Digest, Repository};
use crate::upstream::Upstream;

pub mod backoff;

pub mod candidate;

mod found;

pub mod referrers;

mod source;

pub mod tag;

pub use backoff::Backoff;
pub use candidate::{Beside, Candidate, Material};

use found::Found;
use source::Source;

/// Which storage formats can matter to the policies that govern an image; the others are not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// Sigstore bundles: the referrers API, or the tag `sha256-…` that stands in for it.
    pub bundle: bool,
    /// Legacy signatures: the tag `sha256-….sig`.
    pub signatures: bool,
    /// Legacy attestations: the tag `sha256-….att`.
    pub attestations: bool,
}

/// Reads all evidence about `digest` that `wants` names and `limits` allow. It never fails: what could not be read is
/// part of the answer.
pub async fn discover(
    upstream: &Upstream,
    repository: &Repository,
    digest: &Digest,
    wants: Wants,
    limits: &Limits,
    now: Timestamp,
) -> EvidenceSet {
    Box::pin(read(upstream, repository, digest, wants, limits, now)).await
}

async fn read<S: Source>(
    source: &S,
    repository: &Repository,
    digest: &Digest,
    wants: Wants,
    limits: &Limits,
    now: Timestamp,
) -> EvidenceSet {
    let reader = Reader { source, repository, digest, limits };
    let (bundles, signatures, attestations) = join3(
        async { if wants.bundle { reader.bundles().await } else { Found::default() } },
        async { if wants.signatures { reader.signatures().await } else { Found::default() } },
        async { if wants.attestations { reader.attestations().await } else { Found::default() } },
    )
    .await;
    let mut all = bundles;
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

/// What one reading is about; [`referrers`] and [`tag`] are its two halves.
struct Reader<'a, S> {
    source: &'a S,
    repository: &'a Repository,
    digest: &'a Digest,
    limits: &'a Limits,
}

#[cfg(test)]
pub(crate) mod double;
#[cfg(test)]
mod tests;
