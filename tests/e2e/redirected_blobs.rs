//! A registry that keeps its blobs in a storage beside it and redirects there, as large ones do: nodes and skopeo pull
//! from it whether the proxy follows or relays, and get nothing of an image that is refused.

use tempfile::tempdir;

use crate::support::lab::Cell;
use crate::support::matrix::on_every_node;
use crate::support::process::{command, run};
use crate::support::proxy::Proxy;
use crate::support::relay::Relay;

/// A proxy before a registry that redirects to a storage, and the way to that storage.
struct Redirected {
    proxy: Proxy,
    storage: Relay,
}

impl Redirected {
    fn start(cell: Cell, mode: &str) -> Self {
        let registry = cell.lab().registry.address;
        let storage = Relay::to(registry);
        let front = Relay::redirecting(registry, "/blobs/", storage.address);
        let settings = format!(
            "    blobRedirects: {mode}\n    redirectHosts: [ \"http://{}\" ]\n    redirectPrivate: [ 127.0.0.0/8 ]\n",
            storage.address
        );
        Self { proxy: cell.lab().proxy_through(front.address, &settings, ""), storage }
    }
}

fn skopeo(proxy: &Proxy, image: &str) -> crate::support::process::Ran {
    let folder = tempdir().expect("a temporary folder");
    let from = format!("docker://{}/{image}", proxy.address);
    let to = format!("dir:{}", folder.path().display());
    run(&command("skopeo", ["copy", "--insecure-policy", "--src-tls-verify=false", &from, &to]))
}

fn an_image_runs_whose_blobs_are_elsewhere_and_no_unsigned_one(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    for mode in ["follow", "relay"] {
        let redirected = Redirected::start(cell, mode);
        let signed = lab.push_signed(&format!("redirected-{mode}"), cell.cosign);
        let unsigned = lab.push(&format!("redirected-{mode}-unsigned"));
        let hosts = redirected.proxy.safe_hosts(lab.host());
        node.pull(&hosts, &signed.tagged(lab.host())).succeeded();
        assert_eq!(node.run(&signed.tagged(lab.host())), signed.token);
        skopeo(&redirected.proxy, &format!("{}:v1", signed.repository)).succeeded();

        node.pull(&hosts, &unsigned.tagged(lab.host())).refused();
        let before = redirected.storage.seen(&signed);
        assert!(before.iter().any(|seen| seen.path.ends_with("?X-Signature=secret")), "{before:?}");
        let said = skopeo(&redirected.proxy, &format!("{}:v1", unsigned.repository)).refused();
        assert!(said.contains("unsigned: policy"), "skopeo does not say why:\n{said}");
        let seen = redirected.storage.seen(&unsigned);
        assert!(seen.is_empty(), "{mode}: blobs of a refused image: {seen:?}");
        for image in [&signed, &unsigned] {
            lab.nobody_went_past(image);
        }
    }
}

fn a_storage_that_is_not_allowed_is_named_to_the_node(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let registry = lab.registry.address;
    let storage = Relay::to(registry);
    let front = Relay::redirecting(registry, "/blobs/sha256:", storage.address);
    let signed = lab.push_signed("redirected-away", cell.cosign);
    let proxy = lab.proxy_through(front.address, "", "");
    let said = node.pull(&proxy.safe_hosts(lab.host()), &signed.tagged(lab.host())).refused();
    assert!(said.contains("redirect_refused"), "the node does not say why:\n{said}");
    assert!(said.contains("redirectHosts"), "the node does not say what to do:\n{said}");
    assert!(storage.seen(&signed).is_empty());
    lab.nobody_went_past(&signed);
}

on_every_node! {
    an_image_runs_whose_blobs_are_elsewhere_and_no_unsigned_one
    a_storage_that_is_not_allowed_is_named_to_the_node
}
