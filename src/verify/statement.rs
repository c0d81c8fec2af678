//! The in-toto statement: which subjects a signed document is about, and what it claims about them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::envelope::shortened;
use super::{Claim, MAX_DIGESTS, Rejection};
use crate::limits::Limits;
use crate::oci::Digest;
use crate::reason::Reason;
use crate::strict_json::Object;

/// A statement's members that decide. Others are ignored, as in-toto demands of consumers; `predicate` is absent in
/// signatures that cosign 2.6 to 3.0.4 made.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Object<Subject>>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

/// Reads `payload` and says what it claims, provided that it is about `subject`.
///
/// Nothing is known about who wrote it: the signature is verified by the caller.
pub(super) fn claim(payload: &[u8], subject: &Digest, limits: &Limits) -> Result<Claim, Rejection> {
    claim_of_any(payload, &[("sha256", subject.hex())], limits)
}

/// As [`claim`], for a subject with several digests, by algorithm and in hex.
pub(super) fn claim_of_any(
    payload: &[u8],
    digests: &[(&'static str, String)],
    limits: &Limits,
) -> Result<Claim, Rejection> {
    let statement = read(payload, limits)?;
    // Exact text: an upper-case or prefixed digest is another string to some reader.
    let is =
        |Object(subject): &Object<Subject>| digests.iter().any(|(name, hex)| subject.digest.get(*name) == Some(hex));
    if !statement.subject.iter().any(is) {
        let first = statement.subject.iter().find_map(|Object(subject)| subject.digest.get("sha256"));
        let detail = match first {
            Some(other) => format!("the statement is about sha256 {:?}", shortened(other)),
            None => "the statement names no sha256 digest".into(),
        };
        return Err(Rejection::new(Reason::SubjectMismatch, detail));
    }
    if statement.predicate_type == COSIGN_SIGN {
        Ok(Claim::Signature)
    } else {
        Ok(Claim::Attestation(statement.predicate_type))
    }
}

/// Refuses `payload` unless it is a statement about some digest, whatever that is of.
pub(super) fn names_a_digest(payload: &[u8], limits: &Limits) -> Result<(), Rejection> {
    let statement = read(payload, limits)?;
    let named = |Object(subject): &Object<Subject>| {
        subject.digest.get("sha256").is_some_and(|hex| Digest::from_hex(hex).is_ok())
    };
    if statement.subject.iter().any(named) {
        return Ok(());
    }
    Err(Rejection::new(Reason::EvidenceMalformed, "the statement names no sha256 digest"))
}

fn read(payload: &[u8], limits: &Limits) -> Result<Statement, Rejection> {
    let statement: Statement = super::object("statement", payload)?;
    if !STATEMENT_TYPES.contains(&statement.kind.as_str()) {
        let detail = format!("statement of type {:?}", shortened(&statement.kind));
        return Err(Rejection::new(Reason::EvidenceUnsupported, detail));
    }
    if statement.predicate_type.is_empty() {
        return Err(Rejection::new(Reason::EvidenceMalformed, "an empty predicate type"));
    }
    if statement.subject.len() > limits.subjects {
        let detail = format!("{} subjects, at most {} are read", statement.subject.len(), limits.subjects);
        return Err(Rejection::new(Reason::EvidenceTooLarge, detail));
    }
    if let Some(most) = statement.subject.iter().map(|Object(subject)| subject.digest.len()).find(|n| *n > MAX_DIGESTS)
    {
        let detail = format!("{most} digests of one subject, at most {MAX_DIGESTS} are read");
        return Err(Rejection::new(Reason::EvidenceTooLarge, detail));
    }
    Ok(statement)
}

/// The predicate type with which cosign 3 says that the image itself is signed.
pub const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

const STATEMENT_TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
