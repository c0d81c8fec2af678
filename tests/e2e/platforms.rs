//! What is demanded of each platform's own image: an index is served once all of its images have it.

use std::time::Duration;

use crate::support::expect::is_refused;
use crate::support::lab::{Cell, RELEASE};
use crate::support::matrix::on_every_node;
use crate::support::predicates::{banned, listed};
use crate::support::process::poll;
use crate::support::proxy::REGISTRY;

fn an_index_is_refused_until_each_of_its_images_has_a_bill_of_materials(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let proxy = lab.proxy_under(&policy());
    let child = lab.push("platforms");
    let (index, other) = child.index();
    lab.sign(cell.cosign, RELEASE, &index);
    // The index's own says nothing of its images.
    lab.attest(cell.cosign, RELEASE, &index, &listed());
    lab.attest(cell.cosign, RELEASE, &child, &listed());
    is_refused(cell, &proxy, &index, &[&other.digest]);
    let answer = proxy.ask("HEAD", &index.manifest_path());
    assert_eq!(answer.header("countersign-reason"), Some("attestation_missing"), "{answer:?}");

    lab.attest(cell.cosign, RELEASE, &other, &listed());
    let serves = || proxy.ask("HEAD", &index.manifest_path()).status == 200;
    assert!(poll(Duration::from_mins(1), serves), "it is still refused:\n{}", proxy.log());
    let name = index.tagged(lab.host());
    node.pull(&proxy.safe_hosts(lab.host()), &name).succeeded();
    assert_eq!(node.run(&name), child.token);
    lab.nobody_went_past(&index);
}

fn an_index_one_of_whose_images_has_a_banned_package_is_refused(cell: Cell) {
    let lab = cell.lab();
    let proxy = lab.proxy_under(&policy());
    let child = lab.push("platforms");
    let (index, other) = child.index();
    lab.sign(cell.cosign, RELEASE, &index);
    lab.attest(cell.cosign, RELEASE, &child, &listed());
    lab.attest(cell.cosign, RELEASE, &other, &banned());
    is_refused(cell, &proxy, &index, &[&other.digest]);
    let answer = proxy.ask("HEAD", &index.manifest_path());
    assert_eq!(answer.header("countersign-reason"), Some("condition_false"), "{answer:?}");
}

/// A signature of the index, and of each platform's image what is in it.
fn policy() -> String {
    format!(
        r#"
authorities:
  release-key: {{ key: {{ file: {RELEASE}.pub, insecureSkipTransparencyLog: true }} }}
policies:
  - name: platforms
    match: [ "{REGISTRY}/**" ]
    require:
      allOf:
        - signature: {{ by: release-key, on: index }}
        - attestation:
            by: release-key
            type: cyclonedx
            on: platform
            select: all
            condition: '!hasComponent(predicate, "banned-package")'
default: deny
"#
    )
}

on_every_node! {
    an_index_is_refused_until_each_of_its_images_has_a_bill_of_materials
    an_index_one_of_whose_images_has_a_banned_package_is_refused
}
