//! Who was measured: (device, metric, instance, kind of value) as a number that is never reused.

use super::chunk::SeriesKind;
use rusqlite::{Connection, OptionalExtension, params};

/// The metric under which a device's polls themselves are a series.
pub(crate) const POLLS: &str = "poll.outcome";

/// One series of a device.
pub(crate) struct Row {
    pub(crate) id: u32,
    pub(crate) metric: String,
    pub(crate) instance: String,
    pub(crate) kind: SeriesKind,
}

/// The number of this series, a new one if there is none yet.
pub(crate) fn intern(
    conn: &Connection,
    device: i64,
    metric: &str,
    instance: &str,
    kind: SeriesKind,
) -> rusqlite::Result<u32> {
    let known = conn
        .prepare_cached(
            "SELECT s.id FROM series s JOIN metric m ON m.id = s.metric
             WHERE s.device = ?1 AND m.name = ?2 AND s.instance = ?3 AND s.kind = ?4",
        )?
        .query_row(params![device, metric, instance, kind as i64], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    conn.prepare_cached("INSERT INTO metric (name) VALUES (?1) ON CONFLICT (name) DO NOTHING")?
        .execute([metric])?;
    conn.prepare_cached(
        "INSERT INTO series (device, metric, instance, kind)
         VALUES (?1, (SELECT id FROM metric WHERE name = ?2), ?3, ?4) RETURNING id",
    )?
    .query_row(params![device, metric, instance, kind as i64], |row| row.get(0))
}

/// The newest series of this name: of several kinds the profile changed.
pub(crate) fn newest(
    conn: &Connection,
    device: i64,
    metric: &str,
    instance: &str,
) -> rusqlite::Result<Option<(u32, SeriesKind)>> {
    conn.prepare_cached(
        "SELECT s.id, s.kind FROM series s JOIN metric m ON m.id = s.metric
         WHERE s.device = ?1 AND m.name = ?2 AND s.instance = ?3 ORDER BY s.id DESC LIMIT 1",
    )?
    .query_row(params![device, metric, instance], |row| Ok((row.get(0)?, kind(row, 1)?)))
    .optional()
}

fn kind(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<SeriesKind> {
    let kind: i64 = row.get(column)?;
    SeriesKind::from_number(kind).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, kind))
}

/// All series of a device, in the order of their numbers.
pub(crate) fn of_device(conn: &Connection, device: i64) -> rusqlite::Result<Vec<Row>> {
    conn.prepare_cached(
        "SELECT s.id, m.name, s.instance, s.kind FROM series s JOIN metric m ON m.id = s.metric
         WHERE s.device = ?1 ORDER BY s.id",
    )?
    .query_map([device], |row| {
        Ok(Row { id: row.get(0)?, metric: row.get(1)?, instance: row.get(2)?, kind: kind(row, 3)? })
    })?
    .collect()
}

/// Links the series of an instance that is called `to` now with those it had as `from`: its history goes on. Series
/// that do not exist yet under the new name are made; one that is linked already stays as it is.
pub(crate) fn rename(conn: &Connection, device: i64, from: &str, to: &str) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO series (device, metric, instance, kind, previous)
         SELECT device, metric, ?3, kind, id FROM series WHERE device = ?1 AND instance = ?2 AND ?2 <> ?3
         ON CONFLICT (device, metric, instance, kind) DO UPDATE SET previous = excluded.previous
         WHERE series.previous IS NULL AND series.id > excluded.previous",
        params![device, from, to],
    )?;
    Ok(())
}
