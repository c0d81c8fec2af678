//! Artifacts that the judge tells by their content: what that costs, and what keeps it from being told.

use super::*;

/// The bundle that signs a new image, as an image of its own.
fn bundle(world: &World) -> Image {
    let image = world.push("team/app");
    let manifest = world.signer.sign_bundle(&world.registry, &image.manifest).expect("signs");
    Image { manifest, ..image }
}

#[tokio::test]
async fn an_artifact_is_told_once_and_its_verdict_is_stored_as_others_are() {
    let mut world = World::new(LIMITS).await;
    let bundle = bundle(&world);
    assert_eq!(world.judged(&bundle, 1_000).await, (Reason::Evidence, 2), "its config and its layer");
    assert_eq!(world.judged(&bundle, 1_000).await, (Reason::Evidence, 0));
    assert_eq!(world.judged(&bundle, 1_060).await, (Reason::Evidence, 0), "no longer fresh, and known still");
    // Another process, with the same store.
    world.judge.verdicts = Verdicts::new(100);
    let fetch = world.judge.fetch.clone();
    world.judge.artifacts = Artifacts::new(world.judge.upstreams.clone(), fetch, world.judge.limits);
    world.break_down(true);
    assert_eq!(world.judged(&bundle, 1_119).await, (Reason::Evidence, 0), "from the store");
    assert_eq!(world.judged(&bundle, 1_120).await.0, Reason::EvidenceUnreadable, "no longer fresh");
    world.break_down(false);
    assert_eq!(world.judged(&bundle, 1_120).await, (Reason::Evidence, 2), "a reading that failed is not remembered");
}

#[tokio::test]
async fn a_full_pool_is_503_and_not_what_policies_would_say() {
    let world = World::new(LIMITS).await;
    let bundle = bundle(&world);
    with_a_full_pool(&world, async || assert_eq!(world.judged(&bundle, 1_000).await.0, Reason::VerifierBusy)).await;
    assert_eq!(world.judged(&bundle, 1_000).await.0, Reason::Evidence);
}
