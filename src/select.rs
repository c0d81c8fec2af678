//! Of the attestations that count: which must satisfy the policy, and whether they do. It can only narrow.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::policy::condition::{Document, Facts, Failure, ImageFacts, SignerFacts};
use crate::policy::{Attestation, Select, Shortfall, Signer};
use crate::reason::Reason;
use crate::verify::Verified;

/// What was chosen among the attestations that count.
#[derive(Debug)]
pub enum Selected<'a> {
    /// These satisfy the policy.
    Holding {
        /// Which.
        on: Vec<&'a Verified>,
        /// Until when, if nothing else changes.
        until: Timestamp,
    },
    /// They do not.
    Fails(Shortfall),
    /// It cannot be told, because not everything could be read.
    Unknown(Shortfall),
}

/// One attestation that counts and what came of it: what people are told, `choose` goes by.
#[derive(Debug)]
pub struct Considered<'a> {
    /// Which.
    pub proof: &'a Verified,
    /// When it was made, as far as that is sure.
    pub time: Option<Timestamp>,
    /// Whether it is one of those that must satisfy the policy, or of which one must.
    pub chosen: bool,
    /// Why it does not satisfy the policy, if it does not.
    pub fails: Option<(Reason, String)>,
}

/// One attestation and what came of it.
#[derive(Clone)]
struct Judged<'a> {
    proof: &'a Verified,
    time: Time,
    /// Until when it satisfies, or why it does not.
    value: Result<Timestamp, (Reason, String)>,
}

/// When an attestation was made, for its age and its place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Known(Timestamp),
    /// It says a time that has not come yet, and counts from this instant on.
    Future(Timestamp),
    /// Nothing says when.
    None,
}

/// Says whether those of `counting` that `wanted` selects satisfy it. `unread` says that not all could be read.
pub(crate) fn choose<'a>(
    wanted: &Attestation,
    counting: Vec<&'a Verified>,
    image: &ImageFacts,
    unread: Option<&Shortfall>,
    now: Timestamp,
) -> Selected<'a> {
    if !asks(wanted) {
        return Selected::Holding { on: counting, until: Timestamp::FOREVER };
    }
    let (chosen, mut failed) = chosen(wanted, judge_all(wanted, counting, image, now));
    let (held, others): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|one| one.value.is_ok());
    let every = wanted.select != Select::Any;
    // What is to come may then be the newest, or one that fails.
    let to_come = failed.iter().filter_map(|one| one.time.to_come()).filter(|_| every).min();
    let other = to_come.unwrap_or(Timestamp::FOREVER);
    let holds = !held.is_empty() && (others.is_empty() || !every);
    // One that counts and fails makes `all` fail, whatever else there is.
    let fails = wanted.select == Select::All && !others.is_empty();
    failed.splice(0..0, others);
    match (holds, unread) {
        (true, None) => holding(held, every, other),
        (true, Some(_)) if !every => holding(held, every, other),
        (false, Some(unread)) if !fails => Selected::Unknown(unread.clone()),
        (true, Some(unread)) => Selected::Unknown(unread.clone()),
        (false, _) => Selected::Fails(failed.into_iter().find_map(|one| one.shortfall(wanted)).unwrap_or_else(|| {
            let detail = format!("no attestation {} by `{}` counts", wanted.predicate_type, wanted.by);
            Shortfall { reason: Reason::AttestationMissing, cause: None, detail }
        })),
    }
}

/// Tells what came of each of `counting`.
pub(crate) fn consider<'a>(
    wanted: &Attestation,
    counting: Vec<&'a Verified>,
    image: &ImageFacts,
    now: Timestamp,
) -> Vec<Considered<'a>> {
    let all = judge_all(wanted, counting, image, now);
    let asks = asks(wanted);
    let chosen = if asks { chosen(wanted, all.clone()).0 } else { all.clone() };
    let each = all.into_iter().map(|one| Considered {
        proof: one.proof,
        time: one.time.known(),
        chosen: chosen.iter().any(|other| std::ptr::eq(one.proof, other.proof)),
        fails: one.value.err().filter(|_| asks),
    });
    each.collect()
}

/// Whether it matters which of them is looked at.
fn asks(wanted: &Attestation) -> bool {
    wanted.condition.is_some() || wanted.max_age.is_some()
}

/// Those that must satisfy the policy, or of which one must; and those that are to come.
fn chosen<'a>(wanted: &Attestation, judged: Vec<Judged<'a>>) -> (Vec<Judged<'a>>, Vec<Judged<'a>>) {
    let (here, to_come): (Vec<_>, Vec<_>) = judged.into_iter().partition(|one| one.time.to_come().is_none());
    (if wanted.select == Select::Newest { newest(here) } else { here }, to_come)
}

