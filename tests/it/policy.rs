//! Policies together: all of them hold, or none of it is served; and what a reload does.

use countersign::demo::registry::Options;

use crate::support::expect::{denied, served};
use crate::support::lab::Lab;
use crate::support::scene::{authority, blob, manifest, rule};

#[tokio::test]
async fn two_policies_that_govern_one_image_must_both_hold() {
    let lab = Lab::start(Options::default()).await;
    let both = lab.signed("team/both").manifest;
    lab.signed("team/one");
    let other = lab.unsigned("team/other").manifest;
    for image in [&both, &other] {
        lab.foreign.sign_bundle(lab.registry(), image).expect("signs");
    }
    let policies = [
        rule("first", "registry.demo/**", "enforce", "first-key", ""),
        rule("second", "registry.demo/team/*", "enforce", "second-key", ""),
    ];
    lab.set_policy(&two_keys(&lab, &policies)).expect("a good policy");
    served(&lab.get(&manifest("team/both", "1")).await, both.digest, "signed");
    for (repository, policy) in [("team/one", "policy \"second\""), ("team/other", "policy \"first\"")] {
        let answer = lab.get(&manifest(repository, "1")).await;
        denied(&answer, "signature_missing");
        assert!(answer.message().contains(policy), "{}", answer.message());
    }
}

#[tokio::test]
async fn what_no_policy_covers_is_denied() {
    let lab = Lab::start(Options::default()).await;
    lab.signed("other/app");
    lab.signed("team/mirror");
    let except = "except: [ \"registry.demo/team/mirror\" ]";
    lab.set_policy(&two_keys(&lab, &[rule("first", "registry.demo/team/*", "enforce", "first-key", except)]))
        .expect("a good policy");
    for repository in ["other/app", "team/mirror"] {
        denied(&lab.get(&manifest(repository, "1")).await, "no_policy");
    }
    lab.set_policy("policies: []\ndefault: deny\n").expect("a good policy");
    denied(&lab.get(&manifest("team/mirror", "1")).await, "no_policy");
}

#[tokio::test]
async fn b07_a_format_that_the_policy_does_not_accept_is_not_evidence() {
    let lab = Lab::start(Options::default()).await;
    let bundle = lab.signed("team/bundle").manifest;
    let legacy = lab.unsigned("team/legacy").manifest;
    lab.signer.sign_legacy(lab.registry(), &legacy).expect("signs");
    for (formats, good, bad) in [("legacy", &legacy, &bundle), ("bundle", &bundle, &legacy)] {
        let text = lab.policy().replace("formats: [ bundle, legacy ]", &format!("formats: [ {formats} ]"));
        lab.set_policy(&text).expect("a good policy");
        served(&lab.get(&manifest(&good.repository, "1")).await, good.digest, "signed");
        assert_eq!(lab.get(&manifest(&bad.repository, "1")).await.status, 403, "{formats}");
    }
}

#[tokio::test]
async fn a_tag_that_the_policy_refuses_is_refused_by_tag_only() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    lab.registry().tag("team/app", "latest", image.digest);
    lab.set_policy(&two_keys(
        &lab,
        &[rule("first", "registry.demo/**", "enforce", "first-key", "refuseTags: [ latest ]")],
    ))
    .expect("a good policy");
    for _ in 0..2 {
        denied(&lab.get(&manifest("team/app", "latest")).await, "tag_refused");
        assert_eq!(lab.head(&manifest("team/app", "latest")).await.status, 403);
        served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
        served(&lab.get(&manifest("team/app", image.digest)).await, image.digest, "signed");
    }
}

#[tokio::test]
async fn a_refused_tag_does_not_make_members() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    lab.set_policy(&two_keys(
        &lab,
        &[rule("first", "registry.demo/**", "enforce", "first-key", "refuseTags: [ '1' ]")],
    ))
    .expect("a good policy");
    denied(&lab.get(&manifest("team/app", "1")).await, "tag_refused");
    denied(&lab.get(&blob("team/app", image.layer)).await, "not_a_member");
}

#[tokio::test]
async fn a_reload_judges_anew_and_an_invalid_one_keeps_the_old_policy() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
    lab.distrust_signer();
    denied(&lab.get(&manifest("team/app", "1")).await, "signature_missing");
    assert_eq!(lab.metric("policy_reload_failed", &[]).await, Some(0));

    let wrong = lab.set_policy("policies: [ { name: x, mode: enforced } ]\ndefault: audit\n");
    let message = wrong.expect_err("a bad policy").to_string();
    assert!(message.contains("policy.yaml:1:"), "where it is wrong: {message}");
    denied(&lab.get(&manifest("team/app", "1")).await, "signature_missing");
    assert_eq!(lab.metric("policy_reload_failed", &[]).await, Some(1));
    assert_eq!(lab.metric("policy_reloads_total", &[("result", "failed")]).await, Some(1));

    lab.set_policy(&lab.policy()).expect("a good policy");
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
    assert_eq!(lab.metric("policy_reload_failed", &[]).await, Some(0));
    assert_eq!(lab.metric("policy_reloads_total", &[("result", "loaded")]).await, Some(2));
}

/// A policy file with these policies, by `first-key` (the lab's signer) and `second-key` (the stranger).
fn two_keys(lab: &Lab, policies: &[String]) -> String {
    let (first, second) = (lab.signer.public_key_pem(), lab.foreign.public_key_pem());
    let authorities = authority("first-key", &first) + &authority("second-key", &second);
    format!("authorities:\n{authorities}policies:\n{}default: deny\n", policies.concat())
}
