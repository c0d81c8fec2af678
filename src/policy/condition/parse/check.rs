//! Names, arguments and sizes: what would fail in every evaluation is refused when the policy is loaded.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, SourceInfo};

use super::super::ParseProblem;
use super::super::functions::{FUNCTIONS, Function, VARIABLES, literal_problem};
use super::super::program::Named;
use super::fields::{self, Loop};
use crate::policy::Extension;
use crate::yaml::did_you_mean;

/// Checks `expression`, and says what it speaks of.
pub(super) fn check(source: &str, info: &SourceInfo, expression: &IdedExpr) -> Result<Named, ParseProblem> {
    let mut check = Check { source, info, named: Named::default(), nodes: 0, depth: 0, loops: Vec::new() };
    check.visit(expression, true)?;
    Ok(check.named)
}

struct Check<'s> {
    source: &'s str,
    info: &'s SourceInfo,
    named: Named,
    nodes: usize,
    depth: usize,
    loops: Vec<Loop>,
}

impl Check<'_> {
    fn problem(&self, at: &IdedExpr, text: String) -> ParseProblem {
        let offset = self.info.offset_for(at.id).map(|(start, _)| start as usize);
        ParseProblem { text, offset: offset.filter(|at| self.source.is_char_boundary(*at)) }
    }

    /// As [`Check::problem`], where the name of what is called stands.
    fn problem_with_call(&self, at: &IdedExpr, name: &str, text: String) -> ParseProblem {
        let mut problem = self.problem(at, text);
        let before = problem.offset.and_then(|at| self.source.get(..at)).map(str::trim_end);
        if let Some(start) = before.and_then(|before| before.strip_suffix(name)) {
            problem.offset = Some(start.len());
        }
        problem
    }

    /// Visits an expression; one whose path is part of a longer one is not `named` by itself.
    fn visit(&mut self, at: &IdedExpr, named: bool) -> Result<(), ParseProblem> {
        self.nodes += 1;
        self.depth += 1;
        if self.nodes > MOST_NODES || self.depth > DEEPEST {
            let text = format!("the condition has more than {MOST_NODES} parts, or parts more than {DEEPEST} deep");
            return Err(self.problem(at, text));
        }
        if named && let Some(path) = fields::path(at, &self.loops).filter(|path| path.contains('.')) {
            self.named.fields.insert(path);
        }
        match &at.expr {
            Expr::Ident(name) => self.name(at, name)?,
            Expr::Select(select) => self.select(at, select)?,
            Expr::Call(call) => self.call(at, call)?,
            Expr::Comprehension(comprehension) => self.comprehension(at, comprehension)?,
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.visit(element, true))?,
            Expr::Literal(LiteralValue::Bytes(_)) => {
                return Err(self.problem(at, "documents have no bytes: write a string".into()));
            }
            Expr::Literal(_) => {}
            Expr::Map(_) | Expr::Struct(_) => {
                return Err(self.problem(at, "a condition cannot write maps; lists it can".into()));
            }
            Expr::Unspecified => return Err(self.problem(at, "the condition cannot be parsed".into())),
        }
        self.depth -= 1;
        Ok(())
    }

    fn name(&mut self, at: &IdedExpr, name: &str) -> Result<(), ParseProblem> {
        self.named.now |= name == "now";
        let known = name.starts_with('@') || self.loops.iter().any(|one| one.variable == name);
        if known || TYPES.contains(&name) || variables().any(|variable| variable == name) {
            return Ok(());
        }
        let mut in_scope: Vec<&str> = variables().collect();
        in_scope.extend(self.loops.iter().map(|one| one.variable.as_str()));
        let meant = did_you_mean(name, in_scope);
        let all: Vec<_> = variables().collect();
        let text = match Function::named(name) {
            Some(function) => format!("`{name}` is a function: {}", function.signature),
            None if meant.is_empty() => format!("no variable is called `{name}`: there are {}", all.join(", ")),
            None => format!("no variable is called `{name}`{meant}"),
        };
        Err(self.problem(at, text))
    }

    /// The facts beside the document have known fields.
    fn select(&mut self, at: &IdedExpr, select: &SelectExpr) -> Result<(), ParseProblem> {
        self.visit(&select.operand, false)?;
        let Some(of) = fields::path(&select.operand, &self.loops) else { return Ok(()) };
        let known: Vec<&str> = match of.as_str() {
            "signer" | "image" => VARIABLES
                .iter()
                .filter_map(|one| one.name.split_once('.'))
                .filter(|one| one.0 == of)
                .map(|one| one.1)
                .collect(),
            "signer.extensions" => Extension::ALL.iter().map(|extension| extension.key()).collect(),
            _ => return Ok(()),
        };
        if known.contains(&select.field.as_str()) {
            return Ok(());
        }
        let meant = did_you_mean(&select.field, known.iter().copied());
        let all = if meant.is_empty() { format!(": there are {}", known.join(", ")) } else { meant };
        Err(self.problem(at, format!("`{of}` has no `{}`{all}", select.field)))
    }

    fn call(&mut self, at: &IdedExpr, call: &CallExpr) -> Result<(), ParseProblem> {
        if is_operator(&call.func_name) {
            // What an index is taken of is part of a longer path.
            let index = call.func_name == INDEX;
            return call.args.iter().enumerate().try_for_each(|(n, one)| self.visit(one, !index || n > 0));
        }
        let name = call.func_name.as_str();
        let Some(function) = Function::named(name) else {
            let meant = did_you_mean(name, FUNCTIONS.iter().map(|function| function.name));
            return Err(self.problem_with_call(at, name, format!("no function is called `{name}`{meant}")));
        };
        if !function.takes(call.target.is_some(), call.args.len()) {
            let text = format!("`{name}` is called as {}", function.signature);
            return Err(self.problem_with_call(at, name, text));
        }
        if let Some(target) = &call.target {
            self.visit(target, true)?;
        }
        for (n, argument) in call.args.iter().enumerate() {
            let position = n + usize::from(call.target.is_some());
            let literal = match &argument.expr {
                Expr::Literal(LiteralValue::String(literal)) => Some(literal.inner()),
                _ => None,
            };
            if let Some(text) = literal_problem(name, position, literal) {
                return Err(self.problem(argument, text));
            }
            self.visit(argument, true)?;
        }
        if function.walks {
            self.named.functions.insert(function.name);
        }
        Ok(())
    }

    fn comprehension(&mut self, at: &IdedExpr, walk: &ComprehensionExpr) -> Result<(), ParseProblem> {
        self.visit(&walk.iter_range, true)?;
        let variable = walk.iter_var.clone();
        if variables().any(|name| name == variable) || TYPES.contains(&variable.as_str()) || variable.starts_with('@') {
            return Err(self.problem(at, format!("`{variable}` has a meaning already: call the item something else")));
        }
        let path = fields::path(&walk.iter_range, &self.loops);
        self.loops.push(Loop { variable, path });
        for part in [&walk.accu_init, &walk.loop_cond, &walk.loop_step, &walk.result] {
            self.visit(part, true)?;
        }
        self.loops.pop();
        Ok(())
    }
}

/// The variables, without the fields of some.
fn variables() -> impl Iterator<Item = &'static str> {
    ["predicate", "statement", "signer", "image", "now"].into_iter()
}

/// Operators bear names that no source can write.
fn is_operator(name: &str) -> bool {
    name.starts_with(['_', '@', '!', '-'])
}

const INDEX: &str = cel::common::ast::operators::INDEX;

/// What `type(x)` may be compared with.
const TYPES: [&str; 8] = ["bool", "double", "int", "list", "map", "null_type", "string", "uint"];

/// Parts of an expression, those counted that macros add.
const MOST_NODES: usize = 2000;

/// How deeply the parts may be nested: the evaluator recurses, and without optimisation takes 40 KiB a level.
const DEEPEST: usize = 32;
