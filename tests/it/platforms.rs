//! What is required of each platform's own manifest: an index is served if all that it lists may run.

use countersign::demo::images::{self, Image, Stored};
use countersign::demo::proxy;
use countersign::demo::registry::Options;
use countersign::oci::Digest;
use http::Method;
use serde_json::{Value, json};

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::{IMAGE, INDEX, blob, descriptor, manifest};

const APP: &str = "team/multi";
const SBOM: &str = "https://cyclonedx.org/bom";
const STATEMENT: &str = "application/vnd.in-toto+json";

/// Demands a signature of the index, and an SBOM of each platform.
fn policy(name: &str, key: &str) -> String {
    let platforms = format!("- attestation: {{ by: release-key, type: {SBOM}, on: platform }}");
    let both = format!("allOf:\n        - signature: {{ by: release-key }}\n        {platforms}");
    proxy::policy(name, key).replace("signature: { by: release-key }", &both)
}

async fn lab() -> Lab {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 0s }\n").await;
    lab.set_policy(&lab.policy_text()).expect("a good policy");
    lab
}

impl Lab {
    fn policy_text(&self) -> String {
        policy(&self.registry().options().name, &self.signer.public_key_pem())
    }

    fn platform(&self, architecture: &'static str) -> Image {
        images::image_for(self.registry(), APP, None, architecture, &format!("hello from {architecture}\n"))
    }

    fn attest(&self, manifest: &Stored) {
        self.signer.attest_bundle(self.registry(), manifest, SBOM, &json!({ "components": [] })).expect("attests");
    }

    fn attested(&self, architecture: &'static str) -> Image {
        let image = self.platform(architecture);
        self.attest(&image.manifest);
        image
    }

    /// Stores an index, tagged `1`, that the policy's key has signed.
    fn index_of(&self, children: &[Value]) -> Stored {
        let index = self.put(INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children }), "1");
        self.signer.sign_bundle(self.registry(), &index).expect("signs");
        index
    }

    fn put(&self, media_type: &'static str, document: &Value, tag: &str) -> Stored {
        let bytes = document.to_string();
        let (size, tag) = (bytes.len(), (!tag.is_empty()).then_some(tag));
        let digest = self.registry().put_manifest(APP, media_type, bytes, tag);
        Stored { repository: APP.into(), media_type, size, digest }
    }

    fn put_blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = self.registry().put_blob(APP, bytes.to_vec());
        json!({ "mediaType": media_type, "size": bytes.len(), "digest": digest })
    }

    /// Stores what `BuildKit` writes beside an image, with these layers, and says how an index lists it.
    fn attestation_manifest(&self, of: &Image, layers: &[Value]) -> Value {
        let diff_ids: Vec<_> = layers.iter().map(|layer| &layer["digest"]).collect();
        let rootfs = json!({ "type": "layers", "diff_ids": diff_ids });
        let config = json!({ "architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs }).to_string();
        self.attestation_manifest_with(of, layers, config.as_bytes())
    }

    fn attestation_manifest_with(&self, of: &Image, layers: &[Value], config: &[u8]) -> Value {
        let config = self.put_blob("application/vnd.oci.image.config.v1+json", config);
        let document = json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers });
        let stored = self.put(IMAGE, &document, "");
        let mut listed = for_platform(&stored, "unknown", "unknown");
        listed["annotations"] = json!({
            "vnd.docker.reference.digest": of.manifest.digest, "vnd.docker.reference.type": "attestation-manifest",
        });
        listed
    }

    fn statement(&self, of: &Image) -> Value {
        self.put_blob(STATEMENT, statement(&[of.manifest.digest]).to_string().as_bytes())
    }

    async fn layer_bytes(&self, image: &Image) -> Vec<u8> {
        let url = format!("http://{}{}", self.double.address(), blob(APP, image.layer));
        self.client.get(&url).await.expect("the registry's answer").body.to_vec()
    }

    async fn get_index(&self) -> countersign::demo::client::Answer {
        self.get(&manifest(APP, "1")).await
    }
}

