//! Signatures by keys: the wrong kind of signer, and signatures that a lax verifier would take.

use super::*;

fn stage() -> (Stage, Recipe) {
    let key = key();
    let stage = Stage { log: false, ..Stage::of(&[&key]) };
    (stage, Recipe { logs: vec![], ..SIGSTORE.keyed(&key, NOW) })
}

#[test]
fn a12_a_key_is_used_within_its_validity() {
    let key = key();
    let valid = |from: i64, to: i64| Validity { not_before: at(from), not_after: at(to) };
    let stage = Stage::of(&[&key]);
    for recipe in [SIGSTORE.keyed(&key, NOW), SIGSTORE.with_rekor_v2(SIGSTORE.keyed(&key, NOW))] {
        let good = bundle(&stage.good(&recipe));
        // What counts is when it signed, an hour ago: at `NOW + 1`.
        Stage { validity: valid(NOW, NOW + 1), ..stage.clone() }.accepts(&good);
        Stage { validity: valid(NOW + 1, NOW + 2), ..stage.clone() }.accepts(&good);
        let ended = Stage { validity: valid(NOW - 10, NOW), ..stage.clone() };
        ended.refuses([("signed after its end", good.clone(), KeyMismatch)]);
        let later = Stage { validity: valid(NOW + 2, NOW + 9999), ..stage.clone() };
        later.refuses([("signed before its beginning", good, KeyMismatch)]);
    }
    let (stage, recipe) = self::stage();
    let good = bundle(&stage.good(&recipe));
    let ended = Stage { validity: valid(NOW - 10, NOW), ..stage };
    ended.refuses([("no time but the present", good, KeyMismatch)]);
}

#[test]
fn o33_another_kind_of_signer_than_was_wanted() {
    let (stage, recipe) = stage();
    let good = stage.good(&recipe);
    let by_identity = SIGSTORE.stamped(myorg()).sign(statement()).expect("signs");
    let hint = |text: &str| document(&edited(&good.bundle(), "/verificationMaterial/publicKey/hint", json!(text)));
    let stranger = Recipe { key: key(), ..recipe.clone() }.sign(statement()).expect("signs");
    let edwards = Key::of(&rcgen::PKCS_ED25519).expect("a key");
    let edwards = Recipe { key: edwards, ..recipe.clone() }.sign(statement()).expect("signs");
    // A hint never decides.
    for text in ["", "another", &base64(&stranger.key.id())] {
        stage.accepts(&hint(text));
    }
    let named = edited(&stranger.bundle(), "/verificationMaterial/publicKey/hint", json!(base64(&good.key.id())));
    stage.refuses([
        ("a certificate", bundle(&by_identity), KeyMismatch),
        ("another key", bundle(&stranger), KeyMismatch),
        ("another key in our name", document(&named), SignatureInvalid),
        ("a key of another kind", bundle(&edwards), KeyMismatch),
    ]);
    let keyless = Stage::keyless();
    keyless.good(&myorg());
    keyless.refuses([("a key, where an identity was wanted", bundle(&good), IdentityMismatch)]);
    // Whoever has the certificate's key is not the identity without it.
    let recipe = myorg();
    let without = Recipe { certificate: None, ..recipe.clone() }.sign(statement()).expect("signs");
    keyless.refuses([("its key without its certificate", bundle(&without), IdentityMismatch)]);
    // Several keys of an authority: any of them, and no other.
    let two = Stage { wanted: Wanted::Keys(vec![key(), good.key.clone()]), ..stage };
    two.accepts(&bundle(&good));
    two.refuses([("a third", bundle(&stranger), KeyMismatch)]);
}

/// `r` and `s` of a signature over P-256.
fn parts(signature: &[u8]) -> [Vec<u8>; 2] {
    let parts = crate::demo::sigstore::der::children(signature);
    [parts[0], parts[1]].map(|part| {
        let digits = &part[2..];
        let digits = &digits[digits.iter().take_while(|byte| **byte == 0).count()..];
        [vec![0; 32 - digits.len()], digits.to_vec()].concat()
    })
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let sign: &[u8] = if digits.first().is_none_or(|byte| *byte > 0x7f) { &[0] } else { &[] };
    crate::demo::sigstore::der::tlv(0x02, &[sign, digits].concat())
}

fn signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    crate::demo::sigstore::der::sequence(&[integer(r), integer(s)])
}

/// `a - b`, as long as that is not negative.
fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = (0..a.len())
        .rev()
        .map(|at| {
            let difference = i16::from(a[at]) - i16::from(b[at]) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).expect("a byte")
        })
        .collect();
    digits.reverse();
    digits
}

