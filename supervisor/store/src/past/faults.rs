//! Lives of faults from their transitions.

use super::clocks::{Clocks, Scope};
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

/// Those that may have been open at some time of the span, newest first; what happened in a doubtful watch is looked at
/// in any case. `?3` bounds the number.
fn candidates() -> String {
    format!(
        "SELECT id FROM fault WHERE ending IS NULL AND confirmed < ?2
         UNION SELECT id FROM fault WHERE ending IS NOT NULL AND changed_at >= ?1 AND confirmed < ?2
         UNION SELECT fault FROM transition WHERE watch IN ({})
         ORDER BY 1 DESC LIMIT ?3",
        Scope::DOUBTFUL
    )
}

/// What a fault's transitions say.
struct Course {
    severity: Severity,
    first_bad: Moment,
    raised: Moment,
    acknowledged: Option<Moment>,
    cleared: Option<Moment>,
    ended: Option<(Moment, Ending)>,
    episodes: Vec<Episode>,
}

/// A time that the condition was there; a fault that reopens has several.
#[derive(Clone, Copy, Debug)]
pub(super) struct Episode {
    /// First bad evidence. A fault that reopens does not say when that was: it is its confirmation then.
    pub(super) since: Moment,
    /// Confirmed.
    pub(super) confirmed: Moment,
    /// The condition was over.
    pub(super) over: Option<Moment>,
}

/// A fault's life.
pub(super) struct Life {
    pub(super) life: FaultLife,
    pub(super) fault: Fault,
    pub(super) episodes: Vec<Episode>,
}

impl Life {
    /// When its device was down of its own.
    pub(super) fn down(&self) -> impl Iterator<Item = Stretch> {
        self.bad(UNREACHABLE)
    }

    /// When nothing was known of its device.
    pub(super) fn unwatched(&self) -> impl Iterator<Item = Stretch> {
        self.bad(NO_DATA)
    }

    fn bad(&self, rule: &str) -> impl Iterator<Item = Stretch> {
        let episodes = if *self.fault.key.rule == *rule { &self.episodes[..] } else { &[] };
        episodes.iter().map(|episode| Stretch::Lived { from: episode.since, to: episode.over })
    }
}

/// The faults that were open at some time of the span.
pub(super) fn of(
    conn: &Connection,
    clocks: &Clocks,
    scope: &Scope,
) -> Result<BTreeMap<FaultId, Life>, StoreError> {
    let (most, (first, last)) = (MOST_CANDIDATES as i64 + 1, scope.watches());
    let bounds = params![scope.from.0, scope.to.0, most, first, last];
    let ids: Vec<u64> = rows(conn, &candidates(), bounds, |row| row.get(0).map_err(unreadable))?;
    if ids.len() > MOST_CANDIDATES {
        return Err(StoreError::TooMuch { what: "faults", limit: MOST_CANDIDATES });
    }
    let mut found = BTreeMap::new();
    for id in ids.into_iter().map(FaultId) {
        let Some(course) = course(conn, clocks, id)? else { continue };
        // A first sign may lie before the end of a span in which the fault was not raised yet.
        let began = course.first_bad.min(course.raised);
        if !clocks.touches(scope, began, course.ended.map(|(ended, _)| ended)) {
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
        episodes: course.episodes,
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
        episodes: Vec::new(),
    };
    for row in &found {
        let at = clocks.place(row.moment);
        course.severity = course.severity.min(row.severity);
        if row.change == "acknowledged" {
            course.acknowledged = course.acknowledged.or(Some(at));
        }
        let goes_on = course.episodes.last_mut().filter(|episode| episode.over.is_none());
        match (row.is_over, goes_on) {
            (true, Some(episode)) => {
                episode.over = Some(at);
                course.cleared = Some(at);
            }
            (true, None) => course.cleared = course.cleared.or(Some(at)),
            (false, Some(_)) => {}
            (false, None) => {
                let since = if course.episodes.is_empty() { course.first_bad } else { at };
                course.episodes.push(Episode { since, confirmed: at, over: None });
                course.cleared = None;
            }
        }
        course.ended = row.ending.map(|ending| (at, ending));
    }
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
