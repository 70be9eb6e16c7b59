//! Many samples to the few columns of a chart, in one pass.

use super::rollup::Bucket;
use roundsman_core::time::Wall;

/// Most columns of one answer: two for each pixel of a wide screen.
pub const MOST_COLUMNS: usize = 2_000;

/// The values of a column. Where it was answered from roll-ups, the first and last are means of their buckets; the
/// others are exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// The earliest.
    pub first: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The latest.
    pub last: f64,
    /// The mean of all samples.
    pub mean: f64,
}

/// One column: an equal part of the time asked for, in which at least one poll ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryColumn {
    /// Its begin.
    pub from: Wall,
    /// The values; `None` where no sample was good.
    pub band: Option<Band>,
    /// Samples with a value.
    pub count: u32,
    /// Samples without one, in polls that were answered.
    pub bad: u32,
    /// Polls of the device that failed.
    pub failed: u32,
    /// Between the value before and the first of this column there was more than two and a half intervals without any
    /// value: a line must not be drawn across.
    pub broken: bool,
}

/// What happened at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    Value(f64),
    Bad,
    Failed(u32),
    /// A roll-up; its width.
    Bucket(Bucket, i64),
}

/// The columns that `items`, in the order of their times, make of `[from, to)`.
pub(crate) fn columns(
    items: impl IntoIterator<Item = (i64, What)>,
    (from, to): (i64, i64),
    points: usize,
    interval_ms: i64,
) -> Vec<HistoryColumn> {
    let width = width_ms((from, to), points);
    let gap = interval_ms.saturating_mul(5) / 2;
    let mut columns: Vec<HistoryColumn> = Vec::new();
    // The end of the last value, and what the means of the column add up to.
    let (mut last_end, mut sum) = (None::<i64>, 0.0);
    for (at, what) in items {
        if at < from || at >= to {
            continue;
        }
        let start = from + (at - from) / width * width;
        if columns.last().is_none_or(|column| column.from.0 != start) {
            let from = Wall(start);
            columns.push(HistoryColumn { from, band: None, count: 0, bad: 0, failed: 0, broken: false });
            sum = 0.0;
        }
        let Some(column) = columns.last_mut() else { continue };
        let (band, count, end) = match what {
            What::Bad => {
                column.bad += 1;
                continue;
            }
            What::Failed(n) => {
                column.failed += n;
                continue;
            }
            What::Value(x) => (Band { first: x, min: x, max: x, last: x, mean: x }, 1, at),
            What::Bucket(bucket, width) => {
                column.bad += bucket.bad;
                let Some(v) = bucket.values else {
                    column.count += bucket.count;
                    continue;
                };
                let band = Band { first: v.mean, min: v.min, max: v.max, last: v.mean, mean: v.mean };
                (band, bucket.count, at.saturating_add(width))
            }
        };
        column.broken |= column.band.is_none() && last_end.is_some_and(|last| at.saturating_sub(last) > gap);
        last_end = Some(last_end.unwrap_or(end).max(end));
        column.count += count;
        // Divided first: the sum of huge numbers must not become infinite.
        sum += band.mean / f64::from(u32::MAX) * f64::from(count);
        let mean = sum * (f64::from(u32::MAX) / f64::from(column.count));
        column.band = Some(match column.band {
            None => band,
            Some(old) => {
                let (min, max) = (old.min.min(band.min), old.max.max(band.max));
                Band { first: old.first, min, max, last: band.last, mean: mean.clamp(min, max) }
            }
        });
    }
    columns
}

/// Width of a column, ms.
pub(crate) fn width_ms((from, to): (i64, i64), points: usize) -> i64 {
    let points = points.clamp(1, MOST_COLUMNS) as i64;
    (to.saturating_sub(from) / points + i64::from(to.saturating_sub(from) % points != 0)).max(1)
}
