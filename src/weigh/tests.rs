//! What requirements come to, on evidence that was really verified.

use super::*;
use crate::evidence::{EvidenceSet, Unread};
use crate::oci::Digest;
use crate::policy::Policies;
use crate::policy::file::parse;
use crate::test_support::{
    KEY_A, KEY_B, against, attested, examined, findings_of, patient, signed_attestation, signed_simple, subject,
};
use crate::verify::verify_all;

const NOW: Timestamp = Timestamp(1_000_000);
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const SBOM: &str = "https://cyclonedx.org/bom";
const ON_INDEX: &str = "signature: { by: a }";
const ON_PLATFORM: &str = "attestation: { by: a, type: https://cyclonedx.org/bom, on: platform }";

fn policies(more: &str) -> Policies {
    let text = format!(
        "authorities:\n  a: {{ key: {{ inline: {:?}, insecureSkipTransparencyLog: true }} }}\npolicies:\n  - name: p\n    \
         match: [ \"r.io/**\" ]\n    require: {{ attestation: {{ by: a, type: vuln{more} }} }}\n",
        KEY_A.public_pem()
    );
    parse(&text, "test.yaml", std::path::Path::new(".")).unwrap_or_else(|errors| panic!("{errors}"))
}

/// An attestation that is larger than the limit is no evidence; where all of them matter, it may be the one that does.
#[test]
fn an_attestation_above_the_limit_is_denied_and_may_be_the_newest() {
    let predicate = |size: usize| format!(r#"{{"at":"1970-01-12T00:00:00Z","text":"{}"}}"#, "x".repeat(size));
    let (small, large) = (predicate(1), predicate(5_000));
    let mut limits = patient();
    limits.attestation = 4_000;
    let aged = ", maxAge: 7d, ageFrom: at";
    for (more, predicates, expected) in [
        ("", vec![&large], "attestation_missing (evidence_too_large)"),
        ("", vec![&small, &large], "holds"),
        (", maxAge: 7d, ageFrom: at, select: any", vec![&small, &large], "holds"),
        (aged, vec![&small, &large], "503 evidence_incomplete (evidence_too_large)"),
        (aged, vec![&small], "holds"),
        (aged, vec![&large], "attestation_missing (evidence_too_large)"),
    ] {
        let policies = policies(more);
        let candidates = predicates.iter().map(|one| attested(&KEY_A, subject().digest, VULN, one)).collect();
        let (unread, unusable) = (Vec::new(), Vec::new());
        let set = EvidenceSet { candidates, unread, unusable, incomplete: false, read_at: NOW };
        let authorities: Vec<_> = policies.authorities().cloned().collect();
        let part = examined(&verify_all(&set, &subject().digest, &authorities, against(&limits))).own;
        let policy = &policies.all()[0];
        let leaf = policy.require().leaves()[0];
        let cause = |why: &Shortfall| why.cause.map_or("", Reason::code).to_string();
        let outcome = match weigh(leaf, policy, &part, NOW) {
            Truth::Holds(_) => "holds".to_string(),
            Truth::Fails(why) => format!("{} ({})", why.reason, cause(&why)),
            Truth::Unknown(why) => format!("503 {} ({})", why.reason, cause(&why)),
        };
        assert_eq!(outcome, expected, "{more} {}", predicates.len());
    }
}

fn requiring(requirement: &str) -> Policies {
    let key = |key: &str| format!("{{ key: {{ inline: {key:?}, insecureSkipTransparencyLog: true }} }}");
    let text = format!(
        "authorities:\n  a: {}\n  b: {}\npolicies:\n  - {{ name: p, match: [ \"r.io/**\" ], require: {{ {requirement} }} }}\n",
        key(&KEY_A.public_pem()),
        key(&KEY_B.public_pem())
    );
    parse(&text, "test.yaml", std::path::Path::new(".")).expect("a policy text")
}

/// What was found about `digest`: `a` and `b` signed it, `A` and `B` attested an SBOM of it, `?` could not be read.
fn part(platform: &str, digest: Digest, found: &str) -> Part {
    let candidates = found.chars().filter_map(|piece| match piece {
        'a' => Some(signed_simple(&KEY_A, digest)),
        'b' => Some(signed_simple(&KEY_B, digest)),
        'A' => Some(signed_attestation(&KEY_A, digest, SBOM)),
        'B' => Some(signed_attestation(&KEY_B, digest, SBOM)),
        _ => None,
    });
    let candidates: Vec<_> = candidates.collect();
    let mut findings = findings_of(&candidates.iter().collect::<Vec<_>>(), digest, &["a", "b"]);
    if found.contains('?') {
        findings.unread.push(Unread::new("referrers", Reason::EvidenceUnreadable, "500"));
    }
    let mut part = examined(&findings).own;
    part.image.digest = digest;
    part.platform = platform.into();
    part
}

fn images(found: &[&str]) -> Children {
    let name = |number: usize| format!("linux/{number}");
    let part = |(number, found): (usize, &&str)| part(&name(number), Digest::of(name(number).as_bytes()), found);
    Children::Read(found.iter().enumerate().map(part).collect())
}

fn comes_to(requirement: &str, own: &str, children: Children) -> Truth {
    let policies = requiring(requirement);
    let governing = policies.governing(&subject(), NOW);
    let policy = governing.remaining().next().expect("a policy");
    let own = part("", subject().digest, own);
    weigh_policy(policy, &Examined { own, children }, NOW)
}

fn word(truth: &Truth) -> String {
    match truth {
        Truth::Fails(why) => format!("fails {}", why.reason),
        Truth::Unknown(why) => format!("unknown {}", why.reason),
        Truth::Holds(_) => "holds".into(),
    }
}

fn unread(reason: Reason) -> Children {
    Children::Unread(Shortfall { reason, cause: None, detail: "x".into() })
}

#[test]
fn every_image_needs_what_is_required_of_its_platform_and_all_share_the_index() {
    let both = format!("allOf: [ {{ {ON_INDEX} }}, {{ {ON_PLATFORM} }} ]");
    for (own, children, expected) in [
        ("a", images(&["A", "A"]), "holds"),
        ("a", images(&["A"]), "holds"),
        ("a", images(&["A", ""]), "fails attestation_missing"),
        ("a", images(&["", "A"]), "fails attestation_missing"),
        ("a", images(&["A", "B"]), "fails attestation_missing"),
        ("a", images(&["A", "a"]), "fails attestation_missing"),
        // What the index has is not what its platforms have, and the other way round.
        ("aA", images(&["A", ""]), "fails attestation_missing"),
        ("", images(&["aA", "aA"]), "fails unsigned"),
        ("b", images(&["aA", "aA"]), "fails signature_missing"),
        // Good evidence suffices beside what could not be read; what is missing is not known to be.
        ("a?", images(&["A?", "A?"]), "holds"),
        ("a", images(&["A", "?"]), "unknown evidence_unreadable"),
        ("?", images(&["A", "A"]), "unknown evidence_unreadable"),
        ("a", images(&["?", ""]), "fails attestation_missing"),
        ("", images(&["?"]), "fails unsigned"),
        // Nothing is never enough.
        ("aA", images(&[]), "fails attestation_missing"),
        ("aA", unread(Reason::EvidenceIncomplete), "unknown evidence_incomplete"),
        ("aA", unread(Reason::EvidenceUnreadable), "unknown evidence_unreadable"),
        ("", unread(Reason::EvidenceUnreadable), "fails unsigned"),
        ("aA", unread(Reason::IndexTooDeep), "fails index_too_deep"),
        ("aA", unread(Reason::ManifestMalformed), "fails manifest_malformed"),
        // An image has its own evidence and no other.
        ("aA", Children::NotAsked, "holds"),
        ("a", Children::NotAsked, "fails attestation_missing"),
    ] {
        let label = format!("{own} {children:?}");
        assert_eq!(word(&comes_to(&both, own, children)), expected, "{label}");
    }
}

#[test]
fn either_may_hold_for_each_image_by_itself() {
    let either = format!("anyOf: [ {{ {ON_INDEX} }}, {{ {ON_PLATFORM} }} ]");
    for (own, children, expected) in [
        ("a", images(&["", ""]), "holds"),
        ("", images(&["A", "A"]), "holds"),
        ("", images(&["A", ""]), "fails unsigned"),
        ("?", images(&["A", "A"]), "holds"),
        ("?", images(&["A", ""]), "unknown evidence_unreadable"),
        ("a", images(&[]), "holds"),
        ("", images(&[]), "fails unsigned"),
        ("a", unread(Reason::EvidenceIncomplete), "holds"),
        ("", unread(Reason::EvidenceIncomplete), "unknown evidence_incomplete"),
        ("a", unread(Reason::IndexTooDeep), "holds"),
        ("", unread(Reason::IndexTooDeep), "fails unsigned"),
    ] {
        let label = format!("{own} {children:?}");
        assert_eq!(word(&comes_to(&either, own, children)), expected, "{label}");
    }
    // One platform by one way, another by another.
    let ways = "anyOf: [ { signature: { by: b, on: platform } }, { attestation: { by: a, type: https://cyclonedx.org/bom, on: platform } } ]";
    assert_eq!(word(&comes_to(ways, "", images(&["A", "b"]))), "holds");
    assert_eq!(word(&comes_to(ways, "Ab", images(&["A", "B"]))), "fails signature_missing");
    let no_image = comes_to("signature: { by: a, on: platform }", "a", images(&[]));
    assert_eq!(word(&no_image), "fails signature_missing");
}

#[test]
fn a_threshold_is_met_for_each_image() {
    let two = "atLeast: { n: 2, of: [ { signature: { by: a } }, { signature: { by: b, on: platform } }, { signature: { by: a, on: platform } } ] }";
    for (own, children, expected) in [
        ("a", images(&["b", "b"]), "holds"),
        ("", images(&["ab", "ab"]), "holds"),
        ("a", images(&["b", "a"]), "fails threshold_not_met"),
        ("a", images(&["b", "?"]), "unknown evidence_unreadable"),
        ("ab", images(&["", ""]), "fails threshold_not_met"),
    ] {
        let label = format!("{own} {children:?}");
        assert_eq!(word(&comes_to(two, own, children)), expected, "{label}");
    }
}

#[test]
fn what_a_policy_does_not_ask_of_platforms_does_not_matter_to_it() {
    for children in [images(&[]), images(&["", "?"]), unread(Reason::EvidenceIncomplete), unread(Reason::IndexTooDeep)]
    {
        let label = format!("{children:?}");
        assert_eq!(word(&comes_to(ON_INDEX, "a", children)), "holds", "{label}");
    }
}

#[test]
fn the_image_that_falls_short_is_named_and_the_index_is_not_called_by_another_name() {
    let both = format!("allOf: [ {{ {ON_INDEX} }}, {{ {ON_PLATFORM} }} ]");
    let detail = |truth| match truth {
        Truth::Fails(why) | Truth::Unknown(why) => why.detail,
        Truth::Holds(_) => String::new(),
    };
    let named = format!("linux/1 ({}): no attestation {SBOM}", Digest::of(b"linux/1"));
    assert!(detail(comes_to(&both, "a", images(&["A", "", ""]))).starts_with(&named));
    let named = format!("linux/1 ({}): ", Digest::of(b"linux/1"));
    assert!(detail(comes_to(&both, "a", images(&["A", "?"]))).starts_with(&named));
    assert!(detail(comes_to(&both, "", images(&["A"]))).starts_with("no signature by"));
}
