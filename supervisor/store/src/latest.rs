//! The latest readings of devices as compact blocks.
//!
//! Bytes on flash count, so strings stand once in a table at the front and numbers take as few bytes as they need:
//! about 3–6 bytes a reading. Layout (all integers LEB128, signed ones zigzag):
//!
//! ```text
//! version=1 · strings: count, (length, UTF-8)… · devices: count, then per device:
//!   id, profile (string numbers) · taken_at ms · answered 0|1 · readings: count, then per reading:
//!   metric, instance (string numbers) · tag · payload
//! ```

use crate::bytes::{Decoded, Input, put, put_signed};
use roundsman_core::reading::{Absence, Sample, Value};
use roundsman_core::time::Wall;
use std::collections::HashMap;
use std::sync::Arc;

/// The latest poll of one device, by names: indices do not outlive the process.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestDevice {
    /// Device id.
    pub device: Arc<str>,
    /// Id of the profile that made the readings; after a change of profile they mean nothing.
    pub profile: Arc<str>,
    /// When the poll was complete.
    pub taken_at: Wall,
    /// Whether any valid reply came back.
    pub answered: bool,
    /// Every reading of the poll.
    pub readings: Vec<LatestReading>,
}

/// One reading of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestReading {
    /// Metric name.
    pub metric: Arc<str>,
    /// Instance label; empty for a scalar.
    pub instance: Arc<str>,
    /// What came back.
    pub sample: Sample,
}

const VERSION: u8 = 1;
/// Numbers up to here are whole in an f64.
pub(crate) const WHOLE_BELOW: f64 = 9_007_199_254_740_992.0;

mod tag {
    pub(super) const WHOLE: u8 = 0;
    pub(super) const HUNDREDTHS: u8 = 1;
    pub(super) const FLOAT: u8 = 2;
    pub(super) const COUNTER32: u8 = 3;
    pub(super) const COUNTER64: u8 = 4;
    pub(super) const STATE: u8 = 5;
    pub(super) const TEXT: u8 = 6;
    pub(super) const ABSENT: u8 = 7;
}

#[derive(Default)]
struct Strings {
    numbers: HashMap<Arc<str>, u64>,
    all: Vec<Arc<str>>,
}

impl Strings {
    fn number(&mut self, text: &Arc<str>) -> u64 {
        match self.numbers.get(text) {
            Some(number) => *number,
            None => self.add(text.clone()),
        }
    }

    fn word(&mut self, word: &'static str) -> u64 {
        match self.numbers.get(word) {
            Some(number) => *number,
            None => self.add(word.into()),
        }
    }

    fn add(&mut self, text: Arc<str>) -> u64 {
        let number = self.all.len() as u64;
        self.numbers.insert(text.clone(), number);
        self.all.push(text);
        number
    }
}

