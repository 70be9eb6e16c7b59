//! Lives of faults from their transitions.

use super::clocks::Clocks;
use super::unreadable;
use crate::error::StoreError;
use crate::reader::rows;
use crate::records::{self, FAULT_COLUMNS};
use roundsman_core::fault::{Ending, Fault, FaultId, NO_DATA, UNREACHABLE};
use roundsman_core::figures::account::Stretch;
use roundsman_core::figures::faults::FaultLife;
use roundsman_core::figures::watch::{Moment, WatchNumber};
use roundsman_core::rule::Severity;
use roundsman_core::time::Wall;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Faults of one answer: five weeks of a site where something breaks every three minutes, some 20 MB.
pub(super) const MOST_FAULTS: usize = 20_000;
/// Faults looked at for one answer; those under a clock that was never right are looked at one by one.
const MOST_CANDIDATES: usize = 200_000;
/// Transitions of one fault that are read: one that reopens every minute for five weeks has as many.
const MOST_TRANSITIONS: usize = 100_000;

/// Those that may have been open between two wall times, newest first. Under a clock that was not known to be right the
/// stored times say nothing: such a fault is looked at in any case. `?3` bounds the number.
const CANDIDATES: &str = "
  WITH doubtful AS MATERIALIZED
    (SELECT DISTINCT t.fault AS id FROM watch w JOIN transition t ON t.watch = w.number WHERE w.synchronised = 0)
  SELECT id FROM fault WHERE ending IS NULL AND confirmed < ?2
  UNION SELECT id FROM fault WHERE ending IS NOT NULL AND changed_at >= ?1 AND confirmed < ?2
  UNION SELECT id FROM doubtful ORDER BY 1 DESC LIMIT ?3";

/// What a fault's transitions say.
struct Course {
    severity: Severity,
    first_bad: Moment,
    raised: Moment,
    acknowledged: Option<Moment>,
    cleared: Option<Moment>,
    ended: Option<(Moment, Ending)>,
    /// When the condition was there: a stretch for each time that it came.
    bad: Vec<Stretch>,
}

/// A fault's life.
pub(super) struct Life {
    pub(super) life: FaultLife,
    pub(super) fault: Fault,
    bad: Vec<Stretch>,
}

impl Life {
    /// When its device was down of its own.
    pub(super) fn down(&self) -> &[Stretch] {
        if &*self.fault.key.rule == UNREACHABLE { &self.bad } else { &[] }
    }

    /// When nothing was known of its device.
    pub(super) fn unwatched(&self) -> &[Stretch] {
        if &*self.fault.key.rule == NO_DATA { &self.bad } else { &[] }
    }
}

/// The faults that were open at some time between two wall times.
pub(super) fn between(
    conn: &Connection,
    clocks: &Clocks,
    from: Wall,
    to: Wall,
) -> Result<BTreeMap<FaultId, Life>, StoreError> {
    let most = MOST_CANDIDATES as i64 + 1;
    let ids: Vec<u64> =
        rows(conn, CANDIDATES, params![from.0, to.0, most], |row| row.get(0).map_err(unreadable))?;
    if ids.len() > MOST_CANDIDATES {
        return Err(StoreError::TooMuch { what: "faults", limit: MOST_CANDIDATES });
    }
    let mut found = BTreeMap::new();
    for id in ids.into_iter().map(FaultId) {
        let Some(course) = course(conn, clocks, id)? else { continue };
        let label = |moment| clocks.placed().label(moment);
        let is_over = course.ended.is_some_and(|(ended, _)| label(ended).max(label(course.raised)) < from);
        if is_over || label(course.raised) >= to {
            continue;
        }
        if found.len() >= MOST_FAULTS {
            return Err(StoreError::TooMuch { what: "faults", limit: MOST_FAULTS });
        }
        found.extend(whole(conn, id, course)?.map(|life| (id, life)));
    }
    Ok(found)
}

/// One fault, whenever it was; `None` if there is none.
pub(super) fn one(conn: &Connection, clocks: &Clocks, id: FaultId) -> Result<Option<Life>, StoreError> {
    course(conn, clocks, id)?.map_or(Ok(None), |course| whole(conn, id, course))
}

fn whole(conn: &Connection, id: FaultId, course: Course) -> Result<Option<Life>, StoreError> {
    let sql =
        format!("SELECT {FAULT_COLUMNS} FROM fault f JOIN device d ON d.row = f.device WHERE f.id = ?1");
    let fault = rows(conn, &sql, [id.0], records::fault)?.pop();
    Ok(fault.map(|fault| Life {
        life: FaultLife {
            id,
            number: fault.number,
            key: fault.key.clone(),
            severity: course.severity,
            first_bad: course.first_bad,
            raised: course.raised,
            acknowledged: course.acknowledged,
            cleared: course.cleared,
            ended: course.ended,
            behind: None,
        },
        fault,
        bad: course.bad,
    }))
}

/// A transition, as far as a course needs it.
struct Row {
    moment: Moment,
    change: String,
    severity: Severity,
    first_bad: Wall,
    is_over: bool,
    ending: Option<Ending>,
}

fn course(conn: &Connection, clocks: &Clocks, id: FaultId) -> Result<Option<Course>, StoreError> {
    let sql = "SELECT coalesce(watch, id), at, change, severity, first_bad, cleared IS NOT NULL, ending
               FROM transition WHERE fault = ?1 ORDER BY id LIMIT ?2";
    let found = rows(conn, sql, params![id.0, MOST_TRANSITIONS as i64 + 1], row)?;
    if found.len() > MOST_TRANSITIONS {
        return Err(StoreError::TooMuch { what: "transitions of one fault", limit: MOST_TRANSITIONS });
    }
    let Some(raised) = found.first() else { return Ok(None) };
    let mut course = Course {
        severity: raised.severity,
        first_bad: clocks.place(clocks.before(raised.first_bad, raised.moment)),
        raised: clocks.place(raised.moment),
        acknowledged: None,
        cleared: None,
        ended: None,
        bad: Vec::new(),
    };
    // Since when it is bad; a fault that reopens does not say when the first evidence of that came.
    let mut since = Some(course.first_bad);
    for row in &found {
        let at = clocks.place(row.moment);
        course.severity = course.severity.min(row.severity);
        if row.change == "acknowledged" {
            course.acknowledged = course.acknowledged.or(Some(at));
        }
        if row.is_over {
            course.cleared = course.cleared.or(Some(at));
            course.bad.extend(since.take().map(|since| Stretch::lived(since, at)));
        } else {
            course.cleared = None;
            since = since.or(Some(at));
        }
        course.ended = row.ending.map(|ending| (at, ending));
    }
    course.bad.extend(since.map(Stretch::since));
    Ok(Some(course))
}

fn row(row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
    let word: String = row.get(3).map_err(unreadable)?;
    let ending: Option<String> = row.get(6).map_err(unreadable)?;
    let watch = row.get(0).map_err(unreadable)?;
    Ok(Row {
        moment: Moment { watch: WatchNumber(watch), wall: Wall(row.get(1).map_err(unreadable)?) },
        change: row.get(2).map_err(unreadable)?,
        severity: Severity::from_word(&word).ok_or_else(|| super::unknown(&word))?,
        first_bad: Wall(row.get(4).map_err(unreadable)?),
        is_over: row.get(5).map_err(unreadable)?,
        ending: ending
            .map(|word| Ending::from_word(&word).ok_or_else(|| super::unknown(&word)))
            .transpose()?,
    })
}
