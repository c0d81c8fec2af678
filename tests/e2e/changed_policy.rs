//! A policy that changes governs what nodes already have: they ask with HEAD alone.

use std::time::Duration;

use crate::support::lab::{Cell, FOREIGN, signed_by};
use crate::support::matrix::everywhere;
use crate::support::process::poll;
use crate::support::relay::Relay;

fn an_image_that_the_node_has_is_refused_on_head_once_policy_denies_it(cell: Cell) {
    let (lab, node) = (cell.lab(), cell.node());
    let proxy = lab.own_proxy();
    let wire = Relay::to(proxy.address);
    let hosts = proxy.hosts_through(lab.host(), wire.address);
    let image = lab.push_signed("policy", cell.cosign);
    let name = image.tagged(lab.host());
    node.pull(&hosts, &name).succeeded();
    let before = wire.seen(&image).len();

    proxy.set_policy(&signed_by(FOREIGN));
    let denies = || proxy.ask("HEAD", &image.tag_path()).status == 403;
    assert!(poll(Duration::from_secs(10), denies), "the new policy never came:\n{}", proxy.log());

    let said = node.pull(&hosts, &name).refused();
    assert!(said.contains("foreign-key"), "the node does not say what is missing:\n{said}");
    let asked = wire.seen(&image).split_off(before);
    let first = asked.first().expect("the node asks again");
    assert_eq!((first.method.as_str(), first.status.as_str()), ("HEAD", "403"), "{asked:?}");
    assert!(asked.iter().all(|request| request.status == "403"), "something was served: {asked:?}");
    lab.nobody_went_past(&image);
}

everywhere! {
    an_image_that_the_node_has_is_refused_on_head_once_policy_denies_it
}
