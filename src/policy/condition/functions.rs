//! What a condition may call, and the variables it may name: the one table for checks, documentation and editors.

mod bill;

mod environment;

mod findings;

mod provenance;

mod table;

mod text;

pub(super) use environment::environment;
pub use table::{FUNCTIONS, VARIABLES};
pub(super) use text::{TextPattern, literal_problem, pattern_of};

/// A function or macro that a condition may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is called, and what it gives.
    pub signature: &'static str,
    /// What it says, in one sentence.
    pub meaning: &'static str,
    /// Whether CEL itself defines it.
    pub standard: bool,
    pub(super) call: Call,
    /// The fewest and the most arguments, what it is called on not counted.
    pub(super) arguments: (usize, usize),
    pub(super) gives: Kind,
    /// Whether its first argument is a document, which it walks through.
    pub(super) walks: bool,
}

/// A variable that a condition may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name, or the way to one of its fields.
    pub name: &'static str,
    /// What it holds.
    pub meaning: &'static str,
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// `f(x)`.
    Global,
    /// `x.f()`.
    Member,
    /// Either.
    Both,
}

/// What a function gives, as far as it matters to whether it can be a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Duration,
    List,
    Number,
    Text,
    Timestamp,
    /// It depends.
    Any,
}

impl Function {
    /// The function called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// Whether it can be called so.
    pub(super) fn takes(&self, on_value: bool, arguments: usize) -> bool {
        let style = match self.call {
            Call::Global => !on_value,
            Call::Member => on_value,
            Call::Both => true,
        };
        let given = arguments + usize::from(on_value && self.call == Call::Both);
        style && (self.arguments.0..=self.arguments.1).contains(&given)
    }
}

impl Kind {
    /// The kind, with its article.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Bool => "a bool",
            Self::Duration => "a duration",
            Self::List => "a list",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Timestamp => "a timestamp",
            Self::Any => "a value",
        }
    }
}

#[cfg(test)]
mod tests;
