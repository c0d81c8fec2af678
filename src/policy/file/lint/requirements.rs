//! Requirements: branches that repeat one another, and fields that there are not.

use super::super::predicate;
use super::super::raw::{RawAttestation, RawRequirement};
use super::members::{Member, member};
use super::{Code, Lint, Place};
use crate::policy::FieldPath;
use crate::yaml::did_you_mean;

pub(super) fn lint<'a>(lint: &'a Lint<'a>) {
    for (place, raw, _) in lint.each_policy() {
        if let Some(require) = &raw.require {
            requirement(&place.key("require"), require);
        }
    }
}

fn requirement(place: &Place<'_>, raw: &RawRequirement) {
    if let Some(of) = &raw.all_of {
        branches(&place.key("allOf"), of, "it adds nothing");
    }
    if let Some(of) = &raw.any_of {
        branches(&place.key("anyOf"), of, "it adds nothing");
    }
    if let Some(of) = raw.at_least.as_ref().and_then(|raw| raw.of.as_ref()) {
        branches(&place.key("atLeast").key("of"), of, "the same signer counts once, however often it is named");
    }
    if let Some(raw) = &raw.attestation {
        attestation(&place.key("attestation"), raw);
    }
}

fn branches(list: &Place<'_>, of: &[RawRequirement], why: &str) {
    // Nothing of a requirement is hidden from its debugging text.
    let texts: Vec<String> = of.iter().map(|raw| format!("{raw:?}")).collect();
    for (index, raw) in of.iter().enumerate() {
        let place = list.index(index);
        if let Some(first) = texts[..index].iter().position(|text| *text == texts[index]) {
            let why = format!("it repeats `{}`: {why}", list.index(first).path);
            place.warn(Code::DuplicateBranch, why, "take it away, or correct it");
        }
        requirement(&place, raw);
    }
}

fn attestation(place: &Place<'_>, raw: &RawAttestation) {
    let Some(Ok(kind)) = raw.r#type.as_deref().map(predicate::parse) else { return };
    if let Some(Ok(path)) = raw.age_from.as_deref().map(FieldPath::parse) {
        let path: Vec<&str> = path.names().iter().map(String::as_str).collect();
        field(&place.key("ageFrom"), &path, &[], &member(&kind, &path), &kind);
    }
}

/// Says whether the field `path` is missing; `prefix` is what leads to it in a condition.
fn field(place: &Place<'_>, path: &[&str], prefix: &[&str], found: &Member, of: &str) {
    let Member::Missing { depth, siblings, open } = found else { return };
    let hint = did_you_mean(path[*depth], siblings.iter().copied());
    if *open && hint.is_empty() {
        return;
    }
    let spelled = |path: &[&str]| [prefix, path].concat().join(".");
    let why = format!("`{of}` has no `{}`{hint}", spelled(&path[..=*depth]));
    let within = spelled(&path[..*depth]);
    let within = if within.is_empty() { "it has".to_string() } else { format!("`{within}` has") };
    place.warn(Code::FieldUnknown, why, format!("{within} `{}`", siblings.join("`, `")));
}
