//! What loosens and what beats everything: exemptions and revoked digests.

use countersign::demo::registry::Options;
use countersign::oci::Digest;

use crate::support::expect::{denied, served};
use crate::support::lab::Lab;
use crate::support::scene::{blob, manifest};

#[tokio::test]
async fn an_exempt_digest_is_served_unsigned_and_no_other() {
    let lab = Lab::start(Options::default()).await;
    let (image, other) = (lab.unsigned("team/app"), lab.unsigned("team/other"));
    let digest = image.manifest.digest;
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    lab.set_policy(&(lab.policy() + &exemption(&format!("registry.demo/team/app@{digest}"), "")))
        .expect("a good policy");
    served(&lab.get(&manifest("team/app", "1")).await, digest, "exempt");
    served(&lab.get(&blob("team/app", image.layer)).await, image.layer, "member");
    denied(&lab.get(&manifest("team/other", "1")).await, "unsigned");
    denied(&lab.get(&blob("team/other", other.layer)).await, "not_a_member");
    // The same bytes in a repository that the exemption does not name.
    let (media_type, bytes) = lab.registry().manifest("team/app", "1").expect("it is there");
    lab.registry().put_manifest("team/other", &media_type, bytes, Some("copy"));
    denied(&lab.get(&manifest("team/other", "copy")).await, "unsigned");
}

#[tokio::test]
async fn the_exemption_of_an_index_covers_its_children() {
    let lab = Lab::start(Options::default()).await;
    let images = [lab.unsigned("team/multi")];
    let index = lab.index_over("team/multi", Some("all"), &[&images[0].manifest]);
    let child = manifest("team/multi", images[0].manifest.digest);
    denied(&lab.get(&child).await, "unsigned");
    lab.set_policy(&(lab.policy() + &exemption(&format!("registry.demo/team/multi@{}", index.digest), "")))
        .expect("a good policy");
    served(&lab.get(&manifest("team/multi", "all")).await, index.digest, "exempt");
    served(&lab.get(&child).await, images[0].manifest.digest, "member");
}

#[tokio::test]
async fn an_exemption_ends_when_it_says_and_the_denial_names_it() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app").manifest;
    let until = |instant: &str| lab.policy() + &exemption("registry.demo/team/*", &format!("expires: {instant}"));
    lab.set_policy(&until("2100-01-01T00:00:00Z")).expect("a good policy");
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "exempt");
    lab.set_policy(&until("2020-01-01T00:00:00Z")).expect("a good policy");
    let answer = lab.get(&manifest("team/app", "1")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.message().contains("`INC-1` has expired"), "{}", answer.message());
}

#[tokio::test]
async fn an_exemption_from_one_policy_leaves_the_others() {
    let lab = Lab::start(Options::default()).await;
    let name = "policies: [ demo ]";
    let other = crate::support::scene::rule("other", "registry.demo/team/app", "enforce", "release-key", "");
    let text = lab.policy().replace("default: deny", &format!("{other}default: deny"));
    lab.unsigned("team/app");
    let image = lab.unsigned("team/lib").manifest;
    lab.set_policy(&(text + &exemption("registry.demo/team/*", name))).expect("a good policy");
    served(&lab.get(&manifest("team/lib", "1")).await, image.digest, "exempt");
    let answer = lab.get(&manifest("team/app", "1")).await;
    denied(&answer, "unsigned");
    assert!(answer.message().contains("policy \"other\""), "{}", answer.message());
}

#[tokio::test]
async fn a_revoked_digest_is_denied_though_it_is_signed_exempt_and_audited() {
    for audit in [false, true] {
        let audited = format!("policy: {{ audit: {audit},");
        let lab = Lab::edited(Options::default(), |config| config.replace("policy: {", &audited)).await;
        let image = lab.signed("team/app");
        assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
        assert_eq!(lab.get(&blob("team/app", image.layer)).await.status, 200);
        let more = exemption("registry.demo/**", "") + &revoked(&[image.manifest.digest]);
        for default in ["default: deny", "default: audit"] {
            lab.set_policy(&(lab.policy().replace("default: deny", default) + &more)).expect("a good policy");
            denied(&lab.get(&manifest("team/app", "1")).await, "revoked");
            denied(&lab.get(&manifest("team/app", image.manifest.digest)).await, "revoked");
            assert_eq!(lab.head(&manifest("team/app", "1")).await.status, 403);
        }
    }
}

#[tokio::test]
async fn the_blobs_of_a_revoked_image_are_denied_for_its_reason() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    lab.set_policy(&(lab.policy() + &revoked(&[image.manifest.digest]))).expect("a good policy");
    denied(&lab.get(&blob("team/app", image.layer)).await, "revoked");
}

#[tokio::test]
async fn a_revoked_blob_and_the_image_that_lists_it_are_denied() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app");
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    lab.set_policy(&(lab.policy() + &revoked(&[image.layer]))).expect("a good policy");
    assert_eq!(lab.get(&blob("team/app", image.layer)).await.status, 403);
    denied(&lab.get(&manifest("team/app", "1")).await, "child_denied");
}

#[tokio::test]
async fn an_index_that_lists_a_revoked_child_is_denied_with_the_child() {
    for audit in [false, true] {
        let audited = format!("policy: {{ audit: {audit},");
        let lab = Lab::edited(Options::default(), |config| config.replace("policy: {", &audited)).await;
        let (index, images) = lab.signed_index("team/multi");
        let child = manifest("team/multi", images[0].manifest.digest);
        served(&lab.get(&manifest("team/multi", "1")).await, index.digest, "signed");
        served(&lab.get(&child).await, images[0].manifest.digest, "member");
        lab.set_policy(&(lab.policy() + &revoked(&[images[0].manifest.digest]))).expect("a good policy");
        let answer = lab.get(&manifest("team/multi", "1")).await;
        denied(&answer, "child_denied");
        assert!(answer.message().contains(&images[0].manifest.digest.to_string()), "{}", answer.message());
        denied(&lab.get(&child).await, "revoked");
        denied(&lab.get(&blob("team/multi", images[0].layer)).await, "revoked");
    }
}

fn exemption(scope: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!("    {more}\n") };
    format!("exemptions:\n  - match: [ \"{scope}\" ]\n    reason: INC-1\n{more}")
}

fn revoked(digests: &[Digest]) -> String {
    let digests: Vec<_> = digests.iter().map(|digest| format!("\"{digest}\"")).collect();
    format!("revoked: {{ digests: [ {} ] }}\n", digests.join(", "))
}