/// All that satisfy the policy, at most until `other` counts: until the first of them ends, if `every` one must; else until
/// the first signer has none left.
fn holding(held: Vec<Judged<'_>>, every: bool, other: Timestamp) -> Selected<'_> {
    let mut last = BTreeMap::<&Signer, Timestamp>::new();
    for one in &held {
        if let Ok(until) = one.value {
            let last = last.entry(one.proof.signer()).or_insert(until);
            *last = if every { until.min(*last) } else { until.max(*last) };
        }
    }
    let until = last.into_values().min().unwrap_or(Timestamp(0)).min(other);
    Selected::Holding { on: held.into_iter().map(|one| one.proof).collect(), until }
}

/// The newest, all of them if there are several; what has no time might be newer than any.
fn newest(judged: Vec<Judged<'_>>) -> Vec<Judged<'_>> {
    let newest = judged.iter().filter_map(|one| one.time.known()).max();
    judged.into_iter().filter(|one| one.time == Time::None || one.time.known() == newest).collect()
}

/// Judges each. The same statement by the same signer is judged once: anyone may attach copies, and each may be large.
fn judge_all<'a>(
    wanted: &Attestation,
    counting: Vec<&'a Verified>,
    image: &ImageFacts,
    now: Timestamp,
) -> Vec<Judged<'a>> {
    let mut all = Vec::<(SignerFacts, Judged<'a>)>::with_capacity(counting.len());
    for proof in counting {
        let signer = proof.signing().facts();
        let same =
            |(by, other): &&(SignerFacts, Judged<'_>)| *by == signer && other.proof.statement() == proof.statement();
        let known = all.iter().find(same).map(|(_, other)| Judged { proof, ..other.clone() });
        let judged = known.unwrap_or_else(|| judge(wanted, proof, &signer, image, now));
        all.push((signer, judged));
    }
    all.into_iter().map(|(_, judged)| judged).collect()
}

fn judge<'a>(
    wanted: &Attestation,
    proof: &'a Verified,
    signer: &SignerFacts,
    image: &ImageFacts,
    now: Timestamp,
) -> Judged<'a> {
    // A statement may be large: it is parsed only if somebody asks what it says.
    let reads = wanted.condition.is_some() || wanted.age_from.is_some();
    let document = Document::parse(proof.statement().filter(|_| reads).map_or(b"{}", |statement| statement));
    let document = match document {
        Ok(document) => document,
        Err(Failure { reason, detail }) => return Judged { proof, time: Time::None, value: Err((reason, detail)) },
    };
    let time = time(wanted, signer, &document, now);
    let value = satisfies(wanted, &Facts { statement: &document, signer, image, now });
    let value = match (value, time, wanted.max_age) {
        (_, Time::Future(_), _) => Err((Reason::NoSigningTime, format!("it says a time in the future{}", of(wanted)))),
        (_, Time::None, Some(_)) => {
            Err((Reason::NoSigningTime, format!("nothing that counts says when it was made{}", of(wanted))))
        }
        (_, Time::Known(time), Some(age)) if now >= time.plus(age) => {
            Err((Reason::TooOld, format!("it is {} old, at most {} are allowed", days(now.since(time)), days(age))))
        }
        (Err(Failure { reason, detail }), ..) => Err((reason, detail)),
        (Ok(until), Time::Known(time), Some(age)) => Ok(until.min(time.plus(age))),
        (Ok(until), ..) => Ok(until),
    };
    Judged { proof, time, value }
}

/// Until when the condition holds.
fn satisfies(wanted: &Attestation, facts: &Facts<'_>) -> Result<Timestamp, Failure> {
    let Some(condition) = &wanted.condition else { return Ok(Timestamp::FOREVER) };
    if !condition.evaluate(facts)? {
        let detail = format!("the condition does not hold: {}", condition.source().trim());
        return Err(Failure { reason: Reason::ConditionFalse, detail });
    }
    Ok(if condition.uses_now() { facts.now.plus(NOW_HOLDS) } else { Timestamp::FOREVER })
}

/// When it was made: what the signed content says, or the time of signing where it is sure.
fn time(wanted: &Attestation, signer: &SignerFacts, document: &Document, now: Timestamp) -> Time {
    let time = match &wanted.age_from {
        Some(field) => document.text(field).and_then(Timestamp::parse),
        None => signer.time,
    };
    match time {
        Some(time) if time > now.plus(AHEAD) => Time::Future(Timestamp(time.0.saturating_sub(AHEAD.as_secs()))),
        Some(time) => Time::Known(time),
        None => Time::None,
    }
}

impl Judged<'_> {
    /// Why it does not satisfy the policy.
    fn shortfall(self, wanted: &Attestation) -> Option<Shortfall> {
        let (reason, why) = self.value.err()?;
        let Attestation { by, predicate_type, .. } = wanted;
        let detail = format!("the attestation {predicate_type} by `{by}` ({}): {why}", self.proof.location());
        Some(Shortfall { reason, cause: None, detail })
    }
}

impl Time {
    fn known(self) -> Option<Timestamp> {
        match self {
            Self::Known(time) => Some(time),
            Self::Future(_) | Self::None => None,
        }
    }

    fn to_come(self) -> Option<Timestamp> {
        match self {
            Self::Future(from) => Some(from),
            Self::Known(_) | Self::None => None,
        }
    }
}

fn of(wanted: &Attestation) -> String {
    wanted.age_from.as_ref().map_or_else(String::new, |field| format!(" (`predicate.{field}`)"))
}

fn days(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        172_800.. => format!("{} days", seconds / 86_400),
        7_200.. => format!("{} hours", seconds / 3_600),
        _ => format!("{} minutes", seconds / 60),
    }
}

/// How long a condition that depends on the present is taken to hold.
const NOW_HOLDS: Duration = Duration::from_mins(1);

/// How far clocks may be apart.
const AHEAD: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests;
