//! Scopes that match nothing: no upstream has such images, or the policy itself takes them away.

use super::{Code, Lint, Place, Upstream};
use crate::policy::scope::{Example, Glob, Scope, example};
use crate::yaml::did_you_mean;

pub(super) fn lint<'a>(lint: &'a Lint<'a>) {
    for (place, _, policy) in lint.each_policy() {
        for (index, scope) in policy.matches.iter().enumerate() {
            reachable(&place.key("match").index(index), scope);
        }
        let globs: Vec<&Glob> = policy.matches.iter().chain(&policy.except).map(Scope::glob).collect();
        let split = policy.matches.len();
        if example(&globs, |covers| covers[..split].contains(&true) && !covers[split..].contains(&true))
            == Example::None
        {
            let why = "it governs nothing: `except` takes away all that it matches";
            place.key("except").warn(Code::PolicyIdle, why, "take `except` away, or the policy");
            continue;
        }
        for (index, scope) in policy.except.iter().enumerate() {
            if !policy.matches.iter().any(|matched| meets(matched, scope)) {
                place.key("except").index(index).warn(
                    Code::ExceptIdle,
                    "it takes nothing away: nothing in `match` covers it",
                    "correct it, or take it away",
                );
            }
        }
    }
}

/// Whether both can be about one image.
pub(super) fn meets(one: &Scope, other: &Scope) -> bool {
    one.glob().meets(other.glob())
}

/// Says whether no upstream has images in `scope`.
pub(super) fn reachable(place: &Place<'_>, scope: &Scope) {
    let Some(upstreams) = &place.lint.around.upstreams else { return };
    if upstreams.iter().any(|upstream| scope.glob().meets(&within(upstream))) {
        return;
    }
    let text = scope.to_string();
    let registry = text.split_once('/').map_or(text.as_str(), |(registry, _)| registry);
    let alias = upstreams.iter().find(|upstream| upstream.aliases.iter().any(|alias| alias.as_str() == registry));
    if let Some(upstream) = alias {
        let name = &upstream.registry;
        let why = format!("it matches no image: `{registry}` is an alias, and policies see the upstream's name alone");
        return place.warn(Code::ScopeUnreachable, why, format!("write `{name}` for `{registry}`"));
    }
    let names: Vec<&str> = upstreams.iter().map(|upstream| upstream.registry.as_str()).collect();
    let hint = did_you_mean(registry, names.iter().copied());
    let why = format!("it matches no image: no upstream is called `{registry}`{hint}");
    let help = match names[..] {
        [] => "configure it among the `upstreams`".to_string(),
        _ => format!("configured are `{}`", names.join("`, `")),
    };
    place.warn(Code::ScopeUnreachable, why, help);
}

/// Every image of an upstream.
pub(super) fn within(upstream: &Upstream) -> Glob {
    Glob::parse(&format!("{}/**", upstream.registry))
}
