//! Every piece of evidence: where it was, what it says of itself, and what each authority said of it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::discovery::Candidate;
use crate::evidence::{Unusable, printable};
use crate::policy::{Extension, Format};
use crate::pull::Sight;
use crate::reason::Reason;
use crate::verify::describe::{Claimed, ClaimedCertificate, ClaimedEntry, describe};
use crate::verify::{Claim, Verified};

/// One piece of evidence.
#[derive(Debug, Serialize)]
pub(super) struct Piece {
    pub(super) location: String,
    /// `bundle` or `legacy`.
    pub(super) format: &'static str,
    /// What it says of itself, unverified; nothing, if it could not be read as evidence at all.
    pub(super) claimed: Option<Claims>,
    /// What each authority said of it; nobody, if a limit came first.
    pub(super) said: Vec<Said>,
}

/// What a piece says of itself.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claims {
    /// Bytes.
    pub(super) size: usize,
    /// `signature` or `attestation`.
    pub(super) statement: Option<&'static str>,
    pub(super) predicate_type: Option<String>,
    pub(super) key_hint: Option<String>,
    pub(super) certificate: Option<Certificate>,
    pub(super) log_entries: Vec<LogEntry>,
    pub(super) timestamps: usize,
}

/// Whom a certificate names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificate {
    pub(super) identity: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) source_repository: Option<String>,
    pub(super) source_ref: Option<String>,
    pub(super) not_before: String,
    pub(super) not_after: String,
}

/// An entry of a transparency log.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogEntry {
    pub(super) index: u64,
    pub(super) integrated_time: Option<String>,
}

/// What one authority said.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said {
    pub(super) authority: String,
    pub(super) verified: bool,
    /// What was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proof: Option<Proof>,
    /// Why it does not count, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// What verification established.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proof {
    /// `signature` or `attestation`.
    pub(super) statement: &'static str,
    pub(super) predicate_type: Option<String>,
    /// `key:` and its fingerprint, or `identity:` and `issuer:`.
    pub(super) signer: String,
    pub(super) identity: Option<String>,
    pub(super) issuer: Option<String>,
    /// What else Fulcio vouched for, by the names that policies pin it by.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) extensions: BTreeMap<&'static str, String>,
    /// When it was signed.
    pub(super) time: Option<String>,
    pub(super) log_index: Option<u64>,
}

/// All that was found, in the registry's order; what cannot be evidence comes last.
pub(super) fn pieces(sight: &Sight) -> Vec<Piece> {
    let evidence = sight.evidence();
    let candidates = evidence.candidates.iter().map(|candidate| Piece::of(candidate, sight));
    candidates.chain(evidence.unusable.iter().map(|unusable| Piece::unusable(unusable, sight))).collect()
}

impl Piece {
    fn of(candidate: &Candidate, sight: &Sight) -> Self {
        let location = candidate.location();
        let proofs = sight.findings().verified.iter().filter(|proof| proof.location() == location);
        let verified = proofs.map(|proof| Said {
            authority: proof.authority().to_string(),
            verified: true,
            proof: Some(Proof::of(proof)),
            reason: None,
            detail: None,
        });
        let said = verified.chain(rejections(location, sight)).collect();
        Self {
            location: printable(location),
            format: name(candidate.format()),
            claimed: Some(describe(candidate).into()),
            said,
        }
    }

    fn unusable(unusable: &Unusable, sight: &Sight) -> Self {
        let said = rejections(&unusable.location, sight).filter(|said| said.detail.as_ref() == Some(&unusable.detail));
        let location = printable(&unusable.location);
        Self { location, format: name(unusable.format), claimed: None, said: said.collect() }
    }
}

fn rejections<'a>(location: &'a str, sight: &'a Sight) -> impl Iterator<Item = Said> + 'a {
    let rejected = sight.findings().rejected.iter().filter(move |rejected| rejected.location == location);
    rejected.map(|rejected| Said {
        authority: rejected.authority.to_string(),
        verified: false,
        proof: None,
        reason: Some(rejected.reason),
        detail: Some(rejected.detail.clone()),
    })
}

pub(super) fn name(format: Format) -> &'static str {
    match format {
        Format::Bundle => "bundle",
        Format::Legacy => "legacy",
    }
}

impl Proof {
    fn of(verified: &Verified) -> Self {
        let (statement, predicate_type) = statement(verified.claim());
        let signing = verified.signing();
        let certificate = signing.certificate();
        let extension = |key: &Extension| Some((key.key(), printable(certificate?.extension(*key)?)));
        Self {
            statement,
            predicate_type,
            signer: printable(&verified.signer().0),
            identity: certificate.map(|one| printable(one.identity())),
            issuer: certificate.map(|one| printable(one.issuer())),
            extensions: Extension::ALL.iter().filter_map(extension).collect(),
            time: signing.time().map(|at| at.to_string()),
            log_index: signing.log_index(),
        }
    }
}

/// What a claim is, and of which type.
fn statement(claim: &Claim) -> (&'static str, Option<String>) {
    match claim {
        Claim::Attestation(predicate_type) => ("attestation", Some(printable(predicate_type))),
        Claim::Signature => ("signature", None),
    }
}

impl From<Claimed> for Claims {
    fn from(claimed: Claimed) -> Self {
        let claim = claimed.claim.as_ref().map(statement);
        Self {
            size: claimed.size,
            statement: claim.as_ref().map(|(statement, _)| *statement),
            predicate_type: claim.and_then(|(_, predicate_type)| predicate_type),
            key_hint: claimed.key_hint,
            certificate: claimed.certificate.map(Certificate::from),
            log_entries: claimed.log_entries.into_iter().map(LogEntry::from).collect(),
            timestamps: claimed.timestamps,
        }
    }
}

impl From<ClaimedCertificate> for Certificate {
    fn from(claimed: ClaimedCertificate) -> Self {
        Self {
            identity: claimed.identity,
            issuer: claimed.issuer,
            source_repository: claimed.source_repository,
            source_ref: claimed.source_ref,
            not_before: claimed.not_before.to_string(),
            not_after: claimed.not_after.to_string(),
        }
    }
}

impl From<ClaimedEntry> for LogEntry {
    fn from(claimed: ClaimedEntry) -> Self {
        Self { index: claimed.index, integrated_time: claimed.integrated.map(|at| at.to_string()) }
    }
}
