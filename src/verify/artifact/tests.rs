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

#[test]
fn a_config_is_a_small_strict_object() {
    assert!(config(b"{}").is_ok());
    assert!(config(br#"{"architecture":"unknown","os":"unknown","config":{},"rootfs":{"type":"layers"}}"#).is_ok());
    for bad in [&b""[..], b"[]", b"{} {}", br#"{"a":1,"A":2}"#, b"\x1f\x8b"] {
        assert!(config(bad).is_err());
    }
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(64 << 10));
    assert!(config(large.as_bytes()).is_err());
}
