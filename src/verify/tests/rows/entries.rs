//! What a log says: entries about something else, of other kinds, of other logs.

use super::*;

const DSSE: (&str, &str) = ("dsse", "0.0.1");

#[test]
pub(super) fn a03_an_entry_of_other_content_or_another_certificate() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let other = myorg().sign(statement()).expect("signs");
    let body = |about: Pieces| entered(&good, &SIGSTORE.rekor, DSSE, Kind::Dsse.body(&about));
    let content = body(Pieces { content: sbom(), ..good.clone() });
    let certificate = body(Pieces { certificate: other.certificate, ..good.clone() });
    let bare = SIGSTORE.keyed(&key(), NOW).sign(statement()).expect("signs");
    let untimed = Pieces { entries: vec![], ..good.clone() };
    stage.refuses([
        ("other content", bundle(&content), LogEntryMismatch),
        ("another certificate", bundle(&certificate), LogEntryMismatch),
        ("a bare key", bundle(&bare), IdentityMismatch),
    ]);
    let unlogged = Stage { log: false, ..stage };
    unlogged.accepts(&bundle(&SIGSTORE.stamped(Recipe { logs: vec![], ..myorg() }).sign(statement()).expect("signs")));
    unlogged.refuses([("expired, and no time", bundle(&untimed), TimestampMissing)]);
}

#[test]
pub(super) fn a07_a_valid_entry_of_another_bundle() {
    let stage = Stage::keyless();
    for recipe in [myorg(), SIGSTORE.stamped(myorg()), SIGSTORE.with_rekor_v2(myorg())] {
        let (good, other) = (stage.good(&recipe), stage.good(&recipe));
        let content = recipe.sign(sbom()).expect("signs");
        stage.refuses([
            ("another", bundle(&Pieces { entries: other.entries, ..good.clone() }), LogEntryMismatch),
            ("other content", bundle(&Pieces { entries: content.entries, ..good.clone() }), LogEntryMismatch),
            ("none", bundle(&Pieces { entries: vec![], ..good }), LogEntryMissing),
        ]);
    }
    let key = key();
    let stage = Stage::of(&[&key]);
    for recipe in [SIGSTORE.keyed(&key, NOW), SIGSTORE.with_rekor_v2(SIGSTORE.keyed(&key, NOW))] {
        let good = stage.good(&recipe);
        let another = Recipe { key: super::key(), ..recipe.clone() }.sign(statement()).expect("signs");
        let content = recipe.sign(sbom()).expect("signs");
        stage.refuses([
            ("another key", bundle(&Pieces { entries: another.entries, ..good.clone() }), LogEntryMismatch),
            ("other content", bundle(&Pieces { entries: content.entries, ..good.clone() }), LogEntryMismatch),
            ("none", bundle(&Pieces { entries: vec![], ..good }), LogEntryMissing),
        ]);
    }
}

/// The log really took these in.
#[test]
pub(super) fn a15_bodies_that_lack_what_they_must_have() {
    let bodies = |spec: &str| format!(r#"{{"apiVersion":"0.0.1","kind":"dsse","spec":{spec}}}"#);
    let cases = [
        "null",
        "{}",
        "[]",
        r#"{"signatures":[]}"#,
        r#"{"signatures":[null]}"#,
        r#"{"payloadHash":null,"signatures":null}"#,
        r#"{"payloadHash":{},"envelopeHash":{},"signatures":[{}]}"#,
    ];
    let key = key();
    for (stage, recipe) in [(Stage::keyless(), myorg()), (Stage::of(&[&key]), SIGSTORE.keyed(&key, NOW))] {
        let good = stage.good(&recipe);
        let with = |body: &str| bundle(&entered(&good, &SIGSTORE.rekor, DSSE, body));
        stage.refuses_all(cases.iter().map(|spec| (*spec, with(&bodies(spec)), LogEntryMismatch)));
        stage.refuses_all(["{}", "null", "[]", "", "{\"kind\":5}"].map(|body| (body, with(body), EvidenceMalformed)));
    }
}

#[test]
pub(super) fn a16_an_entry_of_an_unsupported_kind() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let cose = r#"{"apiVersion":"0.0.1","kind":"cose","spec":{"data":{},"message":null}}"#;
    stage.refuses([
        ("said so", bundle(&entered(&good, &SIGSTORE.rekor, ("cose", "0.0.1"), cose)), EvidenceMalformed),
        ("said dsse", bundle(&entered(&good, &SIGSTORE.rekor, DSSE, cose)), EvidenceUnsupported),
    ]);
}

