//! Who is trusted to sign: an authority is one or more public keys (identities come with keyless verification).

use std::sync::Arc;

use aws_lc_rs::digest::{Digest as Hash, SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use sigstore_verify::types::DerPublicKey;

use super::{Keyless, Name, Signer};
use crate::clock::Timestamp;
use crate::oci::Digest;

/// One acceptable source of trust.
#[derive(Debug)]
pub struct Authority {
    pub(super) name: Name,
    pub(super) kind: Kind,
    pub(super) trust_root: Option<Name>,
    pub(super) skip_transparency_log: bool,
    pub(super) skip_certificate_transparency: bool,
    pub(super) validity: Validity,
}

/// Since when and until when a key's signatures count: by their verified time, or by the present where they have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first instant.
    pub not_before: Timestamp,
    /// The last instant.
    pub not_after: Timestamp,
}

impl Validity {
    /// Without bounds.
    pub const ALWAYS: Self = Self { not_before: Timestamp(0), not_after: Timestamp::FOREVER };

    /// Whether `instant` is within it.
    pub fn contains(&self, instant: Timestamp) -> bool {
        self.not_before <= instant && instant <= self.not_after
    }
}

/// How an authority signs.
#[derive(Debug)]
pub enum Kind {
    /// With a certificate that names it.
    Keyless(Keyless),
    /// With any of these keys.
    Keys(Vec<PublicKey>),
}

impl Authority {
    /// An authority without a policy text, for tests of verification.
    #[cfg(test)]
    pub(crate) fn of_keys(name: &str, keys: Vec<PublicKey>) -> Self {
        let name = Name::new(name).expect("a name");
        Self {
            name,
            kind: Kind::Keys(keys),
            trust_root: None,
            skip_transparency_log: true,
            skip_certificate_transparency: false,
            validity: Validity::ALWAYS,
        }
    }

    /// The same keys under other demands, for tests of verification.
    #[cfg(test)]
    pub(crate) fn demanding(self, log: bool, validity: Validity) -> Self {
        Self { skip_transparency_log: !log, validity, ..self }
    }

    /// The same keys with the trusted root `name`, for tests of verification.
    #[cfg(test)]
    pub(crate) fn rooted(self, name: &str) -> Self {
        Self { trust_root: Name::new(name), ..self }
    }

    /// An authority outside any policy, for judging one file: no policy can name it.
    pub fn alone(kind: Kind, trust_root: Name) -> Self {
        Self {
            name: trust_root.clone(),
            kind,
            trust_root: Some(trust_root),
            skip_transparency_log: false,
            skip_certificate_transparency: false,
            validity: Validity::ALWAYS,
        }
    }

    /// Its name in the policy file.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// How it signs.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Its keys: any of them will do.
    pub fn keys(&self) -> &[PublicKey] {
        match &self.kind {
            Kind::Keyless(_) => &[],
            Kind::Keys(keys) => keys,
        }
    }

    /// The trusted root that its certificates, log entries and time stamps are verified against.
    pub fn trust_root(&self) -> Option<&Name> {
        self.trust_root.as_ref()
    }

    /// Whether it is spelled out that no transparency log entry is demanded.
    pub fn skips_transparency_log(&self) -> bool {
        self.skip_transparency_log
    }

    /// Whether it is spelled out that its certificates need not have been logged.
    pub fn skips_certificate_transparency(&self) -> bool {
        self.skip_certificate_transparency
    }

    /// When its keys' signatures count.
    pub fn validity(&self) -> Validity {
        self.validity
    }
}

/// A public key that signatures are verified with: ECDSA over P-256 with SHA-256, as `cosign generate-key-pair` makes.
pub struct PublicKey {
    parsed: ParsedPublicKey,
    spki: Box<[u8]>,
    fingerprint: Digest,
    signer: Signer,
}

/// Why a text is not a usable public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No PEM block with a public key.
    #[error("not a PEM public key: {0}")]
    NotPem(String),
    /// A key of another algorithm or curve.
    #[error("only ECDSA P-256 keys are supported yet")]
    Unsupported,
}

impl PublicKey {
    /// Parses a PEM block `PUBLIC KEY`.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der = DerPublicKey::from_pem(pem).map_err(|error| KeyError::NotPem(error.to_string()))?;
        let spki = der.as_bytes();
        if !spki.starts_with(&P256_SPKI_PREFIX) {
            return Err(KeyError::Unsupported);
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, spki).map_err(|_| KeyError::Unsupported)?;
        let fingerprint = Digest::of(spki);
        Ok(Self { parsed, spki: spki.into(), fingerprint, signer: Signer(Arc::from(format!("key:{fingerprint}"))) })
    }

    /// The SHA-256 of its subject public key info; cosign writes it as a bundle's key hint.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// Its subject public key info, in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The key as a signer, for thresholds and logs.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Whether `signature` (ASN.1) over `message` was made by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }

    /// As [`PublicKey::verifies`], where only the SHA-256 of the message is at hand.
    #[must_use]
    pub fn verifies_digest(&self, sha256: &[u8], signature: &[u8]) -> bool {
        let digest = Hash::import_less_safe(sha256, &SHA256);
        digest.is_ok_and(|digest| self.parsed.verify_digest_sig(&digest, signature).is_ok())
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint)
    }
}

/// `SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING …`: RFC 5480, section 2.
const P256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
