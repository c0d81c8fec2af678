//! containerd, as a kubelet asks it: its image service pulls, led by the daemon's own configuration.

use crate::support::containerd::{Version, node};
use crate::support::pulls::{Pulled, Wanted, pulls};

mod containerd1 {
    use super::*;

    pulls! { super::pull }

    fn pull(wanted: &Wanted) -> Pulled {
        pull_to(Version::V1, wanted)
    }
}

mod containerd2 {
    use super::*;

    pulls! { super::pull }

    fn pull(wanted: &Wanted) -> Pulled {
        pull_to(Version::V2, wanted)
    }
}

/// What the node keeps is what it tells a kubelet that asks for the status of the image.
fn pull_to(version: Version, wanted: &Wanted) -> Pulled {
    let node = node(version);
    let ran = node.pull_by_cri(&wanted.lab.safe_hosts(), &wanted.at_home());
    Pulled { ran, kept: node.image_status(&wanted.at_home()) }
}
