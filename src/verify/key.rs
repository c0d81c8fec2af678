//! Signatures by keys: the signature itself, and what its authority demands beside it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::binding::Maker;
use super::reading::Reading;
use super::signing::Signing;
use super::{Against, Rejection, binding, inclusion, log, time};
use crate::clock::Timestamp;
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
        times.extend(time::stamps(reading, root)?);
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
    if let Some(key) = keys.iter().find(|key| reading.signed_by(key)) {
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
        binding::check(entry, reading, Maker::Key(key.spki()))?;
        times.extend(inclusion::verify(entry, root, now)?);
    }
    Ok(times)
}
