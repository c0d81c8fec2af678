//! SPDX 2: packages, with the licences that were concluded and those that were declared.

use super::super::super::json::Object;
use super::{Component, license, objects, optional, optional_list, required};

/// What the document lists. Without `packages` it says nothing of what is in the image.
pub(super) fn read(document: &Object) -> Result<Vec<Component<'_>>, String> {
    let listed = optional_list(document, "packages", "the SPDX document")?;
    let listed = listed.ok_or("the SPDX document has no `packages`; has(predicate.packages) tests for it")?;
    objects(listed, "`packages`").map(|package| component(package?)).collect()
}

fn component(package: &Object) -> Result<Component<'_>, String> {
    let concluded = optional(package, "licenseConcluded", "a package")?;
    let declared = optional(package, "licenseDeclared", "a package")?;
    Ok(Component {
        group: "",
        name: required(package, "name", "a package")?,
        version: optional(package, "versionInfo", "a package")?,
        purl: purl(package)?,
        licenses: license::identifiers(concluded).chain(license::identifiers(declared)).collect(),
    })
}

fn purl(package: &Object) -> Result<&str, String> {
    let references = optional_list(package, "externalRefs", "a package")?.unwrap_or_default();
    for reference in objects(references, "`externalRefs`") {
        let reference = reference?;
        if reference.text("referenceType") == Some("purl") {
            return required(reference, "referenceLocator", "an external reference");
        }
    }
    Ok("")
}
