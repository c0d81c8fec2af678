//! Paths in CEL: fields, and every item of a list.

use super::expression::{Path, Step};
use super::text;

/// A path without projections, from the predicate.
pub(super) fn plain(path: &Path) -> String {
    path.0.iter().fold(PREDICATE.to_string(), |base, step| match step {
        Step::Field(name) => field(&base, name),
        Step::Index(index) => format!("{base}[{index}]"),
        Step::Each | Step::Filter { .. } => base,
    })
}

/// The test that a path without projections leads to something.
pub(super) fn present(path: &Path) -> Option<String> {
    let (Step::Field(name), before) = path.0.split_last()? else { return None };
    Some(has(&plain(&Path(before.to_vec())), name))
}

/// Whether a test is for each, or for one, of what a projection gathers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Exists,
}

/// The test for what a projection gathers. What has no such field is not gathered.
pub(super) fn quantified(
    path: &Path,
    quantifier: Quantifier,
    test: &dyn Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut names = Vec::new();
    walk(PREDICATE, &path.0, quantifier, &mut names, test)
}

fn walk(
    base: &str,
    steps: &[Step],
    quantifier: Quantifier,
    names: &mut Vec<String>,
    test: &dyn Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let (mut here, mut conditions) = (base.to_string(), Vec::new());
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Field(name) => {
                // From the predicate itself, what is missing is an error, as it is in Kyverno.
                if base != PREDICATE {
                    conditions.push(Given::that(has(&here, name)));
                }
                here = field(&here, name);
            }
            Step::Index(_) if base != PREDICATE => {
                return Err("an index behind a projection cannot be translated".into());
            }
            Step::Index(index) => here = format!("{here}[{index}]"),
            Step::Each | Step::Filter { .. } => {
                let name = variable(&here, names);
                let mut inner = walk(&name, &steps[at + 1..], quantifier, names, test)?;
                if let Step::Filter { field: key, equal, text: value } = step {
                    let found = format!("{} && {} == {}", has(&name, key), field(&name, key), text(value));
                    inner = quantifier
                        .under(&[Given { is: found.clone(), is_not: format!("!({found})") }.turned(!equal)], inner);
                }
                let word = if quantifier == Quantifier::All { "all" } else { "exists" };
                return Ok(quantifier.under(&conditions, format!("{here}.{word}({name}, {inner})")));
            }
        }
    }
    let test = test(&here)?;
    Ok(quantifier.under(&conditions, test))
}

/// What must be so for something to be gathered, and its opposite.
struct Given {
    is: String,
    is_not: String,
}

impl Given {
    fn that(is: String) -> Self {
        Self { is_not: format!("!{is}"), is }
    }

    fn turned(self, turn: bool) -> Self {
        if turn { Self { is: self.is_not, is_not: self.is } } else { self }
    }
}

impl Quantifier {
    /// `test`, for what is gathered.
    fn under(self, conditions: &[Given], test: String) -> String {
        if conditions.is_empty() {
            return test;
        }
        let (mark, other) = if self == Self::All { (" || ", " && ") } else { (" && ", " || ") };
        let test = if test.contains(other) { format!("({test})") } else { test };
        let parts = conditions.iter().map(|given| if self == Self::All { &given.is_not } else { &given.is });
        parts.chain([&test]).map(String::as_str).collect::<Vec<_>>().join(mark)
    }
}

/// A name for the items of a list: the first letter of the list's.
fn variable(list: &str, names: &mut Vec<String>) -> String {
    let field = list.rsplit('.').next().unwrap_or_default();
    let letter = field.chars().find(char::is_ascii_lowercase).unwrap_or('x').to_string();
    let free = |name: &String| !names.contains(name);
    let numbered = (2..).map(|number| format!("{letter}{number}"));
    let name = std::iter::once(letter.clone()).chain(numbered).find(free).unwrap_or_default();
    names.push(name.clone());
    name
}

fn field(base: &str, name: &str) -> String {
    if is_name(name) { format!("{base}.{name}") } else { format!("{base}[{}]", text(name)) }
}

fn has(base: &str, name: &str) -> String {
    if is_name(name) { format!("has({base}.{name})") } else { format!("({} in {base})", text(name)) }
}

/// Whether CEL takes it for the name of a field.
fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let starts = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    name.bytes().all(fits) && name.bytes().next().is_some_and(starts) && !RESERVED.contains(&name)
}

/// CEL's keywords and reserved words.
const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

const PREDICATE: &str = "predicate";

/// How many a projection gathers, where it gathers the items of one list.
pub(super) fn counted(path: &Path) -> Result<String, String> {
    let at = path.0.iter().position(|step| matches!(step, Step::Each | Step::Filter { .. }));
    let Some((before, [step, rest @ ..])) = at.map(|at| path.0.split_at(at)) else {
        return Err("nothing is gathered that could be counted".into());
    };
    let list = plain(&Path(before.to_vec()));
    let mut names = Vec::new();
    let item = variable(&list, &mut names);
    let gathered = walk(&item, rest, Quantifier::Exists, &mut names, &|_| Ok("true".into()))?;
    let mut tests: Vec<String> = Vec::new();
    if let Step::Filter { field: key, equal, text: value } = step {
        let found = format!("{} && {} == {}", has(&item, key), field(&item, key), text(value));
        tests.push(if *equal { found } else { format!("!({found})") });
    }
    if !rest.iter().all(|step| matches!(step, Step::Field(_))) {
        return Err("what is gathered in several lists cannot be counted".into());
    }
    // What leads nowhere is not gathered, and not counted.
    tests.extend(gathered.strip_suffix(" && true").map(str::to_string));
    Ok(if tests.is_empty() {
        format!("size({list})")
    } else {
        format!("size({list}.filter({item}, {}))", tests.join(" && "))
    })
}
