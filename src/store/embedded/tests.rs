//! The store in a file: what it keeps, what it forgets, and what it makes of a file that is damaged.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::clock::Timestamp;
use crate::store::Shelf;

mod bounds;

mod damage;

mod keeping;

mod opening;

/// A folder with a store's file in it, a clock, and the count of what waits to be written.
struct Scene {
    folder: TempDir,
    clock: Arc<Clock>,
    pending: PendingWrites,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, clock: Arc::new(Clock::fixed(START)), pending: pending() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.redb")
    }

    fn open(&self) -> EmbeddedStore {
        self.open_with(MOST).expect("it opens")
    }

    fn open_with(&self, most: u64) -> Result<EmbeddedStore, OpenError> {
        EmbeddedStore::open(self.path(), most, self.clock.clone(), self.pending.clone())
    }

    fn wait(&self, time: Duration) {
        self.clock.set(self.clock.now().plus(time));
    }

    /// What was set aside.
    fn aside(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder").flatten().map(|entry| entry.path());
        entries.filter(|path| path.to_string_lossy().contains(".corrupt-")).collect()
    }
}

/// Nothing waits yet.
fn pending() -> PendingWrites {
    crate::telemetry::Metrics::new().store().pending().clone()
}

/// What the file takes on the disk, in bytes.
fn size(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).expect("a file").blocks() * 512
}

fn verdict(name: &str) -> Place {
    Place::new(Shelf::Verdicts, name)
}

fn members(name: &str) -> Place {
    Place::new(Shelf::Members, name)
}

fn item(says: u8, seal: u8) -> Item {
    Item(std::array::from_fn(|at| if at < 33 { says } else { seal }))
}

const START: Timestamp = Timestamp(1_800_000_000);
const DAY: Duration = Duration::from_hours(24);
const MOST: u64 = 64 << 20;
