//! What a policy that changes costs: nothing is asked of the registry again, unless to confirm a denial.

use countersign::demo::client::Answer;
use countersign::demo::registry::Options;
use futures_util::future::join_all;

use crate::support::expect::{denied, served};
use crate::support::lab::Lab;
use crate::support::registry_double::Kind;
use crate::support::scene::{authority, manifest, rule};

/// A policy file whose only policy has this name, and demands signatures by both of the lab's keys if `strict`.
fn policy(lab: &Lab, name: &str, strict: bool) -> String {
    let authorities =
        [authority("first", &lab.signer.public_key_pem()), authority("second", &lab.foreign.public_key_pem())];
    let policy = rule(name, "registry.demo/**", "enforce", "first", "");
    let also = if strict { rule("also", "registry.demo/**", "enforce", "second", "") } else { String::new() };
    format!("authorities:\n{}policies:\n{policy}{also}default: deny\n", authorities.concat())
}

/// Asks for the image by digest, and says what that cost the registry.
async fn pulled(lab: &Lab, path: &str) -> (Answer, usize) {
    lab.double.forget();
    let answer = lab.get(path).await;
    (answer, lab.double.seen().len())
}

#[tokio::test]
async fn an_edited_policy_is_judged_on_what_was_read_before() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    let (answer, first) = pulled(&lab, &path).await;
    served(&answer, image.digest, "signed");
    assert!(first > 1, "the manifest and its evidence");

    for name in ["one", "two"] {
        lab.set_policy(&policy(&lab, name, false)).expect("a good policy");
        let (answer, asked) = pulled(&lab, &path).await;
        served(&answer, image.digest, "signed");
        assert_eq!(asked, 0, "{:?}", lab.double.seen());
    }
    assert_eq!(lab.metric("evidence_cache_requests_total", &[("result", "hit")]).await, Some(2));
    assert_eq!(lab.metric("evidence_cache_requests_total", &[("result", "miss")]).await, Some(1));
    assert_eq!(lab.metric("verifications_total", &[("result", "verified")]).await, Some(3));
}

#[tokio::test]
async fn a_denial_on_what_was_read_a_moment_ago_asks_nothing_whatever_the_callers_and_the_edits() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 1h }\n").await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    served(&lab.get(&path).await, image.digest, "signed");
    lab.double.forget();
    for name in ["strict", "stricter", "strictest"] {
        lab.set_policy(&policy(&lab, name, true)).expect("a good policy");
        for answer in join_all((0..8).map(|_| lab.get(&path))).await {
            denied(&answer, "signature_missing");
        }
    }
    // But for an index, which the tags are searched for once.
    let searched = lab.double.count(Kind::Tags) + lab.double.count(Kind::Resolve);
    assert_eq!((searched, lab.double.seen().len()), (2, 2), "{:?}", lab.double.seen());
}

#[tokio::test]
async fn before_a_denial_the_registry_is_asked_for_what_is_new() {
    let lab = Lab::edited(Options::default(), |config| config + "cache: { deny: 0s }\n").await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    let first = pulled(&lab, &path).await.1;
    lab.set_policy(&policy(&lab, "strict", true)).expect("a good policy");
    let (answer, asked) = pulled(&lab, &path).await;
    denied(&answer, "signature_missing");
    let searched = lab.double.count(Kind::Tags) + lab.double.count(Kind::Resolve);
    assert_eq!(asked, first - 1 + searched, "all but the manifest, once: {:?}", lab.double.seen());

    lab.foreign.sign_bundle(lab.registry(), &image).expect("signs");
    let (answer, asked) = pulled(&lab, &path).await;
    served(&answer, image.digest, "signed");
    assert!(asked > first - 1, "the other signature, too: {:?}", lab.double.seen());
    lab.set_policy(&policy(&lab, "as-strict", true)).expect("a good policy");
    let (answer, asked) = pulled(&lab, &path).await;
    served(&answer, image.digest, "signed");
    assert_eq!(asked, 0, "{:?}", lab.double.seen());
}

#[tokio::test]
async fn a_policy_that_is_written_counts_without_a_signal_and_a_wrong_one_is_shown() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    let path = manifest("team/app", image.digest);
    served(&lab.get(&path).await, image.digest, "signed");
    let file = lab.config.with_file_name("policy.yaml");
    std::fs::write(&file, policy(&lab, "strict", true)).expect("a file");
    lab.metric_becomes("policy_reloads_total", &[("result", "loaded")], 1).await;
    denied(&lab.get(&path).await, "signature_missing");
    std::fs::write(&file, "policies: [\n").expect("a file");
    lab.metric_becomes("policy_reload_failed", &[], 1).await;
    denied(&lab.get(&path).await, "signature_missing");
    std::fs::write(&file, policy(&lab, "as-before", false)).expect("a file");
    lab.metric_becomes("policy_reload_failed", &[], 0).await;
    served(&lab.get(&path).await, image.digest, "signed");
    assert_eq!(lab.metric("policy_reloads_total", &[("result", "failed")]).await, Some(1), "tried once");
}
