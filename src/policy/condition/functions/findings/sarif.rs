//! SARIF 2.1, as scanners write it.
//!
//! A run without `results` has not looked; one with an empty list has found nothing. The severity is the rule's score
//! (`security-severity`). Where there is none, the level stands for the worst that it may mean: an `error` for
//! `CRITICAL`.

use super::super::super::json::{Json, Object};
use super::{Finding, Severity, objects, optional};

/// Whether `report` looks like SARIF.
pub(super) fn is(report: &Object) -> bool {
    report.text("version") == Some("2.1.0") && report.get("runs").is_some()
}

pub(super) fn read(report: &Object) -> Result<Vec<Finding<'_>>, String> {
    let runs = report.array("runs").ok_or("the `runs` in SARIF are no list")?;
    if runs.is_empty() {
        return Err("there is no run in SARIF".into());
    }
    let mut all = Vec::new();
    for run in objects(runs) {
        let run = run?;
        let invocations = run.array("invocations").unwrap_or_default();
        let failed = |one: &Object| matches!(one.get("executionSuccessful"), Some(Json::Bool(done)) if !*done.inner());
        if invocations.iter().filter_map(Json::as_object).any(failed) {
            return Err("a run in SARIF says that it did not succeed".into());
        }
        let results = run.array("results").ok_or("a run in SARIF has no list of results")?;
        let rules = run.object("tool").and_then(|tool| tool.object("driver")).and_then(|driver| driver.array("rules"));
        for result in objects(results) {
            let result = result?;
            if !matches!(result.text("kind"), Some("pass" | "notApplicable" | "informational")) {
                all.push(finding(result, rules.unwrap_or_default())?);
            }
        }
    }
    Ok(all)
}

fn finding<'a>(result: &'a Object, rules: &'a [Json]) -> Result<Finding<'a>, String> {
    if result.object("rule").is_some_and(|rule| rule.get("toolComponent").is_some()) {
        return Err("a result in SARIF names a rule of an extension".into());
    }
    let rule = rule(result, rules)?;
    let id = result.text("ruleId").or_else(|| rule.and_then(|rule| rule.text("id")));
    Ok(Finding {
        id: id.ok_or("a result in SARIF names no rule")?,
        severity: severity(result, rule)?,
        package: "",
        version: "",
        fixed: String::new(),
    })
}

/// The rule of a result: by its index, else by its name.
fn rule<'a>(result: &Object, rules: &'a [Json]) -> Result<Option<&'a Object>, String> {
    if let Some(Json::Int(index)) = result.get("ruleIndex")
        && *index.inner() >= 0
    {
        let rule = usize::try_from(*index.inner()).ok().and_then(|index| rules.get(index)).and_then(Json::as_object);
        let rule = rule.ok_or("a result in SARIF names a rule that is not there")?;
        let names_another = result.text("ruleId").is_some_and(|id| rule.text("id") != Some(id));
        return if names_another { Err("a result in SARIF names two rules".into()) } else { Ok(Some(rule)) };
    }
    let Some(id) = result.text("ruleId") else { return Ok(None) };
    Ok(rules.iter().filter_map(Json::as_object).find(|rule| rule.text("id") == Some(id)))
}

fn severity(result: &Object, rule: Option<&Object>) -> Result<Severity, String> {
    let score = |of: &Object| -> Option<String> {
        match of.object("properties")?.get("security-severity")? {
            Json::Text(score) => Some(score.inner().to_string()),
            Json::Double(score) => Some(score.inner().to_string()),
            Json::Int(score) => Some(score.inner().to_string()),
            _ => Some("no number".into()),
        }
    };
    if let Some(score) = score(result).or_else(|| rule.and_then(score)) {
        return Severity::of_score(&score);
    }
    let default = rule.and_then(|rule| rule.object("defaultConfiguration")).map(|default| optional(default, "level"));
    let level = match (optional(result, "level")?, default.transpose()?) {
        ("", None | Some("")) => "warning",
        ("", Some(default)) => default,
        (level, _) => level,
    };
    match level {
        "error" => Ok(Severity::Critical),
        "warning" => Ok(Severity::Medium),
        "note" => Ok(Severity::Low),
        "none" => Ok(Severity::Unknown),
        other => Err(format!("`{other}` is not a level in SARIF")),
    }
}
