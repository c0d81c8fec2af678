//! Time stamps: of something else, by somebody else, of every wrong shape.

use super::*;
use crate::demo::sigstore::certificate::{CODE_SIGNING, EXTENDED_KEY_USAGE, TIME_STAMPING};
use crate::demo::sigstore::trusted_root::authority;
use crate::demo::sigstore::tsa::Token;
use crate::demo::sigstore::{Extension as X509Extension, Template, Tsa, der};

/// Nothing but the stamp says when: Rekor v2.
fn stage() -> (Stage, Pieces) {
    let stage = Stage::keyless();
    let good = stage.good(&SIGSTORE.with_rekor_v2(myorg()));
    (stage, good)
}

fn stamped(pieces: &Pieces, stamp: Vec<u8>) -> Candidate {
    bundle(&Pieces { stamps: vec![stamp], ..pieces.clone() })
}

fn token(tsa: &Tsa, over: &[u8], bend: impl FnOnce(&mut Token)) -> Vec<u8> {
    let mut token = tsa.token(over, NOW + 1);
    bend(&mut token);
    tsa.sign(&token).expect("signs")
}

/// A trusted root that knows `tsas` and no other authority of time.
fn knowing(stage: &Stage, tsas: &[&Tsa]) -> Stage {
    let all = tsas.iter().map(|tsa| authority(&tsa.chain, "https://tsa.test")).collect();
    stage.with_root("/timestampAuthorities", all)
}

#[test]
fn a23_a_signer_without_the_usage_behind_the_real_certificate() {
    let (stage, good) = stage();
    let root = Ca::root("tsa root").expect("a key");
    let real = Tsa::under(&root, &Template::stamping()).expect("a key");
    let useless = Tsa::under(&root, &Template::stamping().with(X509Extension::usage(&[CODE_SIGNING]))).expect("a key");
    let stage = knowing(&stage, &[&real]);
    stage.accepts(&stamped(&good, real.stamp(&good.signature, NOW + 1).expect("signs")));
    let (own, theirs) = (useless.chain[0].clone(), real.chain[0].clone());
    let with = |all: Vec<Vec<u8>>| stamped(&good, token(&useless, &good.signature, |token| token.certificates = all));
    stage.refuses([
        ("the real one first", with(vec![theirs.clone(), own.clone()]), TimestampInvalid),
        ("the real one last", with(vec![own.clone(), theirs.clone()]), TimestampInvalid),
        ("the real one alone", with(vec![theirs]), TimestampInvalid),
        ("its own", with(vec![own]), TimestampInvalid),
        ("none", with(vec![]), TimestampInvalid),
    ]);
}

#[test]
fn a27_a_stamp_without_its_certificate_is_verified_with_the_trusted_one() {
    let (stage, good) = stage();
    stage.accepts(&stamped(&good, token(&SIGSTORE.tsa, &good.signature, |token| token.certificates.clear())));
    let theirs = token(&foreign().tsa, &good.signature, |token| token.certificates.clear());
    stage.refuses([("of another authority", stamped(&good, theirs), TimestampInvalid)]);
}

/// No threshold counts stamps: two of one authority say what one says.
#[test]
fn b09_two_stamps_of_one_authority_are_one_time() {
    let (stage, good) = stage();
    let later = SIGSTORE.tsa.stamp(&good.signature, NOW + 9).expect("signs");
    let two = Pieces { stamps: vec![good.stamps[0].clone(), later], ..good.clone() };
    let [one, two] = [&good, &two].map(|pieces| stage.verified(&bundle(pieces)).expect("it verifies"));
    assert_eq!(one.signing().time(), two.signing().time());
    assert_eq!(one.signer(), two.signer());
    let twice = Pieces { stamps: vec![good.stamps[0].clone(); 2], ..good.clone() };
    stage.refuses([("the same twice", bundle(&twice), EvidenceMalformed)]);
    let none = Pieces { stamps: vec![], ..good };
    stage.refuses([("none", bundle(&none), TimestampMissing)]);
}

#[test]
fn b14_a_stamp_signed_by_another_key_under_the_same_certificate() {
    let (stage, good) = stage();
    let thief = Tsa { key: key(), chain: SIGSTORE.tsa.chain.clone() };
    stage.refuses([
        (
            "with the certificate",
            stamped(&good, thief.stamp(&good.signature, NOW + 1).expect("signs")),
            TimestampInvalid,
        ),
        (
            "without it",
            stamped(&good, token(&thief, &good.signature, |token| token.certificates.clear())),
            TimestampInvalid,
        ),
    ]);
}

#[test]
fn b23_the_window_of_one_authority_with_the_certificate_of_another() {
    let (stage, good) = stage();
    let theirs = foreign().tsa;
    let stage = knowing(&stage, &[&SIGSTORE.tsa, &theirs]);
    let by_theirs = stamped(&good, theirs.stamp(&good.signature, NOW + 1).expect("signs"));
    stage.accepts(&by_theirs);
    let ended = json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
    let stage = stage.with_root("/timestampAuthorities/1/validFor", ended);
    stage.accepts(&bundle(&good));
    stage.refuses([("of the ended one", by_theirs, TimestampInvalid)]);
}

