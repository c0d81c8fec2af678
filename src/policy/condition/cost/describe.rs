//! Parts of an expression in words, for the messages about them.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

/// The way to a field as the source writes it, if the expression is one.
pub(in super::super) fn path(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        // What was taken out of the expression bears its text after a blank.
        Expr::Ident(name) => Some(name.split_once(' ').map_or(name.as_str(), |(_, text)| text).to_string()),
        Expr::Select(select) => Some(format!("{}.{}", path(&select.operand)?, select.field)),
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let of = path(call.args.first()?)?;
            match &call.args.get(1)?.expr {
                Expr::Literal(LiteralValue::Int(at)) => Some(format!("{of}[{}]", at.inner())),
                _ => Some(format!("{of}[…]")),
            }
        }
        _ => None,
    }
}

/// A list that a loop walks.
pub(super) fn list(expression: &IdedExpr) -> String {
    path(expression).map_or_else(|| "a list that it makes".to_string(), |path| format!("`{path}`"))
}
