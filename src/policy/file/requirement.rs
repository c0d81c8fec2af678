//! Requirements: the tree as written, with its leaves bound to authorities that exist.

use std::collections::BTreeMap;

use super::raw::{RawAtLeast, RawAttestation, RawRequirement, RawSignature};
use super::{Declared, Name, predicate, time};
use crate::policy::condition::ParseProblem;
use crate::policy::{Attestation, Condition, FieldPath, Leaf, On, Requirement, Select};
use crate::yaml::At;

/// Builds a requirement.
pub(super) fn build(at: &At<'_>, raw: &RawRequirement, declared: &Declared) -> Option<Requirement> {
    at.exactly_one(&[
        ("allOf", raw.all_of.is_some()),
        ("anyOf", raw.any_of.is_some()),
        ("atLeast", raw.at_least.is_some()),
        ("signature", raw.signature.is_some()),
        ("attestation", raw.attestation.is_some()),
    ])?;
    if let Some(of) = &raw.all_of {
        return branches(&at.key("allOf"), of, declared).map(Requirement::AllOf);
    }
    if let Some(of) = &raw.any_of {
        return branches(&at.key("anyOf"), of, declared).map(Requirement::AnyOf);
    }
    if let Some(raw) = &raw.at_least {
        return at_least(&at.key("atLeast"), raw, declared);
    }
    if let Some(raw) = &raw.signature {
        return signature(&at.key("signature"), raw, declared).map(Requirement::Leaf);
    }
    attestation(&at.key("attestation"), raw.attestation.as_ref()?, declared).map(Requirement::Leaf)
}

fn branches(at: &At<'_>, of: &[RawRequirement], declared: &Declared) -> Option<Vec<Requirement>> {
    if of.is_empty() {
        at.problem("an empty list requires nothing, and nothing is never enough");
    }
    // Every branch is judged, so that every problem is told.
    let built: Vec<_> = of.iter().enumerate().map(|(index, raw)| build(&at.index(index), raw, declared)).collect();
    built.into_iter().collect()
}

fn at_least(at: &At<'_>, raw: &RawAtLeast, declared: &Declared) -> Option<Requirement> {
    let n = at.require("n", raw.n.as_ref()).copied();
    let of = at.require("of", raw.of.as_ref())?;
    if let Some(n) = n
        && !of.is_empty()
        && !(1..=of.len()).contains(&n)
    {
        at.key("n").problem(format!("{n} of {}: expected 1 to {}", of.len(), of.len()));
    }
    let of = branches(&at.key("of"), of, declared)?;
    Some(Requirement::AtLeast { n: n?, of })
}

fn signature(at: &At<'_>, raw: &RawSignature, declared: &Declared) -> Option<Leaf> {
    let on = on(at, raw.on.as_deref());
    let annotations = raw.annotations.clone().unwrap_or_default();
    if raw.annotations.as_ref().is_some_and(BTreeMap::is_empty) {
        at.key("annotations").problem("an empty `annotations` demands nothing");
    }
    Some(Leaf::Signature { by: by(at, raw.by.as_ref(), declared)?, on, annotations })
}

fn by(at: &At<'_>, name: Option<&String>, declared: &Declared) -> Option<Name> {
    declared.authority(&at.key("by"), at.require("by", name)?)
}

fn on(at: &At<'_>, text: Option<&str>) -> On {
    match text {
        None | Some("index") => {}
        Some("platform") => return On::Platform,
        Some(other) => at.key("on").problem(format!("`{other}` is not one of `index`, `platform`")),
    }
    On::Index
}

/// What an attestation must be.
fn attestation(at: &At<'_>, raw: &RawAttestation, declared: &Declared) -> Option<Leaf> {
    let (on, select) = (on(at, raw.on.as_deref()), select(at, raw.select.as_deref()));
    let max_age = raw.max_age.as_ref().and_then(|age| at.key("maxAge").accept(time::age(age)));
    let age_from = raw.age_from.as_ref().and_then(|path| at.key("ageFrom").accept(FieldPath::parse(path)));
    let condition = raw.condition.as_ref().and_then(|source| condition(&at.key("condition"), source));
    let predicate_type = at.require("type", raw.r#type.as_ref());
    let predicate_type = predicate_type.and_then(|text| at.key("type").accept(predicate::parse(text)));
    let by = by(at, raw.by.as_ref(), declared);
    if let Some(by) = by.as_ref().filter(|_| raw.age_from.is_none())
        && declared.has_key(by)
    {
        let orders = select == Select::Newest && raw.condition.is_some();
        for (key, what) in [("maxAge", raw.max_age.is_some()), ("condition", orders && raw.max_age.is_none())] {
            if what {
                at.key(key).problem(format!(
                    "`{by}` is a key, and anyone may log an old signature of a key again: name the field that says when \
                     (`ageFrom`){}",
                    if key == "condition" { ", or say `select: any` or `select: all`" } else { "" }
                ));
            }
        }
    }
    let (by, predicate_type) = (by?, predicate_type?);
    Some(Leaf::Attestation(Attestation { by, predicate_type, on, select, condition, max_age, age_from }))
}

fn select(at: &At<'_>, text: Option<&str>) -> Select {
    match text {
        None | Some("newest") => {}
        Some("any") => return Select::Any,
        Some("all") => return Select::All,
        Some(other) => at.key("select").problem(format!("`{other}` is not one of `newest`, `any`, `all`")),
    }
    Select::Newest
}

fn condition(at: &At<'_>, source: &str) -> Option<Condition> {
    if source.trim().is_empty() {
        at.problem("it is empty");
        return None;
    }
    let placed = |problem: ParseProblem| match problem.spot(source) {
        Some((1, column)) if source.lines().count() == 1 => format!("{}, at its character {column}", problem.text),
        Some((line, column)) => format!("{}, in its line {line} at character {column}", problem.text),
        None => problem.text,
    };
    at.accept(Condition::parse(source).map_err(placed))
}
