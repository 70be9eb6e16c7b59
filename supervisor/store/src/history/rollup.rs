//! Roll-ups: what a series brought in each 5 minutes or hour, for questions about long times.
//!
//! A bucket exists where there was at least one sample, good or bad; a time without any stays a gap. The mean is
//! rounded to single precision (7 digits): it is computed, not polled, and takes half the bytes then. The roll-up of
//! a device's polls counts those that were answered (`count`) and those that failed (`bad`) and has no values.
//!
//! ```text
//! 4 · buckets: count of runs, (buckets skipped, length)… · good counts: count of runs, (length, n)… · bad counts: same ·
//!   values: bytes, column of minima · bytes, column of maxima · column of means (of the buckets with a good sample)
//! 5 · the same without values
//! ```

use super::chunk::{Column, Polls, Status, Statuses};
use super::numbers;
use crate::bytes::{Decoded, Input, put, put_signed};

const WITH_VALUES: u8 = 4;
const WITHOUT_VALUES: u8 = 5;

/// How wide buckets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// No buckets: every sample.
    Raw = 0,
    FiveMinutes = 1,
    Hour = 2,
}

impl Tier {
    /// Width of a bucket, ms; 0 where there are none.
    pub(crate) fn width_ms(self) -> i64 {
        match self {
            Tier::Raw => 0,
            Tier::FiveMinutes => 300_000,
            Tier::Hour => 3_600_000,
        }
    }

    pub(crate) fn from_number(n: i64) -> Option<Tier> {
        [Tier::Raw, Tier::FiveMinutes, Tier::Hour].into_iter().find(|tier| *tier as i64 == n)
    }
}

/// The values of a bucket with at least one good sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Values {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
}

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    /// Its begin, ms; a multiple of the width.
    pub(crate) start: i64,
    /// `None` where no sample was good, and in roll-ups of polls.
    pub(crate) values: Option<Values>,
    /// Good samples.
    pub(crate) count: u32,
    /// Samples without a value.
    pub(crate) bad: u32,
}

/// A bucket while it fills.
struct Filling {
    bucket: Bucket,
    sum: f64,
}

#[derive(Default)]
struct Buckets {
    width: i64,
    done: Vec<Bucket>,
    now: Option<Filling>,
}

impl Buckets {
    fn add(&mut self, at: i64, value: Option<f64>, is_good: bool) {
        let start = at.div_euclid(self.width) * self.width;
        if self.now.as_ref().is_none_or(|now| now.bucket.start != start) {
            self.close();
            self.now = Some(Filling { bucket: Bucket { start, values: None, count: 0, bad: 0 }, sum: 0.0 });
        }
        let Some(Filling { bucket, sum }) = &mut self.now else { return };
        if !is_good {
            bucket.bad += 1;
            return;
        }
        bucket.count += 1;
        if let Some(x) = value {
            // Halves: the sum of huge numbers must not become infinite.
            *sum += x / 2.0;
            let values = bucket.values.get_or_insert(Values { min: x, max: x, mean: x });
            values.min = values.min.min(x);
            values.max = values.max.max(x);
        }
    }

    fn close(&mut self) {
        let Some(Filling { mut bucket, sum }) = self.now.take() else { return };
        if let Some(values) = &mut bucket.values {
            let mean = sum / f64::from(bucket.count) * 2.0;
            values.mean = rounded(mean, values.min, values.max);
        }
        self.done.push(bucket);
    }
}

/// In single precision where that is finite, inside its bounds.
fn rounded(mean: f64, min: f64, max: f64) -> f64 {
    let short = f64::from(mean as f32);
    if short.is_finite() { short.clamp(min, max) } else { mean.clamp(min, max) }
}

/// Roll-ups of a column of numbers whose polls ended at `times`; words have none.
pub(crate) fn of_column(tier: Tier, times: &[i64], column: &Column) -> Option<Vec<Bucket>> {
    match column {
        Column::Numbers(statuses, values) => Some(of(tier, times, statuses, values.iter().copied())),
        Column::Counters(statuses, values) => {
            Some(of(tier, times, statuses, values.iter().map(|n| *n as f64)))
        }
        Column::Words(_) => None,
    }
}

/// Roll-ups of a device's polls.
pub(crate) fn of_polls(tier: Tier, polls: &Polls) -> Vec<Bucket> {
    of(tier, &polls.times, &polls.outcomes, std::iter::empty())
}

