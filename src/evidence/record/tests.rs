use super::*;
use crate::discovery::double::candidate;
use crate::evidence::Unread;
use crate::test_support::Dice;

/// Any complete reading: every kind of material, attached in every way, here and elsewhere.
pub(crate) fn any(dice: &mut Dice) -> (Wants, EvidenceSet) {
    let wants =
        Wants { bundle: dice.coin(), signatures: dice.coin(), attestations: dice.coin(), referrers: dice.coin() };
    let set = EvidenceSet {
        candidates: (0..dice.below(6)).map(|_| any_candidate(dice)).collect(),
        unread: Vec::new(),
        unusable: (0..dice.below(4)).map(|_| any_unusable(dice)).collect(),
        incomplete: false,
        read_at: Timestamp(dice.below(u64::MAX)),
    };
    (wants, set)
}

fn any_candidate(dice: &mut Dice) -> Candidate {
    let material = match dice.below(3) {
        0 => Material::Bundle(any_bytes(dice)),
        1 => Material::Envelope(any_bytes(dice)),
        _ => Material::SimpleSigning { payload: any_bytes(dice), signature: any_text(dice) },
    };
    let mut made = candidate(material);
    if dice.coin() {
        made = made.of_referrer();
    }
    if dice.coin() {
        let mut text = || dice.coin().then(|| any_text(dice));
        made = made.with(Beside { certificate: text(), chain: text(), bundle: text(), timestamp: text() });
    }
    if dice.coin() { made.within(&any_text(dice)) } else { made }
}

fn any_unusable(dice: &mut Dice) -> Unusable {
    let reasons: Vec<_> = Reason::ALL.iter().collect();
    let format = if dice.coin() { Format::Bundle } else { Format::Legacy };
    Unusable { location: any_text(dice), format, reason: *dice.pick(&reasons), detail: any_text(dice) }
}

fn any_bytes(dice: &mut Dice) -> Bytes {
    let length = *dice.pick(&[&0, &1, &127, &128, &3_000]);
    (0..length).map(|_| u8::try_from(dice.below(256)).expect("a byte")).collect()
}

fn any_text(dice: &mut Dice) -> String {
    let letters = ["a", "sha256:", "\n", "é", "\u{0}", "\u{1f512}"];
    (0..dice.below(40)).map(|_| dice.pick(&letters)).collect()
}

#[test]
fn every_complete_reading_has_a_form_and_comes_back_from_it() {
    Dice::for_each(200, |dice| {
        let (wants, set) = any(dice);
        let record = EvidenceRecord::of(wants, &set).expect("complete");
        assert_eq!((record.wants, record.read_at, &record.unusable), (wants, set.read_at, &set.unusable));
        assert_eq!(record.candidates.len(), set.candidates.len());
        for (stored, candidate) in record.candidates.iter().zip(&set.candidates) {
            assert_eq!((stored.piece, stored.size), (Digest::of(piece(candidate)), piece(candidate).len() as u64));
        }
        let bytes = record.to_bytes();
        assert_eq!(EvidenceRecord::from_bytes(&bytes).as_ref(), Some(&record));
        for at in 0..bytes.len() {
            assert_eq!(EvidenceRecord::from_bytes(&bytes[..at]), None, "cut at {at}");
        }
        assert_eq!(EvidenceRecord::from_bytes(&[&bytes[..], &[0]].concat()), None, "more than was written");
    });
}

#[test]
fn no_two_forms_are_one_record() {
    Dice::for_each(200, |dice| {
        let (wants, set) = any(dice);
        let bytes = EvidenceRecord::of(wants, &set).expect("complete").to_bytes();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << dice.below(8);
            if let Some(record) = EvidenceRecord::from_bytes(&altered) {
                assert_eq!(record.to_bytes(), altered, "byte {at}");
            }
        }
    });
}

#[test]
fn what_was_not_read_completely_has_no_record() {
    let (wants, set) = any(&mut Dice::seeded(1));
    let unread = vec![Unread::new("referrers", Reason::EvidenceUnreadable, "500")];
    assert_eq!(EvidenceRecord::of(wants, &EvidenceSet { unread, ..set.clone() }), None);
    assert_eq!(EvidenceRecord::of(wants, &EvidenceSet { incomplete: true, ..set }), None);
}

#[test]
fn a_record_is_small_beside_what_it_names() {
    let bundle = candidate(Material::Bundle(vec![b'x'; 16 << 20].into()));
    let wants = Wants { bundle: true, signatures: false, attestations: false, referrers: true };
    let read_at = Timestamp(1_750_000_000);
    let set = EvidenceSet { candidates: vec![bundle], unread: vec![], unusable: vec![], incomplete: false, read_at };
    let record = EvidenceRecord::of(wants, &set).expect("complete");
    let sizes: Vec<_> = record.pieces().into_values().collect();
    assert_eq!((sizes, record.to_bytes().len()), (vec![16 << 20], 62));
}
