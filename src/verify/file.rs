//! A bundle that lies beside a file, as `cosign sign-blob` and others write: for `countersign verify-bundle`, never for
//! images.

use aws_lc_rs::digest::{SHA384, SHA512, digest};
use sigstore_verify::crypto::sha512;
use sigstore_verify::types::{
    Artifact, ArtifactDigest, HashAlgorithm, MessageSignature, Sha256Hash, Sha512Hash, SignatureContent,
};

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
    /// Content of which only the SHA-256 is known.
    Digest(Digest),
    /// Content of which only the SHA-512 is known: npm's packages are named so.
    Sha512([u8; 64]),
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
            (claim, subject.artifact()?)
        }
        SignatureContent::MessageSignature(message) => {
            subject.check(message)?;
            (Claim::Signature, subject.artifact()?)
        }
        _ => return Err(Rejection::new(Reason::EvidenceUnsupported, "neither an envelope nor a signature")),
    };
    Signing::verify(&Reading::of_bundle(bundle, claim, artifact), authority, against)
}

impl<'a> Subject<'a> {
    /// Parses `sha256:` or `sha512:` and the digits in lower-case hex.
    pub fn parse_digest(text: &str) -> Option<Self> {
        let lower = |digits: &&str| !digits.bytes().any(|byte| byte.is_ascii_uppercase());
        if let Some(digits) = text.strip_prefix("sha512:").filter(lower) {
            return Some(Self::Sha512(*Sha512Hash::from_hex(digits).ok()?.as_bytes()));
        }
        text.parse().ok().map(Self::Digest)
    }

    fn artifact(self) -> Result<Artifact<'a>, Rejection> {
        let unsupported = |error| Rejection::new(Reason::EvidenceUnsupported, format!("the digest: {error}"));
        match self {
            Self::Content(content) => Ok(Artifact::Blob(content)),
            Self::Digest(digest) => Ok(Artifact::from_digest(Sha256Hash::new(*digest.as_bytes()))),
            Self::Sha512(digest) => {
                ArtifactDigest::new(HashAlgorithm::Sha2512, digest.to_vec()).map(Artifact::Digest).map_err(unsupported)
            }
        }
    }

    /// The digests by which a statement may name it, in hex.
    fn digests(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Content(content) => {
                vec![("sha256", Digest::of(content).hex()), ("sha512", sha512(content).to_hex())]
            }
            Self::Digest(digest) => vec![("sha256", digest.hex())],
            Self::Sha512(digest) => vec![("sha512", Sha512Hash::new(digest).to_hex())],
        }
    }

    /// Compares the digest that a signature names, if it names one. It is not signed and only a courtesy.
    fn check(self, message: &MessageSignature) -> Result<(), Rejection> {
        let Some(named) = &message.message_digest else { return Ok(()) };
        let actual = match (named.algorithm, self) {
            (HashAlgorithm::Sha2256, Self::Content(content)) => Digest::of(content).as_bytes().to_vec(),
            (HashAlgorithm::Sha2256, Self::Digest(digest)) => digest.as_bytes().to_vec(),
            (HashAlgorithm::Sha2384, Self::Content(content)) => digest(&SHA384, content).as_ref().to_vec(),
            (HashAlgorithm::Sha2512, Self::Content(content)) => digest(&SHA512, content).as_ref().to_vec(),
            (HashAlgorithm::Sha2512, Self::Sha512(digest)) => digest.to_vec(),
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
