//! What a log keeps of a signature: the canonical bodies of its entries.

use serde_json::{Value, json};

use super::key::{pem, sha256};
use super::log::Version;
use super::pieces::{Content, Pieces};
use super::{base64, hex};

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `dsse` 0.0.1: an envelope.
    Dsse,
    /// `hashedrekord` 0.0.1: the hash of a message and its signature.
    HashedRekord,
    /// `hashedrekord` 0.0.2, the only one of Rekor v2.
    HashedRekordV2,
    /// `intoto` 0.0.1: an envelope's hash without its signature.
    InTotoV1,
    /// `intoto` 0.0.2: an envelope, its signature twice in base64.
    InTotoV2,
}

impl Kind {
    /// The kind that cosign asks a log for.
    pub fn natural(version: Version, content: &Content) -> Self {
        match (version, content) {
            (Version::V2, _) => Self::HashedRekordV2,
            (Version::V1, Content::Envelope { .. }) => Self::Dsse,
            (Version::V1, Content::Message(_)) => Self::HashedRekord,
        }
    }

    /// The kind and its version in words.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Dsse => ("dsse", "0.0.1"),
            Self::HashedRekord => ("hashedrekord", "0.0.1"),
            Self::HashedRekordV2 => ("hashedrekord", "0.0.2"),
            Self::InTotoV1 => ("intoto", "0.0.1"),
            Self::InTotoV2 => ("intoto", "0.0.2"),
        }
    }

    /// The body about `pieces`: canonical JSON.
    pub fn body(self, pieces: &Pieces) -> Vec<u8> {
        let verifier = match &pieces.certificate {
            Some(certificate) => pem("CERTIFICATE", certificate),
            None => pem("PUBLIC KEY", &pieces.key.spki()),
        };
        let verifier = base64(verifier.as_bytes());
        let (payload, message) = (pieces.content.payload(), pieces.content.message());
        let signature = base64(&pieces.signature);
        let spec = match self {
            Self::Dsse => json!({
                "envelopeHash": hash(&pieces.layer()),
                "payloadHash": hash(payload),
                "signatures": [{ "signature": signature, "verifier": verifier }],
            }),
            Self::HashedRekord => json!({
                "data": { "hash": hash(&message) },
                "signature": { "content": signature, "publicKey": { "content": verifier } },
            }),
            Self::HashedRekordV2 => json!({ "hashedRekordV002": {
                "data": { "algorithm": "SHA2_256", "digest": base64(&sha256(&message)) },
                "signature": { "content": signature, "verifier": raw_verifier(pieces) },
            }}),
            Self::InTotoV1 => json!({ "content": { "hash": hash(&pieces.layer()) }, "publicKey": verifier }),
            Self::InTotoV2 => json!({ "content": {
                "envelope": {
                    "payloadType": pieces.content.payload_type(),
                    "signatures": [{ "publicKey": verifier, "sig": base64(signature.as_bytes()) }],
                },
                "hash": hash(&pieces.layer()),
                "payloadHash": hash(payload),
            }}),
        };
        let (kind, version) = self.words();
        json!({ "apiVersion": version, "kind": kind, "spec": spec }).to_string().into_bytes()
    }
}

fn hash(bytes: &[u8]) -> Value {
    json!({ "algorithm": "sha256", "value": hex(&sha256(bytes)) })
}

/// The verifier as Rekor v2 has it.
fn raw_verifier(pieces: &Pieces) -> Value {
    let (member, der) = match &pieces.certificate {
        Some(certificate) => ("x509Certificate", certificate.clone()),
        None => ("publicKey", pieces.key.spki()),
    };
    json!({ "keyDetails": pieces.key.details(), member: { "rawBytes": base64(&der) } })
}
