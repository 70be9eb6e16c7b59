//! Stretches of steady clock: which rows' wall times can be believed.
//!
//! A stretch ends with its boot, when the wall clock steps back, and when the clock becomes synchronised. Inside one
//! the times of samples only go forward. The rows of a stretch that began before the clock was synchronised have no
//! wall time until the same boot becomes synchronised: then all of them are placed by the difference of the two clocks.
//! A clock that has been synchronised in this boot is believed until its end: losing the time server moves nothing.

use crate::ClockMark;
use crate::clock::{offset, step_ms};
use roundsman_core::time::Now;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// How long the rows of a boot that is not synchronised wait in `hot`. After that they become segments without a
/// date, so that a box that never hears of the time does not fill its disk with uncompressed rows.
const LONGEST_WAIT_MS: u64 = 24 * 3_600_000;

/// Length of a window: what is compressed together.
pub(crate) const WINDOW_MS: i64 = 2 * 3_600_000;

/// The stretch that goes on, and where it was last.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) id: i64,
    boot: Arc<str>,
    pub(crate) synchronised: bool,
    now: Now,
}

/// The clock of a `hot` row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowClock {
    pub(crate) stretch: i64,
    synchronised: bool,
    shift: Option<i64>,
    mono: i64,
    wall: i64,
}

impl RowClock {
    /// What a query must select to read one: `hot h JOIN stretch s`.
    pub(crate) const COLUMNS: &str = "h.stretch, s.synchronised, s.shift, h.mono, h.wall";

    /// Reads one from the columns beginning at `first`.
    pub(crate) fn read(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<RowClock> {
        Ok(RowClock {
            stretch: row.get(first)?,
            synchronised: row.get(first + 1)?,
            shift: row.get(first + 2)?,
            mono: row.get(first + 3)?,
            wall: row.get(first + 4)?,
        })
    }

    /// Wall time, if it is known.
    pub(crate) fn wall(&self) -> Option<i64> {
        if self.synchronised {
            Some(self.wall)
        } else {
            self.shift.map(|shift| self.mono.saturating_add(shift))
        }
    }

    /// What the wall clock said, where that is not known to be right and its stretch is the newest.
    pub(crate) fn provisional(&self, newest: i64) -> Option<i64> {
        (self.stretch == newest).then_some(self.wall)
    }

    /// Its time on the steady clock, or else the wall time.
    pub(crate) fn time(&self, steady: bool) -> i64 {
        self.wall().filter(|_| !steady).unwrap_or(self.mono)
    }

    /// The window it belongs to; the same whether it has been placed or not.
    pub(crate) fn window(&self) -> i64 {
        window(self.synchronised, self.mono, self.wall)
    }

    /// Whether nothing will be added to its window any more, as seen at `now` while `current` goes on.
    pub(crate) fn is_over(&self, current: Option<&Stretch>, now: Now) -> bool {
        if current.is_none_or(|current| current.id != self.stretch) {
            return true;
        }
        if self.synchronised {
            return now.wall.0.div_euclid(WINDOW_MS) > self.window();
        }
        now.mono.0.saturating_sub(self.mono.max(0).cast_unsigned()) > LONGEST_WAIT_MS
    }
}

fn window(synchronised: bool, mono: i64, wall: i64) -> i64 {
    (if synchronised { wall } else { mono }).div_euclid(WINDOW_MS)
}

impl Stretch {
    /// The window of its latest mark.
    pub(crate) fn window(&self) -> i64 {
        window(self.synchronised, self.now.mono.0.cast_signed(), self.now.wall.0)
    }
}

/// The stretch that went on when the store was closed, if it is known where it was.
pub(crate) fn last(conn: &Connection) -> rusqlite::Result<Option<Stretch>> {
    conn.query_row(
        "SELECT s.id, s.boot, s.synchronised, h.mono, h.wall FROM hot h JOIN stretch s ON s.id = h.stretch
         ORDER BY h.id DESC LIMIT 1",
        [],
        |row| {
            Ok(Stretch {
                id: row.get(0)?,
                boot: row.get::<_, String>(1)?.into(),
                synchronised: row.get(2)?,
                now: Now::at(row.get(3)?, row.get(4)?),
            })
        },
    )
    .optional()
}

/// The stretch to which a cycle at `mark` belongs: `current`, or a new one.
pub(crate) fn advance(
    conn: &Connection,
    current: Option<&Stretch>,
    mark: &ClockMark,
) -> rusqlite::Result<Stretch> {
    let now = mark.now;
    let same_boot = current.filter(|current| current.boot == mark.boot && current.now.mono <= now.mono);
    let synchronised = mark.synchronised || same_boot.is_some_and(|current| current.synchronised);
    if let Some(current) = same_boot {
        let stepped_back = synchronised && step_ms(current.now, now) < 0;
        if current.synchronised == synchronised && !stepped_back {
            return Ok(Stretch { now, ..current.clone() });
        }
    }
    if synchronised {
        place(conn, &mark.boot, offset(now))?;
    }
    let id = conn
        .prepare_cached("INSERT INTO stretch (boot, synchronised) VALUES (?1, ?2) RETURNING id")?
        .query_row(params![mark.boot, synchronised], |row| row.get(0))?;
    Ok(Stretch { id, boot: mark.boot.clone(), synchronised, now })
}

/// Gives the stretches of `boot` that have no wall time theirs, and the segments made of them.
fn place(conn: &Connection, boot: &str, shift: i64) -> rusqlite::Result<()> {
    conn.execute(
        "UPDATE segment SET shift = ?2, stretch = NULL
         WHERE stretch IN (SELECT id FROM stretch WHERE boot = ?1 AND synchronised = 0 AND shift IS NULL)",
        params![boot, shift],
    )?;
    conn.execute(
        "UPDATE stretch SET shift = ?2 WHERE boot = ?1 AND synchronised = 0 AND shift IS NULL",
        params![boot, shift],
    )?;
    Ok(())
}
