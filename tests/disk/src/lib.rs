//! A disk for tests: what SQLite writes is logged, and for any moment it says what a power cut could have left.
//!
//! **Duty.** [`install`] puts a layer between SQLite and the real files of the whole test process. It passes every
//! call on (so locks, shared memory and reading are the real ones) and notes writes, truncations, flushes and removals
//! of the files of one folder, in order. [`Disk`] goes along that log and gives, for any place in it, a folder as a
//! disk could hold it: flushed data stay; each 512-byte sector of what was not flushed is there, or not, or torn.
//!
//! **Refuses.** It is no part of the product: the store under test is opened as ever and knows nothing of it.

mod image;
mod vfs;

pub use image::{Dice, Disk};
pub use vfs::install;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What happened to a file, or what the test noted between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// The file was made; its name is durable with its first flush.
    Create(String),
    /// Bytes were written at an offset.
    Write(String, u64, Vec<u8>),
    /// The file was cut (or grown) to a length.
    Truncate(String, u64),
    /// Everything written to the file so far was flushed.
    Sync(String),
    /// The file was removed, and whether the folder was flushed behind it.
    Delete(String, bool),
    /// The test noted this number.
    Mark(u64),
}

/// The log of one folder.
#[derive(Debug)]
pub struct Recorder {
    log: Mutex<Option<(PathBuf, Vec<Op>)>>,
}

impl Recorder {
    /// Begins a log of the files directly in `folder`; SQLite names them by their canonical path.
    pub fn watch(&self, folder: &Path) {
        *self.lock() = Some((folder.to_owned(), Vec::new()));
    }

    /// Notes that everything the test means by `number` was answered.
    pub fn mark(&self, number: u64) {
        if let Some((_, log)) = &mut *self.lock() {
            log.push(Op::Mark(number));
        }
    }

    /// Ends the log and hands it over.
    pub fn take(&self) -> Vec<Op> {
        self.lock().take().map(|(_, log)| log).unwrap_or_default()
    }

    /// Notes what `op` makes of the name, if the file is in the watched folder.
    fn note(&self, path: &Path, op: impl FnOnce(String) -> Op) {
        if let Some((folder, log)) = &mut *self.lock()
            && path.parent() == Some(folder)
            && let Some(name) = path.file_name()
        {
            log.push(op(name.to_string_lossy().into_owned()));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(PathBuf, Vec<Op>)>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
