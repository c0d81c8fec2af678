//! What makes a manifest an evidence artifact: every one of its blobs is evidence by its bytes, whoever made it.
//!
//! Media types, annotations and a platform called `unknown` prove nothing: an image whose layers are merely relabelled
//! still runs. So what is read here must be a document of the kind that its media type says, about some digest, and no
//! archive that an unpacker would take for a layer.

use super::bundle::{self, Accept};
use super::envelope::Wire;
use super::{Rejection, simple_signing, statement};
use crate::limits::Limits;
use crate::oci::media_type::{BUNDLE_V03, DSSE, IN_TOTO, SIMPLE_SIGNING};
use crate::reason::Reason;
use crate::strict_json;

/// The most bytes that a layer of this media type may have; nothing if that is no type of evidence.
pub fn max_size(media_type: &str, limits: &Limits) -> Option<u64> {
    match media_type {
        BUNDLE_V03 => Some(bundle::max_size(limits)),
        DSSE | IN_TOTO => Some(limits.attestation),
        SIMPLE_SIGNING => Some(limits.bundle),
        _ => None,
    }
}

/// Refuses `bytes` unless they are one piece of evidence of the kind that `media_type` names, about some digest.
///
/// # Errors
/// What they are not.
pub fn layer(media_type: &str, bytes: &[u8], limits: &Limits) -> Result<(), Rejection> {
    let Some(most) = max_size(media_type, limits) else {
        return Err(Rejection::new(Reason::EvidenceUnsupported, "not a media type of evidence"));
    };
    super::bounded(bytes, most)?;
    if is_archive(bytes) {
        return Err(Rejection::new(Reason::EvidenceMalformed, "it begins as an archive does"));
    }
    match media_type {
        BUNDLE_V03 => {
            let bundle = bundle::parse(bytes, Accept::Image, limits)?;
            match &bundle.content {
                sigstore_verify::types::SignatureContent::DsseEnvelope(envelope) => {
                    statement::names_a_digest(envelope.payload.as_bytes(), limits)
                }
                _ => Err(Rejection::new(Reason::EvidenceUnsupported, "no envelope")),
            }
        }
        DSSE => {
            let envelope = super::object::<Wire>("DSSE envelope", bytes)?.envelope()?;
            statement::names_a_digest(envelope.payload.as_bytes(), limits)
        }
        SIMPLE_SIGNING => simple_signing::names_a_digest(bytes),
        _ => statement::names_a_digest(bytes, limits),
    }
}

/// Refuses `bytes` unless they are a config that may stand beside evidence: some JSON object.
///
/// # Errors
/// What they are not.
pub fn config(bytes: &[u8]) -> Result<(), Rejection> {
    super::bounded(bytes, MAX_CONFIG)?;
    strict_json::unambiguous_to_all(bytes)
        .map_err(|error| Rejection::new(Reason::EvidenceMalformed, format!("the config: {error}")))
}

/// Whether `bytes` begin with the header of a tar archive. JSON has no NUL, but the oldest format needs none: a document
/// could be written so that its first 512 bytes are a header and the rest is a file.
fn is_archive(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..512) else { return false };
    let stated = header.get(CHECKSUM).and_then(|field| std::str::from_utf8(field).ok());
    let stated = stated.and_then(|text| u32::from_str_radix(text.trim_matches([' ', '\0']), 8).ok());
    let plain: u32 = header.iter().enumerate().map(|(at, byte)| weight(at, *byte)).sum();
    // Some have summed up bytes with a sign.
    let high = header.iter().enumerate().filter(|(at, byte)| !CHECKSUM.contains(at) && **byte >= 128).count();
    let signed = u32::try_from(high * 256).ok().and_then(|high| plain.checked_sub(high));
    stated.is_some() && (stated == Some(plain) || stated == signed)
}

fn weight(at: usize, byte: u8) -> u32 {
    u32::from(if CHECKSUM.contains(&at) { b' ' } else { byte })
}

/// Where a tar header has its checksum, which is counted as blanks.
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// Bytes of a config.
pub const MAX_CONFIG: u64 = 64 << 10;

#[cfg(test)]
mod tests;
