//! Cosign's legacy tags: `sha256-….sig` with signatures, `sha256-….att` with attestations.

use std::collections::HashSet;

use bytes::Bytes;

use super::found::{Found, Listing, Miss, Piece, pick};
use super::source::Source;
use super::{Beside, Candidate, Material, Reader};
use crate::limits::Limits;
use crate::oci::manifest::{Descriptor, ManifestError};
use crate::oci::media_type::{BUNDLE_V03, DSSE, SIMPLE_SIGNING};
use crate::oci::{Digest, Manifest, Reference, Tag};
use crate::policy::Format;
use crate::upstream::UpstreamError;

impl<S: Source> Reader<'_, S> {
    /// Every legacy signature of the digest.
    pub(super) async fn list_signatures(&self) -> Listing {
        let mut listing = self.layers(".sig", SIMPLE_SIGNING).await;
        let Listing { pieces, found } = &mut listing;
        pieces.retain(|piece| match piece.descriptor.annotation(SIGNATURE) {
            "" => {
                found.miss(&piece.location, Format::Legacy, unsigned());
                false
            }
            _ => true,
        });
        // Two keys over one payload are two layers of one digest; only what is the same in everything says nothing new.
        let mut seen = HashSet::new();
        let all = |layer: &Descriptor| (layer.digest, layer.annotation(SIGNATURE).to_string(), beside(layer));
        pieces.retain(|piece| seen.insert(all(&piece.descriptor)));
        listing
    }

    /// Every legacy attestation of the digest.
    pub(super) async fn list_attestations(&self) -> Listing {
        let mut listing = self.layers(".att", DSSE).await;
        let mut seen = HashSet::new();
        listing.pieces.retain(|piece| seen.insert((piece.descriptor.digest, beside(&piece.descriptor))));
        listing
    }

    /// Fetches layers, of whatever evidence types.
    pub(super) async fn fetch_layers(&self, layers: Vec<Piece>, found: &mut Found) {
        let max = |layer: &Piece| max_size(&layer.descriptor, self.limits);
        let wanted: Vec<_> = layers.iter().map(|layer| (&layer.descriptor, max(layer))).collect();
        let (blobs, cut_off) = self.blobs(&wanted).await;
        found.incomplete |= cut_off;
        for layer in layers {
            let Some(blob) = pick(&blobs, &layer.descriptor, max(&layer)) else { continue };
            let (descriptor, format) = (&layer.descriptor, format(&layer.descriptor));
            match blob.and_then(|bytes| material(descriptor, bytes)) {
                Ok(material) => {
                    let beside = if format == Format::Bundle { Beside::default() } else { beside(descriptor) };
                    found.candidates.push(Candidate::new(layer.location, material).with(beside));
                }
                Err(miss) => found.miss(&layer.location, format, miss),
            }
        }
    }

    /// The layers of type `media_type` of the image at the tag with this end, and where each stands. A tag is mutable
    /// and proves nothing: only the layers' own signatures do.
    async fn layers(&self, suffix: &str, media_type: &str) -> Listing {
        let (tag, location) = referrers_tag(self.digest, suffix);
        let mut listing = Listing::default();
        let found = &mut listing.found;
        let max = self.limits.manifest;
        let raw = match self.place.source.manifest(self.place.repository, &Reference::Tag(tag), max).await {
            Ok(raw) => raw,
            Err(error) => {
                found.source_failed(&location, Format::Legacy, error);
                return listing;
            }
        };
        let digest = Digest::of(&raw.bytes);
        let manifest = match Manifest::parse(raw.bytes, &digest, &raw.content_type, usize::MAX) {
            Ok(manifest) if !manifest.media_type().is_index() => manifest,
            Ok(_) => {
                let miss = Miss::malformed("an index, where cosign writes an image manifest");
                found.miss(&location, Format::Legacy, miss);
                return listing;
            }
            Err(error) => {
                found.incomplete |= matches!(error, ManifestError::Limits(_));
                found.miss(&location, Format::Legacy, error.into());
                return listing;
            }
        };
        found.incomplete |= manifest.entries().len() > self.listed();
        let numbered = manifest.entries().iter().take(self.listed()).enumerate();
        let of_type = numbered.filter(|(_, layer)| layer.media_type == media_type);
        let piece = |(number, layer): (usize, &Descriptor)| Piece {
            location: format!("{location}, layer {number}"),
            descriptor: layer.clone(),
        };
        listing.pieces = of_type.map(piece).collect();
        listing
    }
}

impl Found {
    /// A source that something does not list: 404 means that there is none, and nothing else does.
    pub(super) fn source_failed(&mut self, location: &str, format: Format, error: UpstreamError) {
        match error {
            UpstreamError::NotFound => {}
            UpstreamError::TooLarge { .. } => {
                self.incomplete = true;
                self.miss(location, format, error.into());
            }
            _ => self.miss(location, format, error.into()),
        }
    }
}

/// What a layer is by its media type, which only says how to read it.
fn material(layer: &Descriptor, bytes: Bytes) -> Result<Material, Miss> {
    match layer.media_type.as_str() {
        BUNDLE_V03 => Ok(Material::Bundle(bytes)),
        DSSE => Ok(Material::Envelope(bytes)),
        SIMPLE_SIGNING => match layer.annotation(SIGNATURE) {
            "" => Err(unsigned()),
            signature => Ok(Material::SimpleSigning { payload: bytes, signature: signature.to_string() }),
        },
        other => Err(Miss::malformed(format!("a layer of type {other:?}"))),
    }
}

/// How many bytes a layer of this type may have. Only its payload tells whether a bundle is a signature or an
/// attestation.
fn max_size(layer: &Descriptor, limits: &Limits) -> u64 {
    match layer.media_type.as_str() {
        SIMPLE_SIGNING => limits.bundle,
        DSSE => limits.attestation,
        _ => limits.bundle.max(limits.attestation),
    }
}

fn format(layer: &Descriptor) -> Format {
    if layer.media_type == BUNDLE_V03 { Format::Bundle } else { Format::Legacy }
}

fn unsigned() -> Miss {
    Miss::malformed(format!("no annotation `{SIGNATURE}`"))
}

/// What a layer's annotations say beside its bytes.
fn beside(layer: &Descriptor) -> Beside {
    let text = |key: &str| Some(layer.annotation(key)).filter(|text| !text.is_empty()).map(str::to_string);
    Beside {
        certificate: text("dev.sigstore.cosign/certificate"),
        chain: text("dev.sigstore.cosign/chain"),
        bundle: text("dev.sigstore.cosign/bundle"),
        timestamp: text("dev.sigstore.cosign/rfc3161timestamp"),
    }
}

/// The tag that stands for `digest`, and how it is called in explanations.
pub(super) fn referrers_tag(digest: &Digest, suffix: &str) -> (Tag, String) {
    let text = format!("sha256-{}{suffix}", digest.hex());
    (text.parse().expect("hex digits make a tag"), format!("tag {text}"))
}

/// The annotation of a layer that holds its signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
