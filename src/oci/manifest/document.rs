//! A manifest's document as it is written, and the rules by which it is one kind of manifest and no other.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::descriptor::{ANNOTATIONS, Descriptor, Written};
use super::error::{ManifestError, Place, shown, unreadable};
use super::{Bounds, Manifest};
use crate::oci::Digest;
use crate::oci::media_type::ManifestType;
use crate::strict_json::{Object, Vocabulary, unambiguous_with};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    schema_version: u32,
    media_type: Option<String>,
    artifact_type: Option<String>,
    subject: Option<Object<Written>>,
    config: Option<Object<Written>>,
    layers: Option<Vec<Object<Written>>>,
    manifests: Option<Vec<Object<Written>>>,
    annotations: Option<BTreeMap<String, String>>,
    /// Of Docker's schema 1.
    fs_layers: Option<IgnoredAny>,
    /// Of the artifact manifest that the specification withdrew.
    blobs: Option<IgnoredAny>,
}

impl Document {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let read = || {
            unambiguous_with(bytes, &VOCABULARY)?;
            serde_json::from_slice(bytes)
        };
        read().map_err(|error| unreadable(&error))
    }

    /// The manifest that `bytes`, of which this was read, are as a `media_type`.
    pub(super) fn read(
        self,
        bytes: Bytes,
        digest: Digest,
        media_type: ManifestType,
        bounds: Bounds,
    ) -> Result<Manifest, ManifestError> {
        self.agrees_with(media_type)?;
        let ambiguous = |why: &str| Err(ManifestError::Ambiguous(why.to_string()));
        let malformed = |why: &str| Err(ManifestError::Malformed(why.to_string()));
        let (config, list, written) = match (media_type.is_index(), self.config, self.layers, self.manifests) {
            (true, None, None, Some(children)) => (None, "manifests", children),
            (false, Some(config), Some(layers), None) => (Some(config), "layers", layers),
            (_, config, layers, Some(_)) if config.is_some() || layers.is_some() => {
                return ambiguous("it has both `manifests` and `config` or `layers`");
            }
            (true, ..) => return malformed("it is an index without `manifests`"),
            (false, ..) => return malformed("it is an image without `config` or `layers`"),
        };
        let most = if media_type.is_index() { bounds.children } else { bounds.layers };
        if written.len() > most {
            return Err(ManifestError::Limits(format!("{} `{list}`, at most {most} are read", written.len())));
        }
        let annotations = self.annotations.unwrap_or_default();
        if annotations.len() > ANNOTATIONS {
            return Err(ManifestError::Limits(format!(
                "{} annotations, at most {ANNOTATIONS} are read",
                annotations.len()
            )));
        }
        let one = |name, written: Option<Object<Written>>| {
            written.map(|Object(written)| written.read(Place { list: name, number: None })).transpose()
        };
        let (subject, config) = (one("subject", self.subject)?, one("config", config)?);
        let entries = written.into_iter().enumerate();
        let entries = entries.map(|(number, Object(written))| written.read(Place { list, number: Some(number) }));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        for (place, entry) in places(config.as_ref(), list, &entries) {
            suits(media_type, place, entry)?;
        }
        let lists = |entry: &Descriptor| ManifestType::parse(&entry.media_type).is_some_and(ManifestType::is_index);
        Ok(Manifest {
            listed: listed(config.iter().chain(&entries))?,
            lists_indexes: media_type.is_index() && entries.iter().any(lists),
            bytes,
            digest,
            digest_text: digest.to_string().into(),
            media_type,
            artifact_type: self.artifact_type,
            subject: subject.map(|subject| subject.digest),
            config,
            entries,
            annotations,
        })
    }

    /// Refuses a document that says, or by its members shows, that it is of another type than `media_type`.
    fn agrees_with(&self, media_type: ManifestType) -> Result<(), ManifestError> {
        if self.schema_version != 2 {
            return Err(ManifestError::Malformed(format!("`schemaVersion` is {}, not 2", self.schema_version)));
        }
        match self.media_type.as_deref() {
            Some(inner) if inner != media_type.as_str() => {
                let why = format!("`mediaType` is `{}`, and Content-Type is `{}`", shown(inner), media_type.as_str());
                return Err(ManifestError::Ambiguous(why));
            }
            None if matches!(media_type, ManifestType::DockerImage | ManifestType::DockerList) => {
                return Err(ManifestError::Malformed("`mediaType` is missing".into()));
            }
            _ => {}
        }
        for (name, there) in [("fsLayers", self.fs_layers.is_some()), ("blobs", self.blobs.is_some())] {
            if there {
                return Err(ManifestError::Ambiguous(format!("`{name}` belongs to another kind of manifest")));
            }
        }
        Ok(())
    }
}

/// Everything that a manifest lists, and where.
fn places<'a>(
    config: Option<&'a Descriptor>,
    list: &'static str,
    entries: &'a [Descriptor],
) -> impl Iterator<Item = (Place, &'a Descriptor)> {
    let config = config.into_iter().map(|config| (Place { list: "config", number: None }, config));
    config.chain(entries.iter().enumerate().map(move |(n, entry)| (Place { list, number: Some(n) }, entry)))
}

/// Refuses an entry that leads clients elsewhere than to where the proxy decides about it.
fn suits(media_type: ManifestType, place: Place, entry: &Descriptor) -> Result<(), ManifestError> {
    // Clients fetch a descriptor from its `urls` first. The layers of Windows have them, and nobody runs a layer that
    // is not in an admitted manifest; a child or a config would come from there without a question to the proxy.
    if entry.has_urls && place.list != "layers" {
        return Err(ManifestError::ForeignUrls(place.member("urls")));
    }
    // They choose the endpoint by the type in the descriptor: a manifest as a layer would be asked for as a manifest,
    // and a child of another type as a blob.
    let names_manifest = ManifestType::exactly(&entry.media_type).is_some();
    if names_manifest == media_type.is_index() {
        return Ok(());
    }
    let (given, member) = (shown(&entry.media_type), place.member("mediaType"));
    let why = if names_manifest { "a manifest's, which no blob has" } else { "not that of an image or an index" };
    let what_to_do = "list manifests in an index, and blobs in an image";
    Err(ManifestError::MediaTypeUnsupported(format!("`{member}` is `{given}`, {why}; {what_to_do}")))
}

/// The digests of `all`, sorted, each once.
fn listed<'a>(all: impl Iterator<Item = &'a Descriptor>) -> Result<Vec<Digest>, ManifestError> {
    let mut sizes: Vec<_> = all.map(|entry| (entry.digest, entry.size)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    if let Some([(digest, one), (_, other)]) = sizes.array_windows().find(|[one, other]| one.0 == other.0) {
        return Err(ManifestError::DescriptorMismatch(format!("{digest} is listed with {one} and with {other} bytes")));
    }
    Ok(sizes.into_iter().map(|(digest, _)| digest).collect())
}

/// Every member that the specifications of OCI and Docker give a manifest, and those of other kinds of manifest.
static VOCABULARY: Vocabulary = Vocabulary {
    members: &[
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
        "manifests",
        "subject",
        "annotations",
        "digest",
        "size",
        "urls",
        "data",
        "platform",
        "architecture",
        "os",
        "os.version",
        "os.features",
        "variant",
        "features",
        "fsLayers",
        "blobs",
    ],
    maps: &["annotations"],
};
