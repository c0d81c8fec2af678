//! What people read evidence with works through the proxy: cosign of both versions, and oras. What only looks like
//! evidence, and runs, is refused.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::content::MANIFEST;
use crate::support::cosign::Cosign;
use crate::support::evidence::{sha256, tag};
use crate::support::image::Image;
use crate::support::lab::{Cell, FOREIGN, Lab, RELEASE};
use crate::support::matrix::{for_every_signature, on_every_registry};
use crate::support::podman::Podman;
use crate::support::process::{command, run, tool};
use crate::support::proxy::REGISTRY;

const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// The names of the image's repository at the proxy: as the only registry there, and by the registry's own name.
fn at_the_proxy(lab: &Lab, image: &Image) -> [String; 2] {
    ["", &format!("{REGISTRY}/")].map(|prefix| format!("{}/{prefix}{}", lab.proxy.address, image.repository))
}

fn o67_cosign_verifies_and_downloads_through_the_proxy(cell: Cell) {
    let lab = cell.lab();
    let image = lab.push_signed("evidence", cell.cosign);
    lab.attest_sbom(cell.cosign, RELEASE, &image);
    let readers: &[Cosign] = match cell.cosign {
        Cosign::Legacy => &[Cosign::Legacy, Cosign::Bundle],
        // Version 2 wants a trusted root for bundles, and there is none for keys alone.
        Cosign::Bundle => &[Cosign::Bundle],
    };
    for reader in readers {
        for name in at_the_proxy(lab, &image) {
            let name = format!("{name}@{}", image.digest);
            let verify = |key: &str, words: &[&str]| {
                let key = lab.public_key(key);
                reader.read(&[words, &["--key", &key, "--insecure-ignore-tlog", &name]].concat())
            };
            verify(RELEASE, &["verify"]).succeeded();
            verify(RELEASE, &["verify-attestation", "--type", "cyclonedx"]).succeeded();
            verify(FOREIGN, &["verify"]).refused();
            for words in [&["download", "signature"][..], &["download", "attestation"], &["tree"]] {
                let from = |name: &str| lines(&reader.read(&[words, &[name]].concat()).succeeded(), name);
                let (through, direct) = (from(&name), from(&image.direct()));
                assert!(words != ["tree"] || direct.iter().any(|line| line.contains("🍒")), "{direct:?}");
                assert!(!direct.is_empty());
                assert_eq!(through, direct, "{words:?} of {name}");
            }
        }
    }
}

/// What was printed of the image of this name, in no order, and without its repository.
fn lines(printed: &str, name: &str) -> BTreeSet<String> {
    let repository = name.split('@').next().unwrap_or_default();
    printed.lines().map(|line| line.replace(repository, "")).collect()
}

fn o67_oras_discovers_and_copies_evidence_through_the_proxy(cell: Cell) {
    let lab = cell.lab();
    let image = lab.push_signed("discovered", cell.cosign);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://cyclonedx.org/bom",
        "subject": [{ "digest": { "sha256": image.digest.trim_start_matches("sha256:") } }],
    });
    let folder = tempdir().expect("a temporary folder");
    fs::write(folder.path().join("statement.json"), statement.to_string()).expect("the folder is writable");
    let oras = |words: &[&str]| run(command(tool("bin/oras"), words).current_dir(folder.path()));
    let attach = ["attach", "--plain-http", "--artifact-type", IN_TOTO, &image.direct()];
    let said = oras(&[&attach[..], &[&format!("statement.json:{IN_TOTO}")]].concat()).succeeded();
    let attached = said.rsplit_once("Digest: ").expect("oras prints what it attached").1.trim();
    let artifacts = |name: &str| {
        let said = oras(&["discover", "--plain-http", "--format", "json", name]).succeeded();
        let document: Value = serde_json::from_str(&said).expect("JSON");
        let referrers = document["referrers"].as_array().expect("a list");
        let digests = referrers.iter().map(|one| one["digest"].as_str().expect("a digest").to_owned());
        digests.collect::<BTreeSet<_>>()
    };
    let direct = artifacts(&image.direct());
    assert!(direct.contains(attached), "{direct:?}");
    for (number, name) in at_the_proxy(lab, &image).into_iter().enumerate() {
        let by_digest = format!("{name}@{}", image.digest);
        assert_eq!(artifacts(&by_digest), direct);
        let into = folder.path().join(format!("pulled-{number}"));
        let output = into.to_str().expect("the path is UTF-8");
        oras(&["pull", "--plain-http", "--output", output, &format!("{name}@{attached}")]).succeeded();
        let pulled = fs::read_to_string(into.join("statement.json")).expect("it was pulled");
        assert_eq!(pulled, statement.to_string());
        let copy = format!("{}/copied-{number}:v1", image.name());
        oras(&["copy", "--recursive", "--from-plain-http", "--to-plain-http", &by_digest, &copy]).succeeded();
        assert_eq!(artifacts(&copy), direct, "what was copied is what is there");
    }
    if let Cosign::Bundle = cell.cosign {
        let fallback = image.path(&format!("manifests/{}", image.digest.replace(':', "-")));
        let answer = lab.proxy.ask("GET", &fallback);
        assert!(matches!((answer.status, answer.header("countersign-reason")), (200, Some("evidence")) | (404, _)));
        assert_eq!(answer.status == 200, image.has(&image.digest.replace(':', "-")));
    }
}

