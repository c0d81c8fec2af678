//! The second door: registries may serve a manifest's bytes under `/blobs/`, and containerd tries there when it is
//! refused. Anyone who may push can make any registry do so, by pushing the manifest as a blob, too.

use std::sync::LazyLock;

use crate::support::containerd::Node;
use crate::support::http::ask;
use crate::support::image::Image;
use crate::support::lab::{Cell, Lab};
use crate::support::matrix::{on_both_nodes, on_every_node, on_the_old_node};
use crate::support::registry::Registry;
use crate::support::relay::Relay;

fn an_unsigned_manifest_does_not_come_in_as_a_blob(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let image = lab.push("door");
    push_manifest_as_blob(&image);
    let direct = ask(lab.registry.address, "GET", &image.blob_path(&image.digest)).expect("the registry answers");
    assert_eq!(direct.status, 200, "the door stands open behind the proxy");

    stays_outside(lab, node, &image);
}

/// Distribution 3 serves every manifest as a blob from the moment it is pushed: nobody needs to open the door first.
fn c06_a_registry_that_serves_every_manifest_as_a_blob_is_no_way_in(cell: Cell) {
    static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::before(Registry::distribution()));
    let (lab, node, image) = (&*LAB, cell.node(), LAB.push("open-door"));
    let (index, other) = image.index();
    for image in [&image, &index, &other] {
        let direct = ask(lab.registry.address, "HEAD", &image.blob_path(&image.digest)).expect("the registry answers");
        assert_eq!(direct.status, 200, "the door stands open behind the proxy");
        stays_outside(lab, node, image);
    }
    // The manifest of what is signed is no blob either.
    let signed = lab.push_signed("open-door", cell.cosign);
    node.pull(&lab.safe_hosts(), &signed.by_digest(lab.host())).succeeded();
    assert_eq!(lab.proxy.ask("GET", &signed.blob_path(&signed.digest)).status, 403);
}

/// Asked for by digest, neither by `ctr` nor as a kubelet asks: no record of it, and no byte.
#[track_caller]
fn stays_outside(lab: &Lab, node: &Node, image: &Image) {
    let name = image.by_digest(lab.host());
    node.pull(&lab.safe_hosts(), &name).refused();
    node.pull_by_cri(&lab.safe_hosts(), &name).refused();
    for method in ["HEAD", "GET"] {
        let answer = lab.proxy.ask(method, &image.blob_path(&image.digest));
        assert_eq!(answer.status, 403, "{method}: {answer:?}");
    }
    let records = node.images(&image.digest);
    assert!(records.is_empty(), "the node made a record: {records:?}");
    assert_eq!(node.image_status(&name), "");
    assert!(!node.holds(&image.digest), "the node keeps a refused manifest");
    lab.nobody_went_past(image);
}

/// What the tests here would see if the door stood open.
fn a_proxy_that_refuses_manifests_alone_lets_one_in_as_a_blob(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let image = lab.push("naive");
    push_manifest_as_blob(&image);
    let naive = Relay::refusing(lab.registry.address, "/manifests/");
    let hosts = lab.proxy.hosts_through(lab.host(), naive.address);
    let before = node.images(&image.digest);
    let _ = node.pull(&hosts, &image.by_digest(lab.host()));
    let records = node.images(&image.digest);
    assert!(before.is_empty() && records.iter().any(|record| record.contains("octet-stream")), "{records:?}");
    assert!(node.holds(&image.digest));
}

fn neither_config_nor_layers_of_an_unsigned_image_are_served(cell: Cell) {
    let lab = cell.lab();
    let image = lab.push("layers");
    let manifest = ask(lab.registry.address, "GET", &image.manifest_path()).expect("the registry answers").json();
    let layers = manifest["layers"].as_array().expect("an image has layers").iter();
    for descriptor in layers.chain([&manifest["config"]]) {
        let path = image.blob_path(descriptor["digest"].as_str().expect("a descriptor has a digest"));
        assert_eq!(ask(lab.registry.address, "GET", &path).expect("the registry answers").status, 200);
        for method in ["HEAD", "GET"] {
            assert_eq!(lab.proxy.ask(method, &path).status, 403, "{method} {path}");
        }
    }
}

fn push_manifest_as_blob(image: &Image) {
    image.put_blob(&image.digest, &image.get(&image.manifest_path()));
}

on_every_node! {
    an_unsigned_manifest_does_not_come_in_as_a_blob
    neither_config_nor_layers_of_an_unsigned_image_are_served
}

on_both_nodes! {
    c06_a_registry_that_serves_every_manifest_as_a_blob_is_no_way_in
}

on_the_old_node! {
    a_proxy_that_refuses_manifests_alone_lets_one_in_as_a_blob
}
