//! The Sigstore bundle, taken apart strictly: nothing verified.
//!
//! The members are read twice: here, so that an unknown or a second alternative is refused (the crate takes the first
//! that it knows), and by `sigstore-verify`'s parser, whose types the verification needs.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sigstore_verify::types::Bundle;

use super::Rejection;
use super::envelope::{Wire, shortened};
use crate::limits::Limits;
use crate::oci::media_type::BUNDLE_V03;
use crate::reason::Reason;
use crate::strict_json::Object;

/// Which bundles may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accept {
    /// Every version, and signatures of blobs: what `verify-bundle` is asked about.
    Any,
    /// What stands for an image in a registry: version 0.3 and a signed statement. Another version is a downgrade.
    Image,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireBundle {
    media_type: String,
    verification_material: Object<Material>,
    dsse_envelope: Option<Object<Wire>>,
    message_signature: Option<Object<MessageSignature>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Material {
    certificate: Option<Object<RawBytes>>,
    x509_certificate_chain: Option<Object<Chain>>,
    public_key: Option<Object<PublicKey>>,
    tlog_entries: Option<Vec<Object<Entry>>>,
    timestamp_verification_data: Option<Object<Timestamps>>,
}

/// Structures of which only the names of the members matter here.
macro_rules! only_members {
    ($($name:ident { $($member:ident $json:literal: $kind:ty),* })*) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            $(#[serde(rename = $json)] $member: Option<$kind>,)*
        }
    )*};
}

only_members! {
    PublicKey { _hint "hint": IgnoredAny }
    Chain { certificates "certificates": Vec<Object<RawBytes>> }
    Timestamps { stamps "rfc3161Timestamps": Vec<Object<Timestamp>> }
    RawBytes { _raw_bytes "rawBytes": IgnoredAny }
    Timestamp { _signed "signedTimestamp": IgnoredAny }
    MessageSignature { _digest "messageDigest": Object<MessageDigest>, _signature "signature": IgnoredAny }
    MessageDigest { _algorithm "algorithm": IgnoredAny, _digest "digest": IgnoredAny }
    Entry {
        _index "logIndex": IgnoredAny, _log "logId": Object<LogId>, _kind "kindVersion": Object<KindVersion>,
        _time "integratedTime": IgnoredAny, _promise "inclusionPromise": Object<Promise>,
        proof "inclusionProof": Object<Proof>,
        _body "canonicalizedBody": IgnoredAny
    }
    LogId { _key "keyId": IgnoredAny }
    KindVersion { _kind "kind": IgnoredAny, _version "version": IgnoredAny }
    Promise { _signed "signedEntryTimestamp": IgnoredAny }
    Proof {
        _index "logIndex": IgnoredAny, _root "rootHash": IgnoredAny, _size "treeSize": IgnoredAny,
        hashes "hashes": Vec<IgnoredAny>, _checkpoint "checkpoint": Object<Checkpoint>
    }
    Checkpoint { _envelope "envelope": IgnoredAny }
}

/// The most bytes that a bundle may have. Only its payload tells whether it is a signature or an attestation, which
/// may carry a whole SBOM; [`super::statement`] holds signatures to the smaller limit.
pub fn max_size(limits: &Limits) -> u64 {
    limits.bundle.max(limits.attestation)
}

/// Parses `json` as a bundle that is accepted.
pub(super) fn parse(json: &[u8], accept: Accept, limits: &Limits) -> Result<Bundle, Rejection> {
    super::bounded(json, max_size(limits))?;
    let wire: WireBundle = super::object("bundle", json)?;
    let media_type = wire.media_type.as_str();
    if accept == Accept::Image && media_type != BUNDLE_V03 {
        return Err(unsupported(format!("bundle of media type {:?}", shortened(media_type))));
    }
    check_material(&wire.verification_material.0, media_type, limits)?;
    match (&wire.dsse_envelope, &wire.message_signature) {
        (Some(Object(envelope)), None) => {
            envelope.check()?;
        }
        (None, Some(_)) if accept == Accept::Any => {}
        (None, Some(_)) => return Err(unsupported("a signature of a blob, not a signed statement")),
        _ => return Err(malformed("neither one envelope nor one message signature")),
    }
    let text = std::str::from_utf8(json).map_err(|error| malformed(error.to_string()))?;
    let bundle = Bundle::from_json(text).map_err(|error| malformed(format!("not a bundle: {error}")))?;
    let stamps = &bundle.verification_material.timestamp_verification_data.rfc3161_timestamps;
    if stamps.iter().enumerate().any(|(number, stamp)| stamps.iter().take(number).any(|other| other == stamp)) {
        return Err(malformed("one time stamp twice"));
    }
    super::time::check_sizes(stamps.iter().map(|stamp| &stamp.signed_timestamp))?;
    Ok(bundle)
}

fn check_material(material: &Material, media_type: &str, limits: &Limits) -> Result<(), Rejection> {
    let entries = material.tlog_entries.as_deref().unwrap_or_default();
    let stamps = material.timestamp_verification_data.as_ref().and_then(|data| data.0.stamps.as_ref());
    for (what, count, most) in [
        ("log entries", entries.len(), limits.log_entries),
        ("time stamps", stamps.map_or(0, Vec::len), limits.timestamps),
        ("certificates", certificates(material), limits.chain),
        ("hashes of one proof", entries.iter().map(|Object(entry)| hashes(entry)).max().unwrap_or(0), MAX_HASHES),
    ] {
        super::at_most(what, count, most)?;
    }
    match (&material.public_key, &material.certificate, &material.x509_certificate_chain) {
        (None, None, Some(_)) if media_type == BUNDLE_V03 || media_type.ends_with("=0.3") => {
            Err(unsupported("a certificate chain in a version 0.3 bundle"))
        }
        (None, None, Some(_)) if certificates(material) == 0 => Err(malformed("an empty certificate chain")),
        (Some(_), None, None) | (None, Some(_), None) | (None, None, Some(_)) => Ok(()),
        _ => Err(malformed("neither one public key nor one certificate")),
    }
}

fn certificates(material: &Material) -> usize {
    let chain = material.x509_certificate_chain.as_ref().and_then(|Object(chain)| chain.certificates.as_ref());
    chain.map_or(0, Vec::len)
}

fn hashes(entry: &Entry) -> usize {
    entry.proof.as_ref().and_then(|Object(proof)| proof.hashes.as_ref()).map_or(0, Vec::len)
}

fn malformed(why: impl AsRef<str>) -> Rejection {
    Rejection::new(Reason::EvidenceMalformed, why)
}

fn unsupported(what: impl AsRef<str>) -> Rejection {
    Rejection::new(Reason::EvidenceUnsupported, what)
}

/// Hashes of one inclusion proof: a tree of 2⁶⁴ leaves has no more.
const MAX_HASHES: usize = 64;