fn other_artifacts_are_for_the_policy_to_decide(cell: Cell) {
    let lab = cell.lab();
    let image = lab.push("file");
    let folder = tempdir().expect("a temporary folder");
    fs::write(folder.path().join("file.json"), "{}").expect("the folder is writable");
    let oras = |words: &[&str]| run(command(tool("bin/oras"), words).current_dir(folder.path()));
    oras(&["push", "--plain-http", &format!("{}:file", image.name()), "file.json:application/json"]).succeeded();
    oras(&["attach", "--plain-http", "--artifact-type", "a/b", &image.direct(), "file.json:application/json"])
        .succeeded();
    let [name, _] = at_the_proxy(lab, &image);
    let said = oras(&["pull", "--plain-http", "--output", "pulled", &format!("{name}:file")]).refused();
    assert!(said.contains("unsigned: policy"), "oras does not say why:\n{said}");
    // A bill of materials as cosign 2 attaches it is in no envelope and names no image.
    let (bare, signed) = (lab.push_signed("bare", Cosign::Legacy), lab.push_signed("signed", Cosign::Legacy));
    lab.attach_sbom(&bare);
    lab.attach_sbom(&signed);
    lab.sign_sbom(RELEASE, &signed);
    let download =
        |image: &Image, name: &str| Cosign::Bundle.read(&["download", "sbom", &format!("{name}@{}", image.digest)]);
    let said = download(&bare, &at_the_proxy(lab, &bare)[0]).refused();
    assert!(said.contains("unsigned: policy"), "cosign does not say why:\n{said}");
    let through = download(&signed, &at_the_proxy(lab, &signed)[0]).succeeded();
    assert_eq!(through, download(&signed, &signed.name()).succeeded());
}

fn c14_an_image_that_looks_like_evidence_runs_under_podman_and_is_refused(cell: Cell) {
    let (lab, podman) = (cell.lab(), Podman::new());
    let image = lab.push("relabelled");
    let plain = image.get_json(&image.manifest_path());
    let size = plain.to_string().len();
    let subject = json!({ "mediaType": MANIFEST, "digest": image.digest, "size": size });
    let relabelled = |media_type: &str| {
        let mut manifest = plain.clone();
        manifest["layers"][0]["mediaType"] = media_type.into();
        manifest
    };
    let mut referring = relabelled(BUNDLE);
    referring["subject"] = subject;
    referring["artifactType"] = BUNDLE.into();
    for (tag, manifest) in [
        (String::from("simple-signing"), relabelled(SIMPLE_SIGNING)),
        (String::from("dsse"), relabelled(DSSE)),
        (String::from("bundle"), relabelled(BUNDLE)),
        (String::from("in-toto"), relabelled(IN_TOTO)),
        (tag(&image, "sig"), relabelled(SIMPLE_SIGNING)),
        (tag(&image, "att"), plain.clone()),
        (String::from("referrer"), referring),
    ] {
        let bytes = manifest.to_string();
        let digest = image.put_manifest(&tag, MANIFEST, bytes.as_bytes());
        assert_eq!(digest, sha256(bytes.as_bytes()));
        assert_eq!(podman.run(&format!("{}:{tag}", image.name())).succeeded().trim(), image.token, "{tag}");
        let [at_proxy, by_name] = at_the_proxy(lab, &image);
        for name in [format!("{at_proxy}:{tag}"), format!("{by_name}@{digest}")] {
            let said = podman.run(&name).refused();
            assert!(said.contains("unsigned: policy"), "podman does not say why {name} is refused:\n{said}");
        }
    }
}

for_every_signature! {
    o67_cosign_verifies_and_downloads_through_the_proxy
    o67_oras_discovers_and_copies_evidence_through_the_proxy
}

on_every_registry! {
    other_artifacts_are_for_the_policy_to_decide
    c14_an_image_that_looks_like_evidence_runs_under_podman_and_is_refused
}
