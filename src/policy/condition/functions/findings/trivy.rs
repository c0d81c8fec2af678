//! trivy's own JSON.
//!
//! trivy leaves out what is empty: a result without `Vulnerabilities` has none, and a report of nothing that it could
//! scan has no `Results`. Only a result of packages shows that there was a scan to find something.

use super::super::super::json::{Json, Object};
use super::{Finding, Severity, objects, optional};

/// Whether `report` looks like trivy's.
pub(super) fn is(report: &Object) -> bool {
    matches!(report.get("SchemaVersion"), Some(Json::Int(_)))
}

pub(super) fn read(report: &Object) -> Result<Vec<Finding<'_>>, String> {
    let Some(Json::Int(version)) = report.get("SchemaVersion") else { return Err("no `SchemaVersion`".into()) };
    if *version.inner() != 2 {
        return Err(format!("trivy's schema {} is not known", version.inner()));
    }
    let results = match report.get("Results") {
        None | Some(Json::Null) => &[],
        Some(results) => results.as_array().ok_or("trivy's `Results` is no list")?,
    };
    let (mut all, mut scanned) = (Vec::new(), false);
    for result in objects(results) {
        let result = result?;
        scanned |= matches!(result.text("Class"), Some("os-pkgs" | "lang-pkgs"));
        let found = match result.get("Vulnerabilities") {
            None | Some(Json::Null) => continue,
            Some(found) => found.as_array().ok_or("trivy's `Vulnerabilities` is no list")?,
        };
        scanned = true;
        for one in objects(found) {
            all.push(finding(one?)?);
        }
    }
    if scanned { Ok(all) } else { Err("trivy scanned no packages: no result is of class os-pkgs or lang-pkgs".into()) }
}

fn finding(one: &Object) -> Result<Finding<'_>, String> {
    Ok(Finding {
        id: one.text("VulnerabilityID").ok_or("a finding of trivy has no `VulnerabilityID`")?,
        severity: Severity::parse(optional(one, "Severity")?)?,
        package: optional(one, "PkgName")?,
        version: optional(one, "InstalledVersion")?,
        fixed: optional(one, "FixedVersion")?.into(),
    })
}
