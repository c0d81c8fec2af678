//! A bundle that lies beside a file, as `cosign sign-blob` and others write: for `countersign verify-bundle`, never for
//! images.

use aws_lc_rs::digest::{SHA384, SHA512, digest};
use sigstore_verify::crypto::sha512;
use sigstore_verify::types::{Artifact, HashAlgorithm, MessageSignature, Sha256Hash, SignatureContent};

use super::bundle::{self, Accept};
use super::reading::Reading;
use super::{Against, Claim, Rejection, Signing, statement};
use crate::oci::Digest;
use crate::policy::Authority;
use crate::reason::Reason;

/// What a bundle must be about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// This content.
    Content(&'a [u8]),
    /// Content of which only the digest is known.
    Digest(Digest),
}

/// Verifies that `authority` signed `subject`, of which the bundle `json` is the evidence.
///
/// # Errors
/// If it does not, with the reason.
pub fn verify(
    json: &[u8],
    subject: Subject<'_>,
    authority: &Authority,
    against: Against<'_>,
) -> Result<Signing, Rejection> {
    let bundle = bundle::parse(json, Accept::Any, against.limits)?;
    let (claim, artifact) = match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => {
            let claim = statement::claim_of_any(envelope.payload.as_bytes(), &subject.digests(), against.limits)?;
            (claim, subject.artifact())
        }
        SignatureContent::MessageSignature(message) => {
            subject.check(message)?;
            (Claim::Signature, subject.artifact())
        }
        _ => return Err(Rejection::new(Reason::EvidenceUnsupported, "neither an envelope nor a signature")),
    };
    Signing::verify(&Reading::of_bundle(bundle, claim, artifact), authority, against)
}

impl<'a> Subject<'a> {
    fn artifact(self) -> Artifact<'a> {
        match self {
            Self::Content(content) => Artifact::Blob(content),
            Self::Digest(digest) => Artifact::from_digest(Sha256Hash::new(*digest.as_bytes())),
        }
    }

    fn sha256(self) -> Digest {
        match self {
            Self::Content(content) => Digest::of(content),
            Self::Digest(digest) => digest,
        }
    }

    /// The digests by which a statement may name it, in hex.
    fn digests(self) -> Vec<(&'static str, String)> {
        let mut all = vec![("sha256", self.sha256().hex())];
        if let Self::Content(content) = self {
            all.push(("sha512", sha512(content).to_hex()));
        }
        all
    }

    /// Compares the digest that a signature names, if it names one. It is not signed and only a courtesy.
    fn check(self, message: &MessageSignature) -> Result<(), Rejection> {
        let Some(named) = &message.message_digest else { return Ok(()) };
        let actual = match (named.algorithm, self) {
            (HashAlgorithm::Sha2256, subject) => subject.sha256().as_bytes().to_vec(),
            (HashAlgorithm::Sha2384, Self::Content(content)) => digest(&SHA384, content).as_ref().to_vec(),
            (HashAlgorithm::Sha2512, Self::Content(content)) => digest(&SHA512, content).as_ref().to_vec(),
            (other, _) => {
                let detail = format!("it names a {other} digest; give the file itself");
                return Err(Rejection::new(Reason::EvidenceUnsupported, detail));
            }
        };
        if named.digest.as_bytes() == actual {
            return Ok(());
        }
        Err(Rejection::new(Reason::SubjectMismatch, "the signature names another digest"))
    }
}
