use serde_json::{Value, json};

use super::*;
use crate::demo::signer::{Signer, attestation_statement, signature_statement, simple_signing_payload};
use crate::oci::Digest;

fn statement() -> Value {
    attestation_statement("r.io/app", Digest::of(b"x"), "https://slsa.dev/provenance/v1", &json!({ "a": [1] }))
}

fn signer() -> Signer {
    Signer::generate().expect("a key")
}

fn is_evidence(media_type: &str, document: &Value) -> bool {
    layer(media_type, document.to_string().as_bytes(), &Limits::default()).is_ok()
}

#[test]
fn each_kind_of_evidence_is_told_by_its_bytes() {
    let signer = signer();
    let signature = signature_statement(Digest::of(b"x"));
    let kinds = [
        (BUNDLE_V03, signer.bundle(&statement()).expect("signs")),
        (BUNDLE_V03, signer.bundle(&signature).expect("signs")),
        (DSSE, signer.envelope(&statement()).expect("signs")),
        (IN_TOTO, statement()),
        (SIMPLE_SIGNING, simple_signing_payload("r.io/app", Digest::of(b"x"))),
    ];
    for (media_type, document) in &kinds {
        for (other, _) in &kinds {
            assert_eq!(is_evidence(other, document), other == media_type, "{document} as {other}");
        }
        assert!(!is_evidence("application/vnd.oci.image.layer.v1.tar", document));
        assert!(!is_evidence("application/json", document));
        let bytes = document.to_string();
        for more in [format!("{bytes}x"), format!("{bytes}{bytes}"), bytes.replacen('{', r#"{"a":1,"a":2,"#, 1)] {
            assert!(layer(media_type, more.as_bytes(), &Limits::default()).is_err(), "{more}");
        }
    }
}

#[test]
fn what_is_about_no_digest_is_no_evidence() {
    let bad = [json!([]), json!([{ "name": "x", "digest": {} }]), json!([{ "digest": { "sha1": "a" } }])];
    for subject in bad.into_iter().chain(["AA", ""].map(|hex| json!([{ "digest": { "sha256": hex } }]))) {
        let mut statement = statement();
        statement["subject"] = subject;
        assert!(!is_evidence(IN_TOTO, &statement), "{statement}");
        assert!(!is_evidence(DSSE, &signer().envelope(&statement).expect("signs")), "{statement}");
        assert!(!is_evidence(BUNDLE_V03, &signer().bundle(&statement).expect("signs")), "{statement}");
    }
    let mut payload = simple_signing_payload("r.io/app", Digest::of(b"x"));
    payload["critical"]["image"]["docker-manifest-digest"] = json!("latest");
    assert!(!is_evidence(SIMPLE_SIGNING, &payload));
    for member in ["schemaVersion", "config", "layers", "rootfs", "Predicate", "more"] {
        let mut polyglot = statement();
        polyglot[member] = json!({});
        assert!(!is_evidence(IN_TOTO, &polyglot), "{member}");
    }
    let mut other = statement();
    other["_type"] = json!("https://example.com/Statement");
    assert!(!is_evidence(IN_TOTO, &other));
}

/// The header of an archive's file whose name begins so, but for the checksum.
fn header(name: &str) -> String {
    let fields = format!("{name:.<100}0000755 0000000 0000000 00000000100 00000000000         0");
    format!("{fields:.<512}")
}

fn with_checksum(header: &str, sum: i64) -> String {
    format!("{}{sum:06o}  {}", &header[..148], &header[156..])
}

fn sum(header: &str) -> i64 {
    header.bytes().map(i64::from).sum()
}

#[test]
fn a_relabelled_layer_is_no_evidence() {
    let plain = header("bin/sh");
    let archive = with_checksum(&plain, sum(&plain));
    assert!(is_archive(archive.as_bytes()));
    for bytes in [archive.as_bytes(), b"\x1f\x8b\x08", b""] {
        for media_type in [BUNDLE_V03, DSSE, IN_TOTO, SIMPLE_SIGNING] {
            assert!(layer(media_type, bytes, &Limits::default()).is_err(), "{media_type}");
        }
    }
}

#[test]
fn a_statement_that_is_an_archive_too_is_no_evidence() {
    // A member whose text stands where a header has its fields, and then everything that decides.
    let rest = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "x",
        "subject": [{ "digest": { "sha256": Digest::of(b"x").hex() } }],
    });
    let document = |header: &str| format!("{header}\"}},{}", &rest.to_string()[1..]);
    let is = |header: &str| layer(IN_TOTO, document(header).as_bytes(), &Limits::default()).is_ok();
    let plain = header(r#"{"predicate":{"file":""#);
    assert!(is(&plain), "a statement, but for the checksum");
    assert!(is(&with_checksum(&plain, sum(&plain) + 1)));
    assert!(!is(&with_checksum(&plain, sum(&plain))));
    let accented = plain.replacen("..", "é", 1);
    assert!(is(&with_checksum(&accented, sum(&accented) - 256)));
    assert!(!is(&with_checksum(&accented, sum(&accented) - 512)), "summed up with a sign");
}

