//! Signatures by identities: everything that the crate leaves to its caller, around its verification.

use std::borrow::Cow;
use std::sync::Arc;

use sigstore_verify::types::{Bundle, KindVersion, TimestampVerificationData};
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError, VerificationPolicy};

use super::leaf::{Demands, Leaf};
use super::reading::Reading;
use super::signing::Signing;
use super::{Against, Certificate, Rejection, log, pins, time};
use crate::clock::Timestamp;
use crate::policy::{Authority, Keyless};
use crate::reason::Reason;
use crate::trust::Root;

/// Verifies that `reading` was made by the identity that `authority` wants, under `root`.
pub(super) fn verify(
    reading: &Reading<'_>,
    keyless: &Keyless,
    authority: &Authority,
    root: &Root,
    against: Against<'_>,
) -> Result<Signing, Rejection> {
    // 1. Whom the certificate names, before any cryptography: foreign evidence costs nothing.
    let certificate = reading.certificate.as_ref().map_err(Clone::clone)?;
    pins::check(certificate, keyless, against.revoked)?;
    reading.beside.clone()?;
    // 2. What must be there.
    let logged = !authority.skips_transparency_log();
    if logged && reading.entries().is_empty() {
        let detail = format!("`{}` demands a transparency log entry, and there is none", authority.name());
        return Err(Rejection::new(Reason::LogEntryMissing, detail));
    }
    log::check_all(&reading.bundle, root)?;
    let certified = !authority.skips_certificate_transparency();
    if certified && !certificate.logged() {
        let detail = "the certificate holds no proof that it was logged";
        return Err(Rejection::new(Reason::SctMissing, detail));
    }
    if certified && root.content().ctlogs.is_empty() {
        let detail = "the trusted root has no log of certificates to verify the proof of logging with";
        return Err(Rejection::new(Reason::SctInvalid, detail));
    }
    // 3. Chain, times, certificate log, entry, signature.
    let demands = Demands { logged, certified };
    let times = match Leaf::of(reading) {
        Some(leaf) => leaf.verify(reading, certificate, root, demands, against.now)?,
        None => by_crate(reading, certificate, root, demands, against.now)?,
    };
    time::check_past(&times, against.now)?;
    check_life(certificate, &times)?;
    let Some(earliest) = times.iter().min().copied() else {
        return Err(Rejection::new(Reason::TimestampMissing, "no verified time of signing"));
    };
    log::check_validity(&reading.bundle, root, earliest)?;
    Ok(Signing::by_identity(Arc::clone(certificate), earliest, reading.entries().first().filter(|_| logged)))
}

/// Lets the crate verify all but whom the certificate names. Says every verified time.
fn by_crate(
    reading: &Reading<'_>,
    certificate: &Certificate,
    root: &Root,
    Demands { logged, certified }: Demands,
    now: Timestamp,
) -> Result<Vec<Timestamp>, Rejection> {
    let mut policy = VerificationPolicy::any_identity();
    if !logged {
        policy = policy.skip_tlog_unsafe();
    }
    if !certified {
        policy = policy.skip_sct();
    }
    let result = root
        .verifier()
        .verify(reading.artifact.clone(), &stamped(reading, root), &policy)
        .map_err(|error| rejection(&error, reading, certificate, root, now))?;
    // It did what was asked of it.
    if !result.certificate_verified() || result.sct_verified() != certified || result.tlog_verified() != logged {
        return Err(Rejection::new(Reason::EvidenceUnsupported, "not everything was verified that must be"));
    }
    let mut times: Vec<_> = result.verified_timestamps().iter().map(|time| time::seconds(*time)).collect();
    if let Some((token, layer)) = &reading.layer_stamp
        && !root.content().timestamp_authorities.is_empty()
    {
        times.push(time::stamped(token, layer, root)?);
    }
    Ok(times)
}

/// The bundle, without time stamps where the root knows nobody who could have made them: the crate would refuse it for
/// them, and they say nothing.
fn stamped<'r>(reading: &'r Reading<'_>, root: &Root) -> Cow<'r, Bundle> {
    let stamps = &reading.bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
    if stamps.is_empty() || !root.content().timestamp_authorities.is_empty() {
        return Cow::Borrowed(&reading.bundle);
    }
    let mut bundle = reading.bundle.clone();
    bundle.verification_material.timestamp_verification_data = TimestampVerificationData::default();
    Cow::Owned(bundle)
}

