//! The walk through an expression, with bounds in place of values.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, Expr, LiteralValue, operators};

use super::{Bound, Meter, Scope, TooMuch, describe};

impl Meter {
    /// Spends what `times` evaluations of `at` take, and says what they may give.
    pub(super) fn walk<'d>(&mut self, at: &IdedExpr, scope: &Scope<'d>, times: u64) -> Result<Bound<'d>, TooMuch> {
        self.spend(times)?;
        match &at.expr {
            Expr::Literal(literal) => {
                let length = if let LiteralValue::String(text) = literal { text.inner().len() as u64 } else { 0 };
                let most = 1 + length / 64;
                Ok(Bound::Any { total: most.saturating_mul(times), most })
            }
            Expr::Ident(name) => {
                let known = scope.iter().rev().find(|(known, _)| known == name);
                Ok(known.map_or_else(|| Bound::small(times), |(_, bound)| bound.clone()))
            }
            Expr::Select(select) => {
                let of = self.walk(&select.operand, scope, times)?;
                self.spend(times.saturating_add(of.named() / 8))?;
                let field = of.member(&select.field);
                self.spend(field.copied() / 8)?;
                Ok(if select.test { Bound::small(times) } else { field })
            }
            Expr::Call(call) => self.call(call, scope, times),
            Expr::List(list) => {
                let (length, mut item) = (list.elements.len() as u64, None::<Bound<'d>>);
                for element in &list.elements {
                    let element = self.walk(element, scope, times)?;
                    self.spend(element.copied())?;
                    item = Some(item.map_or_else(|| element.clone(), |others| others.or(&element)));
                }
                Ok(Bound::made(times.saturating_mul(length), length, item.unwrap_or_else(|| Bound::small(0))))
            }
            Expr::Comprehension(walk) => self.comprehension(walk, scope, times),
            // Refused when the condition was parsed.
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => self.spend(u64::MAX).map(|()| Bound::small(times)),
        }
    }

    fn comprehension<'d>(
        &mut self,
        walk: &ComprehensionExpr,
        scope: &Scope<'d>,
        times: u64,
    ) -> Result<Bound<'d>, TooMuch> {
        let range = self.walk(&walk.iter_range, scope, times)?;
        self.spend(range.named() / 8)?;
        let walked = range.walked();
        self.loops.push((describe::list(&walk.iter_range), walked.longest));
        self.spend(walked.items.saturating_mul(PASS).saturating_add(walked.item.copied() / 8))?;
        let passes = walked.items;
        let mut inner: Scope<'d> =
            scope.iter().map(|(name, bound)| (name.clone(), bound.within(walked.longest, passes))).collect();
        inner.push((walk.iter_var.clone(), walked.item));
        let result = if matches!(walk.accu_init.expr, Expr::List(_)) {
            let item = self.appended(&walk.loop_step, &inner, passes)?;
            self.spend(item.copied())?;
            Bound::made(passes, walked.longest, item)
        } else {
            inner.push((walk.accu_var.clone(), Bound::small(passes)));
            self.walk(&walk.loop_cond, &inner, passes)?;
            self.walk(&walk.loop_step, &inner, passes)?;
            self.spend(times.saturating_mul(2))?;
            Bound::small(times)
        };
        self.loops.pop();
        Ok(result)
    }

    /// What `@result + [item]`, alone or as `condition ? @result + [item] : @result`, appends.
    fn appended<'d>(&mut self, step: &IdedExpr, scope: &Scope<'d>, passes: u64) -> Result<Bound<'d>, TooMuch> {
        self.spend(passes)?;
        let Expr::Call(call) = &step.expr else { return self.walk(step, scope, passes) };
        match (call.func_name.as_str(), &call.args[..]) {
            (operators::CONDITIONAL, [condition, step, _]) => {
                self.walk(condition, scope, passes)?;
                self.appended(step, scope, passes)
            }
            (operators::ADD, [_, IdedExpr { expr: Expr::List(list), .. }]) if list.elements.len() == 1 => {
                self.walk(&list.elements[0], scope, passes)
            }
            _ => self.walk(step, scope, passes),
        }
    }
}

/// Steps of a pass through a loop, its parts not counted.
const PASS: u64 = 2;
