//! `Verified`: proof that an authority signed a subject. A leaf file, so that nothing else can make one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::reading::Reading;
use super::{Against, Rejection, Signing, annotations};
use crate::discovery::Candidate;
use crate::limits::Limits;
use crate::oci::Digest;
use crate::policy::{Authority, Format, Name, Signer};

/// Proof that `authority` made `claim` about `subject`. Only verification makes one ([`super::verify_all`]).
#[derive(Debug, Clone)]
pub struct Verified {
    authority: Name,
    signing: Signing,
    subject: Digest,
    claim: Claim,
    payload: Arc<[u8]>,
    format: Format,
    location: String,
    elsewhere: Option<Arc<str>>,
}

/// What a signed document says about its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// An attestation of this predicate type.
    Attestation(String),
    /// The image itself is signed.
    Signature,
}

/// A candidate, read once as being about one subject.
pub(super) struct Piece<'a> {
    candidate: &'a Candidate,
    subject: &'a Digest,
    reading: Reading<'a>,
    /// One copy for all who verify it.
    payload: Arc<[u8]>,
}

impl<'a> Piece<'a> {
    pub(super) fn read(candidate: &'a Candidate, subject: &'a Digest, limits: &Limits) -> Result<Self, Rejection> {
        let reading = Reading::of(candidate, subject, limits)?;
        let payload = reading.payload().into();
        Ok(Self { candidate, subject, reading, payload })
    }

    pub(super) fn verify(&self, authority: &Authority, against: Against<'_>) -> Result<Verified, Rejection> {
        let signing = Signing::verify(&self.reading, authority, against)?;
        Ok(Verified {
            authority: authority.name().clone(),
            signing,
            subject: *self.subject,
            claim: self.reading.claim.clone(),
            payload: self.payload.clone(),
            format: self.candidate.format(),
            location: self.candidate.location().to_string(),
            elsewhere: self.candidate.elsewhere().cloned(),
        })
    }
}

impl Verified {
    /// Who signed, in the policy's terms.
    pub fn authority(&self) -> &Name {
        &self.authority
    }

    /// Who signed, for thresholds.
    pub fn signer(&self) -> &Signer {
        self.signing.signer()
    }

    /// Who signed and when, in full.
    pub fn signing(&self) -> &Signing {
        &self.signing
    }

    /// What it is about.
    pub fn subject(&self) -> Digest {
        self.subject
    }

    /// What it says.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// The in-toto statement of an attestation, as it was signed.
    pub fn statement(&self) -> Option<&Arc<[u8]>> {
        matches!(self.claim, Claim::Attestation(_)).then_some(&self.payload)
    }

    /// The annotations of a signature that are signed with it.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        annotations::of(&self.payload, &self.subject)
    }

    /// How it was stored.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Where it was found.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The other repository that it was found in, if it is not beside the image.
    pub fn elsewhere(&self) -> Option<&str> {
        self.elsewhere.as_deref()
    }
}

#[cfg(test)]
mod tests;
