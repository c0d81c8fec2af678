//! Manifests that are signed and still not served: each for a reason of its own, and in audit too.

use countersign::demo::images::Stored;
use countersign::demo::registry::Options;
use http::Method;
use serde_json::{Value, json};

use crate::support::expect::{denied, served};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::{IMAGE, INDEX, descriptor, manifest};

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
    ];
    for (name, media_type, bytes, reason) in cases {
        let Stored { repository, digest, .. } = lab.signed_bytes(&format!("team/{name}"), media_type, bytes);
        for reference in ["1".to_string(), digest.to_string()] {
            denied(&lab.get(&manifest(&repository, reference)).await, reason);
        }
    }
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
