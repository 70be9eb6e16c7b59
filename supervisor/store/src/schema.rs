//! The database file: finding it, proving it whole and ours, bringing it to the newest schema.
//!
//! A new file is made complete under another name and renamed, so that an empty or half-made file under the real
//! name is always damage and never taken for a fresh start.

use crate::error::StoreError;
use crate::journal;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the database inside the store's directory.
pub const FILE: &str = "roundsman.db";
/// Name of the lock file inside the store's directory.
pub const LOCK: &str = "roundsman.lock";
/// Name of the file inside the store's directory that holds room for a full disk.
pub const RESERVE: &str = "roundsman.reserve";

/// `application_id` of the file (`RNDS`): tells our database from another program's.
const APPLICATION_ID: i64 = 0x524e_4453;
/// How long a statement waits for a lock somebody else holds: longer than any backup step, shorter than a
/// technician's patience.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Page cache of one connection, KiB: keeps three connections well below the memory goal.
const CACHE_KIB: i64 = 1_024;

/// All migrations; the position plus one is the schema version that each gives.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_faults.sql"),
    include_str!("../migrations/0002_latest.sql"),
    include_str!("../migrations/0003_lists_of_faults.sql"),
    include_str!("../migrations/0004_maintenance.sql"),
    include_str!("../migrations/0005_history.sql"),
    include_str!("../migrations/0006_past.sql"),
    include_str!("../migrations/0007_command.sql"),
    include_str!("../migrations/0008_login.sql"),
    include_str!("../migrations/0009_axes.sql"),
];

/// Takes the directory's lock; held as long as the file lives.
pub(crate) fn lock(dir: &Path) -> Result<File, StoreError> {
    fs::create_dir_all(dir).map_err(|e| StoreError::file(dir, "make directory", &e))?;
    let path = dir.join(LOCK);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| StoreError::file(&path, "open", &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path }),
        Err(fs::TryLockError::Error(e)) => Err(StoreError::file(&path, "lock", &e)),
    }
}

/// Opens the database of `dir` for writing: made if there is none, else checked and migrated.
pub(crate) fn open_writer(dir: &Path) -> Result<Connection, StoreError> {
    open_with(dir, MIGRATIONS)
}

/// As [`open_writer`], with another list of migrations (for tests of a failing one).
pub(crate) fn open_with(dir: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    let path = dir.join(FILE);
    if !path.exists() {
        create(&path, migrations)?;
    }
    if fs::metadata(&path).is_ok_and(|m| m.len() == 0) {
        let reason = "the file is empty".to_owned();
        return Err(StoreError::Damaged { path, reason });
    }
    journal::check(&path)?;
    let conn = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|e| StoreError::opening(&path, "open", &e))?;
    configure(&conn).map_err(|e| StoreError::opening(&path, "set up", &e))?;
    identify(&conn, &path, migrations.len() as i64)?;
    check(&conn, &path)?;
    migrate(&conn, &path, migrations)?;
    let opening = |e: rusqlite::Error| StoreError::opening(&path, "set up", &e);
    conn.pragma_update(None, "journal_mode", "WAL").map_err(opening)?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(opening)?;
    Ok(conn)
}

/// Opens the same database for reading only.
pub(crate) fn open_reader(dir: &Path) -> Result<Connection, StoreError> {
    let path = dir.join(FILE);
    let opening = |e: rusqlite::Error| StoreError::opening(&path, "open for reading", &e);
    let conn = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(opening)?;
    configure(&conn).map_err(opening)?;
    Ok(conn)
}

/// Whether this program can read the database as it stands.
pub(crate) fn readable(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(FILE);
    let conn = open_reader(dir)?;
    let known = MIGRATIONS.len() as i64;
    identify(&conn, &path, known)?;
    let found = version(&conn).map_err(|e| StoreError::opening(&path, "read header of", &e))?;
    if found < known { Err(StoreError::Older { path, found, known }) } else { Ok(()) }
}

/// Statements kept prepared by a connection: more than the writer has in use.
const STATEMENTS: usize = 64;

pub(crate) fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    // What a savepoint changes is noted in memory: in a file it is thousands of small writes.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "cache_size", -CACHE_KIB)
}

