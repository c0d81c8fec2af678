//! What fuzzing calls with foreign bytes, one function a target, and `cargo test` with the corpora of `fuzz/corpus`.
//!
//! Only tests and `cargo fuzz` (which sets `cfg(fuzzing)`) compile it. A function panics where the promise is broken:
//! something verified that nobody signed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::discovery::{Beside, Candidate, Material};
use crate::evidence::EvidenceSet;
use crate::limits::Limits;
use crate::oci::media_type::BUNDLE_V03;
use crate::oci::media_type::ManifestType::{DockerImage, DockerList, OciImage, OciIndex};
use crate::oci::{Digest, Manifest, Reference, Registry, Repository, Tag};
use crate::policy::condition::{Condition, Document, Facts, ImageFacts, SignerFacts};
use crate::policy::{Authority, Keyless, Kind, Name, Pattern, Revoked};
use crate::trust::{Root, Trust};
use crate::upstream::Operation;
use crate::verify::{Against, Claim, Findings, verify_all};

mod challenge;

mod requests;

pub use challenge::challenge;
pub use requests::{link, route};

/// A Sigstore bundle.
///
/// # Panics
/// If the promise is broken.
pub fn bundle(data: &[u8]) {
    only_what_was_signed(&judged(Material::Bundle(Bytes::copy_from_slice(data)), Beside::default()));
}

/// A DSSE envelope, as legacy attestations are stored.
///
/// # Panics
/// If the promise is broken.
pub fn envelope(data: &[u8]) {
    only_what_was_signed(&judged(Material::Envelope(Bytes::copy_from_slice(data)), Beside::default()));
}

/// A legacy signature: payload, signature, certificate, chain, log entry and time stamp, with a blank line between.
///
/// # Panics
/// If the promise is broken.
pub fn legacy(data: &[u8]) {
    only_what_was_signed(&judged_legacy(data));
}

fn judged_legacy(data: &[u8]) -> Findings {
    let mut parts = String::from_utf8_lossy(data).into_owned();
    let mut next = || match parts.split_once("\n\n").map(|(part, rest)| (part.to_string(), rest.to_string())) {
        Some((part, rest)) => {
            parts = rest;
            part
        }
        None => std::mem::take(&mut parts),
    };
    let (payload, signature) = (next(), next());
    let mut text = || Some(next()).filter(|part| !part.is_empty());
    let beside = Beside { certificate: text(), chain: text(), bundle: text(), timestamp: text() };
    judged(Material::SimpleSigning { payload: payload.into(), signature }, beside)
}

/// An in-toto statement, which this process signs: it means what a plain reader of JSON finds in it, or nothing.
///
/// # Panics
/// If the promise is broken.
pub fn statement(data: &[u8]) {
    let key = &*OWN_KEY;
    let kind = "application/vnd.in-toto+json";
    let signature = key.pair.sign(&SystemRandom::new(), &sigstore_verify::types::pae(kind, data)).expect("a signature");
    let envelope = json!({
        "payload": STANDARD.encode(data),
        "payloadType": kind,
        "signatures": [{ "sig": STANDARD.encode(signature.as_ref()) }],
    });
    let bundle = json!({
        "mediaType": BUNDLE_V03,
        "verificationMaterial": { "publicKey": {} },
        "dsseEnvelope": envelope,
    });
    let findings =
        findings(Material::Bundle(bundle.to_string().into()), Beside::default(), std::slice::from_ref(&key.authority));
    for proof in findings.verified {
        let read: Value = serde_json::from_slice(data).expect("what verified is JSON");
        let subjects = read["subject"].as_array().expect("subjects");
        assert!(subjects.iter().any(|one| one["digest"]["sha256"] == RECORD.subject.hex()));
        let claimed = match proof.claim() {
            Claim::Signature => "https://sigstore.dev/cosign/sign/v1",
            Claim::Attestation(kind) => kind,
        };
        assert_eq!(read["predicateType"], claimed);
    }
}

/// A `trusted_root.json`: unusable, or a root that a good bundle can be verified against without a panic.
///
/// # Panics
/// If the promise is broken.
pub fn trusted_root(data: &[u8]) {
    let Some(root) = std::str::from_utf8(data).ok().and_then(|text| Root::parse(text).ok()) else { return };
    assert_eq!(root.digest(), Digest::of(data));
}

/// A manifest, as each of the four media types: it has the digest that was asked for and lists what it holds.
///
/// # Panics
/// If the promise is broken.
pub fn manifest(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let digest = Digest::of(data);
    for kind in [OciIndex, OciImage, DockerList, DockerImage] {
        let Ok(manifest) = Manifest::parse(bytes.clone(), &digest, kind.as_str(), 1000) else { continue };
        assert_eq!((manifest.bytes(), manifest.digest(), manifest.media_type()), (&bytes, digest, kind));
        assert!(manifest.entries().iter().all(|entry| manifest.lists(&entry.digest)));
    }
}

/// Names, tags and digests: what parses is written as it was read.
///
/// # Panics
/// If the promise is broken.
pub fn names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let written = [
        text.parse::<Repository>().ok().map(|name| name.to_string()),
        text.parse::<Tag>().ok().map(|name| name.to_string()),
        text.parse::<Digest>().ok().map(|name| name.to_string()),
    ];
    assert!(written.iter().flatten().all(|written| written == text));
    if let Ok(registry) = text.parse::<Registry>() {
        assert_eq!(registry.as_str().parse(), Ok(registry.clone()));
    }
}

