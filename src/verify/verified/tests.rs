use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::discovery::Material;
use crate::discovery::double::candidate;
use crate::limits::Limits;
use crate::policy::{Revoked, Validity};
use crate::reason::Reason;
use crate::test_support::against;
use crate::verify::signer::{IN_TOTO, SBOM, Signer as Key, bytes, edited, simple_signing, statement, without};
use crate::verify::statement::COSIGN_SIGN;

fn subject() -> Digest {
    Digest::of(b"the image")
}

fn tried(material: Material, by: &Authority) -> Result<Claim, Reason> {
    crate::verify::tests::verify_one(&candidate(material), &subject(), by, against(&Limits::default()))
        .map(|proof| {
            assert_eq!((proof.subject(), proof.authority()), (subject(), by.name()));
            proof.claim().clone()
        })
        .map_err(|rejection| rejection.reason)
}

fn signed_simply(key: &Key, payload: &Value) -> Material {
    let payload = bytes(payload);
    let signature = key.sign(&payload);
    Material::SimpleSigning { payload, signature }
}

#[test]
fn good_evidence_is_proven_for_what_it_claims() {
    let key = Key::new();
    let by = key.authority("release");
    let about = |kind: &str| bytes(&statement(&subject(), kind));
    let no_predicate = bytes(&without(&statement(&subject(), COSIGN_SIGN), "/predicate"));
    let old_type = edited(&statement(&subject(), SBOM), "/_type", json!("https://in-toto.io/Statement/v0.1"));
    let attestation = Ok(Claim::Attestation(SBOM.into()));
    for (material, expected) in [
        (Material::Bundle(bytes(&key.bundle(&about(COSIGN_SIGN)))), Ok(Claim::Signature)),
        (Material::Bundle(bytes(&key.bundle(&no_predicate))), Ok(Claim::Signature)),
        (Material::Bundle(bytes(&key.bundle(&about(SBOM)))), attestation.clone()),
        (Material::Bundle(bytes(&key.bundle(&bytes(&old_type)))), attestation.clone()),
        (Material::Envelope(bytes(&key.envelope(IN_TOTO, &about(SBOM)))), attestation),
        (Material::Envelope(bytes(&key.envelope(IN_TOTO, &about(COSIGN_SIGN)))), Err(Reason::EvidenceUnsupported)),
        (signed_simply(&key, &simple_signing(&subject())), Ok(Claim::Signature)),
    ] {
        assert_eq!(tried(material.clone(), &by), expected, "{material:?}");
    }
    // Near misses of cosign's predicate type are attestations of another type, never signatures.
    for kind in [format!("{COSIGN_SIGN}/"), COSIGN_SIGN.to_uppercase(), format!("{COSIGN_SIGN}\u{0}"), "x".into()] {
        let claim = tried(Material::Bundle(bytes(&key.bundle(&about(&kind)))), &by);
        assert_eq!(claim, Ok(Claim::Attestation(kind)));
    }
}

