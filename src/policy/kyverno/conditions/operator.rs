//! Kyverno's operators, as it evaluates them (`pkg/engine/variables/operator`), in CEL.

use super::super::regexp;
use super::expression::{Expression, Path};
use super::literal::{Literal, is_measure, may_cover_measure};
use super::time;
use super::walk::{Quantifier, plain, quantified};

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equals(bool),
    Member(Member),
    Order(&'static str),
}

/// An operator that compares with the items of a list: which items of the key must be among them, or must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) quantifier: Quantifier,
    pub(super) among: bool,
    /// Whether it is one of the two that are deprecated, which know no wildcards for lists and no single values.
    pub(super) old: bool,
}

/// Its name in Kyverno, where case matters only to some.
pub(super) fn named(name: &str) -> Option<Operator> {
    let lower = name.to_ascii_lowercase();
    let old = matches!(lower.as_str(), "in" | "notin");
    let member = |quantifier, among| Some(Operator::Member(Member { quantifier, among, old }));
    match name {
        "GreaterThan" | "DurationGreaterThan" => return Some(Operator::Order(">")),
        "GreaterThanOrEquals" | "DurationGreaterThanOrEquals" => return Some(Operator::Order(">=")),
        "LessThan" | "DurationLessThan" => return Some(Operator::Order("<")),
        "LessThanOrEquals" | "DurationLessThanOrEquals" => return Some(Operator::Order("<=")),
        _ => {}
    }
    match lower.as_str() {
        "equal" | "equals" => Some(Operator::Equals(true)),
        "notequal" | "notequals" => Some(Operator::Equals(false)),
        "allin" | "in" => member(Quantifier::All, true),
        "anyin" => member(Quantifier::Exists, true),
        "allnotin" => member(Quantifier::All, false),
        // Of a list, it is enough that one item is not among them.
        "anynotin" | "notin" => member(Quantifier::Exists, false),
        _ => None,
    }
}

/// A list or a single field equals a value.
pub(super) fn equals(key: &Expression, equal: bool, value: &Literal) -> Result<String, String> {
    let path = match (key, value) {
        (Expression::Path(path), _) if !path.is_projection() => plain(path),
        (Expression::Path(_), _) => {
            let always = if equal { "false" } else { "true" };
            return Err(format!(
                "Kyverno compares the whole list with one value, which is always {always}: use `AllIn`, \
                                `AnyIn`, `AllNotIn` or `AnyNotIn`"
            ));
        }
        (Expression::Contains(path, text), Literal::Flag(flag)) => return contains(path, text, *flag == equal),
        (Expression::Matches(regex, path), Literal::Flag(flag)) if !path.is_projection() => {
            let regex = super::text(&regexp::read(regex)?.source);
            let sign = if *flag == equal { "" } else { "!" };
            return Ok(format!("{sign}{}.matches({regex})", plain(path)));
        }
        (Expression::Length(path), Literal::Number(number)) => {
            return Ok(format!("{} {} {number}", length(path)?, if equal { "==" } else { "!=" }));
        }
        _ => return Err("it is compared with another kind of value than it has".into()),
    };
    match value {
        Literal::Text(text) if value.has_wildcards() => {
            if may_cover_measure(text) {
                return Err(format!("Kyverno lets `{text}` cover no text that is a number, which cannot be said here"));
            }
            let covered = value.is(&path);
            Ok(if equal { covered } else { format!("!({covered})") })
        }
        Literal::Text(text) if is_measure(text) && !equal => {
            Err(format!("`{text}` is a number, duration or quantity, which Kyverno compares by what it means"))
        }
        Literal::Text(_) => {
            let test = any_of(&path, &value.members(), equal);
            Ok(if equal { test } else { format!("{path} != null && {test}") })
        }
        Literal::Flag(flag) if equal => Ok(format!("{path} == {flag}")),
        Literal::Flag(flag) => Ok(format!("{path} != null && {path} != {flag}")),
        Literal::Number(number) if equal => Ok(format!("{path} == {number}")),
        Literal::Number(number) => Ok(format!("{path} != null && {path} != {number}")),
    }
}

