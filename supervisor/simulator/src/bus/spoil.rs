//! The fault proxy of a line: between what the units say and what arrives. A value: chance comes from a seed, time is
//! passed in.

use super::Protocol;
use super::panel;
use super::party::Heard;
use crate::fault::Fault;
use crate::scene::{mix, share};
use roundsman_rtu::frame;
use std::ops::Range;
use std::time::Duration;

/// Pause between the end of a request and the beginning of the answer.
const TURNAROUND: Duration = Duration::from_millis(5);

/// Octets that arrive together.
const PIECE: usize = 8;

/// Most octets of one burst of noise.
const MOST_NOISE: usize = 12;

/// Noise and foreign answers come within this time behind the end of a request.
const MEANWHILE: Duration = Duration::from_millis(400);

/// On a rough line late answers come so much later: past the usual deadline of a second, within the second after it.
const ROUGH_LATE: Range<Duration> = Duration::from_millis(1_020)..Duration::from_millis(1_900);
const ROUGH_DEAD: Range<Duration> = Duration::from_millis(1_000)..Duration::from_secs(10);
const ROUGH_GONE: Range<Duration> = Duration::from_millis(300)..Duration::from_millis(2_300);

/// How often each fault happens, as shares of all requests.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chances {
    /// A burst of octets that mean nothing.
    pub(super) noise: f64,
    /// The end of the answer is missing, or all of it.
    pub(super) cut: f64,
    /// One bit of the answer is another.
    pub(super) flip: f64,
    /// The request comes back.
    pub(super) echo: f64,
    /// A sound answer of somebody who was not asked.
    pub(super) foreign: f64,
    /// The answer is lost.
    pub(super) lost: f64,
    /// The answer comes so much later.
    pub(super) late: f64,
    pub(super) late_by: Range<Duration>,
    /// The unit dies for so long; its answer is lost.
    pub(super) dead: f64,
    pub(super) dead_for: Range<Duration>,
    /// The port is pulled for so long.
    pub(super) gone: f64,
    pub(super) gone_for: Range<Duration>,
}

impl Chances {
    /// A line on which all is well.
    pub(super) fn none() -> Chances {
        let none = Duration::ZERO..Duration::ZERO;
        Chances {
            noise: 0.0,
            cut: 0.0,
            flip: 0.0,
            echo: 0.0,
            foreign: 0.0,
            lost: 0.0,
            late: 0.0,
            late_by: none.clone(),
            dead: 0.0,
            dead_for: none.clone(),
            gone: 0.0,
            gone_for: none,
        }
    }

    /// Everything at once, each at this share.
    pub(super) fn rough(share: f64) -> Chances {
        Chances {
            noise: share,
            cut: share,
            flip: share,
            echo: share,
            foreign: share,
            lost: 0.0,
            late: share,
            late_by: ROUGH_LATE,
            dead: share,
            dead_for: ROUGH_DEAD,
            gone: share,
            gone_for: ROUGH_GONE,
        }
    }

    /// What a device's fault does to its exchanges.
    pub(super) fn of(fault: Option<&Fault>) -> Chances {
        let none = Chances::none();
        let of = |percent: &u8| f64::from(*percent) / 100.0;
        match fault {
            Some(Fault::Noise(percent)) => Chances { noise: of(percent), ..none },
            Some(Fault::Cut(percent)) => Chances { cut: of(percent), ..none },
            Some(Fault::Flip(percent)) => Chances { flip: of(percent), ..none },
            Some(Fault::Echo) => Chances { echo: 1.0, ..none },
            Some(Fault::Foreign(percent)) => Chances { foreign: of(percent), ..none },
            Some(Fault::Lossy(percent)) => Chances { lost: of(percent), ..none },
            Some(Fault::Late(by)) => Chances { late: 1.0, late_by: *by..*by, ..none },
            Some(Fault::RoughLine(percent)) => Chances::rough(of(percent)),
            _ => none,
        }
    }
}

/// How often each fault really happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Happened {
    pub(super) noise: u64,
    pub(super) cut: u64,
    pub(super) flip: u64,
    pub(super) echo: u64,
    pub(super) foreign: u64,
    pub(super) lost: u64,
    pub(super) late: u64,
    pub(super) dead: u64,
    pub(super) gone: u64,
}

/// Octets on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    /// Counted from the moment the request was put on the line.
    pub(super) after: Duration,
    pub(super) octets: Vec<u8>,
}

/// What becomes of one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) deliveries: Vec<Delivery>,
    /// The unit dies for so long.
    pub(super) dead: Option<Duration>,
    /// The port is pulled for so long.
    pub(super) gone: Option<Duration>,
}

/// The proxy of one line.
#[derive(Clone, Debug)]
pub(super) struct Spoiler {
    protocol: Protocol,
    /// Answers name a transaction, as over Modbus TCP.
    is_mbap: bool,
    /// Time of an octet; zero where the line is no serial one.
    octet: Duration,
    seed: u64,
    drawn: u64,
    pub(super) happened: Happened,
}

