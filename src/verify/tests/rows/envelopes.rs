//! How it is wrapped: bundles and envelopes of other versions, encodings and numbers of parts.

use super::*;

/// A good bundle by a key of ours, without a log.
fn stage() -> (Stage, Recipe, Value) {
    let key = key();
    let stage = Stage { log: false, ..Stage::of(&[&key]) };
    let recipe = Recipe { logs: vec![], ..SIGSTORE.keyed(&key, NOW) };
    let good = stage.good(&recipe).bundle();
    (stage, recipe, good)
}

const SIGNATURES: &str = "/dsseEnvelope/signatures";
const MATERIAL: &str = "/verificationMaterial";

#[test]
fn a10_more_entries_and_stamps_than_anybody_needs() {
    let stage = Stage::keyless();
    let good = stage.good(&SIGSTORE.stamped(myorg()));
    let stamp = |n| SIGSTORE.tsa.stamp(&good.signature, NOW + 1 + n).expect("signs");
    let stamps = |n| bundle(&Pieces { stamps: (0..n).map(stamp).collect(), ..good.clone() });
    let whole = good.bundle();
    let many = |pointer: &str, n: usize| {
        let one = whole.pointer(&format!("{pointer}/0")).expect(pointer).clone();
        document(&edited(&whole, pointer, vec![one; n].into()))
    };
    stage.accepts(&stamps(32));
    stage.refuses([
        ("33 stamps", stamps(33), EvidenceTooLarge),
        ("33 entries", many("/verificationMaterial/tlogEntries", 33), EvidenceTooLarge),
        ("65 hashes", many("/verificationMaterial/tlogEntries/0/inclusionProof/hashes", 65), EvidenceTooLarge),
    ]);
}

/// No threshold counts observers; saying it twice is refused, and one signer is one signer.
#[test]
fn a11_one_entry_or_one_log_twice_says_nothing_new() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let twice = Pieces { entries: vec![good.entries[0].clone(), good.entries[0].clone()], ..good };
    stage.refuses([("the same entry twice", bundle(&twice), EvidenceMalformed)]);
    let logs = vec![SIGSTORE.rekor.clone().at(3, 7), SIGSTORE.rekor.clone().at(4, 7)];
    let two = stage.good(&Recipe { logs, ..myorg() });
    let signers = [&stage.good(&myorg()), &two].map(|pieces| stage.verified(&bundle(pieces)).expect("it verifies"));
    assert_eq!(signers[0].signer(), signers[1].signer());
}

#[test]
fn b08_two_signatures_of_which_one_is_good() {
    let (stage, recipe, good) = stage();
    let theirs = Recipe { key: key(), ..recipe }.sign(statement()).expect("signs").bundle();
    let (ours, theirs) = (good.pointer("/dsseEnvelope/signatures/0"), theirs.pointer("/dsseEnvelope/signatures/0"));
    let with = |all: Value| document(&edited(&good, SIGNATURES, all));
    stage.refuses([
        ("good and bad", with(json!([ours, theirs])), EvidenceMalformed),
        ("bad and good", with(json!([theirs, ours])), EvidenceMalformed),
        ("good twice", with(json!([ours, ours])), EvidenceMalformed),
    ]);
}

/// Signatures of blobs are for `verify-bundle`, which compares the digest; they say nothing about an image.
#[test]
fn b11_a_signature_of_a_blob_and_its_digest() {
    use super::super::super::file::{Subject, verify};
    let (stage, recipe, _) = stage();
    let good = recipe.sign(Content::Message(b"a blob".to_vec())).expect("signs").bundle();
    let judged = |bundle: &Value| {
        let trust = Trust::of([(name("root"), Root::parse(&stage.root.to_string()).expect("a root").into())].into());
        let (revoked, limits) = (Revoked::default(), crate::test_support::patient());
        let against = Against { trust: &trust, revoked: &revoked, limits: &limits, now: stage.now };
        let subject = Subject::Content(b"a blob");
        verify(bundle.to_string().as_bytes(), subject, &stage.authority(), against)
            .map(|_| ())
            .map_err(|why| why.reason)
    };
    let digest = base64(another().as_bytes());
    assert_eq!(judged(&good), Ok(()));
    assert_eq!(judged(&edited(&good, "/messageSignature/messageDigest/digest", json!(digest))), Err(SubjectMismatch));
    let image = recipe.sign(Content::Message(b"the image".to_vec())).expect("signs");
    stage.refuses([("for an image", bundle(&image), EvidenceUnsupported)]);
}

