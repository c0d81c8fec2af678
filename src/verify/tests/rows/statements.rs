//! What is signed: statements and payloads about something else, or that mean nothing.

use super::*;

/// Signed by a key of ours, without a log: only what is signed is bent.
struct Bent {
    stage: Stage,
    recipe: Recipe,
}

impl Bent {
    fn new() -> Self {
        let key = key();
        let stage = Stage { log: false, ..Stage::of(&[&key]) };
        let recipe = Recipe { logs: vec![], ..SIGSTORE.keyed(&key, NOW) };
        stage.good(&recipe);
        stage.good_legacy(&recipe);
        Self { stage, recipe }
    }

    fn signed(&self, payload: impl Into<Vec<u8>>) -> Candidate {
        let content = Content::Envelope { payload_type: IN_TOTO.into(), payload: payload.into() };
        bundle(&self.recipe.sign(content).expect("signs"))
    }

    fn statement(&self, pointer: &str, value: Value) -> Candidate {
        self.signed(edited(&good(), pointer, value).to_string())
    }

    /// A legacy signature over `payload`.
    fn simple(&self, payload: impl Into<Vec<u8>>) -> Candidate {
        legacy(&self.recipe.sign(Content::Message(payload.into())).expect("signs"))
    }
}

fn good() -> Value {
    signature_statement(subject())
}

fn sha256(hex: impl Into<String>) -> Value {
    json!({ "sha256": hex.into() })
}

const IN_TOTO: &str = "application/vnd.in-toto+json";

#[test]
fn a09_a_signed_payload_that_is_no_statement() {
    let bent = Bent::new();
    bent.stage.refuses([
        ("not JSON", bent.signed("not JSON"), EvidenceMalformed),
        ("an array", bent.signed(json!([good()]).to_string()), EvidenceMalformed),
        ("null", bent.signed("null"), EvidenceMalformed),
        ("nothing", bent.signed(""), EvidenceMalformed),
        ("no predicate type", bent.signed(without(&good(), "/predicateType").to_string()), EvidenceMalformed),
        ("a predicate type of null", bent.statement("/predicateType", Value::Null), EvidenceMalformed),
        ("an empty predicate type", bent.statement("/predicateType", json!("")), EvidenceMalformed),
        ("no type", bent.signed(without(&good(), "/_type").to_string()), EvidenceMalformed),
        ("of another type", bent.statement("/_type", json!("https://in-toto.io/Link/v1")), EvidenceUnsupported),
    ]);
}

#[test]
fn a10_more_subjects_and_digests_than_anybody_needs() {
    let bent = Bent::new();
    let subjects = |n: usize| bent.statement("/subject", (0..n).map(|_| good()["subject"][0].clone()).collect());
    let digests = |n: usize| {
        let mut all: serde_json::Map<_, _> = (1..n).map(|n| (format!("x{n}"), json!(""))).collect();
        all.insert("sha256".into(), json!(subject().hex()));
        bent.statement("/subject/0/digest", all.into())
    };
    bent.stage.accepts(&subjects(1024));
    bent.stage.accepts(&digests(32));
    bent.stage
        .refuses([("1025 subjects", subjects(1025), EvidenceTooLarge), ("33 digests", digests(33), EvidenceTooLarge)]);
}

/// Nothing is unpacked, anywhere.
#[test]
fn a18_a_compressed_payload() {
    let bent = Bent::new();
    let bomb = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &[0; 4096]].concat();
    bent.stage.refuses([
        ("a statement", bent.signed(bomb.clone()), EvidenceMalformed),
        ("a legacy payload", bent.simple(bomb), EvidenceMalformed),
    ]);
}

#[test]
fn a41_a_digest_in_a_name_is_not_a_subject() {
    let bent = Bent::new();
    bent.stage.accepts(&bent.statement("/subject/0/name", json!("another/repository")));
    let named = json!({ "name": subject().to_string(), "digest": sha256(another().hex()) });
    bent.stage.refuses([("in the name", bent.statement("/subject/0", named), SubjectMismatch)]);
}

