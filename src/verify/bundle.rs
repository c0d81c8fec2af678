//! The Sigstore bundle, version 0.3: taken apart strictly, nothing verified.
//!
//! The members are read twice: here, so that an unknown or a second alternative is refused (the crate takes the first
//! that it knows), and by `sigstore-verify`'s parser, so that log entries and time stamps are at least well formed.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sigstore_verify::types::Bundle;

use super::Rejection;
use super::envelope::{Envelope, Wire, shortened};
use crate::limits::Limits;
use crate::oci::media_type::BUNDLE_V03;
use crate::reason::Reason;

/// A bundle whose content is one envelope, made with a key.
pub(super) struct KeyBundle {
    /// The envelope.
    pub(super) envelope: Envelope,
    /// Which key made it, so it says; only a hint.
    pub(super) hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireBundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Wire>,
    message_signature: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Material {
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
    public_key: Option<PublicKey>,
    tlog_entries: Option<Vec<IgnoredAny>>,
    timestamp_verification_data: Option<Timestamps>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicKey {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Timestamps {
    rfc3161_timestamps: Option<Vec<IgnoredAny>>,
}

/// The most bytes that a bundle may have. Only its payload tells whether it is a signature or an attestation, which
/// may carry a whole SBOM; [`super::statement`] holds signatures to the smaller limit.
pub fn max_size(limits: &Limits) -> u64 {
    limits.bundle.max(limits.attestation)
}

/// Parses `json` as a bundle for an authority of keys.
pub(super) fn parse(json: &[u8], limits: &Limits) -> Result<KeyBundle, Rejection> {
    super::bounded(json, max_size(limits))?;
    let malformed = |why: String| Rejection::new(Reason::EvidenceMalformed, why);
    let wire: WireBundle = super::object("bundle", json)?;
    if wire.media_type != BUNDLE_V03 {
        let detail = format!("bundle of media type {:?}", shortened(&wire.media_type));
        return Err(Rejection::new(Reason::EvidenceUnsupported, detail));
    }
    let material = &wire.verification_material;
    let stamps = material.timestamp_verification_data.as_ref().and_then(|data| data.rfc3161_timestamps.as_ref());
    let entries = material.tlog_entries.as_ref().map_or(0, Vec::len);
    for (what, count, most) in
        [("log entries", entries, limits.log_entries), ("time stamps", stamps.map_or(0, Vec::len), limits.timestamps)]
    {
        if count > most {
            let detail = format!("{count} {what}, at most {most} are read");
            return Err(Rejection::new(Reason::EvidenceTooLarge, detail));
        }
    }
    let text = std::str::from_utf8(json).map_err(|error| malformed(error.to_string()))?;
    Bundle::from_json(text).map_err(|error| malformed(format!("not a bundle: {error}")))?;

    let hint = match (&material.public_key, &material.certificate, &material.x509_certificate_chain) {
        (Some(key), None, None) => key.hint.clone(),
        (None, Some(_), None) => {
            return Err(Rejection::new(Reason::KeyMismatch, "signed with a certificate, not with a key"));
        }
        (None, None, Some(_)) => {
            return Err(Rejection::new(Reason::EvidenceUnsupported, "a certificate chain in a version 0.3 bundle"));
        }
        _ => return Err(malformed("neither one public key nor one certificate".into())),
    };
    match (&wire.dsse_envelope, &wire.message_signature) {
        (Some(envelope), None) => Ok(KeyBundle { envelope: Envelope::from_wire(envelope)?, hint }),
        (None, Some(_)) => {
            Err(Rejection::new(Reason::EvidenceUnsupported, "a signature of a blob, not a signed statement"))
        }
        _ => Err(malformed("neither one envelope nor one message signature".into())),
    }
}
