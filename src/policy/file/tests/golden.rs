//! Every mistake and every warning, word for word: policies in `tests/fixtures/policy`, and what is said of them.

use std::path::PathBuf;

use super::super::lint::Code;
use super::*;
use crate::policy::file::{Surroundings, Upstream};

/// The policies of one folder, by name.
pub(super) fn policies(of: &str) -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/policy").join(of);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(!paths.is_empty(), "{}", folder.display());
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).expect("a file"))).collect()
}

/// Compares with the text beside the policy; with `COUNTERSIGN_GOLDEN=write` it becomes that text, and the test fails.
fn assert_golden(path: &Path, said: &str) {
    let beside = path.with_extension("txt");
    let expected = fs::read_to_string(&beside).unwrap_or_default();
    if said != expected && std::env::var("COUNTERSIGN_GOLDEN").is_ok_and(|what| what == "write") {
        fs::write(&beside, said).expect("written");
    }
    assert_eq!(said, expected, "{}", beside.display());
}

/// All of them are compared before the first difference fails the test.
fn each(of: &str, say: impl Fn(&str) -> String + std::panic::RefUnwindSafe) {
    let wrong = policies(of).into_iter().filter(|(path, text)| {
        let said = say(text);
        std::panic::catch_unwind(|| assert_golden(path, &said)).is_err()
    });
    let wrong: Vec<PathBuf> = wrong.map(|(path, _)| path).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn mistakes(text: &str) -> PolicyErrors {
    parsed(text).map(|_| ()).expect_err(text)
}

/// `# upstreams: a (alias), b` in the first line says what is configured.
fn surroundings(text: &str) -> Surroundings {
    let upstreams = text.lines().next().and_then(|line| line.strip_prefix("# upstreams: ")).map(|names| {
        let one = |name: &str| {
            let (name, alias) = name.split_once(" (").unwrap_or((name, ""));
            let aliases = alias.trim_end_matches(')').parse().ok().into_iter().collect();
            Upstream { registry: name.parse().expect("a registry"), aliases }
        };
        names.split(", ").map(one).collect()
    });
    // In 2027.
    Surroundings { now: Timestamp(1_800_000_000), upstreams }
}

fn said(text: &str) -> Vec<yaml::Diagnostic> {
    let folder = folder(&[("root.json", "{}")]);
    Written::parse(text, "policy.yaml", folder.path()).expect(text).diagnostics(&surroundings(text))
}

#[test]
fn every_mistake_is_told_with_its_place_in_these_words() {
    each("errors", |text| format!("{}\n", mistakes(text)));
}

#[test]
fn every_warning_is_told_with_its_place_in_these_words() {
    each("warnings", |text| said(text).iter().flat_map(|one| [one.to_string(), "\n\n".into()]).collect());
}

#[test]
fn every_mistake_has_a_line_and_a_caret() {
    for (path, text) in policies("errors") {
        for error in mistakes(&text).all() {
            assert!(error.line.is_some() && error.column.is_some(), "{}: {error}", path.display());
            let hidden = text.lines().any(|line| line.contains("://me:secret@"));
            assert!(hidden || error.snippet.as_ref().is_some_and(|snippet| snippet.ends_with('^')), "{error}");
        }
    }
}

#[test]
fn every_kind_of_warning_is_among_them_and_says_what_to_do() {
    let all: Vec<_> = policies("warnings").iter().flat_map(|(_, text)| said(text)).collect();
    for code in Code::ALL {
        assert!(all.iter().any(|one| one.code == code.as_str()), "{}", code.as_str());
    }
    for one in all {
        assert!(one.help.as_ref().is_some_and(|help| !help.is_empty()), "{one}");
    }
}
