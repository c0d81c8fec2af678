//! Audit: what would be refused is served and counted; what must never be served is not.

use countersign::demo::images::Stored;
use countersign::demo::registry::Options;
use http::Method;

use crate::support::expect::{denied, refused, served, unsure};
use crate::support::lab::Lab;
use crate::support::registry_double::Fault;
use crate::support::scene::{blob, manifest, rule};

#[tokio::test]
async fn audit_serves_what_would_be_denied_and_counts_it() {
    let lab = audited().await;
    let (signed, unsigned) = (lab.signed("team/app"), lab.unsigned("team/unsigned"));
    let would_deny = [("reason", "unsigned"), ("policy", "demo")];
    assert_eq!(lab.metric("would_deny_total", &would_deny).await, Some(0), "born at 0");
    served(&lab.get(&manifest("team/app", "1")).await, signed.manifest.digest, "signed");
    assert_eq!(lab.metric("would_deny_total", &would_deny).await, Some(0));
    served(&lab.get(&manifest("team/unsigned", "1")).await, unsigned.manifest.digest, "audited");
    assert_eq!(lab.metric("would_deny_total", &would_deny).await, Some(1));
    assert_eq!(lab.metric("decisions_total", &[("outcome", "deny")]).await, Some(0));
    served(&lab.get(&blob("team/unsigned", unsigned.layer)).await, unsigned.layer, "member");
}

#[tokio::test]
async fn audit_serves_blobs_that_nobody_is_known_to_list_and_counts_them() {
    let lab = audited().await;
    let image = lab.unsigned("team/unsigned");
    served(&lab.get(&blob("team/unsigned", image.layer)).await, image.layer, "audited");
    assert_eq!(lab.metric("would_deny_total", &[("reason", "not_a_member")]).await, Some(1));
}

#[tokio::test]
async fn audit_serves_no_manifest_as_a_blob() {
    let lab = audited().await;
    let (_, images) = lab.signed_index("team/multi");
    let digest = images[0].manifest.digest;
    let (_, bytes) = lab.registry().manifest("team/multi", &digest.to_string()).expect("it is there");
    lab.registry().put_blob("team/multi", bytes);
    assert_eq!(lab.get(&manifest("team/multi", "1")).await.status, 200);
    denied(&lab.get(&blob("team/multi", digest)).await, "blob_is_manifest");
}

/// Anyone who may push could make such an index, and audit admits it.
#[tokio::test]
async fn a_layer_that_an_index_calls_its_child_stays_a_layer() {
    let lab = audited().await;
    let image = lab.signed("team/app");
    let called = Stored { digest: image.layer, ..image.manifest.clone() };
    let index = lab.index_over("team/app", Some("odd"), &[&called]);
    assert_eq!(lab.get(&manifest("team/app", "1")).await.status, 200);
    served(&lab.get(&manifest("team/app", "odd")).await, index.digest, "audited");
    served(&lab.get(&blob("team/app", image.layer)).await, image.layer, "member");
}

#[tokio::test]
async fn audit_serves_no_revoked_blob() {
    let lab = audited().await;
    let image = lab.unsigned("team/unsigned");
    lab.set_policy(&(lab.policy() + &format!("revoked: {{ digests: [ \"{}\" ] }}\n", image.layer)))
        .expect("a good policy");
    assert_eq!(lab.get(&blob("team/unsigned", image.layer)).await.status, 403);
    served(&lab.get(&blob("team/unsigned", image.config)).await, image.config, "audited");
}

#[tokio::test]
async fn audit_serves_no_manifest_as_a_blob_though_nothing_lists_it() {
    let lab = audited().await;
    let image = lab.unsigned("team/unsigned");
    // Registries that keep manifests among the blobs answer this with 200.
    let (_, bytes) = lab.registry().manifest("team/unsigned", "1").expect("pushed");
    lab.registry().put_blob("team/unsigned", bytes);
    denied(&lab.get(&blob("team/unsigned", image.manifest.digest)).await, "blob_is_manifest");
    served(&lab.get(&blob("team/unsigned", image.layer)).await, image.layer, "audited");
}

