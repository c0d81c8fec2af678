//! Signs images with a key, in the documents that cosign writes: simple-signing payloads, DSSE envelopes and Sigstore
//! bundles, without a transparency log. Where they are stored is the business of [`super::cosign`].

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::sigstore::Key;
use crate::oci::Digest;
use crate::oci::media_type::BUNDLE_V03;

/// A private key that signs, made for one run and never written anywhere.
#[derive(Debug)]
pub struct Signer(Key);

impl Signer {
    /// Makes a key: ECDSA over P-256, as `cosign generate-key-pair` does.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate() -> io::Result<Self> {
        Key::p256().map(Self)
    }

    /// The public key, as in `cosign.pub`.
    pub fn public_key_pem(&self) -> String {
        self.0.public_pem()
    }

    /// Signs `message`: ASN.1, over its SHA-256.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn sign(&self, message: &[u8]) -> io::Result<Vec<u8>> {
        self.0.sign(message)
    }

    /// Wraps a statement in a signed DSSE envelope.
    ///
    /// # Errors
    /// If signing fails.
    pub fn envelope(&self, statement: &Value) -> io::Result<Value> {
        let payload = statement.to_string();
        let signature = self.sign(&pae(IN_TOTO, payload.as_bytes()))?;
        Ok(json!({
            "payload": STANDARD.encode(payload),
            "payloadType": IN_TOTO,
            "signatures": [{ "sig": STANDARD.encode(signature) }],
        }))
    }

    /// Wraps a statement in a Sigstore bundle, version 0.3, that names this key and no log entry.
    ///
    /// # Errors
    /// If signing fails.
    pub fn bundle(&self, statement: &Value) -> io::Result<Value> {
        // The hint by which cosign finds the key again.
        let hint = STANDARD.encode(self.0.id());
        Ok(json!({
            "mediaType": BUNDLE_V03,
            "verificationMaterial": { "publicKey": { "hint": hint } },
            "dsseEnvelope": self.envelope(statement)?,
        }))
    }
}

/// The statement that `cosign sign` makes from version 3 on: a signature is an attestation without content.
pub fn signature_statement(subject: Digest) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": subject.hex() } }],
        "predicateType": SIGN,
        "predicate": {},
    })
}

/// The statement that `cosign attest` makes about the image `name`.
pub fn attestation_statement(name: &str, subject: Digest, predicate_type: &str, predicate: &Value) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{ "name": name, "digest": { "sha256": subject.hex() } }],
        "predicateType": predicate_type,
        "predicate": predicate,
    })
}

/// The payload that `cosign sign` signs up to version 2.
pub fn simple_signing_payload(name: &str, subject: Digest) -> Value {
    json!({
        "critical": {
            "identity": { "docker-reference": name },
            "image": { "docker-manifest-digest": subject },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
}

/// What a DSSE signature covers: DSSE version 1, "pre-authentication encoding".
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// The predicate type of a signature.
pub const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
/// The payload type of an in-toto statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PublicKey;

    fn decode(value: &Value) -> Vec<u8> {
        STANDARD.decode(value.as_str().expect("text")).expect("base64")
    }

    #[test]
    fn the_policy_reads_the_key_and_its_signatures() {
        let signer = Signer::generate().expect("a key");
        let key = PublicKey::from_pem(&signer.public_key_pem()).expect("a key that a policy can name");
        let signature = signer.sign(b"message").expect("a signature");
        assert!(key.verifies(b"message", &signature));
        assert!(!key.verifies(b"another message", &signature));
        let foreign = Signer::generate().expect("a key").sign(b"message").expect("a signature");
        assert!(!key.verifies(b"message", &foreign));
    }

    #[test]
    fn a_bundle_signs_the_encoding_of_its_statement() {
        let signer = Signer::generate().expect("a key");
        let key = PublicKey::from_pem(&signer.public_key_pem()).expect("a key");
        let subject = Digest::of(b"a manifest");
        let bundle = signer.bundle(&signature_statement(subject)).expect("a bundle");
        let envelope = &bundle["dsseEnvelope"];
        let payload = decode(&envelope["payload"]);
        let mut covered = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len()).into_bytes();
        covered.extend_from_slice(&payload);
        assert!(key.verifies(&covered, &decode(&envelope["signatures"][0]["sig"])));
        assert_eq!(decode(&bundle["verificationMaterial"]["publicKey"]["hint"]), key.fingerprint().as_bytes());
        let statement: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(statement["subject"][0]["digest"]["sha256"], subject.hex());
        assert_eq!(statement["predicateType"], "https://sigstore.dev/cosign/sign/v1");
    }

    #[test]
    fn the_example_of_the_dsse_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}
