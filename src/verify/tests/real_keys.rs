//! What real cosign 2 and 3 wrote with a key of each kind (`tests/tools/key-fixtures`): every piece verifies with its key,
//! and nothing else does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::policy::PublicKey;

/// Evidence by kind of key. The keys that openssl signed with are others of the same kinds.
const RECORDED: [(&str, &str); 7] = [
    ("ed25519", include_str!("../../../tests/fixtures/keys/ed25519.json")),
    ("p256", include_str!("../../../tests/fixtures/keys/p256.json")),
    ("p384", include_str!("../../../tests/fixtures/keys/p384.json")),
    ("p521", include_str!("../../../tests/fixtures/keys/p521.json")),
    ("rsa2048", include_str!("../../../tests/fixtures/keys/rsa2048.json")),
    ("rsa3072", include_str!("../../../tests/fixtures/keys/rsa3072.json")),
    ("rsa4096", include_str!("../../../tests/fixtures/keys/rsa4096.json")),
];
const OTHERS: &str = include_str!("../../../tests/fixtures/keys/signatures.json");

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn authority(pem: &Value) -> Authority {
    Authority::of_keys("cosign", vec![PublicKey::from_pem(text(pem)).expect("a key")])
}

fn subject_of(record: &Value) -> Digest {
    text(&record["digest"]).parse().expect("a digest")
}

/// One recorded piece, with `change` made to the bytes of its signature.
fn material(piece: &Value, change: impl Fn(&mut Vec<u8>)) -> Material {
    let changed = |signature: &Value| {
        let mut bytes = STANDARD.decode(text(signature)).expect("base64");
        change(&mut bytes);
        STANDARD.encode(bytes)
    };
    let enveloped = |whole: &Value, path: &str| {
        let mut whole = json(text(whole));
        let signature = whole.pointer_mut(path).expect("a signature");
        *signature = changed(signature).into();
        bytes(&whole)
    };
    if piece["bundle"].is_string() {
        Material::Bundle(enveloped(&piece["bundle"], "/dsseEnvelope/signatures/0/sig"))
    } else if piece["envelope"].is_string() {
        Material::Envelope(enveloped(&piece["envelope"], "/signatures/0/sig"))
    } else {
        let payload = text(&piece["payload"]).to_owned().into();
        Material::SimpleSigning { payload, signature: changed(&piece["signature"]) }
    }
}

fn findings(pieces: Vec<Material>, record: &Value, by: Authority) -> Findings {
    verify_all(&evidence(pieces), &subject_of(record), &[Arc::new(by)], against(&Limits::default()))
}

#[test]
fn what_cosign_writes_with_each_kind_of_key_verifies() {
    for (kind, recorded) in RECORDED {
        let record = json(recorded);
        let pieces = record["evidence"].as_array().expect("a list");
        let all = pieces.iter().map(|piece| material(piece, |_| ())).collect();
        let found = findings(all, &record, authority(&record["key"]));
        assert_eq!(found.rejected, [], "{kind}");
        let claims = found.verified.iter().map(|proof| (proof.format(), proof.claim().clone()));
        let mut claims: Vec<_> = claims.map(|claim| format!("{claim:?}")).collect();
        claims.sort();
        // By each of the two, in each of the two formats: a signature and an attestation.
        let attested = |format: &str| format!("({format}, Attestation({SBOM:?}))");
        let signed = |format: &str| format!("({format}, Signature)");
        let expected = [attested("Bundle"), signed("Bundle"), attested("Legacy"), signed("Legacy")];
        assert_eq!(claims, expected.map(|claim| [claim.clone(), claim]).concat(), "{kind}");
    }
}

#[test]
fn another_key_of_the_same_kind_another_image_and_a_changed_signature_are_refused() {
    let others = json(OTHERS);
    for (kind, recorded) in RECORDED {
        let record = json(recorded);
        let pieces = record["evidence"].as_array().expect("a list");
        let all = || pieces.iter().map(|piece| material(piece, |_| ())).collect::<Vec<_>>();
        let other = findings(all(), &record, authority(&others["by"][kind]["key"]));
        assert!(other.verified.is_empty(), "{kind}: another key");
        assert!(other.rejected.iter().all(|one| one.reason == Reason::KeyMismatch), "{kind}: {:?}", other.rejected);

        let elsewhere = serde_json::json!({ "digest": Digest::of(b"another image").to_string() });
        let other = findings(all(), &elsewhere, authority(&record["key"]));
        assert!(other.verified.is_empty(), "{kind}: another image");
        assert!(other.rejected.iter().all(|one| one.reason == Reason::SubjectMismatch), "{kind}: {:?}", other.rejected);

        for piece in pieces {
            let length = std::cell::Cell::new(0);
            material(piece, |signature| length.set(signature.len()));
            let places: Vec<_> = (0..length.get()).step_by(length.get().div_ceil(16)).collect();
            let flipped = |at: &usize| material(piece, |signature| signature[*at] ^= 1);
            let found = findings(places.iter().map(flipped).collect(), &record, authority(&record["key"]));
            assert_eq!((found.verified.len(), found.rejected.len()), (0, places.len()), "{kind}: {piece}");
        }
    }
}
