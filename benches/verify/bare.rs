//! The cryptography that evidence needs and nothing else: no format is parsed, no rule applied.

use std::collections::BTreeMap;
use std::io;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use countersign::demo::sigstore::Key;

/// Signatures to verify, with keys that are ready, and bytes to hash.
pub(crate) struct Bare {
    signatures: Vec<Signed>,
    hashed: Vec<Vec<u8>>,
}

struct Signed {
    kind: &'static str,
    key: ParsedPublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Bare {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self { signatures: Vec::new(), hashed: Vec::new() }
    }

    /// A signature over `message` by a key of the kind of `key`. It is made here: its content does not matter to what
    /// it costs, its kind and the length of the message do.
    pub(crate) fn sign(&mut self, key: &Key, message: &[u8]) -> io::Result<()> {
        let (kind, algorithm, length): (_, &'static dyn VerificationAlgorithm, _) = match key.details() {
            "PKIX_ECDSA_P256_SHA_256" => ("P-256", &signature::ECDSA_P256_SHA256_ASN1, 65),
            "PKIX_ECDSA_P384_SHA_384" => ("P-384", &signature::ECDSA_P384_SHA384_ASN1, 97),
            "PKIX_ED25519" => ("Ed25519", &signature::ED25519, 32),
            other => return Err(io::Error::other(other)),
        };
        let spki = key.spki();
        let key_bytes = &spki[spki.len().saturating_sub(length)..];
        self.signatures.push(Signed {
            kind,
            key: ParsedPublicKey::new(algorithm, key_bytes).map_err(io::Error::other)?,
            message: message.to_vec(),
            signature: key.sign(message)?,
        });
        Ok(())
    }

    /// SHA-256 of bytes, apart from what the signatures hash.
    pub(crate) fn hash(&mut self, bytes: Vec<u8>) {
        self.hashed.push(bytes);
    }

    /// Does it all.
    pub(crate) fn verifies(&self) -> bool {
        let verifies = |one: &Signed| one.key.verify_sig(&one.message, &one.signature).is_ok();
        let hashes = |bytes: &Vec<u8>| digest(&SHA256, bytes).as_ref().len() == 32;
        self.signatures.iter().all(verifies) && self.hashed.iter().all(hashes)
    }

    /// How many signatures of which kind.
    pub(crate) fn kinds(&self) -> String {
        let mut counts = BTreeMap::new();
        for one in &self.signatures {
            *counts.entry(one.kind).or_insert(0) += 1;
        }
        let words: Vec<_> = counts.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
        words.join(", ")
    }
}
