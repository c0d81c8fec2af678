//! What the content of an attestation must say, in CEL.

use std::sync::Arc;

use crate::reason::Reason;

mod document;

pub mod facts;

pub use document::Document;
pub use facts::{Facts, ImageFacts, SignerFacts};

/// A condition, parsed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    source: Arc<str>,
}

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
        Ok(Self { source: source.into() })
    }

    /// Its text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether its value depends on the present.
    pub fn uses_now(&self) -> bool {
        self.source.contains("now")
    }

    /// Its value.
    ///
    /// # Errors
    /// If it has none, or would cost too much.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Result<bool, Failure> {
        let detail = format!("`{}` cannot be evaluated about {}", self.source, facts.image.digest);
        Err(Failure { reason: Reason::ConditionError, detail })
    }
}
