//! in-toto's own vulnerability predicate: the scanner's result is a list, empty if nothing was found.

use super::super::super::json::{Json, Object};
use super::{Finding, Severity, objects};

pub(super) fn read(result: &[Json]) -> Result<Vec<Finding<'_>>, String> {
    objects(result).map(|one| finding(one?)).collect()
}

fn finding(one: &Object) -> Result<Finding<'_>, String> {
    let id = one.text("id").ok_or("a result has no `id`")?;
    let judged = match one.get("severity") {
        None | Some(Json::Null) => &[],
        Some(judged) => judged.as_array().ok_or("a `severity` is no list")?,
    };
    // By several methods: the worst that one of them says.
    let mut worst = Severity::Unknown;
    for method in objects(judged) {
        let score = method?.text("score").ok_or("a severity has no `score`")?;
        worst = worst.max(Severity::parse(score).or_else(|_| Severity::of_score(score))?);
    }
    Ok(Finding { id, severity: worst, package: "", version: "", fixed: String::new() })
}
