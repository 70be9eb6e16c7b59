//! PZEM-004T v3: a single-phase meter; 32 bits come with the low word first, function 42 sets the energy to zero.

use super::{Slave, word};
use crate::scene::{Unrest, load_at, mix};
use roundsman_rtu::exception::Exception;
use roundsman_rtu::slave::{Registers, WordTable, answer};

/// The maker's own function that sets the energy to zero.
const RESET_ENERGY: u8 = 0x42;

/// Power at rest and at the busiest moment, in watts.
const REST_W: f64 = 420.0;
const BUSY_W: f64 = 2_300.0;

const POWER_FACTOR: f64 = 0.95;

/// What it measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::bus) struct Mains {
    pub(in crate::bus) volts: f64,
    pub(in crate::bus) amperes: f64,
    pub(in crate::bus) watts: f64,
    pub(in crate::bus) watt_hours: f64,
    pub(in crate::bus) hertz: f64,
    pub(in crate::bus) power_factor: f64,
    pub(in crate::bus) overload: bool,
    /// Set by a request that asks for the energy to begin anew.
    pub(in crate::bus) is_reset: bool,
}

impl Registers for Mains {
    fn word(&mut self, table: WordTable, address: u16) -> Result<u16, Exception> {
        if table != WordTable::Input {
            return Err(Exception::IllegalAddress);
        }
        let long = |value: f64, step: f64| (value / step).round().clamp(0.0, f64::from(u32::MAX)) as u32;
        let (low, high) = (|long: u32| long as u16, |long: u32| (long >> 16) as u16);
        Ok(match address {
            0 => word(self.volts, 0.1),
            1 => low(long(self.amperes, 0.001)),
            2 => high(long(self.amperes, 0.001)),
            3 => low(long(self.watts, 0.1)),
            4 => high(long(self.watts, 0.1)),
            5 => low(long(self.watt_hours, 1.0)),
            6 => high(long(self.watt_hours, 1.0)),
            7 => word(self.hertz, 0.1),
            8 => word(self.power_factor, 0.01),
            9 if self.overload => u16::MAX,
            9 => 0,
            _ => return Err(Exception::IllegalAddress),
        })
    }

    fn other(&mut self, function: u8, data: &[u8], _: &mut [u8]) -> Result<usize, Exception> {
        if function != RESET_ENERGY || !data.is_empty() {
            return Err(Exception::IllegalFunction);
        }
        self.is_reset = true;
        Ok(0)
    }
}

/// The meter of a distribution board: what it carries follows the day.
pub(in crate::bus) struct Meter {
    unrest: Unrest,
    /// Energy counts from here, in seconds since 1970.
    since: f64,
}

impl Meter {
    pub(in crate::bus) fn new(seed: u64, now: f64) -> Meter {
        // Reset some hundred hours ago.
        let hours = 100.0 + (mix(seed, 2) % 400) as f64;
        Meter { unrest: Unrest::of(mix(seed, 1)), since: now - hours * 3_600.0 }
    }

    pub(in crate::bus) fn mains(&self, now: f64) -> Mains {
        let busy = load_at(now) * self.unrest.factor(now);
        let volts = 229.0 - 4.0 * load_at(now);
        let watts = REST_W + (BUSY_W - REST_W) * busy;
        let joules = REST_W * (now - self.since)
            + (BUSY_W - REST_W) * (self.unrest.amount(now) - self.unrest.amount(self.since));
        Mains {
            volts,
            amperes: watts / volts / POWER_FACTOR,
            watts,
            watt_hours: joules / 3_600.0,
            hertz: 50.0,
            power_factor: POWER_FACTOR,
            overload: false,
            is_reset: false,
        }
    }
}

impl Slave for Meter {
    fn answer(&mut self, pdu: &[u8], now: f64, out: &mut [u8]) -> usize {
        let mut mains = self.mains(now);
        let len = answer(pdu, &mut mains, out);
        if mains.is_reset {
            self.since = now;
        }
        len
    }
}
