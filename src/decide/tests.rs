//! The truth table of the decision, over evidence that was really signed and really verified.

use std::time::Duration;

use super::*;
use crate::evidence::Unread;
use crate::oci::Digest;
use crate::policy::Policies;
use crate::policy::file::parse;
use crate::test_support::{
    KEY_A, KEY_B, evidence_artifact, examined, findings_of, signed_attestation, signed_simple, subject,
};
use crate::trust::Trust;
use crate::verify::Findings;

const NOW: Timestamp = Timestamp(1_000_000);

fn terms() -> Terms {
    let secs = Duration::from_secs;
    Terms { now: NOW, allow: secs(600), deny: secs(15), evidence_max_age: secs(300), last_known_good: secs(60) }
}

fn policies(text: &str) -> Policies {
    let authorities = format!(
        "authorities:\n  a: {{ key: {{ inline: {a:?}, insecureSkipTransparencyLog: true }} }}\n  b: {{ key: {{ inline: {b:?}, \
         insecureSkipTransparencyLog: true }} }}\n",
        a = KEY_A.public_pem(),
        b = KEY_B.public_pem()
    );
    parse(&format!("{authorities}{text}"), "test.yaml", std::path::Path::new(".")).expect("a policy text")
}

/// `a` must sign; the text after it may add to the policy file.
fn one(extra: &str) -> Policies {
    policies(&format!(
        "policies:\n  - name: p\n    match: [ \"r.io/**\" ]\n    require: {{ signature: {{ by: a }} }}\n{extra}"
    ))
}

fn outcome(policies: &Policies, findings: &Findings) -> String {
    let governing = policies.governing(&subject(), NOW);
    match decide(&governing, Trust::none().revision(&governing), &examined(findings), &terms()) {
        Ok(verdict) => match verdict.outcome() {
            Outcome::Deny(Denial { reason, cause: Some(cause), .. }) => format!("{reason} ({cause})"),
            _ => reason(&verdict).to_string(),
        },
        Err(Indeterminate(why)) => format!("503 {}", why.reason),
    }
}

fn unread(mut findings: Findings) -> Findings {
    let (location, detail) = ("tag".to_string(), "500".to_string());
    findings.unread.push(Unread { location, elsewhere: None, reason: Reason::UpstreamUnavailable, detail });
    findings
}

fn cut_off(mut findings: Findings) -> Findings {
    findings.incomplete = true;
    findings
}

#[test]
fn only_a_signature_by_the_authority_over_the_subject_in_an_accepted_format_allows() {
    let (here, other) = (subject().digest, Digest::of(b"other"));
    let (by_a, by_b) = (signed_simple(&KEY_A, here), signed_simple(&KEY_B, here));
    let none = || findings_of(&[], here, &[]);
    let bundle_only = one("    formats: [ bundle ]\n");
    for (name, findings, policies, expected) in [
        ("signed", findings_of(&[&by_a], here, &["a"]), one(""), "signed"),
        ("nothing", none(), one(""), "unsigned"),
        ("another authority", findings_of(&[&by_b], here, &["a", "b"]), one(""), "signature_missing (key_mismatch)"),
        ("a beside b", findings_of(&[&by_b, &by_a], here, &["a", "b"]), one(""), "signed"),
        (
            "another subject",
            findings_of(&[&signed_simple(&KEY_A, other)], other, &["a"]),
            one(""),
            "signature_missing (subject_mismatch)",
        ),
        ("format", findings_of(&[&by_a], here, &["a"]), bundle_only, "signature_missing (format_not_accepted)"),
        (
            "attestation only",
            findings_of(&[&signed_attestation(&KEY_A, here, "https://cyclonedx.org/bom")], here, &["a"]),
            one(""),
            "signature_missing (predicate_type_mismatch)",
        ),
        ("unread", unread(none()), one(""), "503 evidence_unreadable"),
        ("cut off", cut_off(none()), one(""), "503 evidence_incomplete"),
        ("unread, but good evidence", unread(findings_of(&[&by_a], here, &["a"])), one(""), "signed"),
        ("no policy", none(), policies("policies: []\n"), "no_policy"),
    ] {
        assert_eq!(outcome(&policies, &findings), expected, "{name}");
    }
}