/// The block for these devices. They are taken one at a time: all of them at once would double the memory of a large
/// site for a moment.
pub(crate) fn encode(devices: impl Iterator<Item = LatestDevice>) -> Vec<u8> {
    let mut strings = Strings::default();
    let mut body = Vec::new();
    let mut count = 0_u64;
    for device in devices {
        count += 1;
        put(&mut body, strings.number(&device.device));
        put(&mut body, strings.number(&device.profile));
        put_signed(&mut body, device.taken_at.0);
        body.push(u8::from(device.answered));
        put(&mut body, device.readings.len() as u64);
        for reading in &device.readings {
            put(&mut body, strings.number(&reading.metric));
            put(&mut body, strings.number(&reading.instance));
            encode_sample(&mut body, &mut strings, &reading.sample);
        }
    }
    let mut out = vec![VERSION];
    put(&mut out, strings.all.len() as u64);
    for text in strings.all {
        put(&mut out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
    put(&mut out, count);
    out.append(&mut body);
    out
}

fn encode_sample(out: &mut Vec<u8>, strings: &mut Strings, sample: &Sample) {
    match sample {
        Ok(Value::Number(x)) => {
            let hundredths = (x * 100.0).round();
            if x.fract() == 0.0 && x.abs() < WHOLE_BELOW {
                out.push(tag::WHOLE);
                put_signed(out, *x as i64);
            } else if hundredths.abs() < WHOLE_BELOW && hundredths / 100.0 == *x {
                out.push(tag::HUNDREDTHS);
                put_signed(out, hundredths as i64);
            } else {
                out.push(tag::FLOAT);
                out.extend_from_slice(&x.to_le_bytes());
            }
        }
        Ok(Value::Counter32(x)) => {
            out.push(tag::COUNTER32);
            put(out, u64::from(*x));
        }
        Ok(Value::Counter64(x)) => {
            out.push(tag::COUNTER64);
            put(out, *x);
        }
        Ok(Value::State(x)) => {
            out.push(tag::STATE);
            put(out, strings.number(x));
        }
        Ok(Value::Text(x)) => {
            out.push(tag::TEXT);
            put(out, strings.number(x));
        }
        Err(absence) => {
            out.push(tag::ABSENT);
            put(out, strings.word(absence.word()));
        }
    }
}

impl Input<'_> {
    fn string(&mut self, strings: &[Arc<str>]) -> Decoded<Arc<str>> {
        let at = usize::try_from(self.number()?).map_err(|_| "string number out of range")?;
        strings.get(at).cloned().ok_or("string number out of range")
    }

    fn sample(&mut self, strings: &[Arc<str>]) -> Decoded<Sample> {
        Ok(Ok(match self.byte()? {
            tag::WHOLE => Value::Number(self.signed()? as f64),
            tag::HUNDREDTHS => Value::Number(self.signed()? as f64 / 100.0),
            tag::FLOAT => {
                let bytes = self.bytes(8)?.try_into().map_err(|_| "cut short")?;
                let x = f64::from_le_bytes(bytes);
                if !x.is_finite() {
                    return Err("not a finite number");
                }
                Value::Number(x)
            }
            tag::COUNTER32 => {
                Value::Counter32(u32::try_from(self.number()?).map_err(|_| "counter out of range")?)
            }
            tag::COUNTER64 => Value::Counter64(self.number()?),
            tag::STATE => Value::State(self.string(strings)?),
            tag::TEXT => Value::Text(self.string(strings)?),
            tag::ABSENT => {
                let word = self.string(strings)?;
                return Ok(Err(Absence::from_word(&word).ok_or("unknown quality")?));
            }
            _ => return Err("unknown tag"),
        }))
    }
}

/// The devices of a block.
///
/// # Errors
/// Says what is wrong with it; never panics, never reserves more than the block's own size justifies.
pub(crate) fn decode(block: &[u8]) -> Decoded<Vec<LatestDevice>> {
    let mut input = Input::new(block);
    if input.byte()? != VERSION {
        return Err("unknown version");
    }
    let mut strings: Vec<Arc<str>> = Vec::new();
    for _ in 0..input.count()? {
        let length = input.number()?;
        let text = std::str::from_utf8(input.bytes(length)?).map_err(|_| "not UTF-8")?;
        strings.push(text.into());
    }
    let mut devices = Vec::new();
    for _ in 0..input.count()? {
        let mut device = LatestDevice {
            device: input.string(&strings)?,
            profile: input.string(&strings)?,
            taken_at: Wall(input.signed()?),
            answered: input.byte()? != 0,
            readings: Vec::new(),
        };
        for _ in 0..input.count()? {
            device.readings.push(LatestReading {
                metric: input.string(&strings)?,
                instance: input.string(&strings)?,
                sample: input.sample(&strings)?,
            });
        }
        devices.push(device);
    }
    if input.is_empty() { Ok(devices) } else { Err("bytes left over") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> impl Strategy<Value = Sample> {
        prop_oneof![
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(|x| Ok(Value::Number(x))),
            (-100_000_i32..100_000).prop_map(|x| Ok(Value::Number(f64::from(x) * 0.1))),
            any::<i32>().prop_map(|x| Ok(Value::Number(f64::from(x)))),
            any::<u32>().prop_map(|x| Ok(Value::Counter32(x))),
            any::<u64>().prop_map(|x| Ok(Value::Counter64(x))),
            "[a-z]{0,8}".prop_map(|x| Ok(Value::State(x.into()))),
            ".{0,20}".prop_map(|x| Ok(Value::Text(x.into()))),
            (0..Absence::ALL.len()).prop_map(|at| Err(Absence::ALL[at])),
        ]
    }

    fn device() -> impl Strategy<Value = LatestDevice> {
        let reading = ("[a-z.-]{1,12}", ".{0,6}", sample()).prop_map(|(metric, instance, sample)| {
            LatestReading { metric: metric.into(), instance: instance.into(), sample }
        });
        ("[a-z0-9-]{1,12}", "[a-z-]{0,8}", any::<i64>(), any::<bool>(), prop::collection::vec(reading, 0..20))
            .prop_map(|(device, profile, at, answered, readings)| LatestDevice {
                device: device.into(),
                profile: profile.into(),
                taken_at: Wall(at),
                answered,
                readings,
            })
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(devices in prop::collection::vec(device(), 0..6)) {
            prop_assert_eq!(decode(&encode(devices.iter().cloned())), Ok(devices));
        }

        #[test]
        fn damage_is_an_error_or_other_data_but_never_a_panic(
            devices in prop::collection::vec(device(), 0..4),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut block = encode(devices.into_iter());
            let at = at.index(block.len());
            block[at] = byte;
            let _ = decode(&block);
            block.truncate(cut.index(block.len()));
            let _ = decode(&block);
        }
    }

    #[test]
    fn a_cut_block_is_refused_at_every_length() {
        let reading =
            LatestReading { metric: "cpu.load".into(), instance: "".into(), sample: Ok(Value::Number(38.5)) };
        let device = LatestDevice {
            device: "rt".into(),
            profile: "p".into(),
            taken_at: Wall(1_700_000_000_000),
            answered: true,
            readings: vec![reading; 3],
        };
        let block = encode(std::iter::once(device));
        for length in 0..block.len() {
            assert!(decode(&block[..length]).is_err(), "{length} of {} bytes", block.len());
        }
    }

    #[test]
    fn a_huge_count_reserves_nothing() {
        let block = [VERSION, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(decode(&block), Err("count larger than the block"));
    }

    #[test]
    fn a_usual_reading_takes_few_bytes() {
        let readings = (0..1_200).map(|n| LatestReading {
            metric: ["interface.in-rate", "interface.oper-status", "temperature.value"][n % 3].into(),
            instance: format!("GE1/0/{}", n / 3 % 48).into(),
            sample: match n % 3 {
                0 => Ok(Value::Number(1_000_000.0 + n as f64)),
                1 => Ok(Value::State("up".into())),
                _ => Ok(Value::Number(30.0 + (n % 90) as f64 / 10.0)),
            },
        });
        let device = LatestDevice {
            device: "d".into(),
            profile: "p".into(),
            taken_at: Wall(0),
            answered: true,
            readings: readings.collect(),
        };
        let length = encode(std::iter::once(device)).len();
        assert!(length < 1_200 * 6, "{length} bytes for 1,200 readings");
    }
}
