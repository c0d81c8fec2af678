//! Opening the file: making it, telling whose it is, setting aside what is damaged.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableTable, StorageError, TableHandle};

use super::fault::{Fault, contained};
use super::ledger::{FORMAT, Ledger, META, TABLES};

/// Why the file cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there and cannot be made.
    #[error(
        "the store's folder `{}` cannot be made: {error}; make it for the user that runs countersign, or name another \
         file in `store.embedded.path`, or say `store.kind: memory`", folder.display()
    )]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It cannot be read and written.
    #[error(
        "the store `{}` cannot be opened for reading and writing: {error}; let the user that runs countersign write it \
         and its folder, or name another file in `store.embedded.path`, or say `store.kind: memory`", path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another process has it.
    #[error(
        "the store `{}` is held by another countersign that is running; stop that one, or give this one a file of its own \
         in `store.embedded.path`; replicas that are to share what they remember need `store.kind: redis`", path.display()
    )]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// It is something else.
    #[error(
        "`{}` is not a store of countersign: {what}; it is left as it is: move it away, or name another file in \
         `store.embedded.path`", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: String,
    },
    /// A later version wrote it.
    #[error(
        "the store `{}` was written by a later countersign (layout {format}, this one reads {FORMAT}); run that version, \
         or move the file away: it is a cache, and what it remembers will be verified anew", path.display()
    )]
    Later {
        /// The file.
        path: PathBuf,
        /// Its layout.
        format: u64,
    },
    /// It is damaged, and cannot be moved.
    #[error(
        "the store `{}` is damaged ({damage}) and cannot be set aside: {error}; move it away: it is a cache, and what it \
         remembers will be verified anew", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: String,
        /// What the system said.
        error: io::Error,
    },
    /// The disk is full or does not work. This may pass.
    #[error("the store `{}` cannot be used now: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// A file that is open, and is marked as being in use from now on.
#[derive(Debug)]
pub(super) struct Opened {
    /// The file.
    pub(super) database: Database,
    /// How it was found.
    pub(super) found: Found,
}

/// What a file was like when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// What was in it is not, because it was damaged or of an earlier version.
    Emptied,
    /// Whoever had it did not close it: what was to be written may not be in it.
    InUse,
    /// All is in it that was ever taken; or it is new.
    Whole,
}

/// Opens the file at `path`, or makes it. All of it is read: what is damaged is set aside, under a name that says so, and
/// an empty file takes its place.
///
/// # Errors
/// Nothing is touched if it is not ours to touch.
pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
    make_folder(path)?;
    let damage = match attempt(path)? {
        Ok(opened) => return Ok(opened),
        Err(damage) => damage,
    };
    let aside =
        set_aside(path).map_err(|error| OpenError::Damaged { path: path.into(), damage: damage.clone(), error })?;
    tracing::error!(
        path = %path.display(), aside = %aside.display(), %damage,
        "the store is damaged: set aside, and begun anew; what it remembered will be verified again"
    );
    let anew = attempt(path)?.map_err(|why| OpenError::Unusable { path: path.into(), why })?;
    Ok(Opened { found: Found::Emptied, ..anew })
}

/// Takes the mark away: all that was taken is in the file.
pub(super) fn release(database: &Database) -> Result<(), Fault> {
    let transaction = database.begin_write()?;
    transaction.open_table(META)?.remove(IN_USE)?;
    Ok(transaction.commit()?)
}

/// Opens the file; within, what is damaged.
fn attempt(path: &Path) -> Result<Result<Opened, String>, OpenError> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(|error| impossible(path, error))?;
    let opened = contained(|| {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        Ok(FileBackend::new(file).and_then(|backend| builder.create_with_backend(backend)))
    });
    let database = match opened {
        Ok(Ok(database)) => database,
        Ok(Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch)) => {
            return Err(OpenError::Held { path: path.into() });
        }
        Ok(Err(DatabaseError::Storage(StorageError::Io(error)))) if error.kind() == ErrorKind::InvalidData => {
            // What says whose it is is written last: a disk was full, or a proxy killed, when the file was made.
            if begins_with_nothing(path) {
                return Ok(Err("it was never finished".into()));
            }
            return Err(OpenError::Foreign { path: path.into(), what: "it holds something else".into() });
        }
        Ok(Err(error)) => return fault(path, redb::Error::from(error).into()),
        Err(panicked) => return fault(path, panicked),
    };
    match contained(|| recognise(&database)) {
        Ok(Layout::Ours(found)) => Ok(Ok(Opened { database, found })),
        Ok(Layout::Foreign) => {
            Err(OpenError::Foreign { path: path.into(), what: "it is a database of another program".into() })
        }
        Ok(Layout::Later(format)) => Err(OpenError::Later { path: path.into(), format }),
        Err(error) => fault(path, error),
    }
}

