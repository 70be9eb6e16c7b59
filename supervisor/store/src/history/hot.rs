//! One part of a cycle as it was polled: the body of a `hot` row.
//!
//! Layout (integers LEB128, signed ones zigzag):
//!
//! ```text
//! version=1 · per poll: device row · ms from the poll to the cycle's mark (signed) · outcome · length, then the points:
//!   (difference to the previous series << 3 | tag) · payload …
//! ```
//! Outcome 0 is an answered poll, 1 + n one that failed with the n-th [`Absence`]; a device without a poll does not
//! stand in the cycle. A point stands where it is not what it was in the poll before, and in the first answered poll of
//! a window, so that a window can be read alone; [`Carried`] fills in the others. One that was not good stands with
//! its quality; one that was missing in an answer ends by `GONE`.

use super::numbers;
use crate::bytes::{Decoded, Input, put, put_signed};
use roundsman_core::reading::{Absence, Sample, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

const VERSION: u8 = 1;

/// Devices of one part: with 226 points each the part of a window takes a few MB while it is compressed.
const DEVICES_OF_A_PART: i64 = 16;

/// Most parts; later devices share the last one.
const MOST_PARTS: i64 = 0xffff;

mod tag {
    pub(super) const WHOLE: u64 = 0;
    pub(super) const HUNDREDTHS: u64 = 1;
    pub(super) const SINGLE: u64 = 2;
    pub(super) const DOUBLE: u64 = 3;
    pub(super) const COUNTER: u64 = 4;
    pub(super) const WORD: u64 = 5;
    pub(super) const ABSENT: u64 = 6;
    pub(super) const GONE: u64 = 7;
}

/// The part of the device with this row.
pub(crate) fn part_of(device: i64) -> i64 {
    (device / DEVICES_OF_A_PART).clamp(0, MOST_PARTS)
}

/// Row number in `hot`.
pub(crate) fn row_of(cycle: i64, part: i64) -> i64 {
    cycle << 16 | part
}

/// What a poll brought for one series.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Point {
    Number(f64),
    Counter(u64),
    Word(Arc<str>),
    Bad(Absence),
    Gone,
}

impl Point {
    /// The point of a sample.
    pub(crate) fn of(sample: &Sample) -> Point {
        match sample {
            Ok(Value::Number(x)) => Point::Number(*x),
            Ok(Value::Counter32(x)) => Point::Counter(u64::from(*x)),
            Ok(Value::Counter64(x)) => Point::Counter(*x),
            Ok(Value::State(word) | Value::Text(word)) => Point::Word(word.clone()),
            Err(absence) => Point::Bad(*absence),
        }
    }
}

/// How a poll ended: answered, or why not.
pub(crate) type Outcome = Result<(), Absence>;

/// Number of a quality in blobs.
pub(crate) fn number_of(absence: Absence) -> u8 {
    absence as u8
}

/// The quality with this number.
pub(crate) fn absence(number: u64) -> Decoded<Absence> {
    let at = usize::try_from(number).map_err(|_| "unknown quality")?;
    Absence::ALL.get(at).copied().ok_or("unknown quality")
}

/// One poll as it stands in a part.
pub(crate) struct Section<'a> {
    pub(crate) device: i64,
    /// Milliseconds from the poll to the cycle's mark.
    pub(crate) before_ms: i64,
    pub(crate) outcome: Outcome,
    points: &'a [u8],
}

/// Begins a part.
pub(crate) fn begin() -> Vec<u8> {
    vec![VERSION]
}

/// Appends a poll; `points` in the order of their series.
pub(crate) fn add(out: &mut Vec<u8>, device: i64, before_ms: i64, outcome: Outcome, points: &[(u32, Point)]) {
    put(out, device.cast_unsigned());
    put_signed(out, before_ms);
    out.push(outcome.err().map_or(0, |absence| 1 + number_of(absence)));
    let mut body = Vec::with_capacity(points.len() * 4);
    let mut last = 0;
    for (series, point) in points {
        add_point(&mut body, u64::from(series.wrapping_sub(last)), point);
        last = *series;
    }
    put(out, body.len() as u64);
    out.append(&mut body);
}

fn add_point(out: &mut Vec<u8>, step: u64, point: &Point) {
    let head = |out: &mut Vec<u8>, tag: u64| put(out, step << 3 | tag);
    match point {
        Point::Number(x) => {
            if let Some(n) = numbers::whole(*x) {
                head(out, tag::WHOLE);
                put_signed(out, n);
            } else if let Some(n) = numbers::hundredths(*x) {
                head(out, tag::HUNDREDTHS);
                put_signed(out, n);
            } else if let Some(short) = numbers::single(*x) {
                head(out, tag::SINGLE);
                out.extend_from_slice(&short.to_le_bytes());
            } else {
                head(out, tag::DOUBLE);
                out.extend_from_slice(&x.to_le_bytes());
            }
        }
        Point::Counter(n) => {
            head(out, tag::COUNTER);
            put(out, *n);
        }
        Point::Word(word) => {
            head(out, tag::WORD);
            put(out, word.len() as u64);
            out.extend_from_slice(word.as_bytes());
        }
        Point::Bad(absence) => {
            head(out, tag::ABSENT);
            out.push(number_of(*absence));
        }
        Point::Gone => head(out, tag::GONE),
    }
}

