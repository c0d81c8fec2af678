//! The signing certificate: what it says, and whether it was logged.

use super::*;
use crate::demo::sigstore::certificate::{CODE_SIGNING, EXTENDED_KEY_USAGE, KEY_USAGE, SERVER_AUTH};
use crate::demo::sigstore::ct::SCT_LIST;
use crate::demo::sigstore::identity::fulcio;
use crate::demo::sigstore::{Extension as X509Extension, San, Template, der};

/// What `myorg` signs with a certificate that is bent.
fn with(change: impl FnOnce(Template) -> Template) -> Candidate {
    bundle(&myorg().with_template(change).sign(statement()).expect("signs"))
}

fn stage() -> Stage {
    let stage = Stage::keyless();
    stage.good(&myorg());
    stage
}

fn named(name: San) -> Candidate {
    let identity = Identity { names: vec![name], ..Identity::gitlab("myorg/app") };
    bundle(&keyless(&identity).sign(statement()).expect("signs"))
}

#[test]
pub(super) fn a20_a_million_dots() {
    let stage = stage();
    let dots = |n: usize| format!("https://gitlab.com/myorg{}", "/..".repeat(n));
    let arcs: Vec<u64> = std::iter::repeat_n(1, 100_000).collect();
    stage.accepts(&named(San::Uri(dots(1000))));
    stage.refuses([
        ("a name", named(San::Uri(dots(1 << 18))), EvidenceTooLarge),
        (
            "an extension",
            with(|one| one.with(X509Extension::new(&fulcio(14), der::utf8(&".".repeat(1 << 20))))),
            EvidenceTooLarge,
        ),
        ("an identifier", with(|one| one.with(X509Extension::new(&fulcio(25), der::oid(&arcs)))), EvidenceTooLarge),
    ]);
}

#[test]
pub(super) fn a27_no_certificate_where_one_must_be() {
    let stage = stage();
    let good = stage.good(&myorg()).bundle();
    let material = |value: Value| document(&edited(&good, "/verificationMaterial/certificate", value));
    let chain = |value: Value| {
        let bare = without(&good, "/verificationMaterial/certificate");
        document(&edited(&bare, "/verificationMaterial/x509CertificateChain", value))
    };
    stage.refuses([
        ("null", material(Value::Null), EvidenceMalformed),
        ("without bytes", material(json!({})), EvidenceMalformed),
        ("of no bytes", material(json!({ "rawBytes": "" })), CertificateInvalid),
        ("of one byte", material(json!({ "rawBytes": "AA==" })), CertificateInvalid),
        ("an empty chain", chain(json!({ "certificates": [] })), EvidenceUnsupported),
        ("a chain of nothing", chain(json!({})), EvidenceUnsupported),
        ("none", document(&without(&good, "/verificationMaterial/certificate")), EvidenceMalformed),
    ]);
}

#[test]
pub(super) fn a37_a_subject_of_megabytes() {
    let stage = stage();
    let large = myorg().with_template(|one| Template { subject: "x".repeat(5 << 20), ..one });
    // An attestation may be large; a certificate may not.
    let attestation = large.sign(sbom()).expect("signs");
    stage.accepts(&bundle(&myorg().sign(sbom()).expect("signs")));
    stage.refuses([
        ("of a signature", bundle(&large.sign(statement()).expect("signs")), EvidenceTooLarge),
        ("of an attestation", bundle(&attestation), EvidenceTooLarge),
        ("of a legacy attestation", legacy(&attestation), EvidenceTooLarge),
    ]);
}

#[test]
pub(super) fn b16_extensions_of_the_wrong_type_or_twice() {
    let stage = stage();
    let issuer = "https://gitlab.com";
    let text = |tag: u8| der::tlv(tag, issuer.as_bytes());
    let eighth = |value: Vec<u8>| with(|one| one.with(X509Extension::new(&fulcio(8), value)));
    let twice = |number: u64, value: Vec<u8>| {
        with(|mut one| {
            one.extensions.push(X509Extension::new(&fulcio(number), value));
            one
        })
    };
    stage.accepts(&eighth(der::utf8(issuer)));
    stage.refuses([
        ("an IA5 string", eighth(text(0x16)), CertificateInvalid),
        ("a printable string", eighth(text(0x13)), CertificateInvalid),
        ("octets", eighth(text(0x04)), CertificateInvalid),
        ("bare", eighth(issuer.into()), CertificateInvalid),
        ("bytes after it", eighth([der::utf8(issuer), vec![0]].concat()), CertificateInvalid),
        ("longer than it is", eighth([&[0x0c, 200], issuer.as_bytes()].concat()), CertificateInvalid),
        ("not UTF-8", eighth(der::tlv(0x0c, b"\xff\xfe")), CertificateInvalid),
        ("a null within", eighth(der::utf8("https://gitlab.com\u{0}")), CertificateInvalid),
        ("empty", eighth(vec![]), CertificateInvalid),
        ("the same twice", twice(8, der::utf8(issuer)), CertificateInvalid),
        ("another first", twice(8, der::utf8("https://evil.test")), CertificateInvalid),
        ("a source twice", twice(12, der::utf8("https://gitlab.com/myorg/app")), CertificateInvalid),
    ]);
}