/// Nothing here could fetch it: verification has no network.
#[test]
pub(super) fn a17_a_key_by_url_is_no_key() {
    let stage = Stage::keyless();
    let good = stage.good_legacy(&myorg());
    let key = "/spec/signature/publicKey";
    let url = json!({ "url": "http://169.254.169.254/key" });
    stage.refuses([("by url", legacy(&with_body(&good, &SIGSTORE.rekor, key, url)), LogEntryMismatch)]);
}

#[test]
pub(super) fn a25_an_entry_of_a_log_that_nobody_trusts() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let signed = |log: Log| bundle(&Recipe { logs: vec![log], ..myorg() }.sign(statement()).expect("signs"));
    let (mut renamed, ours) = (good.clone(), SIGSTORE.rekor.signatory.id.clone());
    renamed.entries = Recipe { logs: vec![foreign().rekor], ..myorg() }.sign(statement()).expect("signs").entries;
    renamed.entries[0].log = ours;
    stage.refuses([
        ("another log", signed(foreign().rekor), LogEntryInvalid),
        ("another second log", signed(foreign().rekor_v2), LogEntryInvalid),
        ("another log under our name", bundle(&renamed), LogEntryInvalid),
    ]);
}

/// Every entry must be about the signature: nobody picks the one that fits.
#[test]
pub(super) fn a26_several_entries_of_which_one_fits() {
    let stage = Stage::keyless();
    let recipe = SIGSTORE.stamped(Recipe { logs: vec![SIGSTORE.rekor.clone(), SIGSTORE.rekor_v2.clone()], ..myorg() });
    let (good, other) = (stage.good(&recipe), stage.good(&myorg()).entries);
    let with = |entries: Vec<_>| bundle(&Pieces { entries, ..good.clone() });
    let (ours, other) = (good.entries[1].clone(), other[0].clone());
    stage.refuses([
        ("other first", with(vec![other.clone(), ours.clone()]), LogEntryMismatch),
        ("other last", with(vec![ours, other]), LogEntryMismatch),
    ]);
}

#[test]
pub(super) fn b10_an_entry_of_the_second_log_without_content() {
    let stage = Stage::keyless();
    let good = stage.good(&SIGSTORE.with_rekor_v2(myorg()));
    let spec = |spec: &str| {
        let body = format!(r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{spec}}}"#);
        bundle(&entered(&good, &SIGSTORE.rekor_v2, ("hashedrekord", "0.0.2"), body))
    };
    let cases = ["{}", "null", r#"{"hashedRekordV002":{}}"#, r#"{"hashedRekordV002":null}"#, r#"{"dsseV002":{}}"#];
    stage.refuses_all(cases.map(|one| (one, spec(one), LogEntryMismatch)));
}

/// A proof says that the log has the entry; the time beside it is anybody's.
#[test]
pub(super) fn b12_a_time_without_the_logs_promise() {
    let stage = Stage::keyless();
    let (good, stamped) = (stage.good(&myorg()), stage.good(&SIGSTORE.stamped(myorg())));
    let unpromised = |mut pieces: Pieces, at: Option<i64>| {
        pieces.entries[0].promise = None;
        pieces.entries[0].integrated_at = at;
        bundle(&pieces)
    };
    stage.accepts(&unpromised(stamped, None));
    stage.refuses([
        ("within", unpromised(good.clone(), Some(NOW + 1)), TimestampMissing),
        ("none", unpromised(good, None), TimestampMissing),
    ]);
}

#[test]
pub(super) fn b18_the_dropped_entry_version_of_the_second_log() {
    let stage = Stage::keyless();
    let good = stage.good(&SIGSTORE.with_rekor_v2(myorg()));
    let body = json!({ "apiVersion": "0.0.2", "kind": "dsse", "spec": { "dsseV002": {
        "payloadHash": { "algorithm": "SHA2_256", "digest": base64(Digest::of(good.content.payload()).as_bytes()) },
        "signatures": [{ "content": base64(&good.signature),
            "verifier": { "x509Certificate": { "rawBytes": base64(good.certificate.as_deref().unwrap_or_default()) } } }],
    } } })
    .to_string();
    let said = |kind| bundle(&entered(&good, &SIGSTORE.rekor_v2, kind, body.as_str()));
    stage.refuses([
        ("said so", said(("dsse", "0.0.2")), EvidenceMalformed),
        ("said otherwise", said(("hashedrekord", "0.0.2")), EvidenceUnsupported),
    ]);
}

