//! Forgetting: what is of no more use, and beyond the bound what was used least lately; evidence before verdicts before
//! members.

use std::collections::BTreeMap;

use redb::{Database, ReadableDatabase};

use super::fault::Fault;
use super::ledger::{Kept, change, kept};
use super::spot::Spot;

/// One pass over all records, in steps, so that writes need not wait for its end.
#[derive(Debug)]
pub(super) struct Sweep {
    now: u32,
    /// What all records may take when it ends.
    target: u64,
    after: Option<Spot>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Note when records were last used.
    Uses(Vec<Spot>),
    /// Count what they take, by age.
    Count(Census),
    /// Forget.
    Forget(Horizon),
}

/// What records take that are still of use, by shelf and by the minute of their last use.
#[derive(Debug, Default)]
struct Census {
    by_age: BTreeMap<(u8, u32), u64>,
    /// Whether there is anything that is of no more use.
    expired: bool,
}

/// Everything before `age` goes, and of that age as much as `of_it` bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Horizon {
    age: (u8, u32),
    of_it: u64,
}

/// What a step came to.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Step {
    /// Whether it was the last.
    pub(super) done: bool,
    /// What all records take now, if that changed.
    pub(super) cost: Option<u64>,
    /// Whether lists made room that would still be of use.
    pub(super) lists: bool,
}

impl Sweep {
    /// A pass at `now`, after which all records take `target` at most; `uses` were read lately.
    pub(super) fn new(now: u32, target: u64, uses: impl IntoIterator<Item = Spot>) -> Self {
        Self { now, target, after: None, phase: Phase::Uses(uses.into_iter().collect()) }
    }

    /// Does a little of it.
    pub(super) fn step(&mut self, database: &Database) -> Result<Step, Fault> {
        match &mut self.phase {
            Phase::Uses(uses) => {
                let some = uses.split_off(uses.len().saturating_sub(CHANGED));
                if some.is_empty() {
                    self.phase = Phase::Count(Census::default());
                    return Ok(Step::default());
                }
                let noted = |ledger: &mut super::ledger::Ledger<'_>| {
                    some.iter().try_for_each(|spot| ledger.used(*spot, self.now))
                };
                change(database, noted).map(|cost| Step { cost: Some(cost), ..Step::default() })
            }
            Phase::Count(census) => {
                let found = kept(&database.begin_read()?, self.after, READ)?;
                census.expired |= found.iter().any(|(_, kept)| kept.expires <= self.now);
                for (spot, kept) in found.iter().filter(|(_, kept)| kept.expires > self.now) {
                    *census.by_age.entry(age(*spot, *kept)).or_default() += u64::from(kept.cost);
                }
                self.after = found.last().map(|(spot, _)| *spot);
                if self.after.is_some() {
                    return Ok(Step::default());
                }
                let (horizon, expired) = (census.horizon(self.target), census.expired);
                self.phase = Phase::Forget(horizon);
                Ok(Step { done: !expired && horizon.is_none(), ..Step::default() })
            }
            Phase::Forget(horizon) => {
                let found = kept(&database.begin_read()?, self.after, CHANGED)?;
                self.after = found.last().map(|(spot, _)| *spot);
                let goes = |(spot, kept): &(Spot, Kept)| kept.expires <= self.now || horizon.takes(*spot, *kept);
                let going: Vec<_> = found.into_iter().filter(goes).collect();
                let done = self.after.is_none();
                if going.is_empty() {
                    return Ok(Step { done, ..Step::default() });
                }
                let forget = |ledger: &mut super::ledger::Ledger<'_>| {
                    going.iter().try_for_each(|(spot, seen)| ledger.forget(*spot, *seen))
                };
                let is_list = |spot: Spot| spot.rank() == Spot::MEMBERS;
                let lists = going.iter().any(|(spot, kept)| is_list(*spot) && kept.expires > self.now);
                change(database, forget).map(|cost| Step { done, cost: Some(cost), lists })
            }
        }
    }
}

impl Census {
    /// How much must go so that `target` is left.
    fn horizon(&self, target: u64) -> Horizon {
        let all: u64 = self.by_age.values().sum();
        let mut excess = all.saturating_sub(target);
        for (age, cost) in &self.by_age {
            if *cost >= excess {
                return Horizon { age: *age, of_it: excess };
            }
            excess -= cost;
        }
        Horizon::default()
    }
}

impl Horizon {
    fn is_none(self) -> bool {
        self.of_it == 0
    }

    /// Whether a record lies behind it; what is of its very age goes until enough went.
    fn takes(&mut self, spot: Spot, kept: Kept) -> bool {
        let age = age(spot, kept);
        if age != self.age || self.of_it == 0 {
            return age < self.age;
        }
        self.of_it = self.of_it.saturating_sub(kept.cost.into());
        true
    }
}

/// Less is forgotten earlier.
const fn age(spot: Spot, kept: Kept) -> (u8, u32) {
    (spot.rank(), kept.used / 60)
}

/// Records looked at in one step.
const READ: usize = 8192;

/// Records changed in one step.
const CHANGED: usize = 2048;
