//! Evaluating a condition: what it would cost, then its value.

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cel::common::types::CelBool;
use cel::{Context, Value};

use super::bindings::bindings;
use super::cost::{self, Meter, Scope, TooMuch};
use super::facts::Facts;
use super::functions::environment;
use super::json::Json;
use super::program::Program;
use super::{Failure, printable};
use crate::reason::Reason;

mod error;

pub(super) use error::with_article;

/// The value of `program`. A panic of the evaluator is a failure like any other.
pub(super) fn evaluate(program: &Program, facts: &Facts<'_>) -> Result<bool, Failure> {
    let value = catch_unwind(AssertUnwindSafe(|| value(program, facts)));
    value.unwrap_or_else(|_| Err(failed("the evaluation broke off")))
}

fn value(program: &Program, facts: &Facts<'_>) -> Result<bool, Failure> {
    let variables = bindings(facts);
    let mut context = Context::with_env(environment().map_err(|why| failed(&why))?);
    let mut scope: Scope<'_> = Vec::new();
    for (name, value) in &variables {
        context.add_variable_as_val(*name, value.clone().boxed());
        scope.push(cost::variable(name, value));
    }
    for (name, constant) in &program.constants {
        context.add_variable_as_val(name, constant.boxed());
        scope.push((name.clone(), constant.bound()));
    }
    let mut meter = Meter::new();
    let made: Vec<OnceCell<Json>> = program.calls.iter().map(|_| OnceCell::new()).collect();
    let mut broken = Vec::new();
    for ((name, call), cell) in program.calls.iter().zip(&made) {
        meter.bound(call, &scope).map_err(|much| too_much(&much))?;
        match Value::resolve_val(call, &context) {
            Ok(value) => {
                let json = Json::of(value.as_ref()).ok_or_else(|| failed("a function gave what it must not"))?;
                scope.push(cost::variable(name, cell.get_or_init(|| json)));
            }
            // Only to whoever asks for it: the condition may have tested for what is missing.
            Err(error) => broken.push((name.as_str(), error::text(&error, call, &[]))),
        }
        if let Some(json) = cell.get() {
            context.add_variable_as_val(name, json.clone().boxed());
        }
    }
    meter.bound(&program.expression, &scope).map_err(|much| too_much(&much))?;
    let value = Value::resolve_val(&program.expression, &context)
        .map_err(|error| failed(&error::text(&error, &program.expression, &broken)))?;
    let not_bool = || format!("its value is {}, not true or false", with_article(value.get_type().name()));
    value.downcast_ref::<CelBool>().map(|value| *value.inner()).ok_or_else(|| failed(&not_bool()))
}

fn failed(why: &str) -> Failure {
    Failure { reason: Reason::ConditionError, detail: printable(&format!("the condition has no value: {why}")) }
}

fn too_much(much: &TooMuch) -> Failure {
    Failure { reason: Reason::ConditionBudget, detail: printable(&much.text()) }
}
