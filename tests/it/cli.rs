//! The program as a whole: its commands, what they print, and the codes they exit with.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use countersign::demo::proxy;
use countersign::demo::signer::Signer;
use tempfile::TempDir;

fn countersign(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_countersign")).args(arguments).env_remove("RUST_LOG").output().expect("it runs")
}

/// The exit code, and everything that was printed.
fn run(arguments: &[&str]) -> (i32, String) {
    let output = countersign(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().expect("it exits"), String::from_utf8(text).expect("text"))
}

fn file(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn policy() -> String {
    proxy::policy("registry.demo", &Signer::generate().expect("a key").public_key_pem())
}

#[test]
fn the_version_and_the_help_are_told() {
    let (code, text) = run(&["--version"]);
    assert_eq!((code, text.trim()), (0, concat!("countersign ", env!("CARGO_PKG_VERSION"))));
    let (code, text) = run(&["--help"]);
    assert_eq!(code, 0);
    for command in ["serve", "demo", "policy", "config", "Exit codes"] {
        assert!(text.contains(command), "{text}");
    }
}

#[test]
fn wrong_usage_exits_with_64() {
    for arguments in [
        &["--no-such-flag"][..],
        &["no-such-command"],
        &[],
        &["serve"],
        &["policy"],
        &["policy", "check"],
        &["demo", "--sabotage", "nothing"],
    ] {
        let output = countersign(arguments);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_good_policy_passes_the_check() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = file(&directory, "policy.yaml", &policy());
    let (code, printed) = run(&["policy", "check", text(&path)]);
    assert_eq!(code, 0, "{printed}");
}

#[test]
fn the_schema_of_policies_is_printed() {
    let output = countersign(&["policy", "schema"]);
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn the_check_of_a_policy_explains_itself() {
    let (code, text) = run(&["policy", "check", "--help"]);
    assert_eq!(code, 0);
    for told in ["--config", "--registry", "--strict", "--output", "summary", "errors", "warnings", "notes", "78"] {
        assert!(text.contains(told), "{told}\n{text}");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let path = file(&directory, "policy.yaml", &policy());
    for (arguments, expected) in [
        (&["--registry", "registry.demo"][..], 0),
        (&["--registry", "registry.demo", "--strict"], 1),
        (&["--registry", "not a registry"], 64),
        (&["--registry", "registry.demo", "--config", "x"], 64),
        (&["--config", "no-such-file.yaml"], 78),
    ] {
        let (code, printed) = run(&[&["policy", "check", path.to_str().expect("text")], arguments].concat());
        assert_eq!(code, expected, "{arguments:?}\n{printed}");
    }
}

#[test]
fn a_key_may_stand_in_the_environment() {
    let directory = tempfile::tempdir().expect("a directory");
    let policy = "authorities:\n  x: { key: { env: RELEASE_KEY, insecureSkipTransparencyLog: true } }\npolicies: []\n";
    let path = file(&directory, "policy.yaml", policy);
    let pem = Signer::generate().expect("a key").public_key_pem();
    for (key, code, shown) in [
        (pem.clone(), 0, ""),
        (pem.replace('\n', "\r\n"), 0, ""),
        (pem.replace('\n', "\\n"), 78, "`RELEASE_KEY`: its PEM block is broken: its first line goes on"),
        (String::new(), 78, "`RELEASE_KEY`: it is not a PEM public key"),
    ] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_countersign"));
        let output = check.args(["policy", "check", text(&path)]).env("RELEASE_KEY", &key).output().expect("it runs");
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        assert_eq!(output.status.code(), Some(code), "{key}: {printed}");
        assert!(printed.contains(shown), "{printed}");
    }
}

#[test]
fn a_wrong_policy_is_shown_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    for (wrong, line, shown) in [
        (policy().replace("mode: enforce", "mode: enforced"), "mode", "enforced"),
        (policy().replace("by: release-key", "by: relese-key"), "relese-key", "relese-key"),
        (policy().replace("    mode:", "    moed:"), "moed", "moed"),
        (policy().replace("default: deny", "default: deny\ndefault: audit"), "default: audit", "default"),
    ] {
        let path = file(&directory, "policy.yaml", &wrong);
        let number = 1 + wrong.lines().position(|text| text.contains(line)).expect("the line is there");
        let (code, printed) = run(&["policy", "check", text(&path)]);
        assert_eq!(code, 78, "{printed}");
        assert!(printed.contains(&format!("{}:{number}:", text(&path))), "line {number}: {printed}");
        assert!(printed.contains(shown) && printed.contains('^'), "{printed}");
    }
}

#[test]
fn a_policy_that_cannot_be_read_is_a_wrong_configuration() {
    let directory = tempfile::tempdir().expect("a directory");
    for path in [directory.path().join("none.yaml"), directory.path().to_owned(), file(&directory, "empty.yaml", "")] {
        let (code, printed) = run(&["policy", "check", text(&path)]);
        assert_eq!(code, 78, "{printed}");
        assert!(printed.contains(text(&path)), "{printed}");
    }
}

#[test]
fn a_configuration_is_checked_and_shown_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    file(&directory, "policy.yaml", &policy());
    let good = "clients:\n  - anonymous: true\n    may: [ \"registry.demo/**\" ]\nupstreams:\n  registry.demo: {}\n\
                policy: { path: policy.yaml }\nstore: { kind: memory }\n";
    let path = file(&directory, "countersign.yaml", good);
    let (code, printed) = run(&["config", "check", text(&path)]);
    assert_eq!(code, 0, "{printed}");
    let path = file(&directory, "countersign.yaml", &good.replace("kind: memory", "kind: memroy"));
    for command in [&["config", "check", text(&path)][..], &["serve", "--config", text(&path)]] {
        let (code, printed) = run(command);
        assert_eq!(code, 78, "{printed}");
        assert!(printed.contains(&format!("{}:7:", text(&path))), "{printed}");
        assert!(printed.contains("memroy") && printed.contains('^'), "{printed}");
    }
}

#[test]
fn a_trusted_root_is_checked_with_the_policy_and_the_policy_with_the_configuration() {
    let directory = tempfile::tempdir().expect("a directory");
    let root = |name: &str| {
        format!(
            "trustRoots: {{ r: {{ file: {name} }} }}\nauthorities:\n  ci:\n    keyless: {{ trustRoot: r, issuer: i, identity: x }}\n"
        )
    };
    let config = "clients:\n  - anonymous: true\n    may: [ \"registry.demo/**\" ]\nupstreams:\n  registry.demo: {}\n\
                  policy: { path: policy.yaml }\nstore: { kind: memory }\n";
    let config = file(&directory, "countersign.yaml", config);
    file(&directory, "empty.json", r#"{ "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1" }"#);
    for (name, why) in [("gone.json", "it does not exist"), ("empty.json", "it has no transparency log")] {
        let policy = file(&directory, "policy.yaml", &root(name));
        for command in [
            &["policy", "check", text(&policy)][..],
            &["config", "check", text(&config)],
            &["serve", "--config", text(&config)],
        ] {
            let (code, printed) = run(command);
            assert_eq!(code, 78, "{printed}");
            assert!(printed.contains(&format!("{}:1:26: trustRoots.r.file: ", text(&policy))), "{printed}");
            assert!(printed.contains(why) && printed.contains('^'), "{printed}");
        }
    }
}

#[test]
fn serve_does_not_start_with_a_wrong_policy() {
    let directory = tempfile::tempdir().expect("a directory");
    let policy = file(&directory, "policy.yaml", "policies: [ { name: x } ]\n");
    let config = "listen: { address: \"127.0.0.1:0\" }\nadmin: { address: \"127.0.0.1:0\" }\n\
                  upstreams:\n  registry.demo: {}\npolicy: { path: policy.yaml }\nstore: { kind: memory }\n";
    let path = file(&directory, "countersign.yaml", config);
    let (code, printed) = run(&["serve", "--config", text(&path)]);
    assert_eq!(code, 78, "{printed}");
    assert!(printed.contains(&format!("{}:1:", text(&policy))) && printed.contains('^'), "{printed}");
}

#[test]
fn the_demo_shows_every_row_as_it_must_be() {
    let (code, printed) = run(&["demo", "--once"]);
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("Every pull was answered as it must be.") && !printed.contains('✘'), "{printed}");
}

#[test]
fn a_demo_that_is_broken_on_purpose_notices() {
    for sabotage in ["unsigned", "empty-policy"] {
        let (code, printed) = run(&["demo", "--once", "--sabotage", sabotage]);
        assert_eq!(code, 1, "{printed}");
        assert!(printed.contains('✘') && printed.contains("NOT answered as they must be"), "{printed}");
    }
}