/// Calls `each` for every poll of a part.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn sections<'a>(body: &'a [u8], mut each: impl FnMut(Section<'a>) -> Decoded<()>) -> Decoded<()> {
    let mut input = Input::new(body);
    if input.byte()? != VERSION {
        return Err("unknown version");
    }
    while !input.is_empty() {
        let device = i64::try_from(input.number()?).map_err(|_| "device out of range")?;
        let before_ms = input.signed()?;
        let outcome = match input.byte()? {
            0 => Ok(()),
            n => Err(absence(u64::from(n) - 1)?),
        };
        let length = input.number()?;
        each(Section { device, before_ms, outcome, points: input.bytes(length)? })?;
    }
    Ok(())
}

impl Section<'_> {
    /// Calls `each` for every point.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub(crate) fn points(&self, mut each: impl FnMut(u32, Point)) -> Decoded<()> {
        let mut input = Input::new(self.points);
        let mut series = 0_u32;
        while !input.is_empty() {
            let head = input.number()?;
            let step = u32::try_from(head >> 3).map_err(|_| "series out of range")?;
            series = series.checked_add(step).ok_or("series out of range")?;
            each(series, point(&mut input, head & 7)?);
        }
        Ok(())
    }
}

/// What a device has, from the first answered poll of a window on: a point that does not stand in a poll goes on.
#[derive(Default)]
pub(crate) struct Carried {
    now: BTreeMap<u32, Point>,
}

impl Carried {
    /// Takes what an answered poll changed; calls `gone` for what it no longer had.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub(crate) fn take(&mut self, section: &Section<'_>, mut gone: impl FnMut(u32)) -> Decoded<()> {
        section.points(|series, point| {
            if point == Point::Gone {
                self.now.remove(&series);
                gone(series);
            } else {
                self.now.insert(series, point);
            }
        })
    }

    /// What there is after the latest poll.
    pub(crate) fn now(&self) -> &BTreeMap<u32, Point> {
        &self.now
    }
}

fn point(input: &mut Input<'_>, tag: u64) -> Decoded<Point> {
    let finite = |x: f64| if x.is_finite() { Ok(Point::Number(x)) } else { Err("not a finite number") };
    Ok(match tag {
        tag::WHOLE => Point::Number(input.signed()? as f64),
        tag::HUNDREDTHS => Point::Number(input.signed()? as f64 / 100.0),
        tag::SINGLE => {
            let bytes = input.bytes(4)?.try_into().map_err(|_| "cut short")?;
            finite(f64::from(f32::from_le_bytes(bytes)))?
        }
        tag::DOUBLE => finite(f64::from_le_bytes(input.bytes(8)?.try_into().map_err(|_| "cut short")?))?,
        tag::COUNTER => Point::Counter(input.number()?),
        tag::WORD => {
            let length = input.number()?;
            Point::Word(std::str::from_utf8(input.bytes(length)?).map_err(|_| "not UTF-8")?.into())
        }
        tag::ABSENT => Point::Bad(absence(u64::from(input.byte()?))?),
        _ => Point::Gone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Point> {
        prop_oneof![
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Point::Number),
            (-100_000_i32..100_000).prop_map(|x| Point::Number(f64::from(x) * 0.1)),
            prop_oneof![Just(-0.0), Just(0.5), Just(1e18)].prop_map(Point::Number),
            any::<u64>().prop_map(Point::Counter),
            ".{0,20}".prop_map(|word| Point::Word(word.into())),
            (0..Absence::ALL.len()).prop_map(|at| Point::Bad(Absence::ALL[at])),
            Just(Point::Gone),
        ]
    }

    type Polls = Vec<(i64, i64, Outcome, Vec<(u32, Point)>)>;

    fn polls() -> impl Strategy<Value = Polls> {
        let outcome = prop_oneof![Just(Ok(())), (0..Absence::ALL.len()).prop_map(|at| Err(Absence::ALL[at]))];
        let points = prop::collection::btree_map(any::<u32>(), point(), 0..12);
        let one =
            (0..i64::MAX, any::<i64>(), outcome, points).prop_map(|(device, before, outcome, points)| {
                (device, before, outcome, points.into_iter().collect())
            });
        prop::collection::vec(one, 0..6)
    }

    fn encoded(polls: &Polls) -> Vec<u8> {
        let mut body = begin();
        for (device, before, outcome, points) in polls {
            add(&mut body, *device, *before, *outcome, points);
        }
        body
    }

    fn decoded(body: &[u8]) -> Decoded<Polls> {
        let mut polls = Polls::new();
        sections(body, |section| {
            let mut points = Vec::new();
            section.points(|series, point| points.push((series, point)))?;
            polls.push((section.device, section.before_ms, section.outcome, points));
            Ok(())
        })?;
        Ok(polls)
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(polls in polls()) {
            prop_assert_eq!(decoded(&encoded(&polls)), Ok(polls));
        }

        #[test]
        fn damage_is_an_error_or_other_data_but_never_a_panic(
            polls in polls(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut body = encoded(&polls);
            let at = at.index(body.len());
            body[at] = byte;
            let _ = decoded(&body);
            let _ = decoded(&body[..at]);
        }
    }
}
