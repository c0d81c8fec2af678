//! Conditions of an attestation as a condition in CEL.
//!
//! Kyverno looks every variable up before it compares anything, and a field that is not there fails the attestation, also in
//! a block of alternatives. Here a field that is not there is an error, and an error denies; where another alternative could
//! hide it, the fields are asked for first.

use std::collections::BTreeSet;

use super::element::Element;
use super::node::Value;
use expression::Expression;
use literal::Literal;
use operator::Operator;
use walk::Quantifier;

mod expression;

mod literal;

mod operator;

#[cfg(test)]
mod tests;

mod time;

mod token;

mod walk;

/// Translates the list of blocks to conditions that must all hold.
pub(super) fn translate(list: &Element<'_>) -> Option<Vec<String>> {
    let mut conditions = Vec::new();
    let blocks: Vec<_> = list.items()?.iter().map(|block| self::block(block, &mut conditions)).collect();
    blocks.into_iter().collect::<Option<Vec<()>>>().map(|_| conditions)
}

fn block(block: &Element<'_>, to: &mut Vec<String>) -> Option<()> {
    let fields = block.fields()?;
    let (all, any) = (fields.take("all"), fields.take("any"));
    fields.finish();
    if let Some(all) = all {
        let items = all.items()?;
        let each: Vec<_> = items.iter().map(condition).collect();
        to.extend(each.into_iter().collect::<Option<Vec<_>>>()?.into_iter().map(|condition| condition.test));
    }
    if let Some(any) = any {
        let items = any.items()?;
        if items.is_empty() {
            return any.refuse("it is empty, and so it never holds");
        }
        let each: Vec<_> = items.iter().map(condition).collect();
        let each: Vec<Condition> = each.into_iter().collect::<Option<_>>()?;
        to.extend(alternatives(&each));
    }
    Some(())
}

/// One comparison.
#[derive(Debug)]
struct Condition {
    test: String,
    /// What must be there, or nothing is compared at all.
    needs: Vec<String>,
}

fn condition(item: &Element<'_>) -> Option<Condition> {
    let fields = item.fields()?;
    fields.not_needed(&[("message", "the denial says which condition did not hold")]);
    let (key, operator, value) = (fields.take("key"), fields.take("operator"), fields.take("value"));
    fields.finish();
    let (Some(key), Some(operator), Some(value)) = (key, operator, value) else {
        return item.refuse("`key`, `operator` and `value` are all needed");
    };
    let name = operator.text()?;
    let Some(operator) = operator::named(name) else {
        return operator.refuse(format!("`{name}` is no operator of Kyverno's conditions"));
    };
    warn(&key, name);
    let condition = compare(item, key.value, operator, value.value)?;
    item.exact(format!("condition `{}`", condition.test));
    Some(condition)
}

fn compare(item: &Element<'_>, key: &Value, operator: Operator, value: &Value) -> Option<Condition> {
    let variable = |value: &Value| match value {
        Value::Text(text) => expression::variable(text).map(expression::parse),
        _ => None,
    };
    match (variable(key), variable(value)) {
        (Some(key), None) => {
            let key = item.accept(key)?;
            let test = item.accept(test(&key, operator, value))?;
            if let Some(age) = age(&key, operator, value) {
                item.suggest(age);
            }
            Some(Condition { test, needs: needs(&key) })
        }
        (None, Some(list)) => {
            let list = item.accept(list)?;
            let test = item.accept(reversed(key, operator, &list))?;
            Some(Condition { test, needs: needs(&list) })
        }
        (Some(_), Some(_)) => item.refuse("two variables cannot be compared"),
        (None, None) => {
            item.refuse("one side is a variable of the predicate, by itself, such as `{{ components[].name }}`")
        }
    }
}

