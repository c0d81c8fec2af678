//! What the content of an attestation must say, in CEL.
//!
//! A condition is parsed once and asked about many documents. It reads what it is given ([`Facts`]) and nothing else.
//! The evaluator cannot be interrupted, so what a condition would cost on this very document is bounded before it
//! runs. Whatever goes wrong is a [`Failure`], which denies.

use std::fmt;
use std::sync::Arc;

use crate::reason::Reason;

mod bindings;

mod cost;

mod document;

mod evaluate;

pub mod facts;

pub mod functions;

mod json;

mod parse;

mod program;

mod time;

pub use document::Document;
pub use facts::{Facts, ImageFacts, SignerFacts};
pub use functions::{FUNCTIONS, Function, VARIABLES, Variable};

/// A condition, parsed once.
#[derive(Clone)]
pub struct Condition(Arc<program::Program>);

/// Why a text is not a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseProblem {
    /// For people.
    pub text: String,
    /// Where in the source, in bytes, if that is known.
    pub offset: Option<usize>,
}

/// Why a condition came to no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `condition_error` or `condition_budget`.
    pub reason: Reason,
    /// For people.
    pub detail: String,
}

impl Condition {
    /// Parses `source`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(source: &str) -> Result<Self, ParseProblem> {
        parse::parse(source).map(|program| Self(Arc::new(program)))
    }

    /// Its text.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Whether its value depends on the present.
    pub fn uses_now(&self) -> bool {
        self.0.named.now
    }

    /// The fields that it names, such as `predicate.metadata.scanFinishedOn`: sorted, without the positions in lists.
    /// What it asks of the items of a list is asked of the list's path: `predicate.components.name`.
    pub fn fields(&self) -> Vec<String> {
        self.0.named.fields.iter().cloned().collect()
    }

    /// The functions of [`FUNCTIONS`] that it calls on documents, by name.
    pub fn functions(&self) -> Vec<&'static str> {
        self.0.named.functions.iter().copied().collect()
    }

    /// Its value.
    ///
    /// # Errors
    /// If it has none, or would cost too much.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Result<bool, Failure> {
        evaluate::evaluate(&self.0, facts)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Condition {}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source()).finish()
    }
}

impl ParseProblem {
    /// The line and the column of the problem in `source`, from 1 and in characters.
    pub fn spot(&self, source: &str) -> Option<(usize, usize)> {
        let before = source.get(..self.offset?)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
    }
}

impl fmt::Display for ParseProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What may be shown of a text that others wrote: short, and nothing that moves a terminal's cursor.
fn printable(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() { format!("{shown}…") } else { shown }
}

/// Characters of an error that are shown.
const SHOWN: usize = 300;

#[cfg(test)]
mod tests;
