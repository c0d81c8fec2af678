//! What `docs/policy.md` says is so: its examples load, every key has one, and its tables are the program's; and the
//! examples in `config/` are right.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use countersign::clock::Timestamp;
use countersign::demo::sigstore::Sigstore;
use countersign::oci::{Digest, Image};
use countersign::policy::condition::{FUNCTIONS, VARIABLES};
use countersign::policy::file;
use tempfile::TempDir;

const TEXT: &str = include_str!("../../docs/policy.md");
const KEY: &str = include_str!("../../config/policies/vendor.pub");

#[test]
fn every_example_of_the_documentation_loads() {
    let folder = surroundings();
    let blocks = blocks();
    assert!(blocks.len() > 5, "{blocks:?}");
    for block in blocks {
        let path = folder.path().join("policy.yaml");
        std::fs::write(&path, whole(block)).expect("a file");
        let (code, said) = check(&path);
        assert_eq!(code, Some(0), "{said}\n{block}");
    }
}

#[test]
fn every_key_has_an_example() {
    let source = include_str!("../../src/policy/file/raw.rs");
    let (_, after) = source.split_once("\nraw! {\n").expect("the keys are declared");
    let (declared, _) = after.split_once("\n}\n").expect("to the end");
    let fields = declared.lines().filter_map(|line| line.strip_prefix("        ")?.split_once(": "));
    let keys: BTreeSet<String> = fields.map(|(name, _)| camel(name.trim_start_matches("r#"))).collect();
    assert!(keys.len() > 50, "{keys:?}");
    let examples = blocks().concat();
    let has = |key: &str| {
        let key = format!("{key}:");
        let mut found = examples.match_indices(&key).map(|(at, _)| &examples[..at]);
        found.any(|before| before.ends_with(|c: char| !c.is_alphanumeric()))
    };
    let missing: Vec<_> = keys.iter().filter(|key| !has(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_tables_of_conditions_are_the_programs() {
    let own = FUNCTIONS.iter().filter(|function| !function.standard);
    let functions: Vec<_> = own.map(|one| format!("| `{}` | {} |", one.signature, one.meaning)).collect();
    let variables: Vec<_> = VARIABLES.iter().map(|one| format!("| `{}` | {} |", one.name, one.meaning)).collect();
    for (rows, what) in [(functions, "functions"), (variables, "variables")] {
        let rows = rows.join("\n");
        assert!(TEXT.contains(&rows), "the rows of the {what} are:\n{rows}");
    }
    let examples = blocks().concat();
    for function in FUNCTIONS {
        let name = function.name;
        assert!(!function.standard || TEXT.contains(&format!("`{name}`")), "`{name}` is not mentioned");
        assert!(function.standard || examples.contains(&format!("{name}(")), "`{name}` has no example");
    }
}

#[test]
fn the_short_names_of_predicate_types_are_the_programs() {
    let rows = TEXT.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix("` |")?.split_once("` | `"));
    let mut seen = 0;
    for (names, uri) in rows.filter(|(_, uri)| uri.starts_with("https://")) {
        for name in names.split("`, `") {
            assert_eq!(revision(name), revision(uri), "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
}

#[test]
fn every_command_and_its_flags_exist() {
    let commands = TEXT.split('`').filter_map(|code| code.strip_prefix("countersign "));
    let mut seen = 0;
    for command in commands {
        let is_name = |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase());
        let names = command.split(' ').take_while(is_name);
        let mut help = Command::new(env!("CARGO_BIN_EXE_countersign"));
        let output = help.args(names).arg("--help").output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{command}");
        let said = String::from_utf8(output.stdout).expect("text");
        for flag in command.split(' ').filter(|word| word.starts_with("--")) {
            assert!(said.contains(flag), "{command}: {said}");
        }
        seen += 1;
    }
    assert!(seen > 6, "{seen}");
}

#[test]
fn every_example_in_config_loads_and_has_cases() {
    let folder = root().join("config/policies");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        if entry.extension().is_some_and(|extension| extension == "yaml") {
            let (code, said) = check(&entry);
            assert_eq!(code, Some(0), "{said}");
            // The example of auditing is warned of for what it shows.
            assert_eq!(said.contains("warning:"), entry.ends_with("first-week.yaml"), "{said}");
            let name = entry.file_name().expect("a name");
            assert!(root().join("config/tests").join(name).exists(), "{} has no cases", entry.display());
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen}");
}

/// The exit code of `policy check`, and all that it says.
fn check(policy: &Path) -> (Option<i32>, String) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_countersign"));
    let output = check.args(["policy", "check"]).arg(policy).env("COSIGN_PUBLIC_KEY", KEY).output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// The examples, each without its fence.
fn blocks() -> Vec<&'static str> {
    let parts = TEXT.split("```yaml\n").skip(1);
    parts.map(|part| part.split_once("```").expect("a fence closes").0).collect()
}

/// What an example leaves out is put around it.
fn whole(block: &str) -> String {
    let mut text = match block.strip_prefix("require:\n") {
        None => block.to_string(),
        Some(rest) => {
            let indented: Vec<_> = rest.lines().map(|line| format!("    {line}\n")).collect();
            format!("policies:\n  - name: example\n    match: [ \"r.io/**\" ]\n    require:\n{}", indented.concat())
        }
    };
    let key = format!("{{ key: {{ inline: {KEY:?}, insecureSkipTransparencyLog: true }} }}");
    let keys = ["release-key", "second-key", "scanner-key"].map(|name| format!("  {name}: {key}\n")).concat();
    let pipeline = "trustRoot: public-good, issuer: https://gitlab.com, identity: \"https://gitlab.com/myorg/**\"";
    let rest = [
        ("trustRoots:", "  public-good: { tuf: { } }\n".to_string()),
        ("authorities:", format!("{keys}  gitlab-ci: {{ keyless: {{ {pipeline} }} }}\n")),
        ("policies:", "  [ ]\n".to_string()),
    ];
    for (section, lines) in rest {
        if !text.lines().any(|line| line.starts_with(section)) {
            text.extend([section, "\n", &lines]);
        }
    }
    text
}

/// A folder with the files that examples name.
fn surroundings() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("keys")).expect("a folder");
    for name in ["cosign.pub", "lost.pub", "keys/one.pub"] {
        std::fs::write(folder.path().join(name), KEY).expect("a file");
    }
    let root = Sigstore::new().expect("randomness").trusted_root_json();
    for (name, text) in [("root.json", "{}"), ("trusted_root.json", &root), ("quiet.json", &root)] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// What a policy that asks for this predicate type comes to.
fn revision(predicate_type: &str) -> String {
    let text = format!("require:\n  attestation: {{ by: release-key, type: \"{predicate_type}\" }}\n");
    let policies =
        file::parse(&whole(&text), "policy.yaml", Path::new(".")).unwrap_or_else(|errors| panic!("{errors}"));
    let image = Image { registry: "r.io".parse().expect("a name"), repository: "app".parse().expect("a name") };
    format!("{:?}", policies.governing(&image.at(Digest::of(b"")), Timestamp(0)).revision())
}

fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_string();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

#[test]
fn every_metric_of_the_store_and_of_verdicts_is_explained() {
    let shown = countersign::telemetry::Metrics::new().render();
    let text = include_str!("../../docs/store.md");
    let names = shown.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let of_the_store =
        ["countersign_store_", "countersign_verdict_", "countersign_leases_", "countersign_evidence_cache"];
    let names: Vec<_> = names.filter(|name| of_the_store.iter().any(|begins| name.starts_with(begins))).collect();
    assert!(names.len() > 8, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !text.contains(&format!("`{name}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let causes = shown
        .lines()
        .filter_map(|line| line.strip_prefix("countersign_store_records_rejected_total{cause=\"")?.split('"').next());
    let causes: Vec<_> = causes.collect();
    assert!(causes.len() > 3, "{causes:?}");
    for cause in causes {
        assert!(text.contains(&format!("| `{cause}` | ")), "{cause}");
    }
}
