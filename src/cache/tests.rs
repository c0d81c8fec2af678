//! One decision for all, on time that stands still until a test moves it.

use std::future::pending;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{advance, sleep};

use super::*;
use crate::decide::ungoverned;
use crate::oci::{Digest, Subject};
use crate::outcome::{Denial, Outcome, Terms};
use crate::policy::file::parse;
use crate::policy::{Governing, Policies};
use crate::reason::Reason;
use crate::test_support::subject;
use crate::trust::Trust;

pub(super) const NOW: Timestamp = Timestamp(1_000_000);

/// A policy under which everything in `r.io` is exempt, or nothing is.
pub(super) fn policies(exempt: bool) -> Policies {
    let exemption = "exemptions: [ { match: [ \"r.io/**\" ], reason: x } ]\n";
    let text = format!("policies: []\n{}", if exempt { exemption } else { "" });
    parse(&text, "test.yaml", Path::new(".")).expect("a policy text")
}

/// The verdict on `subject` at `now`: an Allow for ten minutes, or a Deny for fifteen seconds.
pub(super) fn verdict(subject: &Subject, allow: bool, now: Timestamp) -> Verdict {
    let governing: Governing = policies(allow).governing(subject, now);
    let (minutes, deny) = (Duration::from_mins, Duration::from_secs(15));
    let terms = Terms { now, allow: minutes(10), deny, evidence_max_age: minutes(60), last_known_good: Duration::ZERO };
    ungoverned(&governing, Trust::none().revision(&governing), &terms).expect("no policy governs it")
}

/// Asks for `verdict` as a pull does, by what `decide` makes of it.
async fn ask(
    verdicts: &Verdicts,
    verdict: &Verdict,
    now: Timestamp,
    decide: impl Future<Output = Result<Verdict, Indeterminate>>,
) -> Result<(Verdict, Lookup), Arc<Indeterminate>> {
    match verdicts.fresh(verdict.key(), now).await {
        Some(verdict) => Ok((verdict, Lookup::Hit)),
        None => verdicts.decide_once(Key::clone(verdict.key()), now, decide).await,
    }
}

fn allows(verdict: &Verdict) -> bool {
    matches!(verdict.outcome(), Outcome::Allow(_))
}

