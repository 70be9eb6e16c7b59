//! Commands to devices on record: given before they are sent, ended when it is known what came of them.

use crate::error::StoreError;
use crate::records::device_row;
use roundsman_core::time::Wall;
use rusqlite::{Connection, params};
use std::sync::Arc;

/// A command that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommand {
    /// When.
    pub at: Wall,
    /// Who gives it.
    pub by: Arc<str>,
    /// To which device.
    pub device: Arc<str>,
    /// Which of its units; empty where it is one.
    pub unit: String,
    /// Its id in the profile.
    pub command: String,
    /// Its arguments, a JSON object of texts.
    pub arguments: String,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutcome {
    /// As [`Store::give_command`](crate::Store::give_command) gave it.
    pub id: i64,
    /// When.
    pub at: Wall,
    /// Whether it can be relied upon.
    pub good: bool,
    /// What was sent, answered and read back, a JSON object.
    pub report: String,
}

fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::sqlite("put a command on record", &error)
}

/// Writes it; gives its number.
pub(crate) fn give(conn: &Connection, new: &NewCommand) -> Result<i64, StoreError> {
    let write = || -> rusqlite::Result<i64> {
        let device = device_row(conn, &new.device)?;
        conn.prepare_cached(
            "INSERT INTO command (at, by, device, unit, command, arguments) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![new.at.0, new.by, device, new.unit, new.command, new.arguments])?;
        Ok(conn.last_insert_rowid())
    };
    write().map_err(failed)
}

/// Writes what came of it.
pub(crate) fn end(conn: &Connection, outcome: &CommandOutcome) -> Result<(), StoreError> {
    let mut insert = conn
        .prepare_cached("INSERT INTO command_outcome (command, at, good, report) VALUES (?1, ?2, ?3, ?4)")
        .map_err(failed)?;
    insert.execute(params![outcome.id, outcome.at.0, outcome.good, outcome.report]).map_err(failed)?;
    Ok(())
}
