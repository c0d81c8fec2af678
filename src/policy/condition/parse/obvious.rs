//! What can obviously not be true or false.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use super::super::functions::{Function, Kind};

/// What `expression` is, if it is certainly no bool.
pub(super) fn not_bool(expression: &IdedExpr) -> Option<&'static str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::Boolean(_)) => None,
        Expr::Literal(LiteralValue::String(_)) => Some(Kind::Text.word()),
        Expr::Literal(LiteralValue::Null) => Some("null"),
        Expr::Literal(_) => Some(Kind::Number.word()),
        Expr::List(_) => Some(Kind::List.word()),
        Expr::Comprehension(walk) => matches!(walk.accu_init.expr, Expr::List(_)).then(|| Kind::List.word()),
        Expr::Ident(name) => match name.as_str() {
            "now" => Some(Kind::Timestamp.word()),
            "statement" | "signer" | "image" => Some("an object"),
            _ => None,
        },
        Expr::Call(call) => match call.func_name.as_str() {
            operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => {
                call.args.iter().find_map(not_bool)
            }
            operators::CONDITIONAL => call.args.iter().find_map(not_bool),
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO
            | operators::NEGATE => Some("a number, text, list or time"),
            name => match Function::named(name)?.gives {
                Kind::Bool | Kind::Any => None,
                other => Some(other.word()),
            },
        },
        _ => None,
    }
}
