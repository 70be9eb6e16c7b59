//! The probe board of a machine room: the firmware that real boards run, in a room that is made up.

use super::Slave;
use crate::scene::{Forced, Unrest, load_at, mix};
use roundsman_probe::config::{Flash, FlashFault, SLOT};
use roundsman_probe::contact::MAINS;
use roundsman_probe::filter::Reading;
use roundsman_probe::probe::{Identity, Probe as Firmware};
use roundsman_probe::slave::Slave as Line;
use roundsman_probe::watchdog::Watchdog;
use roundsman_registers::{CHANNELS, Channel, ResetCause, command};
use roundsman_rtu::frame;
use roundsman_rtu::request::Request;
use roundsman_rtu::{MOST_FRAME, MOST_PDU};

/// The board's kind by its map: a program on a host.
const HOST: u16 = 2;
/// The board's loop turns so often, in ms of its own time.
const TURN_MS: u64 = 50;
/// Most time that is lived through turn by turn; before it the board stood still, as on a machine that slept.
const MOST_LIVED_MS: u64 = 60_000;
/// The watchdog restarts the board after so long without being fed.
const HUNGER_MS: u64 = 8_000;
/// How long the board has been running when the virtual site starts.
const AGE_MS: u64 = 3 * 86_400_000;
/// Holding registers of the heartbeat and of orders.
const HEARTBEAT: u16 = 0;
const COMMAND: u16 = 5;

/// Flash in memory.
#[derive(Debug)]
struct Memory([[u8; SLOT]; 2]);

impl Flash for Memory {
    fn read(&mut self, slot: usize, out: &mut [u8; SLOT]) -> Result<(), FlashFault> {
        *out = *self.0.get(slot).ok_or(FlashFault)?;
        Ok(())
    }

    fn erase(&mut self, slot: usize) -> Result<(), FlashFault> {
        *self.0.get_mut(slot).ok_or(FlashFault)? = [0xff; SLOT];
        Ok(())
    }

    fn write(&mut self, slot: usize, octets: &[u8; SLOT]) -> Result<(), FlashFault> {
        *self.0.get_mut(slot).ok_or(FlashFault)? = *octets;
        Ok(())
    }
}

/// A watchdog in the board's own time.
#[derive(Debug, Default)]
struct Dog {
    was_fed: bool,
    hungry_ms: u64,
}

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.was_fed = true;
    }
}

/// The air, the supplies and the fans of a machine room.
struct Room {
    unrest: Unrest,
    heat: Forced,
}

impl Room {
    /// What the sensors say, in the order of the channels and in their steps.
    fn readings(&self, now: f64) -> [Reading; CHANNELS] {
        let unrest = self.unrest.factor(now);
        let busy = load_at(now) * unrest;
        let inlet = self.heat.value(21.0 + 3.0 * busy, now);
        let outlet = inlet + 6.0 + 3.0 * busy;
        // The same water in warmer air; it is one room, so both have it.
        let water = vapour(10.5);
        let fan = |n: f64| 1_900.0 + 45.0 * (inlet - 18.0).max(0.0) + 12.0 * n * unrest;
        Channel::ALL.map(|channel| {
            let steps = match channel {
                Channel::Temperature1 => inlet * 10.0,
                Channel::Temperature2 => outlet * 10.0,
                Channel::Humidity1 => 1_000.0 * water / vapour(inlet),
                Channel::Humidity2 => 1_000.0 * water / vapour(outlet),
                Channel::Pm25 => 14.0 + 6.0 * busy,
                Channel::Pm10 => 24.0 + 11.0 * busy,
                Channel::Supply12 => 1_206.0 - 4.0 * busy,
                Channel::Supply48 => 4_830.0 - 20.0 * busy,
                Channel::Current => 310.0 + 40.0 * busy,
                Channel::Fan1 => fan(0.0),
                Channel::Fan2 => fan(1.0),
                Channel::Fan3 => fan(-1.0),
                Channel::Fan4 => fan(2.0),
                Channel::Airflow => 165.0 + 20.0 * busy,
            };
            Reading::Value(steps.round() as i32)
        })
    }
}

/// Pressure of saturated water vapour at a temperature in Cel, up to a factor (Magnus, WMO-No. 8).
fn vapour(celsius: f64) -> f64 {
    (17.62 * celsius / (243.12 + celsius)).exp()
}

/// The board in its room. What stands outside is moments in seconds since 1970; the board counts its own milliseconds.
pub(in crate::bus) struct Probe {
    room: Room,
    firmware: Option<Firmware<Memory>>,
    line: Line,
    dog: Dog,
    serial: u32,
    /// The moment at which its milliseconds began, and how far they are.
    began: f64,
    lived_ms: u64,
}

