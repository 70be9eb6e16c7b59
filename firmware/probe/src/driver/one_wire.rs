//! Dallas 1-Wire with one device on the line, by a pin that pulls down or lets go (DS18B20 data sheet 19-7487, "1-Wire
//! signaling"). A bit takes 70 µs, a reset 1 ms. Where the device listens or answers within microseconds no interrupt may
//! come between, for 70 µs at most. A clock of whole microseconds waits up to one too short, so no time is at its limit.

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};

/// A line with a pull-up resistor of 4.7 kOhm.
#[derive(Debug)]
pub struct OneWire<P, D> {
    pin: P,
    delay: D,
}

impl<P: InputPin + OutputPin, D: DelayNs> OneWire<P, D> {
    /// Takes a pin with an open drain, let go.
    pub fn new(pin: P, delay: D) -> OneWire<P, D> {
        OneWire { pin, delay }
    }

    /// Resets the line and says whether a device is present. One that never rises is shorted: nobody is there.
    pub fn reset(&mut self) -> Result<bool, P::Error> {
        self.pin.set_low()?;
        self.delay.delay_us(500);
        let present = critical_section::with(|_| {
            self.pin.set_high()?;
            self.delay.delay_us(70);
            self.pin.is_low()
        })?;
        self.delay.delay_us(420);
        Ok(present && self.pin.is_high()?)
    }

    /// Sends an octet, the lowest bit first.
    pub fn write(&mut self, octet: u8) -> Result<(), P::Error> {
        for bit in 0..8 {
            let (low_us, high_us) = if octet >> bit & 1 == 1 { (6, 64) } else { (65, 10) };
            critical_section::with(|_| {
                self.pin.set_low()?;
                self.delay.delay_us(low_us);
                self.pin.set_high()
            })?;
            self.delay.delay_us(high_us);
        }
        Ok(())
    }

    /// Reads a bit.
    pub fn bit(&mut self) -> Result<bool, P::Error> {
        let bit = critical_section::with(|_| {
            self.pin.set_low()?;
            self.delay.delay_us(3);
            self.pin.set_high()?;
            // What the device says holds until 15 µs after the edge.
            self.delay.delay_us(9);
            self.pin.is_high()
        })?;
        self.delay.delay_us(58);
        Ok(bit)
    }

    /// Reads an octet.
    pub fn read(&mut self) -> Result<u8, P::Error> {
        let mut octet = 0;
        for bit in 0..8 {
            octet |= u8::from(self.bit()?) << bit;
        }
        Ok(octet)
    }
}