impl Spoiler {
    pub(super) fn new(protocol: Protocol, is_mbap: bool, octet: Duration, seed: u64) -> Spoiler {
        Spoiler { protocol, is_mbap, octet, seed, drawn: 0, happened: Happened::default() }
    }

    fn draw(&mut self) -> f64 {
        self.drawn += 1;
        share(self.seed, self.drawn)
    }

    fn chance(&mut self, of: f64) -> bool {
        of > 0.0 && self.draw() < of
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.draw() * end as f64) as usize).min(end.saturating_sub(1))
    }

    fn within(&mut self, range: &Range<Duration>) -> Duration {
        range.start + range.end.saturating_sub(range.start).mul_f64(self.draw())
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }

    /// Has one exchange go by.
    pub(super) fn pass(&mut self, heard: &Heard, chances: &Chances) -> Passed {
        let mut passed = Passed::default();
        let asked = self.octet * heard.request.len() as u32;
        if self.chance(chances.gone) {
            self.happened.gone += 1;
            passed.gone = Some(self.within(&chances.gone_for));
        }
        if self.chance(chances.echo) {
            self.happened.echo += 1;
            self.bring(&mut passed, Duration::ZERO, &heard.request);
        }
        if self.chance(chances.noise) {
            self.happened.noise += 1;
            let count = 1 + self.below(MOST_NOISE);
            let noise = self.octets(count);
            let after = asked + self.within(&(Duration::ZERO..MEANWHILE));
            self.bring(&mut passed, after, &noise);
        }
        if self.chance(chances.foreign)
            && let Some(foreign) = self.foreign(heard)
        {
            self.happened.foreign += 1;
            let after = asked + self.within(&(Duration::ZERO..MEANWHILE));
            self.bring(&mut passed, after, &foreign);
        }
        let mut answer = heard.answer.clone();
        let mut after = asked + TURNAROUND;
        if answer.is_empty() {
            return passed;
        }
        if self.chance(chances.dead) {
            self.happened.dead += 1;
            passed.dead = Some(self.within(&chances.dead_for));
            return passed;
        }
        if self.chance(chances.lost) {
            self.happened.lost += 1;
            return passed;
        }
        if self.chance(chances.flip) {
            self.happened.flip += 1;
            let bit = self.below(answer.len() * 8);
            answer[bit / 8] ^= 1 << (bit % 8);
        }
        if self.chance(chances.cut) {
            self.happened.cut += 1;
            let len = self.below(answer.len());
            answer.truncate(len);
        }
        if self.chance(chances.late) {
            self.happened.late += 1;
            after += self.within(&chances.late_by);
        }
        self.bring(&mut passed, after, &answer);
        passed
    }

    /// Octets one after the other, as fast as the line is.
    fn bring(&self, passed: &mut Passed, from: Duration, octets: &[u8]) {
        let mut sent = 0;
        for piece in octets.chunks(if self.octet.is_zero() { octets.len().max(1) } else { PIECE }) {
            sent += piece.len();
            let after = from + self.octet * sent as u32;
            passed.deliveries.push(Delivery { after, octets: piece.to_vec() });
        }
    }

    /// A sound answer that answers nobody here: of a unit that another master asks, of another function, of another
    /// transaction. (One in the name of the unit that was asked, to the very question, cannot be told by anybody.)
    fn foreign(&mut self, heard: &Heard) -> Option<Vec<u8>> {
        let drawn = self.below(100) as u8;
        match self.protocol {
            Protocol::Modbus if self.is_mbap => {
                let transaction = heard.request.first_chunk::<2>()?;
                let other = u16::from_be_bytes(*transaction).wrapping_add(1_000 + u16::from(drawn));
                let head = other.to_be_bytes();
                Some(vec![head[0], head[1], 0, 0, 0, 5, heard.address, 3, 2, 0, 0xee])
            }
            Protocol::Modbus => {
                // A function that reads what was not asked for, or a unit that nobody here has.
                let asked = heard.request.get(1).copied()?;
                let (unit, function) = if drawn < 50 {
                    (heard.address, if asked == 3 { 4 } else { 3 })
                } else {
                    (101 + drawn, 3)
                };
                let mut foreign = vec![unit, function, 2, 0, 0xee, 0, 0];
                frame::seal(5, &mut foreign)?;
                Some(foreign)
            }
            Protocol::Mdc => Some(panel::answer(101 + drawn, b'A', 0x11, &[1])),
            Protocol::PjLink => None,
        }
    }
}

/// A number that tells one line's chance from another's.
pub(super) fn seed_of(seed: u64, line: u64) -> u64 {
    mix(seed, 0x1_0000 + line)
}
