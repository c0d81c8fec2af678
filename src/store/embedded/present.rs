//! What may be in the file: whoever asks for what is not, as each pull of a new image does several times, waits for no
//! disk.
//!
//! A Bloom filter of fixed size: what was written is never denied, and of what was not about one in fifty is looked for
//! in vain at a million records. It forgets nothing until the file is opened by another process.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::{Database, ReadableDatabase};

use super::fault::Fault;
use super::ledger::kept;
use super::spot::Spot;

/// The spots of all records, and of some that are none any more.
#[derive(Debug)]
pub(super) struct Present {
    /// A megabyte, as far as it is used.
    parts: [OnceLock<Box<Part>>; PARTS],
    /// Whether what the file held when it was opened is in it.
    complete: AtomicBool,
}

type Part = [AtomicU64; WORDS];

impl Default for Present {
    fn default() -> Self {
        Self { parts: std::array::from_fn(|_| OnceLock::new()), complete: AtomicBool::new(false) }
    }
}

impl Present {
    /// Notes what will be written.
    pub(super) fn add(&self, spot: Spot) {
        let part = self.part(spot).get_or_init(|| Box::new(std::array::from_fn(|_| AtomicU64::new(0))));
        for (word, bit) in bits(spot) {
            part[word].fetch_or(bit, Ordering::Release);
        }
    }

    /// Notes all that the file holds.
    ///
    /// # Errors
    /// If it cannot be read; everything may be in it then.
    pub(super) fn fill(&self, database: &Database) -> Result<(), Fault> {
        self.complete.store(false, Ordering::Release);
        let (transaction, mut after) = (database.begin_read()?, None);
        loop {
            let found = kept(&transaction, after, AT_ONCE)?;
            let Some((last, _)) = found.last() else { break };
            after = Some(*last);
            for (spot, _) in &found {
                self.add(*spot);
            }
        }
        self.complete.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether there may be a record at `spot`.
    pub(super) fn may_hold(&self, spot: Spot) -> bool {
        if !self.complete.load(Ordering::Acquire) {
            return true;
        }
        let part = self.part(spot).get();
        part.is_some_and(|part| bits(spot).into_iter().all(|(word, bit)| part[word].load(Ordering::Acquire) & bit != 0))
    }

    fn part(&self, spot: Spot) -> &OnceLock<Box<Part>> {
        let [rank, first, ..] = spot.0;
        &self.parts[usize::from(first.wrapping_add(rank << 6))]
    }
}

/// Four bits of a part, chosen by the hash that a spot is.
fn bits(spot: Spot) -> [(usize, u64); 4] {
    std::array::from_fn(|number| {
        let hash = usize::from(u16::from_be_bytes([spot.0[2 + 2 * number], spot.0[3 + 2 * number]]));
        (hash / 64 % WORDS, 1 << (hash % 64))
    })
}

const PARTS: usize = 256;
const WORDS: usize = 512;

/// Records that are read in one go.
const AT_ONCE: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Place, Shelf};

    fn spot(name: usize) -> Spot {
        Spot::of(&Place::new(Shelf::Verdicts, name.to_string()))
    }

    #[test]
    fn what_is_there_is_never_denied_and_what_is_not_seldom_looked_for() {
        let present = Present::default();
        assert!(present.may_hold(spot(1)), "nothing is known yet");
        present.complete.store(true, Ordering::Release);
        assert!(!present.may_hold(spot(1)));
        for name in 0..100_000 {
            present.add(spot(name));
        }
        assert!((0..100_000).all(|name| present.may_hold(spot(name))));
        let in_vain = (100_000..200_000).filter(|name| present.may_hold(spot(*name))).count();
        assert!(in_vain < 100, "{in_vain}");
    }
}
