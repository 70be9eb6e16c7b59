//! Clock marks: both clocks of a moment, the boot they belong to, and whether the wall clock is to be believed.

use crate::site::ClockSource;
use roundsman_core::time::Now;
use roundsman_driver::clock::Clock;
use roundsman_store::ClockMark;
use std::sync::Arc;

/// Makes clock marks.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    clock: Clock,
    source: ClockSource,
    /// The kernel's id of this boot (random(4)); empty where /proc is missing.
    boot: Arc<str>,
}

impl Marker {
    pub(super) fn new(clock: Clock, source: ClockSource) -> Marker {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Marker { clock, source, boot: boot.trim().into() }
    }

    /// The mark of `now`.
    pub(super) fn mark(&self, now: Now) -> ClockMark {
        let synchronised = match self.source {
            ClockSource::Trusted => true,
            ClockSource::Network => self.clock.is_synchronised(),
        };
        ClockMark { boot: self.boot.clone(), now, synchronised }
    }
}
