//! Evidence artifacts pass by their content, and nothing that may run passes for one.

use countersign::demo::cosign::{attach_bundle, tag};
use countersign::demo::images::{Image, Stored};
use countersign::demo::registry::{Options, Registry};
use countersign::demo::signer::{attestation_statement, simple_signing_payload};
use countersign::oci::Digest;
use countersign::oci::media_type::{BUNDLE_V03, DSSE, IN_TOTO, SIMPLE_SIGNING};
use http::Method;
use serde_json::{Value, json};

use crate::support::expect::{denied, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::{Fault, Kind};
use crate::support::scene::{IMAGE, blob, descriptor, manifest};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const BOM: &str = "https://cyclonedx.org/bom";

/// Stores a manifest over `config` and these layers, with these members besides.
fn push(registry: &Registry, repository: &str, tag: Option<&str>, blobs: &[(&str, Vec<u8>)], more: &Value) -> Stored {
    let describe = |(media_type, bytes): &(&str, Vec<u8>)| {
        let digest = registry.put_blob(repository, bytes.clone());
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    };
    let blobs: Vec<_> = blobs.iter().map(describe).collect();
    let mut document = json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": blobs[0], "layers": blobs[1..] });
    document.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let bytes = document.to_string();
    let size = bytes.len();
    let digest = registry.put_manifest(repository, IMAGE, bytes, tag);
    Stored { repository: repository.into(), media_type: IMAGE, size, digest }
}

fn bytes(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// What a manifest in the registry lists, the config first.
fn blobs(registry: &Registry, stored: &Stored) -> Vec<Digest> {
    let (_, bytes) = registry.manifest(&stored.repository, &stored.digest.to_string()).expect("it is there");
    let document: Value = serde_json::from_slice(&bytes).expect("JSON");
    let layers = document["layers"].as_array().expect("layers");
    let digest = |entry: &Value| entry["digest"].as_str().and_then(|text| text.parse().ok()).expect("a digest");
    std::iter::once(&document["config"]).chain(layers).map(digest).collect()
}

/// The lab serves the artifact and all of its blobs.
async fn passes(lab: &Lab, artifact: &Stored, reference: &str) {
    let Stored { repository, digest, .. } = artifact;
    served(&lab.get(&manifest(repository, reference)).await, *digest, "evidence");
    served(&lab.get(&manifest(repository, digest)).await, *digest, "evidence");
    assert_eq!(lab.head(&manifest(repository, reference)).await.status, 200);
    for listed in blobs(lab.registry(), artifact) {
        served(&lab.get(&blob(repository, listed)).await, listed, "member");
    }
}

/// Signs and attests `image` in every format, by whomever.
fn evidence(lab: &Lab, image: &Stored) -> [(Stored, String); 4] {
    let (registry, by) = (lab.registry(), &lab.foreign);
    let made = [
        by.sign_bundle(registry, image),
        by.attest_bundle(registry, image, BOM, &json!({})),
        by.sign_legacy(registry, image),
        by.attest_legacy(registry, image, BOM, &json!({})),
    ];
    let [bundle, attested, legacy, envelope] = made.map(|stored| stored.expect("signs"));
    let [first, second] = [&bundle, &attested].map(|stored| stored.digest.to_string());
    let [sig, att] = ["sig", "att"].map(|suffix| tag(&image.digest, Some(suffix)));
    [(bundle, first), (attested, second), (legacy, sig), (envelope, att)]
}

#[tokio::test]
async fn o67_signatures_and_attestations_pass_by_their_content_whoever_made_them() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app").manifest;
    for (artifact, reference) in evidence(&lab, &image) {
        passes(&lab, &artifact, &reference).await;
    }
    denied(&lab.get(&manifest("team/app", "1")).await, "signature_missing");
}

#[tokio::test]
async fn o67_they_pass_where_no_policy_governs_too_and_nothing_else_does() {
    let lab = Lab::with_policy(Options::default(), |name, key| {
        countersign::demo::proxy::policy(name, key).replace("/**\"", "/team/**\"")
    })
    .await;
    let image = lab.unsigned("team/app").manifest;
    let elsewhere = Stored { repository: "signatures".into(), ..image };
    for (artifact, reference) in evidence(&lab, &elsewhere) {
        passes(&lab, &artifact, &reference).await;
    }
    let other = lab.signed("signatures").manifest;
    denied(&lab.get(&manifest("signatures", other.digest)).await, "no_policy");
}

#[tokio::test]
async fn o67_the_fallback_index_passes_if_it_lists_nothing_but_evidence_and_confers_nothing() {
    let lab = Lab::start(Options { referrers: false, ..Options::default() }).await;
    let image = lab.unsigned("team/app");
    let [(signed, _), (attested, _), ..] = evidence(&lab, &image.manifest);
    let fallback = tag(&image.manifest.digest, None);
    let (_, index) = lab.registry().manifest("team/app", &fallback).expect("clients made it");
    served(&lab.get(&manifest("team/app", &fallback)).await, Digest::of(&index), "evidence");
    assert_eq!(lab.head(&manifest("team/app", Digest::of(&index))).await.status, 200);
    for artifact in [&signed, &attested] {
        denied(&lab.get(&blob("team/app", artifact.digest)).await, "not_a_member");
        passes(&lab, artifact, &artifact.digest.to_string()).await;
    }

    // With anything else in it, it is an image index, and the image within stays what it is.
    let mixed = lab.index_over("team/app", Some("mixed"), &[&signed, &image.manifest]);
    denied(&lab.get(&manifest("team/app", "mixed")).await, "unsigned");
    denied(&lab.get(&manifest("team/app", image.manifest.digest)).await, "signature_missing");
    let within = lab.index_over("team/app", Some("within"), &[&signed, &mixed]);
    denied(&lab.get(&manifest("team/app", within.digest)).await, "unsigned");
    lab.index_over("team/app", Some("empty"), &[]);
    denied(&lab.get(&manifest("team/app", "empty")).await, "unsigned");
    // A node may hold what the registry does not have.
    let gone = lab.index_over("team/app", Some("gone"), &[&signed, &lab.unsigned("team/other").manifest]);
    denied(&lab.get(&manifest("team/app", gone.digest)).await, "unsigned");
}

#[tokio::test]
async fn o68_an_attestation_in_a_signed_index_is_its_member() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app").manifest;
    let statement = bytes(&attestation_statement("registry.demo/team/app", image.digest, BOM, &json!({})));
    let rootfs = json!({ "type": "layers", "diff_ids": [Digest::of(&statement)] });
    let config = json!({ "architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs });
    let attestation =
        push(lab.registry(), "team/app", None, &[(CONFIG, bytes(&config)), (IN_TOTO, statement)], &json!({}));
    let index = lab.index_over("team/app", Some("1"), &[&image, &attestation]);
    lab.signer.sign_bundle(lab.registry(), &index).expect("signs");
    served(&lab.get(&manifest("team/app", attestation.digest)).await, attestation.digest, "evidence");
    served(&lab.get(&manifest("team/app", "1")).await, index.digest, "signed");
    served(&lab.get(&manifest("team/app", attestation.digest)).await, attestation.digest, "member");
}

/// The config and the layer of an image, as they are in the registry.
async fn parts(lab: &Lab, image: &Image) -> [Vec<u8>; 2] {
    let mut parts = Vec::new();
    for digest in [image.config, image.layer] {
        let url = format!("http://{}{}", lab.double.address(), blob(&image.manifest.repository, digest));
        parts.push(lab.client.get(&url).await.expect("the registry answers").body.to_vec());
    }
    parts.try_into().expect("two")
}

#[tokio::test]
async fn c14_an_image_with_relabelled_layers_is_an_image_whatever_its_tag_or_subject() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app");
    let [config, layer] = parts(&lab, &image).await;
    let signature = bytes(&simple_signing_payload("registry.demo/team/app", image.manifest.digest));
    let subject = json!({ "subject": descriptor(&image.manifest), "artifactType": BUNDLE_V03 });
    let sig = tag(&image.manifest.digest, Some("sig"));
    for media_type in [SIMPLE_SIGNING, DSSE, BUNDLE_V03, IN_TOTO, "application/vnd.oci.image.layer.v1.tar"] {
        for (more, layers) in [
            (json!({}), vec![(media_type, layer.clone())]),
            (subject.clone(), vec![(media_type, layer.clone())]),
            (json!({}), vec![(SIMPLE_SIGNING, signature.clone()), (media_type, layer.clone())]),
        ] {
            let blobs = [&[(CONFIG, config.clone())], layers.as_slice()].concat();
            let pushed = push(lab.registry(), "team/app", Some(&sig), &blobs, &more);
            denied(&lab.get(&manifest("team/app", &sig)).await, "unsigned");
            assert_eq!(lab.head(&manifest("team/app", pushed.digest)).await.status, 403);
            denied(&lab.get(&blob("team/app", image.layer)).await, "not_a_member");
            denied(&lab.get(&blob("team/app", image.config)).await, "not_a_member");
        }
    }
}

#[tokio::test]
async fn c14_evidence_whose_config_says_what_is_to_be_run_is_an_image() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app");
    let signature = bytes(&simple_signing_payload("registry.demo/team/app", image.manifest.digest));
    // A node that holds the layers of another image finds them by these names, and reads no layer of this one.
    let held = json!({ "type": "layers", "diff_ids": [image.layer] });
    let own = json!({ "type": "layers", "diff_ids": [Digest::of(&signature)] });
    for (config, passes) in [
        (json!({ "os": "linux", "architecture": "amd64", "rootfs": held, "config": { "Cmd": ["/hello.txt"] } }), false),
        (json!({ "os": "linux", "architecture": "amd64", "rootfs": held }), false),
        (json!({ "RootFS": held }), false),
        (json!({ "rootfs": own, "config": { "Cmd": ["/hello.txt"] } }), false),
        (json!({ "rootfs": own, "config": {} }), true),
    ] {
        let blobs = [(CONFIG, bytes(&config)), (SIMPLE_SIGNING, signature.clone())];
        let pushed = push(lab.registry(), "team/app", None, &blobs, &json!({}));
        let answer = lab.get(&manifest("team/app", pushed.digest)).await;
        if passes { served(&answer, pushed.digest, "evidence") } else { denied(&answer, "unsigned") }
    }
}

