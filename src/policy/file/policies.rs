//! Policies, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::raw::RawPolicy;
use super::{Authority, Declared, Digest, Mode, Name, Part, Policy, canonical, requirement, scope};
use crate::oci::Image;
use crate::policy::{Formats, Leaf};
use crate::yaml::At;

/// The policies of one file.
pub(super) fn all(part: &Part, declared: &Declared, authorities: &BTreeMap<Name, Arc<Authority>>) -> Vec<Arc<Policy>> {
    let each = part.raw.policies.iter().flatten().enumerate();
    each.filter_map(|(index, raw)| policy(&part.at().key("policies").index(index), raw, declared, authorities))
        .map(Arc::new)
        .collect()
}

fn policy(
    at: &At<'_>,
    raw: &RawPolicy,
    declared: &Declared,
    authorities: &BTreeMap<Name, Arc<Authority>>,
) -> Option<Policy> {
    let name = at.require("name", raw.name.as_ref()).and_then(|name| Name::new(name));
    let matches = at.require("match", raw.r#match.as_ref()).map(|texts| {
        if texts.is_empty() {
            at.key("match").problem("an empty `match` governs nothing");
        }
        scope::list(&at.key("match"), texts)
    });
    let except = scope::list(&at.key("except"), raw.except.as_deref().unwrap_or_default());
    let require = at.require("require", raw.require.as_ref());
    let require = require.and_then(|raw| requirement::build(&at.key("require"), raw, declared));
    let formats = formats(&at.key("formats"), raw.formats.as_deref());
    let mode = mode(&at.key("mode"), raw.mode.as_deref());
    let tags = raw.refuse_tags.iter().flatten().enumerate();
    let tags = tags.filter_map(|(index, tag)| {
        at.key("refuseTags").index(index).accept(tag.parse().map_err(|_| format!("`{tag}` is not a tag")))
    });
    let refuse_tags = tags.collect();
    let evidence = raw.evidence.as_ref().and_then(|raw| {
        let at = at.key("evidence");
        let repository = at.require("repository", raw.repository.as_ref())?;
        at.key("repository").accept(image(repository))
    });
    let unfinished = Digest::of(b"");
    let (name, matches, require) = (name?, matches?, require?);
    let asked: BTreeSet<_> = require.leaves().into_iter().map(Leaf::by).collect();
    let asked = asked.into_iter().filter_map(|name| authorities.get(name).cloned()).collect();
    let mut policy = Policy {
        name,
        matches,
        except,
        mode,
        require,
        formats,
        evidence,
        refuse_tags,
        authorities: asked,
        content: unfinished,
    };
    policy.content = canonical::policy(&policy, authorities);
    Some(policy)
}

fn mode(at: &At<'_>, text: Option<&str>) -> Mode {
    match text {
        None | Some("enforce") => {}
        Some("audit") => return Mode::Audit,
        Some(other) => at.problem(format!("`{other}` is not one of `enforce`, `audit`")),
    }
    Mode::Enforce
}

fn formats(at: &At<'_>, list: Option<&[String]>) -> Formats {
    let Some(list) = list else { return Formats { bundle: true, legacy: true } };
    let mut formats = Formats { bundle: false, legacy: false };
    if list.is_empty() {
        at.problem("an empty `formats` accepts no evidence");
    }
    for (index, format) in list.iter().enumerate() {
        match format.as_str() {
            "bundle" => formats.bundle = true,
            "legacy" => formats.legacy = true,
            other => at.index(index).problem(format!("`{other}` is not one of `bundle`, `legacy`")),
        }
    }
    formats
}

fn image(text: &str) -> Result<Image, String> {
    let wrong = || format!("`{text}` is not a registry and a repository");
    let (registry, repository) = text.split_once('/').ok_or_else(wrong)?;
    match (registry.parse(), repository.parse()) {
        (Ok(registry), Ok(repository)) => Ok(Image { registry, repository }),
        _ => Err(wrong()),
    }
}
