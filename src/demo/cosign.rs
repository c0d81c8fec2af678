//! Stores evidence where cosign does: as referrers (version 3), or in the tags `sha256-….sig` and `.att` (version 2).
//!
//! The `attach_…` functions take any bytes to any manifest, so that wrong evidence can be made as easily as good.

use std::collections::BTreeMap;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::images::{CONFIG, Descriptor, Document, Stored};
use super::registry::Registry;
use super::signer::{self, SIGN, Signer};
use super::sigstore::pieces::SIGNATURE;
use super::sigstore::{Content, Pieces};
use crate::oci::Digest;
use crate::oci::media_type::{BUNDLE_V03, DSSE, SIMPLE_SIGNING};

impl Signer {
    /// Signs `image` as `cosign sign` does from version 3 on.
    ///
    /// # Errors
    /// If signing fails.
    pub fn sign_bundle(&self, registry: &Registry, image: &Stored) -> io::Result<Stored> {
        let bundle = self.bundle(&signer::signature_statement(image.digest))?;
        Ok(attach_bundle(registry, image, bundle.to_string().into_bytes(), SIGN))
    }

    /// Signs `image` as `cosign sign` does up to version 2.
    ///
    /// # Errors
    /// If signing fails.
    pub fn sign_legacy(&self, registry: &Registry, image: &Stored) -> io::Result<Stored> {
        let payload = signer::simple_signing_payload(&name(registry, image), image.digest).to_string().into_bytes();
        let signature = STANDARD.encode(self.sign(&payload)?);
        Ok(attach_signature(registry, image, payload, &signature))
    }

    /// Attests `predicate` about `image` as `cosign attest` does from version 3 on.
    ///
    /// # Errors
    /// If signing fails.
    pub fn attest_bundle(
        &self,
        registry: &Registry,
        image: &Stored,
        predicate_type: &str,
        predicate: &Value,
    ) -> io::Result<Stored> {
        let name = name(registry, image);
        let statement = signer::attestation_statement(&name, image.digest, predicate_type, predicate);
        Ok(attach_bundle(registry, image, self.bundle(&statement)?.to_string().into_bytes(), predicate_type))
    }

    /// Attests `predicate` about `image` as `cosign attest` does up to version 2.
    ///
    /// # Errors
    /// If signing fails.
    pub fn attest_legacy(
        &self,
        registry: &Registry,
        image: &Stored,
        predicate_type: &str,
        predicate: &Value,
    ) -> io::Result<Stored> {
        let name = name(registry, image);
        let statement = signer::attestation_statement(&name, image.digest, predicate_type, predicate);
        let envelope = self.envelope(&statement)?.to_string().into_bytes();
        Ok(attach_envelope(registry, image, envelope, predicate_type))
    }
}

impl Pieces {
    /// Makes its bundle a referrer of `image`, whatever it is about.
    pub fn store_bundle(&self, registry: &Registry, image: &Stored) -> Stored {
        attach_bundle(registry, image, self.bundle().to_string().into_bytes(), &self.predicate_type())
    }

    /// Adds it, with its annotations, to the tag `.sig` or `.att` of `image`, whatever it is about.
    pub fn store_legacy(&self, registry: &Registry, image: &Stored) -> Stored {
        let (suffix, kind) = match self.content {
            Content::Envelope { .. } => ("att", DSSE),
            Content::Message(_) => ("sig", SIMPLE_SIGNING),
        };
        let mut annotations = self.annotations();
        if suffix == "att" {
            annotations.insert("predicateType".into(), self.predicate_type());
        }
        attach_layer(registry, image, suffix, (kind, self.layer()), annotations)
    }

    /// What its statement says, if it is one.
    fn predicate_type(&self) -> String {
        let statement: Option<Value> = serde_json::from_slice(self.content.payload()).ok();
        statement.and_then(|statement| Some(statement["predicateType"].as_str()?.to_string())).unwrap_or_default()
    }
}