#[test]
fn sizes_are_bounded() {
    let limits = Limits { attestation: 100, bundle: 100, ..Limits::default() };
    let payload = simple_signing_payload("r.io/app", Digest::of(b"x"));
    assert!(layer(SIMPLE_SIGNING, payload.to_string().as_bytes(), &limits).is_err());
    assert!(layer(IN_TOTO, statement().to_string().as_bytes(), &limits).is_err());
    for media_type in [BUNDLE_V03, DSSE, IN_TOTO, SIMPLE_SIGNING] {
        assert_eq!(max_size(media_type, &limits), Some(100));
    }
    assert_eq!(max_size("application/octet-stream", &limits), None);
}

/// Whether `text` may be the config of two layers.
fn may_be_config(text: &str) -> bool {
    config(text.as_bytes(), [Digest::of(b"1"), Digest::of(b"2")].into_iter()).is_ok()
}

#[test]
fn a_config_is_a_small_strict_object() {
    assert!(may_be_config("{}"));
    for bad in ["", "[]", "{} {}", r#"{"a":1,"A":2}"#, r#"{"s":1,"\u017f":2}"#, "\u{1f}\u{8b}"] {
        assert!(!may_be_config(bad), "{bad}");
    }
    assert!(!may_be_config(&format!(r#"{{"a":"{}"}}"#, "x".repeat(64 << 10))));
}

#[test]
fn a_config_by_which_something_runs_is_none() {
    let (first, second) = (Digest::of(b"1").to_string(), Digest::of(b"2").to_string());
    let layers = json!([first, second]);
    for good in [
        json!({ "architecture": "", "os": "", "config": {}, "history": [{}], "rootfs": { "type": "layers", "diff_ids": layers } }),
        json!({ "architecture": "unknown", "os": "unknown", "rootfs": { "diff_ids": layers } }),
        json!({ "config": null, "rootfs": null }),
        json!({ "rootfs": { "type": "layers" } }),
    ] {
        assert!(may_be_config(&good.to_string()), "{good}");
    }
    // What a node that holds the layers of another image would run, and other ways to write it.
    for bad in [
        json!({ "rootfs": { "type": "layers", "diff_ids": [second, first] } }),
        json!({ "rootfs": { "type": "layers", "diff_ids": [first] } }),
        json!({ "rootfs": { "type": "layers", "diff_ids": [] } }),
        json!({ "rootfs": { "type": "layers", "diff_ids": null } }),
        json!({ "rootfs": { "type": "layers", "Diff_IDs": [Digest::of(b"3").to_string(), second] } }),
        json!({ "RootFS": { "diff_ids": [] } }),
        json!({ "rootf\u{17f}": { "diff_id\u{17f}": [] } }),
        json!({ "rootfs": [] }),
        json!({ "config": { "Entrypoint": ["/bin/sh"] } }),
        json!({ "CONFIG": { "Cmd": ["/bin/sh"] } }),
        json!({ "container_config": { "Cmd": ["/bin/sh"] } }),
        json!({ "config": [] }),
        // What another reader would take for a manifest.
        json!({ "schemaVersion": 2, "manifests": [] }),
        json!({ "SchemaVersion": 2 }),
        json!({ "layer\u{17f}": [] }),
        json!({ "fsLayers": [] }),
    ] {
        assert!(!may_be_config(&bad.to_string()), "{bad}");
    }
}

/// A manifest over these blobs, the config first.
fn manifest(blobs: &[(&str, &[u8])]) -> Manifest {
    let describe = |(media_type, bytes): &(&str, &[u8])| json!({ "mediaType": media_type, "digest": Digest::of(bytes).to_string(), "size": bytes.len() });
    let (config, layers) = (describe(&blobs[0]), blobs[1..].iter().map(describe).collect::<Vec<_>>());
    parsed(&json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers }), IMAGE)
}

/// An index over these manifests.
fn index(children: &[&Manifest]) -> Manifest {
    let describe = |child: &&Manifest| json!({ "mediaType": IMAGE, "digest": child.digest().to_string(), "size": child.bytes().len() });
    let children: Vec<_> = children.iter().map(describe).collect();
    parsed(&json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children }), INDEX)
}

