//! Mistakes and their places.

use std::collections::BTreeMap;

use super::*;

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a mapping")]
struct Raw {
    name: Option<String>,
    flag: Option<bool>,
    count: Option<u64>,
    list: Option<Vec<Raw>>,
    words: Option<Vec<String>>,
    named: Option<BTreeMap<String, Raw>>,
    inner: Option<Box<Raw>>,
}

/// The text, the whole of what is said about it.
const MISTAKES: &[(&str, &str)] = &[
    ("name: a\nnam: b\n", "f.yaml:2:1: unknown key `nam`; did you mean `name`?\n  2 | nam: b\n    | ^"),
    (
        "list:\n  - name: a\n    zzzzz: b\n",
        "f.yaml:3:5: list[0]: unknown key `zzzzz`, expected one of `name`, `flag`, `count`, `list`, `words`, `named`, \
         `inner`\n  3 |     zzzzz: b\n    |     ^",
    ),
    ("inner:\n  - name: a\n", "f.yaml:2:3: inner: expected a mapping\n  2 |   - name: a\n    |   ^"),
    ("inner: text\n", "f.yaml:1:8: inner: expected a mapping\n  1 | inner: text\n    |        ^"),
    ("list: 5\n", "f.yaml:1:7: list: expected a list\n  1 | list: 5\n    |       ^"),
    ("words: [a, [b]]\n", "f.yaml:1:12: words[1]: expected a text\n  1 | words: [a, [b]]\n    |            ^"),
    ("name: {a: b}\n", "f.yaml:1:7: name: expected a text\n  1 | name: {a: b}\n    |       ^"),
    ("name:\n", "f.yaml:1:5: name: the key has no value; give it one or take it away\n  1 | name:\n    |     ^"),
    ("flag: yes\n", "f.yaml:1:7: flag: expected `true` or `false`\n  1 | flag: yes\n    |       ^"),
    ("count: -1\n", "f.yaml:1:8: count: expected a whole number, not negative\n  1 | count: -1\n    |        ^"),
    ("count: 1\ncount: 2\n", "f.yaml:2:1: duplicate key `count`\n  2 | count: 2\n    | ^"),
    (
        "named:\n  a.b:\n    count: x\n",
        "f.yaml:3:12: named.\"a.b\".count: expected a whole number, not negative\n  3 |     count: x\n    |            ^",
    ),
    (
        "named: {é: {}, é: {}}\n",
        "f.yaml:1:16: named: duplicate key `é`\n  1 | named: {é: {}, é: {}}\n    |                ^",
    ),
    ("name: a\n---\nname: b\n", "f.yaml:3:1: a file holds one YAML document\n  3 | name: b\n    | ^"),
    ("# nothing\n", "f.yaml: the file says nothing"),
    ("name: 'a\n", "f.yaml:1:7: unclosed quote\n  1 | name: 'a\n    |       ^"),
    ("<<: {name: a}\n", "f.yaml:1:1: merge keys (`<<`) are not allowed\n  1 | <<: {name: a}\n    | ^"),
    ("name: !foo a\n", "f.yaml:1:12: unsupported tag `!foo`\n  1 | name: !foo a\n    |            ^"),
    (
        "password: {a: b}\n",
        "f.yaml:1:1: unknown key `password`, expected one of `name`, `flag`, `count`, `list`, `words`, \
      `named`, `inner`",
    ),
];

#[test]
fn a_line_that_may_hold_a_password_is_not_shown() {
    for (url, shown) in [
        ("https://user:secret@host.test/path", false),
        ("https://token@host.test/path", false),
        ("https://user:se/cret@host.test", false),
        ("https://to/ken@host.test", false),
        ("https://gitlab.test/a, https://user:secret@host.test", false),
        ("https://github.test/o/r/.github/workflows/x.yml@refs/heads/main", true),
        ("https://host.test/path", true),
    ] {
        let error = parse::<Raw>("f.yaml", &format!("nam: {url}\n")).map(|_| ()).expect_err(url);
        assert_eq!(error.all()[0].snippet.is_some(), shown, "{url}");
    }
}

#[test]
fn every_mistake_has_its_place() {
    for (text, expected) in MISTAKES {
        let errors = parse::<Raw>("f.yaml", text).expect_err(text);
        assert_eq!(errors.to_string(), *expected, "{text}");
    }
}

#[test]
fn all_empty_keys_are_told_at_once() {
    let errors = parse::<Raw>("f.yaml", "name: ~\nlist:\n  - name: null\nflag:\n").expect_err("three");
    let lines: Vec<_> = errors.all().iter().map(|error| error.line).collect();
    assert_eq!(lines, [Some(1), Some(3), Some(4)]);
}

#[test]
fn an_alias_bomb_and_a_deep_nest_are_refused() {
    let levels = (1..10).map(|i| format!("list{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", ")));
    let bomb = format!("list0: &a0 [x, x, x, x, x, x, x, x, x]\n{}", levels.collect::<String>());
    assert!(serde_saphyr::from_str_with_options::<Index>(&bomb, lenient()).is_err());
    let deep = format!("inner: {}{}", "{inner: ".repeat(5000), "}".repeat(5000));
    assert!(parse::<Raw>("f.yaml", &deep).is_err());
}

#[test]
fn later_problems_point_to_values_and_to_the_keys_of_lists_and_mappings() {
    let text = "inner:\n  name: a\n  words: [ b ]\nlist:\n  - flag: true\n";
    let (document, _) = parse::<Raw>("f.yaml", text).expect(text);
    let place = |path: &KeyPath| {
        let error = document.error(path, "no".into());
        (error.message, error.line.zip(error.column).expect("a place"))
    };
    let root = KeyPath::default();
    let inner = root.key("inner");
    assert_eq!(place(&inner), ("inner: no".into(), (1, 1)));
    assert_eq!(place(&inner.key("name")), ("inner.name: no".into(), (2, 9)));
    assert_eq!(place(&inner.key("words")), ("inner.words: no".into(), (3, 3)));
    assert_eq!(place(&inner.key("words").index(0)), ("inner.words[0]: no".into(), (3, 12)));
    assert_eq!(place(&root.key("list").index(0).key("absent")), ("list[0].absent: no".into(), (5, 5)));
}

#[test]
fn long_lines_are_cropped_around_the_caret() {
    let text = format!("words: [{} {{}}]\n", "word, ".repeat(100));
    let error = parse::<Raw>("f.yaml", &text).expect_err("a mapping is no text").into_iter().next().expect("one");
    let snippet = error.snippet.expect("a snippet");
    let (line, caret) = snippet.split_once('\n').expect("two lines");
    assert!(line.chars().count() < 130, "{line}");
    assert_eq!(line.chars().nth(caret.chars().count() - 1), Some('{'), "{snippet}");
}
