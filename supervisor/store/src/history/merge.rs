//! From the windows of a day to one segment of the day, and its roll-ups by 5 minutes and by the hour: device by
//! device, some series in each transaction. The windows count until the day is complete.

use super::Budget;
use super::chunk::{Column, Polls, decode_polls, encode_polls};
use super::hot::Point;
use super::rollup::{self, Tier};
use super::{segment, series};
use crate::error::StoreError;
use rusqlite::Connection;

/// Length of a day (UTC), ms.
const DAY_MS: i64 = 24 * 3_600_000;

/// How far windows may overlap: a poll belongs to the window of the cycle that recorded it, which ends a little later.
/// More is a clock that stepped back.
const OVERLAP_MS: i64 = 120_000;

/// A day being merged.
pub(crate) struct Merge {
    /// The windows with what is to be added to their times, in order.
    from: Vec<(i64, i64)>,
    /// The day's segments: raw, 5 minutes, hour.
    into: [i64; 3],
    span: (i64, i64),
    /// Rows of the devices not begun yet.
    devices: Vec<i64>,
    device: Option<Device>,
}

/// The device that is being merged.
struct Device {
    /// Series not merged yet, to be taken from the end.
    series: Vec<series::Row>,
    /// Per window the device's polls, shifted, and where they begin in the day's.
    polls: Vec<(u32, Polls)>,
    day: Polls,
}

/// Begins with the oldest day that is over at the wall time `now`. Only where no window is left to be compacted.
pub(crate) fn begin(conn: &Connection, now: i64) -> rusqlite::Result<Option<Merge>> {
    let mut windows = conn.prepare_cached(
        "SELECT id, shift, t0 + shift, t1 + shift FROM segment
         WHERE state = 1 AND tier = 0 AND merged = 0 AND stretch IS NULL ORDER BY id",
    )?;
    let mut windows = windows.query([])?;
    let mut from: Vec<(i64, i64)> = Vec::new();
    let (mut span, mut day) = ((0, 0), 0);
    while let Some(row) = windows.next()? {
        let (id, shift, t0, t1): (i64, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        // By its middle: the first polls of a day may have ended just before it.
        let nth = (t0 / 2 + t1 / 2).div_euclid(DAY_MS);
        if from.is_empty() {
            if nth >= now.div_euclid(DAY_MS) {
                continue;
            }
            (span, day) = ((t0, t1), nth);
        } else if nth != day || t0 < span.1 - OVERLAP_MS {
            // Another day, or the clock stepped back: times only go forward inside a segment.
            break;
        }
        span.1 = span.1.max(t1);
        from.push((id, shift));
    }
    if from.is_empty() {
        return Ok(None);
    }
    let new = |tier, origin| segment::New { tier, origin, merged: true, undated: None, made_at: now };
    let raw = segment::begin(conn, &new(Tier::Raw, None))?;
    let into = [
        raw,
        segment::begin(conn, &new(Tier::FiveMinutes, Some(raw)))?,
        segment::begin(conn, &new(Tier::Hour, Some(raw)))?,
    ];
    let devices = conn
        .prepare_cached("SELECT DISTINCT device FROM series ORDER BY device DESC")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(Merge { from, into, span, devices, device: None }))
}

impl Merge {
    /// Goes on; `true` once the day is valid.
    pub(crate) fn step(&mut self, conn: &Connection, budget: Budget) -> Result<bool, StoreError> {
        let failed = |e: rusqlite::Error| StoreError::sqlite("merge history", &e);
        let mut left = budget;
        loop {
            let Some(device) = &mut self.device else {
                let Some(row) = self.devices.pop() else {
                    self.finish(conn).map_err(failed)?;
                    return Ok(true);
                };
                self.device = self.read(conn, row)?;
                if !left.spend(0) {
                    return Ok(false);
                }
                continue;
            };
            let Some(series) = device.series.pop() else {
                self.device = None;
                continue;
            };
            let samples = device.merge(conn, &self.from, self.into, &series)?;
            if !left.spend(samples) {
                return Ok(false);
            }
        }
    }

    /// The device's polls of the day; `None` if it had none.
    fn read(&self, conn: &Connection, row: i64) -> Result<Option<Device>, StoreError> {
        let mut series = series::of_device(conn, row).map_err(|e| StoreError::sqlite("merge history", &e))?;
        series.reverse();
        let Some(own) = series.iter().find(|series| series.metric == series::POLLS).map(|series| series.id)
        else {
            return Ok(None);
        };
        let (mut day, mut polls) = (Polls::default(), Vec::new());
        for (id, shift) in &self.from {
            let mut window = segment::get(conn, *id, own, decode_polls)?.unwrap_or_default();
            window.times.iter_mut().for_each(|at| *at = at.saturating_add(*shift));
            let position = day.times.len() as u32;
            day.append(&window);
            polls.push((position, window));
        }
        Ok((!day.times.is_empty()).then_some(Device { series, polls, day }))
    }

    fn finish(&self, conn: &Connection) -> rusqlite::Result<()> {
        for id in self.into {
            segment::finish(conn, id, self.span.0, self.span.1)?;
        }
        for (id, _) in &self.from {
            segment::drop_one(conn, *id)?;
        }
        Ok(())
    }
}

impl Device {
    /// Merges one series; how many samples that were.
    fn merge(
        &self,
        conn: &Connection,
        from: &[(i64, i64)],
        into: [i64; 3],
        series: &series::Row,
    ) -> Result<usize, StoreError> {
        let put = |segment, body: &[u8]| {
            segment::put(conn, segment, series.id, body).map_err(|e| StoreError::sqlite("merge history", &e))
        };
        if series.metric == series::POLLS {
            put(into[0], &encode_polls(&self.day))?;
            for (tier, segment) in [(Tier::FiveMinutes, into[1]), (Tier::Hour, into[2])] {
                put(segment, &rollup::encode(tier, &rollup::of_polls(tier, &self.day)))?;
            }
            return Ok(self.day.times.len() * 3);
        }
        let mut day: Option<Column> = None;
        for ((id, shift), (position, polls)) in from.iter().zip(&self.polls) {
            let mut column = segment::get(conn, *id, series.id, Column::decode)?;
            let mut begins = None;
            if let Some(Column::Words(marks)) = &mut column {
                marks.iter_mut().for_each(|(at, _)| *at = at.saturating_add(*shift));
                begins = marks.first().map(|(at, _)| *at);
            }
            // A window stands for itself: a word that is not in it, or not from its first answer on, does not go on in
            // it. (Where it ended may stand in a window that the clock put on another day.)
            if let (Some(day @ Column::Words(_)), Some(first)) = (&mut day, polls.first_answer())
                && begins != Some(first)
            {
                day.push(*position, first, Point::Gone);
            }
            let Some(column) = column else { continue };
            day.get_or_insert_with(|| series.kind.column()).append(*position, column);
        }
        let Some(day) = day else { return Ok(0) };
        let raw = day.encode();
        put(into[0], &raw)?;
        let mut has_buckets = false;
        for (tier, segment) in [(Tier::FiveMinutes, into[1]), (Tier::Hour, into[2])] {
            if let Some(buckets) = rollup::of_column(tier, &self.day.times, &day) {
                put(segment, &rollup::encode(tier, &buckets))?;
                has_buckets = true;
            }
        }
        if has_buckets {
            return Ok(self.day.times.len() * 3);
        }
        // The changes of states and texts are few: they are kept as long as the roll-ups of numbers.
        put(into[2], &raw)?;
        Ok(raw.len())
    }
}
