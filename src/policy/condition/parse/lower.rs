//! Taking out of an expression what can be made once, and making every list our own kind.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, ListExpr, LiteralValue, operators};

use super::super::functions::{Function, pattern_of};
use super::super::json::{Array, Json};
use super::super::program::Constant;

/// An expression, and what was taken out of it by the names that stand for it there.
pub(super) struct Lowered {
    pub(super) expression: IdedExpr,
    pub(super) constants: Vec<(String, Constant)>,
    pub(super) calls: Vec<(String, IdedExpr)>,
}

/// Lowers a checked expression.
pub(super) fn lower(expression: IdedExpr) -> Lowered {
    let mut lowering = Lowering::default();
    let expression = lowering.expression(expression);
    Lowered { expression, constants: lowering.constants, calls: lowering.calls }
}

#[derive(Default)]
struct Lowering {
    constants: Vec<(String, Constant)>,
    calls: Vec<(String, IdedExpr)>,
    loops: Vec<String>,
}

impl Lowering {
    fn expression(&mut self, at: IdedExpr) -> IdedExpr {
        let id = at.id;
        let expr = match at.expr {
            Expr::Select(mut select) => {
                select.operand = Box::new(self.expression(*select.operand));
                Expr::Select(select)
            }
            Expr::Call(call) => self.call(id, call),
            Expr::List(list) => self.list(id, list),
            Expr::Comprehension(walk) => self.comprehension(id, *walk),
            other => other,
        };
        IdedExpr { id, expr }
    }

    fn each(&mut self, all: Vec<IdedExpr>) -> Vec<IdedExpr> {
        all.into_iter().map(|one| self.expression(one)).collect()
    }

    /// A pattern is made now. A walk through a document that no loop changes is made once in each evaluation.
    fn call(&mut self, id: u64, mut call: CallExpr) -> Expr {
        let pattern = call.args.last().and_then(|last| match &last.expr {
            Expr::Literal(LiteralValue::String(literal)) => pattern_of(&call.func_name, literal.inner())?.ok(),
            _ => None,
        });
        if let Some(pattern) = pattern
            && let Some(last) = call.args.last_mut()
        {
            last.expr = self.constant("pattern", Constant::Pattern(pattern));
        }
        call.target = call.target.map(|target| Box::new(self.expression(*target)));
        call.args = self.each(call.args);
        let walks = Function::named(&call.func_name).is_some_and(|function| function.walks);
        if !walks || call.args.iter().any(|argument| self.changes(argument)) {
            return Expr::Call(call);
        }
        let name = format!("@{} {}(…)", self.calls.len(), call.func_name);
        self.calls.push((name.clone(), IdedExpr { id, expr: Expr::Call(call) }));
        Expr::Ident(name)
    }

    fn constant(&mut self, what: &str, constant: Constant) -> Expr {
        let name = format!("@c{} {what}", self.constants.len());
        self.constants.push((name.clone(), constant));
        Expr::Ident(name)
    }

    fn list(&mut self, id: u64, list: ListExpr) -> Expr {
        let literals: Option<Array> =
            list.elements.iter().map(literal).collect::<Option<Vec<_>>>().map(|all| all.into_iter().collect());
        if let Some(list) = literals {
            return self.constant("list", Constant::List(Json::Array(list)));
        }
        let elements = self.each(list.elements);
        ours(IdedExpr { id, expr: Expr::List(ListExpr::new(elements)) })
    }

    /// The evaluator knows `map` and `filter` by their exact shape: only what their author wrote is lowered.
    fn comprehension(&mut self, id: u64, mut walk: ComprehensionExpr) -> Expr {
        walk.iter_range = self.expression(walk.iter_range);
        self.loops.push(walk.iter_var.clone());
        let makes_list = matches!(walk.accu_init.expr, Expr::List(_));
        walk.loop_step = if makes_list { self.appending(walk.loop_step) } else { self.expression(walk.loop_step) };
        self.loops.pop();
        let walk = IdedExpr { id, expr: Expr::Comprehension(Box::new(walk)) };
        if makes_list { ours(walk) } else { walk.expr }
    }

    /// `@result + [item]`, alone or as `condition ? @result + [item] : @result`.
    fn appending(&mut self, step: IdedExpr) -> IdedExpr {
        let Expr::Call(mut call) = step.expr else { return step };
        let conditional = call.func_name == operators::CONDITIONAL;
        call.args = std::mem::take(&mut call.args)
            .into_iter()
            .enumerate()
            .map(|(n, argument)| match argument.expr {
                Expr::List(list) if !conditional && n == 1 => {
                    let elements = self.each(list.elements);
                    IdedExpr { id: argument.id, expr: Expr::List(ListExpr::new(elements)) }
                }
                _ if conditional && n == 0 => self.expression(argument),
                _ if conditional && n == 1 => self.appending(argument),
                _ => argument,
            })
            .collect();
        IdedExpr { id: step.id, expr: Expr::Call(call) }
    }

    /// Whether a loop's variable is in it.
    fn changes(&self, at: &IdedExpr) -> bool {
        match &at.expr {
            Expr::Ident(name) => self.loops.contains(name),
            Expr::Select(select) => self.changes(&select.operand),
            Expr::Call(call) => {
                call.target.iter().map(|target| &**target).chain(&call.args).any(|one| self.changes(one))
            }
            Expr::List(list) => list.elements.iter().any(|one| self.changes(one)),
            Expr::Literal(_) => false,
            _ => !self.loops.is_empty(),
        }
    }
}

/// A list of the evaluator, made ours.
fn ours(list: IdedExpr) -> Expr {
    Expr::Call(CallExpr { func_name: "@list".into(), target: None, args: vec![list] })
}

fn literal(element: &IdedExpr) -> Option<Json> {
    match &element.expr {
        Expr::Literal(value) => Json::of(value.to_val().as_ref()),
        _ => None,
    }
}