#[test]
fn b39_certificates_of_a_stamp_in_another_order() {
    let (stage, good) = stage();
    let [own, root] = [0, 1].map(|number: usize| SIGSTORE.tsa.chain[number].clone());
    let foreign = foreign().tsa.chain[0].clone();
    let orders = [vec![own.clone(), root.clone()], vec![root.clone(), own.clone()], vec![foreign, own, root]];
    for all in orders {
        stage.accepts(&stamped(&good, token(&SIGSTORE.tsa, &good.signature, |token| token.certificates = all)));
    }
    let thief = Tsa { key: key(), chain: SIGSTORE.tsa.chain.clone() };
    let stolen = token(&thief, &good.signature, |token| token.certificates = SIGSTORE.tsa.chain.clone());
    stage.refuses([("another signer", stamped(&good, stolen), TimestampInvalid)]);
}

/// The parts of a token: status and `SignedData` with its version, digests, content, certificates and signers.
fn with_signed_data(stamp: &[u8], bend: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let of = |der: &[u8]| der::children(der).into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
    let response = of(stamp);
    let content = of(&response[1]);
    let mut data = of(&of(&content[1])[0]);
    bend(&mut data);
    let content = der::sequence(&[content[0].clone(), der::tagged(0, &der::sequence(&data))]);
    der::sequence(&[response[0].clone(), content])
}

#[test]
fn o30_stamps_of_every_wrong_kind() {
    let (stage, good) = stage();
    let tsa = &SIGSTORE.tsa;
    let stamp = good.stamps[0].clone();
    let bent = |bend: &dyn Fn(&mut Token)| stamped(&good, token(tsa, &good.signature, |token| bend(token)));
    let over = |bytes: &[u8]| stamped(&good, tsa.stamp(bytes, NOW + 1).expect("signs"));
    let data = |bend: &dyn Fn(&mut Vec<Vec<u8>>)| stamped(&good, with_signed_data(&stamp, |parts| bend(parts)));
    stage.accepts(&data(&|_| ()));
    let signers = |n: usize| {
        data(&|parts| {
            let one = der::children(parts.last().expect("signers"))[0].to_vec();
            *parts.last_mut().expect("signers") = der::tlv(0x31, &one.repeat(n));
        })
    };
    // SHA-1, of which nobody needs to believe anything.
    let sha1 = |token: &mut Token| (token.algorithm, token.imprint) = (vec![1, 3, 14, 3, 2, 26], vec![7; 20]);
    let no_info = data(&|parts| parts[2] = der::sequence(&[der::oid(&[1, 2, 840, 113_549, 1, 7, 1])]));
    // Only the first signer counts, who must be the trusted authority; another beside it adds nothing.
    stage.accepts(&signers(2));
    stage.refuses([
        ("over the payload", over(good.content.payload()), TimestampInvalid),
        ("over the message", over(&good.content.message()), TimestampInvalid),
        ("over another signature", over(b"another signature"), TimestampInvalid),
        ("over nothing", over(b""), TimestampInvalid),
        ("another imprint", bent(&|token| token.imprint[0] ^= 1), TimestampInvalid),
        ("a shorter imprint", bent(&|token| token.imprint.truncate(20)), TimestampInvalid),
        ("SHA-1", bent(&sha1), TimestampInvalid),
        ("refused", bent(&|token| token.status = 2), TimestampInvalid),
        ("another content's hash", bent(&|token| token.digest = Some(vec![7; 32])), TimestampInvalid),
        ("no signer", signers(0), TimestampInvalid),
        ("no content", no_info, TimestampInvalid),
        ("empty", stamped(&good, vec![]), TimestampInvalid),
        ("null", stamped(&good, vec![5, 0]), TimestampInvalid),
        ("cut", stamped(&good, stamp[..stamp.len() - 1].to_vec()), TimestampInvalid),
        ("a byte more", stamped(&good, [&stamp[..], &[0]].concat()), TimestampInvalid),
        (
            "of another authority",
            stamped(&good, foreign().tsa.stamp(&good.signature, NOW + 1).expect("signs")),
            TimestampInvalid,
        ),
    ]);
}

#[test]
fn o30_authorities_of_time_of_every_wrong_kind() {
    let (stage, good) = stage();
    let root = Ca::root("tsa root").expect("a key");
    let judged = |template: Template| {
        let tsa = Tsa::under(&root, &template).expect("a key");
        let stamp = stamped(&good, tsa.stamp(&good.signature, NOW + 1).expect("signs"));
        (knowing(&stage, &[&tsa]), stamp)
    };
    let (fine, stamp) = judged(Template::stamping());
    fine.accepts(&stamp);
    let relaxed = X509Extension { critical: false, ..X509Extension::usage(&[TIME_STAMPING]) };
    let more = X509Extension { critical: true, ..X509Extension::usage(&[TIME_STAMPING, CODE_SIGNING]) };
    for (what, template) in [
        ("ended", Template { not_after: NOW, ..Template::stamping() }),
        ("not begun", Template { not_before: NOW + 2, ..Template::stamping() }),
    ] {
        let (stage, stamp) = judged(template);
        stage.refuses([(what, stamp, TimestampInvalid)]);
    }
    // Nobody else's certificate signs: what it is for is judged when the trusted root is read.
    for (what, template) in [
        ("a usage that is not critical", Template::stamping().with(relaxed)),
        ("another usage beside it", Template::stamping().with(more)),
        ("no usage", Template::stamping().without(EXTENDED_KEY_USAGE)),
    ] {
        let (stage, _) = judged(template);
        assert!(stage.root_error().contains("time stamping is not its one, critical purpose"), "{what}");
    }
    // A certificate with the same names, by another root.
    let other = Tsa::under(&Ca::root("tsa root").expect("a key"), &Template::stamping()).expect("a key");
    let theirs = stamped(&good, other.stamp(&good.signature, NOW + 1).expect("signs"));
    fine.refuses([("the same names by another root", theirs, TimestampInvalid)]);
}
