//! Texas Instruments INA219 and INA226: voltage and current of a supply (datasheets SBOS448G, SBOS547B). Both measure by
//! themselves from power on, so nothing is set that a sagging supply could undo.

use embedded_hal::i2c::I2c;

/// The address with both address pins low.
pub const ADDRESS: u8 = 0x40;

const SHUNT: u8 = 0x01;
const BUS: u8 = 0x02;
/// Only an INA226 has it.
const MAKER: u8 = 0xfe;
const TEXAS_INSTRUMENTS: u16 = 0x5449;
/// A current the other way that is the offset of an INA219 and no wrong wiring, in mA at 10 mOhm.
const OFFSET_MA: i32 = -50;

/// What a supply gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Voltage in 0.01 V.
    pub centivolt: i32,
    /// Current in mA; below zero when it flows the other way.
    pub milliampere: i32,
}

fn register<I: I2c>(bus: &mut I, register: u8) -> Result<u16, I::Error> {
    let mut octets = [0; 2];
    bus.write_read(ADDRESS, &[register], &mut octets)?;
    Ok(u16::from_be_bytes(octets))
}

/// What it measured last, over a shunt of `shunt_mohm`.
pub fn read<I: I2c>(bus: &mut I, shunt_mohm: i32) -> Result<Supply, I::Error> {
    let ina226 = register(bus, MAKER)? == TEXAS_INSTRUMENTS;
    let shunt = i32::from(register(bus, SHUNT)? as i16);
    let voltage = i32::from(register(bus, BUS)?);
    let (microvolt, millivolt) = if ina226 {
        // Steps of 2.5 µV and 1.25 mV.
        (shunt * 5 / 2, voltage * 5 / 4)
    } else {
        // Steps of 10 µV and 4 mV, the latter above three bits of state.
        (shunt * 10, (voltage >> 3) * 4)
    };
    let milliampere = microvolt / shunt_mohm.max(1);
    let idle = (OFFSET_MA..0).contains(&milliampere);
    Ok(Supply { centivolt: (millivolt + 5) / 10, milliampere: if idle { 0 } else { milliampere } })
}
