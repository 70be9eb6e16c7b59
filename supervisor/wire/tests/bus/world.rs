//! A simulated serial line: slaves of `roundsman-rtu` on it, and faults on demand. Seeded; time is virtual.
//!
//! A slave's registers say who it is, which register was asked and when it looked: what the bus takes as data can be
//! held against the truth.

use roundsman_core::time::Mono;
use roundsman_rtu::MOST_FRAME;
use roundsman_rtu::exception::Exception;
use roundsman_rtu::frame;
use roundsman_rtu::request::Request;
use roundsman_rtu::slave::{Registers, WordTable, serve};
use roundsman_rtu::values::Words;
use roundsman_wire::bus::{Action, Bus, Line, Lost, Outcome, Port, Ticket};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// splitmix64.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }

    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.roll(1_000) < per_mille
    }
}

/// A seed from the environment, or another one in every run.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("ROUNDSMAN_BUS_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(u64::from(std::process::id()) << 16 | 7)
}

/// Registers of a slave: words 4n to 4n+3 are its unit, 4n, and the time of the look in ms, high word first. What is
/// written to register 1000 is kept.
pub(crate) struct Slave {
    pub(crate) unit: u8,
    pub(crate) now_ms: u64,
    pub(crate) written: u16,
    pub(crate) writes: u64,
}

impl Registers for Slave {
    fn word(&mut self, _: WordTable, address: u16) -> Result<u16, Exception> {
        Ok(match address % 4 {
            0 => u16::from(self.unit),
            1 => address - 1,
            2 => (self.now_ms >> 16) as u16,
            _ => self.now_ms as u16,
        })
    }

    fn write_words(&mut self, address: u16, values: Words<'_>) -> Result<(), Exception> {
        let value = values.get(0).filter(|_| address == 1_000).ok_or(Exception::IllegalAddress)?;
        self.written = value;
        self.writes += 1;
        Ok(())
    }
}

/// What four words say of where and when they were read.
pub(crate) fn told(frame: &[u8]) -> (u8, u16, u64) {
    let (_, pdu) = frame::open(frame).expect("the bus gives sound frames");
    let words: Vec<u16> = Words::of(&pdu[2..]).expect("whole words").iter().collect();
    (words[0] as u8, words[1], u64::from(words[2]) << 16 | u64::from(words[3]))
}

/// How likely each fault is, in thousandths of all requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) noise: u64,
    pub(crate) cut: u64,
    pub(crate) flip: u64,
    pub(crate) echo: u64,
    pub(crate) late: u64,
    pub(crate) foreign: u64,
    pub(crate) dead: u64,
    pub(crate) gone: u64,
}

impl Faults {
    pub(crate) fn all(per_mille: u64) -> Faults {
        let p = per_mille;
        Faults { noise: p, cut: p, flip: p, echo: p, late: p, foreign: p, dead: p, gone: p }
    }
}

/// How often each fault really happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Happened {
    pub(crate) noise: u64,
    pub(crate) cut: u64,
    pub(crate) flip: u64,
    pub(crate) echo: u64,
    pub(crate) late: u64,
    pub(crate) foreign: u64,
    pub(crate) dead: u64,
    pub(crate) gone: u64,
}

enum Event {
    /// Octets reach the master, if the port was not opened anew since.
    Octets(Vec<u8>, u64),
    Port(Port),
}

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) now: Mono,
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) happened: Happened,
    pub(crate) slaves: BTreeMap<u8, Slave>,
    /// Until when a unit answers nothing.
    pub(crate) dead_until: BTreeMap<u8, Mono>,
    pub(crate) line: Line,
    timeout_ms: u64,
    events: BinaryHeap<Reverse<(Mono, u64)>>,
    what: BTreeMap<u64, Event>,
    serial: u64,
    /// Counts openings of the port.
    opened: u64,
    is_open: bool,
    /// When the request on the line was sent.
    pub(crate) sent_at: Mono,
    /// What was last brought to the master, whole: a frame it takes that is none of these was put together by chance.
    brought: VecDeque<Vec<u8>>,
    /// Steps in which no time passed.
    still: u32,
}