#[test]
fn b15_lengths_are_of_bytes() {
    let (stage, recipe, _) = stage();
    let payload = edited(&signature_statement(subject()), "/predicate", json!("日本語 ✓")).to_string();
    let content = Content::Envelope { payload_type: IN_TOTO.into(), payload: payload.clone().into_bytes() };
    let good = recipe.sign(content).expect("signs");
    stage.accepts(&bundle(&good));
    let in_characters = format!("DSSEv1 {} {IN_TOTO} {} {payload}", IN_TOTO.len(), payload.chars().count());
    let signature = recipe.key.sign(in_characters.as_bytes()).expect("signs");
    stage.refuses([("of characters", bundle(&Pieces { signature, ..good }), SignatureInvalid)]);
}

const IN_TOTO: &str = "application/vnd.in-toto+json";

#[test]
fn o10_a_payload_of_another_declared_type() {
    let (stage, recipe, _) = stage();
    let payload = signature_statement(subject()).to_string().into_bytes();
    let typed = |kind: &str| {
        let content = Content::Envelope { payload_type: kind.into(), payload: payload.clone() };
        bundle(&recipe.sign(content).expect("signs"))
    };
    stage.accepts(&typed(IN_TOTO));
    stage.refuses(
        [format!("{IN_TOTO}; charset=utf-8"), "text/plain".into(), String::new(), IN_TOTO.to_uppercase()]
            .each_ref()
            .map(|kind| (kind.as_str(), typed(kind), EvidenceUnsupported)),
    );
}

#[test]
fn o11_a_signature_over_the_bare_payload() {
    let (stage, recipe, _) = stage();
    let good = recipe.sign(statement()).expect("signs");
    let bare = |over: &[u8]| Pieces { signature: recipe.key.sign(over).expect("signs"), ..good.clone() };
    let other_type = format!("DSSEv1 1 x {} ", good.content.payload().len()).into_bytes();
    stage.refuses([
        ("bare", bundle(&bare(good.content.payload())), SignatureInvalid),
        ("of another type", bundle(&bare(&[&other_type, good.content.payload()].concat())), SignatureInvalid),
    ]);
    let stage = Stage::keyless();
    let recipe = myorg();
    let good = stage.good(&recipe);
    let mut bare = Pieces { signature: recipe.key.sign(good.content.payload()).expect("signs"), ..good };
    bare = entered(&bare.clone(), &SIGSTORE.rekor, ("dsse", "0.0.1"), Kind::Dsse.body(&bare));
    stage.refuses([("bare, by an identity", bundle(&bare), SignatureInvalid)]);
}

#[test]
fn o12_no_signature_two_and_another_keys_id() {
    let (stage, _, good) = stage();
    let with = |all: Value| document(&edited(&good, SIGNATURES, all));
    let signature = good.pointer("/dsseEnvelope/signatures/0/sig").expect("a signature");
    let named = |id: Value| with(json!([{ "sig": signature, "keyid": id }]));
    for id in [json!("another key"), json!("")] {
        stage.accepts(&named(id));
    }
    stage.refuses([
        ("none", with(json!([])), EvidenceMalformed),
        ("null", with(json!([null])), EvidenceMalformed),
        ("two", with(json!([{ "sig": signature }, { "sig": signature, "keyid": "x" }])), EvidenceMalformed),
        ("an empty one", with(json!([{ "sig": "" }])), SignatureInvalid),
        ("an id of another type", named(json!(5)), EvidenceMalformed),
        ("an id of null", named(Value::Null), EvidenceMalformed),
    ]);
}

#[test]
fn o13_base64_in_another_dialect() {
    let (stage, recipe, _) = stage();
    // Long enough to have both letters that differ, and of a length that is padded.
    let mut payload = edited(&signature_statement(subject()), "/predicate", json!("~~~>>>???")).to_string();
    payload.extend(std::iter::repeat_n(' ', 3 - payload.len() % 3 + 1));
    let content = Content::Envelope { payload_type: IN_TOTO.into(), payload: payload.into_bytes() };
    let good = recipe.sign(content).expect("signs").bundle();
    stage.accepts(&document(&good));
    let standard = good["dsseEnvelope"]["payload"].as_str().expect("a text").to_string();
    assert!(['+', '/', '='].iter().all(|c| standard.contains(*c)), "{standard}");
    let with = |text: String| document(&edited(&good, "/dsseEnvelope/payload", json!(text)));
    let signature = good.pointer("/dsseEnvelope/signatures/0/sig").and_then(Value::as_str).expect("a text").to_string();
    let sig = |text: String| document(&edited(&good, "/dsseEnvelope/signatures/0/sig", json!(text)));
    stage.refuses([
        ("for URLs", with(standard.replace('+', "-").replace('/', "_")), EvidenceMalformed),
        ("unpadded", with(standard.trim_end_matches('=').into()), EvidenceMalformed),
        ("a line break after", with(format!("{standard}\n")), EvidenceMalformed),
        ("a line break within", with(format!("{}\n{}", &standard[..64], &standard[64..])), EvidenceMalformed),
        ("garbage after", with(format!("{standard}AAAA")), EvidenceMalformed),
        ("bits after the end", with(standard.trim_end_matches('=').to_string() + "B="), EvidenceMalformed),
        ("signature with a line break", sig(format!("{signature}\n")), EvidenceMalformed),
        ("signature with a space", sig(format!(" {signature}")), EvidenceMalformed),
    ]);
}