fn statement(subjects: &[Digest]) -> Value {
    let subjects = subjects.iter().map(|digest| json!({ "name": "_", "digest": { "sha256": digest.hex() } }));
    json!({
        "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": subjects.collect::<Vec<_>>(), "predicate": { "buildType": "https://mobyproject.org/buildkit@v1" },
    })
}

fn for_platform(stored: &Stored, os: &str, architecture: &str) -> Value {
    let mut listed = descriptor(stored);
    listed["platform"] = json!({ "os": os, "architecture": architecture });
    listed
}

fn listed(image: &Image) -> Value {
    for_platform(&image.manifest, "linux", image.architecture)
}

#[tokio::test]
async fn an_index_is_served_if_what_is_required_holds_for_every_image_and_so_are_they() {
    let lab = lab().await;
    let images = ["amd64", "arm64"].map(|architecture| lab.attested(architecture));
    let index = lab.index_of(&images.each_ref().map(listed));
    served(&lab.get_index().await, index.digest, "signed");
    for image in &images {
        served(&lab.get(&manifest(APP, image.manifest.digest)).await, image.manifest.digest, "member");
        served(&lab.get(&blob(APP, image.layer)).await, image.layer, "member");
    }
}

#[tokio::test]
async fn one_image_that_lacks_it_keeps_the_index_and_the_other_images_back() {
    let lab = lab().await;
    let (good, bad) = (lab.attested("amd64"), lab.platform("arm64"));
    let index = lab.index_of(&[listed(&good), listed(&bad)]);
    // What is attested about the index is not about its platforms.
    lab.attest(&index);
    let answer = lab.get_index().await;
    denied(&answer, "attestation_missing");
    let name = format!("linux/arm64 ({})", bad.manifest.digest);
    assert!(answer.message().contains(&name), "{}", answer.message());
    for image in [&good, &bad] {
        denied(&lab.get(&manifest(APP, image.manifest.digest)).await, "attestation_missing");
        denied(&lab.get(&blob(APP, image.layer)).await, "not_a_member");
    }
    // Unless it has all by itself.
    lab.signer.sign_bundle(lab.registry(), &good.manifest).expect("signs");
    served(&lab.get(&manifest(APP, good.manifest.digest)).await, good.manifest.digest, "signed");
    denied(&lab.get_index().await, "attestation_missing");
    lab.foreign.attest_bundle(lab.registry(), &bad.manifest, SBOM, &json!({})).expect("attests");
    denied(&lab.get_index().await, "attestation_missing");
    lab.attest(&bad.manifest);
    served(&lab.get_index().await, index.digest, "signed");
    served(&lab.get(&manifest(APP, bad.manifest.digest)).await, bad.manifest.digest, "member");
}

#[tokio::test]
async fn what_buildkit_attests_beside_an_image_is_none() {
    let lab = lab().await;
    let image = lab.attested("amd64");
    let beside = lab.attestation_manifest(&image, &[lab.statement(&image), lab.statement(&image)]);
    let index = lab.index_of(&[listed(&image), beside.clone()]);
    served(&lab.get_index().await, index.digest, "signed");
    let digest: Digest = beside["digest"].as_str().and_then(|text| text.parse().ok()).expect("a digest");
    served(&lab.get(&manifest(APP, digest)).await, digest, "member");
    // It is no image either where nothing else is listed.
    lab.index_of(&[beside]);
    denied(&lab.get_index().await, "attestation_missing");
}

