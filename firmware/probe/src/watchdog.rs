//! The hardware watchdog is fed only while both loops live.

/// A hardware watchdog that is armed.
pub trait Watchdog {
    /// Puts its reset off.
    fn feed(&mut self);
}

/// The slave loop is dead after so long without a turn.
pub const SLAVE_MS: u32 = 2_000;

/// When each loop last turned.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vitals {
    sampled_ms: u32,
    served_ms: u32,
}

impl Vitals {
    /// Time passed.
    pub fn pass(&mut self, passed_ms: u32) {
        self.sampled_ms = self.sampled_ms.saturating_add(passed_ms);
        self.served_ms = self.served_ms.saturating_add(passed_ms);
    }

    /// A sample was taken.
    pub fn sampled(&mut self) {
        self.sampled_ms = 0;
    }

    /// The slave loop turned.
    pub fn served(&mut self) {
        self.served_ms = 0;
    }

    /// Whether sampling lives: three periods and 2 s, for sensors that take their time.
    pub fn sampling(&self, period_ms: u32) -> bool {
        self.sampled_ms <= period_ms.saturating_mul(3).saturating_add(2_000)
    }

    /// Whether the slave loop lives.
    pub fn serving(&self) -> bool {
        self.served_ms <= SLAVE_MS
    }
}
