//! A past that is handed in whole: the demo has five weeks behind it when it starts.

use crate::error::StoreError;
use crate::maintenance::{self, NewRecord, Write};
use crate::writer::Writer;
use crate::{Batch, ClockMark, DeviceRecord, restore, schema};
use roundsman_core::time::Wall;
use std::path::Path;

/// One thing that happened, in the order it was lived.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// The supervisor started: the next mark begins a new watch.
    Started,
    /// The box watched until then. The first mark after a start begins the watch, the last one ends it.
    Watched(ClockMark),
    /// The site had these devices from then on.
    Site(ClockMark, Vec<DeviceRecord>),
    /// Transitions, with whom they hid; their ids go on from 1 without gaps.
    Judged(Batch),
    /// A maintenance record was written.
    Recorded(Box<NewRecord>),
}

/// Writes a past into the store of `dir`, made if there is none, before anybody opens it: all of it or nothing. What
/// is written here comes back from [`crate::Store::open`] and [`crate::Reader::past`] like what happened.
///
/// # Errors
/// [`StoreError::Contradiction`] if the store has a past already, or where this one contradicts itself; a lock held by
/// another process; see [`StoreError`].
pub fn begin_with(dir: &Path, past: impl IntoIterator<Item = Happened>) -> Result<(), StoreError> {
    let doing = "write a past";
    let failed = |e: rusqlite::Error| StoreError::sqlite(doing, &e);
    let _lock = schema::lock(dir)?;
    let conn = schema::open_writer(dir)?;
    let found = restore::restore(&conn, Wall(i64::MAX))?;
    if found.next_transition != 1 || found.clock.is_some() {
        let reason = "the store has a past of its own".to_owned();
        return Err(StoreError::Contradiction { doing, reason });
    }
    let mut writer = Writer::new(conn, 1)?;
    writer.conn.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    for happened in past {
        match happened {
            Happened::Started => writer.restart(),
            Happened::Watched(mark) => writer.mark(&mark).map(|_| ())?,
            Happened::Site(mark, devices) => writer.save_devices(&devices, &mark)?,
            Happened::Judged(batch) => writer.commit(&batch)?,
            Happened::Recorded(new) => {
                if let Err(refusal) = maintenance::apply(&writer.conn, &Write::Record(new))? {
                    return Err(StoreError::Contradiction { doing, reason: format!("{refusal:?}") });
                }
            }
        }
    }
    writer.conn.execute_batch("COMMIT").map_err(failed)
}
