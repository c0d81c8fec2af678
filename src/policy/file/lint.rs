//! What is allowed but deserves a look.

use std::collections::BTreeSet;

use super::super::Leaf;
use super::{Mode, Policies};
use crate::clock::Timestamp;

impl Policies {
    /// What the policy says, in two or three lines.
    pub fn summary(&self) -> String {
        let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let mut text = format!(
            "{}, {}, {}, {}; what no enforced policy matches is {}",
            count(self.all.len(), "policy", "policies"),
            count(self.authorities.len(), "authority", "authorities"),
            count(self.exemptions.len(), "exemption", "exemptions"),
            count(self.revoked.digests.len(), "revoked digest", "revoked digests"),
            if self.default == Mode::Enforce { "denied" } else { "served and logged (default: audit)" },
        );
        for policy in &self.all {
            let list =
                |scopes: &[super::super::Scope]| scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let mode = if policy.mode == Mode::Enforce { "enforces" } else { "audits" };
            text.push_str(&["\n  ", policy.name.as_str(), " ", mode, " ", &list(&policy.matches)].concat());
            if !policy.except.is_empty() {
                text.push_str(&[" except ", &list(&policy.except)].concat());
            }
        }
        text
    }

    /// What in it is weak, useless or about to surprise, in no order of gravity.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.all.is_empty() && self.default == Mode::Enforce {
            warnings.push("there are no policies: every image is denied".to_string());
        }
        if self.default == Mode::Audit {
            warnings.push("`default: audit` serves every image that no enforced policy matches".to_string());
        }
        let used: BTreeSet<_> = self.all.iter().flat_map(|policy| policy.require.leaves()).map(Leaf::by).collect();
        for name in self.authorities.keys() {
            if used.contains(name) {
                warnings.push(format!(
                    "authority `{name}` skips the transparency log (`insecureSkipTransparencyLog`): a stolen key signs unseen"
                ));
            } else {
                warnings.push(format!("authority `{name}` is used by no policy"));
            }
        }
        for exemption in &self.exemptions {
            let reason = &exemption.reason;
            match exemption.expires {
                None => warnings.push(format!("the exemption `{reason}` never expires")),
                Some(end) if end <= now => warnings.push(format!("the exemption `{reason}` has expired")),
                Some(_) => {}
            }
        }
        warnings
    }
}
