//! That an entry is in its log: promises, proofs, checkpoints, and the keys that signed them.

use super::*;
use crate::demo::sigstore::log::Proof;

/// Bends the proof of good evidence in one log.
struct Bent<'a> {
    stage: Stage,
    good: Pieces,
    log: &'a Log,
}

fn both() -> [Bent<'static>; 2] {
    let stage = Stage::keyless();
    let first = stage.good(&myorg());
    let second = stage.good(&SIGSTORE.with_rekor_v2(myorg()));
    [
        Bent { stage: stage.clone(), good: first, log: &SIGSTORE.rekor },
        Bent { stage, good: second, log: &SIGSTORE.rekor_v2 },
    ]
}

impl Bent<'_> {
    fn with(&self, bend: impl FnOnce(&mut Proof)) -> Candidate {
        let mut pieces = self.good.clone();
        bend(pieces.entries[0].proof.as_mut().expect("a proof"));
        bundle(&pieces)
    }

    fn checkpoint(&self, size: usize, root: &[u8]) -> String {
        self.log.signatory.checkpoint(size, root).expect("signs")
    }
}

/// The text that the lines of a checkpoint sign.
fn signed(checkpoint: &str) -> String {
    checkpoint.split("\n\n").next().unwrap_or_default().to_string() + "\n"
}

#[test]
pub(super) fn b13_a_checkpoint_cut_anywhere() {
    for bent in both() {
        let whole = bent.good.entries[0].proof.as_ref().expect("a proof").checkpoint.clone();
        // Without its last line break it still says the same.
        for end in (0..whole.len() - 1).filter(|end| whole.is_char_boundary(*end)) {
            let result = bent.stage.verified(&bent.with(|proof| proof.checkpoint.truncate(end)));
            let reason = result.map(|_| ()).map_err(|why| why.reason);
            let fine = [LogEntryInvalid, LogProofMissing, EvidenceMalformed].map(Err);
            assert!(fine.contains(&reason), "{end} of {whole}: {reason:?}");
        }
    }
}

#[test]
pub(super) fn b19_a_checkpoint_that_the_log_did_not_sign() {
    for bent in both() {
        let text = |proof: &Proof| signed(&proof.checkpoint);
        let forged = |proof: &mut Proof| {
            let theirs = checkpoint_of(&foreign(), bent.log, &text(proof));
            proof.checkpoint = format!("{}\n{theirs}", text(proof));
        };
        bent.stage.refuses([
            ("another key in our name", bent.with(forged), LogEntryInvalid),
            (
                "text changed",
                bent.with(|proof| proof.checkpoint = proof.checkpoint.replacen("7\n", "8\n", 1)),
                LogEntryInvalid,
            ),
        ]);
    }
}

/// A line in the name of `log` by the key of the other Sigstore's log of that version.
fn checkpoint_of(theirs: &Sigstore, log: &Log, text: &str) -> String {
    let other = if log.version == theirs.rekor.version { &theirs.rekor } else { &theirs.rekor_v2 };
    let mut signatory = log.signatory.clone();
    signatory.key = other.signatory.key.clone();
    signatory.line(text).expect("signs")
}

#[test]
pub(super) fn b20_a_proof_and_a_promise_that_do_not_verify() {
    let stage = Stage::keyless();
    let good = stage.good(&myorg());
    let mut promise = good.clone();
    promise.entries[0].promise_anew(&foreign().rekor).expect("signs");
    let mut later = good.clone();
    later.entries[0].integrated_at = Some(NOW + 2);
    let mut renumbered = good.clone();
    renumbered.entries[0].index += 1;
    let garbage = |mut pieces: Pieces| {
        pieces.entries[0].promise = Some(vec![1, 2, 3]);
        pieces
    };
    stage.refuses([
        ("promised by another", bundle(&promise), LogEntryInvalid),
        ("another time", bundle(&later), LogEntryInvalid),
        ("another number", bundle(&renumbered), LogEntryInvalid),
        ("garbage", bundle(&garbage(good)), LogEntryInvalid),
    ]);
    let good = stage.good_legacy(&myorg());
    let mut promise = good.clone();
    promise.entries[0].promise_anew(&foreign().rekor).expect("signs");
    stage.refuses([
        ("legacy, by another", legacy(&promise), LogEntryInvalid),
        ("legacy, garbage", legacy(&garbage(good)), LogEntryInvalid),
    ]);
    let [_, bent] = both();
    bent.stage.refuses([(
        "no proof",
        {
            let mut one = bent.good.clone();
            one.entries[0].proof = None;
            bundle(&one)
        },
        LogProofMissing,
    )]);
}

