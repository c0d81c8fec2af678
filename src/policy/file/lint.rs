//! What is allowed but deserves a look.

use std::collections::BTreeSet;

use super::super::{Authority, Kind, Leaf, Scope, TrustSource};
use super::{Mode, Policies};
use crate::clock::Timestamp;

mod identity;

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

    /// What in it is weak, useless or about to surprise, in no order of gravity.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.all.is_empty() && self.default == Mode::Enforce {
            warnings.push("there are no policies: every image is denied".to_string());
        }
        if self.default == Mode::Audit {
            warnings.push("`default: audit` serves every image that no enforced policy matches".to_string());
        }
        self.trust_root_warnings(&mut warnings);
        let used: BTreeSet<_> = self.all.iter().flat_map(|policy| policy.require.leaves()).map(Leaf::by).collect();
        for (name, authority) in &self.authorities {
            if used.contains(name) {
                warnings.extend(authority_warnings(authority, now));
            } else {
                warnings.push(format!("authority `{name}` is used by no policy"));
            }
        }
        warnings.extend(self.revoked.identities.iter().filter_map(identity::idle));
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

    fn trust_root_warnings(&self, warnings: &mut Vec<String>) {
        let used: BTreeSet<_> = self.authorities().filter_map(|authority| authority.trust_root()).collect();
        for (name, root) in &self.trust_roots {
            if !used.contains(name) {
                warnings.push(format!("trust root `{name}` is used by no authority"));
            }
            if let TrustSource::Tuf(tuf) = root.source()
                && tuf.mirror.as_ref().is_some_and(|mirror| mirror.scheme() == "http")
            {
                warnings.push(format!(
                    "trust root `{name}` comes over plain HTTP: it cannot be forged, but anyone between can hold news back"
                ));
            }
        }
    }
}

fn authority_warnings(authority: &Authority, now: Timestamp) -> Vec<String> {
    let name = authority.name();
    let mut warnings = Vec::new();
    if authority.skips_transparency_log() {
        warnings.push(format!(
            "authority `{name}` skips the transparency log (`insecureSkipTransparencyLog`): a stolen key signs unseen"
        ));
    }
    if let Kind::Keyless(keyless) = authority.kind() {
        if authority.skips_certificate_transparency() {
            warnings.push(format!(
                "authority `{name}` skips the certificate log (`insecureSkipCertificateTransparency`): a certificate \
                 that was issued by mistake or by force counts unseen"
            ));
        }
        warnings.extend(identity::warnings(keyless).map(|why| format!("authority `{name}`: {why}")));
    }
    if authority.validity().not_after < now {
        warnings.push(format!(
            "the keys of authority `{name}` have ended (`notAfter`): what counts are signatures whose log entry or time \
             stamp says that they are from before"
        ));
    }
    warnings
}
