//! Functions on bills of materials: `CycloneDX` and SPDX, in JSON, read alike.

use std::collections::BTreeSet;

use cel::ExecutionError;
use cel::common::value::CowVal;

use super::super::json::{Json, Object, Shape};
use super::environment::{Made, argument, document, refuse, texts, truth};

mod cyclonedx;

mod license;

mod spdx;

mod spdx3;

/// One thing that a bill of materials lists.
#[derive(Debug, Default, PartialEq, Eq)]
struct Component<'a> {
    group: &'a str,
    name: &'a str,
    version: &'a str,
    purl: &'a str,
    /// Identifiers, sorted and each once.
    licenses: BTreeSet<&'a str>,
}

/// What `bom` lists. A document that cannot be told from one that lists nothing is refused.
fn read(bom: &Object) -> Result<Vec<Component<'_>>, String> {
    // cosign 1 put the document into a member of its own.
    let bom = if let Some(inner) = bom.object("Data") { inner } else { bom };
    if bom.text("bomFormat") == Some("CycloneDX") {
        cyclonedx::read(bom)
    } else if bom.text("spdxVersion").is_some_and(|version| version.starts_with("SPDX-2.")) {
        spdx::read(bom)
    } else if spdx3::is(bom) {
        spdx3::read(bom)
    } else {
        Err("it is neither CycloneDX nor SPDX in JSON".into())
    }
}

fn read_for<'a>(function: &str, arguments: &'a [CowVal<'_, '_>]) -> Result<Vec<Component<'a>>, ExecutionError> {
    read(document(function, arguments)?).map_err(|why| refuse(function, &why))
}

/// `components(bom)`.
pub(super) fn components(arguments: &[CowVal<'_, '_>]) -> Made {
    let all = read_for("components", arguments)?;
    let shape = Shape::of(["group", "licenses", "name", "purl", "version"]);
    Ok(Json::Array(all.iter().map(|one| one.json(&shape)).collect()))
}

/// `componentNames(bom)`.
pub(super) fn component_names(arguments: &[CowVal<'_, '_>]) -> Made {
    let all = read_for("componentNames", arguments)?;
    let names: BTreeSet<String> =
        all.iter().flat_map(|one| [Some(one.name.to_string()), one.grouped()]).flatten().collect();
    Ok(texts(names))
}

/// `hasComponent(bom, name)` and `hasComponent(bom, name, version)`.
pub(super) fn has_component(arguments: &[CowVal<'_, '_>]) -> Made {
    let all = read_for("hasComponent", arguments)?;
    let name = argument("hasComponent", arguments, 1)?;
    let version = if arguments.len() > 2 { Some(argument("hasComponent", arguments, 2)?) } else { None };
    let called = |one: &Component<'_>| one.name == name || one.grouped().is_some_and(|grouped| grouped == name);
    Ok(truth(all.iter().any(|one| called(one) && version.is_none_or(|version| one.version == version))))
}

/// `licenses(bom)`.
pub(super) fn licenses(arguments: &[CowVal<'_, '_>]) -> Made {
    let all = read_for("licenses", arguments)?;
    let licenses: BTreeSet<&str> = all.iter().flat_map(|one| one.licenses.iter().copied()).collect();
    Ok(texts(licenses))
}

impl Component<'_> {
    /// The name with its group, as `@angular/core`.
    fn grouped(&self) -> Option<String> {
        (!self.group.is_empty()).then(|| format!("{}/{}", self.group, self.name))
    }

    fn json(&self, shape: &Shape<5>) -> Json {
        let licenses = self.licenses.iter().map(|one| Json::text(*one)).collect();
        let [group, name, purl, version] = [self.group, self.name, self.purl, self.version].map(Json::text);
        shape.object([group, Json::Array(licenses), name, purl, version])
    }
}

/// The member `name` of `object` as a text, empty if it is not there; anything else is refused.
fn optional<'a>(object: &'a Object, name: &str, what: &str) -> Result<&'a str, String> {
    match object.get(name) {
        None | Some(Json::Null) => Ok(""),
        Some(value) => value.as_text().ok_or_else(|| format!("the `{name}` of {what} is no text")),
    }
}

/// The member `name` of `object` as a text, which must be there.
fn required<'a>(object: &'a Object, name: &str, what: &str) -> Result<&'a str, String> {
    object.text(name).filter(|text| !text.is_empty()).ok_or_else(|| format!("{what} has no `{name}`"))
}

/// The member `name` of `object` as a list, nothing if it is not there; anything else is refused.
fn optional_list<'a>(object: &'a Object, name: &str, what: &str) -> Result<Option<&'a [Json]>, String> {
    match object.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => value.as_array().map(Some).ok_or_else(|| format!("the `{name}` of {what} is no list")),
    }
}

/// The items of a list as objects.
fn objects<'a>(items: &'a [Json], what: &'a str) -> impl Iterator<Item = Result<&'a Object, String>> {
    items.iter().map(move |item| item.as_object().ok_or_else(|| format!("an item of {what} is no object")))
}

#[cfg(test)]
mod tests;