#[tokio::test]
async fn c24_what_else_refers_to_an_image_or_is_no_image_is_for_the_policy_to_decide() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let subject = json!({ "subject": descriptor(&image) });
    for (name, config, layer) in [
        ("soci", "application/vnd.amazon.soci.index.v1+json", "application/octet-stream"),
        ("nydus", CONFIG, "application/vnd.oci.image.layer.nydus.blob.v1"),
        ("helm", "application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
        ("sbom", "application/vnd.oci.empty.v1+json", "application/spdx+json"),
    ] {
        let push = |content: &str| {
            let blobs = [(config, b"{}".to_vec()), (layer, content.as_bytes().to_vec())];
            push(lab.registry(), "team/app", Some(name), &blobs, &subject)
        };
        push(name);
        denied(&lab.get(&manifest("team/app", name)).await, "unsigned");
        denied(&lab.get(&blob("team/app", Digest::of(name.as_bytes()))).await, "not_a_member");
        let content = format!("{name}, signed");
        let signed = push(&content);
        lab.signer.sign_bundle(lab.registry(), &signed).expect("signs");
        served(&lab.get(&manifest("team/app", name)).await, signed.digest, "signed");
        let layer = Digest::of(content.as_bytes());
        served(&lab.get(&blob("team/app", layer)).await, layer, "member");
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_503_and_told_later() {
    let lab = Lab::start(Options { referrers: false, ..Options::default() }).await;
    let image = lab.unsigned("team/app").manifest;
    let artifact = lab.foreign.sign_bundle(lab.registry(), &image).expect("signs");
    let fallback = manifest("team/app", tag(&image.digest, None));
    lab.double.fault(Method::GET, "/v2/team/app/blobs/", Fault::Status(500));
    for path in [&fallback, &manifest("team/app", artifact.digest)] {
        unsure(&lab.get(path).await, "evidence_unreadable");
        assert_eq!(lab.head(path).await.status, 503);
    }
    lab.double.heal();
    let path = manifest("team/app", artifact.digest);
    served(&lab.get_after_rest(&path, "evidence").await, artifact.digest, "evidence");
    passes(&lab, &artifact, &artifact.digest.to_string()).await;
    assert_eq!(lab.get(&fallback).await.status, 200);
    // What the registry does not have is nothing that could pass.
    let other = attach_bundle(lab.registry(), &image, b"{}".to_vec(), BOM);
    lab.registry().delete("team/app", &Digest::of(b"{}"));
    denied(&lab.get(&manifest("team/app", other.digest)).await, "unsigned");
}

#[tokio::test]
async fn a_revoked_digest_stays_refused_as_an_artifact_and_in_an_index_of_evidence() {
    let lab = Lab::start(Options { referrers: false, ..Options::default() }).await;
    let image = lab.unsigned("team/app").manifest;
    let [(revoked, _), (other, _), ..] = evidence(&lab, &image);
    let fallback = manifest("team/app", tag(&image.digest, None));
    assert_eq!(lab.get(&fallback).await.status, 200);
    let revoke =
        |digest: Digest| lab.set_policy(&format!("{}revoked: {{ digests: [ \"{digest}\" ] }}\n", lab.policy()));
    revoke(revoked.digest).expect("a good policy");
    denied(&lab.get(&fallback).await, "child_denied");
    denied(&lab.get(&manifest("team/app", revoked.digest)).await, "revoked");
    passes(&lab, &other, &other.digest.to_string()).await;
    let layer = blobs(lab.registry(), &other)[1];
    revoke(layer).expect("a good policy");
    denied(&lab.get(&manifest("team/app", other.digest)).await, "child_denied");
    denied(&lab.get(&blob("team/app", layer)).await, "child_denied");
}

#[tokio::test]
async fn images_cost_the_registry_nothing_more_and_artifacts_are_read_once() {
    let lab = Lab::start(Options::default()).await;
    let (index, images) = lab.signed_index("team/multi");
    let unsigned = lab.unsigned("team/app").manifest;
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    served(&lab.get(&manifest("team/multi", "1")).await, index.digest, "signed");
    for image in &images {
        let asked = lab.double.count_of(&Method::GET, &manifest("team/multi", image.manifest.digest));
        assert_eq!(asked, 0, "an index is judged without its children");
    }
    let artifact = lab.foreign.sign_bundle(lab.registry(), &unsigned).expect("signs");
    lab.double.forget();
    for _ in 0..3 {
        served(&lab.get(&manifest("team/app", artifact.digest)).await, artifact.digest, "evidence");
    }
    assert_eq!((lab.double.count(Kind::Blob), lab.double.count(Kind::Referrers)), (2, 0), "its own blobs, no evidence");
}

#[tokio::test]
async fn under_audit_an_artifact_is_nothing_that_would_be_denied() {
    let lab = Lab::edited(Options::default(), |config| config.replace("policy: {", "policy: { audit: true,")).await;
    let image = lab.unsigned("team/app").manifest;
    let artifact = lab.foreign.sign_bundle(lab.registry(), &image).expect("signs");
    passes(&lab, &artifact, &artifact.digest.to_string()).await;
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "audited");
    assert_eq!(lab.metric("decisions_total", &[("reason", "evidence")]).await, Some(3));
    assert_eq!(lab.metric("would_deny_total", &[("reason", "signature_missing")]).await, Some(1));
}