#[test]
pub(super) fn o22_a_proof_of_another_leaf_place_or_size() {
    for bent in both() {
        let other = bent.log.enter(("dsse", "0.0.1"), b"{}".to_vec(), NOW).expect("signs").proof.expect("a proof");
        bent.stage.refuses([
            ("another leaf", bent.with(|proof| *proof = other), LogEntryInvalid),
            ("a hash changed", bent.with(|proof| proof.hashes[0][0] ^= 1), LogEntryInvalid),
            ("too short", bent.with(|proof| drop(proof.hashes.pop())), LogEntryInvalid),
            ("too long", bent.with(|proof| proof.hashes.push(vec![7; 32])), LogEntryInvalid),
            ("no path", bent.with(|proof| proof.hashes.clear()), LogEntryInvalid),
            ("swapped", bent.with(|proof| proof.hashes.swap(0, 1)), LogEntryInvalid),
            ("31 bytes", bent.with(|proof| proof.hashes[0].truncate(31)), EvidenceMalformed),
            ("a root of 31 bytes", bent.with(|proof| proof.root.truncate(31)), EvidenceMalformed),
        ]);
    }
    // The first version says place and size beside the checkpoint; the second reads them where they are signed.
    let [bent, second] = both();
    bent.stage.refuses([
        ("another place", bent.with(|proof| proof.index += 1), LogEntryInvalid),
        ("beyond the end", bent.with(|proof| proof.index = 7), LogEntryInvalid),
        ("far beyond", bent.with(|proof| proof.index = u64::from(u32::MAX)), LogEntryInvalid),
        ("no tree", bent.with(|proof| proof.size = 0), LogEntryInvalid),
        ("a smaller tree", bent.with(|proof| proof.size = 5), LogEntryInvalid),
        ("a larger tree", bent.with(|proof| proof.size = 8), LogEntryInvalid),
        ("another root", bent.with(|proof| proof.root[0] ^= 1), LogEntryInvalid),
    ]);
    let mut elsewhere = second.good.clone();
    elsewhere.entries[0].index += 1;
    second.stage.refuses([("another place", bundle(&elsewhere), LogEntryInvalid)]);
}

#[test]
pub(super) fn o23_a_checkpoint_of_another_tree_key_or_log() {
    let theirs = foreign();
    for bent in both() {
        let witness = theirs.rekor_v2.signatory.clone();
        let beside = |proof: &mut Proof| {
            let line = witness.line(&signed(&proof.checkpoint)).expect("signs");
            proof.checkpoint += &line;
        };
        bent.stage.accepts(&bent.with(beside));
        let mut by_ct = bent.log.signatory.clone();
        (by_ct.key, by_ct.id) = (SIGSTORE.ct.key.clone(), SIGSTORE.ct.key.id());
        let mut origin = bent.log.signatory.clone();
        origin.origin = "elsewhere.test".into();
        let other = if bent.log.version == SIGSTORE.rekor.version { &SIGSTORE.rekor_v2 } else { &SIGSTORE.rekor };
        let by = |signatory: &crate::demo::sigstore::checkpoint::Signatory| {
            bent.with(|proof| proof.checkpoint = signatory.checkpoint(7, &proof.root).expect("signs"))
        };
        let alone = bent.with(|proof| {
            let text = signed(&proof.checkpoint);
            proof.checkpoint = format!("{text}\n{}", witness.line(&text).expect("signs"));
        });
        bent.stage.refuses([
            ("another size", bent.with(|proof| proof.checkpoint = bent.checkpoint(100, &proof.root)), LogEntryInvalid),
            ("another root", bent.with(|proof| proof.checkpoint = bent.checkpoint(7, &[7; 32])), LogEntryInvalid),
            ("by the certificate log", by(&by_ct), LogEntryInvalid),
            ("by our other log", by(&other.signatory), LogEntryInvalid),
            ("of another origin", by(&origin), LogEntryInvalid),
            ("by a witness only", alone, LogEntryInvalid),
            ("unsigned", bent.with(|proof| proof.checkpoint = signed(&proof.checkpoint) + "\n"), EvidenceMalformed),
            ("none", bent.with(|proof| proof.checkpoint.clear()), LogProofMissing),
        ]);
    }
}

#[test]
pub(super) fn o25_a_log_key_outside_its_validity() {
    let times = |seconds: i64| jiff::Timestamp::from_second(seconds).expect("a time").to_string();
    let range = |start: i64, end: i64| json!({ "start": times(start), "end": times(end) });
    for (number, recipe) in [(0, myorg()), (1, SIGSTORE.with_rekor_v2(myorg()))] {
        let stage = Stage::keyless();
        let good = stage.good(&recipe);
        // Both logs and the time stamp authority say `NOW + 1`.
        let valid = |range| stage.with_root(&format!("/tlogs/{number}/publicKey/validFor"), range);
        valid(range(NOW - 9, NOW + 1)).accepts(&bundle(&good));
        valid(range(NOW + 1, NOW + 9)).accepts(&bundle(&good));
        valid(range(NOW - 9, NOW)).refuses([("too late", bundle(&good), LogEntryInvalid)]);
        valid(range(NOW + 2, NOW + 9)).refuses([("too early", bundle(&good), LogEntryInvalid)]);
    }
    let stage = Stage::keyless();
    let good = stage.good_legacy(&myorg());
    let ended = stage.with_root("/tlogs/0/publicKey/validFor", range(NOW - 9, NOW));
    ended.refuses([("legacy, too late", legacy(&good), LogEntryInvalid)]);
    let key = key();
    let (stage, recipe) = (Stage::of(&[&key]), SIGSTORE.keyed(&key, NOW));
    let good = stage.good(&recipe);
    let ended = stage.with_root("/tlogs/0/publicKey/validFor", range(NOW - 9, NOW));
    ended.refuses([("by a key, too late", bundle(&good), LogEntryInvalid)]);
    let v2 = stage.good(&SIGSTORE.with_rekor_v2(recipe));
    let ended = stage.with_root("/tlogs/1/publicKey/validFor", range(NOW - 9, NOW));
    ended.refuses([("by a key, too late, in the second log", bundle(&v2), LogEntryInvalid)]);
}
