//! From a source to a program: syntax first, then names, then what can be made beforehand.

use std::thread;

use cel::ParseErrors;
use cel::parser::Parser;

use super::program::Program;
use super::{ParseProblem, printable};

mod check;

mod fields;

mod lower;

mod obvious;

/// Parses `source`. The parser recurses deeply on little, so it gets a stack of its own.
pub(super) fn parse(source: &str) -> Result<Program, ParseProblem> {
    if source.trim().is_empty() {
        return Err(ParseProblem { text: "the condition is empty".into(), offset: None });
    }
    if source.len() > LONGEST {
        let text = format!("the condition has {} bytes, at most {LONGEST} are allowed", source.len());
        return Err(ParseProblem { text, offset: None });
    }
    let parsed = thread::scope(|scope| {
        let builder = thread::Builder::new().name("condition".into()).stack_size(STACK);
        builder.spawn_scoped(scope, || program(source)).map(thread::ScopedJoinHandle::join)
    });
    match parsed {
        Ok(Ok(program)) => program,
        Ok(Err(_)) => Err(ParseProblem { text: "the condition cannot be parsed".into(), offset: None }),
        Err(error) => Err(ParseProblem { text: format!("no thread to parse the condition: {error}"), offset: None }),
    }
}

fn program(source: &str) -> Result<Program, ParseProblem> {
    let parser = Parser::new().max_recursion_depth(NESTED);
    let (expression, info) = parser.parse_with_source_info(source).map_err(|errors| syntax(source, &errors))?;
    let named = check::check(source, &info, &expression)?;
    if let Some(kind) = obvious::not_bool(&expression) {
        let text = format!("a condition is true or false, this is {kind}");
        return Err(ParseProblem { text, offset: Some(0) });
    }
    let lower::Lowered { expression, constants, calls } = lower::lower(expression);
    Ok(Program { source: source.into(), expression, constants, calls, named })
}

/// The first of the parser's errors, in words.
fn syntax(source: &str, errors: &ParseErrors) -> ParseProblem {
    let Some(first) = errors.errors.first() else {
        return ParseProblem { text: "the condition cannot be parsed".into(), offset: None };
    };
    if errors.errors.iter().any(|error| error.msg.contains("Recursion limit")) {
        return ParseProblem { text: format!("the condition is nested more than {NESTED} deep"), offset: None };
    }
    let message = first.msg.strip_prefix("Syntax error: ").unwrap_or(&first.msg);
    let offset = offset(source, first.pos);
    let text = match quoted(message) {
        _ if !message.contains(" input ") && !message.starts_with("token recognition") => message.to_string(),
        Some("<EOF>") => "the condition ends too early".into(),
        Some(token) => format!("`{}` is not expected here{}", token.trim(), hint(token)),
        None => message.to_string(),
    };
    ParseProblem { text: printable(&text), offset }
}

/// What the parser quotes in its message.
fn quoted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once('\'')?;
    let end = rest.find("' expecting").or_else(|| rest.rfind('\''))?;
    rest.get(..end)
}

fn hint(token: &str) -> &'static str {
    match token.trim_start().chars().next() {
        Some('=') => "; `==` compares",
        Some('&') => "; `&&` is the and",
        Some('|') => "; `||` is the or",
        Some('\'' | '"') => "; a text has a quote at both ends",
        _ => "",
    }
}

/// The place of a line and a column, both from 1.
fn offset(source: &str, (line, column): (isize, isize)) -> Option<usize> {
    let (line, column) = (usize::try_from(line).ok()?.checked_sub(1)?, usize::try_from(column).ok()?.checked_sub(1)?);
    let start: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    Some(source.floor_char_boundary(start + column))
}

/// Bytes of a source.
const LONGEST: usize = 4096;

/// How deeply brackets may be nested.
const NESTED: u16 = 32;

/// Twice what the parser takes for the deepest source in a build without optimisation.
const STACK: usize = 32 << 20;
