//! A policy as canonical text, whose digest is its identity: it changes when and only when a decision could.
//!
//! Each line is a label, the length of the value, and the value, so that no two policies share a text. Lists whose order
//! means nothing are sorted; the branches of a requirement are not, because the first to fail names the denial.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use super::super::{
    Attestation, Authority, Condition, ExemptionScope, Kind, Leaf, Mode, Name, Pin, Policy, PublicKey, Requirement,
    Validity,
};
use crate::clock::Timestamp;
use crate::oci::Digest;

/// The digest of everything about `policy` but its `content`, with all that its authorities resolve to.
pub(super) fn policy(policy: &Policy, authorities: &BTreeMap<Name, Arc<Authority>>) -> Digest {
    let mut text = Canonical::new("countersign policy 1");
    text.line("name", &policy.name);
    text.line("mode", &if policy.mode == Mode::Enforce { "enforce" } else { "audit" });
    text.set("match", &policy.matches);
    text.set("except", &policy.except);
    text.requirement(&policy.require);
    text.line("bundle", &policy.formats.bundle);
    text.line("legacy", &policy.formats.legacy);
    text.set("evidence", policy.evidence.as_slice());
    text.set("refuse", &policy.refuse_tags);
    let used: BTreeSet<&Name> = policy.require.leaves().iter().map(|leaf| leaf.by()).collect();
    for name in used {
        text.line("authority", name);
        if let Some(authority) = authorities.get(name) {
            text.authority(authority);
        }
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

    /// All that an authority's evidence is judged by, but for its name.
    fn authority(&mut self, authority: &Authority) {
        match authority.kind() {
            Kind::Keys(keys) => self.set("key", &keys.iter().map(PublicKey::fingerprint).collect::<Vec<_>>()),
            Kind::Keyless(keyless) => {
                self.line("issuer", &keyless.issuer);
                self.line("identity", &format!("{:?}", keyless.identity));
                let pin = |pin: &Pin| format!("{} {:?}", pin.extension.key(), pin.value);
                self.set("pin", &keyless.pins.iter().map(pin).collect::<Vec<_>>());
            }
        }
        self.set("trust root", authority.trust_root().map_or(&[][..], std::slice::from_ref));
        self.line("no log", &authority.skips_transparency_log());
        self.line("no certificate log", &authority.skips_certificate_transparency());
        let Validity { not_before, not_after } = authority.validity();
        self.line("not before", &not_before.0);
        self.line("not after", &not_after.0);
    }

    fn attestation(&mut self, wanted: &Attestation) {
        let Attestation { by, predicate_type, on, select, condition, max_age, age_from } = wanted;
        self.line("attestation", by);
        self.line("type", predicate_type);
        self.line("on", &on.word());
        self.line("select", &select.word());
        self.set("condition", condition.as_ref().map(Condition::source).as_slice());
        self.set("max age", max_age.map(|age| age.as_secs()).as_slice());
        self.set("age from", age_from.as_slice());
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
            Requirement::Leaf(Leaf::Signature { by, on, annotations }) => {
                self.line("signature", by);
                self.line("on", &on.word());
                self.line("annotations", &annotations.len());
                for (key, value) in annotations {
                    self.line("annotation", key);
                    self.line("is", value);
                }
                return;
            }
            Requirement::Leaf(Leaf::Attestation(wanted)) => return self.attestation(wanted),
        };
        for branch in of {
            self.requirement(branch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Extension, Keyless, Pattern};
    use super::*;

    #[test]
    fn everything_that_an_authority_is_judged_by_is_in_its_text() {
        let glob = |text| Pattern::glob(text).expect(text);
        let keyless = |issuer: &str, identity, pins| Kind::Keyless(Keyless { issuer: issuer.into(), identity, pins });
        let pin = |value| vec![Pin { extension: Extension::SourceRepository, value: glob(value) }];
        let plain = || Authority::of_keys("a", Vec::new());
        let end = Validity { not_after: Timestamp(9), ..Validity::ALWAYS };
        let start = Validity { not_before: Timestamp(9), ..Validity::ALWAYS };
        let all = [
            plain(),
            Authority { trust_root: Name::new("root"), ..plain() },
            Authority { skip_transparency_log: false, ..plain() },
            Authority { skip_certificate_transparency: true, ..plain() },
            Authority { validity: end, ..plain() },
            Authority { validity: start, ..plain() },
            Authority { kind: keyless("i", glob("x"), Vec::new()), ..plain() },
            Authority { kind: keyless("j", glob("x"), Vec::new()), ..plain() },
            Authority { kind: keyless("i", glob("y"), Vec::new()), ..plain() },
            Authority { kind: keyless("i", glob("/^(?:x)$/"), Vec::new()), ..plain() },
            Authority { kind: keyless("i", Pattern::regex("x").expect("x"), Vec::new()), ..plain() },
            Authority { kind: keyless("i", glob("x"), pin("p")), ..plain() },
            Authority { kind: keyless("i", glob("x"), pin("q")), ..plain() },
        ];
        let text = |authority: &Authority| {
            let mut text = Canonical::new("");
            text.authority(authority);
            text.0
        };
        let texts: BTreeSet<String> = all.iter().map(text).collect();
        assert_eq!(texts.len(), all.len(), "{texts:#?}");
    }
}
