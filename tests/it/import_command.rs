//! `countersign policy import kyverno`: where its output goes, and how it exits.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kyverno").join(name)
}

fn import(arguments: &[&str], files: &[PathBuf]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(["policy", "import", "kyverno"]).args(arguments).args(files).output().expect("it runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A fixture of which a part can be translated.
fn partly(directory: &Path) -> PathBuf {
    let good = std::fs::read_to_string(fixture("verify-signatures.yaml")).expect("a fixture");
    let bad = std::fs::read_to_string(fixture("refused.yaml")).expect("a fixture");
    let path = directory.join("partly.yaml");
    std::fs::write(&path, format!("{good}---\n{bad}")).expect("a file");
    path
}

#[test]
fn the_policy_goes_to_the_output_and_the_report_beside_it() {
    let company = ["verify-signatures.yaml", "require-sbom.yaml", "require-provenance.yaml"].map(fixture);
    let output = import(&[], &company);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let expected = std::fs::read_to_string(fixture("company.expected.yaml")).expect("a fixture");
    assert_eq!(text(&output.stdout), expected);
    assert!(text(&output.stderr).ends_with("0 not translatable\n"), "{}", text(&output.stderr));

    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("policy.yaml");
    let to = path.to_str().expect("text");
    let output = import(&["--output", to], &company);
    assert_eq!((code(&output), text(&output.stdout)), (0, ""));
    // Somebody may have edited it since.
    let again = import(&["--output", to], &company);
    assert_eq!(code(&again), 2, "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("it is there already"), "{}", text(&again.stderr));
    assert_eq!(std::fs::read_to_string(&path).expect("it was written"), expected);
    let check =
        Command::new(env!("CARGO_BIN_EXE_countersign")).args(["policy", "check", to]).output().expect("it runs");
    assert_eq!(code(&check), 0, "{}", text(&check.stdout));
}

#[test]
fn what_is_piped_in_is_read() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let file = std::fs::File::open(fixture("actions.yaml")).expect("a fixture");
    let output = command.args(["policy", "import", "kyverno", "-"]).stdin(file).output().expect("it runs");
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stderr).starts_with("ClusterPolicy audited (standard input)"), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), std::fs::read_to_string(fixture("actions.expected.yaml")).expect("a fixture"));
}

#[test]
fn what_cannot_be_translated_fails_unless_it_may_be_left_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let partly = [partly(directory.path())];
    let output = import(&[], &partly);
    assert_eq!((code(&output), text(&output.stdout)), (1, ""));
    assert!(text(&output.stderr).contains("Nothing is written"), "{}", text(&output.stderr));

    let output = import(&["--allow-partial"], &partly);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let (policy, report) = (text(&output.stdout), text(&output.stderr));
    assert!(policy.contains("- name: verify-signatures") && policy.contains("# LEFT OUT"), "{policy}");
    let refused: Vec<_> = policy.lines().filter(|line| line.contains("- name: refused")).collect();
    // It names nobody, and now there is somebody who must sign its images.
    assert_eq!(refused, ["  - name: refused.attestors.10"], "{policy}");
    assert!(report.contains("LEFT OUT, so that nobody checks for it: refused.attestors.1"), "{report}");

    let output = import(&["--allow-partial"], &[fixture("refused.yaml")]);
    assert_eq!((code(&output), text(&output.stdout)), (1, ""));
}

#[test]
fn programs_read_the_report_as_json() {
    let output = import(&["--report", "json"], &[fixture("refused.yaml")]);
    let report = text(&output.stderr).lines().next().expect("a line");
    let report: serde_json::Value = serde_json::from_str(report).expect("JSON");
    let finding =
        report["findings"].as_array().and_then(|all| all.iter().find(|one| one["class"] == "notTranslatable"));
    let finding = finding.expect("one that cannot be translated");
    assert_eq!((&finding["line"], &finding["object"]), (&12.into(), &"ClusterPolicy refused".into()));
    assert_eq!(report["leftOut"][0], "refused.attestors.1");
}

#[test]
fn what_cannot_be_read_or_written_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let broken = directory.path().join("broken.yaml");
    std::fs::write(&broken, "kind: [\n").expect("a file");
    for path in [broken, directory.path().join("none.yaml"), directory.path().to_owned()] {
        let output = import(&[], std::slice::from_ref(&path));
        assert_eq!((code(&output), text(&output.stdout)), (78, ""));
        assert!(text(&output.stderr).contains(path.to_str().expect("text")), "{}", text(&output.stderr));
    }
    let nowhere = directory.path().join("none/policy.yaml");
    let output = import(&["--output", nowhere.to_str().expect("text")], &[fixture("verify-signatures.yaml")]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("could not be written: it does not exist"), "{}", text(&output.stderr));
    assert_eq!(code(&import(&[], &[])), 64);
}
