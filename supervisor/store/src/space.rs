//! Room on the disk: history stops first, faults and records never.
//!
//! While the file system has less than [`HISTORY_PAUSES_BELOW`] left, polls are not recorded; from
//! [`HISTORY_RESUMES_FROM`] on they are again. What people and the fault engine write goes on. For a disk that somebody
//! else fills to the last byte there is a reserve: a file beside the database that is given up when a write finds no
//! room, and laid aside again once there is enough.
//!
//! The writer's thread looks before each transaction; what it saw is read by anybody ([`Room`]).

use crate::schema::RESERVE;
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const MIB: u64 = 1 << 20;

/// Recording pauses below this: half a day of history of a large site (150 MB a day), and several times what the
/// journal (4 MiB) and the folding in of it may take meanwhile.
pub const HISTORY_PAUSES_BELOW: u64 = 64 * MIB;

/// Recording resumes from this on: half as much again, so that it does not go on and off with every log that rotates.
pub const HISTORY_RESUMES_FROM: u64 = 96 * MIB;

/// Size of the reserve: some ten thousand transitions of 1.2 KB with their index entries, weeks of a bad site.
pub const RESERVE_BYTES: u64 = 16 * MIB;

/// Room on the store's file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes left for the service's user, without the reserve; none where the file system does not say.
    pub free: Option<u64>,
    /// Polls are not recorded now: room is short.
    pub history_paused: bool,
    /// Not even transitions and records find room now.
    pub writes_refused: bool,
}

/// What the writer last saw, for everybody.
#[derive(Debug)]
pub(crate) struct Shared {
    /// `u64::MAX`: unknown.
    free: AtomicU64,
    paused: AtomicBool,
    refused: AtomicBool,
}

impl Shared {
    pub(crate) fn room(&self) -> Room {
        let free = self.free.load(Ordering::Relaxed);
        Room {
            free: (free != u64::MAX).then_some(free),
            history_paused: self.paused.load(Ordering::Relaxed),
            writes_refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// The writer's view of the disk.
pub(crate) struct Space {
    dir: PathBuf,
    shared: Arc<Shared>,
    reserve: Reserve,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reserve {
    There,
    GivenUp,
    /// The file system cannot make one; not tried again before the next start.
    Impossible,
}

impl Space {
    /// Looks for the first time; lays the reserve aside where there is room for it.
    pub(crate) fn of(dir: &Path) -> Space {
        let is_there = fs::metadata(dir.join(RESERVE)).is_ok_and(|file| file.len() == RESERVE_BYTES);
        let reserve = if is_there { Reserve::There } else { Reserve::GivenUp };
        let shared = Arc::new(Shared {
            free: AtomicU64::new(u64::MAX),
            paused: AtomicBool::new(false),
            refused: AtomicBool::new(false),
        });
        let mut space = Space { dir: dir.to_owned(), shared, reserve };
        space.look();
        space
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Looks how much room is left. A file system that does not say counts as one with room.
    pub(crate) fn look(&mut self) {
        let free = free(&self.dir);
        self.shared.free.store(free.unwrap_or(u64::MAX), Ordering::Relaxed);
        let free = free.unwrap_or(u64::MAX);
        if self.is_paused() {
            if free >= HISTORY_RESUMES_FROM {
                self.shared.paused.store(false, Ordering::Relaxed);
                tracing::info!(free_mib = free / MIB, "room again: history goes on");
            }
        } else if free < HISTORY_PAUSES_BELOW {
            self.pause(free);
        }
        if self.reserve == Reserve::GivenUp && free >= HISTORY_RESUMES_FROM + RESERVE_BYTES {
            self.lay_aside();
        }
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.shared.paused.load(Ordering::Relaxed)
    }

    fn pause(&self, free: u64) {
        self.shared.paused.store(true, Ordering::Relaxed);
        tracing::error!(
            free_mib = free / MIB,
            folder = %self.dir.display(),
            "the disk is nearly full: history pauses, faults and records go on; free some space"
        );
    }

    /// A write found no room: gives the reserve up. Whether there was one, so that trying again makes sense.
    pub(crate) fn give_up_reserve(&mut self) -> bool {
        if !self.is_paused() {
            self.pause(free(&self.dir).unwrap_or(0));
        }
        if self.reserve != Reserve::There {
            return false;
        }
        self.reserve = Reserve::GivenUp;
        let path = self.dir.join(RESERVE);
        match fs::remove_file(&path) {
            Ok(()) => {
                tracing::error!(
                    bytes = RESERVE_BYTES,
                    "the disk is full: the reserve is used for faults and records"
                );
                true
            }
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the reserve could not be given up");
                false
            }
        }
    }

    /// Notes whether what must be written found room.
    pub(crate) fn note_written(&self, refused: bool) {
        if self.shared.refused.swap(refused, Ordering::Relaxed) && !refused {
            tracing::info!("faults and records are stored again");
        }
    }

    fn lay_aside(&mut self) {
        let path = self.dir.join(RESERVE);
        match allocate(&path) {
            Ok(()) => self.reserve = Reserve::There,
            Err(error) => {
                let _ = fs::remove_file(&path);
                self.reserve = Reserve::Impossible;
                tracing::warn!(%error, path = %path.display(), "no reserve could be laid aside for a full disk");
            }
        }
    }
}

/// Bytes left for this user on the file system of `dir`.
pub(crate) fn free(dir: &Path) -> Option<u64> {
    statvfs(dir).ok().map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Size of the file system of `dir`, bytes.
pub(crate) fn size(dir: &Path) -> Option<u64> {
    statvfs(dir).ok().map(|stat| stat.f_blocks.saturating_mul(stat.f_frsize))
}

/// Room that is really taken, not only promised.
fn allocate(path: &Path) -> io::Result<()> {
    let file = File::create(path)?;
    match fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            io::copy(&mut io::Read::take(io::repeat(0x5a), RESERVE_BYTES), &mut &file).map(drop)
        }
        done => done.map_err(io::Error::from),
    }?;
    file.sync_all()
}
