//! Functions on reports of vulnerability scanners: trivy, grype, SARIF and in-toto's own, read alike.
//!
//! A report that is not understood is an error: it must not pass for one that found nothing. So is one which does not
//! show that packages were scanned at all.

use cel::ExecutionError;
use cel::common::value::CowVal;

use super::super::json::{Json, Object, Shape};
use super::environment::{Made, argument, document, number, refuse, texts};

mod grype;

mod intoto;

mod sarif;

mod severity;

mod trivy;

use severity::Severity;

/// One vulnerability in one package.
#[derive(Debug, PartialEq, Eq)]
struct Finding<'a> {
    id: &'a str,
    severity: Severity,
    package: &'a str,
    version: &'a str,
    /// In which versions it is fixed; empty if it is not.
    fixed: String,
}

/// What the scanner found.
fn read(report: &Object) -> Result<Vec<Finding<'_>>, String> {
    // The predicate of cosign's type `vuln` holds the report of whichever scanner ran, that of in-toto its findings.
    let report = match report.get("scanner") {
        None => report,
        Some(scanner) => match scanner.as_object().and_then(|scanner| scanner.get("result")) {
            Some(Json::Object(report)) => report,
            Some(Json::Array(result)) => return intoto::read(result.items()),
            _ => return Err("its `scanner.result` is not a report in JSON".into()),
        },
    };
    let readers = [
        (trivy::is(report), trivy::read as Reader),
        (grype::is(report), grype::read),
        (sarif::is(report), sarif::read),
    ];
    let mut fitting = readers.into_iter().filter_map(|(fits, read)| fits.then_some(read));
    match (fitting.next(), fitting.next()) {
        (Some(read), None) => read(report),
        (Some(_), Some(_)) => Err("it can be read as the report of two scanners".into()),
        (None, _) => Err("it is not a report of trivy, grype or in SARIF".into()),
    }
}

type Reader = for<'a> fn(&'a Object) -> Result<Vec<Finding<'a>>, String>;

fn read_for<'a>(function: &str, arguments: &'a [CowVal<'_, '_>]) -> Result<Vec<Finding<'a>>, ExecutionError> {
    read(document(function, arguments)?).map_err(|why| refuse(function, &why))
}

/// `vulnerabilities(report)`.
pub(super) fn vulnerabilities(arguments: &[CowVal<'_, '_>]) -> Made {
    let all = read_for("vulnerabilities", arguments)?;
    let shape = Shape::of(["fixed", "id", "package", "severity", "version"]);
    Ok(Json::Array(all.iter().map(|one| one.json(&shape)).collect()))
}

/// `severities(report)`.
pub(super) fn severities(arguments: &[CowVal<'_, '_>]) -> Made {
    Ok(texts(read_for("severities", arguments)?.iter().map(|finding| finding.severity.word())))
}

/// `vulnerabilityCount(report)` and `vulnerabilityCount(report, severity)`.
pub(super) fn count(arguments: &[CowVal<'_, '_>]) -> Made {
    let all = read_for("vulnerabilityCount", arguments)?;
    if arguments.len() < 2 {
        return Ok(number(all.len()));
    }
    let word = argument("vulnerabilityCount", arguments, 1)?;
    let severity = Severity::parse(word).map_err(|why| refuse("vulnerabilityCount", &why))?;
    Ok(number(all.iter().filter(|finding| finding.severity == severity).count()))
}

/// `worstSeverity(report)`.
pub(super) fn worst(arguments: &[CowVal<'_, '_>]) -> Made {
    let all = read_for("worstSeverity", arguments)?;
    let worst = all.iter().map(|finding| finding.severity).max();
    Ok(Json::text(worst.map_or("NONE", Severity::word)))
}

/// What is wrong with a severity as a condition writes it.
pub(super) fn not_severity(word: &str) -> Option<String> {
    Severity::parse(word).err()
}

impl Finding<'_> {
    fn json(&self, shape: &Shape<5>) -> Json {
        let texts = [self.fixed.as_str(), self.id, self.package, self.severity.word(), self.version];
        shape.object(texts.map(Json::text))
    }
}

/// The member `name` of `object` as a text; empty if it is not there or null.
fn optional<'a>(object: &'a Object, name: &str) -> Result<&'a str, String> {
    match object.get(name) {
        None | Some(Json::Null) => Ok(""),
        Some(value) => value.as_text().ok_or_else(|| format!("a `{name}` is no text")),
    }
}

/// The items of a list, which must be objects.
fn objects(items: &[Json]) -> impl Iterator<Item = Result<&Object, String>> {
    items.iter().map(|item| item.as_object().ok_or_else(|| "an item of a list is no object".to_string()))
}

#[cfg(test)]
mod tests;
