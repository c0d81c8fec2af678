//! Functions on SLSA provenance 0.2 and 1.

use cel::common::value::CowVal;

use super::super::json::{Array, Json, Object};
use super::environment::{Made, document, refuse};

/// `builder(provenance)`.
pub(super) fn builder(arguments: &[CowVal<'_, '_>]) -> Made {
    let provenance = document("builder", arguments)?;
    let by = match version(provenance).map_err(|why| refuse("builder", why))? {
        Version::Old => provenance.object("builder"),
        Version::One(_) => provenance.object("runDetails").and_then(|details| details.object("builder")),
    };
    let id = by.and_then(|builder| builder.text("id")).filter(|id| !id.is_empty());
    id.map(Json::text).ok_or_else(|| refuse("builder", "the provenance names no builder"))
}

/// `source(provenance)`.
pub(super) fn source(arguments: &[CowVal<'_, '_>]) -> Made {
    let provenance = document("source", arguments)?;
    let named = match version(provenance).map_err(|why| refuse("source", why))? {
        Version::Old => configured(provenance.object("invocation")),
        Version::One(definition) => definition.object("externalParameters").and_then(in_parameters),
    };
    let repository = named.map(repository).filter(|url| !url.is_empty());
    repository
        .map(Json::text)
        .ok_or_else(|| refuse("source", "the provenance names no source where one is known to stand"))
}

/// `materials(provenance)`.
pub(super) fn materials(arguments: &[CowVal<'_, '_>]) -> Made {
    let provenance = document("materials", arguments)?;
    let (listed, name) = match version(provenance).map_err(|why| refuse("materials", why))? {
        Version::Old => (provenance.array("materials"), "materials"),
        Version::One(definition) => (definition.array("resolvedDependencies"), "buildDefinition.resolvedDependencies"),
    };
    let listed = listed.ok_or_else(|| refuse("materials", &format!("the provenance has no list `{name}`")))?;
    let material = |one: &Json| -> Option<Json> {
        let one = one.as_object()?;
        let digest = one.get("digest").cloned().unwrap_or_else(|| Json::Object(Object::of([])));
        digest.as_object()?;
        let uri = one.text("uri").unwrap_or_default();
        Some(Json::Object(Object::of([("uri", Json::text(uri)), ("digest", digest)])))
    };
    let all: Option<Array> = listed.iter().map(material).collect();
    all.map(Json::Array).ok_or_else(|| refuse("materials", "a material is no object with a digest"))
}

enum Version<'a> {
    /// 0.2, and what is before it.
    Old,
    /// 1, with its build definition.
    One(&'a Object),
}

fn version(provenance: &Object) -> Result<Version<'_>, &'static str> {
    match (provenance.object("buildDefinition"), provenance.object("builder")) {
        (Some(definition), None) => Ok(Version::One(definition)),
        (None, Some(_)) => Ok(Version::Old),
        (Some(_), Some(_)) => Err("it can be read as provenance 0.2 and as provenance 1"),
        (None, None) => Err("it is not SLSA provenance: there is no `buildDefinition` and no `builder`"),
    }
}

/// Where GitHub's workflows, GitLab's runner and `BuildKit` put the source; nothing if they disagree.
fn in_parameters(parameters: &Object) -> Option<&str> {
    let github = parameters.object("workflow").and_then(|workflow| workflow.text("repository"));
    let gitlab = parameters.text("source");
    let container = parameters.object("source").and_then(|source| source.text("uri"));
    let mut named = [github, gitlab, container, configured(Some(parameters))].into_iter().flatten();
    let first = named.next()?;
    named.all(|other| repository(other) == repository(first)).then_some(first)
}

fn configured(holder: Option<&Object>) -> Option<&str> {
    holder?.object("configSource")?.text("uri")
}

/// The repository of `git+https://github.com/org/repo.git@refs/heads/main`: what precedes a ref, without `git+` and
/// `.git`. An `@` before the path is part of the host, and stays.
fn repository(uri: &str) -> &str {
    let uri = uri.strip_prefix("git+").unwrap_or(uri);
    let path = uri.find("://").map_or(0, |at| at + 3);
    let path = uri[path..].find('/').map_or(uri.len(), |at| path + at);
    let end = uri[path..].find(['@', '#', '?']).map_or(uri.len(), |at| path + at);
    let uri = &uri[..end];
    uri.strip_suffix(".git").unwrap_or(uri)
}

#[cfg(test)]
mod tests;
