//! A past that was not polled here: another system's, or the one that a demonstration begins with. It comes as
//! roll-ups, a day at a time.

use super::chunk::SeriesKind;
use super::rollup::{self, Bucket, Tier, Values};
use super::{segment, series};
use crate::error::StoreError;
use crate::records::device_row;
use roundsman_core::time::Wall;
use rusqlite::Connection;
use std::sync::Arc;

/// Length of a day (UTC), ms.
const DAY_MS: i64 = 24 * 3_600_000;
/// Most buckets of a series and day.
const MOST_BUCKETS: usize = (DAY_MS / 300_000) as usize;

/// A day (UTC) of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct PastDay {
    /// Its begin: a multiple of 24 hours.
    pub from: Wall,
    /// What was measured, each device once.
    pub devices: Vec<DeviceDay>,
}

/// A device's day.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceDay {
    /// Device id.
    pub device: Arc<str>,
    /// How its polls went: those that were answered (`count`) and those that failed (`bad`); without values.
    pub polls: Vec<PastBucket>,
    /// Its series, each once.
    pub series: Vec<SeriesDay>,
}

/// A day of one series of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesDay {
    /// Metric name.
    pub metric: Arc<str>,
    /// Instance label; empty for a scalar.
    pub instance: Arc<str>,
    /// Rising; times without any sample have none.
    pub buckets: Vec<PastBucket>,
}

/// What 5 minutes brought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PastBucket {
    /// Their begin: a multiple of 5 minutes, inside the day.
    pub at: Wall,
    /// Smallest, mean and largest value of the good samples.
    pub values: Option<(f64, f64, f64)>,
    /// Good samples.
    pub count: u32,
    /// Samples without a value.
    pub bad: u32,
}

/// Stores a day, inside the caller's transaction.
pub(crate) fn store(conn: &Connection, day: &PastDay, now: Wall) -> Result<(), StoreError> {
    let failed = |e: rusqlite::Error| StoreError::sqlite("store a day of the past", &e);
    let times = day.devices.iter().flat_map(|device| &device.polls).map(|bucket| bucket.at.0);
    let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(()) };
    check(day)?;
    let taken: bool = conn
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM segment
             WHERE state = 1 AND stretch IS NULL AND t0 + shift < ?2 AND t1 + shift >= ?1)",
            [first, last + Tier::FiveMinutes.width_ms()],
            |row| row.get(0),
        )
        .map_err(failed)?;
    if taken {
        return Err(contradiction(format!(
            "history has samples of the day that begins at {} ms",
            day.from.0
        )));
    }
    let new = |tier, origin| segment::New { tier, origin, merged: true, undated: None, made_at: now.0 };
    let fine = segment::begin(conn, &new(Tier::FiveMinutes, None)).map_err(failed)?;
    let coarse = segment::begin(conn, &new(Tier::Hour, Some(fine))).map_err(failed)?;
    let put = |series: u32, buckets: &[PastBucket]| {
        let five: Vec<Bucket> = buckets.iter().map(bucket).collect();
        segment::put(conn, fine, series, &rollup::encode(Tier::FiveMinutes, &five))?;
        segment::put(conn, coarse, series, &rollup::encode(Tier::Hour, &rollup::hours_of(&five)))
    };
    for device in &day.devices {
        let row = device_row(conn, &device.device).map_err(failed)?;
        let own = series::intern(conn, row, series::POLLS, "", SeriesKind::Polls).map_err(failed)?;
        put(own, &device.polls).map_err(failed)?;
        for day in &device.series {
            let id = series::intern(conn, row, &day.metric, &day.instance, SeriesKind::Number);
            put(id.map_err(failed)?, &day.buckets).map_err(failed)?;
        }
    }
    for id in [fine, coarse] {
        segment::finish(conn, id, first, last + Tier::FiveMinutes.width_ms() - 1).map_err(failed)?;
    }
    Ok(())
}

fn check(day: &PastDay) -> Result<(), StoreError> {
    let end = day.from.0.saturating_add(DAY_MS);
    let fits = |buckets: &[PastBucket]| {
        buckets.len() <= MOST_BUCKETS
            && buckets.is_sorted_by(|a, b| a.at < b.at)
            && buckets
                .iter()
                .all(|b| b.at >= day.from && b.at.0 < end && b.at.0 % Tier::FiveMinutes.width_ms() == 0)
            && buckets.iter().all(|b| b.values.is_none_or(|(low, mean, high)| low <= mean && mean <= high))
    };
    let good = day.from.0.rem_euclid(DAY_MS) == 0
        && day
            .devices
            .iter()
            .all(|device| fits(&device.polls) && device.series.iter().all(|series| fits(&series.buckets)));
    if good {
        return Ok(());
    }
    Err(contradiction(
        "a bucket is not of the day, not in its place, or its mean is beyond its extremes".to_owned(),
    ))
}

fn contradiction(reason: String) -> StoreError {
    StoreError::Contradiction { doing: "store a day of the past", reason }
}

fn bucket(past: &PastBucket) -> Bucket {
    let values = past.values.filter(|_| past.count > 0).map(|(min, mean, max)| Values { min, max, mean });
    Bucket { start: past.at.0, values, count: past.count, bad: past.bad }
}
