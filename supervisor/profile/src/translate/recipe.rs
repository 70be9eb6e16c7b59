//! Recipes: how the raw values of a plan become the values of a model. Made by the schema, followed by the translator.

use super::text::{self, Texts};
use super::view::View;
use roundsman_core::model::{MetricIx, TableIx};
use roundsman_core::reading::{Absence, Sample, Value};
use roundsman_wire::onvif::health::{self, Question};
use roundsman_wire::snmp::answer::{Answer, Raw};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// All recipes of a profile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recipes {
    pub(crate) scalars: Vec<Scalar>,
    /// In the order of the plan's tables.
    pub(crate) tables: Vec<Table>,
    /// Values of a device on a bus.
    pub(crate) points: Vec<Point>,
    /// The table that they are columns of, where the device is a grid.
    pub(crate) grid: Option<Grid>,
    /// Values of a camera or recorder.
    pub(crate) items: Vec<Item>,
}

/// A value of a camera or recorder.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) metric: MetricIx,
    pub(crate) question: Question,
    /// Position among what the question's answer tells.
    pub(crate) item: usize,
    /// The table that it is a column of, where the answer has rows.
    pub(crate) table: Option<TableIx>,
    pub(crate) convert: Convert,
}

/// A value of a device on a bus.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) metric: MetricIx,
    /// Position in the plan's points; `None` for whether the unit answers.
    pub(crate) point: Option<usize>,
    /// Whether its numbers have more than 32 bits.
    pub(crate) is_wide: bool,
    pub(crate) convert: Convert,
    /// Which state of the same unit says what the value is worth.
    pub(crate) worth: Option<Worth>,
}

/// What a value is worth by the words of a state.
#[derive(Clone, Debug)]
pub(crate) struct Worth {
    /// Position of the state in [`Recipes::points`].
    pub(crate) state: usize,
    /// While it says one of these, there is no value, and why.
    pub(crate) words: Box<[(Arc<str>, Absence)]>,
}

/// Units that are rows of one device.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub(crate) table: TableIx,
    /// What each unit is called, in the order of the target's members.
    pub(crate) labels: Vec<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) metric: MetricIx,
    /// Position in the plan's scalars.
    pub(crate) scalar: usize,
    pub(crate) convert: Convert,
}

#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) table: TableIx,
    /// The plan's column that names the rows.
    pub(crate) label: Option<usize>,
    pub(crate) keep: Option<Keep>,
    pub(crate) columns: Vec<Column>,
}

/// Only rows whose value in this column is one of these are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Keep {
    pub(crate) column: usize,
    pub(crate) values: Box<[Mark]>,
}

/// A value of a keep column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A number, such as entPhysicalClass.
    Number(i64),
    /// An identifier, such as hrStorageType.
    Oid(Box<[u32]>),
}

impl Mark {
    /// The mark of a raw value; `None` for types that mark nothing.
    pub(super) fn of(answer: &Answer, raw: Raw) -> Option<Mark> {
        match raw {
            Raw::Oid(arcs) => Some(Mark::Oid(answer.arcs(arcs).into())),
            other => View::of(answer, other).integer().map(Mark::Number),
        }
    }

    /// Whether `raw` is this mark.
    pub(super) fn is(&self, answer: &Answer, raw: Raw) -> bool {
        match (self, raw) {
            (Mark::Oid(known), Raw::Oid(arcs)) => **known == *answer.arcs(arcs),
            (Mark::Number(known), other) => View::of(answer, other).integer() == Some(*known),
            (Mark::Oid(_), _) => false,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) metric: MetricIx,
    /// Position in the plan's columns of this table.
    pub(crate) column: usize,
    pub(crate) convert: Convert,
    /// For the second and further identifiers, where they have scales of their own.
    pub(crate) others: Box<[Convert]>,
}

impl Column {
    /// How the values of one of the identifiers become values.
    pub(super) fn convert(&self, alternative: u8) -> &Convert {
        let other = usize::from(alternative).checked_sub(1).and_then(|at| self.others.get(at));
        other.unwrap_or(&self.convert)
    }
}

/// How a raw value becomes a value.
#[derive(Clone, Debug)]
pub(crate) enum Convert {
    Number(Number),
    Counter {
        invalid: Box<[f64]>,
    },
    State {
        /// Sorted by number.
        words: Box<[(i64, Arc<str>)]>,
        invalid: Box<[f64]>,
        /// One bit of an octet string is looked at, counted as BITS are.
        bit: Option<u16>,
    },
    Text(TextFormat),
}

/// How octets become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// Text where it is text, hexadecimal where it is not.
    Plain,
    /// `00:1a:2b:3c:4d:5e`.
    Mac,
    /// `001a2b`.
    Hex,
}

