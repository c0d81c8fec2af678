//! Evidence that no cosign writes, properly signed by the key: payloads and envelopes at the edges of the formats.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde_json::{Value, json};

use crate::support::evidence::Evidence;

use super::material::Material;

const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const SBOM: &str = "https://cyclonedx.org/bom";
const STATEMENT: &str = "application/vnd.in-toto+json";
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Simple signing payloads under the `.sig` tag.
pub(super) fn simple_signing(material: &Material) -> Vec<(&'static str, Evidence)> {
    let digest = &material.image.digest;
    let other = digest.replace(|c: char| c.is_ascii_digit(), "0");
    let kind = "cosign container image signature";
    let of = |digest: &str, kind: &str| {
        json!({
            "critical": {
                "identity": { "docker-reference": "elsewhere.test/app" },
                "image": { "docker-manifest-digest": digest },
                "type": kind,
            },
            "optional": null,
        })
    };
    let with = |pointer: &str, name: &str, value: Value| {
        let mut payload = of(digest, kind);
        payload.pointer_mut(pointer).expect("it is there")[name] = value;
        payload.to_string()
    };
    let good = of(digest, kind).to_string();
    let member = format!("\"docker-manifest-digest\":\"{digest}\"");
    let foreign = format!("\"docker-manifest-digest\":\"{other}\"");
    let payloads = [
        ("as cosign writes it", good.clone()),
        ("of another type", of(digest, "atomic container signature").to_string()),
        ("about another digest", of(&other, kind).to_string()),
        ("about the digest in capitals", of(&digest.to_uppercase().replace("SHA256", "sha256"), kind).to_string()),
        ("about the digest without its algorithm", of(digest.trim_start_matches("sha256:"), kind).to_string()),
        ("with the digest twice, ours first", good.replace(&member, &format!("{member},{foreign}"))),
        ("with the digest twice, ours last", good.replace(&member, &format!("{foreign},{member}"))),
        ("with another critical member", with("/critical", "more", json!(true))),
        ("with another member", with("", "more", json!(true))),
        ("with optional members", with("", "optional", json!({ "creator": "x", "timestamp": 1 }))),
        ("with optional text", with("", "optional", json!("text"))),
        ("with space around", format!("\n  {good}\n")),
        ("with something after it", format!("{good} x")),
        ("that is not JSON", "docker-manifest-digest".to_owned()),
        ("that is empty", String::new()),
    ];
    let signature = "dev.cosignproject.cosign/signature";
    let mut made: Vec<_> = payloads
        .into_iter()
        .map(|(name, payload)| {
            let annotations = json!({ signature: material.sign(payload.as_bytes()) });
            (name, tag("sig", SIMPLE_SIGNING, annotations, payload))
        })
        .collect();
    let signed = material.sign(good.as_bytes());
    let annotated = [
        ("with an empty signature", json!({ signature: "" })),
        ("without a signature", json!({})),
        ("with a line break in its signature", json!({ signature: format!("{signed}\n") })),
        ("with a certificate that is none", json!({ signature: signed, "dev.sigstore.cosign/certificate": "x" })),
    ];
    made.extend(annotated.map(|(name, annotations)| (name, tag("sig", SIMPLE_SIGNING, annotations, good.clone()))));
    made.push((
        "as a layer of another media type",
        tag("sig", "application/octet-stream", json!({ signature: signed }), good.clone()),
    ));
    made
}

