//! For tests: no change to good evidence goes unnoticed.

use serde_json::{Value, json};

use super::super::signer::{Signer, bytes, edited, simple_signing, statement, without};
use super::super::statement::COSIGN_SIGN;
use super::super::*;
use super::verify_one;
use crate::discovery::Material;
use crate::discovery::double::candidate;
use crate::test_support::against;

fn subject() -> Digest {
    Digest::of(b"the image")
}

fn tried(material: Material, by: &Authority) -> Result<Verified, Rejection> {
    verify_one(&candidate(material), &subject(), by, against(&crate::test_support::patient()))
}

/// A JSON pointer to everything inside `value`.
pub(super) fn pointers(value: &Value, here: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, child)| (name.replace('/', "~1"), child)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, child)| (n.to_string(), child)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        all.push(format!("{here}/{name}"));
        pointers(child, &format!("{here}/{name}"), all);
    }
}

#[test]
fn no_changed_byte_of_good_evidence_verifies() {
    let key = Signer::new();
    let by = key.authority("release");
    let bundle = key.bundle(&bytes(&statement(&subject(), COSIGN_SIGN))).to_string();
    let hint_at = bundle.find(&key.hint()).expect("the hint");
    let hint = hint_at..hint_at + key.hint().len();
    let flips = |length: usize| (0..length).flat_map(|at| [1, 2, 0x20, 0x80].map(|mask| (at, mask)));
    for (at, mask) in flips(bundle.len()).filter(|(at, _)| !hint.contains(at)) {
        let mut changed = bundle.clone().into_bytes();
        changed[at] ^= mask;
        let text = String::from_utf8_lossy(&changed).into_owned();
        assert!(tried(Material::Bundle(changed.into()), &by).is_err(), "byte {at} ^ {mask}: {text}");
    }
    for length in 0..bundle.len() {
        assert!(tried(Material::Bundle(bundle.clone().into_bytes()[..length].to_vec().into()), &by).is_err());
    }

    let payload = bytes(&simple_signing(&subject()));
    let signature = key.sign(&payload);
    for (at, mask) in flips(payload.len()) {
        let mut changed = payload.to_vec();
        changed[at] ^= mask;
        let material = Material::SimpleSigning { payload: changed.into(), signature: signature.clone() };
        assert!(tried(material, &by).is_err(), "payload byte {at} ^ {mask}");
    }
    for (at, mask) in flips(signature.len()).filter(|(_, mask)| *mask < 0x80) {
        let mut changed = signature.clone().into_bytes();
        changed[at] ^= mask;
        let signature = String::from_utf8(changed).expect("still ASCII");
        let material = Material::SimpleSigning { payload: payload.clone(), signature };
        assert!(tried(material, &by).is_err(), "signature byte {at} ^ {mask}");
    }
}

#[test]
fn no_member_of_good_evidence_can_be_dropped_or_replaced() {
    let key = Signer::new();
    let by = key.authority("release");
    let bundle = key.bundle(&bytes(&statement(&subject(), COSIGN_SIGN)));
    // A hint decides nothing, and observers are not demanded of a key without a transparency log.
    let free = ["/verificationMaterial/publicKey/hint", "/verificationMaterial/timestampVerificationData"];
    let replacements = [json!(null), json!(0), json!(true), json!(""), json!("AAAA"), json!([]), json!({})];
    let mut all = Vec::new();
    pointers(&bundle, "", &mut all);
    for pointer in all.iter().filter(|pointer| !free.contains(&pointer.as_str())) {
        let dropped = Material::Bundle(bytes(&without(&bundle, pointer)));
        assert!(tried(dropped, &by).is_err(), "without {pointer}");
        for with in &replacements {
            let material = Material::Bundle(bytes(&edited(&bundle, pointer, with.clone())));
            // An empty `publicKey` is the hint left out.
            let hintless = pointer == "/verificationMaterial/publicKey" && *with == json!({});
            assert_eq!(tried(material, &by).is_ok(), hintless, "{pointer} = {with}");
        }
    }

    let payload = simple_signing(&subject());
    let signature = key.sign(&bytes(&payload));
    let mut all = Vec::new();
    pointers(&payload, "", &mut all);
    for pointer in all {
        for changed in [without(&payload, &pointer), edited(&payload, &pointer, json!("changed"))] {
            let material = Material::SimpleSigning { payload: bytes(&changed), signature: signature.clone() };
            assert!(tried(material, &by).is_err(), "{pointer}");
        }
    }
}
