//! Signatures by keys: the signature itself, and what its authority demands beside it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sigstore_verify::types::Artifact;

use super::reading::Reading;
use super::signing::Signing;
use super::{Against, Rejection, binding, inclusion, log, time};
use crate::clock::Timestamp;
use crate::oci::Digest;
use crate::policy::{Authority, PublicKey};
use crate::reason::Reason;
use crate::trust::Root;

/// Verifies that one of `keys` made `reading`, with a log entry under `root` if `authority` demands one.
pub(super) fn verify(
    reading: &Reading<'_>,
    keys: &[PublicKey],
    authority: &Authority,
    root: Option<&Root>,
    against: Against<'_>,
) -> Result<Signing, Rejection> {
    let hint = reading.key.as_ref().map_err(Clone::clone)?;
    let logged = !authority.skips_transparency_log();
    if logged {
        // What is missing, before any cryptography.
        reading.beside.clone()?;
        if root.is_none() || reading.entries().is_empty() {
            let detail = format!("`{}` demands a transparency log entry, and there is none", authority.name());
            return Err(Rejection::new(Reason::LogEntryMissing, detail));
        }
    }
    let key = signer_of(reading, keys, authority, hint.as_deref())?;
    if against.revoked.key(key) {
        let detail = format!("signed with the key {}, which is revoked", key.fingerprint());
        return Err(Rejection::new(Reason::Revoked, detail));
    }
    let mut times = Vec::new();
    if let Some(root) = root {
        if logged {
            times.extend(entries(reading, key, root, against.now)?);
        }
        times.extend(stamps(reading, root)?);
    }
    time::check_past(&times, against.now)?;
    let earliest = times.iter().min().copied();
    if let Some(root) = root.filter(|_| logged) {
        log::check_validity(&reading.bundle, root, earliest.unwrap_or(against.now))?;
    }
    if !authority.validity().contains(earliest.unwrap_or(against.now)) {
        let when = earliest.map_or("now".into(), |time| format!("when it signed, at {}", time.0));
        return Err(Rejection::new(Reason::KeyMismatch, format!("no key of `{}` counts {when}", authority.name())));
    }
    Ok(Signing::by_key(key, earliest, reading.entries().first().filter(|_| logged)))
}

/// Which of `keys` made the signature. `hint` is what the evidence says about its key; it never decides.
fn signer_of<'k>(
    reading: &Reading<'_>,
    keys: &'k [PublicKey],
    authority: &Authority,
    hint: Option<&str>,
) -> Result<&'k PublicKey, Rejection> {
    let signature = reading.signature().map(AsRef::as_ref).unwrap_or_default();
    let message = reading.message();
    let verifies = |key: &&PublicKey| match (&message, &reading.artifact) {
        (Some(message), _) => key.verifies(message, signature),
        (None, Artifact::Digest(digest)) => <[u8; 32]>::try_from(digest.as_bytes())
            .is_ok_and(|digest| key.verifies_digest(&Digest::from_bytes(digest), signature)),
        _ => false,
    };
    if let Some(key) = keys.iter().find(verifies) {
        return Ok(key);
    }
    let hinted = |key: &PublicKey| hint == Some(STANDARD.encode(key.fingerprint().as_bytes()).as_str());
    Err(match keys.iter().find(|key| hinted(key)) {
        Some(key) => Rejection::new(
            Reason::SignatureInvalid,
            format!("the signature names the key {} and does not verify with it", key.fingerprint()),
        ),
        None => Rejection::new(
            Reason::KeyMismatch,
            format!("no key of `{}` verifies it: another key signed, or the content was changed", authority.name()),
        ),
    })
}

/// Verifies every log entry, and says when the log took them in, where it promised that.
fn entries(reading: &Reading<'_>, key: &PublicKey, root: &Root, now: Timestamp) -> Result<Vec<Timestamp>, Rejection> {
    log::check_all(&reading.bundle, root)?;
    let mut times = Vec::new();
    for entry in reading.entries() {
        binding::check(entry, reading, key)?;
        times.extend(inclusion::verify(entry, root, now)?);
    }
    Ok(times)
}

/// Verifies every time stamp there is, if the root knows anybody who could have made them.
fn stamps(reading: &Reading<'_>, root: &Root) -> Result<Vec<Timestamp>, Rejection> {
    let over_signature = &reading.bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
    let mut times = Vec::new();
    if root.content().timestamp_authorities.is_empty() {
        return Ok(times);
    }
    for stamp in over_signature {
        let signature = reading.signature().ok_or_else(|| Rejection::new(Reason::TimestampInvalid, "no signature"))?;
        times.push(time::stamped(&stamp.signed_timestamp, signature, root)?);
    }
    if let Some((token, layer)) = &reading.layer_stamp {
        times.push(time::stamped(token, layer, root)?);
    }
    Ok(times)
}
