//! The watches of the past, as they were recorded and as they were placed later.

use crate::error::StoreError;
use crate::reader::rows;
use roundsman_core::figures::watch::{Moment, Watch, WatchNumber, Watches};
use roundsman_core::sla::clock::Downtime;
use roundsman_core::time::Wall;
use rusqlite::Connection;

/// Watches that are read: a supervisor that ends every ten seconds for a week makes 60,000. Some 10 MB.
const MOST_WATCHES: usize = 100_000;

struct Row {
    number: u64,
    boot: String,
    mono: i64,
    wall: i64,
    length: i64,
    synchronised: bool,
    shift: Option<i64>,
}

impl Row {
    /// Wall time at its start, if it can be believed.
    fn from(&self) -> Option<i64> {
        if self.synchronised {
            Some(self.wall)
        } else {
            self.shift.map(|shift| self.mono.saturating_add(shift))
        }
    }

    /// Time from the end of `before` to its start, ms.
    fn after_ms(&self, before: &Row) -> Option<u64> {
        let passed = if self.boot == before.boot && self.mono >= before.mono && !self.boot.is_empty() {
            // A mark that was late may have extended the one before past the start of this one.
            self.mono.saturating_sub(before.mono.saturating_add(before.length)).max(0)
        } else if self.boot == before.boot && !self.boot.is_empty() {
            return None;
        } else {
            self.from()?.checked_sub(before.from()?.saturating_add(before.length))?
        };
        u64::try_from(passed).ok()
    }
}

/// The time that is asked for.
///
/// A step back has the box live outside of it what lies inside, and the other way round: a thing belongs to it if its
/// wall times do or if it was lived between the first and the last moment of it.
pub(super) struct Scope {
    pub(super) from: Wall,
    pub(super) to: Wall,
    /// First and last moment that was lived in it.
    lived: Option<(Moment, Moment)>,
}

impl Scope {
    /// Watches whose wall times do not tell whether what happened in them belongs to the span: the clock was not known
    /// to be right, or was set across the span. `?4` and `?5` are [`Scope::watches`], `?1` and `?2` its wall times.
    pub(super) const DOUBTFUL: &str = "SELECT number FROM watch
        WHERE synchronised = 0 OR (number > ?4 AND wall < ?1) OR (number < ?5 AND wall + length >= ?2)";

    /// The first and the last watch of it.
    pub(super) fn watches(&self) -> (u64, u64) {
        self.lived.map_or((i64::MAX.unsigned_abs(), 0), |(first, last)| (first.watch.0, last.watch.0))
    }

    /// So much wider on both sides.
    pub(super) fn widened(&self, ms: i64) -> Scope {
        let (from, to) = (self.from.0.saturating_sub(ms), self.to.0.saturating_add(ms));
        Scope { from: Wall(from), to: Wall(to), ..*self }
    }
}

/// When the box watched.
pub(super) struct Clocks {
    /// By the clock as it showed them.
    shown: Watches,
    /// By the clock as it was found to be later.
    placed: Watches,
}

impl Clocks {
    /// The newest watches; those of a span that begins at `from` are all among them, else an error.
    pub(super) fn read(conn: &Connection, from: Wall) -> Result<Clocks, StoreError> {
        let sql = format!(
            "SELECT number, boot, mono, wall, length, synchronised, shift FROM watch ORDER BY number DESC LIMIT {}",
            MOST_WATCHES + 1
        );
        let mut found = rows(conn, &sql, [], |row| read(row).map_err(super::unreadable))?;
        let is_cut = found.len() > MOST_WATCHES;
        found.reverse();
        if is_cut && found.iter().take(1).all(|row| row.from().unwrap_or(row.wall) > from.0) {
            return Err(StoreError::TooMuch { what: "watches", limit: MOST_WATCHES });
        }
        let watch = |(at, row): (usize, &Row), from: i64| Watch {
            number: WatchNumber(row.number),
            from: Wall(from),
            length_ms: u64::try_from(row.length).unwrap_or(0),
            after_ms: at.checked_sub(1).and_then(|before| row.after_ms(found.get(before)?)),
            dated: row.from().is_some(),
        };
        let entries = || found.iter().enumerate();
        let shown = entries().map(|entry| watch(entry, entry.1.wall)).collect();
        let placed = entries().map(|entry| watch(entry, entry.1.from().unwrap_or(entry.1.wall))).collect();
        Ok(Clocks { shown: Watches::new(shown), placed: Watches::new(placed) })
    }

