//! Who stood behind whom, as rows: written with the transition that hid or revealed them.

use crate::error::StoreError;
use crate::reader::rows;
use crate::records::{device_row, integer};
use crate::watches::At;
use roundsman_core::fault::FaultId;
use roundsman_core::hidden::{Hiding, Root};
use rusqlite::{Connection, params};

/// Writes what changed at a moment: the stretch that went on ends, and another begins where there is one.
pub(crate) fn write(conn: &Connection, changes: &[Hiding], at: At) -> rusqlite::Result<()> {
    for change in changes {
        let device = device_row(conn, &change.device)?;
        conn.prepare_cached(
            "UPDATE hidden SET to_watch = ?2, to_wall = ?3 WHERE device = ?1 AND to_watch IS NULL",
        )?
        .execute(params![device, at.watch, at.wall.0])?;
        if let Some(root) = &change.behind {
            conn.prepare_cached(
                "INSERT INTO hidden (device, root, from_watch, from_wall) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![device, integer(root.fault.0)?, at.watch, at.wall.0])?;
        }
    }
    Ok(())
}

/// The stretches that go on.
pub(crate) fn open(conn: &Connection) -> Result<Vec<Hiding>, StoreError> {
    let sql = "SELECT d.id, h.root, r.id FROM hidden h JOIN device d ON d.row = h.device
               JOIN fault f ON f.id = h.root JOIN device r ON r.row = f.device
               WHERE h.to_watch IS NULL ORDER BY h.id";
    rows(conn, sql, [], |row| {
        let read = || Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let (hidden, fault, device): (String, u64, String) =
            read().map_err(|e: rusqlite::Error| StoreError::sqlite("read who is hidden", &e))?;
        let root = Root { fault: FaultId(fault), device: device.into() };
        Ok(Hiding { device: hidden.into(), behind: Some(root) })
    })
}
