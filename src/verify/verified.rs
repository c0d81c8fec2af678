//! `Verified`: proof that an authority signed a subject. A leaf file, so that nothing else can make one.

use crate::oci::Digest;
use crate::policy::{Format, Name, Signer};

/// Proof that `signer`, one of `authority`'s keys, made `claim` about `subject`. Only [`verify`] makes one.
#[derive(Debug, Clone)]
pub struct Verified {
    authority: Name,
    signer: Signer,
    subject: Digest,
    claim: Claim,
    format: Format,
    location: String,
}

/// What a signed document says about its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// An attestation of this predicate type.
    Attestation(String),
    /// The image itself is signed.
    Signature,
}

impl Verified {
    /// Who signed, in the policy's terms.
    pub fn authority(&self) -> &Name {
        &self.authority
    }

    /// Who signed, for thresholds.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// What it is about.
    pub fn subject(&self) -> Digest {
        self.subject
    }

    /// What it says.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// How it was stored.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Where it was found.
    pub fn location(&self) -> &str {
        &self.location
    }
}
