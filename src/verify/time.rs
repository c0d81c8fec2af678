//! Verified times: what a time stamp authority says, and that no clock runs ahead of ours.

use sigstore_verify::tsa;
use sigstore_verify::types::{SignatureBytes, TimestampToken};

use super::Rejection;
use super::reading::Reading;
use crate::clock::Timestamp;
use crate::reason::Reason;
use crate::trust::Root;

/// Refuses tokens that are larger than any that authorities make, before they are parsed: what it takes to sort the sets
/// in one grows with the square of its size, and nobody signs all that stands in it.
pub(super) fn check_sizes<'t>(tokens: impl Iterator<Item = &'t TimestampToken>) -> Result<(), Rejection> {
    let mut all = 0;
    for token in tokens.map(TimestampToken::as_bytes) {
        super::at_most("bytes of a time stamp", token.len(), MAX_TOKEN)?;
        all += token.len();
    }
    super::at_most("bytes of time stamps", all, MAX_TOKENS)
}

/// When one of the root's authorities stamped `over`.
pub(super) fn stamped(token: &TimestampToken, over: &SignatureBytes, root: &Root) -> Result<Timestamp, Rejection> {
    let authorities = root.content().tsa_authorities();
    let mut why = "the trusted root has no time stamp authority".to_string();
    for authority in &authorities {
        match tsa::verify_timestamp_for_authority(token, over, authority) {
            Ok(time) => return Ok(seconds(time)),
            Err(error) => why = error.to_string(),
        }
    }
    Err(Rejection::new(Reason::TimestampInvalid, format!("the time stamp: {why}")))
}

/// Verifies every time stamp there is, if the root knows anybody who could have made them.
pub(super) fn stamps(reading: &Reading<'_>, root: &Root) -> Result<Vec<Timestamp>, Rejection> {
    let over_signature = &reading.bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
    let mut times = Vec::new();
    if root.content().timestamp_authorities.is_empty() {
        return Ok(times);
    }
    for stamp in over_signature {
        let signature = reading.signature().ok_or_else(|| Rejection::new(Reason::TimestampInvalid, "no signature"))?;
        times.push(stamped(&stamp.signed_timestamp, signature, root)?);
    }
    if let Some((token, layer)) = &reading.layer_stamp {
        times.push(stamped(token, layer, root)?);
    }
    Ok(times)
}

/// Refuses times that have not come yet. Clocks differ a little; more than that proves nothing about the past.
pub(super) fn check_past(times: &[Timestamp], now: Timestamp) -> Result<(), Rejection> {
    match times.iter().find(|time| time.0 > now.0.saturating_add(SKEW)) {
        None => Ok(()),
        Some(time) => {
            let detail = format!("signed {} s from now by its time stamp", time.0 - now.0);
            Err(Rejection::new(Reason::TimestampInvalid, detail))
        }
    }
}

/// An instant as the crates write it.
pub(super) fn instant(time: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(i64::try_from(time.0).ok()?).ok()
}

/// An instant as we write it.
pub(super) fn seconds(time: jiff::Timestamp) -> Timestamp {
    Timestamp(u64::try_from(time.as_second()).unwrap_or(0))
}

/// By how many seconds another clock may be ahead of ours.
const SKEW: u64 = 60;
/// Bytes of one time stamp: with the certificates of its authority it has some 6 KiB.
const MAX_TOKEN: usize = 16 << 10;
/// Bytes of all time stamps of one signature.
const MAX_TOKENS: usize = 64 << 10;
