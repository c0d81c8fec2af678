//! What an attacker can copy from good evidence and blow up: parts that no signature covers must be bounded before
//! anything is done for each of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::scene::*;
use crate::demo::sigstore::{Key, Kind, Pieces, Recipe, der};
use crate::policy::{Authority, Validity};
use crate::reason::Reason;
use crate::test_support::SIGSTORE;

/// A checkpoint with `count` signatures before the log's own that name its key and are none.
fn flooded(pieces: &mut Pieces, count: usize) {
    let hint = pieces.entries[0].log[..4].to_vec();
    let proof = pieces.entries[0].proof.as_mut().expect("a proof");
    let (text, own) = proof.checkpoint.split_once("\n\n").expect("a signed note");
    let name = own.split(' ').nth(1).expect("a name");
    let line = |number: usize| {
        let forged = [&hint[..], &number.to_be_bytes(), &[7; 56]].concat();
        format!("\u{2014} {name} {}\n", STANDARD.encode(forged))
    };
    let forged: String = (0..count).map(line).collect();
    proof.checkpoint = format!("{text}\n\n{forged}{own}");
}

#[test]
fn only_so_many_signatures_of_a_checkpoint_are_tried() {
    for recipe in [myorg(), SIGSTORE.with_rekor_v2(myorg())] {
        let with = |count| reason(&bent(&recipe, |pieces| flooded(pieces, count)), &by_myorg());
        assert_eq!([with(0), with(63), with(64)], [None, None, Some(Reason::EvidenceTooLarge)]);
    }
    let key = Key::p256().expect("a key");
    let recipe = SIGSTORE.keyed(&key, NOW);
    let with = |count| reason(&bent(&recipe, |pieces| flooded(pieces, count)), &by_key(&key));
    assert_eq!([with(0), with(63), with(64)], [None, None, Some(Reason::EvidenceTooLarge)]);
}

/// `stamp` with `count` further digest algorithms, which the signature of the stamp does not cover.
fn bloated(stamp: &[u8], count: u64) -> Vec<u8> {
    let owned = |der: &[u8]| der::children(der).iter().map(|part| part.to_vec()).collect::<Vec<_>>();
    let answer = owned(stamp);
    let content = owned(&answer[1]);
    let mut data = owned(der::children(&content[1])[0]);
    let algorithm = |number| der::sequence(&[der::oid(&[1, 2, number])]);
    let mut all = owned(&data[1]);
    all.extend((1000..1000 + count).rev().map(algorithm));
    data[1] = der::tlv(0x31, &all.concat());
    let content = der::sequence(&[content[0].clone(), der::tagged(0, &der::sequence(&data))]);
    der::sequence(&[answer[0].clone(), content])
}

#[test]
fn time_stamps_are_bounded_before_they_are_parsed() {
    let recipe = SIGSTORE.with_rekor_v2(myorg());
    let stamps = |count: usize, algorithms: u64| {
        bent(&recipe, |pieces| {
            let stamp = |at: i64| SIGSTORE.tsa.stamp(&pieces.signature, NOW + at).expect("signs");
            pieces.stamps = (1..).take(count).map(|at| bloated(&stamp(at), algorithms)).collect();
        })
    };
    for (count, algorithms, expected) in [
        (1, 0, None),
        (1, 300, None),
        (1, 2500, Some(Reason::EvidenceTooLarge)),
        (4, 300, None),
        (8, 1500, Some(Reason::EvidenceTooLarge)),
    ] {
        assert_eq!(reason(&stamps(count, algorithms), &by_myorg()), expected, "{count} × {algorithms}");
    }
    let mut beside = myorg().sign(payload()).expect("signs");
    beside.stamps = vec![bloated(&SIGSTORE.tsa.stamp(&beside.signature, NOW + 1).expect("signs"), 2500)];
    assert_eq!(reason(&legacy(&beside), &by_myorg()), Some(Reason::EvidenceTooLarge));
}

#[test]
fn the_body_of_a_log_entry_is_bounded_before_it_is_parsed() {
    for kind in [Kind::Dsse, Kind::InTotoV2] {
        let recipe = Recipe { kind: Some(kind), ..myorg() };
        let padded = bent(&recipe, |pieces| pieces.entries[0].body.resize(65 << 10, b' '));
        assert_eq!(reason(&padded, &by_myorg()), Some(Reason::EvidenceTooLarge));
    }
}

#[test]
fn the_number_of_an_entry_is_told_only_if_the_log_vouches_for_it() {
    let forged = |promised: bool| {
        bent(&SIGSTORE.stamped(myorg()), |pieces| {
            let entry = &mut pieces.entries[0];
            entry.promise = entry.promise.take().filter(|_| promised);
            entry.index += if promised { 0 } else { 7 };
        })
    };
    let strict = by_myorg();
    let lax = by_myorg().demanding(false, Validity::ALWAYS);
    let index = |promised, by: &Authority| judged(&forged(promised), by).map(|signing| signing.log_index());
    assert_eq!(index(true, &strict), Ok(Some(1004)));
    assert_eq!(index(false, &strict), Ok(None), "the proof has only the number within its tree");
    assert_eq!([index(true, &lax), index(false, &lax)], [Ok(None), Ok(None)], "nobody verified the entry");
}
