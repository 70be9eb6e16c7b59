//! Modbus slaves: each gives a picture of itself at a moment, and the picture is what registers are read from.

mod host;
mod meter;
mod probe;
mod relays;
mod sensor;

pub(super) use host::Host;
#[cfg(test)]
pub(super) use meter::Mains;
pub(super) use meter::Meter;
pub(super) use probe::Probe;
pub(super) use relays::Relays;
#[cfg(test)]
pub(super) use sensor::Climate;
pub(super) use sensor::Sensor;

/// A slave, whatever carries its PDUs.
pub(super) trait Slave: Send {
    /// Carries a request PDU out at a moment in seconds since 1970; gives the length of the answer's PDU in `out`.
    fn answer(&mut self, pdu: &[u8], now: f64, out: &mut [u8]) -> usize;

    /// Heats it up to so many degrees Celsius, or lets it cool down.
    fn heat(&mut self, to: Option<f64>, now: f64) {
        let _ = (to, now);
    }
}

/// A value as a register holds it: in steps of `step`, rounded, kept within 16 bits.
fn word(value: f64, step: f64) -> u16 {
    (value / step).round().clamp(0.0, f64::from(u16::MAX)) as u16
}

/// The same with a sign, in two's complement.
fn signed_word(value: f64, step: f64) -> u16 {
    (value / step).round().clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16 as u16
}
