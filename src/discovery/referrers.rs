//! Bundles: the referrers API, or the tag `sha256-…` that stands in where a registry has none.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::found::{AT_ONCE, Found, Miss, pick};
use super::source::Source;
use super::tag::referrers_tag;
use super::{Candidate, Material, Reader};
use crate::evidence::Unread;
use crate::oci::manifest::Descriptor;
use crate::oci::media_type::{BUNDLE_V03, ManifestType};
use crate::oci::{Digest, Manifest, Reference};
use crate::policy::Format;
use crate::reason::Reason;
use crate::strict_json;
use crate::upstream::{Page, UpstreamError};

/// Descriptors that somebody lists as referrers.
#[derive(Default)]
struct Listing {
    descriptors: Vec<Descriptor>,
    found: Found,
}

/// An image index as far as it lists: each descriptor is read by itself, so that one which we cannot use does not hide
/// the others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    media_type: Option<String>,
    /// `null` is what some registries write for an empty list.
    manifests: Option<Vec<serde_json::Value>>,
}

impl<S: Source> Reader<'_, S> {
    /// Every bundle about the digest.
    pub(super) async fn bundles(&self) -> Found {
        let mut listing = Listing::default();
        let mut listed = String::new();
        if !self.list_by_api(&mut listing).await {
            listed = format!(", listed by {}", self.list_by_tag(&mut listing).await);
        }
        let Listing { descriptors, mut found } = listing;
        let mut seen = std::collections::HashSet::new();
        let mut examined: Vec<_> =
            descriptors.into_iter().filter(may_be_bundle).filter(|one| seen.insert(one.digest)).collect();
        found.incomplete |= examined.len() > self.limits.examined;
        examined.truncate(self.limits.examined);
        self.fetch(examined, &listed, &mut found).await;
        found
    }

    /// Reads the pages of the API; says whether its answer stands, or the tag has to be asked instead.
    async fn list_by_api(&self, listing: &mut Listing) -> bool {
        let mut next: Option<String> = None;
        for number in 1..=PAGES {
            let max = self.limits.manifest;
            let page = match self.source.referrers(self.repository, self.digest, max, next.as_deref()).await {
                Ok(page) => page,
                Err(UpstreamError::NotFound | UpstreamError::Status(400 | 405 | 406)) if number == 1 => return false,
                Err(error) => {
                    listing.found.unread.push(unread_listing(&error));
                    return true;
                }
            };
            // A proxy or a web page that answers 200 to everything is no referrers API.
            if ManifestType::parse(&page.content_type) != Some(ManifestType::OciIndex) && number == 1 {
                return false;
            }
            let Page { bytes, content_type, next: following, foreign_next } = page;
            if let Err(miss) = listing.add(&bytes, &content_type, self.limits.listed) {
                // The registry itself composes this document; if it cannot be read, nothing is known to be absent.
                let (Miss::Unread(_, why) | Miss::Unusable(_, why)) = miss;
                listing.found.unread.push(Unread::new("referrers", Reason::EvidenceUnreadable, &why));
                return true;
            }
            listing.found.incomplete |= foreign_next;
            match following {
                Some(_) if listing.found.incomplete => return true,
                Some(query) => next = Some(query),
                // A registry with the API, whose bundles a client without it pushed, has them at the tag only.
                None => return !listing.is_empty(),
            }
        }
        listing.found.incomplete = true;
        true
    }

    /// Reads the tag; says which one.
    async fn list_by_tag(&self, listing: &mut Listing) -> String {
        let (tag, location) = referrers_tag(self.digest, "");
        match self.source.manifest(self.repository, &Reference::Tag(tag), self.limits.manifest).await {
            Ok(raw) => {
                if let Err(miss) = listing.add(&raw.bytes, &raw.content_type, self.limits.listed) {
                    listing.found.miss(&location, Format::Bundle, miss);
                }
            }
            Err(error) => listing.found.source_failed(&location, Format::Bundle, error),
        }
        location
    }

    /// Fetches the manifests that are listed `how`, then their layers; a few at a time, results in the order of the list.
    async fn fetch(&self, listed: Vec<Descriptor>, how: &str, found: &mut Found) {
        let manifests = listed.into_iter().map(|descriptor| async move {
            let layer = self.layer(&descriptor).await;
            (descriptor, layer)
        });
        let layers: Vec<_> = stream::iter(manifests).buffered(AT_ONCE).collect().await;
        let max = self.limits.bundle.max(self.limits.attestation);
        let wanted: Vec<_> = layers.iter().filter_map(|(_, layer)| layer.as_ref().ok()?.as_ref()).collect();
        let (blobs, cut_off) = self.blobs(&wanted, max).await;
        found.incomplete |= cut_off;
        for (descriptor, layer) in &layers {
            let location = format!("referrer {}{how}", descriptor.digest);
            let result = match layer {
                Ok(Some(layer)) => pick(&blobs, layer, max),
                Ok(None) => None,
                Err(miss) => Some(Err(miss.clone())),
            };
            match result {
                Some(Ok(bundle)) => found.candidates.push(Candidate::new(location, Material::Bundle(bundle))),
                Some(Err(miss)) => found.miss(&location, Format::Bundle, miss),
                None => {}
            }
        }
    }

    /// The one layer of a referrer that is a bundle; none if it turns out to be something else.
    async fn layer(&self, descriptor: &Descriptor) -> Result<Option<Descriptor>, Miss> {
        let reference = Reference::Digest(descriptor.digest);
        let raw = self.source.manifest(self.repository, &reference, self.limits.manifest).await?;
        let manifest = Manifest::parse(raw.bytes, &descriptor.digest, &raw.content_type, self.limits.listed)?;
        let is_bundle = |layer: &Descriptor| layer.media_type == BUNDLE_V03;
        let claims = descriptor.artifact_type.as_deref() == Some(BUNDLE_V03)
            || manifest.artifact_type() == Some(BUNDLE_V03)
            || manifest.entries().iter().any(is_bundle);
        if !claims {
            return Ok(None);
        }
        // The registry's index says whose referrer it is; the manifest must say the same.
        if manifest.subject() != Some(*self.digest) {
            let subject = manifest.subject().map_or("nothing".into(), |other: Digest| other.to_string());
            return Err(Miss::Unusable(Reason::SubjectMismatch, format!("the manifest refers to {subject}")));
        }
        match manifest.entries() {
            [layer] if is_bundle(layer) && !manifest.media_type().is_index() => Ok(Some(layer.clone())),
            layers => {
                Err(Miss::malformed(format!("expected one layer that is a bundle, found {} layers", layers.len())))
            }
        }
    }
}

