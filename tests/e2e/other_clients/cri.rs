//! containerd, as a kubelet asks it: its image service pulls, led by the daemon's own configuration.

use crate::support::containerd::{Version, node};
use crate::support::pulls::{Pulled, Wanted, pulls};

by_both_versions! { pull_to }

/// What the node keeps is what it tells a kubelet that asks for the status of the image.
fn pull_to(version: Version, wanted: &Wanted) -> Pulled {
    let node = node(version);
    let ran = node.pull_by_cri(&wanted.lab.safe_hosts(), &wanted.at_home());
    Pulled { ran, kept: node.image_status(&wanted.at_home()) }
}
