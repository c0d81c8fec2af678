//! Indexes whose image a node holds already: it asks for the index with HEAD, for the image not at all, and then runs
//! it. So the index is refused as soon as the image is, and so is every other index that lists the image.

use std::path::PathBuf;
use std::time::Duration;

use crate::support::image::Image;
use crate::support::lab::{Cell, FOREIGN, RELEASE, signed_by};
use crate::support::matrix::{everywhere, on_every_node};
use crate::support::process::poll;
use crate::support::proxy::Proxy;
use crate::support::relay::{Relay, Seen};

/// A node that pulled a signed index, and with it an image, by a proxy whose policy can change.
struct Held {
    cell: Cell,
    proxy: Proxy,
    wire: Relay,
    hosts: PathBuf,
    image: Image,
    index: Image,
}

impl Held {
    /// `wrap` puts another index around the one that lists the image.
    fn pull(cell: Cell, name: &str, wrap: bool) -> Self {
        let lab = cell.lab();
        let proxy = lab.own_proxy();
        let wire = Relay::to(proxy.address);
        let hosts = proxy.hosts_through(lab.host(), wire.address);
        let image = lab.push(name);
        let (index, _) = image.index();
        let index = if wrap { index.wrapped() } else { index };
        lab.sign(cell.cosign, RELEASE, &index);
        cell.node().pull(&hosts, &index.by_digest(lab.host())).succeeded();
        assert!(cell.node().holds(&image.digest), "the node has the image");
        Self { cell, proxy, wire, hosts, image, index }
    }

    /// Another index that lists the same image, signed just as well.
    fn another_index(&self) -> Image {
        let (index, _) = self.image.index();
        assert_ne!(index.digest, self.index.digest);
        self.cell.lab().sign(self.cell.cosign, RELEASE, &index);
        index
    }

    fn set_policy(&self, policy: &str) {
        self.proxy.set_policy(policy);
        let denies = || self.proxy.ask("HEAD", &self.image.manifest_path()).status == 403;
        assert!(poll(Duration::from_secs(10), denies), "the new policy never came:\n{}", self.proxy.log());
    }

    /// The node is refused the index, with these words, having asked for no more than its head.
    #[track_caller]
    fn is_refused_on_head(&self, index: &Image, words: &str) {
        let (lab, node) = (self.cell.lab(), self.cell.node());
        let before = self.wire.seen(index).len();
        let said = node.pull(&self.hosts, &index.by_digest(lab.host())).refused();
        assert!(said.contains(words), "the node does not say `{words}`:\n{said}");
        let asked: Vec<Seen> = self.wire.seen(index).split_off(before);
        let first = asked.first().expect("the node asks again");
        assert_eq!((first.method.as_str(), first.status.as_str()), ("HEAD", "403"), "{asked:?}");
        assert!(asked.iter().all(|request| request.status == "403"), "something was served: {asked:?}");
        assert_eq!(self.proxy.ask("GET", &index.manifest_path()).status, 403);
        lab.nobody_went_past(index);
    }
}

fn an_index_whose_image_the_node_has_is_refused_once_the_image_is_revoked(cell: Cell) {
    let held = Held::pull(cell, "revoked-child", false);
    let revoked = format!("revoked: {{ digests: [ \"{}\" ] }}\n", held.image.digest);
    held.set_policy(&(signed_by(RELEASE) + &revoked));
    for index in [held.index.clone(), held.another_index()] {
        held.is_refused_on_head(&index, "child_denied");
        held.is_refused_on_head(&index, &held.image.digest);
    }
}

fn an_index_whose_image_the_node_has_is_refused_once_nothing_holds(cell: Cell) {
    let held = Held::pull(cell, "distrusted-child", false);
    held.set_policy(&signed_by(FOREIGN));
    for index in [held.index.clone(), held.another_index()] {
        held.is_refused_on_head(&index, "foreign-key");
    }
}

fn an_index_of_indexes_is_refused_once_an_image_far_below_is_revoked(cell: Cell) {
    let held = Held::pull(cell, "revoked-below", true);
    let revoked = format!("revoked: {{ digests: [ \"{}\" ] }}\n", held.image.digest);
    held.set_policy(&(signed_by(RELEASE) + &revoked));
    held.is_refused_on_head(&held.index, "child_denied");
    held.is_refused_on_head(&held.index, &held.image.digest);
}

everywhere! {
    an_index_whose_image_the_node_has_is_refused_once_the_image_is_revoked
}

on_every_node! {
    an_index_whose_image_the_node_has_is_refused_once_nothing_holds
    an_index_of_indexes_is_refused_once_an_image_far_below_is_revoked
}