impl Listing {
    fn is_empty(&self) -> bool {
        self.descriptors.is_empty() && self.found.unusable.is_empty()
    }

    /// Adds what an index lists, as far as `most` allows.
    fn add(&mut self, bytes: &Bytes, content_type: &str, most: usize) -> Result<(), Miss> {
        let oci_index = ManifestType::OciIndex;
        if ManifestType::parse(content_type) != Some(oci_index) {
            return Err(Miss::malformed(format!("not an OCI index: {content_type:?}")));
        }
        let index: Index = strict_json::parse(bytes).map_err(|error| Miss::malformed(error.to_string()))?;
        if index.media_type.is_some_and(|inner| inner != oci_index.as_str()) {
            return Err(Miss::malformed("`mediaType` is not that of an OCI index"));
        }
        for entry in index.manifests.unwrap_or_default() {
            if self.descriptors.len() + self.found.unusable.len() >= most {
                self.found.incomplete = true;
                break;
            }
            match serde_json::from_value(entry) {
                Ok(descriptor) => self.descriptors.push(descriptor),
                Err(error) => {
                    let miss = Miss::malformed(format!("a descriptor cannot be read: {error}"));
                    self.found.miss("referrers", Format::Bundle, miss);
                }
            }
        }
        Ok(())
    }
}

/// Whether a listed artifact may be a bundle. Some registries leave its type out, or write the config's media type.
fn may_be_bundle(descriptor: &Descriptor) -> bool {
    matches!(descriptor.artifact_type.as_deref(), None | Some("" | BUNDLE_V03 | EMPTY_CONFIG))
}

fn unread_listing(error: &UpstreamError) -> Unread {
    Unread::new("referrers", Reason::EvidenceUnreadable, &format!("{}: {error}", error.reason()))
}

/// The media type of an empty config, which some registries give as the artifact's type.
const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";
/// Pages of the referrers API; none of them need hold a descriptor.
const PAGES: usize = 64;