#[test]
fn each_bad_statement_is_rejected_for_its_reason() {
    let key = Key::new();
    let by = key.authority("release");
    let good = statement(&subject(), COSIGN_SIGN);
    let hex = subject().hex();
    let digest = |text: &str| edited(&good, "/subject/0/digest", json!({ "sha256": text }));
    let subjects = |n: usize, ours: usize| {
        let other = json!({ "digest": { "sha256": Digest::of(b"other").hex() } });
        let all = (0..n).map(|i| if i == ours { json!({ "digest": { "sha256": hex } }) } else { other.clone() });
        edited(&good, "/subject", all.collect())
    };
    let mut digests = json!({ "sha256": hex });
    for i in 0..32 {
        digests[format!("x{i}")] = json!("");
    }
    let duplicate = good.to_string().replacen("\"subject\"", "\"subject\":[],\"subject\"", 1);
    for (payload, expected) in [
        (digest(&hex.to_uppercase()), Err(Reason::SubjectMismatch)),
        (digest(&format!("sha256:{hex}")), Err(Reason::SubjectMismatch)),
        (digest(&hex[1..]), Err(Reason::SubjectMismatch)),
        (digest(&format!("{hex} ")), Err(Reason::SubjectMismatch)),
        (digest(&Digest::of(b"other").hex()), Err(Reason::SubjectMismatch)),
        (edited(&good, "/subject/0/digest", json!({ "sha512": hex })), Err(Reason::SubjectMismatch)),
        (edited(&good, "/subject", json!([])), Err(Reason::SubjectMismatch)),
        (edited(&good, "/subject/0/digest", digests), Err(Reason::EvidenceTooLarge)),
        (subjects(1024, 1023), Ok(Claim::Signature)),
        (subjects(1025, 0), Err(Reason::EvidenceTooLarge)),
        (edited(&good, "/subject/0/digest", json!({ "sha256": 1 })), Err(Reason::EvidenceMalformed)),
        (edited(&good, "/_type", json!("bogus")), Err(Reason::EvidenceUnsupported)),
        (edited(&good, "/predicateType", json!("")), Err(Reason::EvidenceMalformed)),
        (without(&good, "/predicateType"), Err(Reason::EvidenceMalformed)),
        (json!(["https://in-toto.io/Statement/v1", good["subject"], COSIGN_SIGN]), Err(Reason::EvidenceMalformed)),
        (json!("text"), Err(Reason::EvidenceMalformed)),
    ] {
        let bundle = Material::Bundle(bytes(&key.bundle(&bytes(&payload))));
        assert_eq!(tried(bundle, &by), expected, "{:.300}", payload.to_string());
    }
    for payload in [duplicate.as_bytes(), b"\x1f\x8b\x08", b"", b"\xff", "\u{feff}{}".as_bytes()] {
        let bundle = Material::Bundle(bytes(&key.bundle(payload)));
        assert_eq!(tried(bundle, &by), Err(Reason::EvidenceMalformed), "{payload:?}");
    }
}

#[test]
fn each_bad_bundle_is_rejected_for_its_reason() {
    let (key, other) = (Key::new(), Key::new());
    let by = key.authority("release");
    // In base64 it has `+`, `/` and padding.
    let mut payload = edited(&statement(&subject(), COSIGN_SIGN), "/predicate", json!("~~~>>>???")).to_string();
    payload.extend(std::iter::repeat_n(' ', 3 - payload.len() % 3 + 1));
    let payload = bytes::Bytes::from(payload);
    let good = key.bundle(&payload);
    let material = "/verificationMaterial";
    let signature = good["dsseEnvelope"]["signatures"][0].clone();
    let signatures = |all: Value| edited(&good, "/dsseEnvelope/signatures", all);
    let text = |pointer: &str| good.pointer(pointer).and_then(Value::as_str).expect("a text").to_string();
    let certificate = edited(&good, material, json!({ "certificate": { "rawBytes": "AAAA" } }));
    let both = edited(&good, &format!("{material}/certificate"), json!({ "rawBytes": "AAAA" }));
    let raw = edited(&good, "/dsseEnvelope/signatures/0/sig", json!(key.sign(&payload)));
    let mut retyped = good.clone();
    retyped["dsseEnvelope"] = key.envelope("application/vnd.in-toto+json; charset=utf-8", &payload);
    let untyped = json!({ "messageSignature": { "signature": "AAAA" }, "mediaType": good["mediaType"],
        "verificationMaterial": good["verificationMaterial"] });
    let standard = text("/dsseEnvelope/payload");
    assert!(['+', '/', '='].iter().all(|c| standard.contains(*c)), "{standard}");
    let other_alphabet = standard.replace('+', "-").replace('/', "_");
    let unpadded = standard.trim_end_matches('=');
    let entries = |n: usize| json!((0..n).map(|_| json!({})).collect::<Vec<_>>());
    for (bundle, expected) in [
        (
            edited(&good, "/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.1")),
            Reason::EvidenceUnsupported,
        ),
        (
            edited(&good, "/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.3")),
            Reason::EvidenceUnsupported,
        ),
        (
            edited(&good, "/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.4+json")),
            Reason::EvidenceUnsupported,
        ),
        (without(&good, "/mediaType"), Reason::EvidenceMalformed),
        (without(&good, material), Reason::EvidenceMalformed),
        (certificate, Reason::KeyMismatch),
        (both, Reason::EvidenceMalformed),
        (
            edited(&good, material, json!({ "x509CertificateChain": { "certificates": [] } })),
            Reason::EvidenceUnsupported,
        ),
        (edited(&good, material, json!({})), Reason::EvidenceMalformed),
        (edited(&good, "/unknown", json!(1)), Reason::EvidenceMalformed),
        (edited(&good, "/messageSignature", json!({ "signature": "AAAA" })), Reason::EvidenceMalformed),
        (untyped, Reason::EvidenceUnsupported),
        (edited(&good, &format!("{material}/tlogEntries"), entries(33)), Reason::EvidenceTooLarge),
        (edited(&good, &format!("{material}/tlogEntries"), entries(1)), Reason::EvidenceMalformed),
        (signatures(json!([])), Reason::EvidenceMalformed),
        (signatures(json!([signature, signature])), Reason::EvidenceMalformed),
        (signatures(json!([signature, { "sig": "AAAA" }])), Reason::EvidenceMalformed),
        (retyped, Reason::EvidenceUnsupported),
        (edited(&good, "/dsseEnvelope/payload", json!(other_alphabet)), Reason::EvidenceMalformed),
        (edited(&good, "/dsseEnvelope/payload", json!(unpadded)), Reason::EvidenceMalformed),
        (edited(&good, "/dsseEnvelope/payload", json!(format!("{standard}\n"))), Reason::EvidenceMalformed),
        (edited(&good, "/dsseEnvelope/signatures/0/sig", json!("")), Reason::SignatureInvalid),
        (raw, Reason::SignatureInvalid),
        (other.bundle(&payload), Reason::KeyMismatch),
        (
            edited(&other.bundle(&payload), &format!("{material}/publicKey/hint"), json!(key.hint())),
            Reason::SignatureInvalid,
        ),
    ] {
        assert_eq!(tried(Material::Bundle(bytes(&bundle)), &by), Err(expected), "{bundle}");
    }
    let doubled = good.to_string().replacen("\"mediaType\"", "\"MediaType\":1,\"mediaType\"", 1);
    for text in [doubled, format!("{good}{good}"), "[".repeat(10_000), String::new()] {
        assert_eq!(tried(Material::Bundle(text.into()), &by), Err(Reason::EvidenceMalformed));
    }
}

