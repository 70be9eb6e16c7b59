//! A Samsung panel that speaks MDC: `AA command id length data sum`, answered by `AA FF id length A|N command data sum`
//! (MDC protocol v13.7c).

use crate::scene::{Quantity, Scene, Trouble, share};

const START: u8 = 0xaa;
const ANSWER: u8 = 0xff;
const ACK: u8 = b'A';
const NAK: u8 = b'N';

/// The id that every panel obeys and none answers.
pub(super) const ALL: u8 = 0xfe;

const POWER: u8 = 0x11;
const STATUS: u8 = 0x0d;
const INPUT: u8 = 0x14;
const PANEL_TIME: u8 = 0x83;

/// Error code of a NAK: it cannot do that.
const CANNOT: u8 = 1;

/// How long a panel hears nothing after it was switched on, in seconds.
const STARTS_S: f64 = 8.0;

/// From so many degrees on it calls itself too hot.
const TOO_HOT: f64 = 75.0;

/// Inputs it has: VGA, DVI, HDMI 1, HDMI 2, DisplayPort.
const INPUTS: [u8; 5] = [0x14, 0x18, 0x21, 0x23, 0x25];

/// Octets around the data.
const AROUND: usize = 5;

/// Length of the request at the front: `Some(Ok(n))` whole, `Some(Err(n))` so many octets mean nothing, `None` more must
/// come.
pub(super) fn cut(octets: &[u8]) -> Option<Result<usize, usize>> {
    match octets.iter().position(|octet| *octet == START) {
        Some(0) => {}
        Some(at) => return Some(Err(at)),
        None => return (!octets.is_empty()).then_some(Err(octets.len())),
    }
    let len = AROUND + usize::from(*octets.get(3)?);
    let frame = octets.get(..len)?;
    Some(if frame[len - 1] == sum(&frame[1..len - 1]) { Ok(len) } else { Err(1) })
}

fn sum(octets: &[u8]) -> u8 {
    octets.iter().fold(0, |sum, octet| sum.wrapping_add(*octet))
}

/// An answer's frame.
pub(super) fn answer(id: u8, verdict: u8, command: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![START, ANSWER, id, data.len() as u8 + 2, verdict, command];
    frame.extend_from_slice(data);
    frame.push(sum(&frame[1..]));
    frame
}

/// What a panel says of itself; 1 is a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Status {
    pub(super) lamp: u8,
    pub(super) too_hot: u8,
    /// 0 none, 1 faulty, 2 well.
    pub(super) sensor: u8,
    pub(super) no_signal: u8,
    pub(super) celsius: u8,
    pub(super) fan: u8,
}

impl Status {
    pub(super) fn data(self) -> [u8; 6] {
        [self.lamp, self.too_hot, self.sensor, self.no_signal, self.celsius, self.fan]
    }
}

/// Panel time as it is sent: tens of minutes in two octets, beyond them in three.
pub(super) fn panel_time(hours: f64) -> Vec<u8> {
    let tens = (hours * 6.0).round().clamp(0.0, f64::from(0xff_ffff)) as u32;
    let [_, high, middle, low] = tens.to_be_bytes();
    if high == 0 { vec![middle, low] } else { vec![high, middle, low] }
}

/// One panel.
pub(super) struct Panel {
    scene: Scene,
    is_on: bool,
    input: u8,
    /// It hears nothing before.
    starts_until: f64,
    /// Hours lit at `since`.
    hours: f64,
    since: f64,
}

impl Panel {
    pub(super) fn new(seed: u64, now: f64) -> Panel {
        Panel {
            scene: Scene::new(seed, 0, now),
            is_on: true,
            input: 0x21,
            starts_until: now,
            hours: 4_000.0 + 5_000.0 * share(seed, 7),
            since: now,
        }
    }

    pub(super) fn heat(&mut self, heat: Option<f64>, now: f64) {
        self.scene.set_trouble(Trouble { heat, ..Trouble::default() }, now);
    }

    fn hours(&self, now: f64) -> f64 {
        self.hours + if self.is_on { (now - self.since).max(0.0) / 3_600.0 } else { 0.0 }
    }

    fn switch(&mut self, on: bool, now: f64) {
        if on != self.is_on {
            (self.hours, self.since, self.is_on) = (self.hours(now), now, on);
            if on {
                self.starts_until = now + STARTS_S;
            }
        }
    }

    fn status(&self, now: f64) -> Status {
        let celsius = self.scene.measure(Quantity::Temperature { above: 1.0 }, now);
        Status {
            lamp: 0,
            too_hot: u8::from(celsius >= TOO_HOT),
            sensor: 2,
            no_signal: u8::from(!self.is_on),
            celsius: celsius.round().clamp(0.0, 254.0) as u8,
            fan: 0,
        }
    }

    /// Answers a sound frame that is for it; `None` where it keeps silent. `id` is its own.
    pub(super) fn obey(&mut self, frame: &[u8], id: u8, now: f64) -> Option<Vec<u8>> {
        if now < self.starts_until {
            return None;
        }
        let (&[_, command, to, _], data) = (frame.first_chunk()?, frame.get(4..frame.len() - 1)?);
        let done = self.carry_out(command, data, now);
        let (verdict, data) = match done {
            Some(data) => (ACK, data),
            None => (NAK, vec![CANNOT]),
        };
        (to != ALL).then(|| answer(id, verdict, command, &data))
    }

    fn carry_out(&mut self, command: u8, data: &[u8], now: f64) -> Option<Vec<u8>> {
        match (command, data) {
            (POWER, []) => Some(vec![u8::from(self.is_on)]),
            (POWER, [state @ (0 | 1)]) => {
                self.switch(*state == 1, now);
                Some(vec![*state])
            }
            (POWER, [2]) if self.is_on => {
                self.starts_until = now + STARTS_S;
                Some(vec![2])
            }
            (STATUS, []) => Some(self.status(now).data().to_vec()),
            (INPUT, []) if self.is_on => Some(vec![self.input]),
            (INPUT, [input]) if self.is_on && INPUTS.contains(input) => {
                self.input = *input;
                Some(vec![*input])
            }
            (PANEL_TIME, []) => Some(panel_time(self.hours(now))),
            _ => None,
        }
    }
}
