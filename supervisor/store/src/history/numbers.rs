//! A column of numbers as few bytes, each number coming back bit by bit as it was.
//!
//! Layout: tag, payload to the end of the slice; how many there are is known from outside. The tag says which form
//! was proven exact for the whole column:
//!
//! ```text
//! 0 one value throughout: 8 bytes      1 whole numbers           2 hundredths (value = n / 100)
//! 3 f32                                4 f64                     5 unsigned counters
//! ```
//! From [`FEWEST_FOR_PCO`] on numbers are compressed by `pco`; fewer stand as they are (integers as differences),
//! since its header alone takes about 20 bytes.

use crate::bytes::{Decoded, Input, put, put_signed};
use crate::latest::WHOLE_BELOW;
use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress_into};

/// Numbers from which on `pco` is worth its header.
const FEWEST_FOR_PCO: usize = 16;
/// Most numbers of one column: a day of polls every second. More is damage.
pub(crate) const MOST: usize = 1 << 17;
/// Effort of `pco`, 0–12; beyond 6 the bytes hardly shrink, the time grows.
const LEVEL: usize = 6;

mod tag {
    pub(super) const ONE: u8 = 0;
    pub(super) const WHOLE: u8 = 1;
    pub(super) const HUNDREDTHS: u8 = 2;
    pub(super) const SINGLE: u8 = 3;
    pub(super) const DOUBLE: u8 = 4;
    pub(super) const COUNTER: u8 = 5;
}

/// `x` as a whole number, if that is exactly it.
pub(crate) fn whole(x: f64) -> Option<i64> {
    let n = x as i64;
    (x.abs() < WHOLE_BELOW && (n as f64).to_bits() == x.to_bits()).then_some(n)
}

/// `x` in hundredths, if a division by 100 gives exactly it.
pub(crate) fn hundredths(x: f64) -> Option<i64> {
    let n = (x * 100.0).round();
    (n.abs() < WHOLE_BELOW && (n as i64 as f64 / 100.0).to_bits() == x.to_bits()).then_some(n as i64)
}

/// `x` in single precision, if that is exactly it.
pub(crate) fn single(x: f64) -> Option<f32> {
    let short = x as f32;
    (f64::from(short).to_bits() == x.to_bits()).then_some(short)
}

fn all<T>(values: &[f64], form: impl Fn(f64) -> Option<T>) -> Option<Vec<T>> {
    values.iter().map(|x| form(*x)).collect()
}

/// Appends the column to `out`.
pub(crate) fn encode(out: &mut Vec<u8>, values: &[f64]) {
    let Some(first) = values.first() else { return };
    if values.iter().all(|x| x.to_bits() == first.to_bits()) {
        out.push(tag::ONE);
        out.extend_from_slice(&first.to_le_bytes());
    } else if let Some(values) = all(values, whole) {
        out.push(tag::WHOLE);
        encode_integers(out, &values);
    } else if let Some(values) = all(values, hundredths) {
        out.push(tag::HUNDREDTHS);
        encode_integers(out, &values);
    } else if let Some(values) = all(values, single) {
        out.push(tag::SINGLE);
        compress(out, &values, |out, x| out.extend_from_slice(&x.to_le_bytes()));
    } else {
        out.push(tag::DOUBLE);
        compress(out, values, |out, x| out.extend_from_slice(&x.to_le_bytes()));
    }
}

/// Appends a column of counters to `out`.
pub(crate) fn encode_counters(out: &mut Vec<u8>, values: &[u64]) {
    if !values.is_empty() {
        out.push(tag::COUNTER);
        compress(out, values, put);
    }
}

/// Appends integers without a tag, such as times.
pub(crate) fn encode_integers(out: &mut Vec<u8>, values: &[i64]) {
    let mut last = 0;
    compress(out, values, |out, x| {
        put_signed(out, x.wrapping_sub(last));
        last = x;
    });
}

fn compress<T: pco::data_types::Number>(
    out: &mut Vec<u8>,
    values: &[T],
    mut plain: impl FnMut(&mut Vec<u8>, T),
) {
    let config = ChunkConfig::default().with_compression_level(LEVEL);
    if values.len() >= FEWEST_FOR_PCO
        && let Ok(bytes) = simple_compress(values, &config)
    {
        out.push(1);
        out.extend_from_slice(&bytes);
        return;
    }
    out.push(0);
    for x in values {
        plain(out, *x);
    }
}

