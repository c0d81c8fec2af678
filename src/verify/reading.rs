//! One piece of evidence, read once for all authorities: bounded, parsed strictly, about the right subject. Who made it
//! is not known yet.

use std::borrow::Cow;
use std::sync::Arc;

use sigstore_verify::types::bundle::VerificationMaterialContent;
use sigstore_verify::types::{
    Artifact, Bundle, Sha256Hash, SignatureBytes, SignatureContent, TimestampToken, TransparencyLogEntry,
};

use super::bundle::{self, Accept};
use super::envelope::Wire;
use super::legacy::{self, Annotations};
use super::{Certificate, Claim, Rejection, simple_signing, statement};
use crate::discovery::{Candidate, Material};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::policy::PublicKey;
use crate::reason::Reason;

/// What one piece says, and with what it can be verified.
pub(super) struct Reading<'a> {
    /// What it claims about the subject.
    pub(super) claim: Claim,
    /// Content, signature and verification material, as the crate has them.
    pub(super) bundle: Bundle,
    /// What the content is about, as the crate wants to hear it.
    pub(super) artifact: Artifact<'a>,
    /// The key that it names, or why no key is tried.
    pub(super) key: Result<Option<String>, Rejection>,
    /// The certificate that it was made with, or why no identity is looked for.
    pub(super) certificate: Result<Arc<Certificate>, Rejection>,
    /// Why what stands beside a legacy layer cannot be used; a key alone does not need it.
    pub(super) beside: Result<(), Rejection>,
    /// A time stamp over the whole layer, as legacy attestations have it, and not over the signature.
    pub(super) layer_stamp: Option<(TimestampToken, SignatureBytes)>,
}

impl<'a> Reading<'a> {
    /// Reads `candidate` as evidence about `subject`.
    ///
    /// The order is that of `formats.md` 1.8: what is cheap and what bounds comes first.
    pub(super) fn of(candidate: &'a Candidate, subject: &Digest, limits: &Limits) -> Result<Self, Rejection> {
        match candidate.untrusted() {
            Material::Bundle(json) => {
                let bundle = bundle::parse(json, Accept::Image, limits)?;
                let claim = claimed(&bundle.content, subject, limits)?;
                // An SBOM may be large, a signature has no reason to be.
                if claim == Claim::Signature {
                    super::bounded(json, limits.bundle)?;
                }
                Ok(Self::of_bundle(bundle, claim, about(subject)))
            }
            Material::Envelope(json) => {
                super::bounded(json, limits.attestation)?;
                let envelope = super::object::<Wire>("DSSE envelope", json)?.envelope()?;
                let content = SignatureContent::DsseEnvelope(envelope);
                let claim = claimed(&content, subject, limits)?;
                // cosign writes signatures as bundles or as `.sig`, never here.
                if claim == Claim::Signature {
                    let detail = "a signature stored as a legacy attestation";
                    return Err(Rejection::new(Reason::EvidenceUnsupported, detail));
                }
                Ok(Self::of_layer(candidate, content, claim, about(subject), limits))
            }
            Material::SimpleSigning { payload, signature } => {
                super::bounded(payload, limits.bundle)?;
                simple_signing::match_subject(payload, subject)?;
                let content = legacy::signature_over(payload, signature)?;
                Ok(Self::of_layer(candidate, content, Claim::Signature, Artifact::Blob(payload), limits))
            }
        }
    }

    /// A bundle that was found to claim this.
    pub(super) fn of_bundle(bundle: Bundle, claim: Claim, artifact: Artifact<'a>) -> Self {
        let (key, certificate) = match (&bundle.verification_material.content, bundle.signing_certificate()) {
            (VerificationMaterialContent::PublicKey(key), _) => (Ok(Some(key.hint.clone())), Err(by_key())),
            (_, Some(certificate)) => (
                Err(Rejection::new(Reason::KeyMismatch, "signed with a certificate, not with a key")),
                Certificate::read(certificate.as_bytes()).map(Arc::new),
            ),
            (_, None) => (Err(nothing()), Err(nothing())),
        };
        Self { claim, bundle, artifact, key, certificate, beside: Ok(()), layer_stamp: None }
    }

