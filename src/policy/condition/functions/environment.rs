//! The evaluator's environment: the part of CEL's standard library that conditions use, and our functions.

use std::sync::{Arc, LazyLock};

use cel::common::functions::Function;
use cel::common::types::DYN_TYPE;
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};

use super::super::evaluate::with_article;
use super::super::json::{Json, Object};
use super::{bill, findings, provenance, text};

/// What a function gives, or why it gives nothing.
pub(super) type Made = Result<Json, ExecutionError>;

/// The environment, which every evaluation shares.
pub(in super::super) fn environment() -> Result<Arc<Env>, String> {
    ENVIRONMENT.clone()
}

static ENVIRONMENT: LazyLock<Result<Arc<Env>, String>> =
    LazyLock::new(|| declared().map(Arc::new).map_err(|error| error.to_string()));

fn declared() -> Result<Env, DeclarationError> {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    for (name, arguments, function) in OURS {
        let types = (0..*arguments).map(|_| DYN_TYPE).collect();
        env.add_overload(name, &format!("{name}_of_{arguments}"), types, *function)?;
    }
    text::declare(&mut env)?;
    Ok(env)
}

/// Our functions by name and number of arguments. What begins with `@` no source can name.
const OURS: &[(&str, usize, Function)] = &[
    ("@list", 1, |given| list(&given).map(value)),
    ("components", 1, |given| bill::components(&given).map(value)),
    ("componentNames", 1, |given| bill::component_names(&given).map(value)),
    ("hasComponent", 2, |given| bill::has_component(&given).map(value)),
    ("hasComponent", 3, |given| bill::has_component(&given).map(value)),
    ("licenses", 1, |given| bill::licenses(&given).map(value)),
    ("vulnerabilities", 1, |given| findings::vulnerabilities(&given).map(value)),
    ("severities", 1, |given| findings::severities(&given).map(value)),
    ("vulnerabilityCount", 1, |given| findings::count(&given).map(value)),
    ("vulnerabilityCount", 2, |given| findings::count(&given).map(value)),
    ("worstSeverity", 1, |given| findings::worst(&given).map(value)),
    ("builder", 1, |given| provenance::builder(&given).map(value)),
    ("source", 1, |given| provenance::source(&given).map(value)),
    ("materials", 1, |given| provenance::materials(&given).map(value)),
    ("glob", 2, |given| text::glob(&given).map(value)),
];

/// A list that the evaluator made, as the one kind of list there is.
fn list(arguments: &[CowVal<'_, '_>]) -> Made {
    let made = arguments.first().ok_or_else(ExecutionError::missing_argument_or_target)?;
    let Some(made) = made.as_iterable() else { return Err(refuse("list", "it is no list")) };
    let (mut items, mut all) = (made.iter(), Vec::new());
    while let Some(item) = items.next() {
        let cannot = || refuse("list", &format!("a list cannot hold {}", with_article(item.get_type().name())));
        all.push(Json::of(item).ok_or_else(cannot)?);
    }
    Ok(Json::Array(all.into_iter().collect()))
}

/// The first argument of `function`, which must be an object of JSON.
pub(super) fn document<'a>(function: &str, arguments: &'a [CowVal<'_, '_>]) -> Result<&'a Object, ExecutionError> {
    let first = arguments.first().ok_or_else(ExecutionError::missing_argument_or_target)?;
    let name = first.get_type().name();
    first
        .downcast_ref::<Object>()
        .ok_or_else(|| refuse(function, &format!("it reads an object, this is {}", with_article(name))))
}

/// The argument at `at`, which must be a text.
pub(super) fn argument<'a>(
    function: &str,
    arguments: &'a [CowVal<'_, '_>],
    at: usize,
) -> Result<&'a str, ExecutionError> {
    let value = arguments.get(at).ok_or_else(ExecutionError::missing_argument_or_target)?;
    let text: Result<&str, _> = <&str>::try_from(value.as_ref());
    text.map_err(|other| {
        refuse(function, &format!("argument {} is {}, not a string", at + 1, with_article(other.get_type().name())))
    })
}

/// The function's error.
pub(super) fn refuse(function: &str, why: &str) -> ExecutionError {
    ExecutionError::function_error(function, why)
}

/// What a function made, as the evaluator takes it.
pub(super) fn value(made: Json) -> CowVal<'static, 'static> {
    CowVal::Owned(made.boxed())
}

pub(super) fn truth(value: bool) -> Json {
    Json::Bool(value.into())
}

pub(super) fn number(value: usize) -> Json {
    Json::Int(i64::try_from(value).unwrap_or(i64::MAX).into())
}

pub(super) fn texts(all: impl IntoIterator<Item = impl Into<String>>) -> Json {
    Json::Array(all.into_iter().map(Json::text).collect())
}
