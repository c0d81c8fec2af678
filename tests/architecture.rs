//! The structure of the program, as tests: who may import whom, who may decide, how large a room may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of ours each top-level module may name. What is missing here may name none.
const MAY_IMPORT: &[(&str, &str)] = &[
    ("main", ""),
    (
        "cli",
        "app clock config demo discovery evidence examined limits oci outcome policy pull reason rehearsal route telemetry trust \
         upstream verify yaml",
    ),
    (
        "app",
        "admin body cache client clock config discovery limits listener membership middleware oci pem policy proxy pull reason record \
         route snapshot store telemetry trust upstream verify yaml",
    ),
    ("demo", "app config oci policy reason telemetry yaml"),
    (
        "rehearsal",
        "clock demo discovery evidence limits oci outcome policy pull reason route snapshot trust verify yaml",
    ),
    ("config", "limits oci pem policy store trust upstream yaml"),
    ("yaml", ""),
    ("listener", "body oci pem reason telemetry"),
    ("middleware", "body listener oci reason respond telemetry"),
    ("admin", "body listener telemetry reason"),
    ("proxy", "admission blob body cache client oci passthrough pull reason respond route telemetry upstream"),
    ("route", "oci reason"),
    ("client", "oci policy"),
    (
        "pull",
        "admission cache clock decide discovery evidence examined flight limits membership oci outcome policy reason record route \
         select snapshot store telemetry upstream verify weigh",
    ),
    ("blob", "admission body oci pull reason respond telemetry upstream"),
    ("passthrough", "body oci pull reason respond route strict_json upstream"),
    ("respond", "admission body oci outcome pull reason route upstream"),
    ("body", ""),
    ("snapshot", "policy trust"),
    ("cache", "clock decide flight oci outcome store telemetry"),
    ("flight", ""),
    ("discovery", "clock evidence limits oci policy reason record strict_json upstream"),
    ("evidence", "clock discovery oci policy reason"),
    ("verify", "clock discovery evidence limits oci policy reason strict_json trust"),
    ("examined", "clock evidence policy reason verify"),
    ("weigh", "clock examined outcome policy reason select verify"),
    ("select", "clock policy reason verify"),
    ("decide", "clock examined outcome policy reason record trust verify weigh"),
    ("admission", "clock decide oci outcome policy reason"),
    ("outcome", "clock evidence oci policy reason trust verify"),
    ("record", "clock decide evidence outcome store"),
    ("membership", "admission oci record store telemetry"),
    ("store", "clock telemetry"),
    ("trust", "clock oci policy reason strict_json telemetry yaml"),
    ("policy", "clock oci reason yaml"),
    ("upstream", "oci pem reason telemetry"),
    ("telemetry", "oci reason body"),
    ("oci", "strict_json"),
    ("strict_json", ""),
    ("reason", ""),
    ("clock", ""),
    ("limits", ""),
    ("pem", ""),
];

/// Calls that only the named files may make: deciding and admitting happen in the pull and nowhere else.
const MAY_CALL: &[(&str, &[&str])] = &[
    ("decide(", &["src/decide.rs", "src/pull/case.rs"]),
    ("decide_artifact(", &["src/decide.rs", "src/pull/judge/anew.rs"]),
    ("EvidenceProof::of_index(", &["src/verify/artifact.rs", "src/pull/artifact.rs"]),
    ("Reading::begin(", &["src/verify/artifact.rs", "src/pull/artifact.rs"]),
    ("foregone(", &["src/decide.rs", "src/pull/judge/anew.rs"]),
    ("ungoverned(", &["src/decide.rs", "src/pull/judge/anew.rs"]),
    ("admit(", &["src/admission.rs", "src/pull.rs"]),
    ("admit_member(", &["src/admission.rs", "src/pull.rs", "src/pull/expand.rs", "src/pull/parents.rs"]),
    ("Verdict::audited(", &["src/decide.rs", "src/pull.rs"]),
    ("weigh(", &["src/weigh.rs", "src/pull/explain.rs"]),
    ("counting(", &["src/weigh.rs", "src/pull/explain.rs"]),
    ("weigh_all(", &["src/weigh.rs", "src/decide.rs"]),
    ("weigh_policy(", &["src/weigh.rs", "src/pull/explain.rs"]),
    ("choose(", &["src/select.rs", "src/weigh.rs"]),
    ("consider(", &["src/select.rs", "src/pull/explain.rs"]),
    ("Candidate::restore(", &["src/pull/held/stored.rs"]),
    ("Verdict::restore(", &["src/decide.rs", "src/pull/judge/stored.rs"]),
    (
        "Candidate::new(",
        &["src/discovery/candidate.rs", "src/discovery/tag.rs", "src/rehearsal/evidence.rs", "src/rehearsal/stage.rs"],
    ),
    ("for_rehearsal(", &["src/policy/rehearsal.rs", "src/rehearsal/stage.rs"]),
    ("respond::manifest(", &["src/respond.rs", "src/proxy.rs"]),
    ("respond::blob(", &["src/respond.rs", "src/blob.rs"]),
    ("respond::elsewhere(", &["src/respond.rs", "src/blob.rs"]),
];

/// What must never stand in the audited core.
const CORE: [&str; 3] = ["src/weigh.rs", "src/decide.rs", "src/admission.rs"];
const NOT_IN_CORE: [&str; 9] = ["tokio", "http", "hyper", "moka", "reqwest", "tracing", "serde", "async", "std::fs"];

