//! Log entries, for identities and for keys: each thing that may be wrong with one, and what is said of it.

use serde_json::{Value, json};

use super::scene::*;
use crate::demo::sigstore::checkpoint::Signatory;
use crate::demo::sigstore::log::Proof;
use crate::demo::sigstore::{Content, Entry, Key, Kind, Log, Recipe, Sigstore};
use crate::oci::Digest;
use crate::policy::{Authority, Revoked, Validity};
use crate::reason::Reason;
use crate::test_support::SIGSTORE;
use crate::verify::signer::statement;
use crate::verify::statement::COSIGN_SIGN;

/// Who signs, and the authority that wants exactly that.
fn signers() -> [(&'static str, Recipe, Authority); 2] {
    let key = Key::p256().expect("a key");
    [("identity", myorg(), by_myorg()), ("key", SIGSTORE.keyed(&key, NOW), by_key(&key))]
}

/// Why evidence with one bent entry does not count, which is the same for both.
fn refused(prepare: impl Fn(Recipe) -> Recipe, bend: impl Fn(&mut Entry)) -> Option<Reason> {
    let [identity, key] = signers().map(|(_, recipe, by)| {
        reason(&bent(&prepare(recipe), |pieces| pieces.entries.iter_mut().for_each(&bend)), &by)
    });
    assert_eq!(identity, key, "the reason for identities, and for keys");
    identity
}

#[test]
fn every_form_in_which_a_key_signs_is_accepted() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let key = Key::of(algorithm).expect("a key");
        let recipe = SIGSTORE.keyed(&key, NOW);
        let intoto = Recipe { kind: Some(Kind::InTotoV2), ..recipe.clone() };
        let layer_stamped = Recipe { stamps_layer: true, ..SIGSTORE.stamped(recipe.clone()) };
        for (form, candidate, logged, timed) in [
            ("bundle", bent(&recipe, |_| ()), true, true),
            ("stamped", bent(&SIGSTORE.stamped(recipe.clone()), |_| ()), true, true),
            ("Rekor v2", bent(&SIGSTORE.with_rekor_v2(recipe.clone()), |_| ()), true, true),
            (
                "Rekor v2, unstamped",
                bent(&Recipe { logs: vec![SIGSTORE.rekor_v2.clone()], ..recipe.clone() }, |_| ()),
                true,
                false,
            ),
            ("intoto", bent(&intoto, |_| ()), true, true),
            (".sig", legacy(&recipe.sign(payload()).expect("signs")), true, true),
            (".att", legacy(&intoto.sign(attestation()).expect("signs")), true, true),
            (".att, layer stamped", legacy(&layer_stamped.sign(attestation()).expect("signs")), true, true),
            ("unlogged", bent(&Recipe { logs: vec![], ..recipe.clone() }, |_| ()), false, false),
            (
                "unlogged, stamped",
                bent(&Recipe { logs: vec![], ..SIGSTORE.stamped(recipe.clone()) }, |_| ()),
                false,
                true,
            ),
        ] {
            let by = by_key(&key);
            let missing = if logged { None } else { Some(Reason::LogEntryMissing) };
            assert_eq!(reason(&candidate, &by), missing, "{form} {}", key.details());
            let lax = by.demanding(logged, Validity::ALWAYS);
            let signing = judged(&candidate, &lax).unwrap_or_else(|reason| panic!("{form}: {reason}"));
            assert_eq!(signing.time().is_some(), timed, "{form}");
            assert_eq!(signing.log_index().is_some(), logged, "{form}");
        }
    }
}

