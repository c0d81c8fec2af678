//! Sources that are no conditions, and what is said about each.

use super::*;

#[test]
fn each_mistake_is_told_where_it_is() {
    for (source, text, spot) in [
        ("", "the condition is empty", None),
        (" \n ", "the condition is empty", None),
        ("predicate.a ==", "the condition ends too early", Some((1, 15))),
        ("predicate.a = 1", "`=` is not expected here; `==` compares", Some((1, 13))),
        ("predicate.a & predicate.b", "`&` is not expected here; `&&` is the and", Some((1, 13))),
        ("predicate.a == 'x", "`'x` is not expected here; a text has a quote at both ends", Some((1, 16))),
        ("predicate.a == 1 predicate", "`predicate` is not expected here", Some((1, 18))),
        ("predicates.a == 1", "no variable is called `predicates`; did you mean `predicate`?", Some((1, 1))),
        (
            "true &&\n  componets(predicate) == []",
            "no function is called `componets`; did you mean `components`?",
            Some((2, 3)),
        ),
        (
            "'é' == 'é' && foo",
            "no variable is called `foo`: there are predicate, statement, signer, image, now",
            Some((1, 15)),
        ),
        ("components == []", "`components` is a function: components(bom) -> list", Some((1, 1))),
        ("size(components(predicate, 1)) > 1", "`components` is called as components(bom) -> list", Some((1, 6))),
        ("components() == []", "`components` is called as components(bom) -> list", Some((1, 1))),
        ("predicate.components() == []", "`components` is called as components(bom) -> list", Some((1, 11))),
        ("contains('a', 'b')", "`contains` is called as text.contains(part) -> bool", Some((1, 1))),
        ("predicate.l.all(x)", "`all` is called as list.all(x, condition) -> bool", Some((1, 13))),
        ("all(predicate.l, x, true)", "`all` is called as list.all(x, condition) -> bool", Some((1, 1))),
        ("predicate.l.any(x, true)", "no function is called `any`", Some((1, 13))),
        (
            "predicate.l.all(predicate, true)",
            "`predicate` has a meaning already: call the item something else",
            Some((1, 16)),
        ),
        ("predicate.l.all(int, true)", "`int` has a meaning already: call the item something else", Some((1, 16))),
        (
            "predicate.l.all(x, true) && x == 1",
            "no variable is called `x`: there are predicate, statement, signer, image, now",
            Some((1, 29)),
        ),
        ("signer.identiy == ''", "`signer` has no `identiy`; did you mean `identity`?", Some((1, 7))),
        ("image.tag == ''", "`image` has no `tag`: there are registry, repository, digest, annotations", Some((1, 6))),
        (
            "signer.extensions.sourceRepo == ''",
            "`signer.extensions` has no `sourceRepo`; did you mean `sourceRef`?",
            Some((1, 18)),
        ),
        ("predicate.a.matches('(')", "the pattern is no regular expression: unclosed group", Some((1, 21))),
        ("predicate.a.matches(predicate.b)", "the pattern of `matches` must be a literal", Some((1, 30))),
        ("glob(predicate.a, '')", "a pattern has 1 to 1024 characters", Some((1, 19))),
        ("now > timestamp('yesterday')", "`yesterday` is not an instant such as `2026-12-02T00:00:00Z`", Some((1, 17))),
        ("duration('1w') > duration('1h')", "`1w` is not a duration such as `24h`, `1h30m` or `7d`", Some((1, 10))),
        (
            "vulnerabilityCount(predicate, 'SEVERE') == 0",
            "`SEVERE` is not a severity such as `CRITICAL`",
            Some((1, 31)),
        ),
        ("{'a': 1} == predicate", "a condition cannot write maps; lists it can", Some((1, 1))),
        ("b'x' == predicate", "documents have no bytes: write a string", Some((1, 1))),
        ("Foo{a: 1} == predicate", "a condition cannot write maps; lists it can", Some((1, 4))),
        ("predicate.?a == 1", "unsupported syntax '.?'", Some((1, 10))),
        ("has(predicate)", "invalid argument to has() macro", Some((1, 5))),
        ("'predicate.a == 1'", "a condition is true or false, this is a string", Some((1, 1))),
        ("predicate.l.map(x, x)", "a condition is true or false, this is a list", Some((1, 1))),
        ("componentNames(predicate)", "a condition is true or false, this is a list", Some((1, 1))),
        ("1", "a condition is true or false, this is a number", Some((1, 1))),
        ("null", "a condition is true or false, this is null", Some((1, 1))),
        ("now", "a condition is true or false, this is a timestamp", Some((1, 1))),
        ("predicate.a == 1 && 'x'", "a condition is true or false, this is a string", Some((1, 1))),
        ("predicate.a == 1 ? size(predicate.b) : 2", "a condition is true or false, this is a number", Some((1, 1))),
        ("predicate.a + 1", "a condition is true or false, this is a number, text, list or time", Some((1, 1))),
    ] {
        let problem = Condition::parse(source).expect_err(source);
        assert_eq!((problem.text.as_str(), problem.spot(source)), (text, spot), "{source}");
    }
}

#[test]
fn what_may_be_a_bool_is_accepted() {
    for source in [
        "predicate",
        "predicate.ok",
        "predicate.a ? predicate.b : true",
        "!predicate.x",
        "dyn(predicate.x)",
        "// why\ntrue",
    ] {
        assert!(Condition::parse(source).is_ok(), "{source}: {:?}", Condition::parse(source));
    }
}

/// Whatever is too large or too deep is refused, on the stack of any thread.
#[test]
fn large_and_deep_sources_are_refused() {
    let nested = |n: usize, open: &str, within: &str, close: &str| [&open.repeat(n), within, &close.repeat(n)].concat();
    for source in [
        nested(1500, "(", "true", ")"),
        nested(40, "(", "true", ")"),
        nested(1500, "[", "", "]"),
        nested(500, "!(", "true", ")"),
        nested(200, "[1].all(x,", "true", ")"),
        nested(1300, "predicate.a?", "true", ":true"),
        format!("predicate{} == 1", ".a".repeat(2000)),
        format!("predicate{} == 1", "[0]".repeat(1000)),
        format!("predicate.a{} == 1", " + 1".repeat(1000)),
        format!("predicate.a{}", ".size()".repeat(500)),
        format!("true // {}", "x".repeat(5000)),
        "@#$%^&*".repeat(500),
        ")".repeat(4000),
        "'".repeat(4000),
    ] {
        let problem = Condition::parse(&source).expect_err("too much");
        assert!(problem.text.len() < 400, "{}", problem.text);
    }
    // Negations cancel each other out, and what is joined by && and || is balanced.
    assert!(Condition::parse(&nested(4000, "!", "true", "")).is_ok());
    assert!(Condition::parse(&format!("true{}", " && true".repeat(400))).is_ok());
    assert!(Condition::parse(&nested(20, "(", "true", ")")).is_ok());
    assert!(Condition::parse(&nested(8, "[1].all(x,", "true", ")")).is_ok());
}
