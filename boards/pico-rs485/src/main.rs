//! The probe board on a Raspberry Pi Pico with an RS-485 transceiver; README.md has the wiring.
//!
//! Two executors: [`serve`] in a software interrupt, [`sense`] and [`dust`] below it, so that sensors that take their
//! time hold up neither the Modbus answer nor the contacts. Octets are taken by the UARTs' own interrupts, above both.

#![no_std]
#![no_main]

mod bus;
mod dust;
mod fans;
mod line;
mod panel;
mod reset;
mod sense;
mod serve;
mod storage;

use cortex_m::singleton;
use embassy_executor::{InterruptExecutor, Spawner};
use embassy_rp::gpio::{AnyPin, Input, Level, Output, OutputOpenDrain, Pull};
use embassy_rp::i2c::{self, I2c};
use embassy_rp::interrupt;
use embassy_rp::interrupt::{InterruptExt, Priority};
use embassy_rp::peripherals::{UART0, UART1};
use embassy_rp::pwm::{self, InputMode, Pwm};
use embassy_rp::uart::{self, BufferedInterruptHandler, BufferedUartRx};
use embassy_rp::{Peri, bind_interrupts};
use embassy_time::Delay;
use roundsman_probe::driver::ds18b20::Ds18b20;
use roundsman_probe::driver::one_wire::OneWire;
use roundsman_probe::probe::{Identity, Probe};
use roundsman_registers::ResetCause;

use crate::bus::Bus;
use crate::fans::Fans;
use crate::line::Line;
use crate::panel::{Panel, Shift};
use crate::reset::{Dog, cause, restart};
use crate::storage::Slots;

bind_interrupts!(struct Irqs {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
    UART1_IRQ => BufferedInterruptHandler<UART1>;
});

static SERVING: InterruptExecutor = InterruptExecutor::new();

// SAFETY: it is the handler of the interrupt that `SERVING` was started with, and calls nothing else.
#[interrupt]
unsafe fn SWI_IRQ_1() {
    // SAFETY: as above.
    unsafe { SERVING.on_interrupt() }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    restart(ResetCause::Unknown)
}

/// A contact to ground.
fn contact(pin: Peri<'static, AnyPin>) -> Input<'static> {
    let mut input = Input::new(pin, Pull::Up);
    input.set_schmitt(true);
    input
}

fn off(pin: Peri<'static, AnyPin>) -> Output<'static> {
    Output::new(pin, Level::Low)
}

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let p = embassy_rp::init(Default::default());
    let reset = cause();
    let dog = Dog::arm(p.WATCHDOG);
    let mut slots = Slots::new(p.FLASH);
    let identity = Identity { board: 3, serial: slots.serial(), reset, watchdog: true };
    let probe = Probe::new(identity, slots);
    let line = Line::open(p.UART0, (p.PIN_0, p.PIN_1, p.PIN_2), Irqs, &probe);
    let panel = Panel {
        mains: contact(p.PIN_12.into()),
        leak: contact(p.PIN_13.into()),
        door: contact(p.PIN_14.into()),
        button: contact(p.PIN_15.into()),
        free: Shift {
            load: Output::new(p.PIN_6, Level::High),
            clock: off(p.PIN_8.into()),
            data: Input::new(p.PIN_10, Pull::Up),
        },
        relays: [p.PIN_16.into(), p.PIN_17.into(), p.PIN_18.into(), p.PIN_19.into()].map(off),
        buzzer: off(p.PIN_4.into()),
        lamp: off(p.PIN_28.into()),
    };
    interrupt::SWI_IRQ_1.set_priority(Priority::P2);
    let serving = SERVING.start(interrupt::SWI_IRQ_1);
    serving.spawn(serve::serve(probe, panel, dog, line).expect("it is started once"));

    let mut config = uart::Config::default();
    config.baudrate = 9_600;
    let frames = singleton!(FRAMES: [u8; 128] = [0; 128]).expect("there is one sensor");
    let pms = BufferedUartRx::new(p.UART1, Irqs, p.PIN_5, frames, config);
    spawner.spawn(dust::listen(pms).expect("it is started once"));

    let falling = || InputMode::FallingEdge;
    let count = pwm::Config::default;
    let fans = Fans::new([
        Pwm::new_input(p.PWM_SLICE1, p.PIN_3, Pull::Up, falling(), count()),
        Pwm::new_input(p.PWM_SLICE3, p.PIN_7, Pull::Up, falling(), count()),
        Pwm::new_input(p.PWM_SLICE4, p.PIN_9, Pull::Up, falling(), count()),
        Pwm::new_input(p.PWM_SLICE5, p.PIN_11, Pull::Up, falling(), count()),
    ]);
    // 100 kHz by default.
    let bus = Bus::new(I2c::new_blocking(p.I2C0, p.PIN_21, p.PIN_20, i2c::Config::default()));
    let wire = OneWire::new(OutputOpenDrain::new(p.PIN_22, Level::High), Delay);
    sense::sense(bus, Ds18b20::new(wire), fans).await
}
