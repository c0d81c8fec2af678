//! Functions on texts: patterns, instants and durations.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use cel::common::types::{CelInt, DYN_TYPE, STRING_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::super::json::Json;
use super::super::time::{Instant, Span};
use super::environment::{Made, argument, refuse, truth, value};
use super::findings::not_severity;
use crate::policy::Pattern;

/// A pattern that was made when the condition was parsed.
#[derive(Clone)]
pub(in super::super) struct TextPattern(Arc<Kind>);

impl TextPattern {
    /// How much of it there is to follow for each byte of a text.
    pub(in super::super) fn weight(&self) -> u64 {
        match &*self.0 {
            Kind::Whole(pattern) => 1 + pattern.to_string().len() as u64 / 64,
            Kind::Anywhere(_, states) => *states,
        }
    }
}

enum Kind {
    /// As elsewhere in a policy: over the whole.
    Whole(Pattern),
    /// As CEL's `matches`: anywhere. With how much there is to follow for each byte.
    Anywhere(regex::Regex, u64),
}

/// The pattern that `function` takes as this literal; nothing if it takes none.
pub(in super::super) fn pattern_of(function: &str, literal: &str) -> Option<Result<TextPattern, String>> {
    let made = match function {
        "glob" => Pattern::glob(literal).map(Kind::Whole).map_err(|error| error.to_string()),
        "matches" => {
            let regex = regex::RegexBuilder::new(literal).size_limit(LARGEST_REGEX).build();
            regex.map(|regex| Kind::Anywhere(regex, states(literal))).map_err(|error| no_regex(&error))
        }
        _ => return None,
    };
    Some(made.map(|made| TextPattern(Arc::new(made))))
}

/// How large the expression is when compiled, in units of 256 bytes. Which letters Unicode has does not count: of all
/// of them only one is followed at a time.
fn states(literal: &str) -> u64 {
    let fits = |units: &u64| {
        let limit = usize::try_from(units * 256).unwrap_or(usize::MAX);
        regex::bytes::RegexBuilder::new(literal).unicode(false).size_limit(limit).build().is_ok()
    };
    (0..10).map(|doubled| 1 << doubled).find(fits).unwrap_or(1 << 10)
}

/// The last line says what is wrong; those before show the pattern.
fn no_regex(error: &regex::Error) -> String {
    let text = error.to_string();
    let why = text.lines().last().unwrap_or_default();
    format!("the pattern is no regular expression: {}", why.strip_prefix("error: ").unwrap_or(why))
}

/// What is wrong with an argument that is this literal, or none, at a position of `function`.
pub(in super::super) fn literal_problem(function: &str, position: usize, literal: Option<&str>) -> Option<String> {
    match (function, position, literal) {
        ("matches", 1, None) => Some("the pattern of `matches` must be a literal".into()),
        ("glob" | "matches", 1, Some(literal)) => pattern_of(function, literal)?.err(),
        ("timestamp", 0, Some(literal)) => Instant::parse(literal).is_none().then(|| not_instant(literal)),
        ("duration", 0, Some(literal)) => Span::parse(literal).is_none().then(|| not_duration(literal)),
        ("vulnerabilityCount", 1, Some(literal)) => not_severity(literal),
        _ => None,
    }
}

fn not_instant(text: &str) -> String {
    format!("`{text}` is not an instant such as `2026-12-02T00:00:00Z`")
}

fn not_duration(text: &str) -> String {
    format!("`{text}` is not a duration such as `24h`, `1h30m` or `7d`")
}

pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let instant_type = || vec![<Instant as Val>::cel_type().to_owned()];
    let anything = || vec![DYN_TYPE];
    env.add_overload("matches", "matches_made", vec![STRING_TYPE, DYN_TYPE], |given| matches(&given).map(value))?;
    env.add_member_overload("matches", "made_matches", STRING_TYPE, anything(), |given| matches(&given).map(value))?;
    env.add_overload("timestamp", "timestamp_of", anything(), |given| timestamp(&given).map(value))?;
    env.add_overload("duration", "duration_of", anything(), |given| duration(&given))?;
    env.add_overload("string", "timestamp_string", instant_type(), |given| {
        Ok(value(Json::text(instant(&given)?.to_string())))
    })?;
    env.add_overload("int", "timestamp_int", instant_type(), |given| {
        Ok(value(Json::Int(instant(&given)?.as_second().into())))
    })
}

/// `glob(text, pattern)`.
pub(super) fn glob(arguments: &[CowVal<'_, '_>]) -> Made {
    let text = argument("glob", arguments, 0)?;
    if let Some(TextPattern(made)) = arguments.get(1).and_then(|pattern| pattern.downcast_ref::<TextPattern>()) {
        return Ok(truth(made.covers(text)));
    }
    let pattern = Pattern::glob(argument("glob", arguments, 1)?).map_err(|error| refuse("glob", &error.to_string()))?;
    Ok(truth(pattern.matches(text)))
}

fn matches(arguments: &[CowVal<'_, '_>]) -> Made {
    let text = argument("matches", arguments, 0)?;
    let made = arguments.get(1).and_then(|pattern| pattern.downcast_ref::<TextPattern>());
    let TextPattern(made) = made.ok_or_else(|| refuse("matches", "the pattern must be a literal"))?;
    Ok(truth(made.covers(text)))
}

fn timestamp(arguments: &[CowVal<'_, '_>]) -> Made {
    let first = arguments.first().ok_or_else(ExecutionError::missing_argument_or_target)?;
    if let Some(seconds) = first.downcast_ref::<CelInt>() {
        let instant = jiff::Timestamp::from_second(*seconds.inner());
        return instant.map(|at| Json::Time(Instant(at))).map_err(|_| refuse("timestamp", "it is too far away"));
    }
    if let Some(instant) = first.downcast_ref::<Instant>() {
        return Ok(Json::Time(*instant));
    }
    let text = argument("timestamp", arguments, 0)?;
    Instant::parse(text).map(Json::Time).ok_or_else(|| refuse("timestamp", &not_instant(text)))
}

fn duration(arguments: &[CowVal<'_, '_>]) -> Result<CowVal<'static, 'static>, ExecutionError> {
    if let Some(span) = arguments.first().and_then(|value| value.downcast_ref::<Span>()) {
        return Ok(CowVal::owned(*span));
    }
    let text = argument("duration", arguments, 0)?;
    Span::parse(text).map(CowVal::owned).ok_or_else(|| refuse("duration", &not_duration(text)))
}

fn instant(arguments: &[CowVal<'_, '_>]) -> Result<jiff::Timestamp, ExecutionError> {
    let value = arguments.first().and_then(|value| value.downcast_ref::<Instant>());
    value.map(|instant| instant.0).ok_or_else(ExecutionError::missing_argument_or_target)
}

impl Kind {
    fn covers(&self, text: &str) -> bool {
        match self {
            Self::Whole(pattern) => pattern.matches(text),
            Self::Anywhere(regex, _) => regex.is_match(text),
        }
    }
}

impl fmt::Debug for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pattern")
    }
}

impl Val for TextPattern {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &PATTERN
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for TextPattern {}

static PATTERN: Type = Type::new_unspecified_type("pattern");

/// Bytes of a compiled regular expression.
const LARGEST_REGEX: usize = 256 << 10;