#[tokio::test]
async fn an_image_that_is_called_evidence_is_judged_as_an_image() {
    let lab = lab().await;
    let image = lab.attested("amd64");
    let (layer, bytes) = (lab.statement(&image), lab.layer_bytes(&image).await);
    let relabelled = lab.put_blob(STATEMENT, &bytes);
    let mut undersized = layer.clone();
    undersized["size"] = json!(10);
    let mut oversized = layer.clone();
    oversized["size"] = json!(1000);
    let about_nothing = lab.put_blob(STATEMENT, statement(&[]).to_string().as_bytes());
    let plain = lab.put_blob("application/json", statement(&[image.manifest.digest]).to_string().as_bytes());
    for layers in [
        vec![relabelled.clone()],
        vec![layer.clone(), relabelled],
        vec![],
        vec![about_nothing],
        vec![plain],
        vec![undersized],
        vec![oversized],
        vec![layer.clone(); 65],
    ] {
        lab.index_of(&[listed(&image), lab.attestation_manifest(&image, &layers)]);
        let answer = lab.get_index().await;
        denied(&answer, "attestation_missing");
        assert!(answer.message().contains("unknown/unknown (sha256:"), "{}", answer.message());
    }
    let of_another = json!({ "rootfs": { "type": "layers", "diff_ids": [image.layer] } }).to_string();
    for config in [&b"[]"[..], b"{", &vec![b' '; 70_000], of_another.as_bytes()] {
        lab.index_of(&[listed(&image), lab.attestation_manifest_with(&image, std::slice::from_ref(&layer), config)]);
        denied(&lab.get_index().await, "attestation_missing");
    }
    // It can be attested as any other.
    let other = lab.attestation_manifest(&image, &[layer.clone(), lab.put_blob(STATEMENT, b"#!/bin/sh")]);
    let index = lab.index_of(&[listed(&image), other.clone()]);
    denied(&lab.get_index().await, "attestation_missing");
    let digest = other["digest"].as_str().and_then(|text| text.parse().ok()).expect("a digest");
    lab.attest(&Stored { repository: APP.into(), media_type: IMAGE, size: 0, digest });
    served(&lab.get_index().await, index.digest, "signed");
}

#[tokio::test]
async fn images_within_nested_indexes_count_and_those_indexes_do_not() {
    let lab = lab().await;
    let (shallow, deep) = (lab.attested("amd64"), lab.platform("arm64"));
    let inner = lab.index_over(APP, None, &[&deep.manifest, &shallow.manifest]);
    let outer = lab.index_of(&[listed(&shallow), for_platform(&inner, "linux", "arm64")]);
    lab.attest(&inner);
    denied(&lab.get_index().await, "attestation_missing");
    lab.attest(&deep.manifest);
    served(&lab.get_index().await, outer.digest, "signed");
    for stored in [&inner, &deep.manifest] {
        served(&lab.get(&manifest(APP, stored.digest)).await, stored.digest, "member");
    }
}

#[tokio::test]
async fn indexes_within_indexes_are_not_followed_for_ever() {
    let lab = lab().await;
    let image = lab.attested("amd64");
    let mut index = lab.index_over(APP, None, &[&image.manifest]);
    for depth in 2..=6 {
        let above = lab.index_of(&[descriptor(&index)]);
        let answer = lab.get_index().await;
        if depth <= 4 {
            served(&answer, above.digest, "signed");
        } else {
            denied(&answer, "index_too_deep");
        }
        index = above;
    }
}

#[tokio::test]
async fn what_cannot_be_read_about_an_image_is_not_known_to_be_missing() {
    for source in ["referrers", "manifests"] {
        let lab = lab().await;
        let images = ["amd64", "arm64"].map(|architecture| lab.attested(architecture));
        let index = lab.index_of(&images.each_ref().map(listed));
        let digest = images[1].manifest.digest;
        lab.double.fault(Method::GET, &format!("/v2/{APP}/{source}/{digest}"), Fault::Status(500));
        let answer = lab.get_index().await;
        unsure(&answer, "evidence_unreadable");
        assert!(answer.message().contains(&format!("linux/arm64 ({digest})")), "{}", answer.message());
        lab.double.heal();
        served(&lab.get_after_rest(&manifest(APP, "1"), "signed").await, index.digest, "signed");
    }
}

#[tokio::test]
async fn an_image_that_the_registry_does_not_have_may_still_come() {
    let lab = lab().await;
    let (here, gone) = (lab.attested("amd64"), lab.attested("arm64"));
    lab.index_of(&[listed(&here), listed(&gone)]);
    lab.registry().delete(APP, &gone.manifest.digest);
    let answer = lab.get_index().await;
    unsure(&answer, "evidence_unreadable");
    assert!(answer.message().contains("the registry does not have it"), "{}", answer.message());
}

