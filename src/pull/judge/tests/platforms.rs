//! An index that is judged by what it lists: what could not be read of that rests, too.

use super::*;
use crate::demo::images::{Stored, index};

#[tokio::test]
async fn an_image_that_could_not_be_read_rests_with_its_index() {
    let mut world = World::new(LIMITS).await;
    let text = policy(&world.registry.options().name, &world.signer.public_key_pem());
    let text = text.replace("by: release-key }", "by: release-key, on: platform }");
    let policies = parse(&text, "policy.yaml", Path::new(".")).expect("a policy");
    world.snapshot = Arc::new(Snapshot { policies: Arc::new(policies), trust: Trust::none() });

    let image = world.push("team/app");
    world.sign(&image);
    let Stored { repository, media_type, digest, .. } = &image.manifest;
    let index =
        Image { manifest: index(&world.registry, repository, None, std::slice::from_ref(&image)), ..image.clone() };
    let (_, bytes) = world.registry.manifest(repository, &digest.to_string()).expect("pushed");
    world.registry.delete(repository, digest);
    let (reason, asked) = world.judged(&index, 1_000).await;
    assert_eq!((reason, asked > 0), (Reason::EvidenceUnreadable, true));
    world.registry.put_manifest(repository, media_type, bytes, None);
    assert_eq!(world.judged(&index, 1_000).await, (Reason::EvidenceUnreadable, 0), "a 503 still, and for nothing");
    assert_eq!(world.judged(&index, 1_001).await.0, Reason::Signed);
    assert_eq!(world.judged(&index, 1_001).await, (Reason::Signed, 0), "a verdict like any other");
}
