//! Backup, verification and restoring of the database.
//!
//! A backup is one file, taken by SQLite's online backup from one snapshot while the service goes on writing, proven
//! whole, counted against the original, and only then put under its name. Restoring replaces nothing before the new
//! file is proven, and keeps what was there.

use crate::error::StoreError;
use crate::schema::{self, FILE, MIGRATIONS};
use crate::{extract, history};
use roundsman_core::time::Wall;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// What a database holds, for people and for comparing a copy with its original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Schema version.
    pub schema: i64,
    /// Rows of every table, by name.
    pub rows: Vec<(String, u64)>,
    /// Size of the file, bytes; 0 where it was counted inside a transaction.
    pub bytes: u64,
}

impl Contents {
    /// All rows.
    pub fn total(&self) -> u64 {
        self.rows.iter().map(|(_, rows)| rows).sum()
    }

    /// The tables whose rows differ, with both counts.
    fn unlike(&self, other: &Contents, left_out: fn(&str) -> bool) -> Vec<String> {
        let mut names: Vec<&String> = self.rows.iter().chain(&other.rows).map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        let rows =
            |of: &Contents, name: &str| of.rows.iter().find(|(n, _)| n == name).map_or(0, |(_, rows)| *rows);
        let differ =
            names.into_iter().filter(|name| !left_out(name) && rows(self, name) != rows(other, name));
        differ.map(|name| format!("{name}: {} and {}", rows(self, name), rows(other, name))).collect()
    }
}

/// What came of restoring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// What the database holds now.
    pub contents: Contents,
    /// Where the former database is, if there was one.
    pub kept: Option<PathBuf>,
}

/// Copies the database of `dir` into the file `to`, which may be an older backup but nothing else. Works while a
/// service has the database open and delays none of its writes.
///
/// # Errors
/// No database, a damaged one, no space, a copy that is not what it should be; `to` is then as it was.
pub fn backup(dir: &Path, to: &Path) -> Result<Contents, StoreError> {
    back_up(dir, to, copy, |_| false)
}

/// As [`backup`], without history: faults, records, when the box watched which devices.
pub(crate) fn backup_without_history(dir: &Path, to: &Path) -> Result<Contents, StoreError> {
    back_up(dir, to, extract::copy, |table| history::TABLES.contains(&table))
}

/// `left_out` says which tables the copy has another way.
fn back_up(
    dir: &Path,
    to: &Path,
    copy: fn(&Connection, &Path) -> Result<(), StoreError>,
    left_out: fn(&str) -> bool,
) -> Result<Contents, StoreError> {
    if to.exists() {
        let ours = open(to).and_then(|conn| schema::identify(&conn, to, i64::MAX));
        ours.map_err(|_| StoreError::Occupied { path: to.to_owned() })?;
    }
    let from = dir.join(FILE);
    if !from.exists() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(StoreError::file(&from, "find the database", &missing));
    }
    let source = schema::open_reader(dir)?;
    schema::identify(&source, &from, MIGRATIONS.len() as i64)?;
    let reading = |e: rusqlite::Error| StoreError::opening(&from, "read", &e);
    // One snapshot for counting and copying; it holds back no writer.
    source.execute_batch("BEGIN").map_err(reading)?;
    let original = count(&source).map_err(reading)?;
    let part = schema::sibling(to, ".part");
    let copied = copy(&source, &part).and_then(|()| prove(&part)).and_then(|copied| {
        match copied.unlike(&original, left_out) {
            unlike if unlike.is_empty() && copied.schema == original.schema => Ok(copied),
            unlike => Err(StoreError::Damaged {
                path: part.clone(),
                reason: format!("the copy holds other rows than the original: {}", unlike.join(", ")),
            }),
        }
    });
    match copied {
        Ok(copied) => {
            put_in_place(&part, to)?;
            Ok(copied)
        }
        Err(error) => {
            let _ = fs::remove_file(&part);
            Err(error)
        }
    }
}

/// Proves a database file whole and says what it holds. Changes nothing.
///
/// # Errors
/// Missing, damaged, foreign or written by a newer version; see [`StoreError`].
pub fn verify(path: &Path) -> Result<Contents, StoreError> {
    if !path.exists() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(StoreError::file(path, "find the database", &missing));
    }
    prove(path)
}