/// A repository and, after the last line break, a tag or a digest: together one path on the registry, which means
/// nothing else there.
///
/// # Panics
/// If the promise is broken.
pub fn reference(data: &[u8]) {
    let Some((name, text)) = std::str::from_utf8(data).ok().and_then(|text| text.rsplit_once('\n')) else { return };
    let digest = text.parse().map(Reference::Digest).ok();
    let Some(reference) = digest.or_else(|| text.parse().map(Reference::Tag).ok()) else { return };
    let Ok(repository) = name.parse::<Repository>() else { return };
    let path = Operation::Manifest(&reference).path(&repository);
    assert_eq!(path, format!("/v2/{name}/manifests/{text}"));
    assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:".contains(&byte)), "{path}");
    assert!(path[1..].split('/').all(|part| !["", ".", ".."].contains(&part)), "{path}");
    let mut url: url::Url = "https://registry.invalid/".parse().expect("a URL");
    url.set_path(&path);
    assert_eq!((url.host_str(), url.path(), url.query()), (Some("registry.invalid"), path.as_str(), None));
}

/// A condition, a blank line, and the statement that it is asked about: a value or a failure, the same twice, within
/// its bounds.
///
/// # Panics
/// If the promise is broken.
pub fn condition(data: &[u8]) {
    let Some((source, statement)) = std::str::from_utf8(data).ok().and_then(|text| text.split_once("\n\n")) else {
        return;
    };
    let (Ok(condition), Ok(statement)) = (Condition::parse(source), Document::parse(statement.as_bytes())) else {
        return;
    };
    let image = ImageFacts {
        registry: "registry.company.com".into(),
        repository: "app".into(),
        digest: RECORD.subject,
        annotations: BTreeMap::new(),
    };
    let facts = Facts { statement: &statement, signer: &SignerFacts::default(), image: &image, now: NOW };
    let value = condition.evaluate(&facts);
    assert_eq!(condition.evaluate(&facts), value);
    if let Err(failure) = value {
        assert!(!failure.detail.contains("broke off") && failure.detail.chars().count() <= 301, "{failure:?}");
    }
}

/// Nobody holds the keys of the recorded evidence any more: what verifies is what was signed then.
fn only_what_was_signed(findings: &Findings) {
    for proof in &findings.verified {
        assert_eq!(proof.subject(), RECORD.subject);
        let signed = match proof.claim() {
            Claim::Signature => true,
            Claim::Attestation(kind) => kind == "https://cyclonedx.org/bom",
        };
        assert!(signed, "{proof:?}");
    }
}

fn judged(material: Material, beside: Beside) -> Findings {
    findings(material, beside, &RECORD.authorities)
}

fn findings(material: Material, beside: Beside, authorities: &[Arc<Authority>]) -> Findings {
    let evidence = EvidenceSet {
        candidates: vec![Candidate::new("here".into(), material).with(beside)],
        unread: Vec::new(),
        unusable: Vec::new(),
        incomplete: false,
        read_at: NOW,
    };
    let (revoked, limits) = (Revoked::default(), Limits::default());
    let against = Against { trust: &RECORD.trust, revoked: &revoked, limits: &limits, now: NOW };
    verify_all(&evidence, &RECORD.subject, authorities, against)
}

fn authority(pem: &str) -> Arc<Authority> {
    let key = format!("inline: {pem:?}, insecureSkipTransparencyLog: true");
    let text = format!("authorities:\n  it: {{ key: {{ {key} }} }}\npolicies: []\n");
    let policies = crate::policy::file::parse(&text, "fuzz.yaml", Path::new(".")).expect("a policy");
    policies.authority(&Name::new("it").expect("a name")).map(Arc::clone).expect("the authority")
}

/// What cosign signed once with a key, and a pipeline with a virtual Sigstore that is no more.
struct Record {
    subject: Digest,
    authorities: Vec<Arc<Authority>>,
    trust: Trust,
}

static RECORD: LazyLock<Record> = LazyLock::new(|| {
    let record: Value = serde_json::from_str(include_str!("discovery/tests/cosign.json")).expect("JSON");
    let text = |name: &str| record[name].as_str().expect("a text").to_string();
    let root = Root::parse(include_str!("fuzz/root.json")).expect("a trusted root");
    let ours = Pattern::glob("https://gitlab.com/myorg/**").expect("a pattern");
    let wanted = Keyless { issuer: "https://gitlab.com".into(), identity: ours, pins: Vec::new() };
    let name = Name::new("root").expect("a name");
    let pipeline = Authority::alone(Kind::Keyless(wanted), name.clone());
    Record {
        subject: text("digest").parse().expect("a digest"),
        authorities: vec![authority(&text("key")), Arc::new(pipeline)],
        trust: Trust::of([(name, Arc::new(root))].into()),
    }
});

/// A key of this process.
struct OwnKey {
    pair: EcdsaKeyPair,
    authority: Arc<Authority>,
}

static OWN_KEY: LazyLock<OwnKey> = LazyLock::new(|| {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
    let der: PublicKeyX509Der = pair.public_key().as_der().expect("a public key");
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()));
    OwnKey { pair, authority: authority(&pem) }
});

const NOW: Timestamp = Timestamp(1_800_000_000);

#[cfg(test)]
mod tests;
