//! The virtual site's own clock: the one place of this crate that reads time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A clock that starts at the wall time and then only goes forward: steps of the machine's clock do not reach the
/// virtual devices, whose counters must not run backwards.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall_s: f64,
}

impl Clock {
    /// A clock that starts now.
    #[allow(clippy::disallowed_methods)] // the virtual site's shell, see clippy.toml
    pub fn start() -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Clock { started: Instant::now(), wall_s: wall.as_secs_f64() }
    }

    /// Seconds since 1970, as the virtual devices count them.
    pub fn now_s(&self) -> f64 {
        self.wall_s + self.running().as_secs_f64()
    }

    /// Time since the start.
    pub fn running(&self) -> Duration {
        self.started.elapsed()
    }
}