#[tokio::test]
async fn audit_serves_what_could_not_be_judged() {
    let lab = audited().await;
    let image = lab.signed("team/app").manifest;
    lab.double.fault(Method::GET, "/v2/team/app/referrers/", Fault::Status(500));
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "audited");
    let counted = lab.metric("would_deny_total", &[("reason", "evidence_unreadable")]).await;
    assert_eq!(counted, Some(1));
    lab.double.heal();
    served(&lab.get_after_rest(&manifest("team/app", "1"), "signed").await, image.digest, "signed");
}

#[tokio::test]
async fn audit_gives_nothing_that_the_registry_does_not_give() {
    let lab = audited().await;
    lab.signed("team/app");
    refused(&lab.get(&manifest("team/app", "2")).await, 404, "MANIFEST_UNKNOWN", "upstream_not_found");
    lab.double.fault(Method::HEAD, "/v2/team/app/", Fault::Status(500));
    unsure(&lab.get(&manifest("team/app", "1")).await, "upstream_unavailable");
}

#[tokio::test]
async fn leaving_audit_stops_what_only_audit_served() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("other/app");
    lab.set_policy(&narrow(&lab, "audit")).expect("a good policy");
    served(&lab.get(&manifest("other/app", "1")).await, image.manifest.digest, "audited");
    served(&lab.get(&blob("other/app", image.layer)).await, image.layer, "member");
    lab.set_policy(&narrow(&lab, "deny")).expect("a good policy");
    denied(&lab.get(&manifest("other/app", "1")).await, "no_policy");
    denied(&lab.get(&blob("other/app", image.layer)).await, "no_policy");
}

#[tokio::test]
async fn default_audit_serves_only_what_no_enforced_policy_covers() {
    let lab = Lab::start(Options::default()).await;
    let uncovered = lab.unsigned("other/app").manifest;
    lab.unsigned("team/app");
    lab.set_policy(&narrow(&lab, "audit")).expect("a good policy");
    served(&lab.get(&manifest("other/app", "1")).await, uncovered.digest, "audited");
    assert_eq!(lab.metric("would_deny_total", &[("reason", "no_policy")]).await, Some(1));
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
}

#[tokio::test]
async fn an_audited_policy_never_allows_and_never_denies() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.signed("team/app").manifest;
    lab.unsigned("team/unsigned");
    let watched = rule("watched", "registry.demo/**", "audit", "release-key", "");
    // Alone, it leaves the image to `default`.
    let alone = lab.policy().replace("mode: enforce", "mode: audit");
    lab.set_policy(&alone).expect("a good policy");
    denied(&lab.get(&manifest("team/app", "1")).await, "no_policy");
    // Beside an enforced one, it only counts.
    let strict = lab.policy().replace("default: deny", &format!("{watched}default: deny"));
    let strict = strict.replace("authorities:\n", &format!("authorities:\n{}", stranger(&lab)));
    let strict = strict.replace(&watched, &rule("watched", "registry.demo/**", "audit", "stranger", ""));
    lab.set_policy(&strict).expect("a good policy");
    served(&lab.get(&manifest("team/app", "1")).await, image.digest, "signed");
    let counted = lab.metric("would_deny_total", &[("policy", "watched"), ("reason", "signature_missing")]).await;
    assert_eq!(counted, Some(1));
    denied(&lab.get(&manifest("team/unsigned", "1")).await, "unsigned");
}

async fn audited() -> Lab {
    Lab::edited(Options::default(), |config| config.replace("policy: {", "policy: { audit: true,")).await
}

/// A policy on `team/` alone, and `default` for the rest.
fn narrow(lab: &Lab, default: &str) -> String {
    let policy = lab.policy().replace("registry.demo/**", "registry.demo/team/**");
    policy.replace("default: deny", &format!("default: {default}"))
}

fn stranger(lab: &Lab) -> String {
    crate::support::scene::authority("stranger", &lab.foreign.public_key_pem())
}