/// The envelope was logged as other bytes than a bundle can give back: payload, signature and certificate bind it.
#[test]
pub(super) fn b21_the_hash_of_the_logged_envelope_is_not_ours_to_know() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let other = json!(Digest::of(b"otherwise serialised").hex());
    let hash = |of: &str| bundle(&with_body(&good, &SIGSTORE.rekor, &format!("/spec/{of}Hash/value"), other.clone()));
    stage.accepts(&hash("envelope"));
    stage.refuses([("payload", hash("payload"), LogEntryMismatch)]);
}

/// A bad entry is not skipped for the sake of a good one.
#[test]
pub(super) fn b41_a_bad_entry_beside_a_good_one() {
    let stage = Stage::keyless();
    let recipe = SIGSTORE.stamped(Recipe { logs: vec![SIGSTORE.rekor.clone(), SIGSTORE.rekor_v2.clone()], ..myorg() });
    let good = stage.good(&recipe);
    for (number, logs) in [(0, "first"), (1, "second")] {
        let mut bent = good.clone();
        bent.entries[number].proof.as_mut().expect("a proof").hashes[0][0] ^= 1;
        stage.refuses([(logs, bundle(&bent), LogEntryInvalid)]);
    }
    let mut bent = good.clone();
    bent.entries[0].promise = Some(good.entries[0].promise.clone().expect("a promise").iter().map(|b| b ^ 1).collect());
    stage.refuses([("promise", bundle(&bent), LogEntryInvalid)]);
}

/// One field at a time, in a body that the log really took in.
#[test]
pub(super) fn o21_each_field_of_an_entry_is_compared() {
    let stage = Stage::keyless();
    let other = myorg().sign(statement()).expect("signs");
    let v2 = SIGSTORE.with_rekor_v2(myorg());
    let intoto = Recipe { kind: Some(Kind::InTotoV2), ..myorg() };
    for (recipe, log, is_legacy, unbound) in [
        (myorg(), &SIGSTORE.rekor, false, &["/spec/envelopeHash/value", "/spec/envelopeHash/algorithm"][..]),
        (intoto, &SIGSTORE.rekor, false, &["/spec/content/hash/value", "/spec/content/hash/algorithm"]),
        (v2, &SIGSTORE.rekor_v2, false, &[]),
        (myorg(), &SIGSTORE.rekor, true, &[]),
    ] {
        let good = if is_legacy { stage.good_legacy(&recipe) } else { stage.good(&recipe) };
        let candidate = |pieces: &Pieces| if is_legacy { legacy(pieces) } else { bundle(pieces) };
        // The same kind of entry about another signature gives each field another good value.
        let theirs = Pieces { content: sbom(), ..other.clone() };
        let kind = recipe.kind.unwrap_or(Kind::natural(log.version, &good.content));
        let theirs: Value = serde_json::from_slice(&kind.body(&theirs)).expect("JSON");
        let ours: Value = serde_json::from_slice(&good.entries[0].body).expect("JSON");
        let mut pointers = Vec::new();
        super::super::mutations::pointers(&ours, "", &mut pointers);
        let leaves = pointers.iter().filter(|pointer| ours.pointer(pointer).is_some_and(Value::is_string));
        for pointer in leaves {
            let value = match theirs.pointer(pointer) {
                _ if pointer.ends_with("/algorithm") => json!("sha512"),
                Some(value) if Some(value) != ours.pointer(pointer) => value.clone(),
                _ => json!("other"),
            };
            let bent = candidate(&with_body(&good, log, pointer, value));
            let reason = match pointer.as_str() {
                "/kind" | "/apiVersion" => EvidenceUnsupported,
                "/spec/data/hash/algorithm" => LogEntryMismatch,
                // The crate knows one digest only.
                _ if pointer.ends_with("/algorithm") && leaves::by_crate() => EvidenceUnsupported,
                _ => LogEntryMismatch,
            };
            if unbound.contains(&pointer.as_str()) {
                stage.accepts(&bent);
            } else {
                stage.refuses([(pointer, bent, reason)]);
            }
        }
    }
}

#[test]
pub(super) fn o24_evidence_of_another_instance() {
    let (stage, theirs) = (Stage::keyless(), foreign());
    let good = stage.good(&myorg());
    let foreign = theirs.keyless(&Identity::gitlab("myorg/app"), NOW).expect("a key");
    let there = Stage { root: theirs.trusted_root(), ..stage.clone() };
    let evidence = there.good(&foreign);
    stage.refuses([("theirs here", bundle(&evidence), LogEntryInvalid)]);
    there.refuses([("ours there", bundle(&good), LogEntryInvalid)]);
    let ours = Recipe { logs: vec![SIGSTORE.rekor.clone()], ..foreign }.sign(statement()).expect("signs");
    stage.refuses([("their certificate in our log", bundle(&ours), CertificateInvalid)]);
}
