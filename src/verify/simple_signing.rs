//! The simple-signing payload, which cosign signed before bundles: exactly the members that containers/image accepts.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Rejection;
use super::envelope::shortened;
use crate::oci::Digest;
use crate::reason::Reason;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    critical: Critical,
    /// Required, but it may be null.
    #[serde(rename = "optional", deserialize_with = "object_or_null")]
    _optional: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    #[serde(rename = "identity")]
    _identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    /// Where the signer saw the image. Not compared: the signature binds the digest, and mirrors are what we serve.
    #[serde(rename = "docker-reference")]
    _docker_reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// Whether `payload` is a statement by its signer that the image `subject` is signed. The signature is verified by the
/// caller.
pub(super) fn match_subject(payload: &[u8], subject: &Digest) -> Result<(), Rejection> {
    let parsed: Payload = super::object("simple-signing payload", payload)?;
    if parsed.critical.kind != COSIGN_TYPE {
        let detail = format!("payload of type {:?}", shortened(&parsed.critical.kind));
        return Err(Rejection::new(Reason::EvidenceUnsupported, detail));
    }
    if parsed.critical.image.digest != subject.to_string() {
        let detail = format!("the signature is about {:?}", shortened(&parsed.critical.image.digest));
        return Err(Rejection::new(Reason::SubjectMismatch, detail));
    }
    Ok(())
}

fn object_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Map<String, Value>>, D::Error> {
    Option::deserialize(deserializer)
}

const COSIGN_TYPE: &str = "cosign container image signature";