#[tokio::test(start_paused = true)]
async fn sixty_four_who_ask_at_once_get_the_answer_of_one_decision() {
    for result in [Ok(true), Ok(false), Err(Reason::EvidenceUnreadable)] {
        let (verdicts, decided) = (Verdicts::new(100), AtomicUsize::new(0));
        let of = verdict(&subject(), result != Ok(false), NOW);
        let one = || async {
            decided.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_secs(3)).await;
            result.map(|_| of.clone()).map_err(|reason| Indeterminate(Denial::new(reason, "")))
        };
        let answers = join_all((0..64).map(|_| ask(&verdicts, &of, NOW, one()))).await;
        assert_eq!(decided.load(Ordering::SeqCst), 1, "{result:?}");
        let misses = answers.iter().filter(|answer| matches!(answer, Ok((_, Lookup::Miss)))).count();
        assert_eq!(misses, usize::from(result.is_ok()));
        for answer in answers {
            assert_eq!(answer.map(|(verdict, _)| allows(&verdict)).map_err(|unsure| unsure.0.reason), result);
        }
        // What could not be told is asked again by the next one; what could is known.
        let again = ask(&verdicts, &of, NOW, one()).await.map(|(_, lookup)| lookup);
        assert_eq!(again.is_ok_and(|lookup| lookup == Lookup::Hit), result.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_first_goes_away_somebody_else_decides_and_nobody_fails() {
    let (verdicts, of) = (Arc::new(Verdicts::new(100)), verdict(&subject(), true, NOW));
    let (cache, subject) = (verdicts.clone(), of.clone());
    let first = tokio::spawn(async move { ask(&cache, &subject, NOW, pending()).await });
    sleep(Duration::from_secs(1)).await;
    let rest = join_all((0..64).map(|_| ask(&verdicts, &of, NOW, async { Ok(of.clone()) })));
    let leave = async {
        sleep(Duration::from_secs(1)).await;
        first.abort();
    };
    let (answers, ()) = tokio::join!(rest, leave);
    let lookups: Vec<_> = answers.into_iter().map(|answer| answer.expect("a verdict").1).collect();
    assert_eq!(lookups.iter().filter(|lookup| **lookup == Lookup::Miss).count(), 1, "{lookups:?}");
}

#[tokio::test(start_paused = true)]
async fn what_ended_is_decided_once_more_and_what_came_meanwhile_stays() {
    let (verdicts, of) = (Verdicts::new(100), verdict(&subject(), false, NOW));
    ask(&verdicts, &of, NOW, async { Ok(of.clone()) }).await.expect("a verdict");
    let later = of.fresh_until();
    let new = verdict(&subject(), false, later);
    let decided = AtomicUsize::new(0);
    // Whoever looked before the new one was there comes late.
    let one = || async {
        decided.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(new.clone())
    };
    let late = async {
        assert!(verdicts.fresh(of.key(), later).await.is_none());
        sleep(Duration::from_secs(1)).await;
        verdicts.decide_once(Key::clone(of.key()), later, one()).await
    };
    let (first, late) = tokio::join!(ask(&verdicts, &of, later, one()), late);
    assert_eq!(first.expect("a verdict").1, Lookup::Miss);
    assert_eq!(late.expect("a verdict").1, Lookup::Hit);
    assert_eq!(decided.load(Ordering::SeqCst), 1);
    assert!(verdicts.fresh(new.key(), later).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn no_clock_that_is_set_makes_a_verdict_last_longer() {
    let (verdicts, of) = (Verdicts::new(100), verdict(&subject(), true, NOW));
    ask(&verdicts, &of, NOW, async { Ok(of.clone()) }).await.expect("a verdict");
    let (nearly, ten_minutes, day) = (Duration::from_secs(599), Duration::from_mins(10), Duration::from_hours(24));
    let yesterday = Timestamp(NOW.0 - day.as_secs());
    assert!(verdicts.fresh(of.key(), NOW.plus(day)).await.is_none(), "the clock jumped ahead");
    assert!(verdicts.fresh(of.key(), NOW).await.is_some(), "and back again");
    advance(nearly).await;
    assert!(verdicts.fresh(of.key(), yesterday).await.is_some());
    advance(Duration::from_secs(1)).await;
    assert!(verdicts.fresh(of.key(), yesterday).await.is_none(), "the clock was set back, and time went on");
    let (_, now) = verdicts.last(of.key(), yesterday).await.expect("it is kept");
    assert_eq!(now, NOW.plus(ten_minutes), "nor does it outlive its end as the last known good");

    // What was decided while the clock was ahead ends in due time, too.
    let ahead = verdict(&subject(), true, NOW.plus(day));
    ask(&verdicts, &of, NOW.plus(day), async { Ok(ahead.clone()) }).await.expect("a verdict");
    advance(ten_minutes).await;
    assert!(verdicts.fresh(of.key(), NOW.plus(ten_minutes)).await.is_none());
}

#[tokio::test]
async fn equal_names_and_revisions_are_once_in_memory() {
    let verdicts = Verdicts::new(100);
    let keys: Vec<_> = join_all(["a", "b"].map(|digest| async {
        // Each from a request of its own.
        let image: crate::oci::Image = serde_json::from_str(r#"{"registry":"r.io","repository":"app"}"#).expect("r");
        let of = verdict(&image.at(Digest::of(digest.as_bytes())), true, NOW);
        verdicts.decide_once(Key::clone(of.key()), NOW, async { Ok(of) }).await.expect("a verdict").0.key().clone()
    }))
    .await;
    let text = |key: &Key| key.scope.image.repository.as_str().as_ptr();
    assert_eq!(text(&keys[0]), text(&keys[1]));
    assert!(Arc::ptr_eq(&keys[0].scope, &keys[1].scope));
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test(start_paused = true)]
async fn what_was_decided_at_another_time_ends_by_what_was_known_of_the_time_before() {
    let verdicts = Verdicts::new(100);
    let at = |seconds: u64| Timestamp(NOW.0 + seconds);
    let decided = |at| async move { Ok(verdict(&subject(), true, at)) };
    let key = Key::clone(verdict(&subject(), true, NOW).key());
    let lookup = verdicts.decide_once(key.clone(), NOW, decided(NOW)).await.expect("a verdict").1;
    assert_eq!(lookup, Lookup::Miss);
    // It has ended, and the clock is set back by five minutes; the store has one that ends 100 seconds later.
    advance(Duration::from_mins(10)).await;
    verdicts.decide_once(key.clone(), at(300), decided(at(100))).await.expect("a verdict");
    advance(Duration::from_secs(99)).await;
    assert!(verdicts.fresh(&key, at(399)).await.is_some());
    advance(Duration::from_secs(1)).await;
    assert!(verdicts.fresh(&key, at(400)).await.is_none(), "by the clock that nobody can set");
    // What is decided now lasts as long as it says.
    verdicts.decide_once(key.clone(), at(400), decided(at(400))).await.expect("a verdict");
    advance(Duration::from_secs(599)).await;
    assert!(verdicts.fresh(&key, at(999)).await.is_some());
    verdicts.forget(&key).await;
    assert!(verdicts.fresh(&key, at(999)).await.is_none());
}
