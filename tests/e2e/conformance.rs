//! The conformance command of the OCI distribution specification, which pulls through the proxy. Everything that it
//! pulls is signed by the key that the policy wants: nothing is exempt, and nothing is audited.
//!
//! Nobody pushes through the proxy, so the command first pushes to the registry itself, then pulls what is there.

use std::collections::BTreeSet;

use serde_json::Value;
use tempfile::tempdir;

use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::http::ask;
use crate::support::image::Image;
use crate::support::lab::{Cell, Lab, RELEASE};
use crate::support::process::{Ran, command, run, tool};
use crate::support::registry::{Kind, Registry};

/// All the kinds of manifests that the command makes: images, indexes, nested, empty and large ones, artifacts, unknown
/// fields, subjects, descriptors with data. This registry does not know the referrers API; nor does the proxy then.
#[test]
fn its_own_content_of_every_kind_is_pulled() {
    let lab = Lab::before(Registry::distribution());
    conformance(&lab.registry.address.to_string(), "lab/conformance", &[("OCI_DATA_SHA512", "false".into())]);
    let tags = tags_of(&lab, "lab/conformance");
    assert!(tags.len() > 10, "the command pushed no more than {tags:?}");
    let images = tags.iter().map(|tag| Image::found(lab.registry.address, "lab/conformance", tag));
    let images: Vec<_> = images.collect();
    for image in &images {
        lab.sign(Cosign::Bundle, RELEASE, image);
    }

    let content = Content::of(&images);
    let report = content.pull(&lab, "lab/conformance", &[("OCI_API_REFERRER", "false".into())]);
    report.is_good(&content, &[SKIPPED, &["empty/referrers"]].concat());
}

#[test]
fn the_referrers_of_an_image_are_listed() {
    let lab = Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle }.lab();
    let (index, _) = lab.push("conformance").index();
    lab.sign(Cosign::Bundle, RELEASE, &index);
    let content = Content::of(std::slice::from_ref(&index));
    let report = content.pull(lab, &index.repository, &[("OCI_RO_DATA_REFERRERS", index.digest.clone())]);
    report.is_good(&content, SKIPPED);
}

/// What the command leaves out where it may neither push nor delete. (Ranges it asks for in blobs that it pushed, so they
/// are among these.)
const SKIPPED: &[&str] = &[
    "invalid-digest-format/delete",
    "invalid-digest-format/delete/blob-delete",
    "invalid-digest-format/delete/manifest-delete",
    "invalid-digest-format/manifest-put",
    "read-only/delete",
    "read-only/delete/blob-delete",
    "read-only/delete/manifest-delete",
    "read-only/push",
    "read-only/push/manifest-by-digest",
    "read-only/push/manifest-by-tag",
    "sha256 blobs",
    "sha512 blobs",
];

/// What there is to pull, all of it once; what lists comes before what is listed.
#[derive(Default)]
struct Content {
    tags: Vec<String>,
    manifests: Vec<String>,
    blobs: Vec<String>,
}

impl Content {
    fn of(images: &[Image]) -> Self {
        let mut content = Self::default();
        for image in images {
            content.tags.push(image.tag().to_owned());
            content.add(image, &image.digest);
        }
        content
    }

    /// Adds a manifest and all that it lists, what is to be found elsewhere apart.
    fn add(&mut self, image: &Image, digest: &str) {
        if self.manifests.iter().any(|known| known == digest) {
            return;
        }
        self.manifests.push(digest.to_owned());
        let manifest = image.get_json(&image.path(&format!("manifests/{digest}")));
        let listed = |name: &str| manifest[name].as_array().cloned().unwrap_or_default();
        for child in listed("manifests") {
            self.add(image, digest_of(&child));
        }
        let blobs = listed("layers").into_iter().chain([manifest["config"].clone()]);
        for blob in blobs.filter(|blob| !blob.is_null() && blob["urls"].is_null()) {
            let digest = digest_of(&blob).to_owned();
            if !self.blobs.contains(&digest) {
                self.blobs.push(digest);
            }
        }
    }

    /// Pulls it all through the proxy.
    fn pull(&self, lab: &Lab, repository: &str, settings: &[(&str, String)]) -> Report {
        let mut all = settings.to_vec();
        all.extend([
            ("OCI_API_PUSH", "false".into()),
            ("OCI_RO_DATA_TAGS", self.tags.join(" ")),
            ("OCI_RO_DATA_MANIFESTS", self.manifests.join(" ")),
            ("OCI_RO_DATA_BLOBS", self.blobs.join(" ")),
        ]);
        Report(conformance(&lab.proxy.address.to_string(), repository, &all).stdout().to_owned())
    }
}

/// What the command printed. (Its status says less: it stumbles over its own files when it did not push.)
struct Report(String);

impl Report {
    #[track_caller]
    fn is_good(&self, content: &Content, skipped: &[&str]) {
        let Self(text) = self;
        assert!(text.contains("OCI Conformance Result: Pass"), "{text}");
        assert_eq!(self.tests("FAIL").count() + self.tests("Error").count(), 0, "{text}");
        let left_out: BTreeSet<_> =
            self.tests("Disabled").chain(self.tests("Skip")).chain(self.tests("Unknown")).collect();
        assert_eq!(left_out, skipped.iter().copied().collect(), "{text}");
        for (test, times) in [
            ("head/manifest-head-by-tag", content.tags.len()),
            ("head/manifest-head-by-digest", content.manifests.len()),
            ("head/blob-head", content.blobs.len()),
            ("pull/manifest-by-tag", content.tags.len()),
            ("pull/manifest-by-digest", content.manifests.len()),
            ("pull/blob-get", content.blobs.len()),
        ] {
            let passed = self.tests("Pass").filter(|name| name.strip_prefix("read-only/") == Some(test)).count();
            assert_eq!(passed, times, "{test}: {text}");
        }
    }

    /// The tests that ended so.
    fn tests(&self, status: &str) -> impl Iterator<Item = &str> {
        let tests =
            self.0.lines().filter_map(|line| line.trim().strip_prefix("OCI Conformance Test/")?.split_once(": "));
        tests.filter(move |(_, found)| *found == status).map(|(name, _)| name)
    }
}

/// Runs the command against this host and repository; it deletes nothing.
fn conformance(host: &str, repository: &str, settings: &[(&str, String)]) -> Ran {
    let results = tempdir().expect("a temporary folder");
    let mut conformance = command(tool("bin/conformance"), [""; 0]);
    conformance.env("OCI_REGISTRY", host).env("OCI_TLS", "disabled").env("OCI_RESULTS_DIR", results.path());
    conformance.env("OCI_REPO1", repository).env("OCI_REPO2", format!("{repository}-other"));
    for kind in ["BLOBS", "MANIFESTS", "TAGS"] {
        conformance.env(format!("OCI_API_{kind}_DELETE"), "false");
    }
    conformance.envs(settings.iter().map(|(name, value)| (name, value)));
    run(&conformance)
}

fn tags_of(lab: &Lab, repository: &str) -> Vec<String> {
    let answer =
        ask(lab.registry.address, "GET", &format!("/v2/{repository}/tags/list")).expect("the registry answers");
    serde_json::from_value(answer.json()["tags"].clone()).expect("tags are a list of strings")
}

fn digest_of(descriptor: &Value) -> &str {
    descriptor["digest"].as_str().expect("a descriptor has a digest")
}
