//! Images that no enforced policy covers, told only where there certainly are some, with one of them named.

use std::collections::BTreeSet;

use super::{Code, Lint, Mode, Place, Policy};
use crate::policy::scope::{Example, Glob, Scope, example};

pub(super) fn lint<'a>(lint: &'a Lint<'a>) {
    if lint.policies().all.is_empty() {
        return;
    }
    let mut coverage = Coverage::of(lint);
    coverage.excepted();
    if lint.policies().default == Mode::Enforce {
        coverage.audited();
    }
    for registry in registries(lint) {
        coverage.rest(&registry);
    }
}

/// Which patterns there are, and where among them those of each policy begin.
struct Coverage<'a> {
    lint: &'a Lint<'a>,
    globs: Vec<&'a Glob>,
    /// Of each policy: whether it is enforced, and its patterns among `globs`.
    policies: Vec<Patterns>,
    /// The patterns, among `globs`, whose images were told of.
    told: Vec<usize>,
}

struct Patterns {
    enforced: bool,
    matches: std::ops::Range<usize>,
    except: std::ops::Range<usize>,
}

impl Patterns {
    fn governs(&self, covers: &[bool]) -> bool {
        covers[self.matches.clone()].contains(&true) && !covers[self.except.clone()].contains(&true)
    }
}

impl<'a> Coverage<'a> {
    fn of(lint: &'a Lint<'a>) -> Self {
        let mut all = Self { lint, globs: Vec::new(), policies: Vec::new(), told: Vec::new() };
        for policy in &lint.policies().all {
            let matches = all.add(&policy.matches);
            let except = all.add(&policy.except);
            all.policies.push(Patterns { enforced: policy.mode == Mode::Enforce, matches, except });
        }
        all
    }

    fn add(&mut self, scopes: &'a [Scope]) -> std::ops::Range<usize> {
        let start = self.globs.len();
        self.globs.extend(scopes.iter().map(Scope::glob));
        start..self.globs.len()
    }

    /// An image of the upstreams, if they are known, which `wanted` holds of and which no enforced policy governs.
    fn uncovered(&self, within: &[Glob], wanted: impl Fn(&[bool]) -> bool) -> Option<String> {
        let enforced = |covers: &[bool]| self.policies.iter().any(|one| one.enforced && one.governs(covers));
        match self.find(within, |covers| wanted(covers) && !enforced(covers)) {
            Example::Found(name) => Some(name),
            Example::None | Example::Untold => None,
        }
    }

    fn find(&self, within: &[Glob], wanted: impl Fn(&[bool]) -> bool) -> Example {
        let own = self.globs.len();
        let globs: Vec<&Glob> = self.globs.iter().copied().chain(within).collect();
        example(&globs, |covers| (within.is_empty() || covers[own..].contains(&true)) && wanted(covers))
    }

    /// Where images may be at all.
    fn anywhere(&self) -> Vec<Glob> {
        self.lint.around.upstreams.iter().flatten().map(super::scopes::within).collect()
    }

    /// What an enforced policy leaves out, and no other takes up.
    fn excepted(&mut self) {
        let lint = self.lint;
        let anywhere = self.anywhere();
        for (number, (place, _, policy)) in lint.each_policy().enumerate() {
            let Patterns { matches, except, .. } = &self.policies[number];
            let (matches, except) = (matches.clone(), except.clone());
            for (index, pattern) in except.enumerate().filter(|_| policy.mode == Mode::Enforce) {
                let left_out = |covers: &[bool]| covers[pattern] && covers[matches.clone()].contains(&true);
                if let Some(name) = self.uncovered(&anywhere, left_out) {
                    self.told.push(pattern);
                    let why = format!(
                        "no enforced policy covers what is left out here: `{name}`, for one, is {}",
                        self.fate()
                    );
                    let help = "enforce another policy there: what is left out is not exempt";
                    place.key("except").index(index).warn(Code::Uncovered, why, help);
                }
            }
        }
    }

    /// What only policies match that watch.
    fn audited(&mut self) {
        let lint = self.lint;
        let anywhere = self.anywhere();
        for (number, (place, _, policy)) in lint.each_policy().enumerate() {
            let watched = |covers: &[bool]| self.policies[number].governs(covers) && !self.is_told(covers);
            let found = (policy.mode == Mode::Audit).then(|| self.uncovered(&anywhere, watched)).flatten();
            if let Some(name) = found {
                let patterns = self.policies[number].matches.clone();
                self.told.extend(patterns);
                let why =
                    format!("it only watches, and no enforced policy covers `{name}`, for one: it is {}", self.fate());
                let help = "enforce this policy or another; to serve what none matches, `default: audit`";
                place.key("mode").warn(Code::Uncovered, why, help);
            }
        }
    }

    /// What of a registry no policy was named for.
    fn rest(&self, registry: &str) {
        let within = [Glob::parse(&format!("{registry}/**"))];
        let Some(name) = self.uncovered(&within, |covers| !self.is_told(covers)) else { return };
        let Some(place) = self.lint.at("default") else { return };
        let enforced = |covers: &[bool]| self.policies.iter().any(|one| one.enforced && one.governs(covers));
        let nothing = self.find(&within, enforced) == Example::None;
        let help = format!("enforce a policy that matches `{registry}/**`");
        let fate = self.fate();
        if nothing {
            let why = format!("no enforced policy covers anything in `{registry}`: every image of it is {fate}");
            place.warn(Code::Uncovered, why, help);
        } else {
            let why = format!("no enforced policy covers all of `{registry}`: `{name}`, for one, is {fate}");
            let say = if self.lint.policies().default == Mode::Enforce { Place::note } else { Place::warn };
            say(&place, Code::Uncovered, why, help);
        }
    }

    fn is_told(&self, covers: &[bool]) -> bool {
        self.told.iter().any(|pattern| covers[*pattern])
    }

    fn fate(&self) -> &'static str {
        match self.lint.policies().default {
            Mode::Audit => "served, and only logged (`default: audit`)",
            Mode::Enforce => "denied (no_policy)",
        }
    }
}

/// The registries that are configured, or else those that policies name.
fn registries<'a>(lint: &'a Lint<'a>) -> BTreeSet<String> {
    if let Some(upstreams) = &lint.around.upstreams {
        return upstreams.iter().map(|upstream| upstream.registry.to_string()).collect();
    }
    let scopes = lint.policies().all.iter().flat_map(|policy: &std::sync::Arc<Policy>| &policy.matches);
    let named = scopes.filter_map(|scope| scope.to_string().split_once('/').map(|(registry, _)| registry.to_string()));
    named.filter(|registry| !registry.contains('*')).collect()
}
