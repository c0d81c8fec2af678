//! The verdict is remembered: what was verified once costs the registry next to nothing.

use crate::support::containerd::{Version, node};
use crate::support::image::Image;
use crate::support::lab::{Cell, Lab};
use crate::support::matrix::everywhere;

fn a_second_pull_costs_the_registry_at_most_one_manifest_request(cell: Cell) {
    let (lab, first) = (cell.lab(), cell.node());
    let second = match cell.containerd {
        Version::V1 => node(Version::V2),
        Version::V2 => node(Version::V1),
    };
    let image = lab.push_signed("twice", cell.cosign);
    for name in [image.tagged(lab.host()), image.by_digest(lab.host())] {
        first.pull(&lab.safe_hosts(), &name).succeeded();
        for node in [first, second] {
            let before = manifest_requests(lab, &image);
            assert!(!before.is_empty(), "the first pull is not seen: nothing is counted here");
            node.pull(&lab.safe_hosts(), &name).succeeded();
            let after = manifest_requests(lab, &image);
            assert!(after.len() <= before.len() + 1, "{:?}", &after[before.len()..]);
        }
    }
    assert_eq!(second.run(&image.tagged(lab.host())), image.token);
}

/// What the registry was asked, blobs apart: manifests, signatures under tags and referrers.
fn manifest_requests(lab: &Lab, image: &Image) -> Vec<String> {
    let seen = lab.registry.counted.seen(image);
    let asked = seen.iter().map(|request| format!("{} {}", request.method, request.path));
    asked.filter(|asked| !asked.contains("/blobs/")).collect()
}

everywhere! {
    a_second_pull_costs_the_registry_at_most_one_manifest_request
}
