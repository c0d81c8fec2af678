//! Cosign's legacy tags: `sha256-….sig` with signatures, `sha256-….att` with attestations.

use super::found::{Found, Miss, pick};
use super::source::Source;
use super::{Beside, Candidate, Material, Reader};
use crate::oci::manifest::Descriptor;
use crate::oci::media_type::{DSSE, SIMPLE_SIGNING};
use crate::oci::{Digest, Manifest, Reference, Tag};
use crate::policy::Format;
use crate::upstream::UpstreamError;

impl<S: Source> Reader<'_, S> {
    /// Every legacy signature of the digest.
    pub(super) async fn signatures(&self) -> Found {
        let mut found = Found::default();
        let (tag, location) = referrers_tag(self.digest, ".sig");
        let layers = self.layers(tag, &location, SIMPLE_SIGNING, &mut found).await;
        let mut signed = Vec::new();
        for (place, layer) in layers {
            match layer.annotation(SIGNATURE) {
                "" => found.miss(&place, Format::Legacy, Miss::malformed(format!("no annotation `{SIGNATURE}`"))),
                signature => signed.push((place, signature.to_string(), layer)),
            }
        }
        // Two keys over one payload are two layers of one digest; only what is the same in everything says nothing new.
        let mut seen = std::collections::HashSet::new();
        signed.retain(|(_, signature, layer)| seen.insert((layer.digest, signature.clone(), beside(layer))));
        found.incomplete |= signed.len() > self.limits.examined;
        signed.truncate(self.limits.examined);
        let max = self.limits.bundle;
        let (blobs, cut_off) = self.blobs(&signed.iter().map(|(_, _, layer)| layer).collect::<Vec<_>>(), max).await;
        found.incomplete |= cut_off;
        for (place, signature, layer) in signed {
            let material = pick(&blobs, &layer, max)
                .map(|blob| blob.map(|payload| Material::SimpleSigning { payload, signature }));
            found.take(place, material, beside(&layer));
        }
        found
    }

    /// Every legacy attestation of the digest.
    pub(super) async fn attestations(&self) -> Found {
        let mut found = Found::default();
        let (tag, location) = referrers_tag(self.digest, ".att");
        let mut layers = self.layers(tag, &location, DSSE, &mut found).await;
        let mut seen = std::collections::HashSet::new();
        layers.retain(|(_, layer)| seen.insert((layer.digest, beside(layer))));
        found.incomplete |= layers.len() > self.limits.examined;
        layers.truncate(self.limits.examined);
        let max = self.limits.attestation;
        let (blobs, cut_off) = self.blobs(&layers.iter().map(|(_, layer)| layer).collect::<Vec<_>>(), max).await;
        found.incomplete |= cut_off;
        for (place, layer) in layers {
            let material = pick(&blobs, &layer, max).map(|blob| blob.map(Material::Envelope));
            found.take(place, material, beside(&layer));
        }
        found
    }

    /// The layers of type `media_type` of the image at `tag`, and where each stands. A tag is mutable and proves
    /// nothing: only the layers' own signatures do.
    async fn layers(&self, tag: Tag, location: &str, media_type: &str, found: &mut Found) -> Vec<(String, Descriptor)> {
        let raw = match self.source.manifest(self.repository, &Reference::Tag(tag), self.limits.manifest).await {
            Ok(raw) => raw,
            Err(error) => {
                found.source_failed(location, Format::Legacy, error);
                return Vec::new();
            }
        };
        let digest = Digest::of(&raw.bytes);
        let manifest = match Manifest::parse(raw.bytes, &digest, &raw.content_type, usize::MAX) {
            Ok(manifest) if !manifest.media_type().is_index() => manifest,
            Ok(_) => {
                found.miss(
                    location,
                    Format::Legacy,
                    Miss::malformed("an index, where cosign writes an image manifest"),
                );
                return Vec::new();
            }
            Err(error) => {
                found.miss(location, Format::Legacy, error.into());
                return Vec::new();
            }
        };
        found.incomplete |= manifest.entries().len() > self.limits.listed;
        let numbered = manifest.entries().iter().take(self.limits.listed).enumerate();
        numbered
            .filter(|(_, layer)| layer.media_type == media_type)
            .map(|(number, layer)| (format!("{location}, layer {number}"), layer.clone()))
            .collect()
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

    fn take(&mut self, location: String, result: Option<Result<Material, Miss>>, beside: Beside) {
        match result {
            Some(Ok(material)) => self.candidates.push(Candidate::new(location, material).with(beside)),
            Some(Err(miss)) => self.miss(&location, Format::Legacy, miss),
            None => {}
        }
    }
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
