//! The ways in that are known (`attacks.md`; C: `clients.md`), each with the tests that close it: `table.tsv`, checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("table.tsv");
/// Issues whose rows must be held.
const DONE: [&str; 7] = ["1", "2", "3", "4", "5", "6", "7"];

struct Row {
    id: &'static str,
    tests: Vec<&'static str>,
    left: &'static str,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &'static str| match line.split('\t').collect::<Vec<_>>()[..] {
        [id, about, tests, left] if !about.is_empty() => {
            Row { id, tests: tests.split(", ").filter(|name| !name.is_empty()).collect(), left }
        }
        _ => panic!("four columns: {line:?}"),
    };
    lines.map(row).collect()
}

#[test]
fn every_row_is_there_once_and_in_order() {
    let numbered =
        |letter: char, numbers: std::ops::RangeInclusive<u32>| numbers.map(move |n| format!("{letter}{n:02}"));
    let known: Vec<String> = numbered('A', 1..=63)
        .chain(numbered('B', 1..=41))
        .chain(numbered('O', 1..=36))
        .chain(numbered('O', 40..=82))
        .chain(numbered('C', 1..=34))
        .collect();
    assert_eq!(known.len(), 217);
    assert_eq!(rows().iter().map(|row| row.id).collect::<Vec<_>>(), known);
}

#[test]
fn every_row_is_held_by_tests_that_exist_or_says_why_not() {
    let tests = tests();
    let mut wrong = Vec::new();
    for Row { id, tests: named, left } in rows() {
        wrong.extend(named.iter().filter(|name| !tests.contains(**name)).map(|name| format!("{id}: no test {name}")));
        match left.split_once(": ") {
            None if left.is_empty() && !named.is_empty() => {}
            Some(("reason", why)) if !why.is_empty() => {}
            Some(("open", issue)) if issue.strip_prefix("issue ").is_some_and(|n| !DONE.contains(&n)) => {}
            _ => wrong.push(format!("{id}: not held, and left is {left:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_that_bears_a_rows_name_stands_in_it() {
    let held: BTreeMap<&str, Vec<&str>> = rows().into_iter().map(|row| (row.id, row.tests)).collect();
    let stray: Vec<_> = tests()
        .into_iter()
        .filter(|path| {
            let name = path.rsplit("::").next().unwrap_or_default();
            row_of(name).is_some_and(|id| !held.get(id.as_str()).is_some_and(|tests| tests.contains(&path.as_str())))
        })
        .collect();
    assert!(stray.is_empty(), "not in the table: {}", stray.join("\n"));
}

/// The row in the name of a test: `A07` of `a07_…`.
fn row_of(name: &str) -> Option<String> {
    let (id, _) = name.split_once('_')?;
    let (letter, number) = id.split_at_checked(1)?;
    let digits = number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit());
    (digits && ["a", "b", "c", "o"].contains(&letter)).then(|| id.to_uppercase())
}

/// The path of every test in the sources: `decide::tests::name`, `it::pull::name`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["src", "tests"] {
        for file in files(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)) {
            let text = fs::read_to_string(&file).expect("a source file");
            let relative = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("within the crate");
            let path = relative.with_extension("").display().to_string();
            let module = path.trim_start_matches(&format!("{folder}/")).trim_end_matches("/main").replace('/', "::");
            let mut lines = text.lines();
            // Tests within a source file stand in its `mod tests`.
            let inner = if folder == "src" && text.contains("\nmod tests {") { "tests::" } else { "" };
            while let Some(line) = lines.next() {
                if ["#[test]", "#[tokio::test"].iter().any(|mark| line.trim_start().starts_with(mark)) {
                    let function = lines.by_ref().find_map(|line| line.split("fn ").nth(1)).unwrap_or_default();
                    let name = function.split('(').next().unwrap_or_default();
                    found.insert(format!("{module}::{inner}{name}"));
                }
            }
            // Those that run once for every kind of signature stand in a macro.
            let cells = text.lines().filter_map(|line| line.strip_prefix("fn ")?.strip_suffix("(cell: Cell) {"));
            found.extend(cells.map(|name| format!("{module}::{name}")));
        }
    }
    assert!(found.len() > 100, "the tests were not found");
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let sources = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
}
