//! What the policy wants is pulled, and it runs.

use crate::support::lab::Cell;
use crate::support::matrix::everywhere;

fn a_signed_image_is_pulled_by_tag_and_its_container_runs(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let image = lab.push_signed("signed", cell.cosign);
    let name = image.tagged(lab.host());
    node.pull(&lab.safe_hosts(), &name).succeeded();
    assert_eq!(node.run(&name), image.token);
    lab.nobody_went_past(&image);
}

fn a_signed_image_is_pulled_by_digest_and_its_container_runs(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let image = lab.push_signed("signed", cell.cosign);
    let name = image.by_digest(lab.host());
    node.pull(&lab.safe_hosts(), &name).succeeded();
    assert_eq!(node.run(&name), image.token);
    lab.nobody_went_past(&image);
}

everywhere! {
    a_signed_image_is_pulled_by_tag_and_its_container_runs
    a_signed_image_is_pulled_by_digest_and_its_container_runs
}
