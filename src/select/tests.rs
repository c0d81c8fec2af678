//! The truth table of selection: which of several attestations must satisfy, by age and by content, and until when.

use super::*;
use crate::policy::{Condition, FieldPath, Name};
use crate::test_support::{KEY_A, KEY_B, attested, examined, findings_of, subject};

const NOW: Timestamp = Timestamp(1_700_000_000);
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// An attestation by `a` that says when it was made, in hours before [`NOW`], and whether it is `good`.
fn scan(hours: i64, good: bool) -> String {
    let at = jiff::Timestamp::from_second(i64::try_from(NOW.0).expect("a time") - hours * 3_600).expect("a time");
    format!(r#"{{"at":"{at}","good":{good}}}"#)
}

fn wanted(select: Select, days: Option<u64>, condition: Option<&str>) -> Attestation {
    Attestation {
        by: Name::new("a").expect("a name"),
        predicate_type: VULN.into(),
        on: crate::policy::On::Index,
        select,
        condition: condition.map(|source| Condition::parse(source).expect("a condition")),
        max_age: days.map(|days| Duration::from_hours(24 * days)),
        age_from: FieldPath::parse("at").ok(),
    }
}

/// What comes of these predicates, and how many hours it holds.
fn outcome(wanted: &Attestation, predicates: &[String], unread: bool) -> String {
    let here = subject().digest;
    let candidates: Vec<_> = predicates.iter().map(|one| attested(&KEY_A, here, VULN, one)).collect();
    let findings = findings_of(&candidates.iter().collect::<Vec<_>>(), here, &["a"]);
    assert_eq!(findings.verified.len(), predicates.len());
    let part = examined(&findings).own;
    let why = Shortfall { reason: Reason::EvidenceUnreadable, cause: None, detail: "500".into() };
    let counting = part.findings.verified.iter().collect();
    match choose(wanted, counting, &part.image, unread.then_some(&why), NOW) {
        Selected::Holding { on, until } if until == Timestamp::FOREVER => format!("{} hold", on.len()),
        Selected::Holding { on, until } => format!("{} hold {} h", on.len(), until.since(NOW).as_secs() / 3_600),
        Selected::Fails(why) => why.reason.to_string(),
        Selected::Unknown(why) => format!("503 {}", why.reason),
    }
}

#[test]
fn age_is_counted_from_what_was_signed() {
    use Select::{All, Any, Newest};
    let (young, old, ahead) = (scan(24, true), scan(24 * 8, true), scan(-2, true));
    let nearly = scan(24 * 7 - 1, true);
    for (select, predicates, unread, expected) in [
        (Newest, vec![&young], false, "1 hold 144 h"),
        (Newest, vec![&nearly], false, "1 hold 1 h"),
        (Newest, vec![&old], false, "too_old"),
        (Newest, vec![&old, &young], false, "1 hold 144 h"),
        (Any, vec![&old, &young, &nearly], false, "2 hold 144 h"),
        (All, vec![&old, &young], false, "too_old"),
        (All, vec![&young, &nearly], false, "2 hold 1 h"),
        // A time that has not come does not count yet, and hides nobody.
        (Newest, vec![&ahead], false, "no_signing_time"),
        (Newest, vec![&ahead, &young], false, "1 hold 1 h"),
        (All, vec![&ahead, &young], false, "1 hold 1 h"),
        (Any, vec![&ahead, &young], false, "1 hold 144 h"),
        (Newest, vec![&ahead, &old], false, "too_old"),
        (All, vec![&ahead], true, "503 evidence_unreadable"),
        // What was not read may be newer, or not fit.
        (Newest, vec![&young], true, "503 evidence_unreadable"),
        (Newest, vec![&old], true, "503 evidence_unreadable"),
        (All, vec![&young], true, "503 evidence_unreadable"),
        (All, vec![&young, &old], true, "too_old"),
        (Any, vec![&young, &old], true, "1 hold 144 h"),
        (Any, vec![&old], true, "503 evidence_unreadable"),
    ] {
        let predicates: Vec<_> = predicates.into_iter().cloned().collect();
        assert_eq!(outcome(&wanted(select, Some(7), None), &predicates, unread), expected, "{select:?} {predicates:?}");
    }
}

#[test]
fn a_piece_that_says_no_time_is_never_young_and_may_be_the_newest() {
    let (young, timeless) = (scan(24, true), r#"{"good":true}"#.to_string());
    for (select, expected) in
        [(Select::Any, "1 hold 144 h"), (Select::Newest, "no_signing_time"), (Select::All, "no_signing_time")]
    {
        assert_eq!(outcome(&wanted(select, Some(7), None), &[young.clone(), timeless.clone()], false), expected);
    }
    for wrong in ["yesterday", "2023-11-14", "2023-11-14T00:00:00", ""] {
        let predicate = format!(r#"{{"at":"{wrong}"}}"#);
        assert_eq!(outcome(&wanted(Select::Any, Some(7), None), &[predicate], false), "no_signing_time", "{wrong}");
    }
}

#[test]
fn a_condition_holds_on_those_that_are_selected() {
    use Select::{All, Any, Newest};
    let (good, bad) = (scan(24, true), scan(24, false));
    let (later_good, later_bad) = (scan(1, true), scan(1, false));
    for (select, predicates, unread, expected) in [
        (Newest, vec![&bad, &later_good], false, "1 hold"),
        (Newest, vec![&later_good, &bad], false, "1 hold"),
        (Newest, vec![&good, &later_bad], false, "condition_false"),
        (Newest, vec![&good, &bad], false, "condition_false"),
        (Any, vec![&good, &later_bad], false, "1 hold"),
        (Any, vec![&bad, &later_bad], false, "condition_false"),
        (All, vec![&good, &later_good], false, "2 hold"),
        (All, vec![&good, &later_bad], false, "condition_false"),
        (All, vec![&good, &bad], true, "condition_false"),
        (Newest, vec![&later_good], true, "503 evidence_unreadable"),
        (Any, vec![&good], true, "1 hold"),
        (Any, vec![&bad], true, "503 evidence_unreadable"),
    ] {
        let predicates: Vec<_> = predicates.into_iter().cloned().collect();
        let wanted = wanted(select, None, Some("predicate.good"));
        assert_eq!(outcome(&wanted, &predicates, unread), expected, "{select:?} {predicates:?}");
    }
    let wanted = wanted(Any, None, Some("predicate.better"));
    assert_eq!(outcome(&wanted, std::slice::from_ref(&good), false), "condition_error");
}

#[test]
fn a_condition_that_looks_at_the_clock_holds_for_a_minute() {
    let wanted = wanted(Select::Any, None, Some("now > timestamp(predicate.at)"));
    assert_eq!(outcome(&wanted, &[scan(1, true)], false), "1 hold 0 h");
}

#[test]
fn without_condition_and_age_one_is_enough_whatever_was_not_read() {
    for select in [Select::All, Select::Any, Select::Newest] {
        assert_eq!(outcome(&wanted(select, None, None), &[scan(1, true), scan(-9, false)], true), "2 hold");
    }
}

#[test]
fn evidence_of_another_authority_is_not_on_the_scales() {
    let here = subject().digest;
    let by_b = attested(&KEY_B, here, VULN, &scan(1, false));
    let findings = findings_of(&[&attested(&KEY_A, here, VULN, &scan(2, true)), &by_b], here, &["a", "b"]);
    let by_a = findings.verified.iter().filter(|one| one.authority().as_str() == "a").collect();
    let part = examined(&findings).own;
    let chosen = choose(&wanted(Select::Newest, None, Some("predicate.good")), by_a, &part.image, None, NOW);
    assert!(matches!(chosen, Selected::Holding { on, .. } if on.len() == 1));
}