fn parsed(document: &Value, media_type: &str) -> Manifest {
    let bytes = document.to_string();
    Manifest::parse(bytes.clone().into(), &Digest::of(bytes.as_bytes()), media_type, 1000).expect("a manifest")
}

/// What comes of reading these blobs for `manifest`.
fn proof(manifest: &Manifest, blobs: &[&[u8]]) -> Option<EvidenceProof> {
    let mut reading = Reading::begin(manifest, &Limits::default())?;
    for bytes in blobs {
        reading = reading.take(bytes).ok()?;
    }
    reading.end()
}

#[test]
fn a_proof_takes_every_blob_and_its_very_bytes() {
    let (statement, other) =
        (statement().to_string(), simple_signing_payload("r.io/app", Digest::of(b"x")).to_string());
    let (first, second) = (statement.as_bytes(), other.as_bytes());
    let manifest = manifest(&[("a/b", b"{}"), (IN_TOTO, first), (SIMPLE_SIGNING, second)]);
    let told = proof(&manifest, &[b"{}", first, second]).expect("evidence");
    assert_eq!(told.digest(), manifest.digest());
    let (config, near): (&[u8], &[u8]) = (b"{}", b"{ }");
    for some in [
        vec![],
        vec![config],
        vec![config, first],
        vec![first, second],
        vec![config, second, first],
        vec![near, first, second],
    ] {
        assert!(proof(&manifest, &some).is_none());
    }
    assert!(proof(&manifest, &[b"{}", first, second, second]).is_none(), "more than there is");
}

#[test]
fn what_descriptors_say_keeps_a_manifest_from_being_tried() {
    let begins = |manifest: &Manifest| Reading::begin(manifest, &Limits::default()).is_some();
    let (layer, config) = ((IN_TOTO, &b"{}"[..]), ("a/b", &b"{}"[..]));
    assert!(begins(&manifest(&[config, layer])));
    assert!(!begins(&manifest(&[config])), "nothing is no evidence");
    for other in [
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.in-toto+json; charset=utf-8",
        "APPLICATION/VND.IN-TOTO+JSON",
        "application/vnd.dev.sigstore.bundle.v0.4+json",
        "",
    ] {
        assert!(!begins(&manifest(&[config, layer, (other, b"{}")])), "{other}");
    }
    assert!(begins(&manifest(&[&[config][..], &[layer; 64]].concat())));
    assert!(!begins(&manifest(&[&[config][..], &[layer; 65]].concat())));
    let large = vec![b' '; (64 << 10) + 1];
    assert!(!begins(&manifest(&[("a/b", &large), layer])));
    let huge = vec![b' '; 16 << 20];
    let (whole, above) = (manifest(&[&[config][..], &[(IN_TOTO, &huge[..]); 4]].concat()), vec![b' '; (16 << 20) + 1]);
    assert!(begins(&whole));
    assert!(!begins(&manifest(&[&[config][..], &[(IN_TOTO, &huge[..]); 4], &[layer]].concat())));
    assert!(!begins(&manifest(&[config, (IN_TOTO, &above)])));
    assert!(!begins(&index(&[&whole])));
}

#[test]
fn an_index_is_proven_by_all_of_its_children_and_by_one_at_least() {
    let statement = statement().to_string();
    let manifest_of = |config: &[u8]| {
        let manifest = manifest(&[("a/b", config), (IN_TOTO, statement.as_bytes())]);
        let proof = proof(&manifest, &[config, statement.as_bytes()]).expect("evidence");
        (manifest, proof)
    };
    let ((one, of_one), (two, of_two)) = (manifest_of(b"{}"), manifest_of(b"{ }"));
    let both = index(&[&one, &two]);
    let proof = EvidenceProof::of_index(&both, &[of_two.clone(), of_one.clone()]).expect("evidence");
    assert_eq!(proof.digest(), both.digest());
    assert!(EvidenceProof::of_index(&both, std::slice::from_ref(&of_one)).is_none());
    assert!(EvidenceProof::of_index(&both, &[of_one.clone(), of_one.clone()]).is_none());
    assert!(EvidenceProof::of_index(&index(&[]), std::slice::from_ref(&of_one)).is_none(), "nothing is no evidence");
    assert!(EvidenceProof::of_index(&one, &[of_one, of_two]).is_none(), "no index");
    assert!(may_be_listing(&both, &Limits::default()));
    assert!(!may_be_listing(&both, &Limits { examined: 1, ..Limits::default() }));
    assert!(!may_be_listing(&index(&[]), &Limits::default()) && !may_be_listing(&one, &Limits::default()));
}

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
