//! Segments: chunks that were made together. One being made is of no account; one to be deleted neither.

use super::rollup::Tier;
use crate::error::StoreError;
use rusqlite::{Connection, OptionalExtension, params};

/// Rows deleted in one step.
const MOST_DELETED: i64 = 200;

/// `segment.state`.
pub(crate) mod state {
    pub(crate) const BUILDING: i64 = 0;
    pub(crate) const VALID: i64 = 1;
    pub(crate) const DROPPED: i64 = 2;
}

/// What is known when a segment begins to be made.
pub(crate) struct New {
    pub(crate) tier: Tier,
    /// `None` for one that is its own.
    pub(crate) origin: Option<i64>,
    pub(crate) merged: bool,
    /// The stretch, where the times are of the steady clock.
    pub(crate) undated: Option<i64>,
    pub(crate) made_at: i64,
}

/// Begins a segment; its number.
pub(crate) fn begin(conn: &Connection, new: &New) -> rusqlite::Result<i64> {
    let id: i64 = conn
        .prepare_cached(
            "INSERT INTO segment (tier, origin, state, merged, stretch, shift, t0, t1, made_at)
             VALUES (?1, 0, ?2, ?3, ?4, 0, 0, 0, ?5) RETURNING id",
        )?
        .query_row(
            params![new.tier as i64, state::BUILDING, new.merged, new.undated, new.made_at],
            |row| row.get(0),
        )?;
    conn.prepare_cached("UPDATE segment SET origin = ?2 WHERE id = ?1")?
        .execute(params![id, new.origin.unwrap_or(id)])?;
    Ok(id)
}

/// Makes it valid.
pub(crate) fn finish(conn: &Connection, id: i64, t0: i64, t1: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE segment SET state = ?2, t0 = ?3, t1 = ?4 WHERE id = ?1")?
        .execute(params![id, state::VALID, t0, t1])?;
    Ok(())
}

/// Marks one for deletion.
pub(crate) fn drop_one(conn: &Connection, id: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE segment SET state = ?2 WHERE id = ?1")?
        .execute(params![id, state::DROPPED])?;
    Ok(())
}

/// What was being made when the process ended, or a step failed, is made anew.
pub(crate) fn drop_unfinished(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("UPDATE segment SET state = ?1 WHERE state = ?2", [state::DROPPED, state::BUILDING])?;
    Ok(())
}

/// Deletes some chunks of a dropped segment; `false` if there was none.
pub(crate) fn purge(conn: &Connection) -> rusqlite::Result<bool> {
    let dropped: Option<i64> = conn
        .prepare_cached("SELECT id FROM segment WHERE state = ?1 LIMIT 1")?
        .query_row([state::DROPPED], |row| row.get(0))
        .optional()?;
    let Some(id) = dropped else { return Ok(false) };
    let deleted = conn
        .prepare_cached(
            "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id BETWEEN ?1 AND ?2 LIMIT ?3)",
        )?
        .execute([row(id, 0), row(id, u32::MAX), MOST_DELETED])?;
    if (deleted as i64) < MOST_DELETED {
        conn.prepare_cached("DELETE FROM segment WHERE id = ?1")?.execute([id])?;
    }
    Ok(true)
}

/// Row number of a chunk.
pub(crate) fn row(segment: i64, series: u32) -> i64 {
    segment << 32 | i64::from(series)
}

/// Stores a chunk.
pub(crate) fn put(conn: &Connection, segment: i64, series: u32, body: &[u8]) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO chunk (id, body) VALUES (?1, ?2)")?
        .execute(params![row(segment, series), body])?;
    Ok(())
}

/// A chunk, decoded; `None` if the series has none there. One that cannot be read counts as none: the rest of the
/// history is not lost with it.
pub(crate) fn get<T>(
    conn: &Connection,
    segment: i64,
    series: u32,
    decode: impl FnOnce(&[u8]) -> crate::bytes::Decoded<T>,
) -> Result<Option<T>, StoreError> {
    let body: Option<Vec<u8>> = conn
        .prepare_cached("SELECT body FROM chunk WHERE id = ?1")
        .and_then(|mut select| select.query_row([row(segment, series)], |row| row.get(0)).optional())
        .map_err(|e| StoreError::sqlite("read history", &e))?;
    Ok(body.and_then(|body| match decode(&body) {
        Ok(decoded) => Some(decoded),
        Err(reason) => {
            tracing::error!(segment, series, reason, "a chunk of history cannot be read and counts as a gap");
            None
        }
    }))
}
