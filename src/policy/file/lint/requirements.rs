//! Requirements: branches that repeat one another, and fields that there are not.

use super::super::predicate;
use super::super::raw::{RawAttestation, RawRequirement};
use super::members::{Member, known, member, of_statement};
use super::{Code, Lint, Place};
use crate::policy::{Condition, FieldPath};
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
        field(&place.key("ageFrom"), None, &path, &member(&kind, &path), &kind);
    }
    if let Some(Ok(condition)) = raw.condition.as_deref().map(Condition::parse) {
        asked(&place.key("condition"), &condition, &kind);
    }
}

/// What a condition asks of documents that do not have it.
fn asked(place: &Place<'_>, condition: &Condition, kind: &str) {
    let mut told = Vec::new();
    for path in condition.fields() {
        let mut names = path.split('.');
        let (variable, names): (_, Vec<&str>) = (names.next().unwrap_or_default(), names.collect());
        let found = match variable {
            "predicate" => member(kind, &names),
            "statement" => of_statement(kind, &names),
            _ => continue,
        };
        // What stands within a field that is missing is missing with it.
        if let Member::Missing { depth, .. } = &found {
            let first = (variable.to_string(), names[..=*depth].join("."));
            if !told.contains(&first) {
                told.push(first);
                field(place, Some(variable), &names, &found, kind);
            }
        }
    }
    for function in condition.functions() {
        let reads = FUNCTIONS.iter().find(|(names, _)| names.contains(&function));
        if let Some((_, kinds)) = reads
            && let Some(known) = known(kind)
            && !kinds.contains(&known)
        {
            let why = format!("`{function}` reads `{}`, and this is `{kind}`: it always fails", kinds.join("` and `"));
            place.warn(Code::FunctionMismatch, why, "call it in a condition for such attestations");
        }
    }
}

/// Says whether the field `path` of a predicate, or of the variable of a condition, is missing.
fn field(place: &Place<'_>, variable: Option<&str>, path: &[&str], found: &Member, of: &str) {
    let Member::Missing { depth, siblings, open } = found else { return };
    let hint = did_you_mean(path[*depth], siblings.iter().copied());
    if *open && hint.is_empty() {
        return;
    }
    let spelled = |path: &[&str]| variable.into_iter().chain(path.iter().copied()).collect::<Vec<_>>().join(".");
    let why = format!("there is no `{}` in `{of}`{hint}", spelled(&path[..=*depth]));
    let within = spelled(&path[..*depth]);
    let within = if within.is_empty() { "the predicate has".to_string() } else { format!("`{within}` has") };
    place.warn(Code::FieldUnknown, why, format!("{within} `{}`", siblings.join("`, `")));
}

/// What functions on documents read.
const FUNCTIONS: [(&[&str], &[&str]); 3] = [
    (
        &["components", "componentNames", "hasComponent", "licenses"],
        &["https://cyclonedx.org/bom", "https://spdx.dev/Document"],
    ),
    (
        &["vulnerabilities", "severities", "vulnerabilityCount", "worstSeverity"],
        &["https://cosign.sigstore.dev/attestation/vuln", "https://in-toto.io/attestation/vulns"],
    ),
    (&["builder", "source", "materials"], &["https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"]),
];