impl Probe {
    /// One that was set up and has been running for a while.
    pub(in crate::bus) fn new(seed: u64, now: f64) -> Probe {
        let mut probe = Probe {
            room: Room { unrest: Unrest::of(mix(seed, 1)), heat: Forced::default() },
            firmware: None,
            line: Line::new(),
            dog: Dog::default(),
            serial: 20_000 + (seed % 10_000) as u32,
            began: now - (AGE_MS / 1_000) as f64,
            lived_ms: 0,
        };
        probe.start(ResetCause::PowerOn);
        probe.write(COMMAND, command::SAVE);
        probe.start(ResetCause::PowerOn);
        probe.live(now);
        probe.write(HEARTBEAT, 1);
        probe
    }

    /// Power comes, or a reset: what flash keeps stays.
    fn start(&mut self, reset: ResetCause) {
        let flash = self.firmware.take().map_or(Memory([[0xff; SLOT]; 2]), Firmware::into_flash);
        let identity = Identity { board: HOST, serial: self.serial, reset, watchdog: true };
        self.firmware = Some(Firmware::new(identity, flash));
        self.line = Line::new();
        self.dog = Dog::default();
    }

    /// Whoever set it up, or supervised it until now, writes a register.
    fn write(&mut self, address: u16, value: u16) {
        let mut pdu = [0; MOST_PDU];
        if let Ok(len) = (Request::WriteSingleRegister { address, value }).write(&mut pdu) {
            self.exchange(&pdu[..len], &mut [0; MOST_PDU]);
        }
    }

    /// Its loop turns until `now`.
    fn live(&mut self, now: f64) {
        let until_ms = ((now - self.began) * 1_000.0).max(0.0) as u64;
        if until_ms.saturating_sub(self.lived_ms) > MOST_LIVED_MS {
            self.turn(0);
            self.lived_ms = until_ms - MOST_LIVED_MS;
        }
        while self.lived_ms + TURN_MS <= until_ms {
            self.lived_ms += TURN_MS;
            self.turn(TURN_MS);
            if self.dog.hungry_ms > HUNGER_MS {
                self.start(ResetCause::Watchdog);
            }
        }
    }

    /// One turn of it, as every board makes them; `passed_ms` since the last one.
    fn turn(&mut self, passed_ms: u64) {
        let Some(firmware) = &mut self.firmware else { return };
        let now_ms = self.lived_ms as u32;
        firmware.tick(now_ms, MAINS);
        if firmware.sample_due() {
            firmware.sample(&self.room.readings(self.began + self.lived_ms as f64 / 1_000.0));
        }
        // It ends nothing: frames come and are answered whole, in one moment.
        self.line.turn(now_ms, firmware);
        firmware.feed(&mut self.dog);
        self.dog.hungry_ms = if self.dog.was_fed { 0 } else { self.dog.hungry_ms + passed_ms };
        self.dog.was_fed = false;
    }

    /// A request's PDU, octet by octet as a frame to the board; gives the length of the answer's PDU.
    fn exchange(&mut self, pdu: &[u8], out: &mut [u8]) -> usize {
        let Some(firmware) = &mut self.firmware else { return 0 };
        let mut request = [0; MOST_FRAME];
        request[0] = firmware.unit();
        let Some(body) = request.get_mut(1..1 + pdu.len()) else { return 0 };
        body.copy_from_slice(pdu);
        let Some(len) = frame::seal(1 + pdu.len(), &mut request) else { return 0 };
        let now_ms = self.lived_ms as u32;
        let mut answer = Vec::new();
        for octet in &request[..len] {
            answer.extend_from_slice(self.line.octet(now_ms, *octet, firmware).unwrap_or(&[]));
        }
        if answer.is_empty() {
            // A function that nobody knows is as long as it lasts.
            let silent_ms = now_ms.wrapping_add(firmware.silence_ms());
            answer.extend_from_slice(self.line.turn(silent_ms, firmware).unwrap_or(&[]));
        }
        let Some((_, said)) = frame::open(&answer) else { return 0 };
        let Some(place) = out.get_mut(..said.len()) else { return 0 };
        place.copy_from_slice(said);
        said.len()
    }
}

impl Slave for Probe {
    fn answer(&mut self, pdu: &[u8], now: f64, out: &mut [u8]) -> usize {
        self.live(now);
        let len = self.exchange(pdu, out);
        if self.firmware.as_ref().is_some_and(Firmware::restart) {
            self.start(ResetCause::Software);
        }
        len
    }

    fn heat(&mut self, to: Option<f64>, now: f64) {
        self.live(now);
        self.room.heat.set(to, now);
    }
}
