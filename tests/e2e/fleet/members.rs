//! What one replica admitted, another one knows, and both after a restart: a node asks each time whichever it meets.

use super::lab;
use crate::support::cosign::Cosign;
use crate::support::judged::{Outcome, Target, of_image};
use crate::support::lab::RELEASE;
use crate::support::replicas::Fleet;

#[test]
fn an_index_that_one_replica_answers_on_head_lets_the_other_serve_what_it_lists_also_after_a_restart() {
    let fleet = Fleet::sharing_redis(lab());
    let [a, b] = [0, 1].map(|number| &fleet.replicas[number]);
    // Only the index is signed.
    let image = lab().push("shared-index");
    let (index, other) = image.index();
    lab().sign(Cosign::Bundle, RELEASE, &index);
    let children = [&image, &other].map(|image| {
        let (manifests, blobs): (Vec<_>, Vec<_>) =
            of_image(image, true).into_iter().partition(|target| target.manifest);
        (manifests.into_iter().find(|target| target.path.contains("sha256:")).expect("by digest"), blobs)
    });

    let blob = &children[0].1[0];
    assert!(blob.is_kept_back(&blob.ask(b.address, "GET", None)), "nothing vouches for it yet");
    assert_eq!(a.ask("HEAD", &index.tag_path()).status, 200);
    let all = || children.iter().flat_map(|(child, blobs)| std::iter::once(child).chain(blobs));
    for target in all() {
        serves(b.address, target);
        serves(a.address, target);
    }
    for replica in [a, b] {
        replica.kill();
    }
    for replica in [a, b] {
        replica.start();
    }
    // Blobs first, as a node asks that has the manifests.
    let reversed: Vec<_> = all().collect();
    for target in reversed.into_iter().rev() {
        serves(a.address, target);
        serves(b.address, target);
    }
    for replica in [a, b] {
        assert_eq!(replica.count("countersign_verifications_total", &[]), 0, "verified again");
        assert_eq!(replica.broken_records(), 0);
    }
    // A restart makes nothing of what nobody signed.
    let unsigned = lab().push("shared-unsigned");
    for target in of_image(&unsigned, false) {
        for replica in [a, b] {
            let outcome = target.ask(replica.address, "GET", None);
            assert!(target.is_kept_back(&outcome), "{}: {outcome:?}", target.path);
        }
    }
}

#[track_caller]
fn serves(replica: std::net::SocketAddr, target: &Target) {
    for method in ["HEAD", "GET"] {
        assert_eq!(target.ask(replica, method, None), Outcome::Right, "{method} {}", target.path);
    }
}