#[test]
fn an_entry_is_authentic_and_about_this_signature() {
    let other = Sigstore::new().expect("randomness");
    let (invalid, mismatch) = (Some(Reason::LogEntryInvalid), Some(Reason::LogEntryMismatch));
    let v1 = |recipe: Recipe| recipe;
    let promised = |entry: &mut Entry| entry.promise_anew(&SIGSTORE.rekor).expect("signs");
    assert_eq!(refused(v1, |_| ()), None);
    assert_eq!(refused(v1, |entry| entry.promise = Some(vec![0x30, 0])), invalid);
    assert_eq!(refused(v1, |entry| entry.index += 1), invalid);
    assert_eq!(refused(v1, |entry| entry.integrated_at = entry.integrated_at.map(|at| at + 1)), invalid);
    assert_eq!(refused(v1, |entry| entry.log = vec![7; 32]), invalid);
    assert_eq!(refused(v1, |entry| entry.log = SIGSTORE.rekor_v2.signatory.id.clone()), invalid);
    assert_eq!(refused(v1, |entry| entry.kind = ("hashedrekord".into(), "0.0.1".into())), mismatch);
    assert_eq!(refused(v1, |entry| entry.kind = ("cose".into(), "0.0.1".into())), Some(Reason::EvidenceMalformed));
    assert_eq!(refused(v1, |entry| entry.body = b"{}".to_vec()), Some(Reason::EvidenceMalformed));
    assert_eq!(refused(v1, |entry| entry.proof = None), Some(Reason::LogProofMissing));
    assert_eq!(refused(|recipe| Recipe { logs: vec![other.rekor.clone()], ..recipe }, |_| ()), invalid);
    assert_eq!(refused(|recipe| Recipe { logs: vec![], ..recipe }, |_| ()), Some(Reason::LogEntryMissing));
    // A proof alone is enough that it is there, and says nothing of when.
    let unpromised = |entry: &mut Entry| (entry.promise, entry.integrated_at) = (None, None);
    for (name, recipe, by) in signers() {
        let missing = if name == "key" { None } else { Some(Reason::TimestampMissing) };
        let candidate = bent(&recipe, |pieces| pieces.entries.iter_mut().for_each(unpromised));
        assert_eq!(reason(&candidate, &by), missing, "{name}");
        let stamped = bent(&SIGSTORE.stamped(recipe), |pieces| pieces.entries.iter_mut().for_each(unpromised));
        assert_eq!(reason(&stamped, &by), None, "{name}");
    }
    // Well logged, and about something else.
    let relogged = |pointer: &'static str, with: Value| {
        refused(v1, |entry| {
            let mut body: Value = serde_json::from_slice(&entry.body).expect("JSON");
            *body.pointer_mut(pointer).expect(pointer) = with.clone();
            *entry = SIGSTORE.rekor.enter(("dsse", "0.0.1"), body.to_string().into_bytes(), NOW + 1).expect("signs");
            promised(entry);
        })
    };
    assert_eq!(relogged("/spec/payloadHash/value", json!("00".repeat(32))), mismatch);
    assert_eq!(relogged("/spec/signatures/0/signature", json!("AAAA")), mismatch);
    assert_eq!(relogged("/spec/signatures", json!([])), mismatch);
    for value in [json!(null), json!([null]), json!({})] {
        assert!(relogged("/spec/signatures", value.clone()).is_some(), "{value}");
        assert!(relogged("/spec", value).is_some());
    }
}

#[test]
fn an_entry_of_another_signature_does_not_help() {
    for (name, recipe, by) in signers() {
        let other = recipe.sign(Content::statement(&statement(&Digest::of(b"other"), COSIGN_SIGN))).expect("signs");
        let again = recipe.sign(signed_statement()).expect("signs");
        for foreign in [other.entries, again.entries] {
            let borrowed = bent(&recipe, |pieces| pieces.entries.clone_from(&foreign));
            assert_eq!(reason(&borrowed, &by), Some(Reason::LogEntryMismatch), "{name}");
            // Nor beside the right one, whichever comes first.
            for front in [0, 1] {
                let beside = bent(&recipe, |pieces| pieces.entries.insert(front, foreign[0].clone()));
                assert!(reason(&beside, &by).is_some(), "{name} {front}");
            }
        }
        let twice = bent(&recipe, |pieces| pieces.entries.push(pieces.entries[0].clone()));
        assert_eq!(reason(&twice, &by), Some(Reason::EvidenceMalformed), "{name}");
        let both = Recipe {
            logs: vec![SIGSTORE.rekor.clone(), SIGSTORE.rekor_v2.clone()],
            ..SIGSTORE.stamped(recipe.clone())
        };
        assert_eq!(reason(&bent(&both, |_| ()), &by), None, "{name}");
        let many = bent(&recipe, |pieces| pieces.entries = vec![pieces.entries[0].clone(); 33]);
        assert_eq!(reason(&many, &by), Some(Reason::EvidenceTooLarge), "{name}");
    }
}

