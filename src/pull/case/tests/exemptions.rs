//! The order: revoked, exempt, policies, default.

use super::tree::{Tree, policy};
use super::world::{Answer, NOW, Scene, Tally, answer, decision, policies, whole};
use crate::oci::Digest;
use crate::outcome::{Basis, Outcome};
use crate::policy::Name;
use crate::reason::Reason;
use crate::test_support::{Dice, subject};

/// An exemption as the file writes it, and as the law reads it.
#[derive(Debug, Clone)]
struct Exemption {
    scope: String,
    covers: bool,
    policies: Vec<&'static str>,
    expired: bool,
}

impl Exemption {
    fn any(dice: &mut Dice) -> Self {
        let (here, other) = (subject().digest, Digest::of(b"other"));
        let scopes = [
            ("r.io/**".to_string(), true),
            (format!("r.io/app@{here}"), true),
            (format!("r.io/*@{other}"), false),
            ("r.io/team/**".into(), false),
        ];
        let (scope, covers) = scopes[usize::try_from(dice.below(4)).expect("small")].clone();
        let policies = if dice.coin() { vec![] } else { vec![dice.pick(&["p", "q", "watched"])] };
        Self { scope, covers, policies, expired: dice.below(3) == 0 }
    }

    /// Whether it takes the policy away.
    fn takes(&self, policy: &str) -> bool {
        self.covers && !self.expired && (self.policies.is_empty() || self.policies.contains(&policy))
    }

    fn text(&self) -> String {
        let names = if self.policies.is_empty() { String::new() } else { format!(", policies: {:?}", self.policies) };
        let end = if self.expired { NOW.0 } else { NOW.0 + 3600 };
        format!("{{ match: [ \"{}\" ], reason: INC-1, expires: {}{names} }}", self.scope, crate::clock::Timestamp(end))
    }
}

#[test]
fn a_revoked_digest_is_denied_and_an_exemption_takes_away_what_it_names() {
    let (mut tally, mut exempt) = (Tally::default(), 0);
    Dice::for_each(100, |dice| {
        let modes = [("p", "enforce"), ("q", "enforce"), ("watched", "audit")];
        let kept: Vec<_> = modes.into_iter().filter(|_| dice.below(4) > 0).collect();
        let all: Vec<_> =
            kept.iter().map(|(name, mode)| (*name, *mode, policy(name, mode, &Tree::any(dice), ""))).collect();
        let exemptions: Vec<_> = (0..dice.below(3)).map(|_| Exemption::any(dice)).collect();
        // Those that name a policy which is not there are no policy file.
        let there =
            |exemption: &Exemption| exemption.policies.iter().all(|name| all.iter().any(|(known, ..)| known == name));
        let exemptions: Vec<_> = exemptions.into_iter().filter(there).collect();
        let list = |exempted: bool| -> Vec<String> {
            let taken = |name: &str| exempted && exemptions.iter().any(|exemption| exemption.takes(name));
            all.iter().filter(|(name, ..)| !taken(name)).map(|(_, _, text)| text.clone()).collect()
        };
        let text =
            format!("exemptions: [ {} ]\n", exemptions.iter().map(Exemption::text).collect::<Vec<_>>().join(", "));
        let under = policies(&list(false), &text);
        let without = policies(&list(true), "");
        let revoked = policies(
            &list(false),
            &format!("{text}revoked: {{ digests: [ \"{}\" ] }}\ndefault: audit\n", subject().digest),
        );
        let enforced = |texts: &[String]| texts.iter().filter(|text| text.contains("mode: enforce")).count();
        let left = enforced(&list(true));
        let used = exemptions.iter().any(|exemption| {
            exemption.covers
                && !exemption.expired
                && (exemption.policies.is_empty()
                    || all.iter().any(|(name, mode, _)| *mode == "enforce" && exemption.takes(name)))
        });
        for _ in 0..12 {
            let scene = Scene::any(dice);
            let decided = decision(&under, &scene);
            let outcome = decided.as_ref().map(|verdict| verdict.outcome().clone());
            if left == 0 && used {
                assert_eq!(outcome, Ok(Outcome::Allow(Basis::Exempt("INC-1".into()))), "{text} {all:?}");
                exempt += 1;
            } else {
                assert_eq!(answer(&decided), answer(&decision(&without, &scene)), "{text} {all:?}\n{scene:?}");
            }
            let denied = decision(&revoked, &scene);
            let reason = match denied.as_ref().map(|verdict| verdict.outcome()) {
                Ok(Outcome::Deny(denial)) => Some(denial.reason),
                _ => None,
            };
            assert_eq!(reason, Some(Reason::Revoked), "{}", whole(&denied));
            tally.count(answer(&decided));
        }
    });
    tally.assert(&[Answer::Deny, Answer::Allow]);
    assert!(exempt > 100, "{exempt}");
}

#[test]
fn a_denial_after_an_exemption_says_so_and_only_where_it_would_have_helped() {
    let (mut told, mut silent) = (0, 0);
    Dice::for_each(60, |dice| {
        let list = [policy("p", "enforce", &Tree::any(dice), ""), policy("q", "enforce", &Tree::any(dice), "")];
        let exemption = Exemption { policies: dice.some(&["p", "q"]), expired: true, ..Exemption::any(dice) };
        let (expired, without) =
            (policies(&list, &format!("exemptions: [ {} ]\n", exemption.text())), policies(&list, ""));
        for _ in 0..12 {
            let scene = Scene::any(dice);
            let (after, before) = (decision(&expired, &scene), decision(&without, &scene));
            assert_eq!(answer(&after), answer(&before), "an expired exemption is absent: {exemption:?}");
            let (Ok(after), Ok(before)) = (after, before) else { continue };
            let (Outcome::Deny(after), Outcome::Deny(before)) = (after.outcome(), before.outcome()) else { continue };
            let policy = after.policy.as_ref().map(Name::as_str).expect("a policy denies");
            assert_eq!(after.policy, before.policy);
            if exemption.covers && (exemption.policies.is_empty() || exemption.policies.contains(&policy)) {
                assert_eq!((after.reason, after.cause), (Reason::ExemptionExpired, Some(before.reason)));
                assert!(
                    after.detail.starts_with(&before.detail) && after.detail.contains("`INC-1` has expired"),
                    "{}",
                    after.detail
                );
                told += 1;
            } else {
                assert_eq!(after, before);
                silent += 1;
            }
        }
    });
    assert!(told > 50 && silent > 50, "{told} {silent}");
}
