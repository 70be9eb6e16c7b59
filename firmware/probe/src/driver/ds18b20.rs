//! Maxim DS18B20: one thermometer on a 1-Wire line (data sheet 19-7487, revision 6).

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};

use super::one_wire::OneWire;

const SKIP_ROM: u8 = 0xcc;
const CONVERT: u8 = 0x44;
const READ_SCRATCHPAD: u8 = 0xbe;
/// +85 Cel, the register's content after power on.
const POWER_ON: i16 = 0x0550;
/// The octet "reserved" beside it, which a conversion changes (so does the `w1_therm` driver of Linux tell them apart).
const POWER_ON_RESERVED: u8 = 0x0c;
/// What it reads as when its supply was too weak to convert.
const WEAK: i16 = 0x07ff;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<E> {
    /// The pin failed.
    Pin(E),
    /// Nobody answered a reset, or the line is shorted.
    Absent,
    /// The checksum was wrong.
    Crc,
    /// It lost its supply and has not converted since.
    NotConverted,
}

/// CRC-8 of Maxim's 1-Wire devices: polynomial 0x31, lowest bit first, from 0. `02 1c b8 01 00 00 00` gives `a2`
/// (application note 27).
pub fn crc8(octets: &[u8]) -> u8 {
    octets.iter().fold(0, |crc, octet| {
        (0..8).fold(crc ^ octet, |crc: u8, _| if crc & 1 != 0 { crc >> 1 ^ 0x8c } else { crc >> 1 })
    })
}

/// Temperature in 0.1 Cel of what the nine octets of a scratchpad say.
pub fn temperature<E>(scratchpad: &[u8; 9]) -> Result<i32, Fault<E>> {
    // Eight zeros have a right checksum: a line that is held down.
    if scratchpad[8] != crc8(&scratchpad[..8]) || scratchpad == &[0; 9] {
        return Err(Fault::Crc);
    }
    let raw = i16::from_le_bytes([scratchpad[0], scratchpad[1]]);
    if raw == WEAK || (raw == POWER_ON && scratchpad[6] == POWER_ON_RESERVED) {
        return Err(Fault::NotConverted);
    }
    // Steps of a sixteenth; the half is rounded up.
    Ok((i32::from(raw) * 10 + 8) >> 4)
}

/// One thermometer that owns its line.
#[derive(Debug)]
pub struct Ds18b20<P, D> {
    line: OneWire<P, D>,
    started: bool,
}

impl<P: InputPin + OutputPin, D: DelayNs> Ds18b20<P, D> {
    /// One that was never asked.
    pub fn new(line: OneWire<P, D>) -> Ds18b20<P, D> {
        Ds18b20 { line, started: false }
    }

    /// What it measured since it was last asked, in 0.1 Cel, and starts the next conversion, which takes up to 750 ms.
    /// `None` while one is under way, and the first time. Holds the processor for 7 ms.
    pub fn read(&mut self) -> Result<Option<i32>, Fault<P::Error>> {
        if self.started && !self.line.bit().map_err(Fault::Pin)? {
            return Ok(None);
        }
        let measured = if self.started { self.scratchpad().map(Some) } else { Ok(None) };
        self.started = false;
        self.begin(CONVERT)?;
        self.started = true;
        measured
    }

    fn scratchpad(&mut self) -> Result<i32, Fault<P::Error>> {
        self.begin(READ_SCRATCHPAD)?;
        let mut octets = [0; 9];
        for octet in &mut octets {
            *octet = self.line.read().map_err(Fault::Pin)?;
        }
        temperature(&octets)
    }

    fn begin(&mut self, order: u8) -> Result<(), Fault<P::Error>> {
        if !self.line.reset().map_err(Fault::Pin)? {
            return Err(Fault::Absent);
        }
        self.line.write(SKIP_ROM).and_then(|()| self.line.write(order)).map_err(Fault::Pin)
    }
}