/// Who issued it is known by key: the names of two intermediates may be the same.
#[test]
pub(super) fn b24_a_certificate_log_proof_for_another_issuers_key() {
    let stage = stage();
    let theirs = foreign().authority;
    let recipe = myorg();
    let issuance = recipe.certificate.clone().expect("it is keyless");
    // All but the issuer's key is the same, so that only this differs in what the log signed.
    let there = theirs.issue(&issuance.template, &recipe.key, &issuance.scts).expect("signs");
    let graft = |certificate: &[u8]| {
        use x509_cert::der::Decode;
        let parsed = x509_cert::Certificate::from_der(certificate).expect("a certificate");
        let all = parsed.tbs_certificate.extensions.unwrap_or_default();
        let list = all.iter().find(|one| one.extn_id.to_string() == "1.3.6.1.4.1.11129.2.4.2").expect("a list");
        let list = X509Extension::new(SCT_LIST, list.extn_value.as_bytes().to_vec());
        let recipe = issued(recipe.clone(), |issuance| issuance.scts.clear()).with_template(|one| one.with(list));
        bundle(&recipe.sign(statement()).expect("signs"))
    };
    let here = SIGSTORE.authority.issue(&issuance.template, &recipe.key, &issuance.scts).expect("signs");
    stage.accepts(&graft(&here));
    stage.refuses([("for another issuer", graft(&there), SctInvalid)]);
}

#[test]
pub(super) fn b31_a_certificate_that_was_not_logged() {
    let stage = stage();
    let unlogged = issued(myorg(), |issuance| issuance.scts.clear());
    let evidence = bundle(&unlogged.sign(statement()).expect("signs"));
    stage.refuses([("not logged", evidence.clone(), SctMissing)]);
    let legacy_evidence = legacy(&unlogged.sign(payload()).expect("signs"));
    stage.refuses([("legacy, not logged", legacy_evidence, SctMissing)]);
    Stage { ct: false, ..stage }.accepts(&evidence);
}

#[test]
pub(super) fn o26_certificate_log_proofs_that_are_missing_wrong_or_late() {
    let stage = stage();
    let good = SIGSTORE.ct.sct(NOW);
    let scts = |scts: Vec<_>| bundle(&issued(myorg(), |one| one.scts = scts).sign(statement()).expect("signs"));
    let raw = |list: &[u8]| {
        let bent = issued(myorg(), |one| one.scts.clear());
        let list = X509Extension::new(SCT_LIST, der::octets(list));
        bundle(&bent.with_template(|one| one.with(list)).sign(statement()).expect("signs"))
    };
    let poison = X509Extension::critical(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 3], vec![5, 0]);
    let mut forged = good.clone();
    forged.forged = true;
    let mut extended = good.clone();
    extended.extensions = vec![0, 0, 5, 0, 0, 0, 0, 9];
    stage.accepts(&scts(vec![extended]));
    stage.refuses([
        ("none", scts(vec![]), SctMissing),
        ("for something else", scts(vec![forged]), SctInvalid),
        ("by another log", scts(vec![foreign().ct.sct(NOW)]), SctInvalid),
        ("an empty list", raw(&[0, 0]), SctInvalid),
        ("a list that is cut", raw(&[0, 9, 0, 7, 0]), SctInvalid),
        ("another version", raw(&[&[0, 50, 0, 48, 1][..], &[7; 47]].concat()), SctInvalid),
        ("nothing in the list", raw(&[]), SctInvalid),
        ("a precertificate", with(|one| one.with(poison)), CertificateInvalid),
    ]);
    let ended = |end: i64| {
        let end = jiff::Timestamp::from_second(end).expect("a time").to_string();
        stage.with_root("/ctlogs/0/publicKey/validFor", json!({ "start": "2020-01-01T00:00:00Z", "end": end }))
    };
    let evidence = scts(vec![good]);
    ended(NOW).accepts(&evidence);
    ended(NOW - 1).refuses([("by a key that had ended", evidence.clone(), SctInvalid)]);
    let nobody = stage.with_root("/ctlogs", json!([]));
    nobody.refuses([("nobody to verify it", evidence, SctInvalid)]);
}