#[test]
fn every_policy_must_hold_and_a_no_beats_a_could_not_tell() {
    let here = subject().digest;
    let second =
        |by: &str| format!("  - name: q\n    match: [ \"r.io/**\" ]\n    require: {{ signature: {{ by: {by} }} }}\n");
    let by_a = findings_of(&[&signed_simple(&KEY_A, here)], here, &["a", "b"]);
    assert_eq!(outcome(&one(&second("b")), &by_a), "signature_missing (key_mismatch)");
    assert_eq!(outcome(&one(&second("a")), &by_a), "signed");
    let both = findings_of(&[&signed_simple(&KEY_A, here), &signed_simple(&KEY_B, here)], here, &["a", "b"]);
    assert_eq!(outcome(&one(&second("b")), &both), "signed");
}

#[test]
fn what_a_policy_does_not_look_at_leaves_its_answer_alone() {
    let here = subject().digest;
    let elsewhere = |mode: &str| {
        policies(&format!(
            "policies:\n  - name: p\n    match: [ \"r.io/**\" ]\n    require: {{ signature: {{ by: a }} }}\n  - name: q\n    \
             match: [ \"r.io/**\" ]\n    mode: {mode}\n    evidence: {{ repository: r.io/elsewhere }}\n    require: {{ \
             signature: {{ by: b }} }}\n"
        ))
    };
    let unread = |mut findings: Findings| {
        findings.unread.push(Unread::new("tag", Reason::EvidenceUnreadable, "500").within("r.io/elsewhere"));
        findings
    };
    let (by_a, none) = (findings_of(&[&signed_simple(&KEY_A, here)], here, &["a"]), findings_of(&[], here, &["a"]));
    let signed = signed_simple(&KEY_A, here).within("r.io/elsewhere");
    let there = findings_of(&[&signed, &signed_simple(&KEY_B, here)], here, &["a", "b"]);
    for (mode, findings, expected) in [
        ("audit", there.clone(), "signature_missing (key_mismatch)"),
        ("enforce", there, "signature_missing (key_mismatch)"),
        ("audit", unread(by_a.clone()), "signed"),
        ("audit", unread(none.clone()), "unsigned"),
        ("enforce", unread(by_a), "503 evidence_unreadable"),
        ("enforce", unread(none), "unsigned"),
    ] {
        assert_eq!(outcome(&elsewhere(mode), &findings), expected, "{mode}");
    }
}

#[test]
fn order_revoked_then_exempt_then_policies_then_default() {
    let here = subject().digest;
    let none = findings_of(&[], here, &["a"]);
    let revoked = format!("revoked: {{ digests: [ \"{here}\" ] }}\n");
    let exempt = "exemptions:\n  - match: [ \"r.io/**\" ]\n    reason: INC-1\n";
    let named = format!("{exempt}    policies: [ p ]\n");
    let until = |instant: &str| format!("{exempt}    expires: {instant}\n");
    let (past, future) = (until("1970-01-02T00:00:00Z"), until("1970-01-12T13:46:41Z"));
    let (ends_now, of_another) = (until("1970-01-12T13:46:40Z"), format!("{past}    policies: [ q ]\n"));
    let second = "  - name: q\n    match: [ \"r.io/**\" ]\n    mode: audit\n    require: { signature: { by: b } }\n";
    let other_digest = format!("exemptions:\n  - match: [ \"r.io/app@{}\" ]\n    reason: x\n", Digest::of(b"z"));
    let signed = findings_of(&[&signed_simple(&KEY_A, here)], here, &["a"]);
    for (extra, findings, expected) in [
        (revoked.clone(), &signed, "revoked"),
        (format!("{exempt}{revoked}"), &none, "revoked"),
        (exempt.to_string(), &none, "exempt"),
        (named, &none, "exempt"),
        (future, &none, "exempt"),
        (past.clone(), &none, "exemption_expired (unsigned)"),
        (ends_now, &none, "exemption_expired (unsigned)"),
        (past, &signed, "signed"),
        (format!("{second}{of_another}"), &none, "unsigned"),
        (other_digest, &none, "unsigned"),
    ] {
        assert_eq!(outcome(&one(&extra), findings), expected, "{extra}");
    }
}

