//! Sensirion SPS30 on I²C (datasheet version 1.0, section 6).

use embedded_hal::i2c::I2c;

use super::pms::Dust;
use super::sensirion::{Fault, crc8, word};

/// Its address.
pub const ADDRESS: u8 = 0x69;

/// Starts measuring with whole numbers as output (command 0x0010, 0x0500). One that measures already refuses it.
pub fn start<I: I2c>(bus: &mut I) -> Result<(), Fault<I::Error>> {
    bus.write(ADDRESS, &[0x00, 0x10, 0x05, 0x00, crc8(&[0x05, 0x00])]).map_err(Fault::Bus)
}

/// What it measured, at most once a second; `None` while nothing is new (commands 0x0202, 0x0300).
pub fn read<I: I2c>(bus: &mut I) -> Result<Option<Dust>, Fault<I::Error>> {
    let mut ready = [0; 3];
    bus.write(ADDRESS, &[0x02, 0x02]).map_err(Fault::Bus)?;
    bus.read(ADDRESS, &mut ready).map_err(Fault::Bus)?;
    if word(&ready)? & 1 == 0 {
        return Ok(None);
    }
    // PM1.0, PM2.5, PM4.0, PM10.
    let mut mass = [0; 12];
    bus.write(ADDRESS, &[0x03, 0x00]).map_err(Fault::Bus)?;
    bus.read(ADDRESS, &mut mass).map_err(Fault::Bus)?;
    Ok(Some(Dust { pm25: word(&mass[3..6])?, pm10: word(&mass[9..12])? }))
}
