//! Why bytes are not a manifest that can be served: what is wrong, where it stands in the document, what to do.

use std::fmt;

use crate::oci::Digest;

/// Why bytes are not a manifest that can be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Two readers could read it differently.
    #[error("the manifest can be read in two ways: {0}; push it again from a current tool")]
    Ambiguous(String),
    /// A descriptor disagrees with the content within it, or with another descriptor of the same content.
    #[error("a descriptor is wrong about its content: {0}; push the manifest again from a current tool")]
    DescriptorMismatch(String),
    /// The bytes are not the digest asked for.
    #[error("the bytes hash to {actual}, not to {expected}")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// A descriptor points outside the registry.
    #[error("`{0}` leads clients past this registry; push what it names here, and list it without `urls`")]
    ForeignUrls(String),
    /// It has more of something than the limit.
    #[error("the manifest has {0}; split it")]
    Limits(String),
    /// It does not follow the image specification.
    #[error("the manifest is malformed: {0}; push it again from a current tool")]
    Malformed(String),
    /// Not one of the four media types, or a media type where it cannot be.
    #[error("{0}")]
    MediaTypeUnsupported(String),
}

/// The refusal of a document that is not JSON, or not JSON of one reading.
pub(super) fn unreadable(error: &serde_json::Error) -> ManifestError {
    let text = shown(&error.to_string());
    let ambiguous = text.starts_with("duplicate ") || text.contains(" can be read as ");
    if ambiguous { ManifestError::Ambiguous(text) } else { ManifestError::Malformed(text) }
}

/// Where something stands in a document, as `layers[3].digest`; written only when it is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) list: &'static str,
    pub(super) number: Option<usize>,
}

impl Place {
    /// The member `name` of what stands here.
    pub(super) fn member(self, name: &'static str) -> String {
        format!("{self}.{name}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.list)?;
        self.number.map_or(Ok(()), |number| write!(f, "[{number}]"))
    }
}

/// A text out of a document, made fit for one line: short, and without what moves the cursor or cannot be seen.
pub(super) fn shown(text: &str) -> String {
    let hides = |c: &char| c.is_control() || c.escape_debug().len() > 2;
    text.chars().map(|c| if hides(&c) { '\u{fffd}' } else { c }).take(160).collect()
}

/// The refusal of what a registry calls a `content_type` that is none of the four.
pub(super) fn unsupported(content_type: &str) -> ManifestError {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let what_to_do = match essence {
        "" | "application/json" | "application/octet-stream" | "text/plain" => {
            "the registry must say which type of manifest it sends"
        }
        schema_1 if schema_1.starts_with("application/vnd.docker.distribution.manifest.v1+") => {
            "schema 1 is not served; push the image again from a current tool"
        }
        ARTIFACT => "the specification withdrew artifact manifests; push it as an image manifest",
        _ => "only images and indexes of OCI and Docker are",
    };
    ManifestError::MediaTypeUnsupported(format!("a manifest of type `{}` is not served: {what_to_do}", shown(essence)))
}

const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
