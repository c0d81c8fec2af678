//! The manifests that refer to an image: which of their layers may be evidence, and those layers.

use super::found::{Found, Miss, Piece, all};
use super::source::Source;
use super::{Candidate, Reader};
use crate::oci::manifest::Descriptor;
use crate::oci::media_type::{BUNDLE_V03, DSSE, SIMPLE_SIGNING};
use crate::oci::{Digest, Manifest, Reference};
use crate::policy::Format;
use crate::reason::Reason;

impl<S: Source> Reader<'_, S> {
    /// Fetches the listed manifests, then at most `most` of their layers; a few at a time, results in the order of the
    /// list.
    pub(super) async fn fetch_referrers(&self, listed: Vec<Piece>, most: usize, found: &mut Found) {
        let manifests = listed.into_iter().map(|piece| async move {
            let layers = self.artifact(&piece).await;
            (piece, layers)
        });
        let manifests = all(manifests).await;
        let mut layers = Vec::new();
        for (piece, result) in manifests {
            match result {
                Ok(more) => layers.extend(more.into_iter().enumerate()),
                Err(miss) => found.miss(&piece.location, expected(&piece.descriptor), miss),
            }
        }
        // The first layers of all before the second of any: a manifest with many takes nothing from the others.
        layers.sort_by_key(|(number, _)| *number);
        found.incomplete |= layers.len() > most;
        let layers = layers.into_iter().take(most).map(|(_, layer)| layer).collect();
        self.fetch_layers(layers, found).await;
        found.candidates = found.candidates.drain(..).map(Candidate::of_referrer).collect();
    }

    /// The layers of a referrer that may be evidence; none if it turns out to be something else.
    async fn artifact(&self, piece: &Piece) -> Result<Vec<Piece>, Miss> {
        let Piece { location, descriptor } = piece;
        let reference = Reference::Digest(descriptor.digest);
        let raw = self.place.source.manifest(self.place.repository, &reference, self.limits.manifest).await?;
        let manifest = Manifest::parse(raw.bytes, &descriptor.digest, &raw.content_type, self.limits.listed)?;
        let is_bundle = |layer: &Descriptor| layer.media_type == BUNDLE_V03;
        let bundle = descriptor.artifact_type.as_deref() == Some(BUNDLE_V03)
            || manifest.artifact_type() == Some(BUNDLE_V03)
            || manifest.entries().iter().any(is_bundle);
        let legacy = |layer: &&Descriptor| match layer.media_type.as_str() {
            SIMPLE_SIGNING => self.wants.signatures,
            DSSE => self.wants.attestations,
            _ => false,
        };
        if manifest.media_type().is_index() && !bundle {
            return Ok(Vec::new());
        }
        let layers: Vec<_> = if bundle {
            manifest.entries().iter().collect()
        } else {
            manifest.entries().iter().filter(legacy).collect()
        };
        if (bundle && !self.wants.bundle) || (!bundle && layers.is_empty()) {
            return Ok(Vec::new());
        }
        // The registry's index says whose referrer it is; the manifest must say the same.
        if manifest.subject() != Some(*self.digest) {
            let subject = manifest.subject().map_or("nothing".into(), |other: Digest| other.to_string());
            return Err(Miss::Unusable(Reason::SubjectMismatch, format!("the manifest refers to {subject}")));
        }
        if !bundle {
            let piece = |(number, layer): (usize, &Descriptor)| Piece {
                location: format!("{location}, layer {number}"),
                descriptor: layer.clone(),
            };
            return Ok(layers.into_iter().enumerate().map(piece).collect());
        }
        match layers[..] {
            [layer] if is_bundle(layer) && !manifest.media_type().is_index() => {
                Ok(vec![Piece { location: location.clone(), descriptor: layer.clone() }])
            }
            _ => Err(Miss::malformed(format!("expected one layer that is a bundle, found {} layers", layers.len()))),
        }
    }
}

/// The format of what a list gives this type, before anything of it is read.
fn expected(listed: &Descriptor) -> Format {
    match listed.artifact_type.as_deref() {
        Some(SIGNATURE_ARTIFACT | ATTESTATION_ARTIFACT) => Format::Legacy,
        _ => Format::Bundle,
    }
}

/// What cosign 2 calls legacy signatures that it stores as a referrer (`--registry-referrers-mode=oci-1-1`).
pub(super) const SIGNATURE_ARTIFACT: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
/// What it calls legacy attestations there.
pub(super) const ATTESTATION_ARTIFACT: &str = "application/vnd.in-toto+json";
