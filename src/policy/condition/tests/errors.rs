//! Conditions that come to no value: each denies, and says why.

use super::*;

#[test]
fn each_error_says_what_to_do() {
    let scene = Scene::with(r#"{"name":"x","n":1,"l":[1],"o":{}}"#);
    for (source, why) in [
        ("predicate.components.all(c, true)", "no such key: `components`; has(predicate.components) tests for it"),
        ("predicate.o.a.b == 1", "no such key: `a`; has(predicate.o.a) tests for it"),
        ("[predicate].all(p, p.zz == 1)", "no such key: `zz`; has(p.zz) tests for it"),
        ("image.annotations['a.b'] == ''", "no such key: `a.b`"),
        (
            "signer.extensions.sourceRef == ''",
            "no such key: `sourceRef`; has(signer.extensions.sourceRef) tests for it",
        ),
        ("predicate.l[1] == 1", "no item 1 in the list"),
        ("predicate.l['a'] == 1", "`[]` does not apply to (list, string)"),
        ("predicate.name < 1", "`<` does not apply to (string, int)"),
        ("predicate.name.x == 1", "`.` does not apply to (string, string)"),
        ("predicate.name + 1 == ''", "`+` does not apply to (string, int)"),
        ("1 in predicate.name", "`in` does not apply to (int, string)"),
        ("!predicate.name", "`!` does not apply to (string)"),
        ("predicate.name && true", "`&&` does not apply to (string, bool)"),
        ("predicate.n.all(x, true)", "a loop walks lists and objects, this is an int"),
        ("predicate.l.all(x, x)", "`&&` does not apply to (bool, int)"),
        ("predicate.name.startsWith(1)", "`startsWith` does not apply to (string, int)"),
        ("predicate.name", "its value is a string, not true or false"),
        ("predicate.o", "its value is a map, not true or false"),
        ("timestamp(predicate.name) < now", "timestamp: `x` is not an instant such as `2026-12-02T00:00:00Z`"),
        ("duration(predicate.name) < duration('1h')", "duration: `x` is not a duration"),
        ("components(predicate.name) == []", "components: it reads an object, this is a string"),
        ("hasComponent(predicate, predicate.n)", "hasComponent: it is neither CycloneDX nor SPDX in JSON"),
        ("glob(predicate.n, '*')", "glob: argument 1 is an int, not a string"),
        ("[type(1)] == []", "list: a list cannot hold a type"),
        ("int(predicate.name) == 1", "int: "),
    ] {
        let error = scene.error(source);
        assert!(error.starts_with("the condition has no value: ") && error.contains(why), "{source}: {error}");
    }
    let bare = Scene::saying("{}");
    assert!(bare.error("predicate == null").contains("the statement has no predicate"));
    assert!(bare.value("!has(statement.predicate)"));
}

/// As in CEL everywhere: what decides an `and` or an `or` decides it whatever happens beside it.
#[test]
fn an_error_counts_only_where_it_decides() {
    let scene = Scene::with(r#"{"l":[1,2]}"#);
    for (source, expected) in [
        ("true || predicate.x == 1", Some(true)),
        ("predicate.x == 1 || true", Some(true)),
        ("false && predicate.x == 1", Some(false)),
        ("predicate.x == 1 && false", Some(false)),
        ("predicate.x == 1 && true", None),
        ("predicate.x == 1 || false", None),
        ("!(predicate.x == 1)", None),
        ("has(predicate.x) && predicate.x == 1", Some(false)),
        ("has(predicate.x) && components(predicate).size() > 0", Some(false)),
        ("!has(predicate.x) || severities(predicate).all(s, s != 'HIGH')", Some(true)),
        ("predicate.l.exists(x, x == 2 || predicate.y)", Some(true)),
        ("predicate.l.all(x, predicate.y)", None),
        ("predicate.l.filter(x, predicate.y) == []", None),
        ("[].all(x, severities(predicate) == [])", Some(true)),
        ("[1].all(x, severities(predicate) == [])", None),
    ] {
        assert_eq!(scene.ask(source).ok(), expected, "{source}");
    }
}

#[test]
fn errors_are_short_and_printable() {
    let long = "y".repeat(100_000);
    let scene = Scene::with(&format!(r#"{{"a":"\u001b[31m\n{long}","{long}":1,"l":["{long}"]}}"#));
    for source in [
        "timestamp(predicate.a) < now",
        "predicate.l.map(x, x + x)[0] < 1",
        "predicate.l[0] < 1",
        "predicate[predicate.l[0] + 'z'] == 1",
        "vulnerabilityCount(predicate, predicate.a) == 1",
        "predicate.l[0] + 1 == ''",
        "-predicate.l[0] == 1",
    ] {
        let error = scene.error(source);
        assert!(error.chars().count() <= 301 && !error.chars().any(char::is_control), "{source}: {error}");
    }
}
