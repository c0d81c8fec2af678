//! The names that the files give to things, each once, before anything refers to them.

use std::collections::{BTreeMap, BTreeSet};

use super::Part;
use crate::policy::Name;
use crate::yaml::{At, KeyPath, did_you_mean};

/// Every name, of all files together, with where it was first given.
#[derive(Debug, Default)]
pub(super) struct Declared {
    authorities: BTreeMap<String, String>,
    policies: BTreeMap<String, String>,
    trust_roots: BTreeMap<String, String>,
    /// The authorities that are keys.
    keys: BTreeSet<String>,
}

impl Declared {
    /// Collects the names; a name given twice is a problem where it is given again.
    pub(super) fn collect(parts: &[Part]) -> Self {
        let mut all = Self::default();
        let mut default = BTreeMap::new();
        for part in parts {
            let at = part.at();
            for (name, raw) in part.raw.authorities.iter().flatten() {
                if raw.key.is_some() {
                    all.keys.insert(name.clone());
                }
                declare(&mut all.authorities, part, &at.key("authorities").key(name), "authority", name);
            }
            for name in part.raw.trust_roots.iter().flatten().map(|(name, _)| name) {
                declare(&mut all.trust_roots, part, &at.key("trustRoots").key(name), "trust root", name);
            }
            for (index, policy) in part.raw.policies.iter().flatten().enumerate() {
                if let Some(name) = &policy.name {
                    let at = at.key("policies").index(index).key("name");
                    declare(&mut all.policies, part, &at, "policy", name);
                }
            }
            if part.raw.default.is_some() {
                let first = default.entry(()).or_insert_with(|| part.document.name().to_string());
                if first != part.document.name() {
                    at.key("default").problem(format!("`default` is also given in {first}"));
                }
            }
        }
        all
    }

    /// The authority that is called `name`; a problem if there is none.
    pub(super) fn authority(&self, at: &At<'_>, name: &str) -> Option<Name> {
        refer(&self.authorities, at, "authority", name)
    }

    /// Whether the authority `name` is a key, which lives long and says nothing of when it signed.
    pub(super) fn has_key(&self, name: &Name) -> bool {
        self.keys.contains(name.as_str())
    }

    /// The policy that is called `name`; a problem if there is none.
    pub(super) fn policy(&self, at: &At<'_>, name: &str) -> Option<Name> {
        refer(&self.policies, at, "policy", name)
    }

    /// The trust root that is called `name`; a problem if there is none.
    pub(super) fn trust_root(&self, at: &At<'_>, name: &str) -> Option<Name> {
        refer(&self.trust_roots, at, "trust root", name)
    }
}

fn declare(known: &mut BTreeMap<String, String>, part: &Part, at: &At<'_>, kind: &str, name: &str) {
    let word = |b: u8| b.is_ascii_alphanumeric();
    if !name.bytes().all(|b| word(b) || b"._-".contains(&b))
        || !name.bytes().next().is_some_and(word)
        || name.len() > 128
    {
        at.problem("a name is 1 to 128 letters, digits, `.`, `_` and `-`, the first a letter or digit");
    } else if let Some(first) = known.get(name) {
        at.problem(format!("there is already a {kind} `{name}` at {first}"));
    } else {
        known.insert(name.into(), place(part, at.path()));
    }
}

/// `file:line:column`.
fn place(part: &Part, path: &KeyPath) -> String {
    let error = part.document.error(path, String::new());
    match (error.line, error.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", error.path),
        _ => error.path,
    }
}

fn refer(known: &BTreeMap<String, String>, at: &At<'_>, kind: &str, name: &str) -> Option<Name> {
    if !known.contains_key(name) {
        let hint = did_you_mean(name, known.keys().map(String::as_str));
        at.problem(format!("there is no {kind} `{name}`{hint}"));
        return None;
    }
    Name::new(name)
}
