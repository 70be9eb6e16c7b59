//! What a start finds: everything the fault engine and the pages need to go on where they stopped.

use crate::error::StoreError;
use crate::latest::LatestDevice;
use crate::reader::rows;
use crate::records::{self, FAULT_COLUMNS};
use crate::{ClockMark, LoginRefusals, hidden, history, login, service, watches};
use roundsman_core::fault::{Fault, FaultId};
use roundsman_core::hidden::Hiding;
use roundsman_core::sla::clock::Downtime;
use roundsman_core::time::Wall;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// How long an ended fault may be reopened under its number (DESIGN section 3).
const REOPEN_WINDOW_MS: i64 = 30 * 60 * 1_000;

/// What a start finds in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    /// Open faults, oldest first.
    pub open: Vec<Fault>,
    /// Faults that ended within the last 30 minutes of wall time and may reopen, oldest first. One that ended "in
    /// the future" is among them: the clock stepped back.
    pub recent: Vec<Fault>,
    /// The id the next fault gets.
    pub next_fault: FaultId,
    /// The id the next transition gets; [`crate::Store::commit`] accepts no other.
    pub next_transition: u64,
    /// Per year the highest fault number in use.
    pub numbers: Vec<(u16, u32)>,
    /// The latest recorded readings, and how the latest polls went.
    pub latest: Vec<LatestDevice>,
    /// Where the clocks stood at the latest mark.
    pub clock: Option<ClockMark>,
    /// Who stood behind whom, as it was stored last.
    pub hidden: Vec<Hiding>,
    /// What passed since the latest transition of each fault that has a clock of a service level, until the latest mark.
    pub passed: BTreeMap<FaultId, Vec<Downtime>>,
    /// Refused logins.
    pub logins: Vec<LoginRefusals>,
}

/// Reads it.
pub(crate) fn restore(conn: &Connection, now: Wall) -> Result<Restored, StoreError> {
    let failed = |e: rusqlite::Error| StoreError::sqlite("restore", &e);
    let select = format!("SELECT {FAULT_COLUMNS} FROM fault f JOIN device d ON d.row = f.device");
    let open = rows(conn, &format!("{select} WHERE f.ending IS NULL ORDER BY f.id"), [], records::fault)?;
    let since = now.0.saturating_sub(REOPEN_WINDOW_MS);
    let recent = rows(
        conn,
        &format!("{select} WHERE f.ending IS NOT NULL AND f.changed_at >= ?1 ORDER BY f.id"),
        [since],
        records::fault,
    )?;
    let next = |sql| conn.query_row(sql, [], |row| row.get::<_, u64>(0)).map_err(failed);
    let next_fault = FaultId(next("SELECT coalesce(max(id), 0) + 1 FROM fault")?);
    let next_transition = next("SELECT coalesce(max(id), 0) + 1 FROM transition")?;
    let numbers = conn
        .prepare("SELECT year, max(sequence) FROM fault GROUP BY year ORDER BY year")
        .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .map_err(failed)?;
    let clocked = open.iter().chain(&recent).filter(|fault| fault.service.is_some());
    let passed = service::passed(conn, clocked.map(|fault| fault.id))?;
    Ok(Restored {
        passed,
        open,
        recent,
        next_fault,
        next_transition,
        numbers,
        latest: history::latest_readings(conn)?,
        clock: watches::latest(conn).map_err(failed)?,
        hidden: hidden::open(conn)?,
        logins: login::all(conn)?,
    })
}
