//! Public keys of the kinds that cosign signs with, and the signatures that each of them accepts.
//!
//! | key | signatures | written by |
//! |---|---|---|
//! | ECDSA P-256 | SHA-256 | cosign, every KMS |
//! | ECDSA P-384 | SHA-384, SHA-256 | cosign 2.6 and 3; older ones, and keys in Vault |
//! | ECDSA P-521 | SHA-512, SHA-256 | cosign 2.6 and 3; older ones, and keys in Vault |
//! | Ed25519 | Ed25519ph, Ed25519 | cosign 2.6 and 3; older ones |
//! | RSA of 2048 to 8192 bits | PKCS #1 v1.5 with SHA-256 | cosign, every KMS |
//! | | the same with SHA-384, SHA-512 | Azure and Google keys |
//! | | PSS with SHA-256, SHA-384, SHA-512, a salt as long as the hash | Google and AWS keys |
//!
//! What cosign 2.6.5 and 3.1.3 write was seen with keys of `cosign import-key-pair` (`tests/fixtures/keys`): signatures and
//! attestations, bundles and legacy tags, are alike. The rest is in the source of the signers that cosign calls. A
//! signature does not say how it was made, so each pair of the table is tried, and no other.
//!
//! cosign itself verifies P-384 and P-521 only if `--signature-digest-algorithm` names the hash, and Ed25519ph never. It can
//! log P-384 and P-521 in Rekor v2 only, and Ed25519 nowhere: Rekor v1 or its own check of the bundle refuses them.

use std::sync::Arc;

use aws_lc_rs::digest::{Digest as Hash, SHA256};
use aws_lc_rs::signature::ParsedPublicKey;
use ed25519_dalek::{Digest as _, Sha512, Signature, VerifyingKey};

use super::Signer;
use crate::oci::Digest;

mod der;

mod error;

mod pem;

mod spki;

#[cfg(test)]
mod tests;

pub use error::KeyError;

/// A public key that signatures are verified with.
pub struct PublicKey {
    accepts: Accepts,
    spki: Box<[u8]>,
    fingerprint: Digest,
    signer: Signer,
}

/// The key, made ready for the signatures that it accepts.
enum Accepts {
    /// Ed25519ph and Ed25519.
    Ed25519(VerifyingKey),
    /// One for each algorithm.
    Any(Vec<ParsedPublicKey>),
}

impl PublicKey {
    /// Parses a text with one PEM block: `PUBLIC KEY`, or PKCS #1's `RSA PUBLIC KEY`.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::read(text)?;
        match block.label {
            "PUBLIC KEY" => Self::from_spki(block.der),
            "RSA PUBLIC KEY" => Self::from_spki(spki::of_rsa(&block.der)?),
            label => Err(KeyError::of_label(label)),
        }
    }

    /// Parses a subject public key info in DER.
    pub fn from_spki(spki: Vec<u8>) -> Result<Self, KeyError> {
        let accepts = spki::accepts(&spki)?;
        let fingerprint = Digest::of(&spki);
        let signer = Signer(Arc::from(format!("key:{fingerprint}")));
        Ok(Self { accepts, spki: spki.into(), fingerprint, signer })
    }

    /// Its subject public key info in DER. There is one for each key, however its PEM was written.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The SHA-256 of its subject public key info; cosign writes it as a bundle's key hint.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// The key as a signer, for thresholds and logs.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Whether `signature` over `message` was made by this key, in one of the ways that it accepts.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.accepts {
            Accepts::Any(keys) => keys.iter().any(|key| key.verify_sig(message, signature).is_ok()),
            // Strictly: neither a small-order point nor a second spelling of a signature counts.
            Accepts::Ed25519(key) => Signature::from_slice(signature).is_ok_and(|signature| {
                let prehashed = Sha512::new_with_prefix(message);
                key.verify_prehashed_strict(prehashed, None, &signature).is_ok()
                    || key.verify_strict(message, &signature).is_ok()
            }),
        }
    }

    /// As [`PublicKey::verifies`], where only the SHA-256 of the message is at hand.
    #[must_use]
    pub fn verifies_digest(&self, sha256: &Digest, signature: &[u8]) -> bool {
        let Ok(digest) = Hash::import_less_safe(sha256.as_bytes(), &SHA256) else { return false };
        match &self.accepts {
            Accepts::Any(keys) => keys.iter().any(|key| key.verify_digest_sig(&digest, signature).is_ok()),
            Accepts::Ed25519(_) => false,
        }
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint)
    }
}
