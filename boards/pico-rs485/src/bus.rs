//! The I²C bus, guarded: the chip's controller waits for ever on a bus that is held low, and the watchdog would then
//! restart the whole board over one sensor.

use embassy_rp::i2c::{Blocking, I2c};
use embassy_rp::pac;
use embassy_rp::peripherals::I2C0;
use embedded_hal::i2c;
use embedded_hal::i2c::{Error, ErrorKind, ErrorType, Operation, SevenBitAddress};

const SDA: usize = 20;
const SCL: usize = 21;
/// Half a bit at 100 kHz, in clocks of 125 MHz.
const HALF_BIT: u32 = 625;
/// Half bits to wait for the last transfer's stop: 10 ms.
const PATIENCE: u32 = 2_000;

/// Why a transfer failed.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The bus is held low, or has no pull-ups.
    Stuck,
    /// What the controller says.
    Refused(ErrorKind),
}

impl Error for Fault {
    fn kind(&self) -> ErrorKind {
        match self {
            Fault::Stuck => ErrorKind::Bus,
            Fault::Refused(kind) => *kind,
        }
    }
}

/// The bus.
pub struct Bus {
    controller: I2c<'static, I2C0, Blocking>,
}

fn high(pin: usize) -> bool {
    pac::SIO.gpio_in(0).read() >> pin & 1 == 1
}

impl Bus {
    /// Guards a controller on GP20 and GP21.
    pub fn new(controller: I2c<'static, I2C0, Blocking>) -> Bus {
        Bus { controller }
    }

    /// Waits until the last transfer is over, and frees a bus that a sensor holds.
    fn ready(&mut self) -> Result<(), Fault> {
        for _ in 0..PATIENCE {
            if !pac::I2C0.ic_status().read().mst_activity() && high(SDA) && high(SCL) {
                // One left over by a read would end the next write before its own.
                pac::I2C0.ic_clr_stop_det().read();
                return Ok(());
            }
            cortex_m::asm::delay(HALF_BIT);
        }
        if high(SCL) {
            clock_out();
            pac::I2C0.ic_clr_stop_det().read();
        }
        if high(SCL) && high(SDA) { Ok(()) } else { Err(Fault::Stuck) }
    }
}

/// Nine clocks and a stop: a sensor that was cut off in the middle of an octet lets go (NXP UM10204, section 3.1.16).
fn clock_out() {
    let drive = |pin: usize, low: bool| {
        let mask = 1 << pin;
        if low {
            pac::SIO.gpio_oe(0).value_set().write_value(mask);
        } else {
            pac::SIO.gpio_oe(0).value_clr().write_value(mask);
        }
        cortex_m::asm::delay(HALF_BIT);
    };
    let hand_to = |function: u8| {
        for pin in [SDA, SCL] {
            pac::IO_BANK0.gpio(pin).ctrl().modify(|ctrl| ctrl.set_funcsel(function));
        }
    };
    pac::SIO.gpio_out(0).value_clr().write_value(1 << SDA | 1 << SCL);
    pac::SIO.gpio_oe(0).value_clr().write_value(1 << SDA | 1 << SCL);
    hand_to(pac::io::vals::Gpio0ctrlFuncsel::SIO_0 as u8);
    for _ in 0..9 {
        drive(SCL, true);
        drive(SCL, false);
    }
    drive(SDA, true);
    drive(SDA, false);
    hand_to(pac::io::vals::Gpio0ctrlFuncsel::I2C0_SDA as u8);
}

impl ErrorType for Bus {
    type Error = Fault;
}

impl i2c::I2c for Bus {
    fn transaction(
        &mut self,
        address: SevenBitAddress,
        operations: &mut [Operation<'_>],
    ) -> Result<(), Self::Error> {
        self.ready()?;
        i2c::I2c::transaction(&mut self.controller, address, operations)
            .map_err(|fault| Fault::Refused(fault.kind()))
    }
}
