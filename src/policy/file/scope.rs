//! Scopes as a file writes them, with what can never match refused.

use crate::oci::{Registry, Repository};
use crate::policy::Scope;
use crate::yaml::At;

/// Parses a scope whose literal parts are canonical names: anything else would silently match nothing.
pub fn parse_scope(text: &str) -> Result<Scope, String> {
    let scope = Scope::parse(text).map_err(|error| error.to_string())?;
    let Some((registry, repository)) = text.split_once('/') else {
        return Ok(scope);
    };
    if !registry.contains('*') {
        let canonical: Registry = registry.parse().map_err(|_| format!("`{registry}` is not a registry"))?;
        if canonical.as_str() != registry {
            return Err(format!("the canonical name of `{registry}` is `{canonical}`"));
        }
    }
    if !repository.contains('*') && repository.parse::<Repository>().is_err() {
        return Err(format!("`{repository}` is not a repository"));
    }
    Ok(scope)
}

/// Parses a list of scopes.
pub(super) fn list(at: &At<'_>, texts: &[String]) -> Vec<Scope> {
    let each = texts.iter().enumerate();
    each.filter_map(|(index, text)| at.index(index).accept(parse_scope(text))).collect()
}