#[test]
fn an_audited_policy_leaves_a_note_and_never_allows_or_blocks() {
    let here = subject().digest;
    let watched = "  - name: w\n    match: [ \"r.io/**\" ]\n    mode: audit\n    require: { signature: { by: b } }\n";
    let policies_with = one(watched);
    let governing = policies_with.governing(&subject(), NOW);
    let findings = unread(findings_of(&[&signed_simple(&KEY_A, here)], here, &["a", "b"]));
    let verdict =
        decide(&governing, Trust::none().revision(&governing), &examined(&findings), &terms()).expect("a verdict");
    assert_eq!(verdict.outcome(), &Outcome::Allow(Basis::Signed));
    assert_eq!(verdict.would_deny().len(), 1);
    let only_watched = policies(&format!("policies:\n{watched}"));
    let good = findings_of(&[&signed_simple(&KEY_B, here)], here, &["a", "b"]);
    assert_eq!(outcome(&only_watched, &good), "no_policy");
}

#[test]
fn an_evidence_artifact_passes_unless_it_is_revoked_or_the_proof_is_about_another() {
    let (manifest, proof) = evidence_artifact();
    let digest = manifest.digest();
    let decided = |policies: &Policies, digest| {
        let governing = policies.governing(&subject().image.at(digest), NOW);
        let verdict = decide_artifact(&governing, Trust::none().revision(&governing), &proof, &terms());
        verdict.map_or_else(|Indeterminate(why)| why.reason, |verdict| reason(&verdict))
    };
    let exempt = "exemptions:\n  - match: [ \"r.io/**\" ]\n    reason: INC-1\n";
    let revoked = format!("revoked: {{ digests: [ \"{digest}\" ] }}\n");
    for (policies, expected) in [
        (one(""), Reason::Evidence),
        (policies("policies: []\n"), Reason::Evidence),
        (one(exempt), Reason::Exempt),
        (one(&revoked), Reason::Revoked),
        (one(&format!("{exempt}{revoked}")), Reason::Revoked),
    ] {
        assert_eq!(decided(&policies, digest), expected);
    }
    assert_eq!(decided(&one(""), Digest::of(b"another")), Reason::Internal);
    let governing = one("").governing(&subject().image.at(digest), NOW);
    let trust = Trust::none().revision(&governing);
    let verdict = decide_artifact(&governing, trust, &proof, &terms()).expect("a verdict");
    assert_eq!((verdict.fresh_until(), verdict.valid_until()), (NOW.plus(Duration::from_mins(5)), Timestamp::FOREVER));
    let key = Key::new(&governing, trust);
    let restored = Verdict::restore(&restorable(&verdict), &key, &terms(), None).expect("fresh");
    assert_eq!(reason(&restored), Reason::Evidence);
}

#[test]
fn only_what_no_policy_governs_is_ungoverned() {
    let revoked = format!("policies: []\nrevoked: {{ digests: [ \"{}\" ] }}\n", subject().digest);
    for (policies, expected) in [
        (one(""), None),
        (policies("policies: []\n"), Some(Reason::NoPolicy)),
        (policies(&revoked), Some(Reason::Revoked)),
    ] {
        let governing = policies.governing(&subject(), NOW);
        let verdict = ungoverned(&governing, Trust::none().revision(&governing), &terms());
        assert_eq!(verdict.as_ref().map(reason), expected);
    }
}

#[test]
fn verdicts_end_with_what_they_rest_on() {
    let here = subject().digest;
    let governing = one("").governing(&subject(), NOW);
    let signed = findings_of(&[&signed_simple(&KEY_A, here)], here, &["a"]);
    let verdict =
        decide(&governing, Trust::none().revision(&governing), &examined(&signed), &terms()).expect("a verdict");
    assert_eq!(
        verdict.fresh_until(),
        signed.read_at.plus(Duration::from_mins(5)).min(NOW.plus(Duration::from_mins(10)))
    );
    let exempt = "exemptions:\n  - match: [ \"r.io/**\" ]\n    reason: x\n    expires: 1970-01-12T13:46:50Z\n";
    let governing = one(exempt).governing(&subject(), NOW);
    let verdict = foregone(&governing, Trust::none().revision(&governing), &terms()).expect("foregone");
    assert_eq!((verdict.valid_until(), verdict.fresh_until()), (Timestamp(1_000_010), Timestamp(1_000_010)));
}