#[test]
fn modules_import_only_what_the_table_allows() {
    let table: BTreeMap<&str, BTreeSet<&str>> =
        MAY_IMPORT.iter().map(|(module, may)| (*module, may.split_whitespace().collect())).collect();
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let module = top_module(&path);
        if matches!(module.as_str(), "lib" | "test_support") {
            continue;
        }
        let Some(may) = table.get(module.as_str()) else {
            wrong.push(format!("{path}: module `{module}` is not in the table"));
            continue;
        };
        for named in named_modules(&code) {
            if named != module && !may.contains(named.as_str()) {
                wrong.push(format!("{path}: `{module}` names `crate::{named}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn deciding_and_admitting_happen_in_the_pull_only() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        for (call, files) in MAY_CALL {
            if calls(&code, call) && !files.contains(&path.as_str()) {
                wrong.push(format!("{path}: calls `{call}…)`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (call, files) in MAY_CALL {
        let used = sources().iter().any(|(path, code)| files.contains(&path.as_str()) && calls(code, call));
        assert!(used, "`{call}` is called nowhere: the table is stale");
    }
}

#[test]
fn the_core_is_small_and_pure_and_its_files_are_leaves() {
    for path in CORE {
        let code = code_of(&root().join(path));
        let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 150, "{path}: {lines} lines of code");
        for banned in NOT_IN_CORE {
            let found = code.lines().find(|line| words(line).any(|word| word == banned) || line.contains("std::fs"));
            assert!(found.is_none(), "{path}: `{banned}` in `{}`", found.unwrap_or_default());
        }
    }
    for leaf in ["weigh", "decide", "admission", "record", "verify/verified", "verify/artifact", "discovery/candidate"]
    {
        let folder = root().join("src").join(leaf);
        let children = fs::read_dir(&folder).map(|entries| entries.flatten().map(|e| e.file_name()).collect());
        let children: Vec<_> = children.unwrap_or_default();
        assert!(children.iter().all(|name| name == "tests.rs"), "{leaf} has children: {children:?}");
    }
}

#[test]
fn proof_types_have_no_back_doors() {
    for (path, name) in [
        ("src/decide.rs", "Verdict"),
        ("src/admission.rs", "Admitted"),
        ("src/record.rs", "Authenticated"),
        ("src/verify/artifact.rs", "EvidenceProof"),
        ("src/verify/artifact.rs", "Reading"),
        ("src/verify/verified.rs", "Verified"),
        ("src/oci/manifest.rs", "Manifest"),
        ("src/policy.rs", "Policy"),
        ("src/policy.rs", "Policies"),
        ("src/policy/governing.rs", "Governing"),
    ] {
        let code = code_of(&root().join(path));
        let declared = [format!("pub struct {name} {{"), format!("pub struct {name}<"), format!("pub struct {name}(")];
        let at = declared.iter().find_map(|text| code.find(text.as_str())).unwrap_or_else(|| panic!("{path}: {name}"));
        let attributes = code[..at].lines().rev().take_while(|line| line.starts_with("#[")).collect::<String>();
        for derive in ["Default", "Deserialize"] {
            assert!(!attributes.contains(derive), "{path}: {name} derives {derive}");
        }
        let end = code[at..].find("\n}").unwrap_or(usize::MAX).min(code[at..].find(";\n").unwrap_or(usize::MAX));
        let body = code[at..].get("pub struct".len()..end).unwrap_or_default();
        assert!(!words(body).any(|word| word == "pub"), "{path}: {name} has public fields");
        for (other, code) in sources() {
            for door in ["From<", "Default for", "DerefMut for", "Deserialize<'de> for"] {
                let found = code.lines().find(|line| {
                    let whole = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
                    let target = line.split_once(&format!("for {name}")).is_some_and(|(_, rest)| whole(rest));
                    line.starts_with("impl") && line.contains(door) && target
                });
                assert!(found.is_none(), "{other}: {}", found.unwrap_or_default());
            }
        }
    }
}

#[test]
fn rooms_are_small() {
    let mut sizes: Vec<(usize, String)> = Vec::new();
    for path in files(&root().join("src")) {
        let text = fs::read_to_string(&path).expect("a source file");
        sizes.push((text.lines().count(), relative(&path)));
    }
    sizes.sort();
    let (largest, path) = sizes.last().expect("sources").clone();
    assert!(largest <= 300, "{path} has {largest} lines");
    let median = sizes[sizes.len() / 2].0;
    assert!(median <= 150, "the median file has {median} lines");
}

/// Every source file that is not a test, with comments and inline tests taken away.
fn sources() -> Vec<(String, String)> {
    let only_tests = |path: &str| {
        path.contains("/tests/")
            || path.contains("/fuzz/")
            || ["/tests.rs", "/test_support.rs", "/double.rs", "/fuzz.rs"].iter().any(|end| path.ends_with(end))
    };
    let all = files(&root().join("src")).into_iter().map(|path| (relative(&path), code_of(&path)));
    all.filter(|(path, _)| !only_tests(path)).collect()
}

fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

fn named_modules(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if at > 0 && code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split('}').next().unwrap_or_default();
            found.extend(list.split(',').map(|item| first_word(item.trim())));
        } else {
            found.insert(first_word(rest));
        }
    }
    found
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Whether `code` calls `call` as a whole word and does not only define it.
fn calls(code: &str, call: &str) -> bool {
    code.match_indices(call).any(|(at, _)| {
        let before = &code[..at];
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.') && !before.ends_with("fn ")
    })
}

fn top_module(path: &str) -> String {
    let rest = path.trim_start_matches("src/");
    rest.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_string()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("within the crate").display().to_string()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
