//! What a policy's requirements come to, audited leaf: only what is proven to be by the right authority, about the right
//! subject, of the right claim and format is put on the scales.

use crate::clock::Timestamp;
use crate::examined::{Children, Examined, Part};
use crate::outcome;
use crate::policy::{Held, Leaf, On, Policy, Select, Shortfall, Truth};
use crate::reason::Reason;
use crate::select::{Selected, choose};
use crate::verify::{Claim, Verified};

/// The value of what `policy` requires.
///
/// What it requires of each platform's own manifest holds for an index if it holds for every image that the index lists;
/// what it requires of the index is shared by all of them.
pub(crate) fn weigh_policy(policy: &Policy, examined: &Examined, now: Timestamp) -> Truth {
    let on = |part: &Part| {
        policy
            .require()
            .evaluate(&|leaf| weigh(leaf, policy, if leaf.on() == On::Platform { part } else { &examined.own }, now))
    };
    match &examined.children {
        Children::Read(children) if policy.require().asks_platforms() => {
            let each = children.iter().map(|part| named(on(part), part));
            each.reduce(Truth::and)
                .unwrap_or_else(|| without_platforms(policy, examined, now, &Truth::Fails(nothing())))
        }
        Children::Unread(why) => without_platforms(policy, examined, now, &Truth::Unknown(why.clone())),
        _ => on(&examined.own),
    }
}

/// The value if every requirement of a platform comes to `platforms`.
fn without_platforms(policy: &Policy, examined: &Examined, now: Timestamp, platforms: &Truth) -> Truth {
    policy.require().evaluate(&|leaf| match leaf.on() {
        On::Platform => platforms.clone(),
        On::Index => weigh(leaf, policy, &examined.own, now),
    })
}

/// The value of one requirement on what was found about one manifest.
pub(crate) fn weigh(leaf: &Leaf, policy: &Policy, part: &Part, now: Timestamp) -> Truth {
    let (counting, cause) = counting(leaf, policy, part);
    let unread = outcome::unread(leaf, policy.evidence(), cause, &part.findings);
    if counting.is_empty() {
        return match unread {
            Some(unread) => Truth::Unknown(unread),
            None => Truth::Fails(outcome::absent(leaf, cause, &part.findings)),
        };
    }
    let chosen = match leaf {
        Leaf::Signature { .. } => Selected::Holding { on: counting, until: Timestamp::FOREVER },
        Leaf::Attestation(wanted) => {
            // What is too large to be read may be newer than what was.
            let ranges = wanted.select != Select::Any;
            let unread = unread.clone().or_else(|| outcome::too_large(leaf, &part.findings).filter(|_| ranges));
            choose(wanted, counting, &part.image, unread.as_ref(), now)
        }
    };
    match chosen {
        Selected::Holding { on, until } => hold(&on, until, unread),
        Selected::Fails(why) => Truth::Fails(why),
        Selected::Unknown(why) => Truth::Unknown(why),
    }
}

/// What is proven to be by the right authority, about the right subject, of the right claim and format; and why the last
/// of the rest does not count.
pub(crate) fn counting<'a>(leaf: &Leaf, policy: &Policy, part: &'a Part) -> (Vec<&'a Verified>, Option<Reason>) {
    let (mut counting, mut cause) = (Vec::new(), None);
    for verified in part.findings.verified.iter().filter(|verified| verified.authority() == leaf.by()) {
        if verified.subject() != part.image.digest {
            cause = Some(Reason::SubjectMismatch);
        } else if !claims(leaf, verified.claim()) {
            cause = Some(Reason::PredicateTypeMismatch);
        } else if !policy.formats().accept(verified.format()) {
            cause = Some(Reason::FormatNotAccepted);
        } else if !annotated(leaf, verified) {
            cause = Some(Reason::ConditionFalse);
        } else {
            counting.push(verified);
        }
    }
    (counting, cause)
}

fn claims(leaf: &Leaf, claim: &Claim) -> bool {
    match (leaf, claim) {
        (Leaf::Signature { .. }, Claim::Signature) => true,
        (Leaf::Attestation(wanted), Claim::Attestation(stated)) => wanted.predicate_type == *stated,
        _ => false,
    }
}

/// Whether the signer signed the annotations that are demanded.
fn annotated(leaf: &Leaf, verified: &Verified) -> bool {
    let Leaf::Signature { annotations: wanted, .. } = leaf else { return true };
    wanted.is_empty() || {
        let signed = verified.annotations();
        wanted.iter().all(|(key, value)| signed.get(key) == Some(value))
    }
}

/// It holds on the word of those who made these proofs; without any it does not.
fn hold(on: &[&Verified], until: Timestamp, more: Option<Shortfall>) -> Truth {
    if on.is_empty() {
        return Truth::Fails(nothing());
    }
    Truth::Holds(Held { signers: on.iter().map(|verified| verified.signer().clone()).collect(), until, more })
}

fn named(truth: Truth, part: &Part) -> Truth {
    let name = |why: Shortfall| {
        let detail = format!("{} ({}): {}", part.platform, part.image.digest, why.detail);
        Shortfall { detail, ..why }
    };
    match truth {
        Truth::Fails(why) => Truth::Fails(name(why)),
        Truth::Unknown(why) => Truth::Unknown(name(why)),
        holds @ Truth::Holds(_) => holds,
    }
}

fn nothing() -> Shortfall {
    Shortfall { reason: Reason::ChildDenied, cause: None, detail: "the index lists no image".into() }
}

#[cfg(test)]
mod tests;
