//! What policies that are only watched would have done, noted for the log line.

use super::Ask;
use crate::oci::Tag;
use crate::outcome::Denial;
use crate::policy::{Governing, Mode};
use crate::reason::Reason;
use crate::telemetry::Facts;

/// The refusal of a tag by a policy that is obeyed; one that is only watched leaves a note.
pub(super) fn refused_tag(ask: &mut Ask, governing: &Governing, tag: Option<&Tag>) -> Option<Denial> {
    let tag = tag.filter(|_| !governing.revoked())?;
    for policy in governing.remaining().filter(|policy| policy.refuses(tag)) {
        let detail = format!("the policy refuses the tag `{tag}`; use another tag or a digest");
        let denial = Denial { policy: Some(policy.name().clone()), ..Denial::new(Reason::TagRefused, detail) };
        match policy.mode() {
            Mode::Enforce => return Some(denial),
            Mode::Audit => note(&mut ask.facts, &[denial]),
        }
    }
    None
}

/// Notes what they would have refused.
pub(super) fn note(facts: &mut Facts, would_deny: &[Denial]) {
    let policy = |denial: &Denial| denial.policy.as_ref().map_or("", |name| name.as_str()).into();
    facts.would_deny.extend(would_deny.iter().map(|denial| (policy(denial), denial.reason)));
}
