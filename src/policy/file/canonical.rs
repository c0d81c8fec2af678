//! A policy as canonical text, whose digest is its identity: it changes when and only when a decision could.
//!
//! Each line is a label, the length of the value, and the value, so that no two policies share a text. Lists whose order
//! means nothing are sorted; the branches of a requirement are not, because the first to fail names the denial.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use super::super::{Authority, ExemptionScope, Leaf, Mode, Name, Policy, PublicKey, Requirement};
use crate::clock::Timestamp;
use crate::oci::Digest;

/// The digest of everything about `policy` but its `content`, with the keys that its authorities resolve to.
pub(super) fn policy(policy: &Policy, authorities: &BTreeMap<Name, Arc<Authority>>) -> Digest {
    let mut text = Canonical::new("countersign policy 1");
    text.line("name", &policy.name);
    text.line("mode", &if policy.mode == Mode::Enforce { "enforce" } else { "audit" });
    text.set("match", &policy.matches);
    text.set("except", &policy.except);
    text.requirement(&policy.require);
    text.line("bundle", &policy.formats.bundle);
    text.line("legacy", &policy.formats.legacy);
    text.set("refuse", &policy.refuse_tags);
    let used: BTreeSet<&Name> = policy.require.leaves().iter().map(|leaf| leaf.by()).collect();
    for name in used {
        text.line("authority", name);
        let keys: Vec<_> = authorities
            .get(name)
            .map_or(&[][..], |authority| authority.keys())
            .iter()
            .map(PublicKey::fingerprint)
            .collect();
        text.set("key", &keys);
    }
    Digest::of(text.0.as_bytes())
}

/// The digest of an exemption's parts.
pub(super) fn exemption(
    scopes: &[ExemptionScope],
    policies: Option<&[Name]>,
    reason: &str,
    expires: Option<Timestamp>,
) -> Digest {
    let mut text = Canonical::new("countersign exemption 1");
    let scope = |scope: &ExemptionScope| {
        scope.digest.map_or_else(|| scope.scope.to_string(), |digest| format!("{}@{digest}", scope.scope))
    };
    text.set("match", &scopes.iter().map(scope).collect::<Vec<_>>());
    match policies {
        None => text.line("policies", &"all"),
        Some(names) => text.set("policy", names),
    }
    text.line("reason", &reason);
    text.line("expires", &expires.map_or_else(|| "never".to_string(), |end| end.0.to_string()));
    Digest::of(text.0.as_bytes())
}

struct Canonical(String);

impl Canonical {
    fn new(title: &str) -> Self {
        Self(format!("{title}\n"))
    }

    fn line(&mut self, label: &str, value: &impl ToString) {
        let value = value.to_string();
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{label} {} {value}", value.len());
    }

    /// The values, each once, in an order of their own.
    fn set<T: ToString>(&mut self, label: &str, values: &[T]) {
        let values: BTreeSet<String> = values.iter().map(ToString::to_string).collect();
        self.line(label, &values.len());
        for value in &values {
            self.line(label, value);
        }
    }

    fn requirement(&mut self, requirement: &Requirement) {
        let of = match requirement {
            Requirement::AllOf(of) => {
                self.line("allOf", &of.len());
                of
            }
            Requirement::AnyOf(of) => {
                self.line("anyOf", &of.len());
                of
            }
            Requirement::AtLeast { n, of } => {
                self.line("atLeast", n);
                self.line("of", &of.len());
                of
            }
            Requirement::Leaf(Leaf::Signature { by }) => return self.line("signature", by),
            Requirement::Leaf(Leaf::Attestation { by, predicate_type }) => {
                self.line("attestation", by);
                return self.line("type", predicate_type);
            }
        };
        for branch in of {
            self.requirement(branch);
        }
    }
}