#[test]
fn b02_nulls_and_numbers_where_texts_belong() {
    let bent = Bent::new();
    bent.stage.refuses([
        ("a subject of null", bent.statement("/subject", json!([null])), EvidenceMalformed),
        ("a null beside ours", bent.statement("/subject", json!([good()["subject"][0], null])), EvidenceMalformed),
        ("subjects of null", bent.statement("/subject", Value::Null), EvidenceMalformed),
        ("a digest of null", bent.statement("/subject/0/digest", Value::Null), EvidenceMalformed),
        ("a digest of numbers", bent.statement("/subject/0/digest", json!({ "sha256": 5 })), EvidenceMalformed),
        ("no critical part", bent.simple(r#"{"critical":null,"optional":null}"#), EvidenceMalformed),
    ]);
}

#[test]
fn b04_a_signature_without_a_predicate_is_one() {
    let bent = Bent::new();
    let bare = |kind: &str| without(&edited(&good(), "/predicateType", json!(kind)), "/predicate").to_string();
    assert_eq!(bent.stage.claim(&bent.signed(bare(SIGN))), Ok(Claim::Signature));
    assert_eq!(bent.stage.claim(&bent.signed(bare(SBOM))), Ok(Claim::Attestation(SBOM.into())));
}

#[test]
fn b22_our_digest_in_any_subject_and_by_its_own_name() {
    let bent = Bent::new();
    let other = json!({ "digest": sha256(another().hex()) });
    bent.stage.accepts(&bent.statement("/subject", json!([other, good()["subject"][0]])));
    let named = |name: &str| bent.statement("/subject/0/digest", json!({ name: subject().hex() }));
    bent.stage.refuses([
        ("sha512", named("sha512"), SubjectMismatch),
        ("gitCommit", named("gitCommit"), SubjectMismatch),
        ("SHA256", named("SHA256"), SubjectMismatch),
    ]);
}

#[test]
fn o01_a_statement_about_another_image() {
    let bent = Bent::new();
    let about = |digest: Digest| bent.signed(signature_statement(digest).to_string());
    let payload = simple_signing_payload("r.io/app", another()).to_string();
    bent.stage.refuses([
        ("a bundle", about(another()), SubjectMismatch),
        ("no subject", bent.statement("/subject", json!([])), SubjectMismatch),
        ("legacy", bent.simple(payload), SubjectMismatch),
    ]);
    let stage = Stage::keyless();
    stage.good(&myorg());
    let theirs = myorg().sign(Content::statement(&signature_statement(another()))).expect("signs");
    stage.refuses([("by an identity", bundle(&theirs), SubjectMismatch)]);
}

#[test]
fn o02_a_digest_in_another_spelling() {
    let bent = Bent::new();
    let hex = subject().hex();
    let digest = |text: String| bent.statement("/subject/0/digest", sha256(text));
    let simple = |text: String| {
        let payload = simple_signing_payload("r.io/app", subject());
        bent.simple(edited(&payload, "/critical/image/docker-manifest-digest", json!(text)).to_string())
    };
    bent.stage.refuses([
        ("upper case", digest(hex.to_uppercase()), SubjectMismatch),
        ("with a prefix", digest(format!("sha256:{hex}")), SubjectMismatch),
        ("63 digits", digest(hex[1..].into()), SubjectMismatch),
        ("65 digits", digest(format!("{hex}0")), SubjectMismatch),
        ("a space before", digest(format!(" {hex}")), SubjectMismatch),
        ("a line break after", digest(format!("{hex}\n")), SubjectMismatch),
        ("legacy, upper case", simple(format!("sha256:{}", hex.to_uppercase())), SubjectMismatch),
        ("legacy, without a prefix", simple(hex.clone()), SubjectMismatch),
        ("legacy, another algorithm", simple(format!("sha512:{hex}")), SubjectMismatch),
    ]);
}

#[test]
fn o03_our_subject_is_the_last() {
    let bent = Bent::new();
    let last_of = |n: usize| {
        let other = json!({ "digest": sha256(another().hex()) });
        let mut all = vec![other; n - 1];
        all.push(good()["subject"][0].clone());
        bent.statement("/subject", all.into())
    };
    bent.stage.accepts(&last_of(1024));
    bent.stage.refuses([("of 1025", last_of(1025), EvidenceTooLarge)]);
}

/// Whatever only resembles a type is another type; `decide` compares exactly.
#[test]
fn o04_predicate_types_that_look_alike() {
    let bent = Bent::new();
    let near = |kind: &str| {
        [
            format!("{kind}/"),
            format!("{kind}.0"),
            format!("{kind}\u{0}"),
            format!("{kind} "),
            format!(" {kind}"),
            kind.replacen("https", "HTTPS", 1),
            kind.replacen('o', "\u{43e}", 1),
            kind.to_uppercase(),
        ]
    };
    assert_eq!(bent.stage.claim(&bent.statement("/predicateType", json!(SIGN))), Ok(Claim::Signature));
    for kind in near(SIGN).into_iter().chain(near("https://slsa.dev/provenance/v1")) {
        let claim = bent.stage.claim(&bent.statement("/predicateType", json!(kind)));
        assert_eq!(claim, Ok(Claim::Attestation(kind)));
    }
}

#[test]
fn o14_duplicate_members_in_what_is_signed() {
    let bent = Bent::new();
    let doubled = |text: String, member: &str, first: &str| {
        assert!(text.contains(member), "{text}");
        text.replacen(member, &format!("{member}:{first},{member}"), 1)
    };
    let last = |text: String, member: &str| text.replacen('}', &format!(",{member}:null}}"), 1);
    let (statement, payload) = (good().to_string(), simple_signing_payload("r.io/app", subject()).to_string());
    bent.stage.refuses([
        ("subject before", bent.signed(doubled(statement.clone(), "\"subject\"", "[]")), EvidenceMalformed),
        ("digest before", bent.signed(doubled(statement.clone(), "\"sha256\"", "\"00\"")), EvidenceMalformed),
        ("digest after", bent.signed(last(statement.clone(), "\"sha256\"")), EvidenceMalformed),
        ("escaped", bent.signed(doubled(statement.clone(), "\"subject\"", "1,\"\\u0073ubject\":2")), EvidenceMalformed),
        ("type before", bent.signed(doubled(statement, "\"_type\"", "\"x\"")), EvidenceMalformed),
        ("critical before", bent.simple(doubled(payload.clone(), "\"critical\"", "{}")), EvidenceMalformed),
        ("type within", bent.simple(doubled(payload, "\"type\"", "\"x\"")), EvidenceMalformed),
    ]);
}

#[test]
fn o16_json_that_breaks_parsers() {
    let bent = Bent::new();
    let predicate = |text: &str| {
        let whole = edited(&good(), "/predicate", json!("HERE")).to_string();
        bent.signed(whole.replace("\"HERE\"", text))
    };
    bent.stage.accepts(&predicate("[1.5,-2,\"\\ud83d\\ude00\"]"));
    let utf16: Vec<u8> = good().to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    bent.stage.refuses([
        ("ten thousand deep", predicate(&"[".repeat(10_000)), EvidenceMalformed),
        ("deep and closed", predicate(&("[".repeat(10_000) + &"]".repeat(10_000))), EvidenceMalformed),
        ("an endless number", predicate("1e400"), EvidenceMalformed),
        ("no number", predicate("NaN"), EvidenceMalformed),
        ("half a character", predicate("\"\\ud83d\""), EvidenceMalformed),
        ("a byte order mark", bent.signed(format!("\u{feff}{}", good())), EvidenceMalformed),
        ("UTF-16", bent.signed(utf16), EvidenceMalformed),
        (
            "a null in a name",
            bent.signed(good().to_string().replace("\"subject\"", "\"subject\\u0000\"")),
            EvidenceMalformed,
        ),
        ("a null byte", predicate("\"\u{0}\""), EvidenceMalformed),
        ("not UTF-8", bent.signed(b"{\"_type\":\"\xff\"}".to_vec()), EvidenceMalformed),
        ("two documents", bent.signed(format!("{0}{0}", good())), EvidenceMalformed),
    ]);
    // A million elements are within an attestation's limit and no more than that.
    let million = format!("[{}0]", "0,".repeat(1_000_000));
    let large = edited(&edited(&good(), "/predicateType", json!(SBOM)), "/predicate", json!("HERE")).to_string();
    bent.stage.accepts(&bent.signed(large.replace("\"HERE\"", &million)));
    bent.stage.refuses([("a signature of a million", predicate(&million), EvidenceTooLarge)]);
}

#[test]
fn o17_a_legacy_payload_of_another_type_or_digest() {
    let bent = Bent::new();
    let good = simple_signing_payload("r.io/app", subject());
    let simple = |pointer: &str, value: Value| bent.simple(edited(&good, pointer, value).to_string());
    let missing = |pointer: &str| bent.simple(without(&good, pointer).to_string());
    bent.stage.refuses([
        ("another type", simple("/critical/type", json!("atomic container signature")), EvidenceUnsupported),
        ("no type", missing("/critical/type"), EvidenceMalformed),
        ("no image", missing("/critical/image"), EvidenceMalformed),
        ("no identity", missing("/critical/identity"), EvidenceMalformed),
        ("no critical part", missing("/critical"), EvidenceMalformed),
        ("more", simple("/critical/more", json!(1)), EvidenceMalformed),
        (
            "a child's digest",
            simple("/critical/image/docker-manifest-digest", json!(another().to_string())),
            SubjectMismatch,
        ),
    ]);
}

/// The digest binds it; our language has no `requireReferenceMatch`.
#[test]
fn o18_a_legacy_payload_that_names_another_repository_is_about_the_digest() {
    let bent = Bent::new();
    for reference in ["r.io/other", "r.io/app:1", "", "elsewhere.test:5000/a/b@sha256:00"] {
        bent.stage.accepts(&bent.simple(simple_signing_payload(reference, subject()).to_string()));
    }
    let about = simple_signing_payload(&format!("r.io/app@{}", subject()), another()).to_string();
    bent.stage.refuses([("ours in the name only", bent.simple(about), SubjectMismatch)]);
}

#[test]
fn o64_a_digest_of_another_algorithm_is_not_ours() {
    let bent = Bent::new();
    let sha512 = sigstore_verify::crypto::sha512(b"the image").to_hex();
    let digests = |value: Value| bent.statement("/subject/0/digest", value);
    bent.stage.accepts(&digests(json!({ "sha512": sha512, "sha256": subject().hex() })));
    bent.stage.refuses([("sha512 only", digests(json!({ "sha512": sha512 })), SubjectMismatch)]);
    assert!(format!("sha512:{sha512}").parse::<Digest>().is_err());
}
