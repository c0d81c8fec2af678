//! Requirements: the tree as written, with its leaves bound to authorities that exist.

use super::raw::{RawAtLeast, RawAttestation, RawRequirement, RawSignature};
use super::{Declared, Name, predicate, time};
use crate::policy::{Leaf, Requirement};
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
    on(at, raw.on.as_deref());
    Some(Leaf::Signature { by: by(at, raw.by.as_ref(), declared)? })
}

fn attestation(at: &At<'_>, raw: &RawAttestation, declared: &Declared) -> Option<Leaf> {
    on(at, raw.on.as_deref());
    // Without a condition, all three mean that there is at least one.
    if let Some(select) = raw.select.as_deref()
        && !["newest", "any", "all"].contains(&select)
    {
        at.key("select").problem(format!("`{select}` is not one of `newest`, `any`, `all`"));
    }
    if let Some(age) = &raw.max_age {
        at.key("maxAge").accept(time::age(age));
    }
    if raw.condition.as_ref().is_some_and(|condition| condition.trim().is_empty()) {
        at.key("condition").problem("it is empty");
    }
    if raw.age_from.is_some() && raw.max_age.is_none() {
        at.key("ageFrom").problem("`ageFrom` needs a `maxAge`");
    }
    for (key, given) in
        [("condition", raw.condition.is_some()), ("maxAge", raw.max_age.is_some()), ("ageFrom", raw.age_from.is_some())]
    {
        if given {
            at.unsupported(key);
        }
    }
    let predicate_type = at.require("type", raw.r#type.as_ref());
    let predicate_type = predicate_type.and_then(|text| at.key("type").accept(predicate::parse(text)));
    Some(Leaf::Attestation { by: by(at, raw.by.as_ref(), declared)?, predicate_type: predicate_type? })
}

fn by(at: &At<'_>, name: Option<&String>, declared: &Declared) -> Option<Name> {
    declared.authority(&at.key("by"), at.require("by", name)?)
}

fn on(at: &At<'_>, text: Option<&str>) {
    match text {
        None | Some("index") => {}
        Some("platform") => at.key("on").problem("`on: platform` is not yet supported"),
        Some(other) => at.key("on").problem(format!("`{other}` is not one of `index`, `platform`")),
    }
}
