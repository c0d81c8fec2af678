//! The evaluator's errors, for people.

use std::fmt::Write;

use cel::common::ast::{Expr, operators};
use cel::{ExecutionError, IdedExpr, Value};

use super::super::cost::path;

/// What went wrong in `expression`; `broken` are the errors of what was made beforehand, by name.
pub(super) fn text(error: &ExecutionError, expression: &IdedExpr, broken: &[(&str, String)]) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => match holder(expression, key) {
            Some(of) => format!("no such key: `{key}`; has({of}.{key}) tests for it"),
            None => format!("no such key: `{key}`"),
        },
        ExecutionError::UndeclaredReference(name) => match broken.iter().find(|(known, _)| *known == name.as_str()) {
            Some((_, why)) => why.clone(),
            None if name.as_str() == "predicate" => "the statement has no predicate".into(),
            None => format!("nothing is called `{name}`"),
        },
        ExecutionError::NoSuchOverload(overload) => {
            let (name, types) = (operator(overload.function()), overload.argument_types().join(", "));
            format!("`{name}` does not apply to ({types})")
        }
        ExecutionError::UnsupportedBinaryOperator(name, a, b) => {
            format!("`{}` does not apply to ({}, {})", operator(name), a.type_of(), b.type_of())
        }
        ExecutionError::UnexpectedType { got, want } if want == "iterable" => {
            format!("a loop walks lists and objects, this is {}", with_article(got))
        }
        ExecutionError::UnexpectedType { got, want } => {
            format!("there is {} where {} is needed", with_article(got), with_article(want))
        }
        ExecutionError::FunctionError { function, message } => format!("{function}: {message}"),
        ExecutionError::IndexOutOfBounds(Value::Int(at)) => format!("no item {at} in the list"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "a division by zero".into(),
        ExecutionError::Overflow(..) => "a number is too large".into(),
        other => {
            let mut short = Short(String::new());
            // It ends early where the text is long enough.
            let _ended = write!(short, "{other}");
            short.0
        }
    }
}

/// What the expression selects `field` of, as the source writes it.
fn holder(at: &IdedExpr, field: &str) -> Option<String> {
    match &at.expr {
        Expr::Select(select) if select.field == field && !select.test => path(&select.operand),
        Expr::Select(select) => holder(&select.operand, field),
        Expr::Call(call) => {
            call.target.iter().map(|target| &**target).chain(&call.args).find_map(|one| holder(one, field))
        }
        Expr::List(list) => list.elements.iter().find_map(|one| holder(one, field)),
        Expr::Comprehension(walk) => holder(&walk.iter_range, field).or_else(|| holder(&walk.loop_step, field)),
        _ => None,
    }
}

/// An operator as the source writes it.
fn operator(name: &str) -> &str {
    match name {
        operators::INDEX => "[]",
        operators::IN => "in",
        operators::CONDITIONAL => "?:",
        "_._" => ".",
        "add" => "+",
        "sub" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        other => other.trim_matches('_'),
    }
}

/// `an int`, `a string`.
pub(in super::super) fn with_article(noun: &str) -> String {
    format!("{} {noun}", if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" })
}

/// A text that ends when it is long: values in an error may be.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() > 1000 {
            return Err(std::fmt::Error);
        }
        self.0.extend(text.chars().take(1000));
        Ok(())
    }
}
