//! What a policy says, in a few lines.

use super::{Mode, Policies};
use crate::policy::Scope;

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
            let list = |scopes: &[Scope]| scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let mode = if policy.mode == Mode::Enforce { "enforces" } else { "audits" };
            text.push_str(&["\n  ", policy.name.as_str(), " ", mode, " ", &list(&policy.matches)].concat());
            if !policy.except.is_empty() {
                text.push_str(&[" except ", &list(&policy.except)].concat());
            }
        }
        text
    }
}
