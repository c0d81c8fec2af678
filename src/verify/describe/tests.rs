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
