//! A descriptor: read as the specification has it, and held to what it says about content that it carries itself.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Number;

use super::error::{ManifestError, Place, shown};
use super::platform::Platform;
use crate::oci::Digest;
use crate::strict_json::Object;

/// A pointer to content: its media type, digest and size, and the annotations beside them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Object<Written>")]
pub struct Descriptor {
    /// What the content claims to be; the registry's word only.
    pub media_type: String,
    /// What the content hashes to.
    pub digest: Digest,
    /// Its size in bytes; who fetches it compares.
    pub size: u64,
    /// For a referrer, its kind; a hint.
    pub artifact_type: Option<String>,
    /// Free text, not covered by any signature unless the manifest is.
    pub annotations: Option<BTreeMap<String, String>>,
    /// What an index says that its content is for, such as `linux/arm64`, or an empty string; for people only.
    pub platform: String,
    /// Whether it names addresses outside the registry, which the proxy never follows.
    pub(super) has_urls: bool,
}

/// A descriptor as it is written, before anything of it is believed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    media_type: Option<String>,
    digest: Option<String>,
    size: Option<Number>,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
    platform: Option<Object<Platform>>,
    urls: Option<Vec<String>>,
    data: Option<String>,
}

impl Descriptor {
    /// The annotation `key`, or an empty string.
    pub fn annotation(&self, key: &str) -> &str {
        self.annotations.as_ref().and_then(|all| all.get(key)).map_or("", String::as_str)
    }

    /// About how many bytes it takes in memory.
    pub(super) fn weight(&self) -> usize {
        let annotations = self.annotations.iter().flatten().map(|(key, value)| key.len() + value.len() + NODE);
        size_of::<Self>() + self.media_type.len() + annotations.sum::<usize>()
    }
}

impl Written {
    /// The descriptor that stands at `place`.
    pub(super) fn read(self, place: Place) -> Result<Descriptor, ManifestError> {
        let missing = |name| ManifestError::Malformed(format!("`{}` is missing", place.member(name)));
        let malformed = |name, why: String| ManifestError::Malformed(format!("`{}` {why}", place.member(name)));
        let media_type = self.media_type.ok_or_else(|| missing("mediaType"))?;
        let digest = self.digest.ok_or_else(|| missing("digest"))?;
        let digest: Digest =
            digest.parse().map_err(|error| malformed("digest", format!("is `{}`: {error}", shown(&digest))))?;
        let size = self.size.ok_or_else(|| missing("size"))?;
        // Readers in Go know signed numbers only.
        let size = size
            .as_u64()
            .filter(|size| i64::try_from(*size).is_ok())
            .ok_or_else(|| malformed("size", format!("is {}, not a number of bytes", shown(&size.to_string()))))?;
        if let Some(annotations) = self.annotations.as_ref().filter(|annotations| annotations.len() > ANNOTATIONS) {
            let found = annotations.len();
            return Err(ManifestError::Limits(format!(
                "{found} annotations in `{place}`, at most {ANNOTATIONS} are read"
            )));
        }
        if let Some(data) = self.data {
            let held = STANDARD.decode(data).map_err(|error| malformed("data", format!("is not base64: {error}")))?;
            if u64::try_from(held.len()) != Ok(size) || Digest::of(&held) != digest {
                let why = format!("`{}` holds {} bytes of {}", place.member("data"), held.len(), Digest::of(&held));
                return Err(ManifestError::DescriptorMismatch(format!("{why}, not {size} of {digest}")));
            }
        }
        Ok(Descriptor {
            media_type,
            digest,
            size,
            artifact_type: self.artifact_type,
            annotations: self.annotations,
            platform: self.platform.map_or_else(String::new, |Object(platform)| platform.text()),
            has_urls: self.urls.is_some_and(|urls| !urls.is_empty()),
        })
    }
}

impl TryFrom<Object<Written>> for Descriptor {
    type Error = ManifestError;

    fn try_from(Object(written): Object<Written>) -> Result<Self, Self::Error> {
        written.read(Place { list: "descriptor", number: None })
    }
}

/// The most annotations of one descriptor or manifest. Cosign writes four, and nobody a hundred.
pub(super) const ANNOTATIONS: usize = 1000;
/// What an entry of a map takes besides its texts.
const NODE: usize = 64;