#[test]
fn any_key_of_the_authority_will_do_and_a_hint_never_decides() {
    let (key, other) = (Key::new(), Key::new());
    let both = Authority::of_keys("either", vec![other.public(), key.public()]);
    let bundle = key.bundle(&bytes(&statement(&subject(), COSIGN_SIGN)));
    let hint = "/verificationMaterial/publicKey/hint";
    for bundle in [bundle.clone(), edited(&bundle, hint, json!(other.hint())), without(&bundle, hint)] {
        let proof = crate::verify::tests::verify_one(
            &candidate(Material::Bundle(bytes(&bundle))),
            &subject(),
            &both,
            against(&Limits::default()),
        );
        assert_eq!(proof.expect("verified").signer(), key.public().signer());
    }
    let nobody = Authority::of_keys("nobody", Vec::new());
    assert_eq!(tried(Material::Bundle(bytes(&bundle)), &nobody), Err(Reason::KeyMismatch));
}

#[test]
fn each_bad_simple_signing_is_rejected_for_its_reason() {
    let key = Key::new();
    let by = key.authority("release");
    let good = simple_signing(&subject());
    for (payload, expected) in [
        (edited(&good, "/optional", json!({ "creator": "x", "timestamp": 1 })), Ok(Claim::Signature)),
        (edited(&good, "/critical/identity/docker-reference", json!("elsewhere/app:1")), Ok(Claim::Signature)),
        (simple_signing(&Digest::of(b"other")), Err(Reason::SubjectMismatch)),
        (edited(&good, "/critical/image/docker-manifest-digest", json!(subject().hex())), Err(Reason::SubjectMismatch)),
        (edited(&good, "/critical/type", json!("atomic container signature")), Err(Reason::EvidenceUnsupported)),
        (edited(&good, "/optional", json!([])), Err(Reason::EvidenceMalformed)),
        (edited(&good, "/extra", json!(1)), Err(Reason::EvidenceMalformed)),
        (edited(&good, "/critical/extra", json!(1)), Err(Reason::EvidenceMalformed)),
        (without(&good, "/optional"), Err(Reason::EvidenceMalformed)),
        (without(&good, "/critical/image"), Err(Reason::EvidenceMalformed)),
        (without(&good, "/critical/identity/docker-reference"), Err(Reason::EvidenceMalformed)),
        (json!([good["critical"], null]), Err(Reason::EvidenceMalformed)),
    ] {
        assert_eq!(tried(signed_simply(&key, &payload), &by), expected, "{payload}");
    }
    let payload = bytes(&good);
    for (signature, expected) in [
        (Key::new().sign(&payload), Reason::KeyMismatch),
        (key.sign(b"other"), Reason::KeyMismatch),
        (String::new(), Reason::KeyMismatch),
        ("!".into(), Reason::EvidenceMalformed),
        (format!("{}\n", key.sign(&payload)), Reason::EvidenceMalformed),
    ] {
        let material = Material::SimpleSigning { payload: payload.clone(), signature };
        assert_eq!(tried(material, &by), Err(expected));
    }
}

