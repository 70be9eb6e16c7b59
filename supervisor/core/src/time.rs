//! Time as the domain sees it: a monotonic half for durations, a wall half for records.

/// Monotonic milliseconds since an arbitrary origin that does not change while the box runs (CLOCK_BOOTTIME).
///
/// Only differences mean anything; it never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

impl Mono {
    /// Milliseconds from `earlier` to `self`; 0 where `earlier` is the later one.
    pub fn since_ms(self, earlier: Mono) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `ms` milliseconds after this one.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Mono {
        Mono(self.0.saturating_add(ms))
    }
}

/// Wall-clock milliseconds since the Unix epoch (UTC). May step; never used to measure a duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub i64);

/// One moment, read from both clocks at once by the shell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For durations.
    pub mono: Mono,
    /// For records.
    pub wall: Wall,
}

impl Now {
    /// A moment from its two halves, both in milliseconds.
    pub fn at(mono_ms: u64, wall_ms: i64) -> Now {
        Now { mono: Mono(mono_ms), wall: Wall(wall_ms) }
    }

    /// The moment `ms` milliseconds later on both clocks (for simulated time).
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Now {
        Now { mono: self.mono.plus_ms(ms), wall: Wall(self.wall.0.saturating_add_unsigned(ms)) }
    }
}
