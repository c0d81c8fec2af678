//! What refers to an image: the referrers API, and the tag `sha256-…` that stands in where a registry or client has none.

use std::collections::HashSet;

use bytes::Bytes;
use serde::Deserialize;

use super::artifact::{ATTESTATION_ARTIFACT, SIGNATURE_ARTIFACT};
use super::found::{Listing, Miss, Piece, unread};
use super::source::Source;
use super::tag::referrers_tag;
use super::{Reader, Wants};
use crate::evidence::Unread;
use crate::oci::Reference;
use crate::oci::manifest::Descriptor;
use crate::oci::media_type::{BUNDLE_V03, ManifestType};
use crate::policy::Format;
use crate::reason::Reason;
use crate::strict_json;
use crate::upstream::{Page, UpstreamError};

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
    /// Every referrer of the digest that may hold evidence.
    pub(super) async fn list_referrers(&self) -> Listing {
        let mut listing = Listing::default();
        let fell_short = self.list_by_api(&mut listing).await;
        if !fell_short {
            self.list_by_tag(&mut listing).await;
        }
        listing
    }

    /// Reads the pages of the API; says whether the reading ends there, because it fell short, or the tag is read as well.
    async fn list_by_api(&self, listing: &mut Listing) -> bool {
        let (mut listed, mut next) = (0, None::<String>);
        for number in 1..=PAGES {
            let max = self.limits.manifest;
            let page = match self.place.source.referrers(self.place.repository, self.digest, max, next.as_deref()).await
            {
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
            let Page { bytes, content_type, next: following, foreign_next, .. } = page;
            if let Err(miss) = self.add(listing, &mut listed, &bytes, &content_type) {
                // The registry itself composes this document; if it cannot be read, nothing is known to be absent.
                let (Miss::Unread(_, why) | Miss::Unusable(_, why)) = miss;
                listing.found.unread.push(Unread::new("referrers", Reason::EvidenceUnreadable, &why));
                return true;
            }
            listing.found.incomplete |= foreign_next;
            match following {
                Some(_) if listing.found.incomplete => return true,
                Some(query) => next = Some(query),
                // The tag is read whatever the API lists: a client that does not know the API puts evidence there, and
                // what anybody else refers to the image with must not hide it.
                None => return false,
            }
        }
        listing.found.incomplete = true;
        true
    }

    async fn list_by_tag(&self, listing: &mut Listing) {
        let (tag, location) = referrers_tag(self.digest, "");
        let by_api = listing.pieces.len();
        match self.place.source.manifest(self.place.repository, &Reference::Tag(tag), self.limits.manifest).await {
            Ok(raw) => {
                if let Err(miss) = self.add(listing, &mut 0, &raw.bytes, &raw.content_type) {
                    listing.found.miss(&location, Format::Bundle, miss);
                }
            }
            Err(error) => listing.found.source_failed(&location, Format::Bundle, error),
        }
        for piece in listing.pieces.iter_mut().skip(by_api) {
            piece.location = format!("{}, listed by {location}", piece.location);
        }
    }

    /// Adds what an index lists and may be evidence, each once, as far as the limit allows; `listed` counts all.
    fn add(&self, listing: &mut Listing, listed: &mut usize, bytes: &Bytes, content_type: &str) -> Result<(), Miss> {
        let oci_index = ManifestType::OciIndex;
        if ManifestType::parse(content_type) != Some(oci_index) {
            return Err(Miss::malformed(format!("not an OCI index: {content_type:?}")));
        }
        let index: Index = strict_json::parse(bytes).map_err(|error| Miss::malformed(error.to_string()))?;
        if index.media_type.is_some_and(|inner| inner != oci_index.as_str()) {
            return Err(Miss::malformed("`mediaType` is not that of an OCI index"));
        }
        let mut seen: HashSet<_> = listing.pieces.iter().map(|piece| piece.descriptor.digest).collect();
        for entry in index.manifests.unwrap_or_default() {
            if *listed >= self.listed() {
                listing.found.incomplete = true;
                break;
            }
            *listed += 1;
            match serde_json::from_value::<Descriptor>(entry) {
                Ok(mut descriptor) if may_be_evidence(&descriptor, self.wants) && seen.insert(descriptor.digest) => {
                    let location = format!("referrer {}", descriptor.digest);
                    // What the list says about it is never asked for, and may be long.
                    descriptor.annotations = None;
                    listing.pieces.push(Piece { location, descriptor });
                }
                Ok(_) => {}
                Err(error) => {
                    let miss = Miss::malformed(format!("a descriptor cannot be read: {error}"));
                    listing.found.miss("referrers", Format::Bundle, miss);
                }
            }
        }
        Ok(())
    }
}

/// Whether a listed artifact may be evidence that is wanted. Some registries leave its type out, or write the type of
/// its config.
fn may_be_evidence(descriptor: &Descriptor, wants: Wants) -> bool {
    match descriptor.artifact_type.as_deref() {
        None | Some("" | EMPTY_CONFIG | IMAGE_CONFIG) => true,
        Some(BUNDLE_V03) => wants.bundle,
        Some(SIGNATURE_ARTIFACT) => wants.signatures,
        Some(ATTESTATION_ARTIFACT) => wants.attestations,
        Some(_) => false,
    }
}

fn unread_listing(error: &UpstreamError) -> Unread {
    Unread::new("referrers", unread(error), &format!("{}: {error}", error.reason()))
}

/// The media type of an empty config, which some registries give as the artifact's type.
const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";
/// The media type of an image's config, which cosign 2 writes for signatures and attestations.
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Pages of the referrers API; none of them need hold a descriptor.
const PAGES: usize = 64;
