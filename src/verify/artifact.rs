//! Evidence artifacts, audited leaf: proof that every blob of a manifest is evidence by its bytes, whoever made it.
//!
//! Media types, tags, annotations and a platform called `unknown` prove nothing: an image whose layers are merely
//! relabelled still runs. So what is read here must be a document of the kind that its media type says, about some
//! digest, and no archive that an unpacker would take for a layer; and the config must be one that nothing runs by.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::bundle::{self, Accept};
use super::envelope::Wire;
use super::{Rejection, simple_signing, statement};
use crate::limits::Limits;
use crate::oci::manifest::Descriptor;
use crate::oci::media_type::{BUNDLE_V03, DSSE, IN_TOTO, ManifestType, SIMPLE_SIGNING};
use crate::oci::{Digest, Manifest};
use crate::reason::Reason;
use crate::strict_json;

/// Proof that a manifest is an evidence artifact, or an index of nothing but evidence artifacts. Only [`Reading::end`]
/// and [`EvidenceProof::of_index`] make one.
#[derive(Debug, Clone)]
pub struct EvidenceProof {
    digest: Digest,
}

impl EvidenceProof {
    /// Proof for `index`, if these are proofs for everything that it lists, and that is something.
    pub fn of_index(index: &Manifest, children: &[Self]) -> Option<Self> {
        let proven = |listed: &Digest| children.iter().any(|child| child.digest == *listed);
        let all = index.media_type().is_index() && !index.listed().is_empty() && index.listed().iter().all(proven);
        all.then(|| Self { digest: index.digest() })
    }

    /// The manifest that it is about.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// A manifest that may be an evidence artifact, and how far its blobs have been read.
#[derive(Debug)]
pub struct Reading {
    digest: Digest,
    limits: Limits,
    /// The config, then the layers.
    blobs: Vec<Descriptor>,
    read: usize,
}

impl Reading {
    /// Begins with `manifest`, if it is worth it by what its descriptors say. That can only keep it from being tried.
    pub fn begin(manifest: &Manifest, limits: &Limits) -> Option<Self> {
        let (config, layers) = (manifest.config()?, manifest.entries());
        let fits = |layer: &Descriptor| max_size(&layer.media_type, limits).is_some_and(|most| layer.size <= most);
        let total = layers.iter().fold(0_u64, |total, layer| total.saturating_add(layer.size));
        let worth = (1..=limits.examined).contains(&layers.len())
            && config.size <= MAX_CONFIG
            && layers.iter().all(fits)
            && total <= limits.attestation.saturating_mul(LARGEST);
        let blobs = || std::iter::once(config).chain(layers).cloned().collect();
        worth.then(|| Self { digest: manifest.digest(), limits: *limits, blobs: blobs(), read: 0 })
    }

    /// The bytes of all its blobs.
    pub fn size(&self) -> u64 {
        self.blobs.iter().fold(0, |total, blob| total.saturating_add(blob.size))
    }

    /// The blob to be read next; nothing is left when all have been.
    pub fn next(&self) -> Option<&Descriptor> {
        self.blobs.get(self.read)
    }

    /// Takes the bytes of [`Reading::next`].
    ///
    /// # Errors
    /// What they are not, if they are not evidence, or other bytes than its descriptor says.
    pub fn take(mut self, bytes: &[u8]) -> Result<Self, Rejection> {
        let other = || Rejection::new(Reason::DescriptorMismatch, "other bytes than its descriptor says");
        let blob = self.next().ok_or_else(other)?;
        if Digest::of(bytes) != blob.digest || u64::try_from(bytes.len()).ok() != Some(blob.size) {
            return Err(other());
        }
        match self.read {
            0 => config(bytes, self.blobs.iter().skip(1).map(|layer| layer.digest))?,
            _ => layer(&blob.media_type, bytes, &self.limits)?,
        }
        self.read += 1;
        Ok(self)
    }

