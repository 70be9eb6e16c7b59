//! A digital conference host with the map of the profile `modbus-generic`: in session while the house works, on standby
//! at night.

use super::{Slave, signed_word, word};
use crate::scene::{Forced, load_at, share};
use roundsman_rtu::exception::Exception;
use roundsman_rtu::slave::{BitTable, Registers, WordTable, answer};
use roundsman_rtu::values::{Bits, Words};

/// Delegate units on its lines.
const UNITS: u16 = 24;

/// Its model, in eight registers from holding 16 on.
const MODEL: &[u8; 16] = b"HCS-100\0\0\0\0\0\0\0\0\0";

/// Below this load nobody is in the house, above the other one a meeting is held.
const STANDBY: f64 = 0.1;
const MEETING: f64 = 0.6;

/// Holding register of the mode of speaking: its low four bits.
const MODE: u16 = 0;
const MODES: u16 = 4;

/// What it is at a moment.
struct Picture<'a> {
    host: &'a mut Host,
    now: f64,
}

/// The host.
pub(in crate::bus) struct Host {
    /// The mode of speaking as it was written last.
    mode: u16,
    seed: u64,
    boot: f64,
    heat: Forced,
}

impl Host {
    pub(in crate::bus) fn new(seed: u64, now: f64) -> Host {
        let boot = now - 86_400.0 * (1.0 + 60.0 * share(seed, 1));
        Host { mode: 0, seed, boot, heat: Forced::default() }
    }

    /// 0 standby, 1 idle, 2 in session.
    fn state(&self, now: f64) -> u16 {
        match load_at(now) {
            load if load < STANDBY => 0,
            load if load > MEETING => 2,
            _ => 1,
        }
    }

    fn celsius(&self, now: f64) -> f64 {
        self.heat.value(34.0 + 4.0 * share(self.seed, 2) + 6.0 * load_at(now), now)
    }
}

impl Registers for Picture<'_> {
    fn bit(&mut self, table: BitTable, address: u16) -> Result<bool, Exception> {
        match (table, address) {
            // Neither line nor power supply has a fault, and no microphone stays off by order.
            (BitTable::DiscreteInputs, 0..=2) | (BitTable::Coils, 0) => Ok(false),
            _ => Err(Exception::IllegalAddress),
        }
    }

    fn word(&mut self, table: WordTable, address: u16) -> Result<u16, Exception> {
        let host = &self.host;
        let uptime_s = (self.now - host.boot).max(0.0) as u32;
        Ok(match (table, address) {
            (WordTable::Input, 0) => host.state(self.now),
            (WordTable::Input, 1 | 2) => word(f64::from(UNITS), 1.0),
            (WordTable::Input, 3) => signed_word(host.celsius(self.now), 0.1),
            (WordTable::Input, 4) => (uptime_s >> 16) as u16,
            (WordTable::Input, 5) => uptime_s as u16,
            (WordTable::Holding, MODE) => host.mode,
            (WordTable::Holding, 16..24) => {
                let at = usize::from(address - 16) * 2;
                u16::from_be_bytes([MODEL[at], MODEL[at + 1]])
            }
            _ => return Err(Exception::IllegalAddress),
        })
    }

    fn write_bits(&mut self, address: u16, values: Bits<'_>) -> Result<(), Exception> {
        // Switching all microphones off is carried out at once and leaves nothing behind.
        if address == 0 && values.count() == 1 { Ok(()) } else { Err(Exception::IllegalAddress) }
    }

    fn write_words(&mut self, address: u16, values: Words<'_>) -> Result<(), Exception> {
        match values.get(0) {
            Some(mode) if address == MODE && values.count() == 1 => {
                if mode >= MODES {
                    return Err(Exception::IllegalValue);
                }
                self.host.mode = mode;
                Ok(())
            }
            _ => Err(Exception::IllegalAddress),
        }
    }
}

impl Slave for Host {
    fn answer(&mut self, pdu: &[u8], now: f64, out: &mut [u8]) -> usize {
        answer(pdu, &mut Picture { host: self, now }, out)
    }

    fn heat(&mut self, to: Option<f64>, now: f64) {
        self.heat.set(to, now);
    }
}
