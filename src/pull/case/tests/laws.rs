//! What holds of every policy and all evidence.

use std::collections::BTreeSet;

use super::tree::{Tree, more, policy};
use super::world::{Answer, Scene, Tally, answer, decision, decision_at, policies, revocations, whole};
use crate::clock::Timestamp;
use crate::oci::{Digest, Image};
use crate::policy::Scope;
use crate::test_support::Dice;

const ALL: [Answer; 3] = [Answer::Deny, Answer::Unknown, Answer::Allow];

/// Policies, each with several scenes: reading a policy costs more than deciding by it.
fn try_out(mut law: impl FnMut(&mut Dice, &mut dyn FnMut(&mut dyn FnMut(&mut Dice, &Scene)))) {
    Dice::for_each(POLICIES, |dice| {
        let mut scenes = Dice::seeded(dice.below(u64::MAX));
        law(dice, &mut |judge| {
            for _ in 0..SCENES {
                let complete = Scene::any(&mut scenes);
                let scene = if scenes.below(3) == 0 { complete.read_in_part(&mut scenes) } else { complete };
                judge(&mut scenes, &scene);
            }
        });
    });
}

#[test]
fn another_policy_only_denies_more() {
    let mut tally = Tally::default();
    try_out(|dice, scenes| {
        let mut list: Vec<_> =
            (0..=dice.below(2)).map(|n| policy(&format!("p{n}"), "enforce", &Tree::any(dice), more(dice))).collect();
        let fewer = policies(&list, "");
        let at = usize::try_from(dice.below(list.len() as u64 + 1)).expect("small");
        list.insert(at, policy("another", "enforce", &Tree::any(dice), more(dice)));
        let more = policies(&list, "");
        scenes(&mut |_, scene| {
            let (before, after) = (answer(&decision(&fewer, scene)), answer(&decision(&more, scene)));
            assert!(after <= before, "{before:?} becomes {after:?} under {list:?}\n{scene:?}");
            tally.count(before);
        });
    });
    tally.assert(&ALL);
}

#[test]
fn an_audited_policy_changes_no_answer() {
    let mut tally = Tally::default();
    try_out(|dice, scenes| {
        let mut list = vec![policy("p", "enforce", &Tree::any(dice), more(dice))];
        let alone = policies(&list, "default: audit\n");
        list.insert(0, policy("watched", "audit", &Tree::any(dice), more(dice)));
        let watched = policies(&list, "default: audit\n");
        scenes(&mut |_, scene| {
            let before = decision(&alone, scene);
            assert_eq!(whole(&decision(&watched, scene)), whole(&before), "{list:?}\n{scene:?}");
            tally.count(answer(&before));
        });
    });
    tally.assert(&ALL);
}

#[test]
fn a_stricter_tree_never_allows_more() {
    let mut tally = Tally::default();
    try_out(|dice, scenes| {
        let lax = Tree::any(dice);
        let strict = lax.stricter(dice);
        let [lax, strict] =
            [&lax, &strict].map(|tree| (tree.text(), policies(&[policy("p", "enforce", tree, "")], "")));
        scenes(&mut |_, scene| {
            let (before, after) = (answer(&decision(&lax.1, scene)), answer(&decision(&strict.1, scene)));
            assert!(after <= before, "{before:?} becomes {after:?}:\n{}\n{}\n{scene:?}", lax.0, strict.0);
            tally.count(before);
        });
    });
    tally.assert(&ALL);
}

#[test]
fn unrelated_evidence_changes_no_answer() {
    let mut tally = Tally::default();
    try_out(|dice, scenes| {
        let tree = Tree::any(dice);
        let policies = policies(&[policy("p", "enforce", &tree, "")], "");
        scenes(&mut |dice, scene| {
            let before = answer(&decision(&policies, scene));
            let more = scene.with(dice, |piece| !piece.related);
            assert_eq!(answer(&decision(&policies, &more)), before, "{}\n{more:?}", tree.text());
            tally.count(before);
        });
    });
    tally.assert(&ALL);
}

#[test]
fn more_good_evidence_never_denies_what_any_of_it_satisfies() {
    let mut tally = Tally::default();
    try_out(|dice, scenes| {
        let tree = Tree::any(dice).selecting("any");
        let policies = policies(&[policy("p", "enforce", &tree, "")], "");
        scenes(&mut |dice, scene| {
            let before = answer(&decision(&policies, scene));
            let more = scene.with(dice, |_| true);
            assert!(answer(&decision(&policies, &more)) >= before, "{}\n{more:?}", tree.text());
            tally.count(before);
        });
    });
    tally.assert(&ALL);
}

#[test]
fn what_was_read_in_part_never_contradicts_what_was_read_completely() {
    let mut tally = Tally::default();
    try_out(|dice, scenes| {
        let tree = Tree::any(dice);
        let policies = policies(&[policy("p", "enforce", &tree, "")], "");
        scenes(&mut |dice, scene| {
            let complete = Scene { unread: false, cut_off: false, unread_elsewhere: false, ..scene.clone() };
            let part = answer(&decision(&policies, &complete.read_in_part(dice)));
            let all = answer(&decision(&policies, &complete));
            assert!(part == Answer::Unknown || part == all, "{part:?}, and {all:?}: {}\n{scene:?}", tree.text());
            tally.count(part);
        });
    });
    tally.assert(&[Answer::Unknown, Answer::Allow]);
}

