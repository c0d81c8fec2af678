//! That a log entry is about this signature, by this key or certificate, over this content: every member that says so is
//! compared.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use serde_json::Value;
use sigstore_verify::types::{DerCertificate, DerPublicKey, KindVersion, SignatureContent, TransparencyLogEntry};

use super::Rejection;
use super::envelope::decode;
use super::reading::Reading;
use crate::reason::Reason;

/// With what a signature was made, in DER.
#[derive(Clone, Copy)]
pub(super) enum Maker<'a> {
    /// With a certificate, over a key whose names in the second version of the log begin so.
    Certificate { der: &'a [u8], family: &'static str },
    /// With a key, of which this is the subject public key info.
    Key(&'a [u8]),
}

/// Compares `entry`'s body with `reading`, which was signed with `maker`.
pub(super) fn check(entry: &TransparencyLogEntry, reading: &Reading<'_>, maker: Maker<'_>) -> Result<(), Rejection> {
    let body = Body(super::object("log entry", entry.canonicalized_body.as_bytes())?);
    let signature = reading.signature().map(AsRef::as_ref).unwrap_or_default();
    match (entry.kind_version, &reading.bundle.content) {
        (KindVersion::HashedRekordV001, SignatureContent::MessageSignature(_)) => {
            body.covers("/spec/data/hash", "value", reading)?;
            same("signature", &body.bytes("/spec/signature/content")?, signature)?;
            body.names("/spec/signature/publicKey/content", maker)
        }
        (KindVersion::HashedRekordV002, _) => {
            body.covers("/spec/hashedRekordV002/data", "digest", reading)?;
            same("signature", &body.bytes("/spec/hashedRekordV002/signature/content")?, signature)?;
            let verifier = "/spec/hashedRekordV002/signature/verifier";
            let (member, der) = match maker {
                Maker::Certificate { der, family } => {
                    if !body.text(&format!("{verifier}/keyDetails"))?.starts_with(family) {
                        return Err(mismatch("the log entry is about a key of another kind"));
                    }
                    ("x509Certificate", der)
                }
                Maker::Key(der) => ("publicKey", der),
            };
            let logged = body.bytes(&format!("{verifier}/{member}/rawBytes"))?;
            same("key", &logged, der)
        }
        (KindVersion::DsseV001, SignatureContent::DsseEnvelope(envelope)) => {
            body.hashes("/spec/payloadHash", envelope.payload.as_bytes())?;
            body.one("/spec/signatures")?;
            same("signature", &body.bytes("/spec/signatures/0/signature")?, signature)?;
            body.names("/spec/signatures/0/verifier", maker)
        }
        (KindVersion::IntotoV002, SignatureContent::DsseEnvelope(envelope)) => {
            body.hashes("/spec/content/payloadHash", envelope.payload.as_bytes())?;
            let logged = body.text("/spec/content/envelope/payloadType")?;
            same("payload type", logged.as_bytes(), envelope.payload_type.as_bytes())?;
            body.one("/spec/content/envelope/signatures")?;
            // Base64 of base64.
            let inner = body.bytes("/spec/content/envelope/signatures/0/sig")?;
            let inner = decode("log entry", std::str::from_utf8(&inner).unwrap_or_default())?;
            same("signature", &inner, signature)?;
            body.names("/spec/content/envelope/signatures/0/publicKey", maker)
        }
        _ => Err(Rejection::new(Reason::EvidenceUnsupported, "a log entry of a kind that does not fit the content")),
    }
}

struct Body(Value);

impl Body {
    fn text(&self, pointer: &str) -> Result<&str, Rejection> {
        let text = self.0.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| mismatch(format!("the log entry has no {pointer}")))
    }

    fn bytes(&self, pointer: &str) -> Result<Vec<u8>, Rejection> {
        decode("log entry", self.text(pointer)?)
    }

    /// The list at `pointer` has one element, which is then compared.
    fn one(&self, pointer: &str) -> Result<(), Rejection> {
        match self.0.pointer(pointer).and_then(Value::as_array).map(Vec::len) {
            Some(1) => Ok(()),
            _ => Err(mismatch("the log entry has not one signature")),
        }
    }

    /// The key or certificate at `pointer`, base64 of PEM, is `maker`.
    fn names(&self, pointer: &str, maker: Maker<'_>) -> Result<(), Rejection> {
        let pem = self.bytes(pointer)?;
        let pem = std::str::from_utf8(&pem).unwrap_or_default();
        let (logged, der) = match maker {
            Maker::Certificate { der, .. } => {
                (DerCertificate::from_pem(pem).ok().map(|one| one.as_bytes().to_vec()), der)
            }
            Maker::Key(der) => (DerPublicKey::from_pem(pem).ok().map(|one| one.as_bytes().to_vec()), der),
        };
        same("key", &logged.unwrap_or_default(), der)
    }

    /// The digest in hex at `pointer` is that of `content`.
    fn hashes(&self, pointer: &str, content: &[u8]) -> Result<(), Rejection> {
        let hash = hash(self.text(&format!("{pointer}/algorithm"))?, content)?;
        same("content", &hex(self.text(&format!("{pointer}/value"))?)?, &hash)
    }

    /// The digest at `pointer`, in hex or base64 as `member` has it, is that of what the signature covers.
    fn covers(&self, pointer: &str, member: &str, reading: &Reading<'_>) -> Result<(), Rejection> {
        let algorithm = self.text(&format!("{pointer}/algorithm"))?;
        let pointer = format!("{pointer}/{member}");
        let logged = if member == "value" { hex(self.text(&pointer)?)? } else { self.bytes(&pointer)? };
        match (reading.message(), reading.artifact.digest()) {
            (Some(message), _) => same("content", &logged, &hash(algorithm, &message)?),
            (None, Some(digest)) if is_sha256(algorithm) => same("content", &logged, digest.as_bytes()),
            _ => Err(unsupported(algorithm)),
        }
    }
}

fn hash(algorithm: &str, content: &[u8]) -> Result<Vec<u8>, Rejection> {
    let algorithm = match algorithm {
        name if is_sha256(name) => &SHA256,
        "sha384" | "SHA2_384" => &SHA384,
        "sha512" | "SHA2_512" => &SHA512,
        other => return Err(unsupported(other)),
    };
    Ok(digest(algorithm, content).as_ref().to_vec())
}

fn is_sha256(name: &str) -> bool {
    matches!(name, "sha256" | "SHA2_256")
}

fn hex(text: &str) -> Result<Vec<u8>, Rejection> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let bytes: Option<Vec<_>> = text.as_bytes().chunks(2).map(pair).collect();
    bytes.filter(|_| lower && text.len().is_multiple_of(2)).ok_or_else(|| mismatch("the log entry's digest is not hex"))
}

fn same(what: &str, logged: &[u8], ours: &[u8]) -> Result<(), Rejection> {
    if logged == ours { Ok(()) } else { Err(mismatch(format!("the log entry is about another {what}"))) }
}

fn mismatch(why: impl AsRef<str>) -> Rejection {
    Rejection::new(Reason::LogEntryMismatch, why)
}

fn unsupported(algorithm: &str) -> Rejection {
    let detail = format!("a log entry with the digest algorithm {:?}", super::envelope::shortened(algorithm));
    Rejection::new(Reason::EvidenceUnsupported, detail)
}