#[test]
fn audit_serves_refusals_but_neither_revoked_digests_nor_requests_that_are_wrong() {
    let audit = |policies: Policies, reason| {
        let governing = policies.governing(&subject(), NOW);
        Verdict::audited(&Denial::new(reason, ""), &governing, Trust::none().revision(&governing), NOW).is_some()
    };
    let revoked = format!("revoked: {{ digests: [ \"{}\" ] }}\n", subject().digest);
    assert!(audit(one("").audited(true), Reason::Unsigned));
    assert!(audit(one("").audited(true), Reason::EvidenceUnreadable));
    assert!(!audit(one(""), Reason::Unsigned));
    assert!(!audit(one(&revoked).audited(true), Reason::Revoked));
    assert!(!audit(one("").audited(true), Reason::ChildDenied));
    assert!(!audit(one("").audited(true), Reason::UpstreamNotFound));
    assert!(!audit(one("default: audit\n"), Reason::Unsigned), "an enforced policy governs it");
    assert!(audit(policies("policies: []\ndefault: audit\n"), Reason::NoPolicy));
}

#[test]
fn a_record_is_restored_only_for_the_same_key_while_fresh() {
    let here = subject().digest;
    let signed = findings_of(&[&signed_simple(&KEY_A, here)], here, &["a"]);
    let (ours, edited) = (one(""), one("    refuseTags: [ latest ]\n"));
    let governing = ours.governing(&subject(), NOW);
    let trust = Trust::none().revision(&governing);
    let verdict = decide(&governing, trust, &examined(&signed), &terms()).expect("a verdict");
    let record = restorable(&verdict);
    let at = |governing: &Governing, now| {
        let key = Key::new(governing, trust);
        Verdict::restore(&record, &key, &Terms { now, ..terms() }, None).map(|verdict| reason(&verdict))
    };
    let earlier = |seconds| Timestamp(NOW.0 - seconds);
    assert_eq!(at(&governing, NOW), Ok(Reason::Signed));
    assert_eq!(at(&governing, Timestamp(verdict.fresh_until().0 - 1)), Ok(Reason::Signed));
    assert_eq!(at(&governing, verdict.fresh_until()), Err(Unbelieved::Expired));
    assert_eq!(at(&governing, earlier(60)), Ok(Reason::Signed), "clocks differ a little");
    assert_eq!(at(&governing, earlier(61)), Err(Unbelieved::Future));
    assert_eq!(at(&edited.governing(&subject(), NOW), NOW), Err(Unbelieved::Elsewhere));
    let revoked = one(&format!("revoked: {{ digests: [ \"{here}\" ] }}\n"));
    assert_eq!(at(&revoked.governing(&subject(), NOW), NOW), Err(Unbelieved::Elsewhere));
    let mut other = subject();
    other.digest = Digest::of(b"other");
    assert_eq!(at(&ours.governing(&other, NOW), NOW), Err(Unbelieved::Elsewhere));
}

fn reason(verdict: &Verdict) -> Reason {
    match verdict.outcome() {
        Outcome::Allow(basis) => basis.reason(),
        Outcome::Deny(denial) => denial.reason,
    }
}

/// `verdict`, as the store gives it back.
fn restorable(verdict: &Verdict) -> Authenticated<VerdictRecord> {
    let seal = crate::record::Seal::random().expect("randomness");
    let record = VerdictRecord::of(verdict).expect("a stored kind");
    let place = crate::store::Place::new(crate::store::Shelf::Verdicts, "p");
    let sealed = seal.close(&place, &record).expect("serialises");
    seal.open::<VerdictRecord>(&place, &sealed).expect("ours")
}
