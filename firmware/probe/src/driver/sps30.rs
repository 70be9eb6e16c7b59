//! Sensirion SPS30 on I²C (datasheet version 1.0, section 6).

use embedded_hal::i2c::I2c;

use super::pms::Dust;

/// Its address.
pub const ADDRESS: u8 = 0x69;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<E> {
    /// The bus failed, or nobody answered.
    Bus(E),
    /// A checksum was wrong.
    Crc,
}

/// CRC-8 of two octets: polynomial 0x31, from 0xff.
fn crc8(octets: &[u8]) -> u8 {
    octets.iter().fold(0xff, |crc, octet| {
        (0..8).fold(crc ^ octet, |crc: u8, _| if crc & 0x80 != 0 { crc << 1 ^ 0x31 } else { crc << 1 })
    })
}

fn word<E>(from: &[u8]) -> Result<u16, Fault<E>> {
    match *from {
        [high, low, crc] if crc == crc8(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Fault::Crc),
    }
}

/// An SPS30 that owns its bus, or a share of it.
#[derive(Debug)]
pub struct Sps30<I> {
    bus: I,
}

impl<I: I2c> Sps30<I> {
    /// One at its only address.
    pub fn new(bus: I) -> Sps30<I> {
        Sps30 { bus }
    }

    /// Starts measuring with whole numbers as output (command 0x0010, 0x0500).
    pub fn start(&mut self) -> Result<(), Fault<I::Error>> {
        self.bus.write(ADDRESS, &[0x00, 0x10, 0x05, 0x00, crc8(&[0x05, 0x00])]).map_err(Fault::Bus)
    }

    /// What it measured, at most once a second; `None` while nothing is new (commands 0x0202, 0x0300).
    pub fn read(&mut self) -> Result<Option<Dust>, Fault<I::Error>> {
        let mut ready = [0; 3];
        self.bus.write(ADDRESS, &[0x02, 0x02]).map_err(Fault::Bus)?;
        self.bus.read(ADDRESS, &mut ready).map_err(Fault::Bus)?;
        if word(&ready)? & 1 == 0 {
            return Ok(None);
        }
        // PM1.0, PM2.5, PM4.0, PM10.
        let mut mass = [0; 12];
        self.bus.write(ADDRESS, &[0x03, 0x00]).map_err(Fault::Bus)?;
        self.bus.read(ADDRESS, &mut mass).map_err(Fault::Bus)?;
        Ok(Some(Dust { pm25: word(&mass[3..6])?, pm10: word(&mass[9..12])? }))
    }
}
