//! What is translated of `JMESPath`, and what is not.

use super::*;

fn field(name: &str) -> Step {
    Step::Field(name.into())
}

#[test]
fn paths_projections_and_functions() {
    let components = || Path(vec![field("components"), Step::Each, field("name")]);
    let finished = || Path(vec![field("metadata"), field("scanFinishedOn")]);
    for (text, expected) in [
        ("components[].name", Expression::Path(components())),
        ("components[*].name", Expression::Path(components())),
        ("a[0].\"b-c\"", Expression::Path(Path(vec![field("a"), Step::Index(0), field("b-c")]))),
        ("length(components[].name)", Expression::Length(components())),
        ("components[].name | length(@)", Expression::Length(components())),
        ("contains(components[].name, 'x')", Expression::Contains(components(), "x".into())),
        ("contains('{{ components[].name }}', 'x')", Expression::Contains(components(), "x".into())),
        ("time_since('', '{{ metadata.scanFinishedOn }}', '')", Expression::TimeSince(Instant::At(finished()), None)),
        ("time_since('',metadata.scanFinishedOn,'')", Expression::TimeSince(Instant::At(finished()), None)),
        (
            "regex_match('^a$', '{{ builder.id }}')",
            Expression::Matches("^a$".into(), Path(vec![field("builder"), field("id")])),
        ),
        (
            "vulnerabilities[?severity=='CRITICAL'].id",
            Expression::Path(Path(vec![
                field("vulnerabilities"),
                Step::Filter { field: "severity".into(), equal: true, text: "CRITICAL".into() },
                field("id"),
            ])),
        ),
    ] {
        assert_eq!(parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn the_rest_is_refused() {
    for text in [
        "",
        "a.",
        ".a",
        "a b",
        "a[-1]",
        "a[1:2]",
        "a || b",
        "a.*",
        "@",
        "to_upper(a)",
        "time_since('2006', a, '')",
        "length(a) | length(@)",
        "{a: b}",
        "request.object.metadata.name",
        "images.containers",
        "'text'",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_variable_is_the_whole_text() {
    assert_eq!(variable("{{ a.b }}"), Some("a.b"));
    assert_eq!(variable("{{ f('{{ a }}') }}"), Some("f('{{ a }}')"));
    for text in ["a", "x{{ a }}", "{{ a }}y", "{{ a }}{{ b }}", "{{ a }", " {{ a }}"] {
        assert_eq!(variable(text), None, "{text}");
    }
}
