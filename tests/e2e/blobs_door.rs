//! The second door: registries may serve a manifest's bytes under `/blobs/`, and containerd tries there when it is
//! refused. Anyone who may push can make any registry do so, by pushing the manifest as a blob, too.

use crate::support::http::{ask, write};
use crate::support::image::Image;
use crate::support::lab::{Cell, Lab};
use crate::support::matrix::{on_every_node, on_the_old_node};
use crate::support::relay::Relay;

fn an_unsigned_manifest_does_not_come_in_as_a_blob(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let image = lab.push("door");
    push_manifest_as_blob(lab, &image);
    let blob = image.blob_path(&image.digest);
    let direct = ask(lab.registry.address, "GET", &blob).expect("the registry answers");
    assert_eq!(direct.status, 200, "the door stands open behind the proxy");

    node.pull(&lab.safe_hosts(), &image.by_digest(lab.host())).refused();
    for method in ["HEAD", "GET"] {
        assert_eq!(lab.proxy.ask(method, &blob).status, 403, "{method}");
    }
    let records = node.images(&image.digest);
    assert!(records.is_empty(), "the node made a record: {records:?}");
    assert!(!node.holds(&image.digest), "the node keeps a refused manifest");
    lab.nobody_went_past(&image);
}

/// What the tests here would see if the door stood open.
fn a_proxy_that_refuses_manifests_alone_lets_one_in_as_a_blob(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let image = lab.push("naive");
    push_manifest_as_blob(lab, &image);
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

fn push_manifest_as_blob(lab: &Lab, image: &Image) {
    let registry = lab.registry.address;
    let manifest = ask(registry, "GET", &image.manifest_path()).expect("the registry answers").body;
    let uploads = image.blob_path("uploads/");
    let upload = write(registry, "POST", &uploads, "application/octet-stream", &[]).expect("the registry answers");
    let location = upload.header("location").expect("an upload has a location");
    let path = location.strip_prefix(&format!("http://{registry}")).unwrap_or(location);
    let and = if path.contains('?') { '&' } else { '?' };
    let path = format!("{path}{and}digest={}", image.digest);
    let put = write(registry, "PUT", &path, "application/octet-stream", &manifest).expect("the registry answers");
    assert_eq!(put.status, 201, "{put:?}");
}

on_every_node! {
    an_unsigned_manifest_does_not_come_in_as_a_blob
    neither_config_nor_layers_of_an_unsigned_image_are_served
}

on_the_old_node! {
    a_proxy_that_refuses_manifests_alone_lets_one_in_as_a_blob
}
