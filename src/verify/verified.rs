//! `Verified`: proof that an authority signed a subject. A leaf file, so that nothing else can make one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::envelope::{self, Envelope};
use super::{Against, Rejection, bundle, simple_signing, statement};
use crate::discovery::{Candidate, Material};
use crate::oci::Digest;
use crate::policy::{Authority, Format, Name, PublicKey, Signer};
use crate::reason::Reason;

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

/// Verifies that one of `authority`'s keys made `candidate` about `subject`.
///
/// The order is that of `formats.md` 1.8: what is cheap and what bounds comes first, cryptography last.
pub fn verify(
    candidate: &Candidate,
    subject: &Digest,
    authority: &Authority,
    against: Against<'_>,
) -> Result<Verified, Rejection> {
    let limits = against.limits;
    let (claim, signer) = match candidate.untrusted() {
        Material::Bundle(json) => {
            // 1. Bounded, readable in one way, version 0.3, a key and no certificate, one envelope, one signature.
            let bundle = bundle::parse(json, limits)?;
            // 2. A statement about this subject: a signature copied from another image stops here.
            let claim = statement::claim(&bundle.envelope.payload, subject, limits)?;
            // 3. An SBOM may be large, a signature has no reason to be.
            if claim == Claim::Signature {
                super::bounded(json, limits.bundle)?;
            }
            // 4. The signature, over type and payload together.
            let (message, hint) = (bundle.envelope.signed_bytes(), Some(bundle.hint.as_str()));
            (claim, signer_of(authority, against, &message, &bundle.envelope.signature, hint)?)
        }
        Material::Envelope(json) => {
            // 1. Bounded, readable in one way, one signature.
            super::bounded(json, limits.attestation)?;
            let envelope = Envelope::from_wire(&super::object("DSSE envelope", json)?)?;
            // 2. A statement about this subject.
            let claim = statement::claim(&envelope.payload, subject, limits)?;
            // 3. Cosign writes signatures as bundles or as `.sig`, never here.
            if claim == Claim::Signature {
                return Err(Rejection::new(Reason::EvidenceUnsupported, "a signature stored as a legacy attestation"));
            }
            // 4. The signature, over type and payload together.
            (claim, signer_of(authority, against, &envelope.signed_bytes(), &envelope.signature, None)?)
        }
        Material::SimpleSigning { payload, signature } => {
            // 1. Bounded, readable in one way, about this subject.
            super::bounded(payload, limits.bundle)?;
            simple_signing::match_subject(payload, subject)?;
            // 2. The signature, over the payload's bytes as they came.
            let signature = envelope::decode("signature", signature)?;
            (Claim::Signature, signer_of(authority, against, payload, &signature, None)?)
        }
    };
    Ok(Verified {
        authority: authority.name().clone(),
        signer,
        subject: *subject,
        claim,
        format: candidate.format(),
        location: candidate.location().to_string(),
    })
}

/// Which of `authority`'s keys made `signature`. `hint` is what the evidence says about its key; it never decides.
///
/// Nothing that the authority demands is passed over: a log entry, which cannot be verified yet, is missing.
fn signer_of(
    authority: &Authority,
    against: Against<'_>,
    message: &[u8],
    signature: &[u8],
    hint: Option<&str>,
) -> Result<Signer, Rejection> {
    if !authority.skips_transparency_log() {
        let detail = format!("`{}` demands a transparency log entry, and none was verified", authority.name());
        return Err(Rejection::new(Reason::LogEntryMissing, detail));
    }
    if !authority.validity().contains(against.now) {
        return Err(Rejection::new(Reason::KeyMismatch, format!("no key of `{}` counts now", authority.name())));
    }
    if let Some(key) = authority.keys().iter().find(|key| key.verifies(message, signature)) {
        if against.revoked.key(key) {
            let detail = format!("signed with the key {}, which is revoked", key.fingerprint());
            return Err(Rejection::new(Reason::Revoked, detail));
        }
        return Ok(key.signer().clone());
    }
    let hinted = |key: &PublicKey| hint == Some(STANDARD.encode(key.fingerprint().as_bytes()).as_str());
    Err(match authority.keys().iter().find(|key| hinted(key)) {
        Some(key) => Rejection::new(
            Reason::SignatureInvalid,
            format!("the signature names the key {} and does not verify with it", key.fingerprint()),
        ),
        None => Rejection::new(
            Reason::KeyMismatch,
            format!("no key of `{}` verifies it: another key signed, or the content was changed", authority.name()),
        ),
    })
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

#[cfg(test)]
mod tests;
