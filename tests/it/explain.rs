//! `countersign policy explain`: the tree of a policy over a real registry, and which pieces of evidence decide.

use std::process::Command;

use countersign::demo::images::{self, Stored};
use countersign::demo::proxy;
use countersign::demo::registry::Options;
use serde_json::{Value, json};

use crate::support::lab::Lab;
use crate::support::scene::{INDEX, descriptor};

const SCAN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// A lab whose policy demands a signature, and of the platform or the index a scan that is not old.
async fn lab(on: &str) -> Lab {
    let lab = Lab::start(Options::default()).await;
    let scan = format!(
        "- attestation: {{ by: release-key, type: vuln, on: {on}, maxAge: 7d, ageFrom: metadata.scanFinishedOn, condition: \
         'predicate.scanner.result == 0' }}"
    );
    let both = format!("allOf:\n        - signature: {{ by: release-key }}\n        {scan}");
    let policy = proxy::policy(&lab.registry().options().name, &lab.signer.public_key_pem());
    lab.set_policy(&policy.replace("signature: { by: release-key }", &both)).expect("a good policy");
    lab
}

fn scanned(lab: &Lab, manifest: &Stored, finished: &str, result: u8) {
    let predicate = json!({ "scanner": { "result": result }, "metadata": { "scanFinishedOn": finished } });
    lab.signer.attest_bundle(lab.registry(), manifest, SCAN, &predicate).expect("attests");
}

/// An instant of RFC 3339.
fn days_ago(days: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    let then = countersign::clock::Timestamp(now - u64::try_from(days).expect("days") * 86_400);
    then.to_string()
}

/// The exit code, and what is printed for people and for programs.
async fn explain(lab: &Lab, reference: &str) -> (i32, String, Value) {
    let run = async |output: &'static str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(["policy", "explain", reference, "--output", output, "--config"]).arg(&lab.config);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
        (output.status.code().expect("it exits"), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, text) = run("text").await;
    let (_, json) = run("json").await;
    (code, text, serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}")))
}

/// Each line of `expected` stands in `text`, in this order.
#[track_caller]
fn in_order(text: &str, expected: &[&str]) {
    let mut lines = text.lines();
    for wanted in expected {
        assert!(lines.any(|line| line.contains(wanted)), "no `{wanted}`, or not in its place, in\n{text}");
    }
}

#[tokio::test]
async fn the_newest_decides_and_is_shown_to() {
    let lab = lab("index").await;
    let image = lab.signed("team/app").manifest;
    let (yesterday, before) = (days_ago(1), days_ago(2));
    scanned(&lab, &image, &before, 0);
    let (code, text, _) = explain(&lab, "registry.demo/team/app:1").await;
    assert_eq!(code, 0, "{text}");
    in_order(
        &text,
        &["✔ allowed: signed", "✔ demo  enforce", "  ✔ all of", "    ✔ signature by release-key", "      ✔ referrer "],
    );
    scanned(&lab, &image, &yesterday, 3);
    let (code, text, json) = explain(&lab, "registry.demo/team/app:1").await;
    assert_eq!(code, 1, "{text}");
    in_order(
        &text,
        &[
            "✘ denied: condition_false",
            "✘ demo  enforce: condition_false",
            "  ✘ all of",
            "    ✔ signature by release-key",
            "    ✘ attestation https://cosign.sigstore.dev/attestation/vuln/v1 by release-key: condition_false",
            "      the newest: at most 7d old, by predicate.metadata.scanFinishedOn",
            "      the newest: predicate.scanner.result == 0",
            "      wants key sha256:",
        ],
    );
    let piece = |mark: &str, part: String| {
        assert!(
            text.lines().any(|line| line.trim().starts_with(mark) && line.contains(&part)),
            "{mark} {part}\n{text}"
        );
    };
    piece("✘ referrer sha256:", format!("(bundle, {yesterday}, the newest): condition_false"));
    piece("- referrer sha256:", format!("(bundle, {before}, not the newest) by key "));
    let considered = json["policies"][0]["require"]["of"][1]["considered"].as_array().expect("a list");
    let told: Vec<_> = considered.iter().map(|one| (one["chosen"] == true, one["satisfies"] == true)).collect();
    assert!(told.contains(&(true, false)) && told.contains(&(false, true)), "{json:#}");
}

#[tokio::test]
async fn each_platform_has_its_tree() {
    let lab = lab("platform").await;
    let [good, bad] = ["amd64", "arm64"]
        .map(|architecture| images::image_for(lab.registry(), "team/multi", None, architecture, architecture).manifest);
    scanned(&lab, &good, &days_ago(1), 0);
    let listed = |stored: &Stored, architecture: &str| {
        let mut listed = descriptor(stored);
        listed["platform"] = json!({ "os": "linux", "architecture": architecture });
        listed
    };
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [listed(&good, "amd64"), listed(&bad, "arm64")],
    });
    let bytes = index.to_string();
    let size = bytes.len();
    let digest = lab.registry().put_manifest("team/multi", INDEX, bytes, Some("index"));
    let index = Stored { repository: "team/multi".into(), media_type: INDEX, size, digest };
    lab.signer.sign_bundle(lab.registry(), &index).expect("signs");
    let (code, text, json) = explain(&lab, "registry.demo/team/multi:index").await;
    assert_eq!(code, 1, "{text}");
    in_order(
        &text,
        &[
            "✘ denied: attestation_missing",
            "✘ demo  enforce: attestation_missing",
            "  linux/amd64 (sha256:",
            "    ✔ all of",
            "      ✔ attestation https://cosign.sigstore.dev/attestation/vuln/v1 of each platform by release-key",
            "  linux/arm64 (sha256:",
            "    ✘ all of",
            "      ✔ signature by release-key",
            "      ✘ attestation https://cosign.sigstore.dev/attestation/vuln/v1 of each platform by release-key: attestation_missing",
        ],
    );
    let platforms = json["policies"][0]["platforms"].as_array().expect("a list");
    let values: Vec<_> = platforms.iter().map(|one| one["require"]["value"].as_str().expect("a value")).collect();
    assert_eq!(values, ["holds", "fails"], "{json:#}");
    assert_eq!(json["policies"][0]["require"]["value"], "fails");
}
