//! Which field an expression stands for.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, Expr, LiteralValue, operators};

/// A loop around an expression: its variable, and the path of the list that it walks.
pub(super) struct Loop {
    pub(super) variable: String,
    pub(super) path: Option<String>,
}

/// The path of the field that `expression` stands for, such as `predicate.components.name`: items of a list have the
/// path of the list.
pub(super) fn path(expression: &IdedExpr, loops: &[Loop]) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => match loops.iter().rev().find(|one| one.variable == *name) {
            Some(one) => one.path.clone(),
            None => Some(name.clone()),
        },
        Expr::Select(select) => Some(format!("{}.{}", path(&select.operand, loops)?, select.field)),
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let of = path(call.args.first()?, loops)?;
            match &call.args.get(1)?.expr {
                Expr::Literal(LiteralValue::String(name)) => Some(format!("{of}.{}", name.inner())),
                _ => Some(of),
            }
        }
        Expr::Comprehension(walk) if filters(walk) => path(&walk.iter_range, loops),
        _ => None,
    }
}

/// Whether the loop gives items of its list as they are.
fn filters(walk: &ComprehensionExpr) -> bool {
    let appends_item = |step: &IdedExpr| match &step.expr {
        Expr::Call(call) if call.func_name == operators::ADD => match call.args.get(1).map(|added| &added.expr) {
            Some(Expr::List(list)) => {
                matches!(&list.elements[..], [IdedExpr { expr: Expr::Ident(name), .. }] if *name == walk.iter_var)
            }
            _ => false,
        },
        _ => false,
    };
    match &walk.loop_step.expr {
        Expr::Call(call) if call.func_name == operators::CONDITIONAL => call.args.get(1).is_some_and(appends_item),
        _ => false,
    }
}
