use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::*;

type Target = fn(&[u8]);
const TARGETS: [(&str, Target); 12] = [
    ("bundle", bundle),
    ("envelope", envelope),
    ("legacy", legacy),
    ("statement", statement),
    ("trusted_root", trusted_root),
    ("manifest", manifest),
    ("names", names),
    ("reference", reference),
    ("condition", condition),
    ("route", route),
    ("link", link),
    ("challenge", challenge),
];

fn folder(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(path)
}

fn files(path: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder(path)).unwrap_or_else(|error| panic!("{path}: {error}")).flatten();
    let read = |path: PathBuf| (path.display().to_string(), fs::read(&path).expect("a file"));
    entries.map(|entry| read(entry.path())).collect()
}

#[test]
fn every_corpus_is_replayed() {
    for (name, target) in TARGETS {
        let corpus = files(&format!("corpus/{name}"));
        assert!(!corpus.is_empty(), "{name}: nothing to replay");
        for (file, data) in corpus {
            target(&data);
            // What a fuzzer finds is often near the ends.
            for cut in [0, 1, data.len() / 2, data.len().saturating_sub(1)] {
                target(&data[..cut.min(data.len())]);
            }
            assert!(data.len() <= 16 << 10, "{file}: a corpus is small");
        }
    }
}

#[test]
fn every_target_and_every_corpus_is_known_here() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_string()).collect();
    let stems = |path: &str| -> BTreeSet<String> {
        let names = fs::read_dir(folder(path)).expect("a folder").flatten().map(|entry| entry.path());
        names.filter_map(|path| Some(path.file_stem()?.to_str()?.to_string())).collect()
    };
    assert_eq!(stems("fuzz_targets"), known);
    assert_eq!(stems("corpus"), known);
    for (name, _) in TARGETS {
        let source = fs::read_to_string(folder(&format!("fuzz_targets/{name}.rs"))).expect("a target");
        assert!(source.contains(&format!("fuzz::{name}(data)")), "{name} fuzzes something else");
    }
}

/// The seeds are challenges, or what was once taken for one: a change to them begins where parameters are read.
#[test]
fn the_challenges_have_realms() {
    for (file, data) in files("corpus/challenge") {
        let text = String::from_utf8(data).expect("a text");
        assert!(text.contains("realm="), "{file}");
    }
}

/// The seeds have values: a change to them begins where a condition is evaluated.
#[test]
fn the_conditions_are_evaluated() {
    for (file, data) in files("corpus/condition") {
        let text = String::from_utf8(data).expect("a text");
        let (source, statement) = text.split_once("\n\n").expect("two parts");
        let parsed = (Condition::parse(source), Document::parse(statement.as_bytes()));
        assert!(parsed.0.is_ok() && parsed.1.is_ok(), "{file}: {parsed:?}");
    }
}

/// The seeds are good evidence: a change to them begins where something verifies.
#[test]
fn the_seeds_verify() {
    let verified = |material| judged(material, Beside::default()).verified.len();
    let signed = |path: &str| {
        let good = |(file, _): &(String, Vec<u8>)| file.contains("/cosign-") || file.contains("/virtual-");
        files(path).into_iter().filter(good).collect::<Vec<_>>()
    };
    for (file, data) in signed("corpus/bundle") {
        assert_eq!(verified(Material::Bundle(data.into())), 1, "{file}");
    }
    for (file, data) in signed("corpus/envelope") {
        assert_eq!(verified(Material::Envelope(data.into())), 1, "{file}");
    }
    for (file, data) in signed("corpus/legacy") {
        assert_eq!(judged_legacy(&data).verified.len(), 1, "{file}");
    }
    for (file, data) in files("corpus/trusted_root") {
        let root = Root::parse(std::str::from_utf8(&data).expect("a text"));
        assert_eq!(root.is_ok(), file.ends_with("all.json") || file.ends_with("log-only.json"), "{file}: {root:?}");
    }
}
