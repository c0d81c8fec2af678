//! What a policy's requirements come to, audited leaf: only what is proven to be by the right authority, about the right
//! subject, of the right claim and format is put on the scales.

use crate::clock::Timestamp;
use crate::examined::{Children, Examined, Part};
use crate::outcome::{self, Denial};
use crate::policy::{Governing, Held, Leaf, Mode, On, Policy, Select, Shortfall, Truth};
use crate::reason::{Class, Reason};
use crate::select::{Selected, choose};
use crate::verify::{Claim, Verified};

/// What the policies that govern a subject come to, taken together.
#[derive(Debug, Default)]
pub(crate) struct Weighed {
    /// The first no of an enforced policy.
    pub(crate) denied: Option<Denial>,
    /// What the first enforced policy lacks that could not be told.
    pub(crate) unsure: Option<Denial>,
    /// The noes of audited policies.
    pub(crate) would_deny: Vec<Denial>,
    /// If an enforced policy holds: until when all that do go on to.
    pub(crate) held: Option<Timestamp>,
}

/// Weighs every policy that no exemption takes away. What could not be told names as its cause the registry that is away,
/// if that is all that is missing.
pub(crate) fn weigh_all(governing: &Governing, examined: &Examined, now: Timestamp) -> Weighed {
    let mut all = Weighed::default();
    for policy in governing.remaining() {
        let by = |why| Denial::by(policy, why, governing);
        match (policy.mode(), weigh_policy(policy, examined, now)) {
            (Mode::Enforce, Truth::Holds(on)) => all.held = Some(all.held.map_or(on.until, |held| held.min(on.until))),
            (Mode::Audit, Truth::Holds(_)) => {}
            (Mode::Audit, Truth::Fails(why) | Truth::Unknown(why)) => all.would_deny.push(by(why)),
            (Mode::Enforce, Truth::Fails(why)) => all.denied = all.denied.or_else(|| Some(by(why))),
            (Mode::Enforce, Truth::Unknown(why)) => {
                let cause = examined.outage().or(why.cause);
                all.unsure = all.unsure.or_else(|| Some(by(Shortfall { cause, ..why })));
            }
        }
    }
    all
}

/// The value of what `policy` requires.
///
/// What it requires of each platform's own manifest holds for an index if it holds for every image that the index lists;
/// what it requires of the index is shared by all of them.
pub(crate) fn weigh_policy(policy: &Policy, examined: &Examined, now: Timestamp) -> Truth {
    // Each once, however many images share it.
    let shared: Vec<_> = policy.require().leaves().into_iter().filter(|leaf| leaf.on() == On::Index).collect();
    let shared: Vec<_> = shared.into_iter().map(|leaf| (leaf, weigh(leaf, policy, &examined.own, now))).collect();
    let own = |leaf: &Leaf| {
        let known = shared.iter().find(|(known, _)| std::ptr::eq(*known, leaf)).map(|(_, truth)| truth.clone());
        known.unwrap_or_else(|| weigh(leaf, policy, &examined.own, now))
    };
    // What is required of the index, on its own evidence; what is required of a platform comes to `platform`.
    let with = |platform: &dyn Fn(&Leaf) -> Truth| {
        policy.require().evaluate(&|leaf: &Leaf| match leaf.on() {
            On::Index => own(leaf),
            On::Platform => platform(leaf),
        })
    };
    match &examined.children {
        Children::Read(children) if policy.require().asks_platforms() => {
            let each = children.iter().map(|part| with(&|leaf| named(weigh(leaf, policy, part, now), part)));
            each.reduce(Truth::and).unwrap_or_else(|| with(&|leaf| Truth::Fails(no_image(leaf))))
        }
        Children::Unread(why) => with(&|_| match why.reason.class() {
            Class::Deny => Truth::Fails(why.clone()),
            _ => Truth::Unknown(why.clone()),
        }),
        _ => with(&own),
    }
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
    // What stands where only other policies look is not there for this one: they could allow more otherwise.
    let elsewhere = policy.evidence().map(ToString::to_string);
    let looks = |verified: &&Verified| verified.elsewhere().is_none_or(|place| elsewhere.as_deref() == Some(place));
    let by = |verified: &&Verified| verified.authority() == leaf.by();
    for verified in part.findings.verified.iter().filter(by).filter(looks) {
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
    let name = |why: Shortfall| Shortfall { detail: format!("{}: {}", part.name(), why.detail), ..why };
    match truth {
        Truth::Fails(why) => Truth::Fails(name(why)),
        Truth::Unknown(why) => Truth::Unknown(name(why)),
        holds @ Truth::Holds(_) => holds,
    }
}

fn nothing() -> Shortfall {
    Shortfall { reason: Reason::NoPolicy, cause: None, detail: "nobody signed".into() }
}

fn no_image(leaf: &Leaf) -> Shortfall {
    let reason = match leaf {
        Leaf::Attestation(_) => Reason::AttestationMissing,
        Leaf::Signature { .. } => Reason::SignatureMissing,
    };
    Shortfall { reason, cause: None, detail: "the index lists no image, and an image is required".into() }
}

#[cfg(test)]
mod tests;
