//! Values that a condition compares with, and how Kyverno reads them.

use super::super::node::{Node, Value};
use super::super::wildcard::{Token, Wildcard};
use super::text;

/// A single value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Flag(bool),
    Number(f64),
    Text(String),
}

impl Literal {
    /// Reads a single value without variables.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Flag(flag) => Ok(Self::Flag(*flag)),
            Value::Number(number) if plain(*number) => Ok(Self::Number(*number)),
            Value::Number(number) => Err(format!("{number} is too large or too small a number")),
            Value::Text(text) if text.contains("{{") || text.contains("$(") => {
                Err(format!("`{text}`: a variable stands alone, and on one side only"))
            }
            Value::Text(text) => Ok(Self::Text(text.clone())),
            other => Err(format!("{} cannot be compared with", other.kind())),
        }
    }

    /// Reads the values of a list, which may be a single text, or a text that is a list in JSON.
    pub(super) fn list(value: &Value) -> Result<Vec<Self>, String> {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        match value {
            Value::List(items) => items.iter().map(|Node { value, .. }| Self::read(value)).collect(),
            Value::Text(text) => match json(text) {
                Some(serde_json::Value::Array(_)) => {
                    let texts: Vec<String> =
                        serde_json::from_str(text).map_err(|_| format!("`{text}` is not a list of texts"))?;
                    Some(texts.into_iter().map(Self::Text).collect::<Vec<_>>())
                        .filter(|list| !list.iter().any(Self::has_wildcards))
                        .ok_or_else(|| format!("`{text}`: wildcards in a list that is a text are unclear"))
                }
                Some(_) => Err(format!("Kyverno finds nothing in `{text}`, which is JSON but no list")),
                None if is_range(text) => Err(format!("`{text}` is a range, which cannot be translated")),
                None => Self::read(value).map(|one| vec![one]),
            },
            other => Err(format!("Kyverno finds nothing in {}: write a list", other.kind())),
        }
    }

    /// The test whether `subject` is it, as text: of a number or flag, what Kyverno prints of it.
    pub(super) fn is(&self, subject: &str) -> String {
        match self {
            Self::Text(text) => is(&Wildcard::parse(text), subject),
            other => format!("{subject} in [{}]", other.members().join(", ")),
        }
    }

    /// The values in CEL that are the same to Kyverno where it compares what it prints.
    pub(super) fn members(&self) -> Vec<String> {
        match self {
            Self::Flag(flag) => vec![text(&flag.to_string()), flag.to_string()],
            Self::Number(number) => vec![text(&number.to_string()), number.to_string()],
            Self::Text(one) => {
                let mut members = vec![text(one)];
                let number = one.parse::<f64>().ok().filter(|number| plain(*number) && number.to_string() == *one);
                members.extend(number.map(|number| number.to_string()));
                members.extend(["true", "false"].contains(&one.as_str()).then(|| one.clone()));
                members
            }
        }
    }

    /// Whether it is a text with wildcards.
    pub(super) fn has_wildcards(&self) -> bool {
        matches!(self, Self::Text(text) if Wildcard::parse(text).literal().is_none())
    }
}

/// The test whether `subject`, a text, is covered by a pattern.
fn is(wildcard: &Wildcard, subject: &str) -> String {
    let literal = |tokens: &[Token]| -> Option<String> { Wildcard::of(tokens).literal().map(|part| text(&part)) };
    let tokens = wildcard.tokens();
    let test = match tokens {
        [Token::One, Token::Any] | [Token::Any, Token::One] => Some(format!("string({subject}) != \"\"")),
        [Token::Any, middle @ .., Token::Any] if !middle.is_empty() => {
            literal(middle).map(|part| format!("{subject}.contains({part})"))
        }
        [start @ .., Token::Any] if !start.is_empty() => {
            literal(start).map(|part| format!("{subject}.startsWith({part})"))
        }
        [Token::Any, end @ ..] if !end.is_empty() => literal(end).map(|part| format!("{subject}.endsWith({part})")),
        tokens => tokens.iter().position(|token| *token == Token::Any).and_then(|at| {
            let (start, end) = (literal(&tokens[..at])?, literal(&tokens[at + 1..])?);
            let least = tokens.len() - 1;
            Some(format!("{subject}.startsWith({start}) && {subject}.endsWith({end}) && size({subject}) >= {least}"))
        }),
    };
    // `(?s)`, because a text may have several lines.
    test.unwrap_or_else(|| format!("{subject}.matches({})", text(&format!("(?s)^{}$", wildcard.regex()))))
}

/// Whether Kyverno prints a number as it is written.
fn plain(number: f64) -> bool {
    number == 0.0 || (1e-4..1e15).contains(&number.abs())
}

/// Whether Kyverno would read a text as a duration or a quantity of Kubernetes, and compare what it means.
pub(super) fn is_measure(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || MEASURE.contains(c))
}

/// Whether a pattern may cover such a text.
pub(super) fn may_cover_measure(pattern: &str) -> bool {
    let wildcard = Wildcard::parse(pattern);
    let fits = |c: char| c.is_ascii_digit() || MEASURE.contains(c);
    let first = |token: &Token| token.literal().is_none_or(|c| c.is_ascii_digit() || "+-.".contains(c));
    wildcard.tokens().first().is_none_or(first)
        && wildcard.tokens().iter().filter_map(|token| token.literal()).all(fits)
}

/// Whether Kyverno may read a text as a range of numbers, such as `1-10`.
fn is_range(text: &str) -> bool {
    let number = text.starts_with(|c: char| c.is_ascii_digit() || "+-|".contains(c));
    number && text.get(1..).is_some_and(|rest| rest.contains('-'))
}

/// What may stand in a duration or quantity beside digits.
const MEASURE: &str = "+-.KMGTPEiknumµhse";