#[test]
fn order_is_no_argument() {
    let mut tally = Tally::default();
    try_out(|dice, scenes| {
        let mut list: Vec<_> =
            (0..=dice.below(3)).map(|n| policy(&format!("p{n}"), "enforce", &Tree::any(dice), more(dice))).collect();
        let first = policies(&list, "");
        dice.shuffle(&mut list);
        let second = policies(&list, "");
        scenes(&mut |dice, scene| {
            let before = decision(&first, scene);
            let until = |decision: &super::world::Decision| decision.as_ref().ok().map(|verdict| verdict.valid_until());
            for (policies, scene) in [(&second, scene), (&first, &scene.shuffled(dice))] {
                let after = decision(policies, scene);
                assert_eq!((answer(&after), until(&after)), (answer(&before), until(&before)), "{list:?}\n{scene:?}");
            }
            tally.count(answer(&before));
        });
    });
    tally.assert(&ALL);
}

#[test]
fn the_evidence_of_the_revoked_does_not_count_and_vetoes_nothing() {
    let mut tally = Tally::default();
    try_out(|dice, scenes| {
        let tree = Tree::any(dice);
        let list = [policy("p", "enforce", &tree, "")];
        let (before, revoked) = (policies(&list, ""), policies(&list, &revocations()));
        scenes(&mut |_, scene| {
            let without = answer(&decision(&before, &scene.without(|piece| piece.who.revoked())));
            assert_eq!(answer(&decision(&revoked, scene)), without, "{}\n{scene:?}", tree.text());
            tally.count(without);
        });
    });
    tally.assert(&ALL);
}

#[test]
fn an_allow_holds_until_it_says() {
    let mut allowed = 0;
    try_out(|dice, scenes| {
        let tree = Tree::any(dice);
        let ends =
            "exemptions: [ { match: [ \"r.io/app\" ], reason: x, policies: [ p ], expires: 2025-06-16T00:00:00Z } ]\n";
        let mut list = vec![policy("p", "enforce", &tree, more(dice))];
        if dice.below(4) == 0 {
            list.push(policy("q", "enforce", &Tree::any(dice), ""));
        }
        let policies = policies(&list, dice.pick(&["", "", ends]));
        scenes(&mut |dice, scene| {
            let Ok(verdict) = decision(&policies, scene) else { return };
            if answer(&Ok(verdict.clone())) != Answer::Allow {
                return;
            }
            let until = verdict.valid_until().0.min(super::world::NOW.0 + 100 * 86_400);
            let then = Timestamp(super::world::NOW.0 + dice.below(until - super::world::NOW.0));
            for then in [then, Timestamp(until - 1)] {
                let later = decision_at(&policies, scene, then);
                assert_eq!(
                    answer(&later),
                    Answer::Allow,
                    "at {then}, before {}: {}\n{scene:?}",
                    verdict.valid_until(),
                    tree.text()
                );
            }
            allowed += 1;
        });
    });
    assert!(allowed * 50 > POLICIES * SCENES, "{allowed}");
}

#[test]
fn what_governs_depends_on_the_name_alone_and_is_the_same_each_time() {
    let scopes = ["r.io/**", "r.io/app", "r.io/*", "*/app", "r.io/team/**", "**", "other.io/**"];
    let names = ["r.io/app", "r.io/team/app", "other.io/app", "r.io/application"];
    let mut governed = 0;
    Dice::for_each(3 * POLICIES, |dice| {
        let mut list = Vec::new();
        let mut written = Vec::new();
        for n in 0..dice.below(5) {
            let (matches, except) = (vec![dice.pick(&scopes)], dice.some(&scopes[1..4]));
            let mode = dice.pick(&["enforce", "audit"]);
            list.push(format!(
                "{{ name: p{n}, match: {matches:?}, except: {except:?}, mode: {mode}, require: {{ signature: {{ by: a }} }} }}"
            ));
            written.push((format!("p{n}"), matches, except));
        }
        let policies = policies(&list, "");
        for name in names {
            let (registry, repository) = name.split_once('/').expect("a name");
            let image = Image { registry: registry.parse().expect("r"), repository: repository.parse().expect("n") };
            let covers =
                |scopes: &[&str]| scopes.iter().any(|scope| Scope::parse(scope).expect("a scope").matches(&image));
            let wanted: Vec<_> = written
                .iter()
                .filter(|(_, of, except)| covers(of) && !covers(except))
                .map(|(name, ..)| name.clone())
                .collect();
            let mut revisions = BTreeSet::new();
            for (digest, now) in [("x", 0), ("y", 0), ("x", 9)] {
                let governing = policies.governing(&image.at(Digest::of(digest.as_bytes())), Timestamp(now));
                let found: Vec<_> = governing.policies().iter().map(|policy| policy.name().to_string()).collect();
                assert_eq!(found, wanted, "{name} under {list:?}");
                revisions.insert(governing.revision().0);
            }
            assert_eq!(revisions.len(), 1);
            governed += wanted.len();
        }
    });
    assert!(governed > 100, "{governed}");
}

const POLICIES: u64 = 100;
const SCENES: u64 = 30;
