//! The backups that are made by themselves, one a night, beside the database; and which one to go on with when the
//! database is damaged.
//!
//! They are without history: copied whole every night it would wear the flash more than everything else together. They
//! lie on the same disk: they help against damage of the file and against mistakes, not against a dead disk. For
//! that `roundsman backup` writes anywhere.

use crate::backup::{Contents, backup_without_history, verify};
use crate::error::StoreError;
use crate::schema::FILE;
use crate::space::{self, HISTORY_RESUMES_FROM};
use roundsman_core::time::Wall;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Name of the folder inside the store's directory.
pub const BACKUPS: &str = "backups";

/// The newest ones that are kept: damage that is noticed after a weekend still has one from before it.
const NEWEST: usize = 3;

/// Months of which the first one is kept as well.
const MONTHS: usize = 2;

/// All of them together take at most this part of the disk; the newest one stays in any case.
const SHARE_OF_DISK: u64 = 4;

/// Files looked at when one to go on with is sought; each is read whole.
const MOST_TRIED: usize = 8;

/// A copy of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Where it is.
    pub path: PathBuf,
    /// When it was made, as the file system says.
    pub at: Wall,
    /// Its size.
    pub bytes: u64,
}

/// The nightly backups, newest first; none where the folder cannot be read.
pub fn nightly(dir: &Path) -> Vec<Copy> {
    let mut found = copies(&dir.join(BACKUPS), |name| day_of(name).is_some());
    found.sort_by(|a, b| b.path.cmp(&a.path));
    found
}

/// Makes the backup of `day` (`YYYY-MM-DD`, as the site counts days), proves it and removes what is not kept any
/// longer.
///
/// # Errors
/// [`StoreError::Full`] where it would take room that history needs; otherwise as [`crate::backup`]. Older ones are there
/// still.
pub fn back_up_nightly(dir: &Path, day: &str) -> Result<Copy, StoreError> {
    let folder = dir.join(BACKUPS);
    fs::create_dir_all(&folder).map_err(|e| StoreError::file(&folder, "make directory", &e))?;
    // What a killed service left half-made.
    for part in copies(&folder, |name| name.ends_with(".part")) {
        let _ = fs::remove_file(part.path);
    }
    // The last one, and as much again: without history it grows slowly. The first one is smaller than the database.
    let needed = nightly(dir).first().map_or_else(|| crate::schema::bytes(dir), |last| last.bytes * 2);
    let free = space::free(dir).unwrap_or(u64::MAX);
    if free < needed.saturating_add(HISTORY_RESUMES_FROM) {
        let reason =
            format!("{} MiB are free, {} MiB are needed", free >> 20, (needed + HISTORY_RESUMES_FROM) >> 20);
        return Err(StoreError::Full { doing: "the nightly backup", reason });
    }
    let path = folder.join(format!("roundsman-{day}.db"));
    backup_without_history(dir, &path)?;
    let all = nightly(dir);
    let most = space::size(dir).map_or(u64::MAX, |size| size / SHARE_OF_DISK);
    for old in too_many(&all, most) {
        if let Err(error) = fs::remove_file(&old.path) {
            tracing::warn!(%error, path = %old.path.display(), "an old backup could not be removed");
        }
    }
    all.into_iter()
        .find(|copy| copy.path == path)
        .ok_or_else(|| StoreError::file(&path, "find", &std::io::ErrorKind::NotFound.into()))
}

/// The newest whole copy to go on with: of the nightly backups, those before a migration, and what earlier restores
/// set aside.
pub fn newest_good(dir: &Path) -> Option<(Copy, Contents)> {
    let beside = [format!("{FILE}.before-v"), format!("{FILE}.before-restore-")];
    let is_copy = |name: &str| {
        beside.iter().any(|prefix| name.starts_with(prefix))
            && !["-wal", "-shm", ".part"].iter().any(|ending| name.ends_with(ending))
    };
    let mut found = nightly(dir);
    found.extend(copies(dir, is_copy));
    found.sort_by_key(|copy| std::cmp::Reverse(copy.at));
    found.truncate(MOST_TRIED);
    found.into_iter().find_map(|copy| verify(&copy.path).ok().map(|contents| (copy, contents)))
}

