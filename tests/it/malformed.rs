//! Manifests that are signed and still not served: each for a reason of its own, and in audit too.

use countersign::demo::images::Stored;
use countersign::demo::registry::Options;
use countersign::oci::Digest;
use http::Method;
use serde_json::{Value, json};

use crate::support::expect::{denied, served};
use crate::support::lab::Lab;
use crate::support::registry_double::{Double, Fault};
use crate::support::scene::{IMAGE, INDEX, blob, descriptor, manifest};

const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

#[tokio::test]
async fn a_signature_does_not_make_a_manifest_readable() {
    let lab = Lab::start(Options::default()).await;
    refuse_each(&lab).await;
}

#[tokio::test]
async fn audit_serves_no_manifest_that_cannot_be_read() {
    let lab = Lab::edited(Options::default(), |config| config.replace("policy: {", "policy: { audit: true,")).await;
    refuse_each(&lab).await;
}

async fn refuse_each(lab: &Lab) {
    let image = lab.unsigned("team/parts").manifest;
    let (_, bytes) = lab.registry().manifest("team/parts", "1").expect("it is there");
    let good: Value = serde_json::from_slice(&bytes).expect("a manifest");
    let child = descriptor(&image);
    let sha512 = format!("sha512:{}", "0".repeat(128));
    let foreign = json!({ "urls": ["https://elsewhere/"] });
    let twice = String::from_utf8(bytes.to_vec()).expect("text").replacen('{', r#"{"config":{},"#, 1);
    let cases = [
        ("duplicate", IMAGE, twice, "manifest_ambiguous"),
        ("nested-duplicate", INDEX, index(r#"{"digest":"a","digest":"b"}"#), "manifest_ambiguous"),
        ("both", IMAGE, with(&good, &json!({ "manifests": [child] })), "manifest_ambiguous"),
        ("both-index", INDEX, with(&good, &json!({ "mediaType": INDEX, "manifests": [child] })), "manifest_ambiguous"),
        ("other-type", INDEX, good.to_string(), "manifest_ambiguous"),
        ("schema-1-members", IMAGE, with(&good, &json!({ "fsLayers": [] })), "manifest_ambiguous"),
        ("schema-1", SCHEMA_1, with(&good, &json!({ "schemaVersion": 1 })), "media_type_unsupported"),
        ("json", "application/json", good.to_string(), "media_type_unsupported"),
        ("octets", "application/octet-stream", good.to_string(), "media_type_unsupported"),
        ("wrong-schema", IMAGE, with(&good, &json!({ "schemaVersion": 1 })), "manifest_malformed"),
        ("not-json", IMAGE, "not a manifest".into(), "manifest_malformed"),
        ("trailing", IMAGE, good.to_string() + "{}", "manifest_malformed"),
        ("no-layers", IMAGE, with(&good, &json!({ "layers": null })), "manifest_malformed"),
        ("bad-digest", INDEX, index(r#"{"mediaType":"x","size":1,"digest":"sha256:0"}"#), "manifest_malformed"),
        ("child-urls", INDEX, index(&with(&child, &foreign)), "foreign_urls"),
        ("config-urls", IMAGE, with(&good, &json!({ "config": merged(&good["config"], &foreign) })), "foreign_urls"),
        ("cased", IMAGE, with(&good, &json!({ "Layers": [] })), "manifest_ambiguous"),
        ("cased-urls", INDEX, index(&with(&child, &json!({ "URLs": ["https://elsewhere/"] }))), "manifest_ambiguous"),
        ("folded-urls", INDEX, index(&with(&child, &json!({ "url\u{17f}": ["x"] }))), "manifest_ambiguous"),
        ("data", INDEX, index(&with(&child, &json!({ "data": "b3RoZXI=" }))), "descriptor_mismatch"),
        ("two-sizes", INDEX, index(&format!("{child},{}", with(&child, &json!({ "size": 1 })))), "descriptor_mismatch"),
        ("negative", INDEX, index(&with(&child, &json!({ "size": -1 }))), "manifest_malformed"),
        ("sha512", INDEX, index(&with(&child, &json!({ "digest": sha512 }))), "manifest_malformed"),
        ("blob-child", INDEX, index(&with(&child, &json!({ "mediaType": "a/b" }))), "media_type_unsupported"),
        ("layer-manifest", IMAGE, with(&good, &json!({ "layers": [child] })), "media_type_unsupported"),
        ("layers", IMAGE, with(&good, &json!({ "layers": vec![good["config"].clone(); 1001] })), "manifest_limits"),
        ("artifact", ARTIFACT, with(&good, &json!({ "mediaType": ARTIFACT })), "media_type_unsupported"),
        ("mark", IMAGE, format!("\u{feff}{good}"), "manifest_malformed"),
        ("deep", IMAGE, format!("{{\"x\":{}", "[".repeat(1 << 20)), "manifest_malformed"),
    ];
    for (name, media_type, bytes, reason) in cases {
        let Stored { repository, digest, .. } = lab.signed_bytes(&format!("team/{name}"), media_type, bytes);
        for reference in ["1".to_string(), digest.to_string()] {
            let answer = lab.get(&manifest(&repository, reference)).await;
            denied(&answer, reason);
            // It says what to do: to the image, or to the registry that does not say what it sends.
            let message = answer.message();
            assert!(
                ["push", "list ", "split", "must say", "only images"].iter().any(|help| message.contains(help)),
                "{message}"
            );
        }
    }
}

/// The base layers of Windows may not be distributed by everybody: they say where else they are.
#[tokio::test]
async fn a46_foreign_layers_are_served_from_the_registry_and_never_fetched_from_elsewhere() {
    let lab = Lab::start(Options::default()).await;
    let elsewhere = Double::start(Options::default()).await;
    let urls = json!([format!("http://{}/layer", elsewhere.address()), "http://169.254.169.254/"]);
    for (name, image_type, layer_type) in [
        ("docker", DOCKER_IMAGE, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        ("oci", IMAGE, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
    ] {
        let repository = &format!("windows/{name}");
        let put = |media_type: &str, bytes: &[u8]| {
            let digest = lab.registry().put_blob(repository, bytes.to_vec());
            json!({ "mediaType": media_type, "size": bytes.len(), "digest": digest })
        };
        let config = put("application/vnd.docker.container.image.v1+json", br#"{"os":"windows"}"#);
        let here = merged(&put(layer_type, b"pushed with --allow-nondistributable"), &json!({ "urls": urls }));
        let digest = Digest::of(b"only there");
        let there = json!({ "mediaType": layer_type, "size": 10, "digest": digest, "urls": urls });
        let body = json!({ "schemaVersion": 2, "mediaType": image_type, "config": config, "layers": [here, there] });
        let image = lab.signed_bytes(repository, image_type, body.to_string());
        served(&lab.get(&manifest(repository, "1")).await, image.digest, "signed");
        let pushed = Digest::of(b"pushed with --allow-nondistributable");
        served(&lab.get(&blob(repository, pushed)).await, pushed, "member");
        // A client goes there by itself, if it may; what it gets must have the digest in the signed manifest.
        assert_eq!(lab.get(&blob(repository, digest)).await.status, 404);
    }
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
}

#[tokio::test]
async fn the_registry_must_say_which_type_of_manifest_it_sends() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    for fault in [Fault::NoHeader("content-type"), Fault::Header("content-type", "text/html".into())] {
        lab.double.fault(Method::GET, &path, fault);
        denied(&lab.get(&path).await, "media_type_unsupported");
        lab.double.heal();
    }
    let parameters = Fault::Header("content-type", format!("{IMAGE}; charset=utf-8"));
    lab.double.fault(Method::GET, &path, parameters);
    served(&lab.get(&path).await, image.digest, "signed");
}

/// An index over one descriptor, given as text.
fn index(descriptor: &str) -> String {
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{descriptor}]}}"#)
}

/// `value` with other members, as text.
fn with(value: &Value, members: &Value) -> String {
    merged(value, members).to_string()
}

fn merged(value: &Value, members: &Value) -> Value {
    let mut value = value.clone();
    let (object, members) = (value.as_object_mut().expect("an object"), members.as_object().expect("an object"));
    object.extend(members.clone());
    value
}
