//! `countersign policy exempt`: what it writes, what it refuses, and that a proxy obeys it.

use std::fs;
use std::path::Path;
use std::process::Command;

use countersign::demo::registry::Options;
use countersign::oci::Digest;
use tempfile::TempDir;

use crate::support::expect::{denied, served};
use crate::support::lab::Lab;
use crate::support::scene::manifest;

/// Runs the command; the exit code, and everything that was printed.
fn exempt(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = command.args(["policy", "exempt"]).args(arguments).env_remove("RUST_LOG").output().expect("it runs");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    (output.status.code().expect("it exits"), text)
}

const POLICY: &str = "# Ours.\npolicies: [ ]\ndefault: deny # always\n";

fn folder(name: &str, text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file");
    let path = path.to_str().expect("text").to_string();
    (folder, path)
}

fn image() -> String {
    format!("registry.demo/team/app@{}", Digest::of(b"an image"))
}

#[tokio::test]
async fn a_tag_is_resolved_once_and_the_proxy_serves_what_it_led_to() {
    let lab = Lab::start(Options::default()).await;
    let image = lab.unsigned("team/app");
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    let config = lab.config.to_str().expect("text").to_string();
    let run = |more: &'static [&'static str]| {
        let config = config.clone();
        let all = ["registry.demo/team/app:1", "--reason", "INC-1", "--config"];
        tokio::task::spawn_blocking(move || exempt(&[&all[..], &[config.as_str()], more].concat()))
    };
    let before = fs::read_to_string(lab.config.with_file_name("policy.yaml")).expect("text");
    let (code, printed) = run(&["--for", "4h", "--dry-run"]).await.expect("it ends");
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("nothing is written") && printed.contains("reason: \"INC-1\""), "{printed}");
    assert_eq!(fs::read_to_string(lab.config.with_file_name("policy.yaml")).expect("text"), before);

    let (code, printed) = run(&["--for", "4h", "--policy", "demo"]).await.expect("it ends");
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("It is served whatever its evidence, until 2"), "{printed}");
    assert!(printed.contains("notices by itself within seconds, or at once on SIGHUP"), "{printed}");
    let after = fs::read_to_string(lab.config.with_file_name("policy.yaml")).expect("text");
    assert!(after.starts_with(&before) && after.contains("# registry.demo/team/app:1 at 2"), "{after}");
    lab.proxy.reload().expect("a good policy");
    served(&lab.get(&manifest("team/app", "1")).await, image.manifest.digest, "exempt");
    // The tag moves on; the exemption does not.
    lab.registry().tag("team/app", "1", lab.unsigned("team/app2").manifest.digest);
    let other = countersign::demo::images::image(lab.registry(), "team/app", Some("1"), "another\n");
    denied(&lab.get(&manifest("team/app", "1")).await, "unsigned");
    assert_ne!(other.manifest.digest, image.manifest.digest);

    let gone = exempt_in_background(&config, "registry.demo/team/gone:1").await;
    assert_eq!(gone.0, 2, "{}", gone.1);
    assert!(gone.1.contains("upstream_not_found"), "{}", gone.1);
}

async fn exempt_in_background(config: &str, image: &str) -> (i32, String) {
    let (config, image) = (config.to_string(), image.to_string());
    let run = move || exempt(&[&image, "--reason", "x", "--forever", "--config", &config]);
    tokio::task::spawn_blocking(run).await.expect("it ends")
}