/// Makes `bundle` a referrer of `image`, whatever it is about.
///
/// Where the registry has no referrers API, it is listed in the index at the fallback tag too, as clients do.
pub fn attach_bundle(registry: &Registry, image: &Stored, bundle: Vec<u8>, predicate_type: &str) -> Stored {
    let mut config = Descriptor::put(registry, &image.repository, EMPTY, b"{}".to_vec());
    // Not in the specification, but cosign writes it here as well.
    config.artifact_type = Some(BUNDLE_V03.into());
    let layer = Descriptor::put(registry, &image.repository, BUNDLE_V03, bundle);
    let annotations = annotations([
        ("dev.sigstore.bundle.content", "dsse-envelope"),
        ("dev.sigstore.bundle.predicateType", predicate_type),
        ("org.opencontainers.image.created", "2026-07-24T12:00:00Z"),
    ]);
    let mut document = Document::image(config, vec![layer]);
    document.annotations.clone_from(&annotations);
    document.subject = Some(Descriptor::of(image));
    document.artifact_type = Some(BUNDLE_V03);
    let stored = document.put(registry, &image.repository, None);
    if !registry.options().referrers {
        let descriptor = Descriptor { annotations, artifact_type: Some(BUNDLE_V03.into()), ..Descriptor::of(&stored) };
        list_in_fallback(registry, image, descriptor);
    }
    stored
}

/// Adds a simple-signing payload and its base64 signature to the tag `.sig` of `image`, whatever it is about.
pub fn attach_signature(registry: &Registry, image: &Stored, payload: Vec<u8>, signature: &str) -> Stored {
    attach_layer(registry, image, "sig", (SIMPLE_SIGNING, payload), annotations([(SIGNATURE, signature)]))
}

/// Adds a DSSE envelope to the tag `.att` of `image`, whatever it is about.
pub fn attach_envelope(registry: &Registry, image: &Stored, envelope: Vec<u8>, predicate_type: &str) -> Stored {
    let annotations = annotations([(SIGNATURE, ""), ("predicateType", predicate_type)]);
    attach_layer(registry, image, "att", (DSSE, envelope), annotations)
}

/// Adds a layer, of some media type, with its annotations to a tag of `image`.
pub fn attach_layer(
    registry: &Registry,
    image: &Stored,
    suffix: &str,
    (media_type, bytes): (&'static str, Vec<u8>),
    annotations: BTreeMap<String, String>,
) -> Stored {
    let mut layer = Descriptor::put(registry, &image.repository, media_type, bytes);
    layer.annotations = annotations;
    append(registry, image, suffix, layer)
}

/// The tag under which evidence about `digest` is found: `sha256-…`, with the suffix `.sig` or `.att` in the legacy
/// format and none for the fallback of the referrers API.
pub fn tag(digest: &Digest, suffix: Option<&str>) -> String {
    let suffix = suffix.map_or(String::new(), |suffix| format!(".{suffix}"));
    format!("sha256-{}{suffix}", digest.hex())
}

/// Lets a tag name its former layers and one more.
fn append(registry: &Registry, image: &Stored, suffix: &str, layer: Descriptor) -> Stored {
    let tag = tag(&image.digest, Some(suffix));
    let mut layers = listed(registry, &image.repository, &tag, "layers");
    layers.push(layer);
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer.digest).collect();
    let config =
        json!({ "architecture": "", "config": {}, "os": "", "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    let config = Descriptor::put(registry, &image.repository, CONFIG, config.to_string().into_bytes());
    Document::image(config, layers).put(registry, &image.repository, Some(&tag))
}

fn list_in_fallback(registry: &Registry, image: &Stored, referrer: Descriptor) {
    let tag = tag(&image.digest, None);
    let mut manifests = listed(registry, &image.repository, &tag, "manifests");
    manifests.push(referrer);
    Document::index(manifests).put(registry, &image.repository, Some(&tag));
}

/// The descriptors that the manifest at `tag` has in `member`; none if there is no such manifest.
fn listed(registry: &Registry, repository: &str, tag: &str, member: &str) -> Vec<Descriptor> {
    let stored = registry.manifest(repository, tag);
    let document: Option<Value> = stored.and_then(|(_, bytes)| serde_json::from_slice(&bytes).ok());
    document.and_then(|mut document| serde_json::from_value(document[member].take()).ok()).unwrap_or_default()
}

fn annotations<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

/// The image's name as cosign writes it into a payload.
fn name(registry: &Registry, image: &Stored) -> String {
    format!("{}/{}", registry.options().name, image.repository)
}

const EMPTY: &str = "application/vnd.oci.empty.v1+json";

#[cfg(test)]
mod tests;
