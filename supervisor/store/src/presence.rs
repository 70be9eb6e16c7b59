//! Devices as rows, and when each was in the site.
//!
//! A row of `device` is for ever: its number stands in history. Beside it `presence` has one row for each time that the
//! device was in the site under one name, place and profile; a reload that changes nothing writes nothing.

use crate::DeviceRecord;
use crate::watches::At;
use rusqlite::{Connection, params};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A row of `presence` that goes on.
struct Open {
    row: i64,
    words: [String; 6],
}

fn words(device: &DeviceRecord) -> [&str; 6] {
    [
        &device.name,
        device.class.word(),
        &device.profile,
        device.tier.word(),
        device.network.word(),
        &device.location,
    ]
}

/// Stores the site's devices as they are from `at` on.
pub(crate) fn save(conn: &Connection, devices: &[DeviceRecord], at: At) -> rusqlite::Result<()> {
    let mut before = open(conn)?;
    for device in devices {
        let known = before.remove(&device.id);
        if known.as_ref().is_some_and(|known| known.words.iter().eq(words(device).iter())) {
            continue;
        }
        if let Some(known) = known {
            close(conn, known.row, at)?;
        }
        let row = upsert(conn, device)?;
        conn.prepare_cached(
            "INSERT INTO presence (device, name, class, profile, tier, network, location, from_watch, from_wall)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            row,
            device.name,
            device.class.word(),
            device.profile,
            device.tier.word(),
            device.network.word(),
            device.location,
            at.watch,
            at.wall.0
        ])?;
    }
    for gone in before.into_values() {
        close(conn, gone.row, at)?;
    }
    mark_removed(conn, devices, at)
}

fn open(conn: &Connection) -> rusqlite::Result<BTreeMap<Arc<str>, Open>> {
    let mut select = conn.prepare_cached(
        "SELECT d.id, p.id, p.name, p.class, p.profile, p.tier, p.network, p.location
         FROM presence p JOIN device d ON d.row = p.device WHERE p.to_watch IS NULL",
    )?;
    let mut rows = select.query([])?;
    let mut open = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let words = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?];
        open.insert(Arc::from(row.get::<_, String>(0)?), Open { row: row.get(1)?, words });
    }
    Ok(open)
}

fn close(conn: &Connection, presence: i64, at: At) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE presence SET to_watch = ?2, to_wall = ?3 WHERE id = ?1")?
        .execute(params![presence, at.watch, at.wall.0])?;
    Ok(())
}

fn upsert(conn: &Connection, device: &DeviceRecord) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "INSERT INTO device (id, name, class, profile) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, class = excluded.class, profile = excluded.profile,
           removed_at = NULL
         RETURNING row",
    )?
    .query_row(params![device.id, device.name, device.class.word(), device.profile], |row| row.get(0))
}

/// Marks what the site does not have, also what it never had: devices from before `presence`, or made by a fault.
fn mark_removed(conn: &Connection, devices: &[DeviceRecord], at: At) -> rusqlite::Result<()> {
    let known: BTreeSet<&str> = devices.iter().map(|device| &*device.id).collect();
    let mut select = conn.prepare_cached("SELECT row, id FROM device WHERE removed_at IS NULL")?;
    let all = select.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let gone = all.filter(|found| !found.as_ref().is_ok_and(|(_, id)| known.contains(id.as_str())));
    for (row, _) in gone.collect::<rusqlite::Result<Vec<_>>>()? {
        conn.prepare_cached("UPDATE device SET removed_at = ?2 WHERE row = ?1")?
            .execute(params![row, at.wall.0])?;
    }
    Ok(())
}
