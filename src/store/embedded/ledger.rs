//! The tables of the file, and one transaction over them.
//!
//! `records` holds what is kept, behind the second at which it is of no more use. `kept` holds what deciding what to
//! forget needs, so that this never reads the records themselves. `meta` holds the version of this layout, and the sum of
//! what all records take.

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::batch::{Write, newest_first};
use super::fault::Fault;
use super::spot::{SPOT, Spot};
use crate::store::Item;

/// The layout that this version reads and writes.
pub(super) const FORMAT: u64 = 1;

pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const RECORDS: TableDefinition<'_, &[u8; SPOT], &[u8]> = TableDefinition::new("records");
const KEPT: TableDefinition<'_, &[u8; SPOT], (u32, u32, u32)> = TableDefinition::new("kept");

/// How many tables there are.
pub(super) const TABLES: usize = 3;

/// What is known of a record without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// When it is of no more use, in seconds since the epoch.
    pub(super) expires: u32,
    /// When it was last used, in seconds since the epoch, give or take [`USE_NOTED`].
    pub(super) used: u32,
    /// What it takes in the file, about.
    pub(super) cost: u32,
}

/// How much later a use must be than the one that is noted, to be noted itself, in seconds.
pub(super) const USE_NOTED: u32 = 3600;

/// A transaction that changes records.
pub(super) struct Ledger<'txn> {
    records: Table<'txn, &'static [u8; SPOT], &'static [u8]>,
    kept: Table<'txn, &'static [u8; SPOT], (u32, u32, u32)>,
    meta: Table<'txn, &'static str, u64>,
    cost: u64,
}

impl<'txn> Ledger<'txn> {
    /// Opens the tables, which are made if they are not there.
    pub(super) fn open(transaction: &'txn WriteTransaction) -> Result<Self, Fault> {
        let meta = transaction.open_table(META)?;
        let cost = meta.get(COST)?.map_or(0, |cost| cost.value());
        Ok(Self { records: transaction.open_table(RECORDS)?, kept: transaction.open_table(KEPT)?, meta, cost })
    }

    /// Writes what `write` says.
    pub(super) fn write(&mut self, spot: Spot, write: &Write, now: u32) -> Result<(), Fault> {
        match write {
            Write::Value { bytes, expires } => self.put(spot, bytes, *expires, now),
            Write::Items { items, most, expires } => {
                let older = self.records.get(&spot.0)?.and_then(|record| live(record.value(), now).map(listed));
                let items = newest_first(items.clone(), older.unwrap_or_default(), *most);
                let bytes: Vec<u8> = items.iter().flat_map(|item| item.0).collect();
                self.put(spot, &bytes, *expires, now)
            }
        }
    }

    fn put(&mut self, spot: Spot, bytes: &[u8], expires: u32, now: u32) -> Result<(), Fault> {
        let record = [&expires.to_be_bytes(), bytes].concat();
        let cost = cost_of(record.len());
        self.records.insert(&spot.0, &record[..])?;
        let before = self.kept.insert(&spot.0, (expires, now, cost))?.map_or(0, |before| before.value().2);
        self.cost = (self.cost + u64::from(cost)).saturating_sub(u64::from(before));
        Ok(())
    }

    /// Forgets a record, if it is still as it was `seen`.
    pub(super) fn forget(&mut self, spot: Spot, seen: Kept) -> Result<(), Fault> {
        if self.kept.get(&spot.0)?.map(|kept| Kept::of(kept.value())) == Some(seen) {
            self.kept.remove(&spot.0)?;
            self.records.remove(&spot.0)?;
            self.cost = self.cost.saturating_sub(seen.cost.into());
        }
        Ok(())
    }

    /// Notes that a record was used, if that was not noted lately.
    pub(super) fn used(&mut self, spot: Spot, now: u32) -> Result<(), Fault> {
        let kept = self.kept.get(&spot.0)?.map(|kept| Kept::of(kept.value()));
        if let Some(kept) = kept.filter(|kept| kept.used.saturating_add(USE_NOTED) <= now) {
            self.kept.insert(&spot.0, (kept.expires, now, kept.cost))?;
        }
        Ok(())
    }

    /// Ends the changes, and says what all records take now.
    pub(super) fn close(mut self) -> Result<u64, Fault> {
        self.meta.insert(COST, self.cost)?;
        Ok(self.cost)
    }
}

impl Kept {
    const fn of((expires, used, cost): (u32, u32, u32)) -> Self {
        Self { expires, used, cost }
    }
}

/// Changes records in one transaction, which is on the disk afterwards; says what all records take then.
pub(super) fn change(
    database: &redb::Database,
    changes: impl FnOnce(&mut Ledger<'_>) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let transaction = database.begin_write()?;
    let mut ledger = Ledger::open(&transaction)?;
    changes(&mut ledger)?;
    let cost = ledger.close()?;
    transaction.commit()?;
    Ok(cost)
}

/// What all records take.
pub(super) fn cost(database: &redb::Database) -> Result<u64, Fault> {
    Ok(database.begin_read()?.open_table(META)?.get(COST)?.map_or(0, |cost| cost.value()))
}

/// The value at `spot`, if it is still of use.
pub(super) fn value(database: &redb::Database, spot: Spot, now: u32) -> Result<Option<Vec<u8>>, Fault> {
    let records = database.begin_read()?.open_table(RECORDS)?;
    let record = records.get(&spot.0)?;
    Ok(record.and_then(|record| live(record.value(), now).map(<[u8]>::to_vec)))
}

/// What is known of the records behind `after`, at most `most` of them.
pub(super) fn kept(
    transaction: &ReadTransaction,
    after: Option<Spot>,
    most: usize,
) -> Result<Vec<(Spot, Kept)>, Fault> {
    use std::ops::Bound;
    let kept = transaction.open_table(KEPT)?;
    let from = after.as_ref().map_or(Bound::Unbounded, |spot| Bound::Excluded(&spot.0));
    let mut found = Vec::new();
    for entry in kept.range::<&[u8; SPOT]>((from, Bound::Unbounded))?.take(most) {
        let (spot, kept) = entry?;
        found.push((Spot(*spot.value()), Kept::of(kept.value())));
    }
    Ok(found)
}

/// The items in the bytes of a list.
pub(super) fn listed(bytes: &[u8]) -> Vec<Item> {
    bytes.as_chunks().0.iter().copied().map(Item).collect()
}

/// What stands behind the second of expiry, before that second.
fn live(record: &[u8], now: u32) -> Option<&[u8]> {
    let (expires, bytes) = record.split_first_chunk()?;
    (now < u32::from_be_bytes(*expires)).then_some(bytes)
}

/// What a record takes in the file: leaves that are filled to two thirds, or pages of its own, by powers of two.
fn cost_of(bytes: usize) -> u32 {
    let all = bytes + SPOT + BESIDE;
    let cost = if all < PAGE / 2 { all * 7 / 4 } else { (all + PAGE / 8).next_power_of_two().max(PAGE) };
    u32::try_from(cost).unwrap_or(u32::MAX)
}

/// The entry of `kept`, and what the tree itself takes, for each record.
const BESIDE: usize = SPOT + 12 + 16;

const PAGE: usize = 4096;

/// The sum of what all records take.
const COST: &str = "cost";