#[test]
pub(super) fn o31_leaves_of_every_wrong_kind() {
    let stage = stage();
    let unknown =
        |critical| X509Extension { critical, ..X509Extension::new(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![5, 0]) };
    let recipe = myorg();
    let own = Ca { name: String::new(), key: recipe.key.clone(), chain: vec![] };
    let self_signed = issued(recipe, |issuance| issuance.authority = own).sign(statement()).expect("signs");
    stage.accepts(&with(|one| one.with(unknown(false))));
    stage.refuses([
        ("signed by itself", bundle(&self_signed), CertificateInvalid),
        ("an authority", with(|one| one.with(X509Extension::authority())), CertificateInvalid),
        ("for servers", with(|one| one.with(X509Extension::usage(&[SERVER_AUTH]))), CertificateInvalid),
        ("for nothing", with(|one| one.without(EXTENDED_KEY_USAGE)), CertificateInvalid),
        ("for encryption", with(|one| one.with(X509Extension::key_usage(0x20))), CertificateInvalid),
        ("no key usage", with(|one| one.without(KEY_USAGE)), CertificateInvalid),
        ("an unknown critical extension", with(|one| one.with(unknown(true))), CertificateInvalid),
        ("valid for no time", with(|one| Template { not_after: NOW - 1, ..one }), CertificateExpired),
    ]);
    let both = with(|one| one.with(X509Extension::usage(&[CODE_SIGNING, SERVER_AUTH])));
    stage.accepts(&both);
}

/// A certificate like that of `recipe`, for another public key, by our authority.
fn for_key(recipe: &Recipe, spki: &[u8]) -> Vec<u8> {
    let authority = &SIGSTORE.authority;
    let template = &recipe.certificate.as_ref().expect("it is keyless").template;
    let whole = authority.issue(template, &recipe.key, &[]).expect("signs");
    let of = |der: &[u8]| der::children(der).into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut parts = of(&whole);
    let mut said = of(&parts[0]);
    said[6] = spki.to_vec();
    parts[0] = der::sequence(&said);
    let signature = authority.key.sign(&parts[0]).expect("signs");
    parts[2] = der::tlv(0x03, &[&[0], &signature[..]].concat());
    der::sequence(&parts)
}

/// Signed with `openssl dgst -sha256 -sign` by keys that nobody should have: RSA of 1024 bits, ECDSA over P-224.
#[test]
fn o31_certificates_for_weak_keys() {
    use ::base64::Engine;
    let stage = Stage { ct: false, ..stage() };
    let recipe = issued(myorg(), |issuance| issuance.scts.clear());
    let content =
        Content::Envelope { payload_type: "application/vnd.in-toto+json".into(), payload: WEAKLY_SIGNED.into() };
    let good = recipe.sign(content).expect("signs");
    let with = |spki: &[u8], signature: &[u8]| {
        let certificate = Some(for_key(&recipe, spki));
        let pieces = Pieces { certificate, signature: signature.to_vec(), ..good.clone() };
        bundle(&entered(&pieces, &SIGSTORE.rekor, ("dsse", "0.0.1"), Kind::Dsse.body(&pieces)))
    };
    let decoded = |text: &str| ::base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
    stage.accepts(&with(&recipe.key.spki(), &good.signature));
    stage.refuses([
        ("RSA-1024", with(&decoded(RSA_1024.0), &decoded(RSA_1024.1)), SignatureInvalid),
        ("P-224", with(&decoded(P_224.0), &decoded(P_224.1)), CertificateInvalid),
    ]);
}

const WEAKLY_SIGNED: &str = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://sigstore.dev/cosign/sign/v1","subject":[{"digest":{"sha256":"97e9d7a16021e6d07fbe28cce398f5847fc00c574991fbff65d95fd5e032d389"}}]}"#;
/// The public key, and its signature.
const RSA_1024: (&str, &str) = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC2tTZCC9oBJXgdhXvzFLBvT+zjskrpCoJZxxUkyepWlDXMa20BwKgoMTLy/ZHf\
         QnL/T3g7OoqCIod9wR/ZIQGAPwwu1uDtQ3MXHjmLiOs7OdQXF0vIULJvvQyMvK9ICMZjZ8UdDl/M46kttTnlOa8fFXehk7mNCUvO\
         YBTSFbl/ZwIDAQAB",
    "K3xqhcx4hKVaEKL4fLOiLc+ZWdjec+RCtPZxOYYeHFXaCfK08t+Y6CODzC1NuJRiIEnOfQAD0BRlAUXATYr1i1YCdRx9mXKj/7Y4\
         OmERhvLANf6qoD3xL5Dr6mevTNLXnDa4N9IEuUzSC9cZBt4IXjqTZNNWcyLVX1QLcy8+XnE=",
);
/// The public key, and its signature.
const P_224: (&str, &str) = (
    "ME4wEAYHKoZIzj0CAQYFK4EEACEDOgAEtVyn8VHhFHlOtq+yHWsJ2lLrbiK9xWdpIin2DMk9NVQve3EhwuwA65NTVMMTBHPjk8g6\
         VKD2pd8=",
    "MD0CHC9ji1Zl6llmSdABs19Spa78tt/vHrNeJTDtMWgCHQCKtuPg+SzdquedGn4svh2K+NvA0CoUCZzssZft",
);
