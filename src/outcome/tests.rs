//! The last known good, from memory and from a record: only an Allow, only within its bounds, only while a registry is away.
//! And how long a record lasts.

use std::path::Path;

use super::*;
use crate::decide::{Verdict, decide, foregone};
use crate::policy::file::parse;
use crate::policy::{Format, Policies};
use crate::record::{Authenticated, Seal, VerdictRecord};
use crate::store::{Place, Shelf};
use crate::test_support::{KEY_A, KEY_B, examined, findings_of, signed_simple, subject};
use crate::trust::Trust;

const NOW: Timestamp = Timestamp(1_000_000);

fn terms() -> Terms {
    let secs = Duration::from_secs;
    Terms { now: NOW, allow: secs(600), deny: secs(15), evidence_max_age: secs(300), last_known_good: secs(60) }
}

/// `a` must sign; the text after it may add to the policy file.
fn policies(extra: &str) -> Policies {
    let authority =
        format!("  a: {{ key: {{ inline: {:?}, insecureSkipTransparencyLog: true }} }}", KEY_A.public_pem());
    let rule = "  - name: p\n    match: [ \"r.io/**\" ]\n    require: { signature: { by: a } }\n";
    let text = format!("authorities:\n{authority}\npolicies:\n{rule}{extra}");
    parse(&text, "test.yaml", Path::new(".")).expect("a policy text")
}

fn reason(verdict: &Verdict) -> Reason {
    match verdict.outcome() {
        Outcome::Allow(basis) => basis.reason(),
        Outcome::Deny(denial) => denial.reason,
    }
}

/// `verdict`, as the store gives it back.
fn restorable(verdict: &Verdict) -> Authenticated<VerdictRecord> {
    let (seal, place) = (Seal::random().expect("randomness"), Place::new(Shelf::Verdicts, "p"));
    let sealed = seal.close(&place, &VerdictRecord::of(verdict).expect("a stored kind")).expect("serialises");
    seal.open::<VerdictRecord>(&place, &sealed).expect("ours")
}

#[test]
fn the_last_known_good_is_an_allow_within_its_bounds_while_a_registry_or_its_trust_is_away() {
    let here = subject().digest;
    let signed = findings_of(&[&signed_simple(&KEY_A, here)], here, &["a"]);
    let governing = policies("").governing(&subject(), NOW);
    let trust = Trust::none().revision(&governing);
    let decided = |findings: &Findings| decide(&governing, trust, &examined(findings), &terms());
    let (allow, deny) = (decided(&signed).expect("a verdict"), decided(&findings_of(&[], here, &["a"])));
    let (end, deny) = (allow.fresh_until(), deny.expect("a verdict"));
    let away = |reason| {
        let mut findings = findings_of(&[], here, &["a"]);
        findings.unread.push(Unread::new("referrers", reason, "away"));
        decided(&findings).expect_err("it could not be read")
    };
    let key = Key::new(&governing, trust);
    let good = |verdict: &Verdict, key: &Key, now, unsure: &Indeterminate| {
        let terms = Terms { now, ..terms() };
        let from_memory = verdict.last_known_good(key, &terms, unsure);
        let from_store = Verdict::restore(&restorable(verdict), key, &terms, Some(unsure)).ok();
        let [memory, store] = [from_memory, from_store].map(|verdict| {
            let verdict = verdict?;
            assert!(verdict.is_stale() && VerdictRecord::of(&verdict).is_none(), "it is marked, and not stored");
            Some((reason(&verdict), verdict.valid_until()))
        });
        assert_eq!(memory, store);
        memory
    };
    let bound = end.plus(Duration::from_mins(1));
    for reason in [Reason::UpstreamUnavailable, Reason::UpstreamTimeout, Reason::UpstreamThrottled] {
        assert_eq!(good(&allow, &key, end, &away(reason)), Some((Reason::Signed, bound)), "{reason}");
    }
    for reason in [Reason::EvidenceUnreadable, Reason::UpstreamDigestMismatch, Reason::EvidenceIncomplete] {
        assert_eq!(good(&allow, &key, end, &away(reason)), None, "{reason}");
    }
    let down = away(Reason::UpstreamUnavailable);
    assert!(good(&allow, &key, Timestamp(bound.0 - 1), &down).is_some());
    assert_eq!(good(&allow, &key, bound, &down), None, "for no longer");
    assert_eq!(good(&deny, &key, end, &down), None, "a Deny is never good");
    let busy = Indeterminate(Denial::new(Reason::VerifierBusy, ""));
    assert_eq!(good(&allow, &key, end, &busy), None, "for nothing else");
    let edited = policies("    refuseTags: [ latest ]\n");
    let other = Key::new(&edited.governing(&subject(), NOW), trust);
    assert_eq!(good(&allow, &other, end, &down), None, "under another policy");
    let mut mixed = findings_of(&[], here, &["a"]);
    let unread = |reason| Unread::new("x", reason, "");
    mixed.unread = vec![unread(Reason::UpstreamTimeout), unread(Reason::UpstreamDigestMismatch)];
    assert_eq!(good(&allow, &key, end, &decided(&mixed).expect_err("unread")), None, "that is not all");
}

