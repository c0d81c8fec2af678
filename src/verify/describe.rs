//! What a piece of evidence says of itself, for explanations. Nothing here is verified, and nothing here decides.
//!
//! Reading is lenient: what cannot be read stays empty, because [`super::verify_all`] has said why it does not count.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sigstore_verify::crypto::{CertificateInfo, parse_certificate_info};
use sigstore_verify::types::DerCertificate;

use super::{Claim, statement};
use crate::clock::Timestamp;
use crate::discovery::{Beside, Candidate, Material};
use crate::evidence::printable;
use crate::oci::Digest;

/// What one piece claims. Its texts are bounded and printable, and as untrusted as the piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Its size in bytes.
    pub size: usize,
    /// What it says of its subject.
    pub claim: Option<Claim>,
    /// Which key made it: `sha256:…` where the hint is a fingerprint.
    pub key_hint: Option<String>,
    /// The signer's certificate.
    pub certificate: Option<ClaimedCertificate>,
    /// Its transparency log entries.
    pub log_entries: Vec<ClaimedEntry>,
    /// How many signed time stamps it has.
    pub timestamps: usize,
}

/// What a certificate says, whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedCertificate {
    /// The first address or URI among its alternative names.
    pub identity: Option<String>,
    /// Who vouched for the identity.
    pub issuer: Option<String>,
    /// The repository that was built.
    pub source_repository: Option<String>,
    /// The ref that was built.
    pub source_ref: Option<String>,
    /// The first instant of its validity.
    pub not_before: Timestamp,
    /// The last instant of its validity.
    pub not_after: Timestamp,
}

/// What a log entry says, whatever the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimedEntry {
    /// Its number in the log; the first of a log may not say it.
    pub index: u64,
    /// When the log took it, so it says; new logs do not.
    pub integrated: Option<Timestamp>,
}

/// Describes `candidate` by what it says of itself.
pub fn describe(candidate: &Candidate) -> Claimed {
    match candidate.untrusted() {
        Material::Bundle(json) => {
            let read = serde_json::from_slice::<Bundle>(json).ok();
            Claimed { size: json.len(), ..read.map(of_bundle).unwrap_or_default() }
        }
        Material::Envelope(json) => {
            let envelope: Option<Envelope> = serde_json::from_slice(json).ok();
            let claim = envelope.and_then(|envelope| claim_of(&envelope));
            Claimed { size: json.len(), claim, ..of_beside(candidate.beside()) }
        }
        Material::SimpleSigning { payload, .. } => {
            Claimed { size: payload.len(), claim: Some(Claim::Signature), ..of_beside(candidate.beside()) }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    verification_material: Verification,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    certificate: Option<RawCertificate>,
    x509_certificate_chain: Option<Chain>,
    public_key: Option<PublicKey>,
    tlog_entries: Option<Vec<LogEntry>>,
    timestamp_verification_data: Option<Timestamps>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    raw_bytes: String,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<RawCertificate>,
}

#[derive(Deserialize)]
struct PublicKey {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    log_index: Option<Number>,
    integrated_time: Option<Number>,
}

/// A number as protobuf's JSON and everybody else's write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timestamps {
    #[serde(default)]
    rfc3161_timestamps: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    predicate_type: String,
}

/// The log entry beside a legacy layer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LegacyEntry {
    payload: LogEntry,
}

fn of_bundle(bundle: Bundle) -> Claimed {
    let Verification { certificate, x509_certificate_chain, public_key, tlog_entries, timestamp_verification_data } =
        bundle.verification_material;
    let chain = x509_certificate_chain.map(|chain| chain.certificates).unwrap_or_default();
    let leaf = certificate.or(chain.into_iter().next());
    let der = leaf.and_then(|leaf| STANDARD.decode(leaf.raw_bytes).ok()).map(DerCertificate::new);
    Claimed {
        size: 0,
        claim: bundle.dsse_envelope.as_ref().and_then(claim_of),
        key_hint: public_key.map(|key| hint(&key.hint)).filter(|hint| !hint.is_empty()),
        certificate: der.and_then(|der| certificate_of(&der)),
        log_entries: tlog_entries.unwrap_or_default().into_iter().take(SHOWN).map(ClaimedEntry::from).collect(),
        timestamps: timestamp_verification_data.map_or(0, |data| data.rfc3161_timestamps.len()),
    }
}

fn of_beside(beside: &Beside) -> Claimed {
    let certificate = beside.certificate.as_deref().and_then(|pem| DerCertificate::from_pem(pem).ok());
    let entry: Option<LegacyEntry> = beside.bundle.as_deref().and_then(|json| serde_json::from_str(json).ok());
    Claimed {
        certificate: certificate.and_then(|der| certificate_of(&der)),
        log_entries: entry.map(|entry| entry.payload.into()).into_iter().collect(),
        timestamps: usize::from(beside.timestamp.is_some()),
        ..Claimed::default()
    }
}

fn claim_of(envelope: &Envelope) -> Option<Claim> {
    let statement: Statement = serde_json::from_slice(&STANDARD.decode(&envelope.payload).ok()?).ok()?;
    Some(match statement.predicate_type.as_str() {
        statement::COSIGN_SIGN => Claim::Signature,
        other => Claim::Attestation(printable(other)),
    })
}

fn certificate_of(der: &DerCertificate) -> Option<ClaimedCertificate> {
    if der.as_bytes().len() > MAX_CERTIFICATE {
        return None;
    }
    let CertificateInfo { identity, issuer, not_before, not_after, ci_claims, .. } =
        parse_certificate_info(der).ok()?;
    let text = |text: Option<String>| text.map(|text| printable(&text));
    let instant = |instant: i64| Timestamp(u64::try_from(instant).unwrap_or(0));
    Some(ClaimedCertificate {
        identity: identity.map(|name| printable(name.as_str())),
        issuer: text(issuer),
        source_repository: text(ci_claims.source_repository_uri),
        source_ref: text(ci_claims.source_repository_ref),
        not_before: instant(not_before.as_second()),
        not_after: instant(not_after.as_second()),
    })
}

/// A key's hint: cosign writes the fingerprint in base64, others what they like.
fn hint(text: &str) -> String {
    let fingerprint = STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    fingerprint.map_or_else(|| printable(text), |bytes| Digest::from_bytes(bytes).to_string())
}

impl From<LogEntry> for ClaimedEntry {
    fn from(entry: LogEntry) -> Self {
        let number = |number: Option<Number>| match number? {
            Number::Plain(number) => Some(number),
            Number::Text(text) => text.parse().ok(),
        };
        let integrated = number(entry.integrated_time).filter(|seconds| *seconds > 0).map(Timestamp);
        Self { index: number(entry.log_index).unwrap_or(0), integrated }
    }
}

/// Log entries of one piece that are shown.
const SHOWN: usize = 32;

/// Far more than any certificate has, in bytes.
const MAX_CERTIFICATE: usize = 64 << 10;

#[cfg(test)]
mod tests;