/// How a number is scaled and checked.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    /// Multiplied by this, unless `divisor` is set.
    scale: f64,
    /// Where the scale is the reciprocal of a whole number: division by it is exact to the last digit (305 × 0.1).
    divisor: Option<f64>,
    /// Raw values that mean "none".
    invalid: Box<[f64]>,
    /// Scaled values outside it are `invalid`.
    range: Option<RangeInclusive<f64>>,
}

impl Default for Number {
    fn default() -> Number {
        Number::new(1.0, Box::default(), None)
    }
}

impl Number {
    pub(crate) fn new(scale: f64, invalid: Box<[f64]>, range: Option<RangeInclusive<f64>>) -> Number {
        let reciprocal = scale.recip().round();
        let exact = scale.abs() < 1.0 && ((reciprocal * scale) - 1.0).abs() < 1e-12;
        Number { scale, divisor: exact.then_some(reciprocal), invalid, range }
    }

    fn of(&self, raw: f64) -> Sample {
        if self.invalid.contains(&raw) {
            return Err(Absence::Invalid);
        }
        let value = match self.divisor {
            Some(divisor) => raw / divisor,
            None => raw * self.scale,
        };
        let inside = self.range.as_ref().is_none_or(|range| range.contains(&value));
        if value.is_finite() && inside { Ok(Value::Number(value)) } else { Err(Absence::Invalid) }
    }
}

impl Convert {
    /// The value of `raw`, or why it is none.
    pub(super) fn sample(&self, raw: View<'_>, texts: &mut Texts) -> Sample {
        if raw == View::Null {
            return Err(Absence::Unsupported);
        }
        match self {
            Convert::Number(number) => number.of(raw.number().ok_or(Absence::Malformed)?),
            Convert::Counter { invalid } => counter(raw, invalid),
            Convert::State { words, invalid, bit } => {
                let number = match bit {
                    Some(at) => raw.bit(*at),
                    None => raw.integer(),
                };
                let number = number.ok_or(Absence::Malformed)?;
                if invalid.contains(&(number as f64)) {
                    return Err(Absence::Invalid);
                }
                let at = words.binary_search_by_key(&number, |(known, _)| *known);
                at.map(|at| Value::State(words[at].1.clone())).map_err(|_| Absence::Invalid)
            }
            Convert::Text(format) => Ok(Value::Text(text::of(raw, *format, texts))),
        }
    }
}

impl Item {
    /// What a row says of it.
    pub(super) fn sample(&self, row: &health::Row, texts: &mut Texts) -> Sample {
        match (row.value(self.item).ok_or(Absence::Unsupported)?, &self.convert) {
            (health::Value::State(word), Convert::State { words, .. }) => {
                let known = words.iter().find(|(_, known)| **known == **word);
                known.map(|(_, word)| Value::State(word.clone())).ok_or(Absence::Invalid)
            }
            (health::Value::State(_), _) => Err(Absence::Malformed),
            (health::Value::Number(number), convert) => convert.sample(View::Float(*number), texts),
            (health::Value::Text(text), convert) => convert.sample(View::Octets(text.as_bytes()), texts),
        }
    }
}

fn counter(raw: View<'_>, invalid: &[f64]) -> Sample {
    let value = match raw {
        View::Unsigned32(x) => Value::Counter32(x),
        View::Unsigned64(x) => Value::Counter64(x),
        // Some agents keep counters in plain integers.
        View::Integer(x) => match u32::try_from(x) {
            Ok(x) => Value::Counter32(x),
            Err(_) => Value::Counter64(u64::try_from(x).map_err(|_| Absence::Invalid)?),
        },
        _ => return Err(Absence::Malformed),
    };
    match value.number() {
        Some(number) if invalid.contains(&number) => Err(Absence::Invalid),
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_scaled_exactly_and_sentinels_refused() {
        let tenth = Number::new(0.1, Box::new([65535.0]), Some(-40.0..=125.0));
        assert_eq!(tenth.of(305.0), Ok(Value::Number(30.5)));
        assert_eq!(tenth.of(546.0), Ok(Value::Number(54.6)));
        assert_eq!(tenth.of(65535.0), Err(Absence::Invalid));
        assert_eq!(tenth.of(1251.0), Err(Absence::Invalid));
        let million = Number::new(1e6, Box::default(), None);
        assert_eq!(million.of(1000.0), Ok(Value::Number(1e9)));
    }
}
