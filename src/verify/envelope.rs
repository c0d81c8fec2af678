//! The DSSE envelope: one payload, one signature, and the bytes that the signature covers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Rejection;
use crate::reason::Reason;

/// An envelope of exactly one signature, nothing verified.
///
/// The payload is decoded once: what is signed, parsed and matched are the same bytes.
pub(super) struct Envelope {
    /// The signed document.
    pub(super) payload: Vec<u8>,
    /// The signature as it came, ASN.1 for ECDSA.
    pub(super) signature: Vec<u8>,
}

/// An envelope as it stands in JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wire {
    payload: String,
    payload_type: String,
    signatures: Vec<WireSignature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    sig: String,
    /// Not authenticated and not needed: every key of the authority is tried.
    #[serde(rename = "keyid", default)]
    _keyid: Option<String>,
}

impl Envelope {
    /// Takes an envelope apart; its payload must be declared an in-toto statement.
    pub(super) fn from_wire(wire: &Wire) -> Result<Self, Rejection> {
        if wire.payload_type != IN_TOTO {
            let detail = format!("payload type {:?}", shortened(&wire.payload_type));
            return Err(Rejection::new(Reason::EvidenceUnsupported, detail));
        }
        let [signature] = wire.signatures.as_slice() else {
            let detail = format!("{} signatures in one envelope, expected one", wire.signatures.len());
            return Err(Rejection::new(Reason::EvidenceMalformed, detail));
        };
        Ok(Self { payload: decode("payload", &wire.payload)?, signature: decode("signature", &signature.sig)? })
    }

    /// What the signature covers: the pre-authentication encoding of the DSSE specification.
    pub(super) fn signed_bytes(&self) -> Vec<u8> {
        sigstore_verify::types::pae(IN_TOTO, &self.payload)
    }
}

/// Decodes standard base64 with padding. Protobuf's JSON would allow the URL alphabet and missing padding; nobody who signs
/// images writes those, and one text should have one meaning.
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
