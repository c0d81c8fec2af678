//! SPDX 3: a graph of elements, in which licences are related to packages.

use std::collections::BTreeMap;

use super::super::super::json::Object;
use super::{Component, license, objects, optional, required};

/// Whether `document` is SPDX 3.
pub(super) fn is(document: &Object) -> bool {
    document.text("@context").is_some_and(|context| context.starts_with("https://spdx.org/rdf/3."))
}

/// What the document lists.
pub(super) fn read(document: &Object) -> Result<Vec<Component<'_>>, String> {
    let graph = document.array("@graph").ok_or("the SPDX document has no `@graph`")?;
    let elements: Vec<&Object> = objects(graph, "`@graph`").collect::<Result<_, _>>()?;
    let of_type = |kind: &'static str| elements.iter().filter(move |element| element.text("type") == Some(kind));
    let expressions: BTreeMap<&str, &str> = of_type("simplelicensing_LicenseExpression")
        .map(|one| Ok((id(one)?, required(one, "simplelicensing_licenseExpression", "a licence")?)))
        .collect::<Result<_, String>>()?;
    let mut related: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for relationship in of_type("Relationship") {
        if matches!(relationship.text("relationshipType"), Some("hasConcludedLicense" | "hasDeclaredLicense")) {
            let to = relationship.array("to").unwrap_or_default().iter();
            // What is named without being written down here is known by its name alone.
            let licenses = to.filter_map(|to| to.as_text()).map(|to| expressions.get(to).copied().unwrap_or(to));
            related.entry(required(relationship, "from", "a relationship")?).or_default().extend(licenses);
        }
    }
    let packages: Vec<_> = of_type("software_Package").collect();
    if packages.is_empty() {
        return Err("the SPDX document lists no packages".into());
    }
    packages.into_iter().map(|package| component(package, &related)).collect()
}

fn component<'a>(package: &'a Object, related: &BTreeMap<&'a str, Vec<&'a str>>) -> Result<Component<'a>, String> {
    let licenses = related.get(id(package)?).into_iter().flatten();
    Ok(Component {
        group: "",
        name: required(package, "name", "a package")?,
        version: optional(package, "software_packageVersion", "a package")?,
        purl: optional(package, "software_packageUrl", "a package")?,
        licenses: licenses.flat_map(|expression| license::identifiers(expression)).collect(),
    })
}

fn id(element: &Object) -> Result<&str, String> {
    required(element, "spdxId", "an element")
}
