//! A reading: what came back for one point in one poll, a value or the reason why there is none.

use crate::device::words;
use crate::model::{InstanceIx, MetricIx, TableIx};
use crate::text::Bilingual;
use crate::time::Now;
use std::ops::Range;
use std::sync::Arc;

words! {
    /// Why a reading carries no value. Every quality but `good`.
    Absence {
        /// A rate or a restart check needs a second poll.
        FirstSample = "first-sample" "首次采样" "First sample",
        /// No answer in time.
        Timeout = "timeout" "超时" "Timed out",
        /// The network says that there is no way to it.
        Unreachable = "unreachable" "不可达" "Unreachable",
        /// The connection was rejected.
        Refused = "refused" "拒绝连接" "Refused",
        /// The credentials were rejected.
        Denied = "denied" "认证失败" "Denied",
        /// The answer could not be understood.
        Malformed = "malformed" "报文异常" "Malformed",
        /// The device does not have this metric.
        Unsupported = "unsupported" "不支持" "Unsupported",
        /// A sentinel, or out of the metric's range.
        Invalid = "invalid" "无效值" "Invalid",
        /// The evidence is not sufficient.
        NotJudged = "not-judged" "未判定" "Not judged",
    }
}

/// Quality of a reading; only `good` carries a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quality {
    /// There is a value.
    Good,
    /// There is none, and why.
    Bad(Absence),
}

impl Quality {
    /// The word used in the API.
    pub fn word(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::Bad(absence) => absence.word(),
        }
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A finite number in the metric's unit, scaled. Never NaN or infinite: such results are `invalid`.
    Number(f64),
    /// A raw counter of 32 bits; wraps to 0.
    Counter32(u32),
    /// A raw counter of 64 bits; a decrease means that it restarted.
    Counter64(u64),
    /// A state by its name in the profile.
    State(Arc<str>),
    /// Text, cleaned of control characters, at most 1,024 characters.
    Text(Arc<str>),
}

impl Value {
    /// The value as a number, where it is one (counters included).
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(x) => Some(*x),
            Value::Counter32(x) => Some(f64::from(*x)),
            Value::Counter64(x) => Some(*x as f64),
            Value::State(_) | Value::Text(_) => None,
        }
    }

    /// The value as a word, where it is a state or a text.
    pub fn word(&self) -> Option<&Arc<str>> {
        match self {
            Value::State(x) | Value::Text(x) => Some(x),
            _ => None,
        }
    }
}

/// Where `instance` stands among items sorted by instance, or would stand. Rows of a table mostly have instances in a
/// row, so that the place follows from the first one.
pub(crate) fn position<T>(
    items: &[T],
    instance: InstanceIx,
    of: impl Fn(&T) -> InstanceIx,
) -> Result<usize, usize> {
    let first = items.first().map_or(InstanceIx::SCALAR, &of);
    let guess = instance.0.wrapping_sub(first.0) as usize;
    match items.get(guess) {
        Some(item) if of(item) == instance => Ok(guess),
        _ => items.binary_search_by_key(&instance, of),
    }
}

/// A value, or why there is none.
pub type Sample = Result<Value, Absence>;

/// The quality of a sample.
pub fn quality(sample: &Sample) -> Quality {
    match sample {
        Ok(_) => Quality::Good,
        Err(absence) => Quality::Bad(*absence),
    }
}

/// One reading of a poll.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The metric in its profile's model.
    pub metric: MetricIx,
    /// The instance in the device's labels.
    pub instance: InstanceIx,
    /// What came back.
    pub sample: Sample,
}

/// All readings of one poll of one device, grouped by metric and sorted by instance inside a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// When the answer was complete.
    pub taken_at: Now,
    /// Whether any valid reply came back: that alone proves the device alive.
    pub answered: bool,
    items: Vec<Reading>,
    /// Per metric, its part of `items`.
    ranges: Vec<Range<u32>>,
    /// Tables whose walk was complete and good: only there does a missing instance mean anything.
    complete: Vec<TableIx>,
    /// Instances whose row was another one in the last poll.
    moved: Vec<(TableIx, InstanceIx)>,
}

impl Readings {
    /// No readings yet.
    pub fn new(taken_at: Now, answered: bool) -> Readings {
        Readings { taken_at, answered, ..Readings::default() }
    }

    /// Makes room for so many further readings, so that adding them does not move the others again and again.
    pub fn reserve(&mut self, count: usize) {
        self.items.reserve_exact(count);
    }

    /// Adds all readings of one metric. Each metric at most once; a second call for it replaces nothing and is
    /// ignored.
    pub fn add(&mut self, metric: MetricIx, samples: impl IntoIterator<Item = (InstanceIx, Sample)>) {
        if self.ranges.len() <= metric.at() {
            self.ranges.resize(metric.at() + 1, 0..0);
        }
        if !self.ranges[metric.at()].is_empty() {
            return;
        }
        let start = self.items.len();
        let new = samples.into_iter().map(|(instance, sample)| Reading { metric, instance, sample });
        self.items.extend(new);
        let column = &mut self.items[start..];
        if !column.is_sorted_by_key(|reading| reading.instance) {
            column.sort_by_key(|reading| reading.instance);
        }
        self.ranges[metric.at()] = start as u32..self.items.len() as u32;
    }

    /// Gives back memory that was reserved while readings were added; for those that are kept.
    pub fn shrink(&mut self) {
        self.items.shrink_to_fit();
        self.ranges.shrink_to_fit();
    }

    /// Notes that this table was walked to its end without an error.
    pub fn mark_complete(&mut self, table: TableIx) {
        if !self.complete.contains(&table) {
            self.complete.push(table);
        }
    }

    /// Whether this table was walked to its end without an error.
    pub fn is_complete(&self, table: TableIx) -> bool {
        self.complete.contains(&table)
    }

    /// Notes that the row of this instance has another index than in the last poll: its counters are others too.
    pub fn mark_moved(&mut self, table: TableIx, instance: InstanceIx) {
        self.moved.push((table, instance));
    }

    /// The instances whose row has another index than in the last poll.
    pub fn moved(&self) -> &[(TableIx, InstanceIx)] {
        &self.moved
    }

    /// The readings of one metric, sorted by instance.
    pub fn of(&self, metric: MetricIx) -> &[Reading] {
        match self.ranges.get(metric.at()) {
            Some(range) => &self.items[range.start as usize..range.end as usize],
            None => &[],
        }
    }

    /// The sample of one point.
    pub fn get(&self, metric: MetricIx, instance: InstanceIx) -> Option<&Sample> {
        let column = self.of(metric);
        let at = position(column, instance, |reading| reading.instance).ok()?;
        Some(&column[at].sample)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Reading> {
        self.items.iter()
    }

    /// How many carry a value.
    pub fn good(&self) -> usize {
        self.items.iter().filter(|reading| reading.sample.is_ok()).count()
    }
}
