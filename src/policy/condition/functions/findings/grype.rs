//! grype's own JSON: `matches` is always there, empty if there are none.

use super::super::super::json::{Json, Object};
use super::{Finding, Severity, objects, optional};

/// Whether `report` looks like grype's.
pub(super) fn is(report: &Object) -> bool {
    report.get("matches").is_some() && report.object("descriptor").and_then(|by| by.text("name")) == Some("grype")
}

pub(super) fn read(report: &Object) -> Result<Vec<Finding<'_>>, String> {
    let matches = report.array("matches").ok_or("grype's `matches` is no list")?;
    objects(matches).map(|one| finding(one?)).collect()
}

fn finding(one: &Object) -> Result<Finding<'_>, String> {
    let vulnerability = one.object("vulnerability").ok_or("a match of grype has no `vulnerability`")?;
    let artifact = one.object("artifact").ok_or("a match of grype has no `artifact`")?;
    Ok(Finding {
        id: vulnerability.text("id").ok_or("a vulnerability of grype has no `id`")?,
        severity: Severity::parse(optional(vulnerability, "severity")?)?,
        package: optional(artifact, "name")?,
        version: optional(artifact, "version")?,
        fixed: fixed(vulnerability)?,
    })
}

fn fixed(vulnerability: &Object) -> Result<String, String> {
    let versions = match vulnerability.object("fix").and_then(|fix| fix.get("versions")) {
        None | Some(Json::Null) => return Ok(String::new()),
        Some(versions) => versions.as_array().ok_or("the versions of a fix are no list")?,
    };
    let versions: Option<Vec<&str>> = versions.iter().map(Json::as_text).collect();
    versions.map(|versions| versions.join(", ")).ok_or_else(|| "a version of a fix is no text".into())
}
