//! What tests do with a lab: change its policy, read its metrics, sign what it holds.

use std::io;
use std::time::Duration;

use countersign::demo::client::Answer;
use countersign::demo::images::{Image, Stored};
use countersign::demo::proxy;
use countersign::oci::Digest;
use serde_json::{Value, json};

use super::lab::Lab;

/// The media type of the indexes made here.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of the images made here.
pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

impl Lab {
    /// The policy that a lab starts with, `policies.demo` by the lab's signer; more sections can follow.
    pub(crate) fn policy(&self) -> String {
        proxy::policy(&self.registry().options().name, &self.signer.public_key_pem())
    }

    /// Writes another policy and reads it, as an operator would with SIGHUP.
    pub(crate) fn set_policy(&self, text: &str) -> io::Result<()> {
        std::fs::write(self.config.with_file_name("policy.yaml"), text)?;
        self.proxy.reload()
    }

    /// Trusts another key than the lab's signer: what was allowed is allowed no longer.
    pub(crate) fn distrust_signer(&self) {
        let name = &self.registry().options().name;
        self.set_policy(&proxy::policy(name, &self.foreign.public_key_pem())).expect("a good policy");
    }

    /// Asks the operator's listener.
    pub(crate) async fn admin(&self, path: &str) -> Answer {
        self.client.get(&format!("http://{}{path}", self.proxy.admin)).await.expect("an answer of the admin listener")
    }

    /// The sum of the series called `countersign_<name>` that have these labels, if there are any.
    pub(crate) async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Option<u64> {
        let text = self.admin("/metrics").await.body;
        let text = std::str::from_utf8(&text).expect("text");
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        let values = text.lines().filter_map(|line| {
            let (series, value) = line.strip_prefix("countersign_")?.rsplit_once(' ')?;
            let (found, given) = series.split_once('{').unwrap_or((series, ""));
            let given: Vec<_> = given.trim_end_matches('}').split(',').collect();
            let matches = found == name && labels.iter().all(|label| given.contains(&label.as_str()));
            matches.then(|| value.parse::<u64>().expect("a counter"))
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0) + value))
    }

    /// Waits until a metric is `wanted`; panics after ten seconds.
    pub(crate) async fn metric_becomes(&self, name: &str, labels: &[(&str, &str)], wanted: u64) {
        let reached = async { while self.metric(name, labels).await != Some(wanted) {} };
        let in_time = tokio::time::timeout(Duration::from_secs(10), reached).await.is_ok();
        assert!(in_time, "{name}{labels:?} is {:?}, not {wanted}", self.metric(name, labels).await);
    }

    /// Stores any bytes as a manifest tagged `1`, with a good signature.
    pub(crate) fn signed_bytes(&self, repository: &str, media_type: &'static str, bytes: impl Into<Vec<u8>>) -> Stored {
        let bytes = bytes.into();
        let size = bytes.len();
        let digest = self.registry().put_manifest(repository, media_type, bytes, Some("1"));
        let stored = Stored { repository: repository.into(), media_type, size, digest };
        self.signer.sign_bundle(self.registry(), &stored).expect("signs");
        stored
    }

    /// Stores an index over manifests of any kind, without a signature.
    pub(crate) fn index_over(&self, repository: &str, tag: Option<&str>, children: &[&Stored]) -> Stored {
        let children: Vec<_> = children.iter().map(|child| descriptor(child)).collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children }).to_string();
        let size = index.len();
        let digest = self.registry().put_manifest(repository, INDEX, index, tag);
        Stored { repository: repository.into(), media_type: INDEX, size, digest }
    }

    /// Stores a signed index, tagged `1`, over two images that nobody signed.
    pub(crate) fn signed_index(&self, repository: &str) -> (Stored, [Image; 2]) {
        let images = ["amd64", "arm64"].map(|architecture| {
            let text = format!("hello from {repository} for {architecture}\n");
            countersign::demo::images::image_for(self.registry(), repository, None, architecture, &text)
        });
        let index = countersign::demo::images::index(self.registry(), repository, Some("1"), &images);
        self.signer.sign_bundle(self.registry(), &index).expect("signs");
        (index, images)
    }
}

/// How an index lists a manifest.
pub(crate) fn descriptor(manifest: &Stored) -> Value {
    json!({ "mediaType": manifest.media_type, "size": manifest.size, "digest": manifest.digest })
}

/// The path of a manifest.
pub(crate) fn manifest(repository: &str, reference: impl std::fmt::Display) -> String {
    format!("/v2/{repository}/manifests/{reference}")
}

/// The path of a blob.
pub(crate) fn blob(repository: &str, digest: Digest) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

/// An entry of a policy file's `authorities`.
pub(crate) fn authority(name: &str, public_key_pem: &str) -> String {
    let key = public_key_pem.lines().fold(String::new(), |text, line| text + "        " + line + "\n");
    format!("  {name}:\n    key:\n      inline: |\n{key}      insecureSkipTransparencyLog: true\n")
}

/// An entry of a policy file's `policies`: a signature by `by`; `also` is a further key.
pub(crate) fn rule(name: &str, scope: &str, mode: &str, by: &str, also: &str) -> String {
    let also = if also.is_empty() { String::new() } else { format!("    {also}\n") };
    let head = format!("  - name: {name}\n    match: [ \"{scope}\" ]\n    mode: {mode}\n");
    head + &format!("    require: {{ signature: {{ by: {by} }} }}\n    formats: [ bundle, legacy ]\n{also}")
}

/// Lets `ours` and `theirs` have a policy each: the lab's signer signs for the one, the foreign one for the other.
pub(crate) fn two_teams(lab: &Lab) {
    let name = lab.registry().options().name.clone();
    let keys = authority("ours", &lab.signer.public_key_pem()) + &authority("theirs", &lab.foreign.public_key_pem());
    let rules = rule("ours", &format!("{name}/ours/**"), "enforce", "ours", "")
        + &rule("theirs", &format!("{name}/theirs/**"), "enforce", "theirs", "");
    lab.set_policy(&format!("authorities:\n{keys}policies:\n{rules}")).expect("a good policy");
}
