//! The simple-signing payload, which cosign signed before bundles: exactly the members that containers/image accepts.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Rejection;
use super::envelope::shortened;
use crate::oci::Digest;
use crate::reason::Reason;
use crate::strict_json::Object;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    critical: Object<Critical>,
    /// Required, but it may be null.
    #[serde(rename = "optional", deserialize_with = "object_or_null")]
    _optional: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    #[serde(rename = "identity")]
    _identity: Object<Identity>,
    image: Object<Image>,
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
    let critical = read(payload)?;
    if critical.image.0.digest != subject.to_string() {
        let detail = format!("the signature is about {:?}", shortened(&critical.image.0.digest));
        return Err(Rejection::new(Reason::SubjectMismatch, detail));
    }
    Ok(())
}

/// Refuses `payload` unless it is about some digest, whatever that is of.
pub(super) fn names_a_digest(payload: &[u8]) -> Result<(), Rejection> {
    let named = read(payload)?.image.0.digest;
    match named.parse::<Digest>() {
        Ok(_) => Ok(()),
        Err(error) => Err(Rejection::new(Reason::EvidenceMalformed, error.to_string())),
    }
}

fn read(payload: &[u8]) -> Result<Critical, Rejection> {
    let Payload { critical: Object(critical), .. } = super::object("simple-signing payload", payload)?;
    if critical.kind != COSIGN_TYPE {
        let detail = format!("payload of type {:?}", shortened(&critical.kind));
        return Err(Rejection::new(Reason::EvidenceUnsupported, detail));
    }
    Ok(critical)
}

fn object_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Map<String, Value>>, D::Error> {
    Option::deserialize(deserializer)
}

const COSIGN_TYPE: &str = "cosign container image signature";
