//! For tests: a registry in memory that counts what it is asked and fails where it is told to.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use serde_json::{Value, json};

use super::source::Source;
use super::{Candidate, Material};
use crate::oci::media_type::{BUNDLE_V03, ManifestType};
use crate::oci::{Digest, Reference, Repository};
use crate::upstream::{Page, RawManifest, UpstreamError};

/// A candidate with `material`, as if it had been found somewhere.
pub(crate) fn candidate(material: Material) -> Candidate {
    Candidate::new("somewhere".into(), material)
}

/// A registry of one repository.
#[derive(Default)]
pub(super) struct Registry {
    /// By digest or tag.
    pub(super) manifests: BTreeMap<String, Result<RawManifest, UpstreamError>>,
    pub(super) blobs: BTreeMap<Digest, Result<Bytes, UpstreamError>>,
    /// The referrers API, page by page; none: the registry has no such API.
    pub(super) pages: Vec<Result<Page, UpstreamError>>,
    /// Every request, in order.
    pub(super) asked: Mutex<Vec<String>>,
}

impl Registry {
    pub(super) fn asked(&self, what: &str) -> usize {
        self.asked.lock().expect("a lock").iter().filter(|one| one.starts_with(what)).count()
    }

    fn note(&self, what: String) {
        self.asked.lock().expect("a lock").push(what);
    }

    pub(super) fn put(&mut self, reference: &str, kind: ManifestType, body: &Value) -> Digest {
        let bytes = Bytes::from(body.to_string());
        let digest = Digest::of(&bytes);
        let raw = RawManifest { bytes, content_type: kind.as_str().into() };
        self.manifests.insert(digest.to_string(), Ok(raw.clone()));
        if !reference.is_empty() {
            self.manifests.insert(reference.into(), Ok(raw));
        }
        digest
    }

    /// Stores `content`; the descriptor of a layer that holds it.
    pub(super) fn layer(&mut self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        self.blobs.insert(digest, Ok(content.to_vec().into()));
        json!({ "mediaType": media_type, "size": content.len(), "digest": digest.to_string() })
    }

    /// Stores `bundle` as a referrer of `subject`; the referrer's descriptor.
    pub(super) fn bundle(&mut self, subject: &Digest, bundle: &[u8]) -> Value {
        let layer = self.layer(BUNDLE_V03, bundle);
        self.referrer(subject, BUNDLE_V03, &json!([layer]))
    }

    pub(super) fn referrer(&mut self, subject: &Digest, artifact_type: &str, layers: &Value) -> Value {
        let digest = self.put(
            "",
            ManifestType::OciImage,
            &json!({
                "schemaVersion": 2,
                "mediaType": ManifestType::OciImage.as_str(),
                "artifactType": artifact_type,
                "config": config(),
                "layers": layers,
                "subject": { "mediaType": "a/b", "size": 1, "digest": subject.to_string() },
            }),
        );
        json!({
            "mediaType": ManifestType::OciImage.as_str(),
            "size": 1,
            "digest": digest.to_string(),
            "artifactType": artifact_type,
        })
    }
}

pub(super) fn config() -> Value {
    json!({ "mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": Digest::of(b"{}").to_string() })
}

pub(super) fn index(manifests: &Value) -> Value {
    json!({ "schemaVersion": 2, "mediaType": ManifestType::OciIndex.as_str(), "manifests": manifests })
}

pub(super) fn page(manifests: &Value, next: Option<&str>) -> Page {
    Page {
        bytes: index(manifests).to_string().into(),
        content_type: ManifestType::OciIndex.as_str().into(),
        next: next.map(str::to_string),
        foreign_next: false,
        filtered: false,
    }
}

impl Source for Registry {
    async fn referrers(&self, _: &Repository, _: &Digest, max: u64, page: Option<&str>) -> Result<Page, UpstreamError> {
        self.note(format!("referrers {}", page.unwrap_or_default()));
        let number = page.map_or(0, |page| page.parse().expect("a page"));
        let page = self.pages.get(number).cloned().unwrap_or(Err(UpstreamError::NotFound))?;
        within(&page.bytes, max)?;
        Ok(page)
    }

    async fn manifest(&self, _: &Repository, reference: &Reference, max: u64) -> Result<RawManifest, UpstreamError> {
        self.note(format!("manifest {reference}"));
        let raw = self.manifests.get(&reference.to_string()).cloned().unwrap_or(Err(UpstreamError::NotFound))?;
        within(&raw.bytes, max)?;
        Ok(raw)
    }

    async fn blob(&self, _: &Repository, digest: &Digest, max: u64) -> Result<Bytes, UpstreamError> {
        self.note(format!("blob {digest}"));
        // Answers come back out of order.
        for _ in 0..digest.as_bytes()[0] % 8 {
            tokio::task::yield_now().await;
        }
        let bytes = self.blobs.get(digest).cloned().unwrap_or(Err(UpstreamError::NotFound))?;
        within(&bytes, max)?;
        Ok(bytes)
    }
}

fn within(bytes: &Bytes, limit: u64) -> Result<(), UpstreamError> {
    if u64::try_from(bytes.len()).expect("a size") > limit { Err(UpstreamError::TooLarge { limit }) } else { Ok(()) }
}
