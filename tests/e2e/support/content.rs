//! What a repository holds besides images: written and read as any client that may push can.

use serde_json::Value;

use super::http::{ask, write};
use super::image::Image;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Image {
    /// A path below its repository.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.repository)
    }

    /// What the registry itself answers, which must be 200.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let answer = ask(self.registry(), "GET", path).expect("the registry answers");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    /// The same, as JSON.
    #[track_caller]
    pub(crate) fn get_json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.get(path)).expect("the answer is JSON")
    }

    /// Whether its repository has a manifest under this tag.
    pub(crate) fn has(&self, tag: &str) -> bool {
        let path = self.path(&format!("manifests/{tag}"));
        ask(self.registry(), "HEAD", &path).expect("the registry answers").status == 200
    }

    /// Uploads a blob into its repository.
    pub(crate) fn put_blob(&self, digest: &str, bytes: &[u8]) {
        let (registry, any) = (self.registry(), "application/octet-stream");
        let upload = write(registry, "POST", &self.blob_path("uploads/"), any, &[]).expect("the registry answers");
        let location = upload.header("location").expect("an upload has a location");
        let path = location.strip_prefix(&format!("http://{registry}")).unwrap_or(location);
        let and = if path.contains('?') { '&' } else { '?' };
        let put = write(registry, "PUT", &format!("{path}{and}digest={digest}"), any, bytes);
        let put = put.expect("the registry answers");
        assert_eq!(put.status, 201, "{put:?}");
    }

    /// Writes a manifest under this tag, or digest, of its repository; its digest.
    pub(crate) fn put_manifest(&self, reference: &str, media_type: &str, bytes: &[u8]) -> String {
        let path = self.path(&format!("manifests/{reference}"));
        let answer = write(self.registry(), "PUT", &path, media_type, bytes).expect("the registry answers");
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("docker-content-digest").expect("a registry tells the digest").to_owned()
    }
}