/// What a path leads to is, or is not, among values.
pub(super) fn member(path: &Path, member: Member, values: &[Literal]) -> Result<String, String> {
    if values.is_empty() {
        return Err("the list is empty".into());
    }
    if path.is_projection() {
        let plain_text = |value: &Literal| matches!(value, Literal::Text(_)) && !value.has_wildcards();
        if member.old && !values.iter().all(plain_text) {
            return Err("of a list, `In` and `NotIn` know plain texts only: use `AllIn` or `AllNotIn`".into());
        }
        return quantified(path, member.quantifier, &|item| {
            let test = among(item, values, member.among);
            // Kyverno gathers no nulls.
            let guarded = member.quantifier == Quantifier::Exists && !member.among;
            Ok(if guarded { format!("{item} != null && {test}") } else { test })
        });
    }
    // Of a single value: a list, a mapping or nothing is an error, for it is not among them only by its type.
    let path = plain(path);
    let subject = if member.among { path } else { format!("string({path})") };
    Ok(among(&subject, values, member.among))
}

fn among(subject: &str, values: &[Literal], among: bool) -> String {
    let (patterns, exact): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.has_wildcards());
    let members: Vec<String> = exact.iter().flat_map(|value| value.members()).collect();
    let mut tests: Vec<String> = Vec::new();
    if !members.is_empty() {
        if patterns.is_empty() {
            return any_of(subject, &members, among);
        }
        tests.push(any_of(subject, &members, true));
    }
    for pattern in patterns {
        tests.push(pattern.is(subject));
    }
    let test = tests.join(" || ");
    if among { test } else { format!("!({test})") }
}

fn any_of(subject: &str, members: &[String], among: bool) -> String {
    match (members, among) {
        ([one], true) => format!("{subject} == {one}"),
        ([one], false) => format!("{subject} != {one}"),
        (several, true) => format!("{subject} in [{}]", several.join(", ")),
        (several, false) => format!("!({subject} in [{}])", several.join(", ")),
    }
}

/// A text contains another, or a list an item: the one that does not apply is an error, which decides nothing.
fn contains(path: &Path, part: &str, expected: bool) -> Result<String, String> {
    let part = super::text(part);
    if path.is_projection() {
        let quantifier = if expected { Quantifier::Exists } else { Quantifier::All };
        let sign = if expected { "==" } else { "!=" };
        return quantified(path, quantifier, &|item| Ok(format!("{item} {sign} {part}")));
    }
    let path = plain(path);
    Ok(if expected {
        format!("{path}.contains({part}) || {path}.exists(x, x == {part})")
    } else {
        format!("!{path}.contains({part}) || {path}.all(x, x != {part})")
    })
}

/// A number, an age or a duration is more or less than a value.
pub(super) fn order(key: &Expression, sign: &str, value: &Literal) -> Result<String, String> {
    let number = match value {
        Literal::Number(number) => Some(*number),
        Literal::Text(text) => text.parse::<f64>().ok().filter(|number| number.is_finite()),
        Literal::Flag(_) => None,
    };
    match key {
        Expression::TimeSince(from, until) => time::order(from, until.as_ref(), sign, value),
        Expression::Length(path) => match number {
            Some(number) if number.fract() == 0.0 => Ok(format!("{} {sign} {number}", length(path)?)),
            _ => Err("a length is compared with a whole number".into()),
        },
        Expression::Path(path) if path.is_projection() => {
            Err("Kyverno takes no list for more or less than a value".into())
        }
        Expression::Path(path) => match (number, value) {
            (Some(number), _) => Ok(format!("double({}) {sign} {number:?}", plain(path))),
            (None, Literal::Text(text)) => {
                let duration =
                    time::duration(text).ok_or_else(|| format!("`{text}` is neither a number nor a duration"))?;
                Ok(format!("duration({}) {sign} {}", plain(path), duration.cel()))
            }
            _ => Err("it is compared with `true` or `false`".into()),
        },
        Expression::Contains(..) | Expression::Matches(..) => {
            Err("it is `true` or `false`, and neither is more".into())
        }
    }
}

/// How much a path leads to.
fn length(path: &Path) -> Result<String, String> {
    if !path.is_projection() {
        return Ok(format!("size({})", plain(path)));
    }
    super::walk::counted(path)
}