    fn of_layer(
        candidate: &Candidate,
        content: SignatureContent,
        claim: Claim,
        artifact: Artifact<'a>,
        limits: &Limits,
    ) -> Self {
        let (mut annotations, beside) = match Annotations::parse(candidate.beside(), limits) {
            Ok(annotations) => (annotations, Ok(())),
            Err(why) => (Annotations::default(), Err(why)),
        };
        let certificate = match (annotations.certificate(), &beside) {
            (Some(der), _) => Certificate::read(der.as_bytes()).map(Arc::new),
            (None, Ok(())) => Err(by_key()),
            (None, Err(why)) => Err(why.clone()),
        };
        let layer_stamp = match candidate.untrusted() {
            Material::Envelope(layer) => {
                annotations.take_stamp().map(|token| (token, SignatureBytes::from_bytes(layer)))
            }
            _ => None,
        };
        let bundle = annotations.around(content);
        Self { claim, bundle, artifact, key: Ok(None), certificate, beside, layer_stamp }
    }

    /// What the signature covers, if it is here and not only its digest.
    pub(super) fn message(&self) -> Option<Cow<'_, [u8]>> {
        match (&self.bundle.content, &self.artifact) {
            (SignatureContent::DsseEnvelope(envelope), _) => Some(Cow::Owned(envelope.pae())),
            (_, Artifact::Blob(blob)) => Some(Cow::Borrowed(blob)),
            _ => None,
        }
    }

    /// The document that was signed: an in-toto statement, or a simple-signing payload.
    pub(super) fn payload(&self) -> &[u8] {
        match (&self.bundle.content, &self.artifact) {
            (SignatureContent::DsseEnvelope(envelope), _) => envelope.payload.as_bytes(),
            (_, Artifact::Blob(blob)) => blob,
            _ => &[],
        }
    }

    /// The signature.
    pub(super) fn signature(&self) -> Option<&SignatureBytes> {
        match &self.bundle.content {
            SignatureContent::DsseEnvelope(envelope) => Some(&envelope.signature.sig),
            SignatureContent::MessageSignature(message) => Some(&message.signature),
            _ => None,
        }
    }

    /// Whether `key` made the signature.
    pub(super) fn signed_by(&self, key: &PublicKey) -> bool {
        let signature = self.signature().map(AsRef::as_ref).unwrap_or_default();
        match (self.message(), &self.artifact) {
            (Some(message), _) => key.verifies(&message, signature),
            (None, Artifact::Digest(digest)) => <[u8; 32]>::try_from(digest.as_bytes())
                .is_ok_and(|digest| key.verifies_digest(&Digest::from_bytes(digest), signature)),
            (None, _) => false,
        }
    }

    /// The log entries.
    pub(super) fn entries(&self) -> &[TransparencyLogEntry] {
        &self.bundle.verification_material.tlog_entries
    }
}

fn claimed(content: &SignatureContent, subject: &Digest, limits: &Limits) -> Result<Claim, Rejection> {
    match content {
        SignatureContent::DsseEnvelope(envelope) => statement::claim(envelope.payload.as_bytes(), subject, limits),
        _ => Err(nothing()),
    }
}

fn about(subject: &Digest) -> Artifact<'static> {
    Artifact::from_digest(Sha256Hash::new(*subject.as_bytes()))
}

fn by_key() -> Rejection {
    Rejection::new(Reason::IdentityMismatch, "signed with a key, not with a certificate")
}

fn nothing() -> Rejection {
    Rejection::new(
        Reason::EvidenceUnsupported,
        "neither an envelope nor a signature, or made with neither key nor certificate",
    )
}
