//! Four tachometers, each counted by a PWM slice.

use embassy_rp::pwm::Pwm;
use embassy_time::Instant;
use roundsman_probe::filter::{Reading, revolutions};

/// A fan's counter.
struct Fan {
    slice: Pwm<'static>,
    last: u16,
    pulses: u32,
}

/// The fans.
pub struct Fans {
    fans: [Fan; 4],
    since: Instant,
}

impl Fans {
    /// Counts from now on.
    pub fn new(slices: [Pwm<'static>; 4]) -> Fans {
        let fans = slices.map(|slice| Fan { last: slice.counter(), slice, pulses: 0 });
        Fans { fans, since: Instant::now() }
    }

    /// Takes the counters over; call it more often than they wrap (16 s at 30,000 revolutions of 8 pulses).
    pub fn count(&mut self) {
        for fan in &mut self.fans {
            let now = fan.slice.counter();
            fan.pulses += u32::from(now.wrapping_sub(fan.last));
            fan.last = now;
        }
    }

    /// What they did since the last call.
    pub fn read(&mut self, pulses_each: u16) -> [Reading; 4] {
        self.count();
        let now = Instant::now();
        let window = now.saturating_duration_since(self.since).as_millis() as u32;
        self.since = now;
        self.fans.each_mut().map(|fan| revolutions(core::mem::take(&mut fan.pulses), window, pulses_each))
    }
}
