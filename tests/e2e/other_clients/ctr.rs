//! containerd, by its own `ctr`.

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

fn pull_to(version: Version, wanted: &Wanted) -> Pulled {
    let node = node(version);
    let ran = node.pull(&wanted.lab.safe_hosts(), &wanted.at_home());
    Pulled { ran, kept: node.content() }
}