/// Whose layout a database has.
enum Layout {
    Ours(Found),
    Foreign,
    Later(u64),
}

/// Tells whose it is. What is empty becomes ours, and what an earlier version wrote is emptied. What is ours is marked as
/// in use.
fn recognise(database: &Database) -> Result<Layout, Fault> {
    let transaction = database.begin_write()?;
    let tables: Vec<_> = transaction.list_tables()?.collect();
    if !tables.is_empty() && !tables.iter().any(|table| table.name() == META.name()) {
        return Ok(Layout::Foreign);
    }
    let (format, in_use) = match transaction.open_table(META) {
        Ok(meta) => (meta.get(FORMAT_KEY)?.map(|format| format.value()), meta.get(IN_USE)?.is_some()),
        Err(redb::TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Ok(Layout::Foreign),
    };
    let found = match format {
        // Nothing is written: a disk without room must not keep it closed.
        Some(FORMAT) if in_use && tables.len() >= TABLES => return Ok(Layout::Ours(Found::InUse)),
        Some(FORMAT) if in_use => Found::InUse,
        Some(FORMAT) => Found::Whole,
        Some(later) if later > FORMAT => return Ok(Layout::Later(later)),
        None if !tables.is_empty() => return Ok(Layout::Foreign),
        Some(_) => Found::Emptied,
        None => Found::Whole,
    };
    if format != Some(FORMAT) {
        for table in tables {
            transaction.delete_table(table)?;
        }
        transaction.open_table(META)?.insert(FORMAT_KEY, FORMAT)?;
    }
    transaction.open_table(META)?.insert(IN_USE, 1)?;
    // The tables are there from now on, for those who only read.
    Ledger::open(&transaction)?.close()?;
    transaction.commit()?;
    Ok(Layout::Ours(found))
}

/// Whether nothing stands where a database says that it is one, in a file that is no larger than a new one.
fn begins_with_nothing(path: &Path) -> bool {
    let mut begins = [1; 9];
    let read = fs::File::open(path).and_then(|mut file| {
        file.read_exact(&mut begins)?;
        file.metadata()
    });
    read.is_ok_and(|about| about.len() <= NEW) && begins == [0; 9]
}

/// What a fault at opening means: damage is for the caller to set aside.
fn fault(path: &Path, fault: Fault) -> Result<Result<Opened, String>, OpenError> {
    match fault {
        Fault::Damaged(damage) => Ok(Err(damage)),
        other => Err(OpenError::Unusable { path: path.into(), why: other.to_string() }),
    }
}

/// Makes the folder of `path`, if only that is missing.
fn make_folder(path: &Path) -> Result<(), OpenError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.map(|folder| (folder, DirBuilder::new().mode(0o700).create(folder))) {
        Some((folder, Err(error))) if !folder.is_dir() => Err(OpenError::Folder { folder: folder.into(), error }),
        _ => Ok(()),
    }
}

/// The system's refusal to open a file: one that may pass, or not.
fn impossible(path: &Path, error: io::Error) -> OpenError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::Interrupted => {
            OpenError::Unusable { path: path.into(), why: error.to_string() }
        }
        _ => OpenError::File { path: path.into(), error },
    }
}

/// Moves a damaged file out of the way; only the last one is kept.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prefix = format!("{name}{ASIDE}");
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_file(entry.path())?;
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let aside = folder.join(format!("{prefix}{now}"));
    fs::rename(path, &aside)?;
    Ok(aside)
}

const ASIDE: &str = ".corrupt-";

/// What a new file has at most.
const NEW: u64 = 4 << 20;

/// Pages in memory: the upper ones of the tree, mostly. The system keeps the others.
const CACHE: usize = 4 << 20;

const FORMAT_KEY: &str = "format";

/// There as long as a process has the file that may have something to write into it.
const IN_USE: &str = "in use";
