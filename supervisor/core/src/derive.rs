//! Derived metrics: arithmetic over the readings of one poll, and rates over two.

use crate::model::{InstanceIx, MetricIx, Model, TableIx};
use crate::rate::{self, Carried, Count};
use crate::reading::{Absence, Readings, Sample, Value, position};
use crate::time::Mono;
use hour::Hour;

mod air;
mod hour;

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`; by zero gives `invalid`.
    Divide,
}

/// How a derived metric is computed. With a missing input there is no value. In a table's derived metric a column
/// is read at the same instance and a scalar as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A literal.
    Number(f64),
    /// A metric.
    Metric(MetricIx),
    /// Two sides and an operator.
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// The least of its arguments.
    Min(Vec<Expression>),
    /// The greatest of its arguments.
    Max(Vec<Expression>),
    /// Change per second of a counter, never negative; `first-sample` on the first poll and after a restart.
    Rate(MetricIx),
    /// 1 on the poll that finds that the device restarted since the last one, else 0 (of `system.uptime`, seconds).
    Restarted(MetricIx),
    /// Sum of a column over all its instances; gives a scalar.
    SumOf(MetricIx),
    /// Least value of a column; gives a scalar.
    MinOf(MetricIx),
    /// Greatest value of a column; gives a scalar.
    MaxOf(MetricIx),
    /// The column's value, but in the rows of the site's line its speed as the site says it.
    LineSpeed(MetricIx),
    /// Dew point of air in Cel, of its temperature in Cel and its relative humidity in %.
    DewPoint(Box<Expression>, Box<Expression>),
    /// By how much a scalar changed in the last hour, or since it was first seen where that is less long ago;
    /// `first-sample` on the first poll.
    HourlyChange(MetricIx),
}

/// The device's line towards what it hangs on, as its derived metrics see it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uplink<'a> {
    /// Its speed in bit/s, where the site says it.
    pub speed: Option<f64>,
    /// The interfaces that lead there.
    pub interfaces: &'a [InstanceIx],
}

impl Expression {
    /// Calls `see` for every metric the expression reads.
    pub fn each_metric(&self, see: &mut impl FnMut(MetricIx)) {
        match self {
            Expression::Number(_) => {}
            Expression::Metric(m)
            | Expression::Rate(m)
            | Expression::Restarted(m)
            | Expression::SumOf(m)
            | Expression::MinOf(m)
            | Expression::MaxOf(m)
            | Expression::HourlyChange(m)
            | Expression::LineSpeed(m) => see(*m),
            Expression::Binary(_, left, right) | Expression::DewPoint(left, right) => {
                left.each_metric(see);
                right.each_metric(see);
            }
            Expression::Min(list) | Expression::Max(list) => list.iter().for_each(|e| e.each_metric(see)),
        }
    }

    fn each_rated(&self, see: &mut impl FnMut(MetricIx)) {
        match self {
            Expression::Rate(m) => see(*m),
            other => other.each_part(&mut |part| part.each_rated(see)),
        }
    }

    fn each_changing(&self, see: &mut impl FnMut(MetricIx)) {
        match self {
            Expression::HourlyChange(m) => see(*m),
            other => other.each_part(&mut |part| part.each_changing(see)),
        }
    }

    /// Calls `see` for every expression that this one is made of.
    fn each_part(&self, see: &mut dyn FnMut(&Expression)) {
        match self {
            Expression::Binary(_, left, right) | Expression::DewPoint(left, right) => {
                see(left);
                see(right);
            }
            Expression::Min(list) | Expression::Max(list) => list.iter().for_each(see),
            _ => {}
        }
    }
}

/// What an expression may read.
#[derive(Clone, Copy)]
struct Inputs<'a> {
    model: &'a Model,
    readings: &'a Readings,
    uplink: Uplink<'a>,
}

impl Inputs<'_> {
    /// A column at its row, a scalar as it is.
    fn value(&self, metric: MetricIx, row: InstanceIx) -> Result<f64, Absence> {
        let scalar = self.model.metrics.get(metric.at()).is_some_and(|m| m.table.is_none());
        let sample = self.readings.get(metric, if scalar { InstanceIx::SCALAR } else { row });
        let value = sample.ok_or(Absence::NotJudged)?.as_ref().map_err(|absence| *absence)?;
        value.number().ok_or(Absence::NotJudged)
    }
}

/// A counter as the last good poll saw it. A site has a hundred thousand of them: 32 octets each.
#[derive(Clone, Debug)]
struct Seen {
    instance: InstanceIx,
    width: Width,
    /// The bits of its count.
    count: u64,
    at: Mono,
    /// The instance's discontinuity mark then; not a number where it has none.
    mark: f64,
}

/// What a count is held in.
#[derive(Clone, Copy, Debug)]
enum Width {
    Bits32,
    Bits64,
    Number,
}

impl Seen {
    fn new(instance: InstanceIx, count: Count, at: Mono, mark: Option<f64>) -> Seen {
        let (width, count) = match count {
            Count::Bits32(n) => (Width::Bits32, n.into()),
            Count::Bits64(n) => (Width::Bits64, n),
            Count::Number(x) => (Width::Number, x.to_bits()),
        };
        Seen { instance, width, count, at, mark: mark.unwrap_or(f64::NAN) }
    }

    fn count(&self) -> Count {
        match self.width {
            Width::Bits32 => Count::Bits32(self.count as u32),
            Width::Bits64 => Count::Bits64(self.count),
            Width::Number => Count::Number(f64::from_bits(self.count)),
        }
    }

    fn has_mark(&self, mark: Option<f64>) -> bool {
        match mark {
            Some(mark) => self.mark == mark,
            None => self.mark.is_nan(),
        }
    }
}

/// What one device's derived metrics remember from poll to poll: counters, the last hour, the uptime.
#[derive(Clone, Debug, Default)]
pub struct Derivation {
    /// Per counter that some rate reads, its instances sorted.
    counters: Vec<(MetricIx, Vec<Seen>)>,
    /// The last hour of every metric whose change some derived one reads.
    hours: Vec<(MetricIx, Hour)>,
    uptime: Option<(f64, Mono)>,
    /// Whether this poll found a restart; `None` on the first, and on those without an uptime.
    restarted: Option<bool>,
    scratch: Vec<(InstanceIx, Sample)>,
    /// Derived readings of the last poll: room for as many is made at once.
    derived: usize,
}

impl Derivation {
    /// Adds the derived metrics of `model` to `readings` and remembers what the next poll needs.
    pub fn apply(&mut self, model: &Model, readings: &mut Readings, uplink: Uplink<'_>) {
        self.look_for_restart(model, readings);
        self.forget_moved(model, readings);
        let measured = readings.iter().len();
        readings.reserve(self.derived);
        for derive in &model.derives {
            let mut scratch = std::mem::take(&mut self.scratch);
            let table = model.metrics.get(derive.metric.at()).and_then(|metric| metric.table);
            match table.and_then(|table| leading_column(model, table, &derive.calc)) {
                Some(column) => {
                    for reading in readings.of(column) {
                        let sample = match (reading.instance, &reading.sample) {
                            (InstanceIx::SCALAR, Err(absence)) => Err(*absence),
                            (instance, _) => {
                                self.number(&Inputs { model, readings, uplink }, &derive.calc, instance)
                            }
                        };
                        scratch.push((reading.instance, sample));
                    }
                }
                None => {
                    let inputs = Inputs { model, readings, uplink };
                    let sample = self.number(&inputs, &derive.calc, InstanceIx::SCALAR);
                    scratch.push((InstanceIx::SCALAR, sample));
                }
            }
            readings.add(derive.metric, scratch.drain(..));
            self.scratch = scratch;
        }
        self.derived = readings.iter().len() - measured;
        self.remember(model, readings);
    }

    fn look_for_restart(&mut self, model: &Model, readings: &Readings) {
        self.restarted = None;
        let Some(metric) = model.uptime else { return };
        let Some(Ok(Value::Number(seconds))) = readings.get(metric, InstanceIx::SCALAR) else {
            return;
        };
        let now = (*seconds, readings.taken_at.mono);
        self.restarted = self.uptime.map(|before| rate::restarted(before, now));
        if self.restarted == Some(true) {
            self.counters.iter_mut().for_each(|(_, rows)| rows.clear());
        }
        self.uptime = Some(now);
    }

    /// A row that is another one now has other counters: what was seen of it is no earlier value of theirs.
    fn forget_moved(&mut self, model: &Model, readings: &Readings) {
        for &(table, instance) in readings.moved() {
            for (metric, rows) in &mut self.counters {
                if model.metrics.get(metric.at()).is_some_and(|m| m.table == Some(table)) {
                    rows.retain(|seen| seen.instance != instance);
                }
            }
        }
    }

    fn number(&self, inputs: &Inputs<'_>, calc: &Expression, row: InstanceIx) -> Sample {
        let value = self.evaluate(inputs, calc, row)?;
        if value.is_finite() { Ok(Value::Number(value)) } else { Err(Absence::Invalid) }
    }

    fn evaluate(&self, inputs: &Inputs<'_>, e: &Expression, row: InstanceIx) -> Result<f64, Absence> {
        let Inputs { model, readings, .. } = *inputs;
        let fold = |list: &[Expression], pick: fn(f64, f64) -> f64| {
            let mut best: Option<f64> = None;
            for part in list {
                let value = self.evaluate(inputs, part, row)?;
                best = Some(best.map_or(value, |b| pick(b, value)));
            }
            best.ok_or(Absence::NotJudged)
        };
        match e {
            Expression::Number(x) => Ok(*x),
            Expression::Metric(metric) => inputs.value(*metric, row),
            Expression::LineSpeed(metric) => match inputs.uplink.speed {
                Some(speed) if inputs.uplink.interfaces.contains(&row) => Ok(speed),
                _ => inputs.value(*metric, row),
            },
            Expression::Binary(operator, left, right) => {
                let left = self.evaluate(inputs, left, row)?;
                let right = self.evaluate(inputs, right, row)?;
                match operator {
                    Operator::Add => Ok(left + right),
                    Operator::Subtract => Ok(left - right),
                    Operator::Multiply => Ok(left * right),
                    Operator::Divide if right == 0.0 => Err(Absence::Invalid),
                    Operator::Divide => Ok(left / right),
                }
            }
            Expression::Min(list) => fold(list, f64::min),
            Expression::Max(list) => fold(list, f64::max),
            Expression::Rate(metric) => self.rate(model, readings, *metric, row),
            Expression::DewPoint(temperature, humidity) => {
                let temperature = self.evaluate(inputs, temperature, row)?;
                air::dew_point(temperature, self.evaluate(inputs, humidity, row)?).ok_or(Absence::Invalid)
            }
            Expression::HourlyChange(metric) => {
                let value = inputs.value(*metric, InstanceIx::SCALAR)?;
                let hour = self.hours.iter().find(|(known, _)| known == metric);
                let before = hour.and_then(|(_, hour)| hour.ago(readings.taken_at.mono));
                before.map(|before| value - before).ok_or(Absence::FirstSample)
            }
            Expression::Restarted(uptime) => {
                match (self.restarted, readings.get(*uptime, InstanceIx::SCALAR)) {
                    (Some(restarted), _) => Ok(f64::from(u8::from(restarted))),
                    // Without an uptime there is nothing to compare, first poll or not.
                    (None, Some(Err(absence))) => Err(*absence),
                    (None, _) => Err(Absence::FirstSample),
                }
            }
            Expression::SumOf(metric) => aggregate(model, readings, *metric, |a, b| a + b),
            Expression::MinOf(metric) => aggregate(model, readings, *metric, f64::min),
            Expression::MaxOf(metric) => aggregate(model, readings, *metric, f64::max),
        }
    }

    fn rate(
        &self,
        model: &Model,
        readings: &Readings,
        metric: MetricIx,
        row: InstanceIx,
    ) -> Result<f64, Absence> {
        let row = if model.metrics.get(metric.at()).is_some_and(|m| m.table.is_some()) {
            row
        } else {
            InstanceIx::SCALAR
        };
        let sample = readings.get(metric, row).ok_or(Absence::NotJudged)?;
        let later = sample.as_ref().map_err(|absence| *absence)?;
        let later = Count::of(later).ok_or(Absence::NotJudged)?;
        let rows = self.counters.iter().find(|(m, _)| *m == metric).map(|(_, rows)| rows.as_slice());
        let rows = rows.unwrap_or(&[]);
        let at = position(rows, row, |seen| seen.instance).map_err(|_| Absence::FirstSample)?;
        let seen = &rows[at];
        if !seen.has_mark(discontinuity(model, readings, metric, row)) {
            return Err(Absence::FirstSample);
        }
        let elapsed_ms = readings.taken_at.mono.since_ms(seen.at);
        match line(model, readings, metric, row) {
            Some(line) => match rate::octet_rate(seen.count(), later, elapsed_ms, line) {
                Carried::Rate(rate) => Ok(rate),
                Carried::Restarted => Err(Absence::FirstSample),
                Carried::Ambiguous => Err(Absence::NotJudged),
            },
            None => rate::rate(seen.count(), later, elapsed_ms).ok_or(Absence::FirstSample),
        }
    }

    /// Keeps this poll's counters; those that did not come back keep their old value unless their table says that
    /// they are gone.
    fn remember(&mut self, model: &Model, readings: &Readings) {
        for derive in &model.derives {
            derive.calc.each_rated(&mut |metric| {
                if !self.counters.iter().any(|(m, _)| *m == metric) {
                    self.counters.push((metric, Vec::new()));
                }
            });
            derive.calc.each_changing(&mut |metric| {
                if !self.hours.iter().any(|(m, _)| *m == metric) {
                    self.hours.push((metric, Hour::default()));
                }
            });
        }
        for (metric, hour) in &mut self.hours {
            if let Some(Ok(Value::Number(value))) = readings.get(*metric, InstanceIx::SCALAR) {
                hour.keep(readings.taken_at.mono, *value);
            }
        }
        for (metric, rows) in &mut self.counters {
            let table = model.metrics.get(metric.at()).and_then(|m| m.table);
            if table.is_some_and(|table| readings.is_complete(table)) {
                rows.retain(|seen| readings.get(*metric, seen.instance).is_some());
            }
            let column = readings.of(*metric);
            if rows.is_empty() {
                rows.reserve_exact(column.len());
            }
            for reading in column {
                let Some(count) = reading.sample.as_ref().ok().and_then(Count::of) else {
                    continue;
                };
                let mark = discontinuity(model, readings, *metric, reading.instance);
                let seen = Seen::new(reading.instance, count, readings.taken_at.mono, mark);
                match position(rows, seen.instance, |seen| seen.instance) {
                    Ok(at) => rows[at] = seen,
                    Err(at) => rows.insert(at, seen),
                }
            }
        }
    }
}

/// The first column of `table` that the expression reads: it says which instances the derived metric has.
fn leading_column(model: &Model, table: TableIx, calc: &Expression) -> Option<MetricIx> {
    let mut found = None;
    calc.each_metric(&mut |metric| {
        let here = model.metrics.get(metric.at()).is_some_and(|m| m.table == Some(table));
        if here && found.is_none() {
            found = Some(metric);
        }
    });
    found
}

fn discontinuity(model: &Model, readings: &Readings, metric: MetricIx, row: InstanceIx) -> Option<f64> {
    let table = model.metrics.get(metric.at())?.table?;
    let mark = model.tables.get(table.at())?.discontinuity?;
    readings.get(mark, row)?.as_ref().ok()?.number()
}

/// The speed of the line whose octets `metric` counts, bit/s; inner `None` where it did not come back. Outer `None`
/// where it counts no octets, or the profile knows no speed.
fn line(model: &Model, readings: &Readings, metric: MetricIx, row: InstanceIx) -> Option<Option<f64>> {
    let counter = model.metrics.get(metric.at()).filter(|m| &*m.unit == "By")?;
    let speed = model.tables.get(counter.table?.at())?.speed?;
    let sample = readings.get(speed, row).and_then(|sample| sample.as_ref().ok());
    Some(sample.and_then(Value::number).filter(|bits| *bits > 0.0))
}

/// A column folded over its good values. One that is missing for want of an answer makes the whole unknown.
fn aggregate(
    model: &Model,
    readings: &Readings,
    metric: MetricIx,
    fold: fn(f64, f64) -> f64,
) -> Result<f64, Absence> {
    let table = model.metrics.get(metric.at()).and_then(|m| m.table);
    if table.is_some_and(|table| !readings.is_complete(table)) {
        let first_bad = readings.of(metric).iter().find_map(|reading| reading.sample.as_ref().err());
        return Err(first_bad.copied().unwrap_or(Absence::NotJudged));
    }
    let mut total: Option<f64> = None;
    for reading in readings.of(metric) {
        if let Some(value) = reading.sample.as_ref().ok().and_then(Value::number) {
            total = Some(total.map_or(value, |t| fold(t, value)));
        }
    }
    total.ok_or(Absence::Unsupported)
}

#[cfg(test)]
mod tests;
