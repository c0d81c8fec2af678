//! How old a scan is says the scan itself, or a certificate that lived for one signature: never who logged or stamped an
//! old envelope once more.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::world::{KEYS, NOW, SCAN, TRUST};
use crate::clock::Timestamp;
use crate::demo::signer::attestation_statement;
use crate::demo::sigstore::{Content, Identity, Recipe};
use crate::discovery::{Candidate, Material};
use crate::evidence::EvidenceSet;
use crate::outcome::{Indeterminate, Outcome, Terms};
use crate::policy::file::parse;
use crate::pull::case::{Case, Gathered, Piece};
use crate::snapshot::Snapshot;
use crate::test_support::{SIGSTORE, patient, subject};

const DAY: u64 = 86_400;

/// An instant so many days before [`NOW`].
fn ago(days: u64) -> Timestamp {
    Timestamp(NOW.0 - days * DAY)
}

fn seconds(at: Timestamp) -> i64 {
    i64::try_from(at.0).expect("a time")
}

fn by_key(days: u64) -> Recipe {
    SIGSTORE.stamped(SIGSTORE.keyed(&KEYS[0], seconds(ago(days)) - 60))
}

fn by_pipeline(days: u64) -> Recipe {
    let recipe = SIGSTORE.keyless(&Identity::gitlab("myorg/app"), seconds(ago(days)) - 60);
    SIGSTORE.stamped(recipe.expect("a key"))
}

/// A certificate that lives for years.
fn by_certificate(days: u64) -> Recipe {
    by_pipeline(days).with_template(|mut template| {
        template.not_before = seconds(ago(1000));
        template.not_after = seconds(NOW) + seconds(Timestamp(1000 * DAY));
        template
    })
}

/// The same signature, logged and stamped today.
fn anew(recipe: Recipe) -> Recipe {
    let now = seconds(NOW) - 60;
    Recipe { integrated_at: now, stamped_at: now, ..recipe }
}

/// A scan that ended so many days ago and found so many critical things.
fn scan(recipe: &Recipe, days: u64, critical: u64) -> Candidate {
    let predicate = json!({ "metadata": { "scanFinishedOn": ago(days).to_string() }, "critical": critical });
    let statement = attestation_statement("app", subject().digest, SCAN, &predicate);
    let bundle = recipe.sign(Content::statement(&statement)).expect("signs").bundle();
    Candidate::new("referrer".into(), Material::Bundle(bundle.to_string().into()))
}

/// What comes of these scans where one of at most 7 days without anything critical is required.
fn outcome(by: &str, age_from: bool, scans: Vec<Candidate>) -> String {
    let from = if age_from { ", ageFrom: metadata.scanFinishedOn" } else { "" };
    judged(&format!("by: {by}, maxAge: 7d, condition: predicate.critical == 0{from}"), scans)
}

/// What comes of these scans where one is required of which `demand` holds.
fn judged(demand: &str, scans: Vec<Candidate>) -> String {
    let authorities = json!({
        "scanner": { "key": { "inline": KEYS[0].public_pem(), "trustRoot": "root" } },
        "ci": { "keyless": { "trustRoot": "root", "issuer": "https://gitlab.com", "identity": "https://gitlab.com/myorg/**" } },
    });
    let text = format!(
        "trustRoots: {{ root: {{ file: root.json }} }}\nauthorities: {authorities}\npolicies: [ {{ name: p, match: [ r.io/** ], \
         require: {{ attestation: {{ type: \"{SCAN}\", {demand} }} }} }} ]\n"
    );
    let policies = Arc::new(parse(&text, "policy.yaml", Path::new(".")).unwrap_or_else(|errors| panic!("{errors}")));
    let governing = policies.governing(&subject(), NOW);
    let image = crate::test_support::examined(&crate::test_support::findings_of(&[], subject().digest, &[])).own.image;
    let set = EvidenceSet { candidates: scans, unread: vec![], unusable: vec![], incomplete: false, read_at: NOW };
    let evidence = Gathered::alone(Piece { image, platform: String::new(), evidence: Arc::new(set), held: false });
    let days = |count: u64| Duration::from_secs(count * DAY);
    let terms =
        Terms { now: NOW, allow: days(100), deny: days(1), evidence_max_age: days(100), last_known_good: days(0) };
    let snapshot = Arc::new(Snapshot { policies, trust: TRUST.clone() });
    match (Case { snapshot, governing, evidence, limits: patient(), terms }).deliberate().1 {
        Ok(verdict) => match verdict.outcome() {
            Outcome::Allow(_) => format!("{} days", verdict.valid_until().since(NOW).as_secs() / DAY),
            Outcome::Deny(denial) => match denial.cause {
                Some(cause) => format!("{} ({cause})", denial.reason),
                None => denial.reason.to_string(),
            },
        },
        Err(Indeterminate(why)) => format!("503 {}", why.reason),
    }
}

