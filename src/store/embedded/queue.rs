//! What waits to be written: bounded, and readable at once.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::batch::{Batch, Write, newest_first, weight};
use super::present::Present;
use super::spot::Spot;
use crate::store::{Item, StoreDown};
use crate::telemetry::PendingWrites;

/// Between those who put and the one thread that writes.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// How many bytes may wait.
    most: usize,
    /// How many writes wait, and how many were given up.
    pending: PendingWrites,
    /// What may be in the file.
    present: Arc<Present>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Batch,
    /// What is being written.
    writing: Arc<Batch>,
    /// What was read since this was last asked.
    uses: HashSet<Spot>,
    /// Why nothing is taken.
    down: Option<String>,
    /// Whether a reader met a fault since the file was opened.
    faulty: bool,
    /// Whether somebody waits until what waits is written.
    urgent: bool,
    stopping: bool,
}

/// What the writing thread is to do next.
#[derive(Debug)]
pub(super) enum Next {
    /// Write this.
    Batch(Arc<Batch>),
    /// Open the file again.
    Reopen,
    /// Nothing came.
    Idle,
    /// All is written, and no more will come.
    Stop,
}

impl Queue {
    /// An empty one, in which `most` bytes may wait.
    pub(super) fn new(most: usize, pending: PendingWrites, present: Arc<Present>) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), most, pending, present }
    }

    /// Takes writes.
    ///
    /// # Errors
    /// If too much waits already, or the file cannot be written.
    pub(super) fn add(&self, writes: impl IntoIterator<Item = (Spot, Write)>) -> Result<(), StoreDown> {
        let mut state = self.state();
        if let Some(why) = &state.down {
            return Err(StoreDown(why.clone()));
        }
        let (was_empty, writes) = (state.waiting.len() == 0, Vec::from_iter(writes));
        let more: usize = writes.iter().map(|(_, write)| weight(write)).sum();
        if state.waiting.bytes() + state.writing.bytes() + more > self.most {
            return Err(StoreDown("too much waits to be written".into()));
        }
        for (spot, write) in writes {
            self.present.add(spot);
            state.waiting.add(spot, write);
        }
        self.count(&state);
        // Whoever gathers what comes after the first is left alone until it is enough.
        if was_empty || self.is_enough(&state) {
            self.changed.notify_all();
        }
        Ok(())
    }

    /// The newest write that waits for a spot, if it is a value.
    pub(super) fn value(&self, spot: Spot) -> Option<Write> {
        let state = self.state();
        state.waiting.get(spot).or_else(|| state.writing.get(spot)).cloned()
    }

    /// The items that wait for a spot, newest first, and how many its list may have.
    pub(super) fn items(&self, spot: Spot) -> (Vec<Item>, usize) {
        let state = self.state();
        let (mut all, mut bound) = (Vec::new(), usize::MAX);
        for batch in [&state.waiting, &*state.writing] {
            if let Some(Write::Items { items, most, .. }) = batch.get(spot) {
                bound = bound.min(*most);
                all = newest_first(all, items.iter().copied(), bound);
            }
        }
        (all, bound)
    }

    /// Notes that a record was read.
    pub(super) fn used(&self, spot: Spot) {
        let mut state = self.state();
        if state.uses.len() < USES {
            state.uses.insert(spot);
        }
    }

    /// What was read since this was last asked.
    pub(super) fn uses(&self) -> HashSet<Spot> {
        std::mem::take(&mut self.state().uses)
    }

    /// Waits for something to do, for `patience` at most. What comes shortly after one another is written together.
    pub(super) fn next(&self, patience: Duration) -> Next {
        let nothing = |state: &mut State| state.waiting.len() == 0 && !state.faulty && !state.stopping;
        let waited = self.changed.wait_timeout_while(self.state(), patience, nothing);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let few = |state: &mut State| !self.is_enough(state) && !state.urgent && !state.faulty && !state.stopping;
        let gather = if state.waiting.len() == 0 { Duration::ZERO } else { GATHER };
        let waited = self.changed.wait_timeout_while(state, gather, few);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.faulty) {
            return Next::Reopen;
        }
        if state.waiting.len() > 0 {
            state.writing = Arc::new(std::mem::take(&mut state.waiting));
            state.urgent = false;
            return Next::Batch(state.writing.clone());
        }
        if state.stopping { Next::Stop } else { Next::Idle }
    }

    /// What was given out to be written is on the disk.
    pub(super) fn written(&self) {
        let mut state = self.state();
        state.writing = Arc::default();
        self.count(&state);
        self.changed.notify_all();
    }

    /// The file does not do what it is asked; no more is taken. What was given out waits again, if it is to be kept; if
    /// not, what is added to lists still does, within bounds, as nobody comes to that again. Whether all of that does.
    pub(super) fn failed(&self, why: String, keep: bool) -> bool {
        let mut state = self.state();
        let given = std::mem::take(&mut state.writing);
        let (all, lists) = (given.len(), given.lists());
        let is_lost = !keep && lists.len() > 0 && (state.stopping || lists.bytes() > self.most / 4);
        let kept = match (keep, is_lost) {
            (true, _) => given,
            (false, false) => Arc::new(lists),
            (false, true) => Arc::default(),
        };
        self.pending.lost.inc_by((all - kept.len()) as u64);
        state.waiting.put_back(&kept);
        state.down = Some(why);
        self.count(&state);
        !is_lost
    }

    /// The file is open (again).
    pub(super) fn up(&self) {
        let mut state = self.state();
        if !state.stopping {
            state.down = None;
        }
        state.faulty = false;
    }

    /// A reader met a fault.
    pub(super) fn faulty(&self, why: String) {
        let mut state = self.state();
        state.down = Some(why);
        state.faulty = true;
        self.changed.notify_all();
    }

    /// Why nothing is taken now.
    pub(super) fn down(&self) -> Option<StoreDown> {
        self.state().down.clone().map(StoreDown)
    }

    /// Waits until everything is written, which is done at once, or cannot be; for `time` at most.
    pub(super) fn flushed(&self, time: Duration) {
        let unwritten = |state: &mut State| state.down.is_none() && state.waiting.len() + state.writing.len() > 0;
        let mut state = self.state();
        state.urgent = state.waiting.len() > 0;
        self.changed.notify_all();
        drop(self.changed.wait_timeout_while(state, time, unwritten));
    }

    /// Takes no more; what waits is still written.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopping = true;
        state.down = Some("it is closed".into());
        self.changed.notify_all();
    }

    /// Waits for `time`, or until this is stopped; says whether it is.
    pub(super) fn stopped_within(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut state = self.state();
        while !state.stopping {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.stopping
    }

    /// Whether what waits is written without waiting for more.
    fn is_enough(&self, state: &State) -> bool {
        state.waiting.bytes() >= self.most / 4
    }

    fn count(&self, state: &State) {
        self.pending.waiting.set(i64::try_from(state.waiting.len() + state.writing.len()).unwrap_or(i64::MAX));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a first write waits for others that go to the disk with it: what a transaction costs, it costs once.
const GATHER: Duration = Duration::from_millis(100);

/// How many records' uses are noted at a time.
const USES: usize = 1 << 15;
