//! Exemptions: with revocations the only places of a policy that name digests.

use std::sync::Arc;

use super::raw::RawExemption;
use super::{Declared, Exemption, Part, canonical, parse_scope, time};
use crate::policy::ExemptionScope;
use crate::yaml::At;

/// The exemptions of one file.
pub(super) fn all(part: &Part, declared: &Declared) -> Vec<Arc<Exemption>> {
    let each = part.raw.exemptions.iter().flatten().enumerate();
    each.filter_map(|(index, raw)| exemption(&part.at().key("exemptions").index(index), raw, declared))
        .map(Arc::new)
        .collect()
}

fn exemption(at: &At<'_>, raw: &RawExemption, declared: &Declared) -> Option<Exemption> {
    let texts = at.require("match", raw.r#match.as_ref()).map_or(&[][..], Vec::as_slice);
    if texts.is_empty() && raw.r#match.is_some() {
        at.key("match").problem("an empty `match` exempts nothing");
    }
    let each = texts.iter().enumerate();
    let scopes: Vec<_> = each.filter_map(|(index, text)| at.key("match").index(index).accept(scope(text))).collect();
    let policies = raw.policies.as_ref().map(|names| {
        if names.is_empty() {
            at.key("policies").problem("an empty `policies` exempts from nothing; without the key it is from all");
        }
        let each = names.iter().enumerate();
        each.filter_map(|(index, name)| declared.policy(&at.key("policies").index(index), name)).collect::<Vec<_>>()
    });
    let reason = at.require("reason", raw.reason.as_ref());
    if reason.is_some_and(|reason| reason.trim().is_empty()) {
        at.key("reason").problem("an exemption without a reason is a hole; say why");
    }
    let expires = match &raw.expires {
        None => None,
        Some(text) => Some(at.key("expires").accept(time::instant(text))?),
    };
    let reason = reason?.clone();
    let content = canonical::exemption(&scopes, policies.as_deref(), &reason, expires);
    Some(Exemption { scopes, policies, reason, expires, content })
}

/// A scope, or one digest in it: `registry.company.com/app@sha256:…`.
fn scope(text: &str) -> Result<ExemptionScope, String> {
    let (scope, digest) = match text.split_once('@') {
        Some((scope, digest)) => (scope, Some(digest.parse().map_err(|error| format!("`{digest}` is {error}"))?)),
        None => (text, None),
    };
    Ok(ExemptionScope { scope: parse_scope(scope)?, digest })
}
