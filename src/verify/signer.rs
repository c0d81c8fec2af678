//! For tests: signs as cosign does, with keys made on the spot.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::oci::Digest;
use crate::oci::media_type::BUNDLE_V03;
use crate::policy::{Authority, PublicKey};

/// A key pair as `cosign generate-key-pair` makes.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"))
    }

    fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der = self.0.public_key().as_der().expect("a public key");
        der.as_ref().to_vec()
    }

    pub(crate) fn public(&self) -> PublicKey {
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(self.spki()));
        PublicKey::from_pem(&pem).expect("a P-256 key")
    }

    pub(crate) fn authority(&self, name: &str) -> Authority {
        Authority::of_keys(name, vec![self.public()])
    }

    pub(crate) fn hint(&self) -> String {
        STANDARD.encode(Digest::of(&self.spki()).as_bytes())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.0.sign(&SystemRandom::new(), message).expect("a signature"))
    }

    /// An envelope over `payload`, of type `payload_type`.
    pub(crate) fn envelope(&self, payload_type: &str, payload: &[u8]) -> Value {
        let signed = sigstore_verify::types::pae(payload_type, payload);
        json!({
            "payload": STANDARD.encode(payload),
            "payloadType": payload_type,
            "signatures": [{ "sig": self.sign(&signed) }],
        })
    }

    /// A bundle over `payload`.
    pub(crate) fn bundle(&self, payload: &[u8]) -> Value {
        json!({
            "mediaType": BUNDLE_V03,
            "verificationMaterial": { "publicKey": { "hint": self.hint() }, "timestampVerificationData": {} },
            "dsseEnvelope": self.envelope(IN_TOTO, payload),
        })
    }
}

/// A statement about `subject`.
pub(crate) fn statement(subject: &Digest, predicate_type: &str) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": subject.hex() } }],
        "predicateType": predicate_type,
        "predicate": {},
    })
}

/// A simple-signing payload about `subject`.
pub(crate) fn simple_signing(subject: &Digest) -> Value {
    json!({
        "critical": {
            "identity": { "docker-reference": "registry.test/app" },
            "image": { "docker-manifest-digest": subject.to_string() },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
}

pub(crate) fn bytes(value: &Value) -> bytes::Bytes {
    value.to_string().into()
}

/// `value` with what `pointer` points to replaced by `with`; a new member is added.
pub(crate) fn edited(value: &Value, pointer: &str, with: Value) -> Value {
    let mut copy = value.clone();
    if let Some(place) = copy.pointer_mut(pointer) {
        *place = with;
    } else {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = copy.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
        parent.insert(name.into(), with);
    }
    copy
}

/// `value` without what `pointer` points to.
pub(crate) fn without(value: &Value, pointer: &str) -> Value {
    let mut copy = value.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match copy.pointer_mut(parent).expect("a parent") {
        Value::Object(members) => drop(members.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().expect("an index"))),
        _ => unreachable!("a scalar has no members"),
    }
    copy
}

pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";
pub(crate) const SBOM: &str = "https://cyclonedx.org/bom";
