//! Watches as rows: when the supervisor ran, and what its clock called that time.
//!
//! A watch begins with the first mark after a start and with every step of the wall clock; every mark and every
//! transition extends it. One that began before the clock was synchronised has no date until the same boot becomes
//! synchronised: then all of them are placed by the difference of the two clocks. A clock that has been synchronised
//! in this boot is believed until its end. What lies between two watches is worked out when it is asked for
//! ([`crate::past`]): placing one changes it.

use crate::ClockMark;
use crate::clock;
use crate::records::integer;
use roundsman_core::time::{Mono, Now, Wall};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// A moment as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) watch: i64,
    pub(crate) wall: Wall,
}

#[derive(Clone, Debug)]
struct Current {
    number: i64,
    boot: Arc<str>,
    synchronised: bool,
    start: Now,
    /// Up to where it is stored.
    last: Mono,
}

/// The watch that goes on. Its owner puts back a copy when a transaction is taken back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keeper {
    current: Option<Current>,
}

impl Keeper {
    /// The supervisor of the marks to come is another one than that of the marks before.
    pub(crate) fn restart(&mut self) {
        self.current = None;
    }

    /// The watch that goes on, if a mark has begun one.
    pub(crate) fn current(&self) -> Option<i64> {
        self.current.as_ref().map(|current| current.number)
    }

    /// The watch goes on until `mark`, or another one begins there. A mark may lie before the latest one: work waits
    /// for the disk.
    pub(crate) fn mark(&mut self, conn: &Connection, mark: &ClockMark) -> rusqlite::Result<At> {
        let number = self.advance(conn, mark)?;
        Ok(At { watch: number, wall: mark.now.wall })
    }

    fn advance(&mut self, conn: &Connection, mark: &ClockMark) -> rusqlite::Result<i64> {
        let now = mark.now;
        let Some(current) = self.current.as_mut().filter(|current| current.boot == mark.boot) else {
            return self.begin(conn, mark);
        };
        if now.mono < current.last {
            return find(conn, current, now);
        }
        let stepped = clock::step_ms(current.start, now) != 0;
        if now.mono > current.last {
            conn.prepare_cached("UPDATE watch SET length = ?2 WHERE number = ?1")?
                .execute(params![current.number, integer(now.mono.since_ms(current.start.mono))?])?;
            current.last = now.mono;
        }
        if stepped {
            return self.begin(conn, mark);
        }
        if mark.synchronised && !current.synchronised {
            conn.execute("UPDATE watch SET synchronised = 1 WHERE number = ?1", [current.number])?;
            current.synchronised = true;
            place(conn, mark)?;
        }
        Ok(current.number)
    }

    fn begin(&mut self, conn: &Connection, mark: &ClockMark) -> rusqlite::Result<i64> {
        let known = conn
            .prepare_cached("SELECT 1 FROM watch WHERE boot = ?1 AND synchronised = 1 LIMIT 1")?
            .exists([&mark.boot])?;
        let synchronised = mark.synchronised || (known && !mark.boot.is_empty());
        if synchronised {
            place(conn, mark)?;
        }
        let number = conn
            .prepare_cached(
                // Transitions without a watch are told apart by their own ids: later watches have greater numbers.
                "INSERT INTO watch (number, boot, mono, wall, length, synchronised)
                 SELECT 1 + max((SELECT coalesce(max(number), 0) FROM watch),
                                (SELECT coalesce(max(id), 0) FROM transition WHERE watch IS NULL)),
                        ?1, ?2, ?3, 0, ?4
                 RETURNING number",
            )?
            .query_row(
                params![mark.boot, integer(mark.now.mono.0)?, mark.now.wall.0, synchronised],
                |row| row.get(0),
            )?;
        let (boot, start, last) = (mark.boot.clone(), mark.now, mark.now.mono);
        self.current = Some(Current { number, boot, synchronised, start, last });
        Ok(number)
    }
}

/// The watch that held an earlier moment of the same boot.
fn find(conn: &Connection, current: &Current, now: Now) -> rusqlite::Result<i64> {
    let start = current.start;
    if now.mono > start.mono || (now.mono == start.mono && clock::step_ms(start, now) == 0) {
        return Ok(current.number);
    }
    let earlier = conn
        .prepare_cached(
            "SELECT number FROM watch WHERE boot = ?1 AND mono <= ?2 AND number < ?3 ORDER BY number DESC LIMIT 1",
        )?
        .query_row(params![current.boot, integer(now.mono.0)?, current.number], |row| row.get(0))
        .optional()?;
    Ok(earlier.unwrap_or(current.number))
}

/// Gives the watches of this boot that have no date theirs. Without the kernel's word for the boot nobody knows
/// which those are.
fn place(conn: &Connection, mark: &ClockMark) -> rusqlite::Result<()> {
    if !mark.boot.is_empty() {
        conn.prepare_cached(
            "UPDATE watch SET shift = ?2 WHERE boot = ?1 AND synchronised = 0 AND shift IS NULL",
        )?
        .execute(params![mark.boot, clock::offset(mark.now)])?;
    }
    Ok(())
}

/// Where the clocks stood at the latest mark.
pub(crate) fn latest(conn: &Connection) -> rusqlite::Result<Option<ClockMark>> {
    conn.query_row(
        "SELECT boot, mono + length, wall + length, synchronised FROM watch ORDER BY number DESC LIMIT 1",
        [],
        |row| {
            Ok(ClockMark {
                boot: row.get::<_, String>(0)?.into(),
                now: Now::at(row.get(1)?, row.get(2)?),
                synchronised: row.get(3)?,
            })
        },
    )
    .optional()
}
