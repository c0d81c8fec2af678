//! What a condition may ask about.

use std::collections::BTreeMap;

use super::Document;
use crate::clock::Timestamp;
use crate::oci::Digest;

/// Everything that a condition may ask about.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The statement, with its predicate.
    pub statement: &'a Document,
    /// Who made it.
    pub signer: &'a SignerFacts,
    /// What it is about.
    pub image: &'a ImageFacts,
    /// The present.
    pub now: Timestamp,
}

/// Who signed, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignerFacts {
    /// The certificate's identity; empty for a key.
    pub identity: String,
    /// Who vouched for the identity; empty for a key.
    pub issuer: String,
    /// The key's fingerprint; empty for an identity.
    pub key: String,
    /// What the certificate says of the build, by the names of the policy file.
    pub extensions: BTreeMap<&'static str, String>,
    /// The verified time of signing.
    pub time: Option<Timestamp>,
}

/// The manifest that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFacts {
    /// Its registry.
    pub registry: String,
    /// Its repository.
    pub repository: String,
    /// Its digest.
    pub digest: Digest,
    /// The annotations in it.
    pub annotations: BTreeMap<String, String>,
}
