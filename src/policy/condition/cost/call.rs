//! What calls and operators take.

use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use super::super::functions::Function;
use super::{Bound, Meter, Scope, TooMuch};

impl Meter {
    /// Spends what `times` calls take, and says what they may give.
    pub(super) fn call<'d>(&mut self, call: &CallExpr, scope: &Scope<'d>, times: u64) -> Result<Bound<'d>, TooMuch> {
        self.spend(times)?;
        let mut given = Vec::with_capacity(call.args.len() + 1);
        for one in call.target.iter().map(|target| &**target).chain(&call.args) {
            given.push(self.walk(one, scope, times)?);
        }
        let small = Bound::small(times);
        let all = given.iter().map(Bound::total).fold(0, u64::saturating_add);
        match (call.func_name.as_str(), &given[..]) {
            (
                operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE,
                _,
            ) => Ok(small),
            (operators::CONDITIONAL, [_, yes, no]) => {
                self.spend((yes.named() + no.named()) / 8)?;
                Ok(yes.or(no))
            }
            (operators::EQUALS | operators::NOT_EQUALS, [a, b]) => {
                self.spend(a.total().min(b.total()) / LOOK)?;
                Ok(small)
            }
            (operators::IN, [value, container]) => {
                self.spend((container.searched().saturating_add(value.copied())) / LOOK)?;
                Ok(small)
            }
            (operators::INDEX, [of, index]) => {
                self.spend((of.named() + index.named()) / LOOK)?;
                let part = match call.args.get(1).map(|index| &index.expr) {
                    Some(Expr::Literal(LiteralValue::String(name))) => of.member(name.inner()),
                    Some(Expr::Literal(LiteralValue::Int(at))) => of.item(*at.inner()),
                    _ => of.part(),
                };
                self.spend(part.named() / LOOK)?;
                // What a function made is copied out of it.
                self.spend(if matches!(of, Bound::These { .. }) { 0 } else { part.copied() / LOOK })?;
                Ok(part)
            }
            (operators::ADD, [a, b]) => {
                self.spend(all)?;
                Ok(a.and(b))
            }
            ("@list", [list]) => {
                self.spend(list.walked().items.saturating_add(list.walked().item.copied()))?;
                Ok(list.clone())
            }
            ("dyn", [value]) => Ok(value.clone()),
            ("size" | "type", [value]) => {
                self.spend(value.copied() / LOOK)?;
                Ok(small)
            }
            ("matches", [text, pattern]) => {
                let each = pattern.most().saturating_add(1);
                self.spend(times.saturating_add(text.bytes().saturating_mul(each) / REGEX))?;
                Ok(small)
            }
            ("glob", [text, pattern]) => {
                let each = GLOB.saturating_add(pattern.most().saturating_mul(GLOB));
                self.spend(text.total().saturating_mul(each))?;
                Ok(small)
            }
            (name, given) => {
                let walks = Function::named(name).is_some_and(|function| function.walks);
                self.spend(if walks { all } else { all / LOOK })?;
                let spread = if walks { SPREAD } else { 1 };
                let most = given.iter().map(Bound::most).fold(times.min(1), u64::saturating_add);
                let total = all.saturating_mul(spread).saturating_add(times);
                Ok(Bound::Any { total, most: most.saturating_mul(spread) })
            }
        }
    }
}

/// How much may be looked at in a step.
const LOOK: u64 = 4;

/// Bytes of text that a regular expression passes in a step, for each unit of the expression and once more.
const REGEX: u64 = 8;

/// Steps of a glob on one unit of text, for each unit of the pattern and once more.
const GLOB: u64 = 20;

/// How much heavier than a document what a function makes of it may be.
const SPREAD: u64 = 8;
