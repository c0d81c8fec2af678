//! What verification establishes: which authority signed which subject. What policy makes of it is not said here.

use std::sync::Arc;
use std::time::Instant;

use crate::clock::Timestamp;
use crate::evidence::{EvidenceSet, Unread, printable};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::policy::{Authority, Format, Name, Revoked};
use crate::reason::Reason;
use crate::strict_json::{self, Object};
use crate::trust::Trust;

mod annotations;

pub mod artifact;

mod binding;

pub mod bundle;

pub mod certificate;

mod chain;

pub mod describe;

mod envelope;

pub mod file;

mod inclusion;

mod key;

mod keyless;

mod leaf;

mod legacy;

mod log;

mod pins;

pub mod pool;

mod reading;

mod sct;

pub mod signing;

pub mod simple_signing;

pub mod statement;

mod time;

pub mod verified;

pub use certificate::Certificate;
pub use pool::Pool;
pub use signing::Signing;
pub use verified::{Claim, Verified};

use verified::Piece;

/// Everything that verification learned about one subject.
#[derive(Debug, Clone)]
pub struct Findings {
    /// What holds.
    pub verified: Vec<Verified>,
    /// What was found and does not count, for each authority that was tried.
    pub rejected: Vec<Rejected>,
    /// Authorities whose evidence could not be judged, because their trusted root decides nothing now.
    pub unjudged: Vec<Unjudged>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Whether a limit ended the reading early.
    pub incomplete: bool,
    /// When the evidence was read.
    pub read_at: Timestamp,
}

/// What evidence is verified against.
#[derive(Debug, Clone, Copy)]
pub struct Against<'a> {
    /// The trusted roots.
    pub trust: &'a Trust,
    /// What no longer counts.
    pub revoked: &'a Revoked,
    /// The bounds of what is read.
    pub limits: &'a Limits,
    /// The present.
    pub now: Timestamp,
}

/// An authority whose evidence could not be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// Which one.
    pub authority: Name,
    /// Why.
    pub reason: Reason,
    /// The same for people.
    pub detail: String,
}

/// Why one candidate does not count for one authority. It never leaves as an answer by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// For whom it was tried.
    pub authority: Name,
    /// How it was stored.
    pub format: Format,
    /// Where it was found.
    pub location: String,
    /// Why it does not count.
    pub reason: Reason,
    /// The same for people.
    pub detail: String,
}

/// Why one candidate does not count for one authority, before it is known where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The reason.
    pub reason: Reason,
    /// The same for people.
    pub detail: String,
}

impl Rejection {
    fn new(reason: Reason, detail: impl AsRef<str>) -> Self {
        Self { reason, detail: printable(detail.as_ref()) }
    }
}

/// Verifies everything in `evidence` for each of `authorities`. No I/O; what it costs is bounded by the limits.
///
/// Of what is attached in one way at most `limits.examined` pieces are tried, so that a flood of one cannot hide another.
/// After `limits.verification.time` no further piece is: one piece cannot be interrupted, but many can be left.
pub fn verify_all(
    evidence: &EvidenceSet,
    subject: &Digest,
    authorities: &[Arc<Authority>],
    against: Against<'_>,
) -> Findings {
    let mut findings = Findings {
        verified: Vec::new(),
        rejected: Vec::new(),
        unjudged: Vec::new(),
        unread: evidence.unread.clone(),
        incomplete: evidence.incomplete,
        read_at: evidence.read_at,
    };
    let unusable = |authority: &Arc<Authority>| {
        let unusable = against.trust.usable(authority.trust_root()?).err()?;
        Some(Unjudged { authority: authority.name().clone(), reason: unusable.reason, detail: unusable.detail })
    };
    findings.unjudged.extend(authorities.iter().filter_map(unusable));
    let began = Instant::now();
    let mut examined = [0; 3];
    for candidate in &evidence.candidates {
        let kind = candidate.attachment() as usize;
        examined[kind] += 1;
        if examined[kind] > against.limits.examined || began.elapsed() >= against.limits.verification.time {
            findings.incomplete = true;
            continue;
        }
        let piece = Piece::read(candidate, subject, against.limits);
        for authority in authorities {
            match piece.as_ref().map_err(Clone::clone).and_then(|piece| piece.verify(authority, against)) {
                Ok(proof) => findings.verified.push(proof),
                Err(Rejection { reason, detail }) => findings.rejected.push(Rejected {
                    authority: authority.name().clone(),
                    format: candidate.format(),
                    location: candidate.location().to_string(),
                    reason,
                    detail,
                }),
            }
        }
    }
    // What was there and cannot be evidence counts for nobody; each authority is told why.
    for (authority, unusable) in
        authorities.iter().flat_map(|one| evidence.unusable.iter().map(move |what| (one, what)))
    {
        findings.rejected.push(Rejected {
            authority: authority.name().clone(),
            format: unusable.format,
            location: unusable.location.clone(),
            reason: unusable.reason,
            detail: unusable.detail.clone(),
        });
    }
    findings
}

fn bounded(bytes: &[u8], limit: u64) -> Result<(), Rejection> {
    if u64::try_from(bytes.len()).is_ok_and(|size| size <= limit) {
        return Ok(());
    }
    Err(Rejection::new(Reason::EvidenceTooLarge, format!("{} bytes, at most {limit} are read", bytes.len())))
}

fn at_most(what: &str, count: usize, most: usize) -> Result<(), Rejection> {
    if count <= most {
        return Ok(());
    }
    Err(Rejection::new(Reason::EvidenceTooLarge, format!("{count} {what}, at most {most} are read")))
}

/// Parses a JSON object as a `T`.
fn object<T: serde::de::DeserializeOwned>(what: &str, json: &[u8]) -> Result<T, Rejection> {
    match strict_json::parse::<Object<T>>(json) {
        Ok(Object(parsed)) => Ok(parsed),
        Err(error) => Err(Rejection::new(Reason::EvidenceMalformed, format!("not a {what}: {error}"))),
    }
}

/// Digests of one subject of a statement.
const MAX_DIGESTS: usize = 32;

#[cfg(test)]
pub(crate) mod signer;
#[cfg(test)]
mod tests;
