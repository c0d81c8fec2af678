//! `countersign verify` says beforehand what a client gets through the proxy: the same verdict, in the same words.

use serde_json::Value;

use crate::support::image::Image;
use crate::support::lab::{Cell, FOREIGN, RELEASE};
use crate::support::matrix::for_every_signature;
use crate::support::process::{command, run, tool};
use crate::support::proxy::REGISTRY;

fn what_verify_says_is_what_crane_gets(cell: Cell) {
    let lab = cell.lab();
    let signed = lab.push_signed("explained", cell.cosign);
    // Evidence that does not count beside evidence that does.
    lab.sign(cell.cosign, FOREIGN, &signed);
    agrees(cell, &signed, 0, "signed");
    agrees(cell, &lab.push("explained-unsigned"), 1, "unsigned");
    let foreign = lab.push("explained-foreign");
    lab.sign(cell.cosign, FOREIGN, &foreign);
    agrees(cell, &foreign, 1, "signature_missing");
    let sbom = lab.push("explained-sbom");
    lab.attest_sbom(cell.cosign, RELEASE, &sbom);
    agrees(cell, &sbom, 1, "");
    let (index, _) = signed.index();
    agrees(cell, &index, 1, "unsigned");
}

/// By tag and by digest: `code` is what the command exits with, `reason` what it says, unless it is empty.
fn agrees(cell: Cell, image: &Image, code: i32, reason: &str) {
    let lab = cell.lab();
    let tag = image.tag_path().rsplit_once('/').expect("a path").1.to_owned();
    for name in [format!("{}:{tag}", image.repository), format!("{}@{}", image.repository, image.digest)] {
        let reference = format!("{REGISTRY}/{name}");
        let ran = lab.proxy.explain_as(&name);
        assert_eq!(ran.code(), Some(code), "{reference}: {}", ran.said());
        let told: Value = serde_json::from_str(ran.stdout()).expect("one document");
        assert_eq!(told["digest"], image.digest, "{told:#}");
        assert!(reason.is_empty() || told["reason"] == reason, "{told:#}");
        let pulled = run(&command(tool("bin/crane"), ["manifest", &format!("{}/{name}", lab.proxy.address)]));
        assert_eq!(pulled.is_success(), code == 0, "{reference}: crane says\n{}", pulled.said());
        if code != 0 {
            let reason = told["reason"].as_str().expect("a code");
            let detail = told["detail"].as_str().expect("a text");
            let said = pulled.said();
            assert!(said.contains(reason) && said.contains(detail), "crane does not say `{reason}: {detail}`:\n{said}");
        }
        let mut every = told["evidence"].as_array().expect("a list").iter();
        assert!(every.all(|piece| piece["said"][0]["authority"] == "release-key"), "{told:#}");
    }
}

for_every_signature! {
    what_verify_says_is_what_crane_gets
}
