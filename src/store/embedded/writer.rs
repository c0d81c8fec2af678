//! The one thread that writes: what waits, in groups; what is to be forgotten, in between; and the file again, when it
//! failed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::fault::Fault;
use super::file::{Found, Opened};
use super::garbage::Sweep;
use super::losses::Losses;
use super::present::Present;
use super::queue::{Next, Queue};
use super::slot::Slot;
use super::{file, ledger, seconds};
use crate::clock::Clock;

/// What the thread holds.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) slot: Arc<Slot>,
    pub(super) queue: Arc<Queue>,
    pub(super) present: Arc<Present>,
    pub(super) clock: Arc<Clock>,
    pub(super) losses: Arc<Losses>,
    /// What all records may take.
    pub(super) most: u64,
}

/// What it knows while it runs.
struct Progress {
    /// What all records take.
    cost: u64,
    /// What they may take now: less than configured, where the disk has no room for that.
    most: u64,
    sweep: Option<Sweep>,
    swept: Instant,
    /// Failures since something was last written.
    failures: u32,
    /// Whether this process has had the file open: the mark that it is in use is its own.
    has_opened: bool,
}

impl Writer {
    /// Runs until the queue is stopped and all is written. If the file is not open at first, that comes first.
    pub(super) fn run(self, is_open: bool) {
        let swept = Instant::now();
        let mut progress = Progress { cost: 0, most: self.most, sweep: None, swept, failures: 0, has_opened: is_open };
        if is_open {
            self.weigh(&mut progress);
        } else {
            progress.failures = 1;
            self.reopen(&mut progress);
        }
        loop {
            let patience = if progress.sweep.is_some() { Duration::ZERO } else { progress.until_sweep() };
            let done = match self.queue.next(patience) {
                Next::Stop => break,
                Next::Reopen => Err(Fault::Failed("a reader met a fault".into())),
                // What waits for room again and again would never see it, if nothing were forgotten before.
                Next::Batch(batch) if progress.failures >= TRIES => {
                    self.forget(&mut progress).and_then(|()| self.write(&batch, &mut progress))
                }
                Next::Batch(batch) => self.write(&batch, &mut progress),
                Next::Idle => Ok(()),
            };
            if let Err(fault) = done.and_then(|()| self.forget(&mut progress)) {
                self.failed(&fault, &mut progress);
                self.reopen(&mut progress);
            }
        }
        // Who comes next is sure of what this one took, unless some of it was lost a moment ago.
        let released = if self.losses.will_matter() { Ok(()) } else { self.slot.with(file::release) };
        if let Err(fault) = released.and(self.slot.close()) {
            tracing::warn!(error = %fault, "the store was not closed in order; it will be repaired when it is opened");
        }
    }

    /// Reads which records there are, and what all of them take. If that cannot be read, the first write will tell.
    fn weigh(&self, progress: &mut Progress) {
        progress.cost = self.slot.with(ledger::cost).unwrap_or_default();
        if let Err(fault) = self.slot.with(|database| self.present.fill(database)) {
            tracing::debug!(error = %fault, "the store's records could not be listed; each is looked for");
        }
    }

    fn write(&self, batch: &Batch, progress: &mut Progress) -> Result<(), Fault> {
        let now = seconds(&self.clock);
        progress.cost = self.slot.with(|database| {
            ledger::change(database, |ledger| batch.iter().try_for_each(|(spot, write)| ledger.write(spot, write, now)))
        })?;
        progress.failures = 0;
        self.queue.written();
        Ok(())
    }

    /// Forgets a little, if it is time; and enough, if there is too much.
    fn forget(&self, progress: &mut Progress) -> Result<(), Fault> {
        loop {
            if progress.sweep.is_none() && progress.is_due() {
                progress.most = (progress.most + progress.most / 8).min(self.most);
                progress.sweep = Some(Sweep::new(seconds(&self.clock), progress.most / 4 * 3, self.queue.uses()));
            }
            let Some(sweep) = &mut progress.sweep else { return Ok(()) };
            let step = self.slot.with(|database| sweep.step(database))?;
            progress.cost = step.cost.unwrap_or(progress.cost);
            if step.lists {
                self.losses.forget();
            }
            if step.done {
                (progress.sweep, progress.swept) = (None, Instant::now());
                return Ok(());
            }
            if progress.cost <= progress.most {
                return Ok(());
            }
        }
    }

    fn failed(&self, fault: &Fault, progress: &mut Progress) {
        tracing::error!(path = %self.path.display(), error = %fault, "the store failed; verdicts are come to without it");
        progress.failures += 1;
        progress.sweep = None;
        if matches!(fault, Fault::Full(_)) {
            // There is no room for more: go on with less.
            progress.most = progress.most.min(progress.cost / 10 * 9).max(LEAST);
        }
        self.give_up(fault.to_string(), progress);
    }

    /// Nothing is taken until the file is open again; of what fails again and again only lists are still to be written.
    fn give_up(&self, why: String, progress: &Progress) {
        if !self.queue.failed(why, progress.failures < TRIES) {
            self.losses.refused();
        }
    }

    /// Opens the file again, however long it takes.
    fn reopen(&self, progress: &mut Progress) {
        loop {
            if let Err(fault) = self.slot.close() {
                tracing::debug!(error = %fault, "the store was not closed in order");
            }
            if self.queue.stopped_within(pause(progress.failures)) {
                return;
            }
            match file::open(&self.path) {
                Ok(Opened { database, found }) => {
                    // Without our mark it is another file than the one we had.
                    if found == Found::Emptied || (found == Found::InUse) != progress.has_opened {
                        self.losses.found();
                    }
                    progress.has_opened = true;
                    self.slot.put(database);
                    self.weigh(progress);
                    self.queue.up();
                    tracing::info!(path = %self.path.display(), "the store is open again");
                    return;
                }
                Err(error) => {
                    progress.failures += 1;
                    self.give_up(error.to_string(), progress);
                    tracing::warn!(%error, "the store stays closed");
                }
            }
        }
    }
}

impl Progress {
    fn is_due(&self) -> bool {
        self.cost > self.most / 8 * 7 || self.until_sweep().is_zero()
    }

    fn until_sweep(&self) -> Duration {
        SWEEP.saturating_sub(self.swept.elapsed())
    }
}

/// How long the file is left alone after it failed; the first time it is not.
fn pause(failures: u32) -> Duration {
    let seconds = failures.checked_sub(2).map_or(0, |doublings| 1 << doublings.min(5));
    Duration::from_secs(seconds.min(30))
}

/// How often what is of no more use is looked for.
const SWEEP: Duration = Duration::from_mins(10);

/// What records may take even where there seems to be no room.
const LEAST: u64 = 1 << 20;

/// How often writes are tried that fail.
const TRIES: u32 = 3;
