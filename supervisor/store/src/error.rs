//! What can go wrong with the store, said so that somebody can act on it.

use std::path::{Path, PathBuf};

/// Why the store did not do what was asked. Cheap to clone: one failed transaction answers several callers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the lock file.
    #[error("{path} is in use by another roundsman; stop it first, or talk to it through its control socket")]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The file is not a whole database.
    #[error(
        "database {path} is damaged ({reason}); nothing was changed. `roundsman restore FILE` puts a backup in its \
         place and keeps it beside"
    )]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What the check said.
        reason: String,
    },
    /// A database, but not of this program.
    #[error("{path} is a database of another program; [store] path must name a directory of its own")]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// A backup would overwrite something else.
    #[error("{path} exists and is no backup of roundsman; nothing was changed. Choose another name")]
    Occupied {
        /// The file.
        path: PathBuf,
    },
    /// Written by a newer version.
    #[error(
        "database {path} has schema version {found}, this program knows versions up to {known}; run the newer \
         version, or restore the copy made before its migration"
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// Written by an older version, and only to be read here.
    #[error(
        "database {path} has schema version {found}, this program reads version {known}; start the service once, it \
         brings the database up to date"
    )]
    Older {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version known here.
        known: i64,
    },
    /// A migration failed; the database is as it was.
    #[error("migration of {path} to schema version {version} failed: {reason}; the database is unchanged")]
    Migration {
        /// The database file.
        path: PathBuf,
        /// The version that could not be reached.
        version: i64,
        /// What SQLite said.
        reason: String,
    },
    /// The operating system said no.
    #[error(
        "cannot {doing} {path}: {reason}; check that the directory exists and belongs to the service's user"
    )]
    File {
        /// What was attempted.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What came back.
        reason: String,
    },
    /// The disk is full.
    #[error("no space left for {doing}: {reason}; free space on the store's file system")]
    Full {
        /// What was attempted.
        doing: &'static str,
        /// What came back.
        reason: String,
    },
    /// Room is short: polls are not recorded, everything else is.
    #[error("history pauses, the disk has little room left; free space on the store's file system")]
    HistoryPaused,
    /// Somebody else holds the write lock for longer than the busy timeout.
    #[error("database locked during {doing}: {reason}; close other programs that have it open")]
    Locked {
        /// What was attempted.
        doing: &'static str,
        /// What came back.
        reason: String,
    },
    /// A transition came before the ones ahead of it were durable; commit those first.
    #[error("transition {got} refused: the next one to be stored is {expected}")]
    OutOfOrder {
        /// The id that is due.
        expected: u64,
        /// The id that came.
        got: u64,
    },
    /// The records contradict what is stored; trying again will not help.
    #[error("{doing} refused, it contradicts what is stored: {reason}")]
    Contradiction {
        /// What was attempted.
        doing: &'static str,
        /// Which constraint.
        reason: String,
    },
    /// The bounded queue is full.
    #[error("the store's queue is full ({limit} waiting); the disk does not keep up")]
    Overloaded {
        /// Its bound.
        limit: usize,
    },
    /// A question took longer than its limit and was interrupted.
    #[error("the question to the database took longer than {limit_ms} ms and was stopped; ask for less")]
    TooSlow {
        /// The limit.
        limit_ms: u64,
    },
    /// An answer would be larger than is good for the box; it is not cut, it would be wrong.
    #[error("more than {limit} {what} in the time asked for; ask for a shorter one")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// Anything else SQLite says.
    #[error("{doing} failed: {reason}")]
    Sqlite {
        /// What was attempted.
        doing: &'static str,
        /// What came back.
        reason: String,
    },
    /// A page of the open database is damaged.
    #[error("{doing} met damage in the database ({reason}); stop the service and run `roundsman verify`")]
    Corrupt {
        /// What was attempted.
        doing: &'static str,
        /// What came back.
        reason: String,
    },
    /// A stored row holds something this program never writes.
    #[error(
        "the stored {what} cannot be read: {reason}; run `roundsman verify`, restore a backup if it persists"
    )]
    Unreadable {
        /// Which kind of row.
        what: &'static str,
        /// What stands there.
        reason: String,
    },
}

impl StoreError {
    /// Whether trying the same again later may work.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            StoreError::Full { .. }
                | StoreError::HistoryPaused
                | StoreError::Locked { .. }
                | StoreError::OutOfOrder { .. }
                | StoreError::Overloaded { .. }
                | StoreError::TooSlow { .. }
                | StoreError::Sqlite { .. }
        )
    }

    /// The error of an attempt made on an open database.
    pub(crate) fn sqlite(doing: &'static str, error: &rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode as Code;
        let reason = error.to_string();
        // The index of the journal could not grow: the same full disk by another name.
        if error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return StoreError::Full { doing, reason };
        }
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => StoreError::Full { doing, reason },
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => StoreError::Corrupt { doing, reason },
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => StoreError::Locked { doing, reason },
            Some(Code::ConstraintViolation) => StoreError::Contradiction { doing, reason },
            _ => StoreError::Sqlite { doing, reason },
        }
    }

    /// The error of an attempt made while opening the file: here "not a database" means damage.
    pub(crate) fn opening(path: &Path, doing: &'static str, error: &rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => {
                StoreError::Damaged { path: path.to_owned(), reason: error.to_string() }
            }
            Some(Code::CannotOpen | Code::PermissionDenied | Code::ReadOnly) => {
                StoreError::File { doing, path: path.to_owned(), reason: error.to_string() }
            }
            _ => StoreError::sqlite(doing, error),
        }
    }

    /// The error of what a start reads: a page or row that cannot be read is damage then.
    pub(crate) fn at_start(self, dir: &Path) -> StoreError {
        match self {
            StoreError::Unreadable { what, reason } => StoreError::Damaged {
                path: dir.join(crate::schema::FILE),
                reason: format!("the stored {what} cannot be read: {reason}"),
            },
            StoreError::Corrupt { reason, .. } => {
                StoreError::Damaged { path: dir.join(crate::schema::FILE), reason }
            }
            error => error,
        }
    }

    /// The error of a file operation.
    pub(crate) fn file(path: &Path, doing: &'static str, error: &std::io::Error) -> StoreError {
        StoreError::File { doing, path: path.to_owned(), reason: error.to_string() }
    }
}