fn of(tier: Tier, times: &[i64], statuses: &Statuses, mut values: impl Iterator<Item = f64>) -> Vec<Bucket> {
    let mut buckets = Buckets { width: tier.width_ms().max(1), ..Buckets::default() };
    for (at, status) in times.iter().zip(statuses.iter()) {
        match status {
            Status::Absent => {}
            Status::Good => buckets.add(*at, values.next(), true),
            Status::Bad(_) => buckets.add(*at, None, false),
        }
    }
    buckets.close();
    buckets.done
}

/// Hours made of 5 minutes.
pub(crate) fn hours_of(fine: &[Bucket]) -> Vec<Bucket> {
    let width = Tier::Hour.width_ms();
    let hour = |bucket: &Bucket| bucket.start.div_euclid(width);
    let whole = |group: &[Bucket]| {
        let count: u32 = group.iter().map(|bucket| bucket.count).sum();
        let good = || group.iter().filter_map(|bucket| Some((bucket.values?, f64::from(bucket.count))));
        let widest = |a: Values, b: Values| Values { min: a.min.min(b.min), max: a.max.max(b.max), ..a };
        let values = good().map(|(values, _)| values).reduce(widest).map(|values| {
            // Halves: the sum of huge numbers must not become infinite.
            let sum: f64 = good().map(|(values, count)| values.mean / 2.0 * count).sum();
            let mean = sum / f64::from(count.max(1)) * 2.0;
            Values { mean: rounded(mean, values.min, values.max), ..values }
        });
        let bad = group.iter().map(|bucket| bucket.bad).sum();
        Bucket { start: group.first().map_or(0, hour) * width, values, count, bad }
    };
    fine.chunk_by(|a, b| hour(a) == hour(b)).map(whole).collect()
}

/// The buckets as a blob.
pub(crate) fn encode(tier: Tier, buckets: &[Bucket]) -> Vec<u8> {
    let width = tier.width_ms().max(1);
    let has_values = buckets.iter().any(|bucket| bucket.values.is_some());
    let mut out = vec![if has_values { WITH_VALUES } else { WITHOUT_VALUES }];
    let mut runs: Vec<(i64, u64)> = Vec::new();
    let mut next = 0;
    for nth in buckets.iter().map(|bucket| bucket.start.div_euclid(width)) {
        match runs.last_mut() {
            Some((_, length)) if nth == next => *length += 1,
            _ => runs.push((nth - next, 1)),
        }
        next = nth + 1;
    }
    put(&mut out, runs.len() as u64);
    for (skipped, length) in runs {
        put_signed(&mut out, skipped);
        put(&mut out, length);
    }
    put_counts(&mut out, buckets.iter().map(|bucket| bucket.count));
    put_counts(&mut out, buckets.iter().map(|bucket| bucket.bad));
    if has_values {
        let column = |pick: fn(&Values) -> f64| {
            let values: Vec<f64> = buckets.iter().filter_map(|b| b.values.as_ref().map(pick)).collect();
            let mut column = Vec::new();
            numbers::encode(&mut column, &values);
            column
        };
        for pick in [(|v| v.min) as fn(&Values) -> f64, |v| v.max] {
            let column = column(pick);
            put(&mut out, column.len() as u64);
            out.extend_from_slice(&column);
        }
        out.extend_from_slice(&column(|v| v.mean));
    }
    out
}

fn put_counts(out: &mut Vec<u8>, counts: impl Iterator<Item = u32>) {
    let mut runs: Vec<(u64, u32)> = Vec::new();
    for n in counts {
        match runs.last_mut() {
            Some((length, last)) if *last == n => *length += 1,
            _ => runs.push((1, n)),
        }
    }
    put(out, runs.len() as u64);
    for (length, n) in runs {
        put(out, length);
        put(out, u64::from(n));
    }
}

fn take_counts(input: &mut Input<'_>, expected: usize) -> Decoded<Vec<u32>> {
    let mut counts = Vec::new();
    for _ in 0..input.count()? {
        let length = usize::try_from(input.number()?).map_err(|_| "run out of range")?;
        if length > expected - counts.len() {
            return Err("more counts than buckets");
        }
        let n = u32::try_from(input.number()?).map_err(|_| "count out of range")?;
        counts.resize(counts.len() + length, n);
    }
    if counts.len() == expected { Ok(counts) } else { Err("fewer counts than buckets") }
}