/// Bundles around statements that are, or are not, signatures of the image.
pub(super) fn bundles(material: &Material) -> Vec<(&'static str, Evidence)> {
    let hex = material.image.digest.trim_start_matches("sha256:");
    let good = statement(hex, SIGN);
    let with = |name: &str, value: Value| {
        let mut statement = good.clone();
        statement[name] = value;
        statement.to_string()
    };
    let without = |name: &str| {
        let mut statement = good.clone();
        statement.as_object_mut().expect("an object").remove(name);
        statement.to_string()
    };
    let subject = |value: Value| with("subject", value);
    let other = "0".repeat(64);
    let statements = [
        ("as cosign writes it", good.to_string()),
        ("of type v0.1", with("_type", json!("https://in-toto.io/Statement/v0.1"))),
        ("of an unknown type", with("_type", json!("https://in-toto.io/Statement/v9"))),
        ("without a type", without("_type")),
        ("with a foreign predicate type", with("predicateType", json!("https://example.test/type"))),
        ("without a predicate type", without("predicateType")),
        ("without a predicate", without("predicate")),
        ("with an unknown member", with("more", json!(true))),
        ("with a named subject", subject(json!([{ "name": "x", "digest": { "sha256": hex } }]))),
        ("with two subjects, ours last", subject(json!([digest(&other), digest(hex)]))),
        ("with two digests of its subject", subject(json!([{ "digest": { "sha256": hex, "sha512": "00" } }]))),
        ("with its subject in capitals", subject(json!([digest(&hex.to_uppercase())]))),
        ("with its subject by SHA-512 only", subject(json!([{ "digest": { "sha512": hex } }]))),
        ("about another subject", subject(json!([digest(&other)]))),
        ("about nothing", subject(json!([]))),
        ("without a subject", without("subject")),
        ("that is not JSON", "sha256".to_owned()),
    ];
    let envelope = |statement: &str| envelope(material, STATEMENT, statement);
    let mut made: Vec<_> =
        statements.iter().map(|(name, statement)| (*name, bundle(&key_bundle(&envelope(statement))))).collect();

    let plain = key_bundle(&envelope(&good.to_string()));
    let bent = |pointer: &str, value: Value| {
        let mut bundle = plain.clone();
        *bundle.pointer_mut(pointer).expect("it is there") = value;
        bundle
    };
    let payload = plain.pointer("/dsseEnvelope/payload").and_then(Value::as_str).expect("it is there");
    let raw = STANDARD.decode(payload).expect("it is base64");
    let signature = &plain["dsseEnvelope"]["signatures"][0];
    let text = plain.to_string();
    let media = |value: &str| bent("/mediaType", json!(value));
    let more = |name: &str| {
        let mut bundle = plain.clone();
        bundle[name] = json!({});
        bundle
    };
    let foreign = json!({ "sig": STANDARD.encode("foreign") });
    made.extend([
        (
            "in an envelope of another type",
            bundle(&key_bundle(&self::envelope(material, "text/plain", &good.to_string()))),
        ),
        ("with a hint", bundle(&bent("/verificationMaterial/publicKey/hint", json!("any")))),
        (
            "with a key id",
            bundle(&bent("/dsseEnvelope/signatures/0", json!({ "sig": signature["sig"], "keyid": "x" }))),
        ),
        ("with the signature twice", bundle(&bent("/dsseEnvelope/signatures", json!([signature, signature])))),
        ("with a foreign signature first", bundle(&bent("/dsseEnvelope/signatures", json!([foreign, signature])))),
        ("with no signature", bundle(&bent("/dsseEnvelope/signatures", json!([])))),
        ("with its payload in URL-safe base64", bundle(&bent("/dsseEnvelope/payload", json!(URL_SAFE.encode(&raw))))),
        ("with its payload unpadded", bundle(&bent("/dsseEnvelope/payload", json!(STANDARD_NO_PAD.encode(&raw))))),
        ("of media type 0.1", bundle(&media("application/vnd.dev.sigstore.bundle+json;version=0.1"))),
        ("of media type 0.3, old style", bundle(&media("application/vnd.dev.sigstore.bundle+json;version=0.3"))),
        ("of media type 0.4", bundle(&media("application/vnd.dev.sigstore.bundle.v0.4+json"))),
        ("of no media type", bundle(&media(""))),
        ("with an unknown member in the bundle", bundle(&more("unknown"))),
        ("with names in snake case", raw_bundle(&text.replace("dsseEnvelope", "dsse_envelope"))),
        ("with its media type twice", raw_bundle(&text.replacen('{', "{\"mediaType\":\"x\",", 1))),
        ("with something after the bundle", raw_bundle(&format!("{text} x"))),
        ("with space around the bundle", raw_bundle(&format!("\n {text}\n"))),
        ("that is an empty bundle", raw_bundle("{}")),
        ("that is no bundle", raw_bundle("no")),
    ]);
    made
}

/// Attestations, as bundles.
pub(super) fn attestations(material: &Material) -> Vec<(&'static str, Evidence)> {
    let hex = material.image.digest.trim_start_matches("sha256:");
    let types = [
        ("as cosign writes it", SBOM),
        ("of a later version's type", "https://cyclonedx.org/bom/v1.5"),
        ("of a type with a slash", "https://cyclonedx.org/bom/"),
        ("of a type in capitals", "https://cyclonedx.org/BOM"),
        ("of cosign's short name", "cyclonedx"),
        ("that is a signature", SIGN),
    ];
    let made = types.map(|(name, kind)| {
        let statement = statement(hex, kind).to_string();
        (name, bundle(&key_bundle(&envelope(material, STATEMENT, &statement))))
    });
    let legacy = |kind: &str, annotation: &str| {
        let envelope = envelope(material, STATEMENT, &statement(hex, kind).to_string()).to_string();
        let annotations = json!({ "dev.cosignproject.cosign/signature": "", "predicateType": annotation });
        tag("att", "application/vnd.dsse.envelope.v1+json", annotations, envelope)
    };
    let tags = [
        ("under a tag", legacy(SBOM, SBOM)),
        ("under a tag whose annotation has another type", legacy(SBOM, SIGN)),
        ("of another type under a tag whose annotation is right", legacy("https://spdx.dev/Document", SBOM)),
    ];
    made.into_iter().chain(tags).collect()
}

fn statement(hex: &str, predicate_type: &str) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [digest(hex)],
        "predicateType": predicate_type,
        "predicate": {},
    })
}

fn digest(hex: &str) -> Value {
    json!({ "digest": { "sha256": hex } })
}

/// A DSSE envelope, signed by the key.
fn envelope(material: &Material, payload_type: &str, payload: &str) -> Value {
    let signed = format!("DSSEv1 {} {payload_type} {} {payload}", payload_type.len(), payload.len());
    let signature = json!({ "sig": material.sign(signed.as_bytes()) });
    json!({ "payload": STANDARD.encode(payload), "payloadType": payload_type, "signatures": [signature] })
}

fn key_bundle(envelope: &Value) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": "" } },
        "dsseEnvelope": envelope,
    })
}

fn bundle(value: &Value) -> Evidence {
    raw_bundle(&value.to_string())
}

fn raw_bundle(text: &str) -> Evidence {
    Evidence::Bundle(text.as_bytes().to_vec())
}

fn tag(kind: &'static str, media_type: &str, annotations: Value, payload: String) -> Evidence {
    Evidence::Tag { kind, media_type: media_type.into(), annotations, payload: payload.into_bytes() }
}