#[tokio::test]
async fn an_image_that_cannot_be_served_keeps_its_index_back() {
    let lab = lab().await;
    let image = lab.attested("amd64");
    let bad = lab.put(IMAGE, &json!({ "schemaVersion": 1 }), "");
    lab.attest(&bad);
    lab.index_of(&[listed(&image), for_platform(&bad, "linux", "arm64")]);
    let answer = lab.get_index().await;
    denied(&answer, "manifest_malformed");
    assert!(answer.message().contains(&format!("linux/arm64 ({})", bad.digest)), "{}", answer.message());
}

#[tokio::test]
async fn more_images_than_are_judged_at_once_are_503() {
    let lab = lab().await;
    let images: Vec<_> = (0..65).map(|n| images::image(lab.registry(), APP, None, &format!("{n}"))).collect();
    let children: Vec<_> = images.iter().map(listed).collect();
    lab.index_of(&children);
    let answer = lab.get_index().await;
    unsure(&answer, "evidence_incomplete");
    assert!(answer.message().contains("more than 64 images"), "{}", answer.message());
    for image in &images[..64] {
        lab.attest(&image.manifest);
    }
    let index = lab.index_of(&children[..64]);
    served(&lab.get_index().await, index.digest, "signed");
}

#[tokio::test]
async fn an_edited_policy_is_judged_on_what_is_in_memory_of_every_image() {
    let lab = lab().await;
    let images = ["amd64", "arm64"].map(|architecture| lab.attested(architecture));
    let beside = lab.attestation_manifest(&images[0], &[lab.statement(&images[0])]);
    let index = lab.index_of(&[listed(&images[0]), listed(&images[1]), beside]);
    served(&lab.get_index().await, index.digest, "signed");
    lab.set_policy(&lab.policy_text().replace("name: demo", "name: edited")).expect("a good policy");
    lab.double.forget();
    served(&lab.get(&manifest(APP, index.digest)).await, index.digest, "signed");
    assert!(lab.double.seen().is_empty(), "{:?}", lab.double.seen());
}

/// Whoever may push can list much that has to be read before it is known to be no image.
#[tokio::test]
async fn what_is_read_to_tell_evidence_is_bounded() {
    let edit = |config: String| config + "cache: { deny: 0s }\nlimits: { attestation: 4KiB }\n";
    let lab = Lab::edited(Options::default(), edit).await;
    lab.set_policy(&lab.policy_text()).expect("a good policy");
    let image = lab.attested("amd64");
    let layers = vec![lab.statement(&image); 16];
    let manifests = |count: usize| {
        let each = (0..count)
            .map(|number| lab.attestation_manifest_with(&image, &layers, format!("{{\"n\":{number}}}").as_bytes()));
        [vec![listed(&image)], each.collect()].concat()
    };
    let index = lab.index_of(&manifests(2));
    served(&lab.get_index().await, index.digest, "signed");
    lab.index_of(&manifests(40));
    let answer = lab.get_index().await;
    unsure(&answer, "evidence_incomplete");
    assert!(answer.message().contains("what may be evidence"), "{}", answer.message());
}

#[tokio::test]
async fn audit_serves_an_index_that_would_be_refused_for_what_it_lists() {
    let lab = Lab::edited(Options::default(), |config| config.replace("policy: {", "policy: { audit: true,")).await;
    lab.set_policy(&lab.policy_text()).expect("a good policy");
    let image = lab.platform("amd64");
    let bad = lab.put(IMAGE, &json!({ "schemaVersion": 1 }), "");
    for children in [vec![listed(&image)], vec![]] {
        let index = lab.index_of(&children);
        served(&lab.get_index().await, index.digest, "audited");
    }
    // What cannot be served by itself stays refused.
    lab.index_of(&[listed(&image), descriptor(&bad)]);
    denied(&lab.get_index().await, "manifest_malformed");
}
