//! From `hot` rows to a segment of compressed chunks: one window at a time, one part of the site at a time, some
//! chunks in each transaction. While it is being made the rows count; the transaction that makes the segment valid
//! takes them out of account at once. A kill at any point costs the work on that window and nothing else.

use super::Budget;
use super::chunk::{Column, Polls, SeriesKind, encode_polls};
use super::clock::{RowClock, Stretch};
use super::hot::{Carried, Point};
use super::rollup::Tier;
use super::{hot, segment, series};
use roundsman_core::time::Now;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Rows of `hot` deleted in one step.
const MOST_DELETED: i64 = 256;

/// A window being compressed.
pub(crate) struct Compaction {
    segment: i64,
    /// The times are of the steady clock, also if the stretch is placed meanwhile: the segment is shifted then.
    undated: bool,
    first: i64,
    last: i64,
    /// The cycle up to which rows did not count before.
    covered: i64,
    /// Parts not read yet.
    parts: Vec<i64>,
    /// Chunks of the part that was read, to be compressed from the end.
    waiting: Vec<(u32, Content)>,
    span: Option<(i64, i64)>,
}

enum Content {
    Polls(Polls),
    Column(Column),
}

impl Content {
    fn samples(&self) -> usize {
        match self {
            Content::Polls(polls) => polls.times.len(),
            Content::Column(Column::Numbers(statuses, _) | Column::Counters(statuses, _)) => statuses.len(),
            Content::Column(Column::Words(marks)) => marks.len(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Content::Polls(polls) => encode_polls(polls),
            Content::Column(column) => column.encode(),
        }
    }
}

/// Begins with the oldest window, if nothing will be added to it any more.
pub(crate) fn begin(
    conn: &Connection,
    current: Option<&Stretch>,
    now: Now,
) -> rusqlite::Result<Option<Compaction>> {
    let covered: i64 = conn.query_row("SELECT cycle FROM covered", [], |row| row.get(0))?;
    let beyond = hot::row_of(covered + 1, 0);
    let select = format!(
        "SELECT h.id >> 16, {} FROM hot h JOIN stretch s ON s.id = h.stretch WHERE h.id >= ?1 ORDER BY h.id",
        RowClock::COLUMNS
    );
    let mut rows = conn.prepare_cached(&select)?;
    let mut rows = rows.query([beyond])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (first, clock) = (row.get(0)?, RowClock::read(row, 1)?);
    if !clock.is_over(current, now) {
        return Ok(None);
    }
    let mut last = first;
    while let Some(row) = rows.next()? {
        let next = RowClock::read(row, 1)?;
        if next.stretch != clock.stretch || next.window() != clock.window() {
            break;
        }
        last = row.get(0)?;
    }
    let parts = conn
        .prepare_cached("SELECT DISTINCT id & 65535 FROM hot WHERE id BETWEEN ?1 AND ?2 ORDER BY 1 DESC")?
        .query_map([beyond, hot::row_of(last, 0xffff)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let undated = clock.wall().is_none().then_some(clock.stretch);
    let new = segment::New { tier: Tier::Raw, origin: None, merged: false, undated, made_at: now.wall.0 };
    let segment = segment::begin(conn, &new)?;
    Ok(Some(Compaction {
        segment,
        undated: undated.is_some(),
        first,
        last,
        covered,
        parts,
        waiting: Vec::new(),
        span: None,
    }))
}

impl Compaction {
    /// Goes on; `true` once the segment is valid.
    pub(crate) fn step(&mut self, conn: &Connection, budget: Budget) -> rusqlite::Result<bool> {
        if self.waiting.is_empty() {
            let Some(part) = self.parts.pop() else {
                self.finish(conn)?;
                return Ok(true);
            };
            self.read(conn, part)?;
            return Ok(false);
        }
        let mut left = budget;
        while let Some((series, content)) = self.waiting.pop() {
            segment::put(conn, self.segment, series, &content.encode())?;
            if !left.spend(content.samples()) {
                break;
            }
        }
        Ok(false)
    }

    /// Reads what the window's rows of one part hold.
    fn read(&mut self, conn: &Connection, part: i64) -> rusqlite::Result<()> {
        let select = format!(
            "SELECT h.body, {} FROM hot h JOIN stretch s ON s.id = h.stretch
             WHERE h.id BETWEEN ?1 AND ?2 AND h.id & 65535 = ?3 ORDER BY h.id",
            RowClock::COLUMNS
        );
        let mut rows = conn.prepare_cached(&select)?;
        let mut rows = rows.query([hot::row_of(self.first, 0), hot::row_of(self.last, 0xffff), part])?;
        let mut devices: BTreeMap<i64, Device> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let body = row.get_ref(0)?.as_blob()?;
            let clock = RowClock::read(row, 1)?;
            let mut unknown = None;
            let result = hot::sections(body, |section| {
                let device = match devices.entry(section.device) {
                    std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::btree_map::Entry::Vacant(place) => {
                        match Device::new(conn, section.device) {
                            Ok(device) => place.insert(device),
                            Err(error) => {
                                unknown = Some(error);
                                return Err("series unknown");
                            }
                        }
                    }
                };
                let at = clock.time(self.undated).saturating_sub(section.before_ms);
                let (t0, t1) = self.span.unwrap_or((at, at));
                self.span = Some((t0.min(at), t1.max(at)));
                device.add(at, &section)
            });
            if let Some(error) = unknown {
                return Err(error);
            }
            if let Err(reason) = result {
                tracing::error!(reason, "a cycle of history cannot be read; what could not be read is a gap");
            }
        }
        for device in devices.into_values().rev() {
            device.hand_over(&mut self.waiting);
        }
        Ok(())
    }

    fn finish(&self, conn: &Connection) -> rusqlite::Result<()> {
        let (t0, t1) = self.span.unwrap_or_default();
        segment::finish(conn, self.segment, t0, t1)?;
        conn.execute("UPDATE covered SET cycle = ?1, before = ?2", [self.last, self.covered])?;
        delete_rows(conn, self.covered)?;
        Ok(())
    }
}

/// Deletes some of the rows that segments hold. Those of the newest window stay until the next one: with the snapshots
/// they tell the latest readings of devices that are silent since. `false` if there was none.
pub(crate) fn purge(conn: &Connection) -> rusqlite::Result<bool> {
    let up_to: i64 = conn.prepare_cached("SELECT before FROM covered")?.query_row([], |row| row.get(0))?;
    Ok(delete_rows(conn, up_to)? > 0)
}

fn delete_rows(conn: &Connection, up_to: i64) -> rusqlite::Result<usize> {
    conn.prepare_cached(
        "DELETE FROM hot WHERE id IN (SELECT id FROM hot WHERE id < ?1 ORDER BY id LIMIT ?2)",
    )?
    .execute(params![hot::row_of(up_to + 1, 0), MOST_DELETED])
}

/// What a device brought.
struct Device {
    polls_series: u32,
    polls: Polls,
    kinds: BTreeMap<u32, SeriesKind>,
    columns: BTreeMap<u32, Column>,
    carried: Carried,
}

impl Device {
    fn new(conn: &Connection, row: i64) -> rusqlite::Result<Device> {
        let polls_series = series::intern(conn, row, series::POLLS, "", SeriesKind::Polls)?;
        let kinds =
            series::of_device(conn, row)?.into_iter().map(|series| (series.id, series.kind)).collect();
        Ok(Device {
            polls_series,
            polls: Polls::default(),
            kinds,
            columns: BTreeMap::new(),
            carried: Carried::default(),
        })
    }

    fn add(&mut self, at: i64, section: &hot::Section<'_>) -> crate::bytes::Decoded<()> {
        let position = self.polls.push(at, section.outcome);
        if section.outcome.is_err() {
            return Ok(());
        }
        let Device { kinds, columns, carried, .. } = self;
        let mut push = |series, point| {
            if let Some(kind) = kinds.get(&series) {
                columns.entry(series).or_insert_with(|| kind.column()).push(position, at, point);
            }
        };
        let taken = carried.take(section, |series| push(series, Point::Gone));
        carried.now().iter().for_each(|(series, point)| push(*series, point.clone()));
        taken
    }

    /// From the last series to the first: they are taken from the end.
    fn hand_over(self, waiting: &mut Vec<(u32, Content)>) {
        let columns = self
            .columns
            .into_iter()
            .filter(|(_, column)| !column.is_empty())
            .map(|(series, column)| (series, Content::Column(column)));
        let mut all: Vec<_> =
            std::iter::once((self.polls_series, Content::Polls(self.polls))).chain(columns).collect();
        all.sort_by_key(|(series, _)| *series);
        waiting.extend(all.into_iter().rev());
    }
}
