//! `CycloneDX`: components within components, and those of the subject itself.

use std::collections::BTreeSet;

use super::super::super::json::{Json, Object};
use super::{Component, license, objects, optional, optional_list, required};

/// What the document lists. Without `components` it says nothing of what is in the image.
pub(super) fn read(bom: &Object) -> Result<Vec<Component<'_>>, String> {
    let listed = optional_list(bom, "components", "the CycloneDX document")?;
    let listed = listed.ok_or("the CycloneDX document has no `components`; has(predicate.components) tests for it")?;
    let mut all = Vec::new();
    walk(listed, &mut all)?;
    if let Some(subject) = bom.object("metadata").and_then(|metadata| metadata.object("component")) {
        nested(subject, &mut all)?;
    }
    Ok(all)
}

fn walk<'a>(components: &'a [Json], all: &mut Vec<Component<'a>>) -> Result<(), String> {
    for component in objects(components, "`components`") {
        let component = component?;
        all.push(Component {
            group: optional(component, "group", "a component")?,
            name: required(component, "name", "a component")?,
            version: optional(component, "version", "a component")?,
            purl: optional(component, "purl", "a component")?,
            licenses: licenses(component)?,
        });
        nested(component, all)?;
    }
    Ok(())
}

fn nested<'a>(component: &'a Object, all: &mut Vec<Component<'a>>) -> Result<(), String> {
    optional_list(component, "components", "a component")?.map_or(Ok(()), |components| walk(components, all))
}

fn licenses(component: &Object) -> Result<BTreeSet<&str>, String> {
    let mut all = BTreeSet::new();
    for choice in objects(optional_list(component, "licenses", "a component")?.unwrap_or_default(), "`licenses`") {
        let choice = choice?;
        let license = choice.object("license");
        let name = license.and_then(|license| license.text("id").or_else(|| license.text("name")));
        match (name, choice.text("expression")) {
            (Some(name), _) => drop(all.insert(name)),
            (None, Some(expression)) => all.extend(license::identifiers(expression)),
            (None, None) => return Err("a licence has no `id`, `name` or `expression`".into()),
        }
    }
    Ok(all)
}
