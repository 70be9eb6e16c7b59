//! Texas Instruments ADS1115: four voltages against ground (datasheet SBAS444D, sections 9.5, 9.6).

use embedded_hal::i2c::I2c;

/// The address with ADDR at ground.
pub const ADDRESS: u8 = 0x48;

const CONVERSION: u8 = 0x00;
const CONFIG: u8 = 0x01;
/// One conversion, 4.096 V full scale, 860 a second, no comparator; the input goes into bits 12 and 13.
const ONCE: u16 = 0xc3e3;
/// Bit of the configuration that reads 1 when nothing is being converted.
const READY: u8 = 0x80;
/// How often it is asked whether it is ready. A conversion takes 1.2 ms, a question 0.5 ms at 100 kHz.
const QUESTIONS: usize = 8;

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<E> {
    /// The bus failed, or nobody answered.
    Bus(E),
    /// It was not ready in time.
    Busy,
}

/// The voltage of an input, 0 to 3, in µV; some 3 ms.
pub fn read<I: I2c>(bus: &mut I, input: u8) -> Result<i32, Fault<I::Error>> {
    let [high, low] = (ONCE | u16::from(input & 3) << 12).to_be_bytes();
    bus.write(ADDRESS, &[CONFIG, high, low]).map_err(Fault::Bus)?;
    for _ in 0..QUESTIONS {
        let mut config = [0; 2];
        bus.write_read(ADDRESS, &[CONFIG], &mut config).map_err(Fault::Bus)?;
        if config[0] & READY != 0 {
            let mut steps = [0; 2];
            bus.write_read(ADDRESS, &[CONVERSION], &mut steps).map_err(Fault::Bus)?;
            return Ok(i32::from(i16::from_be_bytes(steps)) * 125);
        }
    }
    Err(Fault::Busy)
}
