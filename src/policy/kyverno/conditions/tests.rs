//! Conditions, translated and evaluated: what Kyverno's own operators say of the same predicate was read in its source.

use std::collections::BTreeMap;

use super::super::element::{Element, Notes};
use super::super::node;
use crate::clock::Timestamp;
use crate::oci::Digest;
use crate::policy::Condition;
use crate::policy::condition::{Document, Facts, ImageFacts, SignerFacts};

/// What the blocks become, as one condition; nothing if they cannot be translated.
fn translated(blocks: &str) -> Option<String> {
    let notes = Notes::default();
    let documents = node::documents("conditions", blocks).expect(blocks);
    let conditions = super::translate(&Element::root(&documents[0], &notes));
    conditions.filter(|_| notes.refusals() == 0).map(|conditions| super::all_of(&conditions))
}

fn one(key: &str, operator: &str, value: &str) -> Option<String> {
    translated(&format!("- all: [ {{ key: {key:?}, operator: {operator}, value: {value} }} ]"))
}

/// Whether a predicate fulfils a condition: an error is a denial.
fn holds(condition: &str, predicate: &str) -> bool {
    let condition = Condition::parse(condition).unwrap_or_else(|problem| panic!("{condition}: {}", problem.text));
    let statement = format!("{{\"predicate\":{predicate}}}");
    let statement = Document::parse(statement.as_bytes()).expect(predicate);
    let image = ImageFacts {
        registry: "registry.company.com".into(),
        repository: "app".into(),
        digest: Digest::of(b"image"),
        annotations: BTreeMap::new(),
    };
    let now = Timestamp::parse("2026-11-28T12:00:00Z").expect("an instant");
    let facts = Facts { statement: &statement, signer: &SignerFacts::default(), image: &image, now };
    condition.evaluate(&facts) == Ok(true)
}

const SBOM: &str = r#"{"components":[{"name":"openssl"},{"version":"1"},{"name":"zlib"}]}"#;
const BANNED: &str = r#"{"components":[{"name":"openssl"},{"name":"banned-package"}]}"#;

