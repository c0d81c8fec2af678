use super::super::tests::{NOW, verdict};
use super::*;
use crate::oci::Digest;
use crate::test_support::subject;

#[test]
fn only_an_allow_is_due_and_only_near_its_end() {
    let at = |verdict: &Verdict, before, left| {
        let now = Timestamp(verdict.fresh_until().0 - left);
        Refresh::new(Duration::from_secs(before)).is_due(verdict, now)
    };
    // For ten minutes.
    let allow = verdict(&subject(), true, NOW);
    for (before, left, due) in [
        (120, 121, false),
        (120, 120, false),
        (120, 59, true),
        (120, 1, true),
        // At most in the second half, or a long window would never close.
        (3600, 300, false),
        (3600, 149, true),
        (0, 1, false),
    ] {
        assert_eq!(at(&allow, before, left), due, "{before} {left}");
    }
    assert!(!at(&verdict(&subject(), false, NOW), 120, 1), "a Deny");
}

#[test]
fn what_ends_together_is_due_at_different_times_in_different_replicas_too() {
    let replicas = [0; 2].map(|_| Refresh::new(Duration::from_mins(4)));
    let due: Vec<Vec<u64>> = replicas
        .iter()
        .map(|replica| {
            let of = |number: u32| verdict(&subject().image.at(Digest::of(&number.to_be_bytes())), true, NOW);
            let first = |verdict: &Verdict| {
                (0..600).find(|second| replica.is_due(verdict, NOW.plus(Duration::from_secs(*second))))
            };
            (0..200).map(|number| first(&of(number)).expect("due in time")).collect()
        })
        .collect();
    for due in &due {
        assert!(due.iter().all(|second| (360..=481).contains(second)), "{due:?}");
        let most = (0..600).map(|second| due.iter().filter(|one| **one == second).count()).max();
        assert!(most < Some(15), "200 over 120 seconds: {most:?} at once");
    }
    assert_ne!(due[0], due[1]);
}

#[tokio::test]
async fn one_attempt_at_a_time_for_each_and_a_bounded_number_for_all() {
    let refresh = Refresh::new(Duration::from_mins(1));
    let key = |number: usize| {
        let of = verdict(&subject().image.at(Digest::of(&number.to_be_bytes())), true, NOW);
        of.key().clone()
    };
    let first = refresh.begin(&key(0)).await.expect("leave");
    assert!(refresh.begin(&key(0)).await.is_none(), "under way");
    let mut others = Vec::new();
    for number in 1..AT_ONCE {
        others.push(refresh.begin(&key(number)).await.expect("leave"));
    }
    assert!(refresh.begin(&key(AT_ONCE)).await.is_none(), "enough");
    drop(first);
    assert!(refresh.begin(&key(0)).await.is_none(), "a moment ago");
    assert!(refresh.begin(&key(AT_ONCE)).await.is_some(), "whose turn it is was not forgotten");
}