    /// A moment as it was recorded, by the clock as it was found to be later.
    pub(super) fn place(&self, shown: Moment) -> Moment {
        let (shown_from, placed_from) =
            match (self.start(&self.shown, shown), self.start(&self.placed, shown)) {
                (Some(shown), Some(placed)) => (shown, placed),
                _ => return shown,
            };
        let moved = placed_from.0.saturating_sub(shown_from.0);
        Moment { wall: Wall(shown.wall.0.saturating_add(moved)), ..shown }
    }

    fn start(&self, watches: &Watches, moment: Moment) -> Option<Wall> {
        let list = watches.as_slice();
        let at = list.binary_search_by_key(&moment.watch, |watch| watch.number).ok()?;
        list.get(at).map(|watch| watch.from)
    }

    /// The moment of a wall time that was recorded without its watch, given a later moment of the same fault, both as
    /// they were shown. Where no watch has it its distance to any other is unknown.
    pub(super) fn before(&self, wall: Wall, later: Moment) -> Moment {
        let found = self.shown.moment_before(wall, later);
        found.unwrap_or(Moment { watch: WatchNumber(0), wall })
    }

    /// What was lived between two wall times.
    pub(super) fn scope(&self, from: Wall, to: Wall) -> Scope {
        let end = |watch: &Watch| watch.from.0.saturating_add_unsigned(watch.length_ms);
        let inside = |watch: &&Watch| watch.dated && watch.from < to && end(watch) >= from.0;
        let all = || self.placed.as_slice().iter().filter(inside);
        let first = all().next().map(|w| Moment { watch: w.number, wall: w.from.max(from) });
        let last = all().next_back().map(|w| Moment { watch: w.number, wall: Wall(end(w).min(to.0)) });
        Scope { from, to, lived: first.zip(last) }
    }

    /// Whether something that lasted from one moment to another (`None`: until now) belongs to the span.
    pub(super) fn touches(&self, scope: &Scope, from: Moment, to: Option<Moment>) -> bool {
        let label = |moment| self.placed.label(moment);
        let filed = label(from) < scope.to && to.is_none_or(|to| label(to).max(label(from)) >= scope.from);
        let lived = scope.lived.is_some_and(|(first, last)| from <= last && to.is_none_or(|to| to >= first));
        filed || lived
    }

    /// When the box watched, by the clock as it was found to be later.
    pub(super) fn placed(&self) -> &Watches {
        &self.placed
    }

    /// The same, handed out.
    pub(super) fn into_placed(self) -> Watches {
        self.placed
    }
}

/// What passed from a moment of a watch to the end of the last one: time that was lived, and what lay between.
pub(crate) fn passed_since(conn: &Connection, watch: i64, wall: Wall) -> Result<Vec<Downtime>, StoreError> {
    let sql = format!(
        "SELECT number, boot, mono, wall, length, synchronised, shift FROM watch WHERE number >= {watch}
         ORDER BY number LIMIT {MOST_WATCHES}"
    );
    let watches = rows(conn, &sql, [], |row| read(row).map_err(super::unreadable))?;
    let mut passed = Vec::new();
    for (at, row) in watches.iter().enumerate() {
        let end = Wall(row.wall.saturating_add(row.length));
        let lived = match at.checked_sub(1) {
            None => end.0.saturating_sub(wall.0).clamp(0, row.length.max(0)),
            Some(before) => {
                passed.push(match row.after_ms(&watches[before]) {
                    Some(length_ms) => Downtime::Known { until: Wall(row.wall), length_ms },
                    None => Downtime::Unknown,
                });
                row.length.max(0)
            }
        };
        passed.push(Downtime::Known { until: end, length_ms: lived.unsigned_abs() });
    }
    Ok(passed)
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        number: row.get(0)?,
        boot: row.get(1)?,
        mono: row.get(2)?,
        wall: row.get(3)?,
        length: row.get(4)?,
        synchronised: row.get(5)?,
        shift: row.get(6)?,
    })
}
