//! What is shown of certificates, log entries and time stamps: real ones, of a private Sigstore.

use std::path::{Path, PathBuf};

use countersign::demo::cosign::attach_bundle;
use countersign::demo::images::Stored;
use countersign::demo::registry::Options;
use serde_json::Value;

use super::explained;
use crate::support::lab::Lab;
use crate::support::scene::{IMAGE, manifest};

/// Who signed each fixture, and what the authority says of it.
const SIGNED: [(&str, Option<&str>); 6] = [
    ("cosign3-evil", Some("identity_mismatch")),
    ("cosign3-issuer", Some("issuer_mismatch")),
    ("cosign3-project", Some("extension_mismatch")),
    ("cosign3-key", Some("identity_mismatch")),
    ("cosign3-myorg", None),
    ("cosign2-bundle-myorg", None),
];

const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sigstore").join(name)
}

fn policy(registry: &str) -> String {
    format!(
        "trustRoots: {{ company: {{ file: \"{}\" }} }}\n\
         authorities:\n  gitlab-ci:\n    keyless:\n      trustRoot: company\n      issuer: https://gitlab.com\n      \
         identity: \"https://gitlab.com/myorg/**\"\n      sourceRepository: \"https://gitlab.com/myorg/**\"\n\
         policies: [ {{ name: demo, match: [ \"{registry}/**\" ], require: {{ signature: {{ by: gitlab-ci }} }} }} ]\n\
         default: deny\n",
        fixture("trusted_root.json").display()
    )
}

/// Pushes the image that the fixtures are about, with those of them.
fn push(lab: &Lab, evidence: &[&str]) -> Stored {
    let bytes = std::fs::read(fixture("image.json")).expect("the image");
    let size = bytes.len();
    let digest = lab.registry().put_manifest("team/app", IMAGE, bytes, Some("1"));
    let image = Stored { repository: "team/app".into(), media_type: IMAGE, size, digest };
    for name in evidence {
        let bundle = std::fs::read(fixture(&format!("{name}.bundle.json"))).expect("a bundle");
        attach_bundle(lab.registry(), &image, bundle, PREDICATE);
    }
    image
}

#[tokio::test]
async fn a_pipeline_is_shown_with_its_verified_identity_time_and_log_entry() {
    let lab = Lab::with_policy(Options::default(), |registry, _| policy(registry)).await;
    push(&lab, &SIGNED.map(|(name, _)| name));
    let (ran, json) = explained(&lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    assert_eq!(json["reason"], "signed", "{json:#}");
    let evidence = json["evidence"].as_array().expect("a list");
    assert_eq!(evidence.len(), SIGNED.len());
    for (piece, (name, reason)) in evidence.iter().zip(SIGNED) {
        let said = &piece["said"][0];
        assert_eq!(said["reason"], reason.map_or(Value::Null, Value::from), "{name}: {piece:#}");
        let claimed = &piece["claimed"];
        assert_eq!(claimed["certificate"].is_null(), name.ends_with("key"), "{name}: {claimed:#}");
        assert_eq!((claimed["timestamps"].as_u64(), &claimed["logEntries"][1]), (Some(1), &Value::Null), "{name}");
        let proof = &said["proof"];
        if reason.is_none() {
            assert_eq!(proof["identity"], "https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main");
            assert_eq!(proof["issuer"], "https://gitlab.com");
            assert_eq!(proof["extensions"]["sourceRepository"], "https://gitlab.com/myorg/app");
            assert!(proof["time"].as_str().expect("a time").starts_with("2026-11-25T"), "{proof:#}");
            assert_eq!(proof["logIndex"], claimed["logEntries"][0]["index"]);
        } else {
            assert!(proof.is_null());
        }
    }
    let verified = "✔ gitlab-ci  verified: signature by https://gitlab.com/myorg/app//.gitlab-ci.yml@refs/heads/main \
                    of https://gitlab.com, signed at 2026-11-25T";
    for part in [verified, ", log entry 0", "claims source https://gitlab.com/notmyorg/app at refs/heads/main"] {
        assert!(ran.stdout.contains(part), "no `{part}` in\n{}", ran.stdout);
    }
}

#[tokio::test]
async fn a_foreign_project_is_told_apart_from_the_one_that_is_wanted() {
    let lab = Lab::with_policy(Options::default(), |registry, _| policy(registry)).await;
    push(&lab, &["cosign3-project"]);
    let (ran, json) = explained(&lab, "registry.demo/team/app:1", &manifest("team/app", 1)).await;
    assert_eq!((&json["reason"], &json["cause"]), (&"signature_missing".into(), &"extension_mismatch".into()));
    assert_eq!(json["authorities"][0]["pins"]["sourceRepository"], "https://gitlab.com/myorg/**");
    for part in [
        "wants sourceRepository https://gitlab.com/myorg/**",
        "claims source https://gitlab.com/notmyorg/app",
        "✘ gitlab-ci  extension_mismatch",
        "As https://gitlab.com/myorg/** of https://gitlab.com: cosign sign registry.demo/team/app@sha256:",
    ] {
        assert!(ran.stdout.contains(part), "no `{part}` in\n{}", ran.stdout);
    }
}
