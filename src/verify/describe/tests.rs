use serde_json::{Value, json};

use super::*;
use crate::verify::signer::{SBOM, Signer, bytes, edited, simple_signing, statement};

fn bundle(json: &Value) -> Claimed {
    describe(&Candidate::new("referrer".into(), Material::Bundle(bytes(json))))
}

#[test]
fn a_bundle_is_described_by_what_it_says() {
    let (signer, subject) = (Signer::new(), Digest::of(b"x"));
    let made = signer.bundle(&bytes(&statement(&subject, statement::COSIGN_SIGN)));
    let claimed = bundle(&made);
    assert_eq!(claimed.claim, Some(Claim::Signature));
    assert_eq!(claimed.key_hint, Some(signer.public().fingerprint().to_string()));
    assert_eq!((claimed.size, claimed.certificate, claimed.timestamps), (made.to_string().len(), None, 0));

    let attested = signer.bundle(&bytes(&statement(&subject, SBOM)));
    let entries =
        json!([{ "logIndex": "7", "integratedTime": "1740770291" }, { "integratedTime": 0 }, { "logIndex": 9 }]);
    let logged = edited(&attested, "/verificationMaterial/tlogEntries", entries);
    let stamps = json!({ "rfc3161Timestamps": [{ "signedTimestamp": "" }] });
    let claimed = bundle(&edited(&logged, "/verificationMaterial/timestampVerificationData", stamps));
    assert_eq!(claimed.claim, Some(Claim::Attestation(SBOM.into())));
    let entries: Vec<_> = claimed.log_entries.iter().map(|entry| (entry.index, entry.integrated)).collect();
    assert_eq!(entries, [(7, Some(Timestamp(1_740_770_291))), (0, None), (9, None)]);
    assert_eq!(claimed.timestamps, 1);
}

#[test]
fn a_hint_that_is_no_fingerprint_stays_as_it_is() {
    let signed = Signer::new().bundle(&bytes(&statement(&Digest::of(b"x"), SBOM)));
    for (hint, shown) in
        [("release key", Some("release key")), ("AAAA", Some("AAAA")), ("", None), ("a\u{1b}", Some("a\u{fffd}"))]
    {
        let claimed = bundle(&edited(&signed, "/verificationMaterial/publicKey/hint", hint.into()));
        assert_eq!(claimed.key_hint.as_deref(), shown);
    }
}

#[test]
fn a_legacy_layer_is_described_with_what_stands_beside_it() {
    let (signer, subject) = (Signer::new(), Digest::of(b"x"));
    let entry = json!({ "SignedEntryTimestamp": "", "Payload": { "logIndex": 5, "integratedTime": 1_674_247_893 } });
    let beside = Beside { bundle: Some(entry.to_string()), timestamp: Some("{}".into()), ..Beside::default() };
    let payload = bytes(&simple_signing(&subject));
    let material = Material::SimpleSigning { payload: payload.clone(), signature: String::new() };
    let claimed = describe(&Candidate::new("tag".into(), material).with(beside));
    let entries = vec![ClaimedEntry { index: 5, integrated: Some(Timestamp(1_674_247_893)) }];
    let expected = Claimed {
        size: payload.len(),
        claim: Some(Claim::Signature),
        log_entries: entries,
        timestamps: 1,
        ..Claimed::default()
    };
    assert_eq!(claimed, expected);

    let envelope = bytes(&signer.envelope("any", &bytes(&statement(&subject, "https://e/\u{1b}[31m"))));
    let claimed = describe(&Candidate::new("tag".into(), Material::Envelope(envelope)));
    assert_eq!(claimed.claim, Some(Claim::Attestation("https://e/\u{fffd}[31m".into())));
}

#[test]
fn what_cannot_be_read_claims_nothing() {
    for text in ["", "{", "[]", "{}", r#"{"verificationMaterial":{"certificate":{"rawBytes":"AAAA"}}}"#] {
        let claimed = describe(&Candidate::new("referrer".into(), Material::Bundle(text.into())));
        assert_eq!(claimed, Claimed { size: text.len(), ..Claimed::default() });
    }
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_string();
    for certificate in [pem, "none".into()] {
        let beside = Beside { certificate: Some(certificate), bundle: Some("{".into()), ..Beside::default() };
        let material = Material::Envelope("{}".into());
        let claimed = describe(&Candidate::new("tag".into(), material).with(beside));
        assert_eq!(claimed, Claimed { size: 2, ..Claimed::default() });
    }
}

/// Real evidence by cosign 2 and 3 against a private Sigstore, where a project that is not `myorg`'s includes its file.
const BUNDLE: &str = include_str!("../../../tests/fixtures/sigstore/cosign3-project.bundle.json");
const LOGGED: &str = include_str!("../../../tests/fixtures/sigstore/cosign2-bundle-project.bundle.json");
const LEGACY: &str = include_str!("../../../tests/fixtures/sigstore/cosign2-project.sig.json");
const PAYLOAD: &str = include_str!("../../../tests/fixtures/sigstore/cosign2-project.payload");

#[test]
fn real_keyless_signatures_say_who_and_where_they_are_logged() {
    let manifest: Value = serde_json::from_str(LEGACY).expect("JSON");
    let annotation = |key: &str| {
        let value = &manifest["layers"][0]["annotations"][format!("dev.sigstore.cosign/{key}")];
        value.as_str().map(str::to_string)
    };
    let beside = Beside {
        certificate: annotation("certificate"),
        chain: annotation("chain"),
        bundle: annotation("bundle"),
        timestamp: annotation("rfc3161timestamp"),
    };
    let payload = Material::SimpleSigning { payload: PAYLOAD.into(), signature: String::new() };
    let legacy = Candidate::new("tag".into(), payload).with(beside);
    let [bundle, logged] =
        [BUNDLE, LOGGED].map(|json| Candidate::new("referrer".into(), Material::Bundle(json.into())));
    for (candidate, has_log_time, timestamps) in [(bundle, false, 1), (logged, true, 1), (legacy, true, 0)] {
        let claimed = describe(&candidate);
        let certificate = claimed.certificate.expect("a certificate");
        let file = "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main";
        assert_eq!(certificate.identity.as_deref(), Some(file));
        assert_eq!(certificate.issuer.as_deref(), Some("https://gitlab.com"));
        assert_eq!(certificate.source_repository.as_deref(), Some("https://gitlab.com/notmyorg/app"));
        assert_eq!(certificate.not_after, certificate.not_before.plus(std::time::Duration::from_mins(10)));
        assert_eq!((claimed.claim, claimed.key_hint), (Some(Claim::Signature), None));
        let [entry] = claimed.log_entries.as_slice() else { panic!("{:?}", claimed.log_entries) };
        assert_eq!((entry.integrated.is_some(), claimed.timestamps), (has_log_time, timestamps));
    }
}