/// The order of the group of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn o34_degenerate_signatures() {
    let (stage, recipe) = stage();
    let good = stage.good(&recipe);
    let with = |signature: Vec<u8>| bundle(&Pieces { signature, ..good.clone() });
    let [r, s] = parts(&good.signature);
    // The other of the two values of `s` verifies as well: it is the same signer over the same content.
    stage.accepts(&with(signature(&r, &minus(&ORDER, &s))));
    stage.accepts(&with(signature(&r, &s)));
    let long_form = [&[0x30, 0x81, good.signature[1]], &good.signature[2..]].concat();
    let mut trailing = good.signature.clone();
    trailing.push(0);
    let negative = crate::demo::sigstore::der::sequence(&[
        crate::demo::sigstore::der::tlv(2, &[0x80]),
        crate::demo::sigstore::der::tlv(2, &s[1..]),
    ]);
    stage.refuses([
        ("r is zero", with(signature(&[], &s)), SignatureInvalid),
        ("s is zero", with(signature(&r, &[])), SignatureInvalid),
        ("both are zero", with(signature(&[], &[])), SignatureInvalid),
        ("r is the order", with(signature(&ORDER, &s)), SignatureInvalid),
        ("s is the order", with(signature(&r, &ORDER)), SignatureInvalid),
        ("r is negative", with(negative), SignatureInvalid),
        ("swapped", with(signature(&s, &r)), SignatureInvalid),
        ("a long form of the length", with(long_form), SignatureInvalid),
        ("a byte more", with(trailing), SignatureInvalid),
        ("bare numbers", with([r, s].concat()), SignatureInvalid),
        ("nothing", with(vec![]), SignatureInvalid),
    ]);
}

/// Keys for which a signature verifies that nobody made.
#[test]
fn o34_keys_of_small_order() {
    const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let pem = |raw: &[u8]| crate::demo::sigstore::key::pem("PUBLIC KEY", &[&PREFIX[..], raw].concat());
    let honest = Key::of(&rcgen::PKCS_ED25519).expect("a key");
    let raw = honest.spki()[12..].to_vec();
    let ours = PublicKey::from_pem(&pem(&raw)).expect("a key");
    let message = b"message".to_vec();
    let signature = honest.sign(&message).expect("signs");
    assert!(ours.verifies(&message, &signature));
    // `s` plus the order of the group is the same number to a lax verifier.
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    let mut more = signature.clone();
    for (digit, added) in more[32..].iter_mut().zip(order) {
        let sum = u16::from(*digit) + u16::from(added) + carry;
        (*digit, carry) = (u8::try_from(sum & 0xff).expect("a byte"), sum >> 8);
    }
    assert!(!ours.verifies(&message, &more), "a second form of one signature");
    let mut neutral = vec![0; 32];
    neutral[0] = 1;
    for small in [neutral.clone(), vec![0; 32], {
        let mut y = vec![0xff; 32];
        (y[0], y[31]) = (0xec, 0x7f);
        y
    }] {
        let Ok(key) = PublicKey::from_pem(&pem(&small)) else { continue };
        for first in [&neutral, &small] {
            let forged = [first.as_slice(), &[0; 32]].concat();
            for message in [&b"a"[..], b"b", b"c", b"d", b"e", b"f", b"g", b"h"] {
                assert!(!key.verifies(message, &forged), "{small:?} {first:?}");
            }
        }
    }
}

/// Which hash goes with which curve is in `policy::public_key`; here each kind signs in every form.
#[test]
fn o35_keys_of_each_kind() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_ED25519,
    ] {
        let (key, other) = (Key::of(algorithm).expect("a key"), Key::of(algorithm).expect("a key"));
        let stage = Stage { log: false, ..Stage::of(&[&key]) };
        let recipe = Recipe { logs: vec![], ..SIGSTORE.keyed(&key, NOW) };
        let (good, old) = (stage.good(&recipe), stage.good_legacy(&recipe));
        let theirs = Recipe { key: other, ..recipe }.sign(statement()).expect("signs");
        let mut bent = good.signature.clone();
        *bent.last_mut().expect("a byte") ^= 1;
        stage.refuses([
            ("another key of the kind", bundle(&theirs), KeyMismatch),
            ("a bit", bundle(&Pieces { signature: bent.clone(), ..good }), SignatureInvalid),
            ("a bit, legacy", legacy(&Pieces { signature: bent, ..old }), KeyMismatch),
        ]);
    }
}