#[test]
fn o14_duplicate_members_around_what_is_signed() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let whole = good.bundle().to_string();
    let doubled = |member: &str, value: &str| {
        assert!(whole.contains(member), "{whole}");
        text(whole.replacen(member, &format!("{member}:{value},{member}"), 1))
    };
    let body = String::from_utf8(good.entries[0].body.clone()).expect("a text");
    let body = |member: &str, value: &str| {
        let body = body.replacen(member, &format!("{member}:{value},{member}"), 1);
        bundle(&entered(&good, &SIGSTORE.rekor, ("dsse", "0.0.1"), body))
    };
    stage.refuses([
        ("media type", doubled("\"mediaType\"", "\"x\""), EvidenceMalformed),
        ("envelope", doubled("\"dsseEnvelope\"", "{}"), EvidenceMalformed),
        ("payload", doubled("\"payload\"", "\"\""), EvidenceMalformed),
        ("certificate", doubled("\"certificate\"", "{}"), EvidenceMalformed),
        ("entries", doubled("\"tlogEntries\"", "[]"), EvidenceMalformed),
        ("body", doubled("\"canonicalizedBody\"", "\"e30=\""), EvidenceMalformed),
        ("kind within the body", body("\"kind\"", "\"dsse\""), EvidenceMalformed),
        ("signatures within the body", body("\"signatures\"", "[]"), EvidenceMalformed),
    ]);
}

#[test]
fn o15_unknown_members_and_versions() {
    let (stage, _, good) = stage();
    let kind = |kind: &str| document(&edited(&good, "/mediaType", json!(kind)));
    let with = |pointer: &str, value: Value| document(&edited(&good, pointer, value));
    let missing = |pointer: &str| document(&without(&good, pointer));
    let certificates = json!({ "certificates": [{ "rawBytes": "AAAA" }] });
    stage.refuses([
        ("version 0.1", kind("application/vnd.dev.sigstore.bundle+json;version=0.1"), EvidenceUnsupported),
        ("version 0.2", kind("application/vnd.dev.sigstore.bundle+json;version=0.2"), EvidenceUnsupported),
        ("version 0.3, the old way", kind("application/vnd.dev.sigstore.bundle+json;version=0.3"), EvidenceUnsupported),
        ("version 0.4", kind("application/vnd.dev.sigstore.bundle.v0.4+json"), EvidenceUnsupported),
        ("no version", missing("/mediaType"), EvidenceMalformed),
        ("an unknown member", with("/unknown", json!(1)), EvidenceMalformed),
        ("an unknown member within", with("/verificationMaterial/unknown", json!(1)), EvidenceMalformed),
        ("an unknown member of the envelope", with("/dsseEnvelope/unknown", json!(1)), EvidenceMalformed),
        ("a member in another spelling", with("/verification_material", json!({})), EvidenceMalformed),
        ("no material", missing(MATERIAL), EvidenceMalformed),
        ("empty material", with(MATERIAL, json!({})), EvidenceMalformed),
        ("a chain", with(MATERIAL, json!({ "x509CertificateChain": certificates })), EvidenceUnsupported),
        (
            "a chain beside the key",
            with("/verificationMaterial/x509CertificateChain", certificates.clone()),
            EvidenceMalformed,
        ),
        ("both contents", with("/messageSignature", json!({ "signature": "AAAA" })), EvidenceMalformed),
        ("no content", missing("/dsseEnvelope"), EvidenceMalformed),
    ]);
}

#[test]
fn o16_bundles_that_break_parsers() {
    let (stage, _, good) = stage();
    let whole = good.to_string();
    stage.refuses([
        ("nothing", text(""), EvidenceMalformed),
        ("ten thousand deep", text("[".repeat(10_000)), EvidenceMalformed),
        ("deep within", text(whole.replacen('{', &format!("{{\"x\":{}", "[".repeat(10_000)), 1)), EvidenceMalformed),
        ("a byte order mark", text(format!("\u{feff}{whole}")), EvidenceMalformed),
        ("twice", text(format!("{whole}{whole}")), EvidenceMalformed),
        ("an array", text(format!("[{whole}]")), EvidenceMalformed),
        ("UTF-16", text(whole.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>()), EvidenceMalformed),
        ("compressed", text(&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..]), EvidenceMalformed),
    ]);
}
