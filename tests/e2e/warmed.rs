//! `countersign warm` before a roll-out: what cosign signed is warm for every replica that shares the store, or in the
//! memory of the proxies that were named.

use std::fs;

use serde_json::Value;

use crate::support::containerd::Version;
use crate::support::cosign::Cosign;
use crate::support::image::Image;
use crate::support::lab::{Cell, Lab};
use crate::support::process::{Ran, command, run};
use crate::support::proxy::{REGISTRY, countersign};
use crate::support::registry::Kind;
use crate::support::replicas::Fleet;

fn lab() -> &'static Lab {
    Cell { containerd: Version::V2, registry: Kind::Referrers, cosign: Cosign::Bundle }.lab()
}

/// What the cluster will run: signed in both of cosign's ways, one not signed, and an index of signed images.
struct Cluster {
    bundle: Image,
    legacy: Image,
    unsigned: Image,
    index: Image,
    child: Image,
}

impl Cluster {
    fn new(name: &str) -> Self {
        let bundle = lab().push_signed(&format!("{name}-bundle"), Cosign::Bundle);
        let legacy = lab().push_signed(&format!("{name}-legacy"), Cosign::Legacy);
        let unsigned = lab().push(&format!("{name}-unsigned"));
        let (index, child) = lab().push(&format!("{name}-index")).index();
        lab().sign(Cosign::Bundle, crate::support::lab::RELEASE, &index);
        Self { bundle, legacy, unsigned, index, child }
    }

    /// As `kubectl` prints it: separated by spaces.
    fn list(&self) -> String {
        let by_tag = |image: &Image| format!("{REGISTRY}/{}:{}", image.repository, image.tag());
        let by_digest = |image: &Image| format!("{REGISTRY}/{}@{}", image.repository, image.digest);
        [by_tag(&self.bundle), by_digest(&self.legacy), by_tag(&self.unsigned), by_tag(&self.index)].join(" ")
    }

    /// Warms it, and finds everything allowed but the one that nobody signed.
    fn warm(&self, whom: [&str; 2]) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("images.txt");
        fs::write(&path, self.list()).expect("the folder is writable");
        let list = path.to_str().expect("the path is UTF-8");
        let ran: Ran = run(&command(countersign(), [&["warm", list, "--output", "json"], &whom[..]].concat()));
        assert_eq!(ran.code(), Some(1), "{}", ran.said());
        let told: Value = serde_json::from_str(ran.stdout()).expect("one document");
        let each = told["references"].as_array().expect("a list").iter();
        let reasons: Vec<_> = each.map(|one| one["answers"][0]["reason"].as_str().expect("a code")).collect();
        assert_eq!(reasons, ["signed", "signed", "unsigned", "signed"], "{told:#}");
    }

    /// What a node asks for of all that is allowed.
    fn paths(&self) -> Vec<String> {
        let images = [&self.bundle, &self.legacy, &self.index];
        let each = images.into_iter().flat_map(|image| [image.tag_path(), image.manifest_path()]);
        each.chain([self.child.manifest_path()]).collect()
    }
}

#[test]
fn a_store_that_was_warmed_leaves_the_replicas_nothing_to_verify() {
    let fleet = Fleet::sharing_redis(lab());
    let cluster = Cluster::new("warmed");
    let config = fleet.replicas[0].config();
    cluster.warm(["--config", config.to_str().expect("the path is UTF-8")]);
    for path in cluster.paths() {
        for replica in &fleet.replicas {
            let answer = replica.ask("GET", &path);
            assert_eq!(answer.status, 200, "{path}: {}", replica.log());
        }
    }
    assert_eq!(fleet.count("countersign_verifications_total", &[]), 0);
}

#[test]
fn a_proxy_that_was_named_has_it_in_memory() {
    let proxy = lab().own_proxy();
    let cluster = Cluster::new("named");
    cluster.warm(["--proxy", &format!("http://{}", proxy.address)]);
    let before = proxy.metric("countersign_verifications_total", &[]);
    for path in cluster.paths() {
        assert_eq!(proxy.ask("GET", &path).status, 200, "{path}: {}", proxy.log());
    }
    let after = proxy.metric("countersign_verifications_total", &[]);
    assert!((after - before).abs() < 0.5, "{before} before, {after} after");
}