/// What the database and its journal take on disk now, bytes; a file that is not there counts as none.
pub(crate) fn bytes(dir: &Path) -> u64 {
    let path = dir.join(FILE);
    let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    length(&path) + length(&sibling(&path, "-wal"))
}

pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn create(path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let wal = sibling(path, "-wal");
    if fs::metadata(&wal).is_ok_and(|m| m.len() > 0) {
        let reason = format!("the file is missing, but its journal {} is there", wal.display());
        return Err(StoreError::Damaged { path: path.to_owned(), reason });
    }
    let new = sibling(path, ".new");
    let conn = blank(&new)?;
    let making = |e: rusqlite::Error| StoreError::opening(&new, "make", &e);
    for (at, sql) in migrations.iter().enumerate() {
        step(&conn, at as i64 + 1, sql).map_err(making)?;
    }
    drop(conn);
    fs::rename(&new, path).map_err(|e| StoreError::file(path, "put in place", &e))?;
    sync_directory(path)
}

/// A new file of ours at `path` without any table; one that was left half-made there goes.
pub(crate) fn blank(path: &Path) -> Result<Connection, StoreError> {
    if path.exists() {
        fs::remove_file(path).map_err(|e| StoreError::file(path, "remove half-made", &e))?;
    }
    let making = |e: rusqlite::Error| StoreError::opening(path, "make", &e);
    let conn = Connection::open(path).map_err(making)?;
    // Before the first table: lets retention give pages back without rewriting the file.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(making)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID).map_err(making)?;
    conn.pragma_update(None, "synchronous", "FULL").map_err(making)?;
    Ok(conn)
}

pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    // A name alone has an empty parent, which is the folder we are in.
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir).and_then(|d| d.sync_all()).map_err(|e| StoreError::file(dir, "flush directory", &e))
}

pub(crate) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

pub(crate) fn identify(conn: &Connection, path: &Path, known: i64) -> Result<(), StoreError> {
    let opening = |e: rusqlite::Error| StoreError::opening(path, "read header of", &e);
    let id: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(opening)?;
    let found = version(conn).map_err(opening)?;
    if id != APPLICATION_ID || found < 1 {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(())
}

/// `quick_check` costs about 0.1 s for 35 MB; a damaged page must be known before anything is written.
fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let verdict: Result<String, _> = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    let verdict = verdict.map_err(|e| StoreError::opening(path, "check", &e))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Damaged { path: path.to_owned(), reason: verdict }),
    }
}

fn migrate(conn: &Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let found = version(conn).map_err(|e| StoreError::opening(path, "read header of", &e))?;
    for (at, sql) in migrations.iter().enumerate().skip(found as usize) {
        let to = at as i64 + 1;
        let copy = sibling(path, &format!(".before-v{to}"));
        copy_to(conn, &copy)?;
        tracing::info!(database = %path.display(), copy = %copy.display(), version = to, "migrating the database");
        step(conn, to, sql).map_err(|e| StoreError::Migration {
            path: path.to_owned(),
            version: to,
            reason: e.to_string(),
        })?;
    }
    Ok(())
}

/// One migration and its version, both or neither.
fn step(conn: &Connection, to: i64, sql: &str) -> rusqlite::Result<()> {
    let tx = conn.unchecked_transaction()?;
    tx.execute_batch(sql)?;
    tx.pragma_update(None, "user_version", to)?;
    tx.commit()
}

/// A whole copy of the open database, durable under its final name only when it is complete.
fn copy_to(conn: &Connection, copy: &Path) -> Result<(), StoreError> {
    let part = sibling(copy, ".part");
    if part.exists() {
        fs::remove_file(&part).map_err(|e| StoreError::file(&part, "remove half-made", &e))?;
    }
    conn.backup("main", &part, None::<fn(rusqlite::backup::Progress)>)
        .map_err(|e| StoreError::opening(&part, "copy the database to", &e))?;
    File::open(&part)
        .and_then(|f| f.sync_all())
        .and_then(|()| fs::rename(&part, copy))
        .map_err(|e| StoreError::file(copy, "copy the database to", &e))?;
    sync_directory(copy)
}
