//! XY-MD02: temperature and humidity in input registers 1 and 2, in tenths.

use super::{Slave, signed_word, word};
use crate::scene::{Forced, Unrest, load_at, mix};
use roundsman_rtu::exception::Exception;
use roundsman_rtu::slave::{Registers, WordTable, answer};

/// What it feels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::bus) struct Climate {
    pub(in crate::bus) celsius: f64,
    pub(in crate::bus) humidity: f64,
}

impl Registers for Climate {
    fn word(&mut self, table: WordTable, address: u16) -> Result<u16, Exception> {
        match (table, address) {
            (WordTable::Input, 1) => Ok(signed_word(self.celsius, 0.1)),
            (WordTable::Input, 2) => Ok(word(self.humidity, 0.1)),
            _ => Err(Exception::IllegalAddress),
        }
    }
}

/// A machine room's sensor: a little warmer while all work.
pub(in crate::bus) struct Sensor {
    unrest: Unrest,
    heat: Forced,
}

impl Sensor {
    pub(in crate::bus) fn new(seed: u64) -> Sensor {
        Sensor { unrest: Unrest::of(mix(seed, 1)), heat: Forced::default() }
    }

    pub(in crate::bus) fn climate(&self, now: f64) -> Climate {
        let busy = load_at(now) * self.unrest.factor(now);
        Climate { celsius: self.heat.value(21.0 + 3.5 * busy, now), humidity: 48.0 - 6.0 * busy }
    }
}

impl Slave for Sensor {
    fn answer(&mut self, pdu: &[u8], now: f64, out: &mut [u8]) -> usize {
        answer(pdu, &mut self.climate(now), out)
    }

    fn heat(&mut self, to: Option<f64>, now: f64) {
        self.heat.set(to, now);
    }
}
