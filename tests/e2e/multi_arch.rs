//! Indexes: the signature of the index covers the images that it lists.

use crate::support::lab::{Cell, RELEASE};
use crate::support::matrix::{everywhere, on_every_node};

fn a_signed_index_is_pulled_and_its_child_runs(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let child = lab.push("index");
    let (index, other) = child.index();
    lab.sign(cell.cosign, RELEASE, &index);
    let name = index.tagged(lab.host());
    node.pull(&lab.safe_hosts(), &name).succeeded();
    assert_eq!(node.run(&name), child.token);

    node.pull(&lab.safe_hosts(), &child.by_digest(lab.host())).succeeded();
    assert_eq!(node.run(&child.by_digest(lab.host())), child.token);
    assert_eq!(lab.proxy.ask("GET", &other.manifest_path()).status, 200, "the other platform's nodes may have theirs");
    lab.nobody_went_past(&index);
}

fn an_unsigned_index_is_refused_and_its_children_with_it(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let child = lab.push("unsigned-index");
    let (index, other) = child.index();
    for name in [index.tagged(lab.host()), index.by_digest(lab.host()), child.by_digest(lab.host())] {
        node.pull(&lab.safe_hosts(), &name).refused();
    }
    for image in [&index, &child, &other] {
        assert_eq!(lab.proxy.ask("HEAD", &image.manifest_path()).status, 403);
    }
    lab.nobody_went_past(&index);
}

everywhere! {
    a_signed_index_is_pulled_and_its_child_runs
}

on_every_node! {
    an_unsigned_index_is_refused_and_its_children_with_it
}
