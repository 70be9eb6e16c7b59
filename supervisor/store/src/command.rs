//! Commands to devices on record: given before they are sent, ended when it is known what came of them.

use crate::error::StoreError;
use crate::reader::{MOST_ROWS, Reader, rows};
use crate::records::device_row;
use roundsman_core::time::Wall;
use rusqlite::{Connection, Row, params};
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

/// A command on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenCommand {
    /// Its number.
    pub id: i64,
    /// What was given.
    pub given: NewCommand,
    /// What came of it; `None` while it is under way, and for ever where the service ended meanwhile.
    pub outcome: Option<CommandOutcome>,
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

/// The newest commands of the device `?3` below the number `?1`, at most `?2`.
const OF_DEVICE: &str =
    "SELECT c.id, c.at, c.by, d.id, c.unit, c.command, c.arguments, o.at, o.good, o.report
    FROM command c JOIN device d ON d.row = c.device LEFT JOIN command_outcome o ON o.command = c.id
    WHERE c.device = (SELECT row FROM device WHERE id = ?3) AND c.id < ?1 ORDER BY c.id DESC LIMIT ?2";

fn read(row: &Row<'_>) -> Result<GivenCommand, StoreError> {
    let read = || -> rusqlite::Result<GivenCommand> {
        let id = row.get(0)?;
        let given = NewCommand {
            at: Wall(row.get(1)?),
            by: row.get::<_, String>(2)?.into(),
            device: row.get::<_, String>(3)?.into(),
            unit: row.get(4)?,
            command: row.get(5)?,
            arguments: row.get(6)?,
        };
        let outcome = match row.get::<_, Option<i64>>(7)? {
            Some(at) => Some(CommandOutcome { id, at: Wall(at), good: row.get(8)?, report: row.get(9)? }),
            None => None,
        };
        Ok(GivenCommand { id, given, outcome })
    };
    read().map_err(|error| StoreError::sqlite("read a command", &error))
}

impl Reader {
    /// What a device was told, newest first, at most `limit` (and never more than [`MOST_ROWS`]); with `before` only
    /// those with a smaller number, for the next page. A device that the store does not know has none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn commands(
        &self,
        device: Arc<str>,
        limit: usize,
        before: Option<i64>,
    ) -> Result<Vec<GivenCommand>, StoreError> {
        let (before, limit) = (before.unwrap_or(i64::MAX), limit.min(MOST_ROWS) as i64);
        self.ask("list commands", move |conn| rows(conn, OF_DEVICE, params![before, limit, device], read))
            .await
    }
}