impl World {
    pub(crate) fn new(bus: Bus, line: Line, timeout_ms: u64, units: u8, dice: Dice, faults: Faults) -> World {
        let slaves = (1..=units).map(|unit| (unit, Slave { unit, now_ms: 0, written: 0, writes: 0 }));
        let mut world = World {
            bus,
            now: Mono(10_000),
            dice,
            faults,
            happened: Happened::default(),
            slaves: slaves.collect(),
            dead_until: BTreeMap::new(),
            line,
            timeout_ms,
            events: BinaryHeap::new(),
            what: BTreeMap::new(),
            serial: 0,
            opened: 0,
            is_open: false,
            sent_at: Mono(0),
            brought: VecDeque::new(),
            still: 0,
        };
        world.port(Port::Open);
        world
    }

    fn at(&mut self, at: Mono, event: Event) {
        self.serial += 1;
        self.events.push(Reverse((at, self.serial)));
        self.what.insert(self.serial, event);
    }

    fn port(&mut self, port: Port) {
        self.is_open = port == Port::Open;
        self.opened += 1;
        self.bus.handle_port(port, self.now);
    }

    /// Octets on their way to the master: one after the other, in one to three pieces.
    fn bring(&mut self, from: Mono, octets: &[u8]) {
        self.brought.push_back(octets.to_vec());
        if self.brought.len() > 64 {
            self.brought.pop_front();
        }
        let pieces = 1 + self.dice.roll(3) as usize;
        let size = octets.len().div_ceil(pieces).max(1);
        let mut sent = 0;
        for piece in octets.chunks(size) {
            sent += piece.len();
            let time_ms = (sent as u64 * u64::from(self.line.octet_us)).div_ceil(1_000);
            let opened = self.opened;
            self.at(from.plus_ms(time_ms), Event::Octets(piece.to_vec(), opened));
        }
    }

    /// The master put a request on the line.
    fn transmitted(&mut self, octets: &[u8]) {
        self.sent_at = self.now;
        let time_ms = (octets.len() as u64 * u64::from(self.line.octet_us)).div_ceil(1_000);
        let end = self.now.plus_ms(time_ms);
        let faults = self.faults;
        if self.dice.chance(faults.gone) {
            self.happened.gone += 1;
            let at = self.now.plus_ms(self.dice.roll(80));
            let back = at.plus_ms(300 + self.dice.roll(2_000));
            self.at(at, Event::Port(Port::Gone(Lost::Unplugged)));
            self.at(back, Event::Port(Port::Open));
        }
        if self.dice.chance(faults.echo) {
            self.happened.echo += 1;
            self.bring(self.now, octets);
        }
        if self.dice.chance(faults.noise) {
            self.happened.noise += 1;
            let noise: Vec<u8> = (0..=self.dice.roll(12)).map(|_| self.dice.roll(256) as u8).collect();
            let at = end.plus_ms(self.dice.roll(self.timeout_ms));
            self.bring(at, &noise);
        }
        if self.dice.chance(faults.foreign) {
            self.happened.foreign += 1;
            let foreign = self.foreign(octets);
            let at = end.plus_ms(self.dice.roll(self.timeout_ms));
            self.bring(at, &foreign);
        }
        let mut heard = octets.to_vec();
        let flips = self.dice.chance(faults.flip);
        let flips_request = flips && self.dice.roll(2) == 0;
        if flips_request {
            self.happened.flip += 1;
            self.flip(&mut heard);
        }
        let unit = heard.first().copied().unwrap_or(0);
        if self.dice.chance(faults.dead) {
            self.happened.dead += 1;
            let until = self.now.plus_ms(1_000 + self.dice.roll(10_000));
            self.dead_until.insert(unit, until);
        }
        if self.dead_until.get(&unit).is_some_and(|until| self.now < *until) {
            return;
        }
        let Some(slave) = self.slaves.get_mut(&unit) else { return };
        slave.now_ms = end.0;
        let mut out = [0; MOST_FRAME];
        let Some(len) = serve(unit, &heard, slave, &mut out) else { return };
        let mut answer = out[..len].to_vec();
        let mut delay_ms = 4 + self.dice.roll(60);
        if flips && !flips_request {
            self.happened.flip += 1;
            self.flip(&mut answer);
        }
        if self.dice.chance(faults.cut) {
            self.happened.cut += 1;
            answer.truncate(self.dice.roll(answer.len() as u64) as usize);
        }
        if self.dice.chance(faults.late) {
            self.happened.late += 1;
            // Its last octet comes no later than the assumption says.
            let length_ms = (answer.len() as u64 * u64::from(self.line.octet_us)).div_ceil(1_000);
            let room_ms = u64::from(self.line.late_ms).saturating_sub(length_ms + 1);
            delay_ms = self.timeout_ms + 1 + self.dice.roll(room_ms);
        }
        self.bring(end.plus_ms(delay_ms), &answer);
    }

