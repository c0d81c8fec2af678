//! Any condition about any document: a value or a failure, the same every time, and never a panic.

use super::*;

/// A small generator of numbers: the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("a small number")
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// JSON with the names that functions look for, as often as not in the wrong places.
    fn json(&mut self, depth: usize) -> String {
        let what = if depth == 0 { self.below(6) } else { self.below(10) };
        match what {
            0 => "null".into(),
            1 => self.one(&["true", "false"]).into(),
            2 => self.one(&["0", "2", "-1", "9.8", "18446744073709551615", "1e300", "-9223372036854775808"]).into(),
            3..6 => format!("{:?}", self.one(TEXTS)),
            6 | 7 => {
                let items: Vec<_> = (0..self.below(4)).map(|_| self.json(depth - 1)).collect();
                format!("[{}]", items.join(","))
            }
            _ => {
                let mut names: Vec<_> = (0..self.below(5)).map(|_| self.one(NAMES)).collect();
                names.sort_unstable();
                names.dedup();
                let members: Vec<_> = names.iter().map(|name| format!("{name:?}:{}", self.json(depth - 1))).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    fn path(&mut self) -> String {
        let mut path = self
            .one(&["predicate", "predicate", "predicate", "statement", "signer", "image.annotations", "x"])
            .to_string();
        for _ in 0..self.below(4) {
            match self.below(4) {
                0 => path.push_str("[0]"),
                1 => path = format!("{path}[{:?}]", self.one(NAMES).replace('@', "")),
                _ => path = format!("{path}.{}", self.one(NAMES).replace(['@', '-'], "")),
            }
        }
        path
    }

    /// An expression that may well be a bool.
    fn truth(&mut self, depth: usize) -> String {
        if depth == 0 {
            let (of, field) =
                (self.one(&["predicate", "statement.predicate", "image.annotations"]), self.one(&["a", "name", "id"]));
            let other = self.expression(0);
            return match self.below(5) {
                0 => "true".into(),
                1 => format!("has({of}.{field})"),
                2 => format!("(has({of}.{field}) && {of}.{field} == {other})"),
                3 => format!("{other} != {}", self.one(&["1", "'a'", "[]", "signer.time"])),
                _ => format!("{other} in {}", self.one(&["[1, 'a']", "statement", "['', null]"])),
            };
        }
        let deeper = depth - 1;
        match self.below(6) {
            0 => format!("({} {} {})", self.truth(deeper), self.one(&["&&", "||"]), self.truth(deeper)),
            1 => format!("!({})", self.truth(deeper)),
            2 => format!("({} ? {} : {})", self.truth(deeper), self.truth(deeper), self.truth(deeper)),
            3 => {
                format!("[predicate, 'a', 7].{}(x, {})", self.one(&["all", "exists", "exists_one"]), self.truth(deeper))
            }
            4 => format!("[predicate, now].{}(x, {}).size() < 2", self.one(&["map", "filter"]), self.truth(deeper)),
            _ => format!("({} || dyn({}) == null)", self.truth(deeper), self.expression(deeper)),
        }
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.below(4) {
                0 => self.one(&["1", "1.5", "'a'", "true", "null", "now", "[]", "['a', 'b']", "2u"]).into(),
                _ => self.path(),
            };
        }
        let deeper = depth - 1;
        match self.below(12) {
            0 => format!(
                "({} {} {})",
                self.expression(deeper),
                self.one(&["==", "!=", "<", ">=", "in", "+", "-", "*", "/", "%"]),
                self.expression(deeper)
            ),
            1 => format!("({} {} {})", self.expression(deeper), self.one(&["&&", "||"]), self.expression(deeper)),
            2 => format!("!({})", self.expression(deeper)),
            3 => format!("({} ? {} : {})", self.expression(deeper), self.expression(deeper), self.expression(deeper)),
            4 | 5 => format!(
                "{}.{}(x, {})",
                self.expression(deeper),
                self.one(&["all", "exists", "exists_one", "map", "filter"]),
                self.expression(deeper)
            ),
            6 => format!("[{}, {}]", self.expression(deeper), self.expression(deeper)),
            7 | 8 => format!("{}({})", self.one(CALLED), self.expression(deeper)),
            9 => format!(
                "{}({}, {})",
                self.one(&["hasComponent", "vulnerabilityCount", "glob"]),
                self.expression(deeper),
                self.expression(deeper)
            ),
            10 => format!(
                "{}.{}({})",
                self.expression(deeper),
                self.one(&["contains", "startsWith", "endsWith"]),
                self.expression(deeper)
            ),
            _ => format!("has({}.{})", self.path(), self.one(&["a", "name", "components"])),
        }
    }
}

#[test]
fn any_condition_about_any_document_has_a_value_or_fails() {
    let mut random = Random(0x5eed_0080);
    let (mut conditions, mut values) = (0, 0);
    while conditions < 600 {
        let depth = 1 + random.below(3);
        let source = match conditions % 2 {
            0 => random.truth(depth),
            _ => format!("[predicate].all(x, dyn({}) == {})", random.expression(depth), random.expression(1)),
        };
        let Ok(condition) = Condition::parse(&source) else { continue };
        conditions += 1;
        for _ in 0..5 {
            let predicate = random.json(5);
            let scene = Scene::with(&predicate);
            let facts = scene.facts();
            let value = condition.evaluate(&facts);
            assert_eq!(condition.evaluate(&facts), value, "{source} {predicate}");
            match value {
                Ok(_) => values += 1,
                Err(failure) => {
                    let broke = failure.detail.contains("broke off") || failure.detail.contains("must not");
                    assert!(!broke && failure.detail.chars().count() <= 301, "{source} {predicate}: {failure:?}");
                }
            }
        }
    }
    assert!(values > 600, "{values} values of {conditions} conditions: too much is refused to show anything");
}

/// Documents that are nearly what functions read: every member of a good one missing, or of another kind.
#[test]
fn documents_that_are_nearly_right_never_pass_for_clean() {
    for (name, source) in [
        ("vuln-trivy.json", "vulnerabilityCount(predicate, 'HIGH') == 0"),
        ("vuln-grype.json", "vulnerabilityCount(predicate, 'CRITICAL') == 0"),
        ("cyclonedx-1.5.json", "!hasComponent(predicate, 'left-pad')"),
        ("spdx-2.3.json", "!hasComponent(predicate, 'busybox')"),
    ] {
        let good: serde_json::Value = serde_json::from_str(&fixture(name)).expect("JSON");
        let mut paths = Vec::new();
        spine(&good, name, &mut Vec::new(), &mut paths);
        assert!(paths.len() > 1, "{name}: {paths:?}");
        for path in paths {
            for other in [serde_json::Value::Null, 7.into(), "x".into(), true.into(), serde_json::json!({})] {
                let mut bad = good.clone();
                let pointer = format!("/{}", path.join("/"));
                *bad.pointer_mut(&pointer).expect("a path") = other.clone();
                let value = Scene::with(&bad.to_string()).ask(source);
                assert!(value.is_err(), "{name} {pointer} {other}: {value:?}");
            }
        }
    }
}

/// The way to what is found, without which nothing can be said.
fn spine(value: &serde_json::Value, name: &str, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    let keys: &[&str] = match name {
        "vuln-trivy.json" => &["scanner", "result", "SchemaVersion"],
        "vuln-grype.json" => &["scanner", "result", "matches", "descriptor", "name"],
        "cyclonedx-1.5.json" => &["bomFormat", "components"],
        _ => &["spdxVersion", "packages"],
    };
    let Some(members) = value.as_object() else { return };
    for (key, member) in members.iter().filter(|(key, _)| keys.contains(&key.as_str())) {
        path.push(key.clone());
        paths.push(path.clone());
        spine(member, name, path, paths);
        path.pop();
    }
}

const NAMES: &[&str] = &[
    "a",
    "name",
    "version",
    "components",
    "bomFormat",
    "packages",
    "spdxVersion",
    "licenses",
    "license",
    "id",
    "expression",
    "scanner",
    "result",
    "SchemaVersion",
    "Results",
    "Class",
    "Vulnerabilities",
    "VulnerabilityID",
    "Severity",
    "matches",
    "vulnerability",
    "artifact",
    "descriptor",
    "fix",
    "versions",
    "runs",
    "results",
    "tool",
    "driver",
    "rules",
    "ruleId",
    "ruleIndex",
    "level",
    "properties",
    "builder",
    "buildDefinition",
    "externalParameters",
    "source",
    "workflow",
    "repository",
    "uri",
    "digest",
    "materials",
    "Data",
    "@context",
    "@graph",
    "security-severity",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "CycloneDX",
    "SPDX-2.3",
    "grype",
    "2.1.0",
    "os-pkgs",
    "HIGH",
    "critical",
    "MIT OR Apache-2.0",
    "error",
    "9.8",
    "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "git+https://x/y@z",
    "2026-01-01T00:00:00Z",
    "24h",
    "\u{1F980}",
];

const CALLED: &[&str] = &[
    "components",
    "componentNames",
    "licenses",
    "vulnerabilities",
    "severities",
    "vulnerabilityCount",
    "worstSeverity",
    "builder",
    "source",
    "materials",
    "size",
    "string",
    "int",
    "double",
    "uint",
    "bool",
    "type",
    "timestamp",
    "duration",
];
