//! What real cosign 2 and 3 wrote with a key of each kind (`tests/tools/key-fixtures`): every piece verifies with its key,
//! and nothing else does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::discovery::{Beside, Candidate};
use crate::policy::{Name, PublicKey};
use crate::trust::Root;

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
/// The same with the entry of a real Rekor, of version 1 or 2, by the kinds of key that cosign can log.
const LOGGED: &str = include_str!("../../../tests/fixtures/keys/logged.json");
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
    verify_all(&evidence(pieces), &subject_of(record), &[Arc::new(by)], against(&crate::test_support::patient()))
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

fn logged(piece: &Value) -> Candidate {
    if piece["bundle"].is_string() {
        return candidate(Material::Bundle(text(&piece["bundle"]).to_owned().into()));
    }
    let annotation = |name: &str| piece["annotations"][name].as_str().map(str::to_owned);
    let signature = annotation("dev.cosignproject.cosign/signature").expect("a signature");
    let beside = Beside { bundle: annotation("dev.sigstore.cosign/bundle"), ..Beside::default() };
    candidate(Material::SimpleSigning { payload: text(&piece["payload"]).to_owned().into(), signature }).with(beside)
}

#[test]
fn what_cosign_logs_with_each_kind_of_key_verifies_with_its_log() {
    let record = json(LOGGED);
    let name = Name::new("lab").expect("a name");
    let root = Root::parse(text(&record["root"])).expect("a trusted root");
    let trust = Trust::of([(name, Arc::new(root))].into());
    let (limits, revoked) = (crate::test_support::patient(), Revoked::default());
    let now = Timestamp(record["at"].as_u64().expect("seconds"));
    let judged = |candidates: Vec<Candidate>, piece: &Value, key: &str, now| {
        let by = authority(&piece[key]).demanding(true, Validity::ALWAYS).rooted("lab");
        let set = EvidenceSet { candidates, ..evidence(Vec::new()) };
        let against = Against { trust: &trust, revoked: &revoked, limits: &limits, now };
        verify_all(&set, &subject_of(piece), &[Arc::new(by)], against)
    };
    let pieces = record["evidence"].as_array().expect("a list");
    assert_eq!(pieces.len(), 8);
    for piece in pieces {
        let by = text(&piece["by"]);
        let found = judged(vec![logged(piece)], piece, "key", now);
        assert_eq!((found.verified.len(), found.rejected), (1, vec![]), "{by}");
        let other = judged(vec![logged(piece)], piece, "otherKey", now);
        assert_eq!((other.verified.len(), other.rejected[0].reason), (0, Reason::KeyMismatch), "{by}");
        let before = judged(vec![logged(piece)], piece, "key", Timestamp(now.0 - 86_400));
        assert!(before.verified.is_empty(), "{by}: from the future");
        // The entry of one signature beside another.
        for other in
            pieces.iter().filter(|other| *other != piece && other["bundle"].is_null() && piece["bundle"].is_null())
        {
            let borrowed = logged(piece).with(logged(other).beside().clone());
            let found = judged(vec![borrowed], piece, "key", now);
            assert_eq!((found.verified.len(), found.rejected[0].reason), (0, Reason::LogEntryMismatch), "{by}");
        }
    }
}