/// The `count` numbers that take the rest of `input`.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn decode(mut input: Input<'_>, count: usize) -> Decoded<Vec<f64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let values: Vec<f64> = match input.byte()? {
        tag::ONE => {
            within(count)?;
            vec![double(&mut input)?; count]
        }
        tag::WHOLE => decode_integers(input, count)?.into_iter().map(|n| n as f64).collect(),
        tag::HUNDREDTHS => decode_integers(input, count)?.into_iter().map(|n| n as f64 / 100.0).collect(),
        tag::SINGLE => decompress(input, count, |input| {
            Ok(f32::from_le_bytes(input.bytes(4)?.try_into().map_err(|_| "cut short")?))
        })?
        .into_iter()
        .map(f64::from)
        .collect(),
        tag::DOUBLE => decompress(input, count, double)?,
        _ => return Err("unknown form of numbers"),
    };
    if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err("not a finite number") }
}

/// The `count` counters that take the rest of `input`.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn decode_counters(mut input: Input<'_>, count: usize) -> Decoded<Vec<u64>> {
    match count {
        0 => Ok(Vec::new()),
        _ if input.byte()? == tag::COUNTER => decompress(input, count, |input| input.number()),
        _ => Err("unknown form of counters"),
    }
}

/// The `count` integers that take the rest of `input`.
///
/// # Errors
/// Says what is wrong with the bytes.
pub(crate) fn decode_integers(input: Input<'_>, count: usize) -> Decoded<Vec<i64>> {
    let mut last = 0_i64;
    decompress(input, count, |input| {
        last = last.wrapping_add(input.signed()?);
        Ok(last)
    })
}

fn double(input: &mut Input<'_>) -> Decoded<f64> {
    Ok(f64::from_le_bytes(input.bytes(8)?.try_into().map_err(|_| "cut short")?))
}

fn within(count: usize) -> Decoded<()> {
    if count <= MOST { Ok(()) } else { Err("too many numbers for one column") }
}

fn decompress<T: pco::data_types::Number + Default>(
    mut input: Input<'_>,
    count: usize,
    mut plain: impl FnMut(&mut Input<'_>) -> Decoded<T>,
) -> Decoded<Vec<T>> {
    within(count)?;
    if input.byte()? == 0 {
        let values = (0..count).map(|_| plain(&mut input)).collect::<Decoded<Vec<T>>>()?;
        return if input.is_empty() { Ok(values) } else { Err("bytes left over") };
    }
    let mut values = vec![T::default(); count];
    let progress =
        simple_decompress_into(input.rest(), &mut values).map_err(|_| "compressed numbers are damaged")?;
    if progress.n_processed == count && progress.finished {
        Ok(values)
    } else {
        Err("another count of compressed numbers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column() -> impl Strategy<Value = Vec<f64>> {
        let any_finite = any::<f64>().prop_filter("finite", |x| x.is_finite());
        prop_oneof![
            prop::collection::vec(any_finite, 0..300),
            prop::collection::vec((-1_000_i32..1_000).prop_map(|x| f64::from(x) * 0.1), 0..300),
            prop::collection::vec((-1_000_i32..1_000).prop_map(|x| f64::from(x) / 100.0), 0..300),
            prop::collection::vec(
                any::<f32>().prop_filter("finite", |x| x.is_finite()).prop_map(f64::from),
                0..300
            ),
            (any::<i32>(), 0..300_usize).prop_map(|(x, n)| vec![f64::from(x); n]),
            prop::collection::vec(prop_oneof![Just(-0.0), Just(0.0), Just(1e300), Just(5e-324)], 0..40),
        ]
    }

    proptest! {
        #[test]
        fn numbers_come_back_bit_by_bit(values in column()) {
            let mut bytes = Vec::new();
            encode(&mut bytes, &values);
            let back = decode(Input::new(&bytes), values.len()).unwrap();
            let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&back), bits(&values));
        }

        #[test]
        fn counters_and_times_come_back(counters in prop::collection::vec(any::<u64>(), 0..200),
                                        times in prop::collection::vec(any::<i64>(), 0..200)) {
            let mut bytes = Vec::new();
            encode_counters(&mut bytes, &counters);
            prop_assert_eq!(decode_counters(Input::new(&bytes), counters.len()).unwrap(), counters);
            let mut bytes = Vec::new();
            encode_integers(&mut bytes, &times);
            prop_assert_eq!(decode_integers(Input::new(&bytes), times.len()).unwrap(), times);
        }

        #[test]
        fn damage_is_an_error_or_other_numbers_but_never_a_panic(
            values in column(), at in any::<prop::sample::Index>(), byte in any::<u8>(), count in 0..400_usize,
        ) {
            let mut bytes = Vec::new();
            encode(&mut bytes, &values);
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                let _ = decode(Input::new(&bytes), values.len());
                let _ = decode(Input::new(&bytes[..at]), count);
                let _ = decode_counters(Input::new(&bytes), count);
            }
        }
    }
}
