//! What the demo's registry holds, by repository.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::oci::Digest;

/// Every repository by its name.
#[derive(Default)]
pub(super) struct Contents(HashMap<String, Repository>);

/// One repository.
#[derive(Default)]
pub(super) struct Repository {
    /// Media type and bytes of each manifest.
    manifests: HashMap<Digest, (String, Bytes)>,
    /// What each tag names, in the order in which they are listed.
    pub(super) tags: BTreeMap<String, Digest>,
    /// Everything that is not a manifest.
    pub(super) blobs: HashMap<Digest, Bytes>,
    /// The descriptors of the manifests that refer to a subject, oldest first.
    referrers: HashMap<Digest, Vec<Value>>,
}

impl Contents {
    pub(super) fn get(&self, name: &str) -> Option<&Repository> {
        self.0.get(name)
    }

    /// The repository `name`, which exists afterwards.
    pub(super) fn repository(&mut self, name: &str) -> &mut Repository {
        self.0.entry(name.to_string()).or_default()
    }
}

impl Repository {
    pub(super) fn put_manifest(&mut self, media_type: &str, bytes: Bytes, tag: Option<&str>) -> Digest {
        let digest = Digest::of(&bytes);
        if let Some(tag) = tag {
            self.tags.insert(tag.to_string(), digest);
        }
        let known = self.manifests.contains_key(&digest);
        if let Some((subject, descriptor)) = (!known).then(|| referrer(media_type, digest, &bytes)).flatten() {
            self.referrers.entry(subject).or_default().push(descriptor);
        }
        self.manifests.insert(digest, (media_type.to_string(), bytes));
        digest
    }

    pub(super) fn manifest(&self, reference: &str) -> Option<(Digest, &(String, Bytes))> {
        let digest = match reference.parse() {
            Ok(digest) => digest,
            Err(_) => *self.tags.get(reference)?,
        };
        Some((digest, self.manifests.get(&digest)?))
    }

    pub(super) fn referrers(&self, subject: &Digest) -> &[Value] {
        self.referrers.get(subject).map_or(&[], Vec::as_slice)
    }

    pub(super) fn delete(&mut self, digest: &Digest) {
        self.blobs.remove(digest);
        self.manifests.remove(digest);
        let text = digest.to_string();
        for descriptors in self.referrers.values_mut() {
            descriptors.retain(|descriptor| descriptor["digest"] != text.as_str());
        }
    }
}

/// The subject of a manifest that has one, and the descriptor under which the referrers API lists it: as the
/// distribution specification says, the artifact type is the config's media type where the manifest names none.
fn referrer(media_type: &str, digest: Digest, bytes: &[u8]) -> Option<(Digest, Value)> {
    let manifest: Value = serde_json::from_slice(bytes).ok()?;
    let subject = manifest["subject"]["digest"].as_str()?.parse().ok()?;
    let mut descriptor = Map::new();
    descriptor.insert("mediaType".into(), json!(media_type));
    descriptor.insert("size".into(), json!(bytes.len()));
    descriptor.insert("digest".into(), json!(digest));
    let artifact_type = manifest["artifactType"].as_str().or_else(|| manifest["config"]["mediaType"].as_str());
    if let Some(artifact_type) = artifact_type {
        descriptor.insert("artifactType".into(), json!(artifact_type));
    }
    if manifest["annotations"].is_object() {
        descriptor.insert("annotations".into(), manifest["annotations"].clone());
    }
    Some((subject, Value::Object(descriptor)))
}
