//! The probe board in QEMU's `mps2-an386`: the Modbus line on UART 0, and on UART 1 lines of text in place of sensors
//! and contacts, each answered `ok` or `?`:
//!
//! - `value CHANNEL STEPS`, `lost CHANNEL`: what the sensor of a channel (0 to 13) says from now on;
//! - `level CONTACT 0|1`: a contact (0 mains, 1 leak, 2 door, 3 button, 4 to 11 free);
//! - `outputs`: answers relays, buzzer and lamp as octal digits of bits, e.g. `05 1 0`;
//! - `hang`: stops the loop, for the watchdog.

#![no_std]
#![no_main]

mod hardware;

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{entry, exception};
use hardware::{BENCH, Dog, LINE, Ram, cause, restart};
use roundsman_probe::filter::Reading;
use roundsman_probe::probe::{Identity, Outputs, Probe};
use roundsman_probe::slave::Slave;
use roundsman_registers::{CHANNELS, ResetCause};

static NOW_MS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    NOW_MS.fetch_add(1, Ordering::Relaxed);
}

// SAFETY: it is the handler of the UARTs' interrupts and touches atomics and device registers alone.
#[exception]
unsafe fn DefaultHandler(number: i16) {
    LINE.interrupted(number);
    BENCH.interrupted(number);
}

// SAFETY: it notes the cause in an atomic and restarts.
#[exception]
unsafe fn NonMaskableInt() -> ! {
    restart(ResetCause::Watchdog)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    restart(ResetCause::Unknown)
}

/// What tests set in place of sensors and contacts.
struct Script {
    readings: [Reading; CHANNELS],
    levels: u16,
    line: [u8; 32],
    len: usize,
}

/// Values inside the default limits.
const START: [i32; CHANNELS] =
    [231, 305, 456, 380, 12, 20, 1_203, 4_812, 350, 2_400, 2_410, 2_390, 2_405, 180];

impl Script {
    fn octet(&mut self, octet: u8, outputs: Outputs) {
        if octet != b'\n' {
            // A line that is too long ends as one that is not understood.
            self.len = (self.len + 1).min(self.line.len());
            self.line[self.len - 1] = octet;
            return;
        }
        let line = self.line;
        let text = core::str::from_utf8(&line[..self.len]).unwrap_or("");
        self.len = 0;
        let done = self.order(text.trim(), outputs);
        BENCH.send(if done.is_some() { b"ok\n" } else { b"?\n" });
    }

    fn order(&mut self, text: &str, outputs: Outputs) -> Option<()> {
        let mut words = text.split(' ');
        let order = words.next()?;
        let mut number = || words.next()?.parse::<i32>().ok();
        match order {
            "value" => {
                let channel = self.readings.get_mut(usize::try_from(number()?).ok()?)?;
                *channel = Reading::Value(number()?);
            }
            "lost" => *self.readings.get_mut(usize::try_from(number()?).ok()?)? = Reading::Failed,
            "level" => {
                let contact = u32::try_from(number()?).ok().filter(|contact| *contact < 12)?;
                let bit = 1_u16 << contact;
                self.levels = if number()? == 0 { self.levels & !bit } else { self.levels | bit };
            }
            "outputs" => {
                let digit = |bits: u16| b'0' + (bits & 7) as u8;
                let (high, low) = (digit(outputs.relays >> 3), digit(outputs.relays));
                BENCH.send(&[
                    high,
                    low,
                    b' ',
                    digit(outputs.buzzer.into()),
                    b' ',
                    digit(outputs.lamp.into()),
                    b'\n',
                ]);
            }
            "hang" => loop {
                cortex_m::asm::wfi();
            },
            _ => return None,
        }
        Some(())
    }
}

#[entry]
fn main() -> ! {
    let identity = Identity { board: 1, serial: 386, reset: cause(), watchdog: true };
    let mut dog = Dog::arm();
    if let Some(core) = cortex_m::Peripherals::take() {
        let mut clock = core.SYST;
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(25_000 - 1);
        clock.clear_current();
        clock.enable_counter();
        clock.enable_interrupt();
    }
    LINE.start();
    BENCH.start();
    let mut probe = Probe::new(identity, Ram);
    let mut slave = Slave::new();
    let mut script = Script { readings: START.map(Reading::Value), levels: 1, line: [0; 32], len: 0 };
    loop {
        let now = NOW_MS.load(Ordering::Relaxed);
        let outputs = probe.tick(now, script.levels);
        if probe.sample_due() {
            probe.sample(&script.readings);
        }
        while let Some(octet) = LINE.octet() {
            if let Some(answer) = slave.octet(now, octet, &mut probe) {
                LINE.send(answer);
            }
        }
        if let Some(answer) = slave.turn(now, &mut probe) {
            LINE.send(answer);
        }
        while let Some(octet) = BENCH.octet() {
            script.octet(octet, outputs);
        }
        if probe.restart() {
            restart(ResetCause::Software);
        }
        probe.feed(&mut dog);
        // The tick wakes it every millisecond, an octet at once.
        cortex_m::asm::wfi();
    }
}
