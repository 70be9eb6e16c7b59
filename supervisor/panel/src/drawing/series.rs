//! Series of values made as narrow as the drawing: M4 per pixel column, and where a line breaks.

use roundsman_core::time::Wall;

/// Most points looked at, the newest ones: ten weeks at one a minute. History answers with far fewer.
pub(super) const MOST_POINTS: usize = 100_000;
/// Most columns of a drawing; the widest screen has 3,840 pixels.
const MOST_COLUMNS: usize = 4_096;
/// Largest magnitude drawn: beyond it differences lose their meaning.
const LARGEST: f64 = 1e15;
/// Intervals between two points that still belong together: one poll may be missing, two may not, and polls come
/// a little late.
const TOGETHER: f64 = 2.5;

/// A value at a time.
pub(super) type At = (Wall, f64);

/// What one pixel column shows of a series: with these four a drawn line has the same pixels as with all points
/// (Jugel et al., M4, VLDB 2014).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Number of the column, from 0.
    pub index: usize,
    /// The earliest value.
    pub first: (Wall, f64),
    /// The smallest.
    pub low: (Wall, f64),
    /// The largest.
    pub high: (Wall, f64),
    /// The latest value.
    pub last: (Wall, f64),
}

impl Column {
    fn new(index: usize, at: At) -> Column {
        Column { index, first: at, low: at, high: at, last: at }
    }

    fn add(&mut self, at: At) {
        if at.0.0 < self.first.0.0 {
            self.first = at;
        }
        if at.0.0 >= self.last.0.0 {
            self.last = at;
        }
        if at.1 < self.low.1 {
            self.low = at;
        }
        if at.1 > self.high.1 {
            self.high = at;
        }
    }

    /// Its values in the order of time, without repetition.
    pub(super) fn path(&self) -> impl Iterator<Item = At> {
        let mut four = [self.first, self.low, self.high, self.last];
        four.sort_by_key(|(at, _)| *at);
        let mut before = None;
        four.into_iter().filter(move |at| before.replace(*at) != Some(*at))
    }
}

/// A value that can be drawn.
pub(super) fn drawable(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite()).map(|v| v.clamp(-LARGEST, LARGEST))
}

/// The newest points that are looked at.
pub(super) fn bounded<T>(points: &[T]) -> &[T] {
    &points[points.len().saturating_sub(MOST_POINTS)..]
}

/// First, smallest, largest and latest value of each of `columns` equal parts of `span` (both ends inclusive), in
/// one pass over the points in any order. Columns without a value are left out, as are points outside.
#[must_use]
pub fn m4(points: &[(Wall, Option<f64>)], span: (Wall, Wall), columns: usize) -> Vec<Column> {
    let columns = columns.clamp(1, MOST_COLUMNS);
    let mut found: Vec<Option<Column>> = vec![None; columns];
    for (at, value) in bounded(points) {
        let Some(value) = drawable(*value) else { continue };
        let Some(share) = share(*at, span) else { continue };
        let index = ((share * columns as f64) as usize).min(columns - 1);
        match &mut found[index] {
            Some(column) => column.add((*at, value)),
            empty => *empty = Some(Column::new(index, (*at, value))),
        }
    }
    found.into_iter().flatten().collect()
}

/// Where a time lies in a span, 0 to 1; `None` outside it.
pub(super) fn share(at: Wall, span: (Wall, Wall)) -> Option<f64> {
    let (from, to) = (span.0.0 as f64, span.1.0 as f64);
    let share = if to > from { (at.0 as f64 - from) / (to - from) } else { 1.0 };
    (at >= span.0 && at <= span.1.max(span.0)).then_some(share)
}

/// Whether so long without a value breaks a line, at one point every `interval_s`.
pub(super) fn broken(from: Wall, to: Wall, interval_s: u32) -> bool {
    to.0 as f64 - from.0 as f64 > TOGETHER * f64::from(interval_s.max(1)) * 1_000.0
}

/// The columns cut where the line breaks.
pub(super) fn runs(columns: &[Column], interval_s: u32) -> impl Iterator<Item = &[Column]> {
    columns.chunk_by(move |a, b| !broken(a.last.0, b.first.0, interval_s))
}

/// Smallest and largest value.
pub(super) fn extent(columns: &[Column]) -> Option<(f64, f64)> {
    let low = columns.iter().map(|c| c.low.1).reduce(f64::min)?;
    let high = columns.iter().map(|c| c.high.1).reduce(f64::max)?;
    Some((low, high))
}
