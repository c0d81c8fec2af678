//! Why the hosts.toml matters: the same node, image and refusal, with a file that names the proxy as the last host and
//! with one that leaves the registry itself to be tried.

use crate::support::lab::Cell;
use crate::support::matrix::on_every_node;

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

on_every_node! {
    with_the_safe_hosts_file_nothing_reaches_the_registry_past_the_proxy
    with_the_unsafe_hosts_file_the_refused_image_comes_from_the_registry_and_runs
}
