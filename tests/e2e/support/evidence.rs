//! Evidence apart from the image that it stands beside: taken from one repository, put into another, bent in between.

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::content::MANIFEST;
use super::image::Image;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// One piece of evidence, as bytes: what cosign wrote, or would never write.
#[derive(Clone)]
pub(crate) enum Evidence {
    /// A Sigstore bundle, which a referrer carries.
    Bundle(Vec<u8>),
    /// What is under a legacy tag: `sig` or `att`; the annotations of the only layer, its media type and its bytes.
    Tag { kind: &'static str, media_type: String, annotations: Value, payload: Vec<u8> },
}

impl Evidence {
    /// The only referrer of the image.
    pub(crate) fn referrer_of(image: &Image) -> Self {
        let list = image.get_json(&image.path(&format!("referrers/{}", image.digest)));
        let referrers = list["manifests"].as_array().expect("an index lists manifests");
        assert_eq!(referrers.len(), 1, "{list}");
        let digest = referrers[0]["digest"].as_str().expect("a descriptor has a digest");
        Self::Bundle(only_layer(image, digest).1)
    }

    /// What is under the image's legacy tag of this kind.
    pub(crate) fn tag_of(image: &Image, kind: &'static str) -> Self {
        let (mut layer, payload) = only_layer(image, &tag(image, kind));
        let media_type = layer["mediaType"].as_str().expect("a descriptor has a media type").to_owned();
        Self::Tag { kind, media_type, annotations: layer["annotations"].take(), payload }
    }

    /// Puts it beside the image, as anyone who may push can. Under a legacy tag it joins what is there.
    pub(crate) fn attach(&self, image: &Image) {
        match self {
            Self::Bundle(bytes) => {
                let config = blob(image, "application/vnd.oci.empty.v1+json", b"{}");
                let layer = blob(image, BUNDLE, bytes);
                let size = image.get(&image.manifest_path()).len();
                let subject = json!({ "mediaType": MANIFEST, "digest": image.digest, "size": size });
                let manifest = json!({
                    "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
                    "config": config, "layers": [layer], "subject": subject,
                });
                let bytes = manifest.to_string();
                image.put_manifest(&sha256(bytes.as_bytes()), MANIFEST, bytes.as_bytes());
            }
            Self::Tag { kind, media_type, annotations, payload } => {
                let config = blob(image, "application/vnd.oci.image.config.v1+json", b"{}");
                let mut layer = blob(image, media_type, payload);
                layer["annotations"] = annotations.clone();
                let tag = tag(image, kind);
                let mut manifest = json!({
                    "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [],
                });
                if image.has(&tag) {
                    manifest = image.get_json(&image.path(&format!("manifests/{tag}")));
                }
                manifest["layers"].as_array_mut().expect("a manifest has layers").push(layer);
                image.put_manifest(&tag, MANIFEST, manifest.to_string().as_bytes());
            }
        }
    }
}

/// The digest of these bytes.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    digest::digest(&digest::SHA256, bytes).as_ref().iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The image's legacy tag of this kind.
pub(crate) fn tag(image: &Image, kind: &str) -> String {
    format!("{}.{kind}", image.digest.replace(':', "-"))
}

/// Uploads a blob; its descriptor.
fn blob(image: &Image, media_type: &str, bytes: &[u8]) -> Value {
    let digest = sha256(bytes);
    image.put_blob(&digest, bytes);
    json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
}

/// The descriptor of the only layer of the manifest, and its bytes.
fn only_layer(image: &Image, reference: &str) -> (Value, Vec<u8>) {
    let manifest = image.get_json(&image.path(&format!("manifests/{reference}")));
    let layers = manifest["layers"].as_array().expect("a manifest has layers");
    assert_eq!(layers.len(), 1, "{manifest}");
    let bytes = image.get(&image.blob_path(layers[0]["digest"].as_str().expect("a descriptor has a digest")));
    (layers[0].clone(), bytes)
}
