//! Clients other than containerd name the registry in the path, or leave it out.

use std::process::Command;

use tempfile::tempdir;

use crate::support::lab::Cell;
use crate::support::matrix::for_every_signature;
use crate::support::process::{command, run, tool};
use crate::support::proxy::REGISTRY;

fn skopeo_copies_a_signed_image_and_no_unsigned_one(cell: Cell) {
    let lab = cell.lab();
    let signed = lab.push_signed("skopeo", cell.cosign);
    let unsigned = lab.push("skopeo-unsigned");
    for prefix in ["", "registry.lab.test/"] {
        let copy = |image: &str| {
            let folder = tempdir().expect("a temporary folder");
            let from = format!("docker://{}/{prefix}{image}", lab.proxy.address);
            let to = format!("dir:{}", folder.path().display());
            run(&skopeo(["copy", "--insecure-policy", "--src-tls-verify=false", &from, &to]))
        };
        copy(&format!("{}:v1", signed.repository)).succeeded();
        copy(&format!("{}@{}", signed.repository, signed.digest)).succeeded();
        for image in [format!("{}:v1", unsigned.repository), format!("{}@{}", unsigned.repository, unsigned.digest)] {
            let said = copy(&image).refused();
            assert!(said.contains("unsigned: policy"), "skopeo does not say why:\n{said}");
        }
    }
}

fn crane_pulls_and_copies_a_signed_image_and_no_unsigned_one(cell: Cell) {
    let lab = cell.lab();
    let signed = lab.push_signed("crane", cell.cosign);
    let unsigned = lab.push("crane-unsigned");
    let folder = tempdir().expect("a temporary folder");
    let tar = folder.path().join("image.tar");
    let tar = tar.to_str().expect("the path is UTF-8");
    let target = format!("{}/copied:v1", signed.name());
    for prefix in [String::new(), format!("{REGISTRY}/")] {
        let through = |repository: &str| format!("{}/{prefix}{repository}:v1", lab.proxy.address);
        let crane = |words: [&str; 3]| run(&command(tool("bin/crane"), words));
        crane(["pull", &through(&signed.repository), tar]).succeeded();
        crane(["copy", &through(&signed.repository), &target]).succeeded();
        for (word, to) in [("pull", tar), ("copy", &target)] {
            let said = crane([word, &through(&unsigned.repository), to]).refused();
            assert!(said.contains("unsigned: policy"), "crane does not say why:\n{said}");
        }
    }
    let copied = crate::support::image::crane(["digest", &target]);
    assert_eq!(copied.trim(), signed.digest, "what was copied is what was signed");
}

fn skopeo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    command("skopeo", arguments)
}

for_every_signature! {
    skopeo_copies_a_signed_image_and_no_unsigned_one
    crane_pulls_and_copies_a_signed_image_and_no_unsigned_one
}
