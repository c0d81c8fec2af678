//! The media types that the proxy understands.

/// The four types of document that a registry serves as a manifest here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManifestType {
    /// An image index of the OCI image specification.
    OciIndex,
    /// An image manifest of the OCI image specification.
    OciImage,
    /// Docker's manifest list.
    DockerList,
    /// Docker's image manifest, version 2 schema 2.
    DockerImage,
}

impl ManifestType {
    /// Recognises a `Content-Type` or `mediaType` value; parameters such as `charset` are dropped.
    pub fn parse(value: &str) -> Option<Self> {
        let essence = value.split(';').next().unwrap_or(value).trim();
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(essence))
    }

    /// Recognises a name exactly as it is registered, as clients compare those in descriptors.
    pub fn exactly(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == value)
    }

    /// The type's registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OciIndex => "application/vnd.oci.image.index.v1+json",
            Self::OciImage => "application/vnd.oci.image.manifest.v1+json",
            Self::DockerList => "application/vnd.docker.distribution.manifest.list.v2+json",
            Self::DockerImage => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    /// Whether it lists manifests rather than blobs.
    pub const fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerList)
    }

    const ALL: [Self; 4] = [Self::OciIndex, Self::OciImage, Self::DockerList, Self::DockerImage];
}

/// What the proxy asks every upstream to accept for a manifest, whatever the client said: clients fold or repeat the
/// header, and an answer that a registry converted would not be the one that was verified.
pub const ACCEPT_MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// A layer that holds one of cosign's legacy signatures over a simple-signing payload.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// A layer that holds a DSSE envelope.
pub const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// A layer, or a referrer's artifact type, of a Sigstore bundle, version 0.3.
pub const BUNDLE_V03: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// A layer that holds an in-toto statement which nobody signed, as `BuildKit` writes them.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// What every blob is served as, so that none is ever taken for a manifest.
pub const OCTET_STREAM: &str = "application/octet-stream";
