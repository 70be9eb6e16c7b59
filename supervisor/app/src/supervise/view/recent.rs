//! The latest polls of a device as short series, in memory only.
//!
//! Enough for a sparkline on the device's page: at most [`MOST_POINTS`] polls of at most
//! [`MOST_SERIES`](super::lens::MOST_SERIES) figures, about 2.4 KiB a device at most. A restart or another profile
//! begins anew. The history of points, once the store keeps one, takes its place.

use super::headlines::{highest, number};
use super::lens::{Lens, Pick, Series};
use roundsman_core::model::{InstanceIx, MetricIx};
use roundsman_core::reading::Readings;
use roundsman_core::time::Wall;
use std::sync::Arc;

/// Polls that are remembered: an hour at the usual interval of a minute.
pub(super) const MOST_POINTS: usize = 60;

/// A ring of polls.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// The metrics' names, to know them again after a reload.
    names: Vec<Arc<str>>,
    series: Arc<[Series]>,
    /// When each poll ended, by its place in the ring; grows until the ring is full.
    taken_at: Vec<Wall>,
    /// Per poll one value of each series, NaN where it brought none. Single precision: 7 digits are more than a line
    /// of a chart shows.
    values: Vec<f32>,
    /// Where the next poll goes, once the ring is full: over the oldest.
    next: usize,
}

impl Recent {
    /// An empty ring for these series.
    pub(super) fn new(lens: &Lens, has_trunk: bool) -> Recent {
        let series = lens.series(has_trunk).clone();
        let name = |series: &Series| lens.profile.model.metrics[series.metric.at()].name.clone();
        Recent { names: series.iter().map(name).collect(), series, ..Recent::default() }
    }

    /// Takes over what `old` remembers if it has the same series: a reload of the site file reads the profiles anew
    /// without changing them.
    pub(super) fn carry_on(&mut self, old: Recent) {
        if self.names == old.names && self.series == old.series {
            *self = old;
        }
    }

    /// Remembers a poll; `trunk` is the interface that is the trunk, if it is known.
    pub(super) fn push(&mut self, readings: &Readings, trunk: Option<InstanceIx>) {
        if self.series.is_empty() {
            return;
        }
        let value = |series: &Series| {
            let value = match series.pick {
                Pick::Highest => highest(readings, series.metric),
                Pick::Trunk => trunk.and_then(|trunk| number(readings, Some(series.metric), trunk)),
            };
            value.map_or(f32::NAN, |value| value as f32)
        };
        let values = self.series.iter().map(value);
        let taken_at = readings.taken_at.wall;
        if self.taken_at.len() < MOST_POINTS {
            if self.taken_at.is_empty() {
                // All of it at once: growing step by step would take more than it gives back.
                self.taken_at.reserve_exact(MOST_POINTS);
                self.values.reserve_exact(MOST_POINTS * self.series.len());
            }
            self.taken_at.push(taken_at);
            self.values.extend(values);
            return;
        }
        self.taken_at[self.next] = taken_at;
        let first = self.next * self.series.len();
        self.values[first..].iter_mut().zip(values).for_each(|(old, new)| *old = new);
        self.next = (self.next + 1) % MOST_POINTS;
    }

    /// The series that have any value, with their points, oldest first.
    pub(super) fn series(&self) -> impl Iterator<Item = (MetricIx, Pick, Vec<(Wall, Option<f64>)>)> + '_ {
        self.series.iter().enumerate().filter_map(|(at, series)| {
            let points = self.points(at);
            points.iter().any(|(_, value)| value.is_some()).then_some((series.metric, series.pick, points))
        })
    }

    fn points(&self, series: usize) -> Vec<(Wall, Option<f64>)> {
        let polls = self.taken_at.len();
        let point = |nth: usize| {
            let place = (self.next + nth) % polls;
            let value = self.values[place * self.series.len() + series];
            (self.taken_at[place], (!value.is_nan()).then_some(f64::from(value)))
        };
        (0..polls).map(point).collect()
    }

    /// Memory it holds beside itself, bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.taken_at.capacity() * size_of::<Wall>()
            + self.values.capacity() * size_of::<f32>()
            + self.names.capacity() * size_of::<Arc<str>>()
    }
}