    /// The proof, once every blob was taken.
    pub fn end(self) -> Option<EvidenceProof> {
        (self.read == self.blobs.len()).then_some(EvidenceProof { digest: self.digest })
    }
}

/// Whether `index` may be one of nothing but evidence artifacts, by what its descriptors say: as clients write them for
/// a registry without a list of referrers, small, for no platform and never nested.
pub fn may_be_listing(index: &Manifest, limits: &Limits) -> bool {
    let is_index = |entry: &Descriptor| ManifestType::parse(&entry.media_type).is_some_and(ManifestType::is_index);
    let of_images = |entry: &Descriptor| !entry.platform.is_empty() || is_index(entry);
    (1..=limits.examined).contains(&index.entries().len())
        && index.media_type().is_index()
        && !index.entries().iter().any(of_images)
}

/// The most bytes that a layer of this media type may have; nothing if that is no type of evidence.
fn max_size(media_type: &str, limits: &Limits) -> Option<u64> {
    match media_type {
        BUNDLE_V03 => Some(bundle::max_size(limits)),
        DSSE | IN_TOTO => Some(limits.attestation),
        SIMPLE_SIGNING => Some(limits.bundle),
        _ => None,
    }
}

/// Refuses `bytes` unless they are one piece of evidence of the kind that `media_type` names, about some digest.
///
/// # Errors
/// What they are not.
fn layer(media_type: &str, bytes: &[u8], limits: &Limits) -> Result<(), Rejection> {
    let Some(most) = max_size(media_type, limits) else {
        return Err(Rejection::new(Reason::EvidenceUnsupported, "not a media type of evidence"));
    };
    super::bounded(bytes, most)?;
    if is_archive(bytes) {
        return Err(Rejection::new(Reason::EvidenceMalformed, "it begins as an archive does"));
    }
    match media_type {
        BUNDLE_V03 => {
            let bundle = bundle::parse(bytes, Accept::Image, limits)?;
            match &bundle.content {
                sigstore_verify::types::SignatureContent::DsseEnvelope(envelope) => {
                    statement::names_a_digest(envelope.payload.as_bytes(), limits)
                }
                _ => Err(Rejection::new(Reason::EvidenceUnsupported, "no envelope")),
            }
        }
        DSSE => {
            let envelope = super::object::<Wire>("DSSE envelope", bytes)?.envelope()?;
            statement::names_a_digest(envelope.payload.as_bytes(), limits)
        }
        SIMPLE_SIGNING => simple_signing::names_a_digest(bytes),
        _ => {
            super::object::<OnlyAStatement>("statement", bytes)?;
            statement::names_a_digest(bytes, limits)
        }
    }
}

/// A statement without members of its own, which would make it a manifest or an image's config to another reader.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnlyAStatement {
    #[serde(rename = "_type")]
    _kind: IgnoredAny,
    #[serde(rename = "subject")]
    _subject: IgnoredAny,
    #[serde(rename = "predicateType")]
    _predicate_type: IgnoredAny,
    #[serde(rename = "predicate")]
    _predicate: Option<IgnoredAny>,
}

/// Refuses `bytes` unless they are a config that may stand beside evidence: a JSON object that nothing runs by.
///
/// A node may hold other layers already, and finds them by what the config calls them without reading any: so it may
/// name the layers themselves and nothing else, and no process. cosign and `BuildKit` write them so.
///
/// # Errors
/// What they are not.
fn config(bytes: &[u8], layers: impl Iterator<Item = Digest>) -> Result<(), Rejection> {
    let refused = |why: &str| Rejection::new(Reason::EvidenceMalformed, format!("the config: {why}"));
    super::bounded(bytes, MAX_CONFIG)?;
    strict_json::unambiguous_to_all(bytes).map_err(|error| refused(&error.to_string()))?;
    let config: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| refused(&error.to_string()))?;
    let layers: Vec<_> = layers.map(|digest| Value::from(digest.to_string())).collect();
    for (name, value) in &config {
        match (strict_json::folded(name).as_str(), value) {
            ("rootfs" | "config" | "container_config", Value::Null) => {}
            ("rootfs", Value::Object(rootfs)) => {
                let named = rootfs.iter().filter(|(name, _)| strict_json::folded(name) == "diff_ids");
                if !named.map(|(_, named)| named.as_array()).all(|named| named == Some(&layers)) {
                    return Err(refused("its file systems are not the layers"));
                }
            }
            ("config" | "container_config", Value::Object(process)) if process.is_empty() => {}
            ("rootfs" | "config" | "container_config", _) => return Err(refused("it describes what is to be run")),
            ("schemaversion" | "manifests" | "layers" | "fslayers", _) => {
                return Err(refused("it reads as a manifest"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether `bytes` begin with the header of a tar archive. JSON has no NUL, but the oldest format needs none: a document
/// could be written so that its first 512 bytes are a header and the rest is a file.
fn is_archive(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..512) else { return false };
    let stated = header.get(CHECKSUM).and_then(|field| std::str::from_utf8(field).ok());
    let stated = stated.and_then(|text| u32::from_str_radix(text.trim_matches([' ', '\0']), 8).ok());
    let plain: u32 = header.iter().enumerate().map(|(at, byte)| weight(at, *byte)).sum();
    // Some have summed up bytes with a sign.
    let high = header.iter().enumerate().filter(|(at, byte)| !CHECKSUM.contains(at) && **byte >= 128).count();
    let signed = u32::try_from(high * 256).ok().and_then(|high| plain.checked_sub(high));
    stated.is_some() && (stated == Some(plain) || stated == signed)
}

fn weight(at: usize, byte: u8) -> u32 {
    u32::from(if CHECKSUM.contains(&at) { b' ' } else { byte })
}

/// Where a tar header has its checksum, which is counted as blanks.
const CHECKSUM: std::ops::Range<usize> = 148..156;
/// Bytes of a config.
const MAX_CONFIG: u64 = 64 << 10;
/// How many layers of the largest size an artifact may be as large as.
const LARGEST: u64 = 4;

#[cfg(test)]
mod tests;