/// The certificate was valid at every one of `times`.
pub(super) fn check_life(certificate: &Certificate, times: &[Timestamp]) -> Result<(), Rejection> {
    match times.iter().find(|time| !certificate.valid_at(**time)) {
        Some(time) => Err(Rejection::new(Reason::CertificateExpired, format!("it was not valid at {}", time.0))),
        None => Ok(()),
    }
}

/// The crate's error as a reason, by where it arose.
fn rejection(
    error: &Error,
    reading: &Reading<'_>,
    certificate: &Certificate,
    root: &Root,
    now: Timestamp,
) -> Rejection {
    let ahead = || v1_times(reading).map(|time| time.0.saturating_sub(now.0)).max().filter(|ahead| *ahead > 0);
    let reason = match error {
        Error::SignatureInvalid(_) => Reason::SignatureInvalid,
        Error::Certificate(error) => match error {
            CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => Reason::CertificateExpired,
            CertificateError::Sct(_) => Reason::SctInvalid,
            // The chain is tried at every verified time, and does not say that the time was what it failed for.
            _ if outlived(reading, certificate, root) => Reason::CertificateExpired,
            _ => Reason::CertificateInvalid,
        },
        Error::TransparencyLog(error) => match error {
            TransparencyLogError::EntryMismatch(_) | TransparencyLogError::MalformedEntry(_) => {
                Reason::LogEntryMismatch
            }
            TransparencyLogError::IntegratedTime(_) => match ahead() {
                Some(ahead) => {
                    let detail = format!("the log's clock is {ahead} s ahead of ours; it counts once that has passed");
                    return Rejection::new(Reason::LogEntryInvalid, detail);
                }
                None => Reason::CertificateExpired,
            },
            _ => Reason::LogEntryInvalid,
        },
        Error::Timestamp(TimestampError::NoVerifiedTimestamp(_)) => Reason::TimestampMissing,
        Error::Timestamp(_) => Reason::TimestampInvalid,
        // The subject was compared before: what differs is what the log has.
        Error::ArtifactMismatch(_) => Reason::LogEntryMismatch,
        Error::UnsupportedArtifact(_) | Error::UnsupportedBundle(_) => Reason::EvidenceUnsupported,
        Error::Bundle(error) => structure(error),
        // The root was fit for use when it was loaded; it has no certificate log of the proof's kind.
        Error::InvalidTrustRoot(_) => Reason::SctInvalid,
        _ => Reason::EvidenceMalformed,
    };
    Rejection::new(reason, error.to_string())
}

pub(super) fn structure(error: &sigstore_verify::bundle::Error) -> Reason {
    use sigstore_verify::bundle::Error;
    match error {
        Error::MissingInclusionPromise(_) | Error::MissingInclusionProof(_) | Error::MissingCheckpoint => {
            Reason::LogProofMissing
        }
        Error::MissingSigningTimeEvidence | Error::MissingTimestamp => Reason::TimestampMissing,
        Error::LogIndexOutOfRange { .. } | Error::CheckpointRootMismatch => Reason::LogEntryInvalid,
        _ => Reason::EvidenceUnsupported,
    }
}

/// Whether one of the times, which the crate had verified before it tried the chain, is outside the certificate's life.
fn outlived(reading: &Reading<'_>, certificate: &Certificate, root: &Root) -> bool {
    let stamps = &reading.bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
    let stamped = stamps.iter().filter_map(|stamp| {
        let signature = reading.signature()?;
        time::stamped(&stamp.signed_timestamp, signature, root).ok()
    });
    v1_times(reading).chain(stamped).any(|time| !certificate.valid_at(time))
}

/// The times at which the first version of the log says that it took the entries in.
fn v1_times(reading: &Reading<'_>) -> impl Iterator<Item = Timestamp> {
    let v1 = reading.entries().iter().filter(|entry| entry.kind_version != KindVersion::HashedRekordV002);
    v1.filter(|entry| entry.inclusion_promise.is_some()).filter_map(|entry| entry.integrated_time).map(time::seconds)
}
