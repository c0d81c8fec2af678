//! containerd, by its own `ctr`.

use crate::support::containerd::{Version, node};
use crate::support::pulls::{Pulled, Wanted, pulls};

by_both_versions! { pull_to }

fn pull_to(version: Version, wanted: &Wanted) -> Pulled {
    let node = node(version);
    let ran = node.pull(&wanted.lab.safe_hosts(), &wanted.at_home());
    Pulled { ran, kept: node.content() }
}