/// Files of a folder whose name fits.
fn copies(folder: &Path, fits: impl Fn(&str) -> bool) -> Vec<Copy> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let copy = |entry: fs::DirEntry| {
        let is_one = entry.file_name().to_str().is_some_and(&fits);
        let metadata = entry.metadata().ok().filter(|metadata| is_one && metadata.is_file())?;
        let at = metadata.modified().ok()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Some(Copy {
            path: entry.path(),
            at: Wall(i64::try_from(at).unwrap_or(i64::MAX)),
            bytes: metadata.len(),
        })
    };
    entries.filter_map(|entry| copy(entry.ok()?)).collect()
}

/// The day in the name of a nightly backup.
fn day_of(name: &str) -> Option<&str> {
    let day = name.strip_prefix("roundsman-")?.strip_suffix(".db")?;
    let fits = day.len() == 10
        && day.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    fits.then_some(day)
}

/// Which of the nightly backups (newest first) go, so that the rest takes at most `most` bytes.
fn too_many(all: &[Copy], most: u64) -> Vec<Copy> {
    let name = |copy: &Copy| copy.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let month = |copy: &Copy| day_of(&name(copy)).unwrap_or_default().chars().take(7).collect::<String>();
    let is_first = |at: usize| all.get(at + 1).is_none_or(|older| month(older) != month(&all[at]));
    let mut kept: Vec<usize> = (0..all.len().min(NEWEST)).collect();
    kept.extend((NEWEST..all.len()).filter(|at| is_first(*at)).take(MONTHS));
    let mut taken = 0_u64;
    kept.retain(|at| {
        taken = taken.saturating_add(all[*at].bytes);
        *at == 0 || taken <= most
    });
    (0..all.len()).filter(|at| !kept.contains(at)).map(|at| all[at].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(days: &[&str], bytes: u64) -> Vec<Copy> {
        let path = |day: &&str| PathBuf::from(format!("backups/roundsman-{day}.db"));
        days.iter().map(|day| Copy { path: path(day), at: Wall(0), bytes }).collect()
    }

    fn left(days: &[&str], most: u64) -> Vec<String> {
        let all = made(days, 10);
        let gone = too_many(&all, most);
        let days = all.iter().filter(|copy| !gone.contains(copy));
        days.map(|copy| copy.path.to_string_lossy()[18..28].to_owned()).collect()
    }

    #[test]
    fn the_newest_and_the_first_of_two_months_are_kept() {
        let days = [
            "2026-11-22",
            "2026-11-21",
            "2026-11-20",
            "2026-11-19",
            "2026-11-02",
            "2026-10-31",
            "2026-10-01",
            "2026-09-30",
            "2026-09-01",
        ];
        let kept = ["2026-11-22", "2026-11-21", "2026-11-20", "2026-11-02", "2026-10-01"];
        assert_eq!(left(&days, u64::MAX), kept);
        assert_eq!(left(&days[..2], u64::MAX), days[..2]);
    }

    #[test]
    fn what_does_not_fit_the_disk_goes_oldest_first_and_the_newest_stays() {
        let days = ["2026-11-22", "2026-11-21", "2026-11-20", "2026-11-02"];
        assert_eq!(left(&days, 25), days[..2]);
        assert_eq!(left(&days, 1), days[..1]);
    }

    #[test]
    fn other_files_are_no_backups() {
        for name in
            ["roundsman-2026-11-22.db.part", "roundsman-today.db", "letter.txt", "roundsman-2026/11/22.db"]
        {
            assert_eq!(day_of(name), None, "{name}");
        }
    }
}