#[test]
fn a_proof_is_under_a_checkpoint_of_the_entrys_own_log() {
    let other = Sigstore::new().expect("randomness");
    let invalid = Some(Reason::LogEntryInvalid);
    let checkpoint = |signatory: &Signatory, one: &Proof| {
        signatory.checkpoint(usize::try_from(one.size).expect("a size"), &one.root).expect("signs")
    };
    let text = |one: &Proof| one.checkpoint.split("\n\n").next().unwrap_or_default().to_string() + "\n";
    for (log, trusted, foreign) in
        [(&SIGSTORE.rekor, &SIGSTORE.rekor_v2, &other.rekor), (&SIGSTORE.rekor_v2, &SIGSTORE.rekor, &other.rekor_v2)]
    {
        let proof = |bend: &dyn Fn(&mut Proof)| {
            let prepare = |recipe| Recipe { logs: vec![log.clone()], ..SIGSTORE.stamped(recipe) };
            refused(prepare, |entry| bend(entry.proof.as_mut().expect("a proof")))
        };
        assert_eq!(proof(&|_| ()), None);
        let odd = Signatory { origin: "evil.test".into(), ..log.signatory.clone() };
        let renamed = Signatory { origin: "evil.test".into(), name: "evil.test".into(), ..log.signatory.clone() };
        for (name, bend) in [
            ("another path", &(|one: &mut Proof| one.hashes[0][0] ^= 1) as &dyn Fn(&mut Proof)),
            ("a short path", &|one| one.hashes.truncate(1)),
            ("a long path", &|one| one.hashes.push(vec![0; 32])),
            ("a foreign log's checkpoint", &|one| one.checkpoint = checkpoint(&foreign.signatory, one)),
            ("another trusted log's checkpoint", &|one| one.checkpoint = checkpoint(&trusted.signatory, one)),
            ("another trusted log's beside it", &|one| {
                one.checkpoint += &trusted.signatory.line(&text(one)).expect("signs");
            }),
            ("another origin", &|one| one.checkpoint = checkpoint(&odd, one)),
            ("a changed text", &|one| one.checkpoint = one.checkpoint.replace("test", "tset")),
            ("another tree", &|one| one.checkpoint = log.signatory.checkpoint(7, &[7; 32]).expect("signs")),
            ("another size", &|one| one.checkpoint = log.signatory.checkpoint(9, &one.root).expect("signs")),
        ] {
            assert_eq!(proof(bend), invalid, "{name}");
        }
        if std::ptr::eq(log, &raw const SIGSTORE.rekor_v2) {
            assert_eq!(proof(&|one| one.checkpoint = checkpoint(&renamed, one)), invalid);
        }
        assert_eq!(proof(&|one| one.checkpoint.clear()), Some(Reason::LogProofMissing));
        assert_eq!(proof(&|one| one.hashes = vec![vec![0; 32]; 65]), Some(Reason::EvidenceTooLarge));
        assert_eq!(proof(&|one| one.hashes[0].truncate(31)), Some(Reason::EvidenceMalformed));
        // A witness beside the log does no harm, before it or behind.
        assert_eq!(proof(&|one| one.checkpoint += &foreign.signatory.line(&text(one)).expect("signs")), None);
    }
    let v1 = |bend: &dyn Fn(&mut Proof)| refused(|one| one, |entry| bend(entry.proof.as_mut().expect("a proof")));
    for bend in [
        &(|one: &mut Proof| one.root[0] ^= 1) as &dyn Fn(&mut Proof),
        &|one| one.index += 1,
        &|one| one.index = 7,
        &|one| one.size = 9,
        &|one| one.size = 0,
    ] {
        assert_eq!(v1(bend), invalid);
    }
}

#[test]
fn an_entry_is_found_wherever_it_stands() {
    let key = Key::p256().expect("a key");
    for size in 1..=9 {
        for index in 0..size {
            for log in [&SIGSTORE.rekor, &SIGSTORE.rekor_v2] {
                let logs = vec![Log::clone(log).at(index, size)];
                let candidate = bent(&Recipe { logs, ..SIGSTORE.keyed(&key, NOW) }, |_| ());
                assert_eq!(reason(&candidate, &by_key(&key)), None, "{index} of {size}");
            }
        }
    }
}

#[test]
fn a_log_counts_while_its_key_does() {
    let iso = |at: i64| jiff::Timestamp::from_second(at).expect("a time").to_string();
    for (version, at) in [(0, NOW + 1), (1, NOW + 1)] {
        for (end, expected) in [(at, None), (at - 1, Some(Reason::LogEntryInvalid))] {
            let mut root = SIGSTORE.trusted_root();
            root["tlogs"][version]["publicKey"]["validFor"]["end"] = json!(iso(end));
            for (name, recipe, by) in signers() {
                let recipe = if version == 1 { SIGSTORE.with_rekor_v2(recipe) } else { recipe };
                let found = judge(&bent(&recipe, |_| ()), &by, &root, &Revoked::default(), NOW + 60).err();
                assert_eq!(found, expected, "{name} {version} {end}");
            }
        }
    }
}

#[test]
fn a_keys_validity_is_asked_for_the_time_of_signing() {
    let key = Key::p256().expect("a key");
    let recipe = SIGSTORE.keyed(&key, NOW);
    let at = |seconds: i64| crate::clock::Timestamp(u64::try_from(NOW + seconds).expect("a time"));
    let within = |from, to| Validity { not_before: at(from), not_after: at(to) };
    for (validity, expected) in [
        (within(-10, 10), None),
        (within(1, 1), None),
        (within(-10, 0), Some(Reason::KeyMismatch)),
        (within(2, 10), Some(Reason::KeyMismatch)),
    ] {
        let by = by_key(&key).demanding(true, validity);
        assert_eq!(reason(&bent(&recipe, |_| ()), &by), expected, "{validity:?}");
        // The log's word is what is asked, not the present.
        let lax = by_key(&key).demanding(false, validity);
        let unlogged = bent(&Recipe { logs: vec![], ..recipe.clone() }, |_| ());
        assert_eq!(reason(&unlogged, &lax), Some(Reason::KeyMismatch), "{validity:?}");
        let stamped = bent(&Recipe { logs: vec![], ..SIGSTORE.stamped(recipe.clone()) }, |_| ());
        assert_eq!(reason(&stamped, &lax), expected, "{validity:?}");
    }
    let ahead =
        |now| judge(&bent(&recipe, |_| ()), &by_key(&key), &SIGSTORE.trusted_root(), &Revoked::default(), now).err();
    assert_eq!((ahead(NOW + 1), ahead(NOW)), (None, Some(Reason::LogEntryInvalid)));
}
