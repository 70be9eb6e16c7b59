//! Sensirion SHT3x and SHT4x: temperature and humidity at the same addresses (datasheets SHT3x-DIS, December 2022,
//! sections 4.3 to 4.13; SHT4x, version 6, sections 4.4 to 4.6).

use embedded_hal::i2c::I2c;

use super::sensirion::word;

/// The address of most; the second one of SHT3x has its ADDR pin up, of SHT4x another order code (SHT40-BD1B).
pub const ADDRESSES: [u8; 2] = [0x44, 0x45];

/// Longest time from [`Sht::start`] to a value in ms: 15.5 ms of an SHT3x at high repeatability, 8.3 ms of an SHT4x.
pub const CONVERSION_MS: u32 = 16;

/// Failures in a row after which another kind may have been put in.
const FORGETS: u8 = 3;

/// Temperature and humidity of one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Climate {
    /// Temperature in 0.1 Cel.
    pub decicelsius: i32,
    /// Relative humidity in 0.1 %, 0 to 1000.
    pub permille: i32,
}

/// Which kind is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sht4x,
    Sht3x,
}

/// One sensor, whichever kind answers.
#[derive(Debug)]
pub struct Sht {
    address: u8,
    kind: Kind,
    known: bool,
    started: bool,
    failures: u8,
}

impl Sht {
    /// One that was never heard.
    pub fn new(address: u8) -> Sht {
        Sht { address, kind: Kind::Sht4x, known: false, started: false, failures: 0 }
    }

    /// Whether one of the kinds has answered.
    pub fn known(&self) -> bool {
        self.known
    }

    /// Starts a measurement.
    pub fn start<I: I2c>(&mut self, bus: &mut I) {
        let order: &[u8] = match self.kind {
            Kind::Sht4x => &[0xfd],
            // Not 0x2400, which needs no clock stretching: its first octet turns on the heater of an SHT4x, whose next
            // value would be warm, dry and have a right checksum. Nothing is stretched when it is fetched late enough.
            Kind::Sht3x => &[0x2c, 0x06],
        };
        self.started = bus.write(self.address, order).is_ok();
    }

    /// What it measured, [`CONVERSION_MS`] after the start. `None`: it did not answer, or not rightly. Then the other
    /// kind is asked next, unless one has answered a short while ago.
    pub fn read<I: I2c>(&mut self, bus: &mut I) -> Option<Climate> {
        let measured = self.measured(bus);
        if measured.is_some() {
            self.known = true;
            self.failures = 0;
            return measured;
        }
        self.failures = self.failures.saturating_add(1);
        if !self.known || self.failures >= FORGETS {
            self.known = false;
            self.kind = if self.kind == Kind::Sht4x { Kind::Sht3x } else { Kind::Sht4x };
        }
        None
    }

    fn measured<I: I2c>(&mut self, bus: &mut I) -> Option<Climate> {
        let mut octets = [0; 6];
        if !core::mem::take(&mut self.started) || bus.read(self.address, &mut octets).is_err() {
            return None;
        }
        let [temperature, humidity] = [word::<()>(&octets[..3]).ok()?, word::<()>(&octets[3..]).ok()?];
        let share = |span: i64, raw: u16| ((span * i64::from(raw) + 32_767) / 65_535) as i32;
        let permille = match self.kind {
            // It means more than the range at both ends, to be cut off (SHT4x, section 4.6).
            Kind::Sht4x => (share(1_250, humidity) - 60).clamp(0, 1_000),
            Kind::Sht3x => share(1_000, humidity),
        };
        Some(Climate { decicelsius: share(1_750, temperature) - 450, permille })
    }
}
