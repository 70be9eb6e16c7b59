//! The supervisor's clock: the one place that reads time.
//!
//! Durations come from CLOCK_BOOTTIME, which never steps and goes on while the box sleeps; records carry the wall
//! clock beside it.

use roundsman_core::time::{Mono, Now, Wall};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The largest error that the kernel gives, in µs: nobody has set the clock, or not for a long time (NTP_PHASE_LIMIT,
/// include/linux/timex.h).
const UNKNOWN_ERROR_US: i64 = 16_000_000;

/// Reads both clocks. A value without content: copy it where it is needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Clock {
    /// The clock of this box.
    pub fn new() -> Clock {
        Clock
    }

    /// This moment.
    pub fn now(self) -> Now {
        let wall = clock_gettime(ClockId::Realtime);
        Now {
            mono: Mono(micros(clock_gettime(ClockId::Boottime)) / 1_000),
            wall: Wall(wall.tv_sec.saturating_mul(1_000).saturating_add(wall.tv_nsec / 1_000_000)),
        }
    }

    /// Whether the kernel calls the wall clock set from outside: its largest error (adjtimex(2)) is known, whichever
    /// daemon looks after it. The flag STA_UNSYNC is not asked: daemons keep it to stop the kernel from writing the
    /// hardware clock. `false` where the kernel may not be asked.
    pub fn is_synchronised(self) -> bool {
        let mut timex = rtime_clock::adjtime::Timex::new();
        rtime_clock::adjtime::adjtimex(&mut timex).is_ok() && timex.0.maxerror < UNKNOWN_ERROR_US
    }

    /// Monotonic microseconds, for round trips. Only differences mean anything.
    pub fn micros(self) -> u64 {
        micros(clock_gettime(ClockId::Boottime))
    }
}

fn micros(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000).saturating_add(nanos / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_and_both_clocks_are_of_this_century() {
        let clock = Clock::new();
        let first = clock.now();
        let micros = clock.micros();
        assert!(clock.now().mono >= first.mono);
        assert!(micros / 1_000 >= first.mono.0);
        assert!(first.wall.0 > 946_684_800_000, "{first:?}");
    }
}
