//! A manifest: bytes that hash to their digest and can be read in one way only.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use super::digest::Digest;
use super::media_type::ManifestType;

mod platform;

/// Proof that these bytes are that digest and parse as one kind of manifest. Only [`Manifest::parse`] makes one.
///
/// The rules are those of the image specification and of the advisories on ambiguous documents (GHSA-mc8v-mgrf-8f4m,
/// GHSA-77vh-xpmg-72qh): the type in the body, the type in the header and the members present must agree.
#[derive(Debug, Clone)]
pub struct Manifest {
    bytes: Bytes,
    digest: Digest,
    media_type: ManifestType,
    artifact_type: Option<String>,
    subject: Option<Digest>,
    config: Option<Descriptor>,
    entries: Vec<Descriptor>,
    listed: Vec<Digest>,
    annotations: BTreeMap<String, String>,
}

/// A pointer to content: its media type, digest and size, and the annotations beside them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content claims to be; the registry's word only.
    pub media_type: String,
    /// What the content hashes to.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// For a referrer, its kind; a hint.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// Free text, not covered by any signature unless the manifest is.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
    /// What an index says that its content is for, such as `linux/arm64`, or an empty string; for people only.
    #[serde(default, deserialize_with = "platform::text")]
    pub platform: String,
    #[serde(default)]
    urls: Option<Vec<String>>,
}

impl Descriptor {
    /// The annotation `key`, or an empty string.
    pub fn annotation(&self, key: &str) -> &str {
        self.annotations.as_ref().and_then(|all| all.get(key)).map_or("", String::as_str)
    }
}

impl Manifest {
    /// Parses `bytes`, which must hash to `expected`, as the manifest that `content_type` announces.
    ///
    /// `max_entries` bounds the descriptors in it.
    pub fn parse(
        bytes: Bytes,
        expected: &Digest,
        content_type: &str,
        max_entries: usize,
    ) -> Result<Self, ManifestError> {
        let digest = Digest::of(&bytes);
        if digest != *expected {
            return Err(ManifestError::DigestMismatch { expected: *expected, actual: digest });
        }
        let media_type = ManifestType::parse(content_type)
            .ok_or_else(|| ManifestError::MediaTypeUnsupported(content_type.chars().take(100).collect()))?;
        let malformed = |error: serde_json::Error| {
            let text = error.to_string();
            if text.contains("duplicate") { ManifestError::Ambiguous(text) } else { ManifestError::Malformed(text) }
        };
        crate::strict_json::unambiguous_to_all(&bytes).map_err(malformed)?;
        let raw: RawManifest = serde_json::from_slice(&bytes).map_err(malformed)?;
        raw.into_manifest(bytes, digest, media_type, max_entries)
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What they hash to.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Which of the four kinds of document it is.
    pub fn media_type(&self) -> ManifestType {
        self.media_type
    }

    /// For an artifact, what it claims to be.
    pub fn artifact_type(&self) -> Option<&str> {
        self.artifact_type.as_deref()
    }

    /// The manifest that this one refers to, if any.
    pub fn subject(&self) -> Option<Digest> {
        self.subject
    }

    /// An image's config.
    pub fn config(&self) -> Option<&Descriptor> {
        self.config.as_ref()
    }

    /// An index's children, or an image's layers.
    pub fn entries(&self) -> &[Descriptor] {
        &self.entries
    }

    /// Every digest that it lists, sorted: an index's children, or an image's config and layers.
    pub fn listed(&self) -> &[Digest] {
        &self.listed
    }

    /// The annotations in it, which whoever signs it signs.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// Whether it lists `digest`.
    pub fn lists(&self, digest: &Digest) -> bool {
        self.listed.binary_search(digest).is_ok()
    }

    /// The size that it declares for `digest`, if it lists it.
    pub fn size_of(&self, digest: &Digest) -> Option<u64> {
        self.config.iter().chain(&self.entries).find(|entry| entry.digest == *digest).map(|entry| entry.size)
    }
}

/// Why bytes are not a manifest that can be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Two readers could read it differently.
    #[error("the manifest is ambiguous: {0}")]
    Ambiguous(String),
    /// The bytes are not the digest asked for.
    #[error("the bytes hash to {actual}, not to {expected}")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// A descriptor points outside the registry.
    #[error("a descriptor of the manifest has `urls`")]
    ForeignUrls,
    /// It has more descriptors than the limit.
    #[error("the manifest lists {0} descriptors")]
    Limits(usize),
    /// It does not follow the image specification.
    #[error("the manifest is malformed: {0}")]
    Malformed(String),
    /// Not one of the four media types.
    #[error("the media type `{0}` is not served")]
    MediaTypeUnsupported(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawManifest {
    schema_version: u32,
    media_type: Option<String>,
    artifact_type: Option<String>,
    subject: Option<RawSubject>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    annotations: Option<BTreeMap<String, String>>,
    #[serde(rename = "fsLayers")]
    fs_layers: Option<serde_json::Value>,
    #[serde(rename = "blobs")]
    artifact_blobs: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawSubject {
    digest: Digest,
}

impl RawManifest {
    fn into_manifest(
        self,
        bytes: Bytes,
        digest: Digest,
        media_type: ManifestType,
        max_entries: usize,
    ) -> Result<Manifest, ManifestError> {
        let ambiguous = |why: &str| Err(ManifestError::Ambiguous(why.to_string()));
        if self.schema_version != 2 {
            return Err(ManifestError::Malformed("`schemaVersion` is not 2".into()));
        }
        match self.media_type.as_deref() {
            Some(inner) if inner != media_type.as_str() => return ambiguous("`mediaType` differs from Content-Type"),
            None if matches!(media_type, ManifestType::DockerImage | ManifestType::DockerList) => {
                return Err(ManifestError::Malformed("`mediaType` is missing".into()));
            }
            _ => {}
        }
        if self.fs_layers.is_some() || self.artifact_blobs.is_some() {
            return ambiguous("members of another kind of manifest");
        }
        let (config, entries) = match (media_type.is_index(), self.config, self.layers, self.manifests) {
            (true, None, None, Some(children)) => (None, children),
            (false, Some(config), Some(layers), None) => (Some(config), layers),
            (_, config, layers, Some(_)) if config.is_some() || layers.is_some() => {
                return ambiguous("both `manifests` and `config` or `layers`");
            }
            (true, ..) => return Err(ManifestError::Malformed("an index without `manifests`".into())),
            (false, ..) => return Err(ManifestError::Malformed("an image without `config` and `layers`".into())),
        };
        if entries.len() > max_entries {
            return Err(ManifestError::Limits(entries.len()));
        }
        // Windows base layers carry `urls` which the proxy never follows; a client would fetch a config or a child
        // from there before asking us.
        let points_outside = |entry: &Descriptor| entry.urls.as_ref().is_some_and(|urls| !urls.is_empty());
        if config.iter().any(points_outside) || (media_type.is_index() && entries.iter().any(points_outside)) {
            return Err(ManifestError::ForeignUrls);
        }
        let mut listed: Vec<Digest> = config.iter().chain(&entries).map(|entry| entry.digest).collect();
        listed.sort_unstable();
        listed.dedup();
        Ok(Manifest {
            bytes,
            digest,
            media_type,
            artifact_type: self.artifact_type,
            subject: self.subject.map(|subject| subject.digest),
            config,
            entries,
            listed,
            annotations: self.annotations.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests;