#[test]
fn no_fact_is_stretched_for_the_last_known_good() {
    let exempt = "exemptions:\n  - match: [ \"r.io/**\" ]\n    reason: x\n    expires: 1970-01-12T13:46:50Z\n";
    let governing = policies(exempt).governing(&subject(), NOW);
    let trust = Trust::none().revision(&governing);
    let verdict = foregone(&governing, trust, &terms()).expect("foregone");
    let cause = Some(Reason::UpstreamUnavailable);
    let down = Indeterminate(Denial { cause, ..Denial::new(Reason::EvidenceUnreadable, "") });
    let at = |now| verdict.last_known_good(verdict.key(), &Terms { now: Timestamp(now), ..terms() }, &down).is_some();
    assert!(at(1_000_009));
    assert!(!at(1_000_010), "the exemption has ended");
}

#[test]
fn an_unrelated_finding_never_turns_deny_into_allow() {
    let here = subject().digest;
    let policies = policies("");
    let governing = policies.governing(&subject(), NOW);
    let mut findings = findings_of(&[&signed_simple(&KEY_B, here)], here, &["a", "b"]);
    for unrelated in Reason::ALL {
        let authority = Name::new("a").expect("a name");
        let (location, detail) = (String::new(), String::new());
        let rejected = Rejected { authority, format: Format::Legacy, location, reason: *unrelated, detail };
        findings.rejected.push(rejected);
        let verdict = decide(&governing, Trust::none().revision(&governing), &examined(&findings), &terms());
        assert_eq!(verdict.as_ref().ok().map(reason), Some(Reason::SignatureMissing), "{unrelated}");
    }
}

#[test]
fn a_record_lasts_no_longer_than_what_is_decided_now() {
    let here = subject().digest;
    let (ours, trust) = (policies(""), Trust::none());
    let governing = ours.governing(&subject(), NOW);
    let key = Key::new(&governing, trust.revision(&governing));
    let (signed, none) = (findings_of(&[&signed_simple(&KEY_A, here)], here, &["a"]), findings_of(&[], here, &["a"]));
    for (findings, lasted, lasts) in [(signed, 300, 60), (none, 15, 5)] {
        let verdict = decide(&governing, key.scope.trust, &examined(&findings), &terms()).expect("a verdict");
        assert_eq!(verdict.fresh_until(), Timestamp(NOW.0 + lasted));
        let record = restorable(&verdict);
        let [secs, shorter] = [Duration::from_secs(lasts), Duration::from_secs(lasts - 1)];
        let at = |seconds, allow, deny| {
            let terms = Terms { now: Timestamp(NOW.0 + seconds), allow, deny, ..terms() };
            Verdict::restore(&record, &key, &terms, None).map(|verdict| verdict.fresh_until())
        };
        assert_eq!(at(lasts - 1, secs, secs), Ok(Timestamp(NOW.0 + lasts)));
        assert_eq!(at(lasts - 1, shorter, shorter), Err(Unbelieved::Expired));
        let day = Duration::from_hours(24);
        assert_eq!(at(lasted - 1, day, day), Ok(verdict.fresh_until()), "nor longer than it was to last");
    }
}