#[test]
fn only_sizes_within_the_limits_are_parsed() {
    let key = Key::new();
    let by = key.authority("release");
    let limits = Limits { bundle: 900, attestation: 2000, ..Limits::default() };
    let padded = |kind: &str, n: usize| {
        bytes(&edited(&statement(&subject(), kind), "/predicate", json!({ "x": "y".repeat(n) })))
    };
    let simple = |n: usize| {
        signed_simply(&key, &edited(&simple_signing(&subject()), "/optional", json!({ "x": "y".repeat(n) })))
    };
    for (material, accepted) in [
        (Material::Bundle(bytes(&key.bundle(&padded(COSIGN_SIGN, 1)))), true),
        (Material::Bundle(bytes(&key.bundle(&padded(COSIGN_SIGN, 500)))), false),
        (Material::Bundle(bytes(&key.bundle(&padded(SBOM, 500)))), true),
        (Material::Bundle(bytes(&key.bundle(&padded(SBOM, 2000)))), false),
        (Material::Envelope(bytes(&key.envelope(IN_TOTO, &padded(SBOM, 1000)))), true),
        (Material::Envelope(bytes(&key.envelope(IN_TOTO, &padded(SBOM, 1500)))), false),
        (simple(500), true),
        (simple(1000), false),
    ] {
        let result = crate::verify::tests::verify_one(&candidate(material), &subject(), &by, against(&limits))
            .map_err(|rejection| rejection.reason);
        assert_eq!(result.is_ok(), accepted, "{result:?}");
        assert!(accepted || matches!(result, Err(Reason::EvidenceTooLarge)));
    }
}

#[test]
fn nothing_that_the_authority_demands_is_passed_over() {
    let key = Key::new();
    let good = || Material::Bundle(bytes(&key.bundle(&bytes(&statement(&subject(), COSIGN_SIGN)))));
    let now = against(&Limits::default()).now;
    let within = |not_before, not_after| Validity { not_before, not_after };
    let before = Timestamp(now.0 - 1);
    for (skips_log, validity, expected) in [
        (true, within(now, now), Ok(Claim::Signature)),
        (true, within(before, before), Err(Reason::KeyMismatch)),
        (true, within(Timestamp(now.0 + 1), Timestamp::FOREVER), Err(Reason::KeyMismatch)),
        (false, Validity::ALWAYS, Err(Reason::LogEntryMissing)),
    ] {
        let by = key.authority("release").demanding(!skips_log, validity);
        assert_eq!(tried(good(), &by), expected, "{skips_log} {validity:?}");
    }
    let (limits, revoked) = (Limits::default(), Revoked::of_keys(vec![key.public().fingerprint()]));
    let against = Against { revoked: &revoked, ..against(&limits) };
    let result = crate::verify::tests::verify_one(&candidate(good()), &subject(), &key.authority("release"), against);
    assert_eq!(result.map(|_| ()).map_err(|rejection| rejection.reason), Err(Reason::Revoked));
}
