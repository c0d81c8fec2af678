//! The open file: used by many at once, and taken away when it must be opened again.

use std::sync::{PoisonError, RwLock};

use redb::Database;

use super::fault::{Fault, contained};

/// Where the open file is, if it is open.
#[derive(Debug, Default)]
pub(super) struct Slot(RwLock<Option<Database>>);

impl Slot {
    /// Does `work` with the file.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, Fault> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let database = open.as_ref().ok_or(Fault::Closed)?;
        contained(|| work(database))
    }

    /// Puts an open file here.
    pub(super) fn put(&self, database: Database) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
    }

    /// Waits for those who use the file, and closes it.
    ///
    /// # Errors
    /// If it could not be closed properly; it will be repaired when it is opened.
    pub(super) fn close(&self) -> Result<(), Fault> {
        let taken = self.0.write().unwrap_or_else(PoisonError::into_inner).take();
        taken.map_or(Ok(()), |database| contained(|| database.close().map_err(|error| redb::Error::from(error).into())))
    }
}
