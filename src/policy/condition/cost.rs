//! What evaluating an expression would cost on one document, bounded before it runs.
//!
//! The expression is walked once with bounds in place of values ([`bound::Bound`]): which values of the document a
//! part of it may stand for, and how often it is evaluated. A step is about one part evaluated once. A loop costs its
//! parts as often as the lists that it walks have items, in this document; looking at a whole value (equality, `in`,
//! copies, our functions) costs by its weight. What the walk cannot know counts as the most that it can be.

use cel::IdedExpr;

use super::json::Json;

mod bound;

mod call;

mod describe;

mod walk;

pub(super) use bound::Bound;
pub(super) use describe::path;

/// Bounds for the variables of an expression.
pub(super) type Scope<'d> = Vec<(String, Bound<'d>)>;

/// Too many steps; what walks how many items, from the outermost loop.
#[derive(Debug)]
pub(super) struct TooMuch {
    loops: Vec<(String, u64)>,
}

/// Steps that are left.
pub(super) struct Meter {
    left: u64,
    loops: Vec<(String, u64)>,
}

impl Meter {
    /// A meter with everything left.
    pub(super) fn new() -> Self {
        Self { left: MOST_STEPS, loops: Vec::new() }
    }

    /// Bounds one evaluation of `expression`.
    pub(super) fn bound<'d>(&mut self, expression: &IdedExpr, scope: &Scope<'d>) -> Result<Bound<'d>, TooMuch> {
        self.walk(expression, scope, 1)
    }

    fn spend(&mut self, steps: u64) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(steps).ok_or_else(|| TooMuch { loops: self.loops.clone() })?;
        Ok(())
    }
}

/// A variable that is one value of the document.
pub(super) fn variable<'d>(name: &str, value: &'d Json) -> (String, Bound<'d>) {
    (name.to_string(), Bound::one(value))
}

impl TooMuch {
    /// What cost so much, and the limit.
    pub(super) fn text(&self) -> String {
        let walks: Vec<_> = self.loops.iter().map(|(what, items)| format!("{what} ({items} items)")).collect();
        let walks = if walks.is_empty() {
            "it looks at too much".into()
        } else {
            format!("it walks {}", walks.join(", for each of them "))
        };
        format!("the condition would take more than {MOST_STEPS} steps on this document: {walks}")
    }
}

/// The steps of one evaluation: well under a second.
pub(super) const MOST_STEPS: u64 = 3_000_000;

#[cfg(test)]
mod tests;
