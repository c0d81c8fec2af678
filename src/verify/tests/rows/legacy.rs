//! cosign's legacy tags: what stands in annotations beside the signed bytes.

use super::*;

fn stage() -> (Stage, Pieces) {
    let stage = Stage::keyless();
    let good = stage.good_legacy(&SIGSTORE.stamped(myorg()));
    (stage, good)
}

/// The certificate's ten minutes are long over; only the entry says that it signed within them.
#[test]
pub(super) fn a01_a_log_entry_of_another_signature_beside_a_legacy_one() {
    let stage = Stage::keyless();
    let good = stage.good_legacy(&myorg());
    let entries = |pieces: Pieces| legacy(&Pieces { entries: pieces.entries, ..good.clone() });
    let public = keyless(&Identity::github("anybody/anything"));
    let other = Content::document(&simple_signing_payload("r.io/other", subject()));
    let same_key = Recipe { key: good.key.clone(), ..myorg() };
    let resigned = Pieces { signature: good.key.sign(&good.content.message()).expect("signs"), ..good.clone() };
    let resigned = entered(&resigned, &SIGSTORE.rekor, ("hashedrekord", "0.0.1"), Kind::HashedRekord.body(&resigned));
    stage.refuses([
        ("of a public image", entries(public.sign(payload()).expect("signs")), LogEntryMismatch),
        ("of other content by the same key", entries(same_key.sign(other).expect("signs")), LogEntryMismatch),
        ("of another signature by the same key", entries(resigned), LogEntryMismatch),
        ("none", annotated(&good, |all| drop(all.remove(BUNDLE))), LogEntryMissing),
    ]);
    let key = key();
    let (stage, recipe) = (Stage::of(&[&key]), SIGSTORE.keyed(&key, NOW));
    let good = stage.good_legacy(&recipe);
    let other = SIGSTORE.keyed(&super::key(), NOW).sign(payload()).expect("signs");
    let borrowed = Pieces { entries: other.entries, ..good };
    stage.refuses([("by a key, of another key", legacy(&borrowed), LogEntryMismatch)]);
}

#[test]
pub(super) fn a34_hundreds_of_intermediates() {
    let (stage, good) = stage();
    let one = crate::demo::sigstore::key::pem("CERTIFICATE", &good.chain[0]);
    let chain = |n: usize| annotated(&good, |all| drop(all.insert(CHAIN.into(), one.repeat(n))));
    stage.accepts(&chain(7));
    stage.refuses([
        ("eight and the signer's", chain(8), EvidenceTooLarge),
        ("five hundred", chain(500), EvidenceTooLarge),
    ]);
}

