//! Exemptions: endless, expired, broad, or of nothing.

use super::scopes::{meets, reachable};
use super::{Code, Lint, Policy};
use crate::policy::scope::{Example, Glob, Scope, example};
use crate::policy::{ExemptionScope, Mode};

pub(super) fn lint<'a>(lint: &'a Lint<'a>) {
    for (place, _, exemption) in lint.each_exemption() {
        match exemption.expires {
            Some(end) if end <= lint.now() => {
                let why = "it has expired, and exempts from nothing any more";
                place.key("expires").warn(Code::ExemptionExpired, why, "take it away; denials name it until then");
                continue;
            }
            Some(_) => {}
            None => {
                let help = "give it an end: `expires: 2030-01-31T00:00:00Z`";
                place.warn(Code::ExemptionEndless, "it never expires", help);
            }
        }
        for (index, scope) in exemption.scopes.iter().enumerate() {
            let place = place.key("match").index(index);
            reachable(&place, &scope.scope);
            let text = scope.scope.to_string();
            if scope.digest.is_none() {
                place.warn(
                    Code::ExemptionBroad,
                    format!("it covers whatever will be pushed to `{text}`, unseen by anybody"),
                    "name the images: `registry/repository@sha256:…`",
                );
            }
            let covered: Vec<&Policy> = lint.policies().all.iter().map(|policy| &**policy).collect();
            let covered: Vec<&Policy> = covered.into_iter().filter(|policy| exemption.covers(policy.name())).collect();
            // One for all policies lifts `default` as well.
            let lifts = exemption.policies.is_none() && lint.policies().default == Mode::Enforce;
            if !lifts && !lint.policies().all.is_empty() && !covered.iter().any(|policy| governs(policy, scope)) {
                let why = match &exemption.policies {
                    None => "it exempts from nothing: no policy governs these images",
                    Some(_) => "it exempts from nothing: none of its `policies` governs these images",
                };
                place.warn(Code::ExemptionIdle, why, "correct it, or take it away");
            }
        }
    }
}

/// Whether `policy` governs an image that `exempted` covers; also where that cannot be told.
fn governs(policy: &Policy, exempted: &ExemptionScope) -> bool {
    if !policy.matches.iter().any(|scope| meets(scope, &exempted.scope)) {
        return false;
    }
    let globs: Vec<&Glob> =
        [&exempted.scope].into_iter().chain(&policy.matches).chain(&policy.except).map(Scope::glob).collect();
    let split = 1 + policy.matches.len();
    let wanted = |covers: &[bool]| covers[0] && covers[1..split].contains(&true) && !covers[split..].contains(&true);
    example(&globs, wanted) != Example::None
}
