//! The DSSE envelope: one payload, one signature, and the bytes that the signature covers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sigstore_verify::types::{DsseEnvelope, DsseSignature, KeyId, PayloadBytes, SignatureBytes};

use super::Rejection;
use crate::reason::Reason;
use crate::strict_json::Object;

/// An envelope as it stands in JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wire {
    payload: String,
    payload_type: String,
    signatures: Vec<Object<WireSignature>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    sig: String,
    /// Not authenticated and not needed: every key of the authority is tried.
    #[serde(rename = "keyid", default)]
    _keyid: Option<String>,
}

impl Wire {
    /// Refuses what is not one in-toto statement with one signature, both in standard base64 with padding.
    pub(super) fn check(&self) -> Result<&str, Rejection> {
        if self.payload_type != IN_TOTO {
            let detail = format!("payload type {:?}", shortened(&self.payload_type));
            return Err(Rejection::new(Reason::EvidenceUnsupported, detail));
        }
        let [Object(signature)] = self.signatures.as_slice() else {
            let detail = format!("{} signatures in one envelope, expected one", self.signatures.len());
            return Err(Rejection::new(Reason::EvidenceMalformed, detail));
        };
        standard("payload", &self.payload)?;
        standard("signature", &signature.sig)?;
        Ok(&signature.sig)
    }

    /// The envelope, nothing verified. The payload is decoded once: what is signed, parsed and matched are the same
    /// bytes.
    pub(super) fn envelope(&self) -> Result<DsseEnvelope, Rejection> {
        let signature = SignatureBytes::new(decode("signature", self.check()?)?);
        let payload = PayloadBytes::new(decode("payload", &self.payload)?);
        Ok(DsseEnvelope::new(IN_TOTO, payload, DsseSignature::new(signature, KeyId::default())))
    }
}

/// Refuses the other alphabet and missing padding, which the crate's parser would take as Protobuf's JSON does: nobody
/// who signs images writes those, and one text should have one meaning.
fn standard(what: &str, text: &str) -> Result<(), Rejection> {
    // As bytes: a payload can be large, and looking for characters is slow.
    let has = |byte| text.as_bytes().contains(&byte);
    if has(b'-') || has(b'_') || !text.len().is_multiple_of(4) {
        let detail = format!("the {what} is not standard base64 with padding");
        return Err(Rejection::new(Reason::EvidenceMalformed, detail));
    }
    Ok(())
}

/// Decodes standard base64 with padding.
pub(super) fn decode(what: &str, text: &str) -> Result<Vec<u8>, Rejection> {
    STANDARD
        .decode(text)
        .map_err(|error| Rejection::new(Reason::EvidenceMalformed, format!("the {what} is not base64: {error}")))
}

/// A foreign text, cut to a length that may stand in a log line.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

const IN_TOTO: &str = "application/vnd.in-toto+json";
