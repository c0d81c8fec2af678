//! The parser's errors in our words, short.

use serde_saphyr::{DefaultMessageFormatter, Error, MessageFormatter};

use super::nearest::{did_you_mean, one_of};

/// What is wrong, and whether it is the key that is wrong and not its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What is wrong, without position.
    pub text: String,
    /// Whether the position is that of a key which should not be there.
    pub about_key: bool,
}

/// Says what is wrong.
pub fn explain(error: &Error) -> Explanation {
    let about_key = |text| Explanation { text, about_key: true };
    let text = match error.without_snippet() {
        Error::AliasError { error, .. } => return explain(error),
        Error::SerdeUnknownField { field, expected, .. } => return about_key(unknown_key(field, expected)),
        Error::DuplicateMappingKey { key: Some(key), .. } => return about_key(format!("duplicate key `{key}`")),
        Error::DuplicateMappingKey { key: None, .. } => return about_key("duplicate key".into()),
        Error::MergeKeyNotAllowed { .. } => return about_key("merge keys (`<<`) are not allowed".into()),
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            format!("`{variant}` is not {}", one_of(expected))
        }
        Error::SerdeInvalidType { unexpected, expected, .. } => format!("expected {expected}, found {unexpected}"),
        Error::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        Error::Unexpected { expected, .. } => {
            format!("expected {}", EXPECTED.iter().find(|(theirs, _)| theirs == expected).map_or(*expected, |e| e.1))
        }
        Error::InvalidScalar { ty, .. } => format!("expected {}", number(ty)),
        Error::InvalidBooleanStrict { .. } => "expected `true` or `false`".into(),
        Error::NullIntoString { .. } => "the key has no value; give it one or take it away".into(),
        Error::MultipleDocuments { .. } => "a file holds one YAML document".into(),
        Error::Eof { .. } => "the file is empty or ends too early".into(),
        Error::Budget { .. } => "the file is too large, or its lists and mappings stand too deep in one another".into(),
        other => DefaultMessageFormatter.format_message(other).chars().map(printable).collect(),
    };
    Explanation { text, about_key: false }
}

/// What to say of a key that is not one of `expected`.
pub(super) fn unknown_key(key: &str, expected: &[&str]) -> String {
    let hint = did_you_mean(key, expected.iter().copied());
    if hint.is_empty() && !expected.is_empty() {
        return format!("unknown key `{key}`, expected {}", one_of(expected));
    }
    format!("unknown key `{key}`{hint}")
}

fn number(ty: &str) -> &str {
    match ty {
        "bool" | "boolean" => "`true` or `false`",
        ty if ty.starts_with('u') => "a whole number, not negative",
        ty if ty.starts_with('i') => "a whole number",
        ty => ty,
    }
}

fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

const EXPECTED: [(&str, &str); 5] = [
    ("mapping start", "a mapping"),
    ("sequence start", "a list"),
    ("scalar", "a single value"),
    ("string scalar", "a text"),
    ("integer scalar", "a whole number"),
];