fn test(key: &Expression, operator: Operator, value: &Value) -> Result<String, String> {
    match (operator, key) {
        (Operator::Equals(equal), _) => operator::equals(key, equal, &Literal::read(value)?),
        (Operator::Order(sign), _) => operator::order(key, sign, &Literal::read(value)?),
        (Operator::Member(member), Expression::Path(_)) if member.old && !is_list(value) => {
            Err("`In` and `NotIn` take lists only".into())
        }
        (Operator::Member(member), Expression::Path(path)) => operator::member(path, member, &Literal::list(value)?),
        (Operator::Member(_), _) => Err("only a path can be looked for in a list".into()),
    }
}

fn is_list(value: &Value) -> bool {
    match value {
        Value::List(_) => true,
        Value::Text(text) => text.trim_start().starts_with('['),
        _ => false,
    }
}

/// A literal key among what the predicate says.
fn reversed(key: &Value, operator: Operator, list: &Expression) -> Result<String, String> {
    let one = Literal::read(key)?;
    match (operator, list) {
        (Operator::Member(member), Expression::Path(path)) if path.is_projection() && !one.has_wildcards() => {
            let quantifier = if member.among { Quantifier::Exists } else { Quantifier::All };
            operator::member(path, operator::Member { quantifier, ..member }, &[one])
        }
        _ => {
            Err("with the variable on the right, a text can only be looked for in a list such as `{{ tags[] }}`".into())
        }
    }
}

/// What must be there: of a projection the list that it begins with, of whose items it gathers what there is.
fn needs(expression: &Expression) -> Vec<String> {
    expression::paths(expression).into_iter().filter_map(|path| walk::present(&path.beginning())).collect()
}

/// How an age can be said better.
fn age(key: &Expression, operator: Operator, value: &Value) -> Option<String> {
    let (Expression::TimeSince(from, None), Operator::Order("<" | "<=")) = (key, operator) else { return None };
    let limit = time::of(&Literal::read(value).ok()?).filter(|limit| limit.0 > 0)?;
    let field = time::field(from)?;
    Some(format!(
        "`maxAge: {}` with `ageFrom: {field}` instead holds exactly until it ends, and is denied as `too_old`; what says a \
         time more than 5 minutes ahead does not count then",
        limit.age()
    ))
}

/// One of the tests must hold, and all fields be there.
fn alternatives(conditions: &[Condition]) -> Vec<String> {
    let needs: BTreeSet<&String> = conditions.iter().flat_map(|condition| &condition.needs).collect();
    let hidden = needs.len() > 1 || conditions.iter().any(|condition| condition.needs.is_empty());
    let mut all: Vec<String> = Vec::new();
    if conditions.len() > 1 && hidden {
        all.extend(needs.into_iter().cloned());
    }
    let wrapped = |test: &String| if has_outside(test, "&&") { format!("({test})") } else { test.clone() };
    all.push(conditions.iter().map(|condition| wrapped(&condition.test)).collect::<Vec<_>>().join(" || "));
    all
}

/// The condition that all of them hold, each on a line of its own.
pub(super) fn all_of(conditions: &[String]) -> String {
    let open = |test: &String| conditions.len() > 1 && has_outside(test, "||");
    let wrapped = |test: &String| if open(test) { format!("({test})") } else { test.clone() };
    conditions.iter().map(wrapped).collect::<Vec<_>>().join("\n&& ")
}

/// Whether an operator stands in a test outside all parentheses.
fn has_outside(test: &str, operator: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for (at, c) in test.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            _ if !quoted && depth == 0 && test[at..].starts_with(operator) => return true,
            _ => {}
        }
    }
    false
}

fn warn(key: &Element<'_>, operator: &str) {
    if operator.eq_ignore_ascii_case("notin") {
        key.suggest(
            "of a list, Kyverno's `NotIn` holds if a single item is not among the values: `AllNotIn` is likely meant",
        );
    }
}

/// A text in CEL.
fn text(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_string(),
        '\\' => "\\\\".to_string(),
        '\n' => "\\n".to_string(),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