#[test]
pub(super) fn b02_annotations_of_nulls_and_numbers() {
    let (stage, good) = stage();
    let set = |key: &str, text: &str| annotated(&good, |all| drop(all.insert(key.into(), text.into())));
    let entry = |pointer: &str, value: Value| {
        let bent = edited(&good.entries[0].annotation(), pointer, value).to_string();
        annotated(&good, |all| drop(all.insert(BUNDLE.into(), bent)))
    };
    stage.accepts(&entry("/Payload/logIndex", good.entries[0].annotation()["Payload"]["logIndex"].clone()));
    stage.refuses([
        ("a body of numbers", entry("/Payload/body", json!(5)), EvidenceMalformed),
        ("no payload", entry("/Payload", Value::Null), EvidenceMalformed),
        ("a negative index", entry("/Payload/logIndex", json!(-1)), EvidenceMalformed),
        ("a huge index", entry("/Payload/logIndex", json!(u64::MAX)), EvidenceMalformed),
        ("a time as a text", entry("/Payload/integratedTime", json!("1")), EvidenceMalformed),
        ("a time of a fraction", entry("/Payload/integratedTime", json!(1.5)), EvidenceMalformed),
        ("the time zero", entry("/Payload/integratedTime", json!(0)), EvidenceMalformed),
        ("a time before 1970", entry("/Payload/integratedTime", json!(-1)), EvidenceMalformed),
        ("an absurd time", entry("/Payload/integratedTime", json!(i64::MAX)), EvidenceMalformed),
        ("another log's name", entry("/Payload/logID", json!("00")), EvidenceMalformed),
        ("no promise", entry("/SignedEntryTimestamp", Value::Null), EvidenceMalformed),
        ("an empty promise", entry("/SignedEntryTimestamp", json!("")), LogEntryInvalid),
        ("an unknown member", entry("/more", json!(1)), EvidenceMalformed),
        ("no JSON", set(BUNDLE, "null"), EvidenceMalformed),
        ("an empty stamp", set(TIMESTAMP, r#"{"SignedRFC3161Timestamp":""}"#), TimestampInvalid),
        ("a stamp of one zero", set(TIMESTAMP, r#"{"SignedRFC3161Timestamp":"AA=="}"#), TimestampInvalid),
        ("a stamp of null", set(TIMESTAMP, r#"{"SignedRFC3161Timestamp":null}"#), EvidenceMalformed),
        (
            "a certificate of nothing",
            set(CERTIFICATE, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
            CertificateInvalid,
        ),
        ("a certificate that is no PEM", set(CERTIFICATE, "certificate"), EvidenceMalformed),
        ("a chain that is no PEM", set(CHAIN, "chain"), EvidenceMalformed),
        ("a signature of nothing", set(SIGNATURE, ""), TimestampInvalid),
    ]);
}

#[test]
pub(super) fn b39_certificates_in_another_order() {
    let (stage, good) = stage();
    let pem = |der: &[u8]| crate::demo::sigstore::key::pem("CERTIFICATE", der);
    let own = pem(good.certificate.as_deref().unwrap_or_default());
    let (intermediate, root) = (pem(&good.chain[0]), pem(&good.chain[1]));
    let with = |key: &str, text: String| annotated(&good, |all| drop(all.insert(key.into(), text)));
    stage.accepts(&with(CHAIN, format!("{root}{intermediate}")));
    stage.accepts(&with(CHAIN, String::new()));
    stage.accepts(&with(CERTIFICATE, format!("{own}{intermediate}")));
    stage.refuses([
        ("the authority's first", with(CERTIFICATE, format!("{intermediate}{own}")), CertificateInvalid),
        ("the root's alone", with(CERTIFICATE, root), CertificateInvalid),
    ]);
}

#[test]
pub(super) fn o14_duplicate_members_in_annotations() {
    let (stage, good) = stage();
    let whole = good.entries[0].annotation().to_string();
    let doubled = |member: &str, value: &str| {
        assert!(whole.contains(member), "{whole}");
        let text = whole.replacen(member, &format!("{member}:{value},{member}"), 1);
        annotated(&good, |all| drop(all.insert(BUNDLE.into(), text)))
    };
    stage.refuses([
        ("payload", doubled("\"Payload\"", "{}"), EvidenceMalformed),
        ("body", doubled("\"body\"", "\"\""), EvidenceMalformed),
        ("time", doubled("\"integratedTime\"", "1"), EvidenceMalformed),
    ]);
}

#[test]
pub(super) fn o32_a_chain_with_a_root_of_its_own_is_no_anchor() {
    let stage = Stage::keyless();
    stage.good_legacy(&myorg());
    let theirs = foreign();
    let own = issued(myorg(), |issuance| issuance.authority = theirs.authority.clone());
    let own = own.sign(payload()).expect("signs");
    assert_eq!(own.chain.len(), 2);
    stage.refuses([("their chain", legacy(&own), CertificateInvalid)]);
    let there = stage.with_root("/certificateAuthorities", theirs.trusted_root()["certificateAuthorities"].clone());
    let certified = issued(myorg(), |issuance| issuance.authority = theirs.authority.clone());
    there.good_legacy(&certified);
}

#[test]
pub(super) fn o61_huge_annotations() {
    let (stage, good) = stage();
    let own = crate::demo::sigstore::key::pem("CERTIFICATE", good.certificate.as_deref().unwrap_or_default());
    let set = |key: &str, text: String| annotated(&good, |all| drop(all.insert(key.into(), text)));
    let large = "A".repeat(3 << 20);
    stage.refuses([
        ("a certificate", set(CERTIFICATE, format!("{own}{large}")), EvidenceTooLarge),
        ("a certificate of spaces", set(CERTIFICATE, " ".repeat(3 << 20) + &own), EvidenceTooLarge),
        ("a chain", set(CHAIN, large.clone()), EvidenceTooLarge),
        ("an entry", set(BUNDLE, format!("{{\"x\":\"{large}\"}}")), EvidenceTooLarge),
        ("a stamp", set(TIMESTAMP, format!("{{\"SignedRFC3161Timestamp\":\"{large}\"}}")), EvidenceTooLarge),
    ]);
}

/// A legacy attestation is stamped over its whole layer.
#[test]
pub(super) fn o30_a_stamp_over_the_signature_where_the_layer_is_stamped() {
    let stage = Stage::keyless();
    let recipe = Recipe { stamps_layer: true, ..SIGSTORE.stamped(myorg()) };
    let attestation = recipe.sign(sbom()).expect("signs");
    stage.accepts(&legacy(&attestation));
    let over_signature = Recipe { stamps_layer: false, ..recipe }.sign(sbom()).expect("signs");
    stage.refuses([("over the signature", legacy(&over_signature), TimestampInvalid)]);
}
