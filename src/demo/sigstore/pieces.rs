//! A signature with everything that speaks for it, each part on its own; and its two forms, the Sigstore bundle and
//! cosign's legacy annotations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::base64;
use super::key::{Key, pem, sha256};
use super::log::Entry;
use crate::demo::signer::{IN_TOTO, pae};
use crate::oci::media_type::BUNDLE_V03;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A DSSE envelope around a payload.
    Envelope {
        /// The payload's type.
        payload_type: String,
        /// The payload.
        payload: Vec<u8>,
    },
    /// Bytes as they are, such as a simple-signing payload.
    Message(Vec<u8>),
}

impl Content {
    /// An in-toto statement.
    pub fn statement(statement: &Value) -> Self {
        Self::Envelope { payload_type: IN_TOTO.into(), payload: statement.to_string().into_bytes() }
    }

    /// A JSON document that is signed as it is.
    pub fn document(document: &Value) -> Self {
        Self::Message(document.to_string().into_bytes())
    }

    /// The bytes that the signature covers.
    pub fn message(&self) -> Vec<u8> {
        match self {
            Self::Envelope { payload_type, payload } => pae(payload_type, payload),
            Self::Message(message) => message.clone(),
        }
    }

    /// The bytes without their envelope.
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Envelope { payload, .. } => payload,
            Self::Message(message) => message,
        }
    }

    /// The type that the envelope states; empty without one.
    pub fn payload_type(&self) -> &str {
        match self {
            Self::Envelope { payload_type, .. } => payload_type,
            Self::Message(_) => "",
        }
    }
}

/// A signature and its evidence.
#[derive(Debug, Clone)]
pub struct Pieces {
    /// What is signed.
    pub content: Content,
    /// The signature.
    pub signature: Vec<u8>,
    /// The key that made it.
    pub key: Key,
    /// The certificate for it; none for a key that is known by itself.
    pub certificate: Option<Vec<u8>>,
    /// Who issued the certificate, the root last.
    pub chain: Vec<Vec<u8>>,
    /// What logs say.
    pub entries: Vec<Entry>,
    /// What time stamp authorities say.
    pub stamps: Vec<Vec<u8>>,
}

impl Pieces {
    /// The Sigstore bundle, version 0.3.
    pub fn bundle(&self) -> Value {
        let mut material = match &self.certificate {
            Some(certificate) => json!({ "certificate": { "rawBytes": base64(certificate) } }),
            None => json!({ "publicKey": { "hint": base64(&self.key.id()) } }),
        };
        if !self.entries.is_empty() {
            material["tlogEntries"] = self.entries.iter().map(Entry::json).collect();
        }
        if !self.stamps.is_empty() {
            let stamps: Vec<_> = self.stamps.iter().map(|stamp| json!({ "signedTimestamp": base64(stamp) })).collect();
            material["timestampVerificationData"] = json!({ "rfc3161Timestamps": stamps });
        }
        let mut bundle = json!({ "mediaType": BUNDLE_V03, "verificationMaterial": material });
        match &self.content {
            Content::Envelope { payload_type, payload } => {
                bundle["dsseEnvelope"] = json!({
                    "payload": base64(payload),
                    "payloadType": payload_type,
                    "signatures": [{ "sig": base64(&self.signature) }],
                });
            }
            Content::Message(message) => {
                bundle["messageSignature"] = json!({
                    "messageDigest": { "algorithm": "SHA2_256", "digest": base64(&sha256(message)) },
                    "signature": base64(&self.signature),
                });
            }
        }
        bundle
    }

    /// The layer of a legacy tag: the payload of `.sig`, the envelope of `.att`.
    pub fn layer(&self) -> Vec<u8> {
        match &self.content {
            Content::Envelope { payload_type, payload } => json!({
                "payload": base64(payload),
                "payloadType": payload_type,
                "signatures": [{ "keyid": "", "sig": base64(&self.signature) }],
            })
            .to_string()
            .into_bytes(),
            Content::Message(message) => message.clone(),
        }
    }

    /// The annotations that cosign puts beside that layer. There is room for one log entry and one time stamp.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let signature = match &self.content {
            Content::Envelope { .. } => String::new(),
            Content::Message(_) => base64(&self.signature),
        };
        let mut found = BTreeMap::from([(SIGNATURE.to_string(), signature)]);
        if let Some(certificate) = &self.certificate {
            found.insert(CERTIFICATE.into(), pem("CERTIFICATE", certificate));
            found.insert(CHAIN.into(), self.chain.iter().map(|one| pem("CERTIFICATE", one)).collect());
        }
        if let Some(entry) = self.entries.first() {
            found.insert(BUNDLE.into(), entry.annotation().to_string());
        }
        if let Some(stamp) = self.stamps.first() {
            found.insert(TIMESTAMP.into(), json!({ "SignedRFC3161Timestamp": base64(stamp) }).to_string());
        }
        found
    }
}

/// The annotation with the signature.
pub const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation with the certificate.
pub const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// The annotation with its issuers.
pub const CHAIN: &str = "dev.sigstore.cosign/chain";
/// The annotation with the log entry.
pub const BUNDLE: &str = "dev.sigstore.cosign/bundle";
/// The annotation with the time stamp.
pub const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