#[test]
fn an_old_clean_scan_that_is_logged_or_stamped_anew_today_is_denied() {
    let relogged = |recipe: Recipe| Recipe { stamped_at: recipe.stamped_at, ..anew(recipe.clone()) };
    let restamped = |recipe: Recipe| Recipe { integrated_at: recipe.integrated_at, ..anew(recipe.clone()) };
    for again in [anew as fn(Recipe) -> Recipe, relogged, restamped] {
        let old = || scan(&again(by_key(30)), 30, 0);
        assert_eq!(outcome("scanner", true, vec![old()]), "too_old");
        // Neither does it hide what has been found since.
        let young = |critical| scan(&by_key(2), 2, critical);
        assert_eq!(outcome("scanner", true, vec![young(0), old()]), "5 days");
        assert_eq!(outcome("scanner", true, vec![young(3), old()]), "condition_false");
        // Where the certificate lives for one signature, there is no later time at which it could have been made.
        let old = || scan(&again(by_pipeline(30)), 30, 0);
        assert_eq!(outcome("ci", false, vec![old()]), "attestation_missing (certificate_expired)");
        let young = |critical| scan(&by_pipeline(2), 2, critical);
        assert_eq!(outcome("ci", false, vec![young(0), old()]), "4 days");
        assert_eq!(outcome("ci", false, vec![young(3), old()]), "condition_false");
        // A certificate that lives long is like a key.
        let old = || scan(&again(by_certificate(30)), 30, 0);
        assert_eq!(outcome("ci", false, vec![old()]), "no_signing_time");
        assert_eq!(outcome("ci", true, vec![old()]), "too_old");
    }
}

/// A condition sees the time of signing only where nobody can make an old signature seem young.
#[test]
fn a_condition_cannot_be_told_that_an_old_signature_is_young() {
    let young = |by: &str| format!("by: {by}, select: any, condition: 'now - signer.time < duration(\"24h\")'");
    assert_eq!(judged(&young("ci"), vec![scan(&by_pipeline(0), 0, 0)]), "0 days");
    assert_eq!(judged(&young("ci"), vec![scan(&by_pipeline(2), 2, 0)]), "condition_false");
    for (by, recipe) in [("scanner", by_key(30)), ("scanner", anew(by_key(30))), ("ci", anew(by_certificate(30)))] {
        assert_eq!(judged(&young(by), vec![scan(&recipe, 30, 0)]), "condition_error", "{by}");
    }
}

/// Anyone may attach copies: they say no more than one does, also where some of them cannot be told apart.
#[test]
fn copies_of_a_scan_count_as_one() {
    let (clean, bad) = (scan(&by_key(2), 2, 0), scan(&by_key(2), 2, 3));
    let copies = |of: &Candidate| vec![of.clone(); 8];
    assert_eq!(outcome("scanner", true, copies(&clean)), "5 days");
    assert_eq!(outcome("scanner", true, [copies(&clean), copies(&bad)].concat()), "condition_false");
    let older = scan(&by_key(3), 3, 3);
    assert_eq!(outcome("scanner", true, [copies(&older), copies(&clean)].concat()), "5 days");
}

#[test]
fn a_scan_is_as_old_as_it_says_whenever_it_was_logged() {
    for (by, recipe) in [("scanner", by_key as fn(u64) -> Recipe), ("ci", by_pipeline), ("ci", by_certificate)] {
        assert_eq!(outcome(by, true, vec![scan(&recipe(2), 2, 0)]), "5 days");
        assert_eq!(outcome(by, true, vec![scan(&recipe(2), 6, 0)]), "1 days");
        assert_eq!(outcome(by, true, vec![scan(&recipe(2), 30, 0)]), "too_old");
        assert_eq!(outcome(by, true, vec![scan(&recipe(2), 2, 1)]), "condition_false");
    }
    assert_eq!(
        outcome("ci", false, vec![scan(&by_pipeline(2), 30, 0)]),
        "4 days",
        "only the time of signing is asked for"
    );
    assert_eq!(outcome("ci", false, vec![scan(&by_certificate(2), 2, 0)]), "no_signing_time");
}
