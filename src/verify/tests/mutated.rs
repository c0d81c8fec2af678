//! Evidence of the virtual Sigstore with one thing changed: all that is still accepted is listed here, with the reason.

use serde_json::{Value, json};

use super::mutations::pointers;
use super::scene::*;
use crate::demo::sigstore::{Key, Pieces, Recipe};
use crate::discovery::Material;
use crate::discovery::double::candidate;
use crate::policy::Authority;
use crate::test_support::SIGSTORE;
use crate::verify::signer::{bytes, edited, without};

/// What may change: the end of a pointer, and why.
const FREE: &[(&str, &str)] =
    &[("/publicKey/hint", "a hint never decides"), ("/publicKey", "an empty one is a hint left out")];

/// The same for entries of Rekor v2, whose proof repeats what only the checkpoint says with authority.
const FREE_V2: &[(&str, &str)] = &[
    ("/inclusionProof/logIndex", "the entry's own index is proven"),
    ("/inclusionProof/rootHash", "the checkpoint's root is what the proof leads to"),
    ("/inclusionProof/treeSize", "the checkpoint's size is what the proof is of"),
];

/// The same where the time is known twice, or need not be known.
const FREE_TIMES: &[(&str, &str)] = &[
    ("/timestampVerificationData", "the log's promise says when, or a key does not ask"),
    ("/timestampVerificationData/rfc3161Timestamps", "the same"),
    ("/timestampVerificationData/rfc3161Timestamps/0", "the same"),
    ("/inclusionPromise", "the time stamp says when"),
];

fn accepted(bundle: &Value, by: &Authority) -> bool {
    judged(&candidate(Material::Bundle(bytes(bundle))), by).is_ok()
}

/// Every pointer at which `bundle` was changed and still accepted, with the change.
fn survivors(bundle: &Value, by: &Authority, free: &[(&str, &str)]) -> Vec<String> {
    assert!(accepted(bundle, by), "{bundle:#}");
    let replacements = [json!(null), json!(0), json!(true), json!(""), json!("AAAA"), json!([]), json!({})];
    let mut all = Vec::new();
    pointers(bundle, "", &mut all);
    let mut found = Vec::new();
    for pointer in all.iter().filter(|pointer| !free.iter().any(|(end, _)| pointer.ends_with(end))) {
        if accepted(&without(bundle, pointer), by) {
            found.push(format!("{pointer} left out"));
        }
        for with in &replacements {
            let changed = edited(bundle, pointer, with.clone());
            if changed != *bundle && accepted(&changed, by) {
                found.push(format!("{pointer} = {with}"));
            }
        }
    }
    found
}

#[test]
fn no_member_can_be_dropped_or_replaced() {
    let key = Key::p256().expect("a key");
    let keyed = SIGSTORE.keyed(&key, NOW);
    for (recipe, by, free) in [
        (myorg(), by_myorg(), FREE.to_vec()),
        (SIGSTORE.stamped(myorg()), by_myorg(), [FREE, FREE_TIMES].concat()),
        (SIGSTORE.with_rekor_v2(myorg()), by_myorg(), [FREE, FREE_V2].concat()),
        (SIGSTORE.stamped(keyed.clone()), by_key(&key), [FREE, FREE_TIMES].concat()),
        (SIGSTORE.with_rekor_v2(keyed), by_key(&key), [FREE, FREE_V2, FREE_TIMES].concat()),
    ] {
        let bundle = recipe.sign(signed_statement()).expect("signs").bundle();
        assert_eq!(survivors(&bundle, &by, &free), Vec::<String>::new());
    }
}

/// Which bytes are changed.
type Part = fn(&mut Pieces) -> &mut Vec<u8>;

/// `pieces` with one bit of one byte of each part changed, a few bytes apart.
fn flipped(pieces: &Pieces, part: Part, step: usize) -> impl Iterator<Item = (usize, Pieces)> {
    let length = part(&mut pieces.clone()).len();
    (0..length).step_by(step).map(move |at| {
        let mut changed = pieces.clone();
        part(&mut changed)[at] ^= 1 << (at % 8);
        (at, changed)
    })
}

/// Whether `at` is in the names of algorithms that a stamp's signature does not cover and that nobody goes by: the list
/// of hashes at the beginning, and that of the signature, which the key tells.
fn within_algorithm(stamp: &[u8], at: usize) -> bool {
    let sha256 = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let ecdsa = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    [&sha256[..], &ecdsa].iter().any(|oid| {
        let begin = stamp.windows(oid.len()).position(|window| window == *oid).expect("the algorithm");
        // With the head of the sequence around it.
        (begin - 4..begin + oid.len()).contains(&at)
    })
}

#[test]
fn no_byte_can_be_changed() {
    let mut found = Vec::new();
    for recipe in [SIGSTORE.stamped(myorg()), SIGSTORE.with_rekor_v2(myorg())] {
        let mut pieces = Recipe::sign(&recipe, signed_statement()).expect("signs");
        // Certificates within a stamp are nobody's word: the trusted root's is used. Without them every byte counts.
        let mut token = SIGSTORE.tsa.token(&pieces.signature, NOW + 1);
        token.certificates.clear();
        pieces.stamps = vec![SIGSTORE.tsa.sign(&token).expect("signs")];
        let parts: [(&str, Part, usize); 5] = [
            ("signature", |pieces| &mut pieces.signature, 3),
            ("certificate", |pieces| pieces.certificate.as_mut().expect("a certificate"), 11),
            ("body", |pieces| &mut pieces.entries[0].body, 23),
            ("stamp", |pieces| &mut pieces.stamps[0], 11),
            ("path", |pieces| &mut pieces.entries[0].proof.as_mut().expect("a proof").hashes[0], 7),
        ];
        for (name, part, step) in parts {
            let free = |at: usize| name == "stamp" && within_algorithm(&pieces.stamps[0], at);
            let changed = flipped(&pieces, part, step)
                .filter(|(at, changed)| !free(*at) && judged(&bundle(changed), &by_myorg()).is_ok());
            found.extend(changed.map(|(at, _)| format!("{name} at {at}")));
        }
        if pieces.entries[0].promise.is_some() {
            let promise = flipped(&pieces, |pieces| pieces.entries[0].promise.as_mut().expect("a promise"), 3);
            let changed = promise.filter(|(_, changed)| judged(&bundle(changed), &by_myorg()).is_ok());
            found.extend(changed.map(|(at, _)| format!("promise at {at}")));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}