/// The buckets of a blob.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn decode(tier: Tier, blob: &[u8]) -> Decoded<Vec<Bucket>> {
    let width = tier.width_ms().max(1);
    let mut input = Input::new(blob);
    let kind = input.byte()?;
    if kind != WITH_VALUES && kind != WITHOUT_VALUES {
        return Err("not a roll-up");
    }
    let (mut starts, mut next) = (Vec::new(), 0_i64);
    for _ in 0..input.count()? {
        next = next.checked_add(input.signed()?).ok_or("bucket out of range")?;
        let length = input.number()?;
        if length > (numbers::MOST - starts.len()) as u64 {
            return Err("too many buckets");
        }
        for _ in 0..length {
            starts.push(next.checked_mul(width).ok_or("bucket out of range")?);
            next += 1;
        }
    }
    let counts = take_counts(&mut input, starts.len())?;
    let bads = take_counts(&mut input, starts.len())?;
    let mut values = Vec::new().into_iter();
    if kind == WITH_VALUES {
        let good = counts.iter().filter(|n| **n > 0).count();
        let column = |input: &mut Input<'_>| {
            let length = input.number()?;
            numbers::decode(Input::new(input.bytes(length)?), good)
        };
        let (mins, maxs) = (column(&mut input)?, column(&mut input)?);
        let means = numbers::decode(input, good)?;
        let all: Vec<Values> = mins
            .into_iter()
            .zip(maxs)
            .zip(means)
            .map(|((min, max), mean)| Values { min, max, mean })
            .collect();
        values = all.into_iter();
    }
    Ok(starts
        .into_iter()
        .zip(counts.into_iter().zip(bads))
        .map(|(start, (count, bad))| {
            let values = if count > 0 { values.next() } else { None };
            Bucket { start, values, count, bad }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::chunk::SeriesKind;
    use super::super::hot::Point;
    use super::*;
    use proptest::prelude::*;
    use roundsman_core::reading::Absence;

    proptest! {
        /// Against the definition, bucket by bucket.
        #[test]
        fn buckets_are_what_they_say_and_come_back(
            steps in prop::collection::vec((prop_oneof![9 => 1_000..90_000_i64, 1 => 0..90_000_000_i64],
                                            prop::option::weighted(0.8, -1_000..1_000_i32)), 0..300),
        ) {
            for tier in [Tier::FiveMinutes, Tier::Hour] {
                let (mut polls, mut column, mut at) = (Polls::default(), SeriesKind::Number.column(), 1_795_000_000_000);
                let mut samples: std::collections::BTreeMap<i64, Vec<Option<f64>>> = Default::default();
                for (step, value) in &steps {
                    at += step;
                    let value = value.map(|x| f64::from(x) * 0.1);
                    let position = polls.push(at, Ok(()));
                    column.push(position, at, value.map_or(Point::Bad(Absence::Invalid), Point::Number));
                    samples.entry(at.div_euclid(tier.width_ms()) * tier.width_ms()).or_default().push(value);
                }
                let buckets = of_column(tier, &polls.times, &column).unwrap();
                prop_assert_eq!(buckets.len(), samples.len());
                for (bucket, (start, samples)) in buckets.iter().zip(&samples) {
                    let good: Vec<f64> = samples.iter().flatten().copied().collect();
                    prop_assert_eq!((bucket.start, bucket.count as usize), (*start, good.len()));
                    prop_assert_eq!(bucket.bad as usize, samples.len() - good.len());
                    if let Some(values) = bucket.values {
                        let least = good.iter().copied().fold(f64::INFINITY, f64::min);
                        let most = good.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                        let mean = good.iter().sum::<f64>() / good.len() as f64;
                        prop_assert_eq!((values.min, values.max), (least, most));
                        prop_assert!((values.mean - mean).abs() <= 1e-6 * most.abs().max(least.abs()));
                        prop_assert!(values.min <= values.mean && values.mean <= values.max);
                    }
                }
                let blob = encode(tier, &buckets);
                prop_assert_eq!(decode(tier, &blob), Ok(buckets));
                let polls = of_polls(tier, &polls);
                prop_assert_eq!(decode(tier, &encode(tier, &polls)), Ok(polls));
            }
        }

        #[test]
        fn damage_is_an_error_or_other_data_but_never_a_panic(
            values in prop::collection::vec(any::<i16>(), 1..60), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let (mut polls, mut column) = (Polls::default(), SeriesKind::Number.column());
            for (nth, value) in values.iter().enumerate() {
                let position = polls.push(nth as i64 * 100_000, Ok(()));
                column.push(position, 0, Point::Number(f64::from(*value)));
            }
            let mut blob = encode(Tier::FiveMinutes, &of_column(Tier::FiveMinutes, &polls.times, &column).unwrap());
            let at = at.index(blob.len());
            blob[at] = byte;
            let _ = decode(Tier::FiveMinutes, &blob);
            let _ = decode(Tier::FiveMinutes, &blob[..at]);
        }
    }
}