/// Key, operator, value, predicate, and what Kyverno says.
const TABLE: &[(&str, &str, &str, &str, bool)] = &[
    ("{{ components[].name }}", "AllNotIn", "[banned-package]", SBOM, true),
    ("{{ components[].name }}", "AllNotIn", "[banned-package]", BANNED, false),
    ("{{ components[].name }}", "AllNotIn", "[banned-package, other]", BANNED, false),
    ("{{ components[].name }}", "AllNotIn", "[banned-*]", BANNED, false),
    ("{{ components[].name }}", "AllNotIn", "[banned-*]", SBOM, true),
    ("{{ components[].name }}", "AllNotIn", "'[\"banned-package\"]'", BANNED, false),
    ("{{ components[].name }}", "AllNotIn", "banned-package", BANNED, false),
    ("{{ components[*].name }}", "allnotin", "[banned-package]", BANNED, false),
    // What is not there is an error in Kyverno, or nothing, which is not among the values either; neither passes.
    ("{{ components[].name }}", "AllNotIn", "[banned-package]", "{}", false),
    ("{{ components[].name }}", "AllNotIn", "[banned-package]", r#"{"components":null}"#, false),
    ("{{ components[].name }}", "AllNotIn", "[banned-package]", r#"{"components":[]}"#, true),
    ("{{ components[].name }}", "AllIn", "[openssl, zlib]", SBOM, true),
    ("{{ components[].name }}", "AllIn", "[openssl]", SBOM, false),
    ("{{ components[].name }}", "In", "[openssl, zlib]", SBOM, true),
    ("{{ components[].name }}", "AnyIn", "[zlib]", SBOM, true),
    ("{{ components[].name }}", "AnyIn", "[curl]", SBOM, false),
    ("{{ components[].name }}", "AnyIn", "[zlib]", r#"{"components":[]}"#, false),
    // One item that is not among them is enough for these two.
    ("{{ components[].name }}", "AnyNotIn", "[banned-package]", BANNED, true),
    ("{{ components[].name }}", "NotIn", "[banned-package]", BANNED, true),
    ("{{ components[].name }}", "NotIn", "[openssl, banned-package]", BANNED, false),
    ("{{ components[].name }}", "AnyNotIn", "[a]", r#"{"components":[{"name":null}]}"#, false),
    ("{{ ports[] }}", "AnyIn", "[8080]", r#"{"ports":[80,8080]}"#, true),
    ("{{ ports[] }}", "AnyIn", "['8080']", r#"{"ports":[80,8080]}"#, true),
    ("{{ ports[] }}", "AllNotIn", "['8080']", r#"{"ports":[80,8080]}"#, false),
    ("{{ flags[] }}", "AllNotIn", "[true]", r#"{"flags":["true"]}"#, false),
    ("{{ a[].b[].c }}", "AllNotIn", "[x]", r#"{"a":[{"b":[{"c":"y"}]},{"d":1},{"b":[{"c":"x"}]}]}"#, false),
    ("{{ a[].b[].c }}", "AllNotIn", "[x]", r#"{"a":[{"b":[{"c":"y"}]},{"d":1},{"b":[{}]}]}"#, true),
    ("{{ a[].b[].c }}", "AnyIn", "[x]", r#"{"a":[{"d":1},{"b":[{"c":"x"}]}]}"#, true),
    (
        "{{ a[?s=='CRITICAL'].id }}",
        "AllIn",
        "[X-1]",
        r#"{"a":[{"s":"CRITICAL","id":"X-1"},{"s":"LOW","id":"X-2"}]}"#,
        true,
    ),
    ("{{ a[?s=='CRITICAL'].id }}", "AllIn", "[X-1]", r#"{"a":[{"s":"CRITICAL","id":"X-2"}]}"#, false),
    ("{{ a[?s!='LOW'].id }}", "AllNotIn", "[X-1]", r#"{"a":[{"id":"X-1"}]}"#, false),
    ("{{ a[?s!='LOW'].id }}", "AllNotIn", "[X-1]", r#"{"a":[{"s":"LOW","id":"X-1"}]}"#, true),
    // Of a single value.
    ("{{ type }}", "AnyIn", "[a, b]", r#"{"type":"b"}"#, true),
    ("{{ type }}", "AllNotIn", "[a, b]", r#"{"type":"b"}"#, false),
    ("{{ type }}", "AllNotIn", "[a, b]", r#"{"type":"c"}"#, true),
    ("{{ type }}", "NotIn", "[a, b]", r#"{"type":null}"#, false),
    ("{{ type }}", "AllNotIn", "[a]", r#"{"type":["a"]}"#, false),
    ("{{ type }}", "AllNotIn", "[5]", r#"{"type":5}"#, false),
    ("{{ type }}", "AllNotIn", "[5]", r#"{"type":6}"#, true),
    ("{{ type }}", "AnyIn", "[5]", r#"{"type":5}"#, true),
    ("{{ type }}", "AnyIn", "[a*b*c]", r#"{"type":"a-b-c"}"#, true),
    ("{{ type }}", "AnyIn", "['?*']", r#"{"type":""}"#, false),
    ("{{ type }}", "AnyIn", "['?*']", r#"{"type":"x"}"#, true),
    (
        "{{ builder.id }}",
        "Equals",
        "https://gitlab.com/myorg/*",
        r#"{"builder":{"id":"https://gitlab.com/myorg/a/b"}}"#,
        true,
    ),
    (
        "{{ builder.id }}",
        "Equals",
        "https://gitlab.com/myorg/*",
        r#"{"builder":{"id":"https://gitlab.com/myorg-evil/a"}}"#,
        false,
    ),
    ("{{ builder.id }}", "Equals", "https://gitlab.com/myorg/*", "{}", false),
    ("{{ builder.id }}", "Equals", "a*z", r#"{"builder":{"id":"az"}}"#, true),
    ("{{ builder.id }}", "Equals", "ab*ba", r#"{"builder":{"id":"aba"}}"#, false),
    ("{{ builder.id }}", "NotEquals", "a", r#"{"builder":{"id":"b"}}"#, true),
    ("{{ builder.id }}", "NotEquals", "a", r#"{"builder":{"id":null}}"#, false),
    ("{{ builder.id }}", "NotEquals", "a", r#"{"builder":{"id":["a"]}}"#, true),
    ("{{ builder.id }}", "NotEquals", "x-*", r#"{"builder":{"id":"x-1"}}"#, false),
    ("{{ \"build-type\".\"in\" }}", "Equals", "a", r#"{"build-type":{"in":"a"}}"#, true),
    ("{{ a[0].b }}", "Equals", "x", r#"{"a":[{"b":"x"}]}"#, true),
    ("{{ a[1].b }}", "Equals", "x", r#"{"a":[{"b":"x"}]}"#, false),
    ("{{ ok }}", "Equals", "true", r#"{"ok":true}"#, true),
    ("{{ ok }}", "Equals", "true", r#"{"ok":"true"}"#, false),
    ("{{ ok }}", "NotEquals", "false", r#"{"ok":true}"#, true),
    ("{{ ok }}", "NotEquals", "false", r#"{"ok":null}"#, false),
    ("{{ n }}", "Equals", "5", r#"{"n":5}"#, true),
    ("{{ n }}", "Equals", "5", r#"{"n":5.0}"#, true),
    ("{{ n }}", "Equals", "'5'", r#"{"n":5}"#, true),
    ("{{ n }}", "Equals", "'5'", r#"{"n":"5"}"#, true),
    ("{{ n }}", "Equals", "5", r#"{"n":6}"#, false),
    ("{{ n }}", "GreaterThan", "7", r#"{"n":7.5}"#, true),
    ("{{ n }}", "GreaterThan", "7.5", r#"{"n":7.5}"#, false),
    ("{{ n }}", "GreaterThanOrEquals", "'7.5'", r#"{"n":"7.5"}"#, true),
    ("{{ n }}", "LessThan", "7", r#"{"n":"many"}"#, false),
    ("{{ n }}", "LessThanOrEquals", "90m", r#"{"n":"1h30m"}"#, true),
    ("{{ n }}", "DurationLessThan", "90m", r#"{"n":"1h30m"}"#, false),
    ("{{ length(a) }}", "GreaterThan", "1", r#"{"a":[1,2]}"#, true),
    ("{{ length(a) }}", "Equals", "2", r#"{"a":"ab"}"#, true),
    ("{{ length(a) }}", "Equals", "0", "{}", false),
    ("{{ a[] | length(@) }}", "LessThan", "2", r#"{"a":[1,2]}"#, false),
    ("{{ a[?s=='X'] | length(@) }}", "Equals", "1", r#"{"a":[{"s":"X"},{"s":"Y"},{}]}"#, true),
    ("{{ length(a[].b.c) }}", "Equals", "1", r#"{"a":[{"b":{"c":1}},{"b":{}},{}]}"#, true),
    ("{{ contains(a, 'x') }}", "Equals", "true", r#"{"a":"axb"}"#, true),
    ("{{ contains(a, 'x') }}", "Equals", "true", r#"{"a":["x"]}"#, true),
    ("{{ contains(a, 'x') }}", "Equals", "true", r#"{"a":["axb"]}"#, false),
    ("{{ contains(a, 'x') }}", "Equals", "false", r#"{"a":["axb"]}"#, true),
    ("{{ contains(a, 'x') }}", "Equals", "false", r#"{"a":"axb"}"#, false),
    ("{{ contains(a, 'x') }}", "NotEquals", "true", r#"{"a":["x"]}"#, false),
    ("{{ contains(a[].b, 'x') }}", "Equals", "true", r#"{"a":[{},{"b":"x"}]}"#, true),
    ("{{ contains(a[].b, 'x') }}", "Equals", "false", r#"{"a":[{},{"b":"x"}]}"#, false),
    ("{{ regex_match('^v\\d+$', '{{ tag }}') }}", "Equals", "true", r#"{"tag":"v12"}"#, true),
    ("{{ regex_match('^v\\d+$', '{{ tag }}') }}", "Equals", "true", r#"{"tag":"v12-rc"}"#, false),
    ("{{ regex_match('evil', '{{ tag }}') }}", "Equals", "false", r#"{"tag":"an evil tag"}"#, false),
    ("{{ time_since('', '{{ t }}', '') }}", "LessThan", "168h", r#"{"t":"2026-11-21T13:00:00Z"}"#, true),
    ("{{ time_since('', '{{ t }}', '') }}", "LessThan", "168h", r#"{"t":"2026-11-21T11:00:00Z"}"#, false),
    ("{{ time_since('', '{{ t }}', '') }}", "LessThan", "168h", r#"{"t":"2026-11-21T12:00:00Z"}"#, false),
    ("{{ time_since('', '{{ t }}', '') }}", "LessThanOrEquals", "168h", r#"{"t":"2026-11-21T12:00:00Z"}"#, true),
    ("{{ time_since('', '{{ t }}', '') }}", "LessThan", "168h", r#"{"t":"yesterday"}"#, false),
    ("{{ time_since('', '{{ t }}', '') }}", "LessThan", "168h", "{}", false),
    (
        "{{ time_since('', '{{ t }}', '{{ u }}') }}",
        "GreaterThan",
        "60",
        r#"{"t":"2026-01-01T00:00:00Z","u":"2026-01-01T00:02:00Z"}"#,
        true,
    ),
    ("release", "AnyIn", "'{{ tags[] }}'", r#"{"tags":["a","release"]}"#, true),
    ("release", "AllNotIn", "'{{ tags[] }}'", r#"{"tags":["a","release"]}"#, false),
];

#[test]
fn every_operator_says_what_kyverno_says() {
    for (key, operator, value, predicate, expected) in TABLE {
        let condition = one(key, operator, value).unwrap_or_else(|| panic!("{key} {operator} {value}"));
        assert_eq!(holds(&condition, predicate), *expected, "{key} {operator} {value} of {predicate}: {condition}");
    }
}

#[test]
fn what_kyverno_would_compare_in_a_way_of_its_own_is_refused() {
    for (key, operator, value) in [
        ("{{ name }}", "NotEquals", "'5'"),
        ("{{ name }}", "NotEquals", "24h"),
        ("{{ name }}", "Equals", "'1.*'"),
        ("{{ name }}", "Equals", "'*'"),
        ("{{ name }}", "Equals", "[a]"),
        ("{{ name }}", "Equals", "{ a: b }"),
        ("{{ name }}", "NotIn", "a"),
        ("{{ name }}", "AllNotIn", "'5'"),
        ("{{ name }}", "AllNotIn", "1-10"),
        ("{{ name }}", "AllNotIn", "[]"),
        ("{{ name }}", "AnyIn", "5"),
        ("{{ components[].name }}", "In", "['a*']"),
        ("{{ components[].name }}", "Equals", "a"),
        ("{{ components[].name }}", "GreaterThan", "1"),
        ("{{ a }}", "lessthan", "1"),
        ("{{ a }}", "LessThan", "1.2.3"),
        ("{{ a }}", "GreaterThan", "true"),
        ("{{ time_since('', '{{ t }}', '') }}", "Equals", "24h"),
        ("{{ time_since('', '{{ t }}', '') }}", "LessThan", "500ms"),
        ("{{ length(a) }}", "GreaterThan", "1.5"),
        ("{{ regex_match('(?m)a', '{{ t }}') }}", "Equals", "true"),
        ("a", "Equals", "'{{ a }}'"),
        ("a", "AnyIn", "'{{ a }}'"),
        ("a", "Equals", "a"),
        ("{{ a }}{{ b }}", "Equals", "a"),
        ("{{ a }}", "Equals", "'x{{ b }}'"),
        ("{{ request.operation }}", "Equals", "a"),
    ] {
        assert_eq!(one(key, operator, value), None, "{key} {operator} {value}");
    }
}

#[test]
fn all_and_any_are_kyvernos() {
    let any = "[ { key: '{{ a }}', operator: Equals, value: x }, { key: '{{ b }}', operator: Equals, value: y } ]";
    let condition = translated(&format!("- any: {any}")).expect(any);
    for (predicate, expected) in [
        (r#"{"a":"x","b":"z"}"#, true),
        (r#"{"a":"z","b":"y"}"#, true),
        (r#"{"a":"z","b":"z"}"#, false),
        // Kyverno looks up every field before it compares one.
        (r#"{"a":"x"}"#, false),
        (r#"{"b":"y"}"#, false),
    ] {
        assert_eq!(holds(&condition, predicate), expected, "{predicate}: {condition}");
    }
    let both = translated(&format!("- all: {any}\n- any: {any}\n- {{}}\n")).expect(any);
    assert!(holds(&both, r#"{"a":"x","b":"y"}"#) && !holds(&both, r#"{"a":"x","b":"z"}"#), "{both}");
    let same =
        "- any: [ { key: '{{ a }}', operator: Equals, value: x }, { key: '{{ a }}', operator: Equals, value: y } ]";
    assert_eq!(translated(same).as_deref(), Some(r#"predicate.a == "x" || predicate.a == "y""#));
    for empty in ["- any: []", "- all: [ { key: a } ]", "- none: []", "- []", "- all: [ [] ]"] {
        assert_eq!(translated(empty), None, "{empty}");
    }
    assert_eq!(translated("- all: []").as_deref(), Some(""));
}

#[test]
fn conditions_read_well() {
    for (key, operator, value, expected) in [
        (
            "{{ components[].name }}",
            "AllNotIn",
            "[banned]",
            r#"predicate.components.all(c, !has(c.name) || c.name != "banned")"#,
        ),
        (
            "{{ runDetails.builder.id }}",
            "Equals",
            "https://x/*",
            r#"predicate.runDetails.builder.id.startsWith("https://x/")"#,
        ),
        ("{{ tags[] }}", "AnyIn", "[a, 'b*']", r#"predicate.tags.exists(t, t == "a" || t.startsWith("b"))"#),
        ("{{ name }}", "Equals", "'say \"a\\b\"'", r#"predicate.name == "say \"a\\b\"""#),
        ("{{ n }}", "GreaterThan", "7", "double(predicate.n) > 7.0"),
    ] {
        assert_eq!(one(key, operator, value).as_deref(), Some(expected));
    }
}
