//! Why the hosts.toml matters: the same node, image and refusal, with a file that names the proxy as the last host and
//! with one that leaves the registry itself to be tried.

use std::fs;

use tempfile::{TempDir, tempdir};

use crate::support::containerd::Version;
use crate::support::lab::Cell;
use crate::support::matrix::{on_both_nodes, on_every_node};

fn with_the_safe_hosts_file_nothing_reaches_the_registry_past_the_proxy(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let image = lab.push("safe");
    for name in [image.tagged(lab.host()), image.by_digest(lab.host())] {
        node.pull(&lab.safe_hosts(), &name).refused();
        node.cannot_run(&name);
    }
    lab.nobody_went_past(&image);
}

fn with_the_unsafe_hosts_file_the_refused_image_comes_from_the_registry_and_runs(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let image = lab.push("unsafe");
    let name = image.tagged(lab.host());
    node.pull(&lab.proxy.unsafe_hosts(lab.host()), &name).succeeded();
    assert_eq!(node.run(&name), image.token);
    assert_eq!(lab.proxy.ask("HEAD", &image.tag_path()).status, 403);
    let seen = lab.registry.forbidden.seen(&image);
    assert!(seen.iter().any(|request| request.status == "200"), "the recorder sees who comes: {seen:?}");
}

/// The file that is shipped, in the place that is for every host.
fn c04_the_shipped_file_leads_every_name_of_the_registry_to_the_proxy(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let proxy = format!("http://{}", lab.proxy.address);
    let shipped = include_str!("../../deploy/containerd/hosts.toml").replace("https://countersign.company.com", &proxy);
    // The proxy is spoken to in plain text here.
    let lines: Vec<_> = shipped.lines().filter(|line| !line.trim_start().starts_with("ca =")).collect();
    let certs = certs("_default", &lines.join("\n"));
    let (signed, unsigned) = (lab.push_signed("shipped", cell.cosign), lab.push("shipped-unsigned"));
    node.pull(certs.path(), &signed.tagged(lab.host())).succeeded();
    let name = unsigned.tagged(lab.host());
    let said = node.pull(certs.path(), &name).refused();
    assert!(said.contains("unsigned: policy"), "{said}");
    let other_name = name.replace("127.0.0.1", "localhost");
    let said = node.pull(certs.path(), &other_name).refused();
    assert!(said.contains("registry_unknown"), "{said}");
    lab.nobody_went_past(&unsigned);

    node.pull(&lab.safe_hosts(), &other_name).succeeded();
    assert!(!lab.registry.forbidden.seen(&unsigned).is_empty(), "a file for one name is none for another");
}

/// What containerd cannot read, it leaves aside, and goes to the registry itself.
fn c02_a_file_that_does_not_parse_leads_past_the_proxy(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let server = format!("server = \"http://{}\"\n", lab.proxy.address);
    let host = |what: &str| format!("[host.\"http://{}\"]\n  capabilities = [{what}]\n", lab.proxy.address);
    let (good, is_new) = (host("\"pull\", \"resolve\""), matches!(cell.containerd, Version::V2));
    let image = lab.push("unread");
    for (file, is_safe) in [
        (server.clone() + &good, true),
        (String::new(), false),
        (server.replace('=', ""), false),
        (good.clone() + &server, false),
        // These two mean what they say, but not to every version.
        (server.clone(), is_new),
        (server.clone() + &host("\"pull\", \"resolve\", \"referrers\""), is_new),
    ] {
        let certs = certs(&lab.host().to_string(), &file);
        let before = lab.registry.forbidden.seen(&image).len();
        let pulled = node.pull(certs.path(), &image.tagged(lab.host()));
        assert_eq!(pulled.is_success(), !is_safe, "{file}\n{}", pulled.said());
        assert_eq!(lab.registry.forbidden.seen(&image).len() == before, is_safe, "{file}");
    }
}

/// A cache that nodes are to ask first serves what it has, unsigned or not.
fn c32_another_host_before_the_proxy_is_asked_first(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let [cache, proxy] = [lab.registry.counted.address, lab.proxy.address]
        .map(|address| format!("[host.\"http://{address}\"]\n  capabilities = [\"pull\", \"resolve\"]\n"));
    let server = format!("server = \"http://{}\"\n", lab.proxy.address);
    let image = lab.push("cached");
    let name = image.tagged(lab.host());
    let certs = |hosts: &str| certs(&lab.host().to_string(), &format!("{server}{hosts}"));
    node.pull(certs(&proxy).path(), &name).refused();
    node.pull(certs(&format!("{cache}{proxy}")).path(), &name).succeeded();
    lab.nobody_went_past(&image);
}

/// A `certs.d` with this file for this host.
fn certs(host: &str, text: &str) -> TempDir {
    let certs = tempdir().expect("a temporary folder");
    fs::create_dir(certs.path().join(host)).expect("the folder is writable");
    fs::write(certs.path().join(host).join("hosts.toml"), text).expect("the folder is writable");
    certs
}

on_both_nodes! {
    c02_a_file_that_does_not_parse_leads_past_the_proxy
    c32_another_host_before_the_proxy_is_asked_first
    c04_the_shipped_file_leads_every_name_of_the_registry_to_the_proxy
}

on_every_node! {
    with_the_safe_hosts_file_nothing_reaches_the_registry_past_the_proxy
    with_the_unsafe_hosts_file_the_refused_image_comes_from_the_registry_and_runs
}
