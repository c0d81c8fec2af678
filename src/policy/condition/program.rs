//! A condition that is ready to be evaluated.
//!
//! Two things are taken out of the expression: lists of literals and patterns, which are made once, and calls of
//! functions on documents that do not depend on a loop, which are made once per evaluation.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::value::Val;

use super::cost::Bound;
use super::functions::TextPattern;
use super::json::Json;

/// An expression that passed every check, and what was taken out of it.
pub(super) struct Program {
    pub(super) source: String,
    pub(super) expression: IdedExpr,
    pub(super) constants: Vec<(String, Constant)>,
    /// In the order in which they depend on one another.
    pub(super) calls: Vec<(String, IdedExpr)>,
    pub(super) named: Named,
}

/// What an expression speaks of.
#[derive(Default)]
pub(super) struct Named {
    pub(super) fields: BTreeSet<String>,
    pub(super) functions: BTreeSet<&'static str>,
    pub(super) now: bool,
}

/// A value that is the same in every evaluation.
#[derive(Clone)]
pub(super) enum Constant {
    List(Json),
    Pattern(TextPattern),
}

impl Constant {
    /// What it takes to look at it.
    pub(super) fn bound(&self) -> Bound<'_> {
        match self {
            Self::List(list) => Bound::one(list),
            Self::Pattern(pattern) => Bound::Any { total: pattern.weight(), most: pattern.weight() },
        }
    }

    /// The value as the evaluator binds it.
    pub(super) fn boxed(&self) -> Box<dyn Val> {
        match self {
            Self::List(list) => list.clone().boxed(),
            Self::Pattern(pattern) => Box::new(pattern.clone()),
        }
    }
}
