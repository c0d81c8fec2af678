//! Keys of the virtual services and of those who sign.

use std::fmt;
use std::io;
use std::sync::Arc;

use rcgen::{KeyPair, PublicKeyData, SigningKey};

use crate::oci::Digest;

/// A private key that is made for one run and never written anywhere. Clones are the same key.
#[derive(Clone)]
pub struct Key(Arc<KeyPair>);

impl Key {
    /// Makes an ECDSA key over P-256, which signs with SHA-256.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn p256() -> io::Result<Self> {
        Self::of(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    /// Makes a key for another algorithm of `rcgen`.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn of(algorithm: &'static rcgen::SignatureAlgorithm) -> io::Result<Self> {
        KeyPair::generate_for(algorithm).map(|pair| Self(Arc::new(pair))).map_err(io::Error::other)
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn sign(&self, message: &[u8]) -> io::Result<Vec<u8>> {
        SigningKey::sign(&*self.0, message).map_err(io::Error::other)
    }

    /// The subject public key info, as DER.
    pub fn spki(&self) -> Vec<u8> {
        self.0.subject_public_key_info()
    }

    /// What the subject public key info hashes to: how logs and cosign name keys.
    pub fn id(&self) -> Vec<u8> {
        sha256(&self.spki())
    }

    /// The public key as in `cosign.pub`.
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki())
    }

    /// Its kind, in the words of `sigstore_common.proto`.
    pub fn details(&self) -> &'static str {
        let algorithm = self.0.algorithm();
        let known = [
            (&rcgen::PKCS_ECDSA_P256_SHA256, "PKIX_ECDSA_P256_SHA_256"),
            (&rcgen::PKCS_ECDSA_P384_SHA384, "PKIX_ECDSA_P384_SHA_384"),
            (&rcgen::PKCS_ECDSA_P521_SHA512, "PKIX_ECDSA_P521_SHA_512"),
            (&rcgen::PKCS_ED25519, "PKIX_ED25519"),
            (&rcgen::PKCS_RSA_SHA256, "PKIX_RSA_PKCS1V15_2048_SHA256"),
        ];
        known.iter().find(|(one, _)| *one == algorithm).map_or("PUBLIC_KEY_DETAILS_UNSPECIFIED", |(_, words)| words)
    }

    /// The key as `rcgen` has it.
    pub(super) fn pair(&self) -> &KeyPair {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", Digest::of(&self.spki()))
    }
}

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Digest::of(bytes).as_bytes().to_vec()
}

/// PEM, with lines of 64 characters as OpenSSL and Go write them.
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = super::base64(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem + &format!("-----END {label}-----\n")
}