    /// Whether somebody on the line really said this frame.
    pub(crate) fn was_said(&self, frame: &[u8]) -> bool {
        self.brought.iter().any(|octets| octets == frame)
    }

    fn flip(&mut self, octets: &mut [u8]) {
        let bit = self.dice.roll(octets.len() as u64 * 8) as usize;
        octets[bit / 8] ^= 1 << (bit % 8);
    }

    /// A sound answer that answers nobody here: of a unit that another master asks, of another function, or of another
    /// byte count. (One in the name of a unit that is asked here, with function and byte count as asked, cannot be told
    /// by anybody.) Its values are of unit 0xEE.
    fn foreign(&mut self, request: &[u8]) -> Vec<u8> {
        let (mut unit, mut code) = (request[0], request[1]);
        let mut words = 4;
        match self.dice.roll(3) {
            0 => unit = 9 + self.dice.roll(30) as u8,
            1 => code = 4,
            _ => (code, words) = (3, 1 + self.dice.roll(3) as usize),
        }
        if code == 6 {
            code = 3;
        }
        let mut frame = vec![unit, code, words as u8 * 2];
        frame.extend((0..words).flat_map(|_| [0, 0xee]));
        let crc = roundsman_rtu::crc::crc16(&frame);
        frame.extend(crc.to_le_bytes());
        frame
    }

    /// Lets the bus act, then goes on to the next moment at which something happens, `limit` at the latest. Gives what
    /// ended.
    pub(crate) fn step(&mut self, limit: Mono) -> Vec<(Ticket, Outcome)> {
        if self.is_open {
            while let Some(octets) = self.bus.poll_transmit(self.now) {
                self.transmitted(&octets);
            }
        }
        match self.bus.poll_action() {
            Some(Action::Reopen) if self.is_open => {
                self.port(Port::Gone(Lost::Closed));
                self.at(self.now.plus_ms(20), Event::Port(Port::Open));
            }
            Some(Action::Open) if self.is_open => self.bus.handle_port(Port::Open, self.now),
            _ => {}
        }
        let mut done = Vec::new();
        while let Some(ended) = self.bus.poll_done() {
            done.push((ended.ticket, ended.outcome));
        }
        while self.bus.poll_event().is_some() {}
        if !done.is_empty() {
            return done;
        }
        let due = self.events.peek().map(|Reverse((at, _))| *at);
        let timeout = self.bus.poll_timeout();
        let next = due.into_iter().chain(timeout).chain([limit]).min().unwrap_or(limit);
        self.still = if next > self.now { 0 } else { self.still + 1 };
        assert!(self.still < 10_000, "time stands still: {:?}", self.bus);
        self.now = self.now.max(next);
        if due.is_some_and(|due| due <= self.now) {
            let Some(Reverse((_, serial))) = self.events.pop() else { return done };
            match self.what.remove(&serial) {
                Some(Event::Octets(octets, opened)) if opened == self.opened && self.is_open => {
                    self.bus.handle_octets(&octets, self.now);
                }
                Some(Event::Port(port)) => self.port(port),
                _ => {}
            }
        } else {
            self.bus.handle_timeout(self.now);
        }
        done
    }
}

/// A request's PDU.
pub(crate) fn pdu(request: &Request<'_>) -> Vec<u8> {
    let mut out = [0; MOST_FRAME];
    let len = request.write(&mut out).expect("a request that can be written");
    out[..len].to_vec()
}
