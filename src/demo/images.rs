//! Container images made in memory: a config and one layer with one small file, and indexes over several of them.

use std::collections::BTreeMap;

use oci_spec::image::{ConfigBuilder, ImageConfigurationBuilder, Os, RootFsBuilder};
use serde::{Deserialize, Serialize};

use super::registry::Registry;
use super::tar;
use crate::oci::Digest;
use crate::oci::media_type::ManifestType;

/// A manifest that is in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The repository that holds it.
    pub repository: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its size in bytes.
    pub size: usize,
    /// Its digest.
    pub digest: Digest,
}

/// An image that is in a registry, with what it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The image manifest.
    pub manifest: Stored,
    /// The architecture that it is for; the operating system is Linux.
    pub architecture: &'static str,
    /// Its config.
    pub config: Digest,
    /// Its only layer.
    pub layer: Digest,
}

/// Builds an image for linux/amd64 whose layer holds `/hello.txt` with `text`, and stores it.
pub fn image(registry: &Registry, repository: &str, tag: Option<&str>, text: &str) -> Image {
    image_for(registry, repository, tag, "amd64", text)
}

/// Builds an image for `architecture`, and stores it.
pub fn image_for(
    registry: &Registry,
    repository: &str,
    tag: Option<&str>,
    architecture: &'static str,
    text: &str,
) -> Image {
    let layer = tar::archive("hello.txt", text.as_bytes());
    let diff_id = Digest::of(&layer);
    let config = configuration(architecture, &diff_id);
    let config = Descriptor::put(registry, repository, CONFIG, config);
    let layer = Descriptor::put(registry, repository, LAYER, layer);
    let (config_digest, layer_digest) = (config.digest, layer.digest);
    let manifest = Document::image(config, vec![layer]).put(registry, repository, tag);
    Image { manifest, architecture, config: config_digest, layer: layer_digest }
}

/// The image configuration of one layer.
fn configuration(architecture: &str, diff_id: &Digest) -> Vec<u8> {
    let build = || -> oci_spec::Result<String> {
        let run = ConfigBuilder::default().cmd(vec!["/hello.txt".to_string()]).build()?;
        let layers = RootFsBuilder::default().typ("layers").diff_ids(vec![diff_id.to_string()]).build()?;
        let image = ImageConfigurationBuilder::default().architecture(architecture).os(Os::Linux);
        let image = image.config(run).rootfs(layers).history(Vec::new()).build()?;
        image.to_string()
    };
    build().expect("every required member is given").into_bytes()
}

/// Stores an image index over `images`.
pub fn index(registry: &Registry, repository: &str, tag: Option<&str>, images: &[Image]) -> Stored {
    let children = images.iter().map(|image| Descriptor {
        platform: Some(
            [("architecture", image.architecture), ("os", "linux")]
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .into(),
        ),
        ..Descriptor::of(&image.manifest)
    });
    Document::index(children.collect()).put(registry, repository, tag)
}

/// A manifest or an index as it is written, members in cosign's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    schema_version: u8,
    media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<Vec<Descriptor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifests: Option<Vec<Descriptor>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Descriptor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<&'static str>,
}

impl Document {
    pub(super) fn image(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self { config: Some(config), layers: Some(layers), ..Self::empty(ManifestType::OciImage) }
    }

    pub(super) fn index(manifests: Vec<Descriptor>) -> Self {
        Self { manifests: Some(manifests), ..Self::empty(ManifestType::OciIndex) }
    }

    fn empty(media_type: ManifestType) -> Self {
        Self {
            schema_version: 2,
            media_type: media_type.as_str(),
            config: None,
            layers: None,
            manifests: None,
            annotations: BTreeMap::new(),
            subject: None,
            artifact_type: None,
        }
    }

    /// Stores it in `repository`, and lets `tag` name it.
    pub(super) fn put(&self, registry: &Registry, repository: &str, tag: Option<&str>) -> Stored {
        // Not through a `Value`, which would sort the members.
        let bytes = serde_json::to_vec(self).expect("strings and numbers always serialise");
        let size = bytes.len();
        let digest = registry.put_manifest(repository, self.media_type, bytes, tag);
        Stored { repository: repository.to_string(), media_type: self.media_type, size, digest }
    }
}

/// A descriptor as it is written, and read again to be listed beside another.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) size: usize,
    pub(super) digest: Digest,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) platform: Option<BTreeMap<String, String>>,
}

impl Descriptor {
    /// Stores `bytes` as a blob and describes it.
    pub(super) fn put(registry: &Registry, repository: &str, media_type: &str, bytes: Vec<u8>) -> Self {
        let size = bytes.len();
        Self::new(media_type, size, registry.put_blob(repository, bytes))
    }

    pub(super) fn of(manifest: &Stored) -> Self {
        Self::new(manifest.media_type, manifest.size, manifest.digest)
    }

    fn new(media_type: &str, size: usize, digest: Digest) -> Self {
        let (media_type, annotations) = (media_type.to_string(), BTreeMap::new());
        Self { media_type, size, digest, annotations, artifact_type: None, platform: None }
    }
}

/// The media type of an image's config.
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::registry::Options;
    use crate::oci::Manifest;

    fn parse(registry: &Registry, stored: &Stored) -> Manifest {
        let (content_type, bytes) =
            registry.manifest(&stored.repository, &stored.digest.to_string()).expect("it is stored");
        Manifest::parse(bytes, &stored.digest, &content_type, 10).expect("a manifest that the proxy would serve")
    }

    #[test]
    fn an_image_is_one_that_the_proxy_parses() {
        let registry = Registry::new(Options::default());
        let image = image(&registry, "team/app", Some("1"), "hello");
        let manifest = parse(&registry, &image.manifest);
        assert!(manifest.lists(&image.config) && manifest.lists(&image.layer));
        assert_eq!(manifest.bytes().len(), image.manifest.size);
        assert!(registry.manifest("team/app", "1").is_some());
    }

    #[test]
    fn an_index_lists_its_images() {
        let registry = Registry::new(Options::default());
        let images = ["amd64", "arm64"].map(|architecture| image_for(&registry, "multi", None, architecture, "hello"));
        let index = parse(&registry, &index(&registry, "multi", Some("1"), &images));
        assert!(index.media_type().is_index());
        let listed: Vec<Digest> = index.entries().iter().map(|entry| entry.digest).collect();
        assert_eq!(listed, images.map(|image| image.manifest.digest));
    }
}
