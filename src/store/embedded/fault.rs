//! What can be wrong with the file while it is used, and where a panic over a damaged page ends.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why the file does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Its content is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// There is no more room.
    #[error("there is no room: {0}")]
    Full(String),
    /// The system refuses.
    #[error("{0}")]
    Failed(String),
    /// It is not open.
    #[error("the file is not open")]
    Closed,
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        use redb::Error;
        match error {
            Error::Io(error) => match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    Self::Full(error.to_string())
                }
                // The file is shorter than it says.
                ErrorKind::UnexpectedEof => Self::Damaged(error.to_string()),
                _ => Self::Failed(error.to_string()),
            },
            error @ (Error::PreviousIo | Error::DatabaseClosed) => Self::Failed(error.to_string()),
            error => Self::Damaged(error.to_string()),
        }
    }
}

macro_rules! faults {
    ($($error:ident)*) => {$(
        impl From<redb::$error> for Fault {
            fn from(error: redb::$error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

faults! { TransactionError TableError StorageError CommitError }

/// Does `work` with the file. Damaged pages can make the library panic: that is a fault like another.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What a panic leaves behind is closed, and read from the disk anew.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Fault::Damaged(text.unwrap_or_else(|| "no more is known".into())))
    })
}