/// Puts the backup `from` in the place of the database of `dir`. The former database stays beside it as
/// `roundsman.db.before-restore-…`; the seconds of `now` name it.
///
/// # Errors
/// A running service, or a backup that is damaged, foreign or newer: the database is then as it was.
pub fn restore(dir: &Path, from: &Path, now: Wall) -> Result<Replaced, StoreError> {
    let _lock = schema::lock(dir)?;
    let expected = verify(from)?;
    let path = dir.join(FILE);
    let part = schema::sibling(&path, ".part");
    let contents = copy(&open(from)?, &part).and_then(|()| prove(&part))?;
    let unlike = contents.unlike(&expected, |_| false);
    if !unlike.is_empty() {
        let reason = format!("the copy holds other rows than the backup: {}", unlike.join(", "));
        return Err(StoreError::Damaged { path: part, reason });
    }
    let kept = match path.exists() || schema::sibling(&path, "-wal").exists() {
        true => Some(set_aside(&path, now)?),
        false => None,
    };
    put_in_place(&part, &path)?;
    Ok(Replaced { contents, kept })
}

/// Gives database and journal another name together: without its journal the newest transactions would be lost.
fn set_aside(path: &Path, now: Wall) -> Result<PathBuf, StoreError> {
    let mut kept = schema::sibling(path, &format!(".before-restore-{}", now.0 / 1_000));
    // Restored twice within a second, or by a clock that stepped back: nothing that was kept is overwritten.
    while kept.exists() || schema::sibling(&kept, "-wal").exists() {
        kept = schema::sibling(&kept, "x");
    }
    // The shared-memory file is made anew by whoever opens the database next.
    let _ = fs::remove_file(schema::sibling(path, "-shm"));
    for suffix in ["-wal", ""] {
        let (from, to) = (schema::sibling(path, suffix), schema::sibling(&kept, suffix));
        if from.exists() {
            fs::rename(&from, &to).map_err(|e| StoreError::file(&from, "set aside", &e))?;
        }
    }
    Ok(kept)
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let conn = Connection::open_with_flags(path, flags).map_err(|e| StoreError::opening(path, "open", &e))?;
    schema::configure(&conn).map_err(|e| StoreError::opening(path, "set up", &e))?;
    Ok(conn)
}

/// All of a snapshot in one step: pages written meanwhile belong to a later one.
fn copy(source: &Connection, part: &Path) -> Result<(), StoreError> {
    if part.exists() {
        fs::remove_file(part).map_err(|e| StoreError::file(part, "remove half-made", &e))?;
    }
    let failed = |e: rusqlite::Error| StoreError::opening(part, "copy the database to", &e);
    let mut target = Connection::open(part).map_err(failed)?;
    {
        let backup = Backup::new(source, &mut target).map_err(failed)?;
        if backup.step(-1).map_err(failed)? != StepResult::Done {
            let reason = "another program holds it".to_owned();
            return Err(StoreError::Locked { doing: "copying the database", reason });
        }
    }
    // One file, without a journal beside it, whoever opens it.
    target.pragma_update(None, "journal_mode", "DELETE").map_err(failed)
}

fn prove(path: &Path) -> Result<Contents, StoreError> {
    let conn = open(path)?;
    schema::identify(&conn, path, MIGRATIONS.len() as i64)?;
    let reading = |e: rusqlite::Error| StoreError::opening(path, "check", &e);
    let damaged = |reason: String| StoreError::Damaged { path: path.to_owned(), reason };
    let verdict: String =
        conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(reading)?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    let lost: Option<String> = conn
        .prepare("PRAGMA foreign_key_check")
        .and_then(|mut check| check.query_map([], |row| row.get(0))?.next().transpose())
        .map_err(reading)?;
    if let Some(table) = lost {
        return Err(damaged(format!("a row of {table} points at a row that is not there")));
    }
    let contents = count(&conn).map_err(reading)?;
    let bytes = fs::metadata(path).map_or(0, |file| file.len());
    Ok(Contents { bytes, ..contents })
}

fn count(conn: &Connection) -> rusqlite::Result<Contents> {
    let mut tables = conn.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    let names: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut rows = Vec::new();
    for name in names {
        // A name of our own migrations; quoted all the same.
        let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        let found: u64 = conn.query_row(&sql, [], |row| row.get(0))?;
        rows.push((name, found));
    }
    Ok(Contents { schema: schema::version(conn)?, rows, bytes: 0 })
}

fn put_in_place(part: &Path, to: &Path) -> Result<(), StoreError> {
    File::open(part)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(part, to))
        .map_err(|e| StoreError::file(to, "put the copy in place at", &e))?;
    schema::sync_directory(to)
}
