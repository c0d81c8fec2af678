//! Artifacts that the judge tells by their content: what that costs, and what keeps it from being told.

use super::*;

/// The bundle that signs a new image, as an image of its own.
fn bundle(world: &World) -> Image {
    let image = world.push("team/app");
    let manifest = world.signer.sign_bundle(&world.registry, &image.manifest).expect("signs");
    Image { manifest, ..image }
}

/// The same, that have told nothing and read no more than this at once.
fn artifacts(world: &World, bytes: usize) -> Artifacts {
    let Judge { upstreams, fetch, limits, .. } = &*world.judge;
    Artifacts::new(upstreams.clone(), fetch.clone(), InFlight::new(bytes), *limits)
}

#[tokio::test]
async fn an_artifact_is_told_once_and_its_verdict_is_stored_as_others_are() {
    let mut world = World::new(LIMITS).await;
    let bundle = bundle(&world);
    assert_eq!(world.judged(&bundle, 1_000).await, (Reason::Evidence, 2), "its config and its layer");
    assert_eq!(world.judged(&bundle, 1_000).await, (Reason::Evidence, 0));
    assert_eq!(world.judged(&bundle, 1_060).await, (Reason::Evidence, 0), "no longer fresh, and known still");
    // Another process, with the same store.
    world.judge_mut().verdicts = Verdicts::new(100);
    let artifacts_of = artifacts(&world, 1 << 30);
    world.judge_mut().artifacts = artifacts_of;
    world.break_down(true);
    assert_eq!(world.judged(&bundle, 1_119).await, (Reason::Evidence, 0), "from the store");
    assert_eq!(world.judged(&bundle, 1_120).await.0, Reason::EvidenceUnreadable, "no longer fresh");
    world.break_down(false);
    assert_eq!(world.judged(&bundle, 1_124).await, (Reason::EvidenceUnreadable, 0), "it is not asked again at once");
    assert_eq!(world.judged(&bundle, 1_125).await, (Reason::Evidence, 2), "nor is its silence remembered for long");
}

#[tokio::test]
async fn a_full_pool_is_503_and_not_what_policies_would_say() {
    let world = World::new(LIMITS).await;
    let bundle = bundle(&world);
    with_a_full_pool(&world, async || assert_eq!(world.judged(&bundle, 1_000).await.0, Reason::VerifierBusy)).await;
    assert_eq!(world.judged(&bundle, 1_000).await.0, Reason::Evidence);
}

#[tokio::test]
async fn what_is_large_waits_for_other_evidence_and_small_artifacts_for_none() {
    let mut world = World::new(LIMITS).await;
    let (small, image) = (bundle(&world), world.push("team/app"));
    let bill = serde_json::json!({ "padding": "x".repeat(200 << 10) });
    let large = world.signer.attest_bundle(&world.registry, &image.manifest, "p", &bill).expect("signs");
    let large = Image { manifest: large, ..image };
    let artifacts_of = artifacts(&world, 100 << 10);
    world.judge_mut().artifacts = artifacts_of;
    assert_eq!(world.judged(&large, 1_000).await.0, Reason::Overloaded);
    assert_eq!(world.judged(&small, 1_000).await.0, Reason::Evidence);
    let artifacts_of = artifacts(&world, 1 << 20);
    world.judge_mut().artifacts = artifacts_of;
    assert_eq!(world.judged(&large, 1_000).await.0, Reason::Evidence);
}