#[test]
fn a_directory_gets_a_file_for_exemptions_and_then_more_in_it() {
    let (folder, _) = folder("policy.yaml", POLICY);
    let directory = folder.path().to_str().expect("text");
    let image = image();
    for (arguments, count) in [(["--for", "7d"].as_slice(), 1), (&["--forever"], 2)] {
        let all = [&[image.as_str(), "--reason", "a \"quoted\" reason", "--file", directory], arguments].concat();
        let (code, printed) = exempt(&all);
        assert_eq!(code, 0, "{printed}");
        let text = fs::read_to_string(folder.path().join("exemptions.yaml")).expect("text");
        assert_eq!(text.matches("reason: \"a \\\"quoted\\\" reason\"").count(), count, "{text}");
        assert_eq!(text.matches("expires: 2").count(), 1, "{text}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("policy.yaml")).expect("text"), POLICY);
    let (code, printed) = check(folder.path());
    assert_eq!(code, 0, "{printed}");
}

#[test]
fn what_is_not_said_clearly_is_wrong_usage() {
    let (folder, path) = folder("policy.yaml", POLICY);
    let (image, digest) = (image(), Digest::of(b"an image"));
    let tag = "registry.demo/team/app:1";
    for (arguments, part) in [
        (&[tag, "--reason", "x", "--for", "4h"][..], format!("{}@sha256:…", "registry.demo/team/app")),
        (&[&image, "--reason", "x"], "--forever".into()),
        (&[&image, "--reason", "x", "--for", "4h", "--forever"], "cannot be used with".into()),
        (&[&image, "--for", "4h"], "--reason".into()),
        (&[&image, "--reason", "  ", "--for", "4h"], "say why".into()),
        (&[&image, "--reason", "two\nlines", "--for", "4h"], "one line".into()),
        (&[&image, "--reason", "x", "--for", "soon"], "such as `4h`".into()),
        (&[&image, "--reason", "x", "--for", "4h", "--policy", "nobody"], "there is no policy `nobody`".into()),
        (&[&digest.to_string(), "--reason", "x", "--for", "4h"], "which registry".into()),
    ] {
        let (code, printed) = exempt(&[arguments, &["--file", &path]].concat());
        assert_eq!(code, 64, "{arguments:?}: {printed}");
        assert!(printed.contains(&part), "{part}: {printed}");
    }
    let (code, printed) = exempt(&[&image, "--reason", "x", "--forever"]);
    assert_eq!(code, 64, "{printed}");
    assert!(printed.contains("--file") && printed.contains("--config"), "{printed}");
    assert_eq!(fs::read_to_string(folder.path().join("policy.yaml")).expect("text"), POLICY);
}

#[test]
fn what_cannot_be_written_leaves_the_file_alone_and_says_what_to_do() {
    let image = image();
    let revoked = format!("revoked: {{ digests: [ \"{}\" ] }}\n", Digest::of(b"an image"));
    for (text, code, part) in [
        ("{ policies: [ ], default: deny }\n", 1, "to add by hand:\n\nexemptions:\n  - match: [ \"registry.demo/"),
        ("exemptions: [ { match: [ r.io/a ], reason: x } ]\n", 1, "in a way that this command does not edit"),
        ("policies: [ ]\ndefualt: deny\n", 78, "policy.yaml:2:1: unknown key `defualt`"),
        (&revoked, 1, "is revoked, and no exemption lifts that"),
    ] {
        let (folder, path) = folder("policy.yaml", text);
        let (got, printed) = exempt(&[&image, "--reason", "x", "--for", "4h", "--file", &path]);
        assert_eq!(got, code, "{text}: {printed}");
        assert!(printed.contains(part), "{part}: {printed}");
        assert_eq!(fs::read_to_string(&path).expect("text"), text);
        assert_eq!(fs::read_dir(folder.path()).expect("a directory").count(), 1);
    }
}

#[test]
fn only_the_configured_policy_is_written_to() {
    let (folder, path) = folder("policy.yaml", POLICY);
    let config = "clients:\n  - anonymous: true\n    may: [ \"registry.demo/**\" ]\nupstreams:\n  registry.demo: {}\n\
                  policy: { path: policy.yaml }\nstore: { kind: memory }\n";
    let (config_folder, config) = (folder.path(), config);
    fs::write(config_folder.join("countersign.yaml"), config).expect("a file");
    fs::write(config_folder.join("other.yaml"), POLICY).expect("a file");
    let at = |name: &str| config_folder.join(name).to_str().expect("text").to_string();
    let (image, config) = (image(), at("countersign.yaml"));
    let all = [image.as_str(), "--reason", "x", "--for", "4h", "--config", &config, "--file"];
    let (code, printed) = exempt(&[&all[..], &[&at("other.yaml")]].concat());
    assert_eq!(code, 64, "{printed}");
    assert!(printed.contains("is no part of the policy that is configured"), "{printed}");
    let (code, printed) = exempt(&[&all[..], &[&path]].concat());
    assert_eq!(code, 0, "{printed}");
}

fn check(path: &Path) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = command.args(["policy", "check"]).arg(path).output().expect("it runs");
    (output.status.code().expect("it exits"), String::from_utf8(output.stdout).expect("text"))
}
