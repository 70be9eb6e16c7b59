//! Restarts: the watchdog, and why the board started (RP2040 datasheet, sections 2.10.6, 2.13.4 and 4.7).

use embassy_rp::watchdog::Watchdog as Timer;
use embassy_rp::{Peri, pac, peripherals::WATCHDOG};
use embassy_time::Duration;
use roundsman_probe::watchdog::Watchdog;
use roundsman_registers::ResetCause;

/// Longer than erasing a sector, shorter than the 8.3 s the timer can hold.
const HUNGER: Duration = Duration::from_secs(5);
/// Marks the scratch register as written by this program.
const KEY: u32 = 0x5244_0000;

/// The hardware watchdog.
pub struct Dog(Timer);

impl Dog {
    /// Arms it.
    pub fn arm(watchdog: Peri<'static, WATCHDOG>) -> Dog {
        let mut timer = Timer::new(watchdog);
        timer.pause_on_debug(true);
        timer.start(HUNGER);
        Dog(timer)
    }
}

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.0.feed(HUNGER);
    }
}

/// Why the board started; ask before the watchdog is armed, and once. Power that came and power that sagged set the
/// same bit of the chip, so a brown-out reads as power.
pub fn cause() -> ResetCause {
    let noted = pac::WATCHDOG.scratch0().read();
    pac::WATCHDOG.scratch0().write_value(KEY);
    let reason = pac::WATCHDOG.reason().read();
    let chip = pac::VREG_AND_CHIP_RESET.chip_reset().read();
    if noted == KEY | ResetCause::Software as u32 {
        ResetCause::Software
    } else if reason.timer() {
        ResetCause::Watchdog
    } else if reason.force() {
        // A panic, or a debugger.
        ResetCause::Unknown
    } else if chip.had_run() {
        ResetCause::Pin
    } else if chip.had_por() {
        ResetCause::PowerOn
    } else {
        ResetCause::Unknown
    }
}

/// Restarts the board through the watchdog, which resets all but the oscillators. The scratch register outlives it.
pub fn restart(cause: ResetCause) -> ! {
    cortex_m::interrupt::disable();
    pac::WATCHDOG.scratch0().write_value(KEY | cause as u32);
    pac::PSM.wdsel().write_value(pac::psm::regs::Wdsel(0x1_fffc));
    pac::WATCHDOG.ctrl().modify(|ctrl| ctrl.set_trigger(true));
    loop {
        cortex_m::asm::nop();
    }
}
