//! How a unit fares: when it may be asked again, and whether it is asked at all.

use super::exchange::Unit;
use super::reader::{Read, Reader};
use roundsman_core::time::Mono;
use std::collections::HashMap;
use std::sync::Arc;

/// Tries without an answer after which a unit counts as silent and is only looked for now and then.
pub const SILENT_AFTER: u32 = 3;
/// How long a silent unit is left alone at first, in ms; doubled with every further try.
pub const BACK_OFF_MS: u64 = 5_000;
/// Longest time a silent unit is left alone, in ms.
pub const BACK_OFF_MS_MOST: u64 = 60_000;
/// Most units remembered; a line has 247.
const MOST_UNITS: usize = 1_024;

/// An answer that was given up and may still come.
#[derive(Clone, Debug)]
struct Owed {
    until: Mono,
    reader: Arc<dyn Reader>,
}

/// One unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    /// Tries without an answer, in a row.
    failures: u32,
    /// A silent unit is not looked for before.
    retry_at: Mono,
    /// Not asked before: an answer of it may still come.
    hold_until: Mono,
    /// Not asked before with what it answers by a copy.
    hold_copies_until: Mono,
    /// Not asked before: it has something to do.
    rest_until: Mono,
    owed: Option<Owed>,
}

impl Health {
    pub(super) fn is_silent(&self) -> bool {
        self.failures >= SILENT_AFTER
    }

    /// When it may be asked.
    pub(super) fn ready_at(&self, is_mirror: bool) -> Mono {
        let ready = self.hold_until.max(self.rest_until);
        if is_mirror { ready.max(self.hold_copies_until) } else { ready }
    }

    /// Whether a poll of it is not worth the line's time now.
    pub(super) fn is_backed_off(&self, now: Mono) -> bool {
        self.is_silent() && now < self.retry_at
    }
}

/// All units of a line.
#[derive(Debug, Default)]
pub(super) struct Units(HashMap<Unit, Health>);

impl Units {
    pub(super) fn get(&self, unit: Unit) -> Option<&Health> {
        self.0.get(&unit)
    }

    fn of(&mut self, unit: Unit) -> &mut Health {
        if self.0.len() >= MOST_UNITS && !self.0.contains_key(&unit) {
            // Lines have far fewer: whoever numbers units so wildly loses what was learned of them.
            self.0.clear();
        }
        self.0.entry(unit).or_default()
    }

    pub(super) fn answered(&mut self, unit: Unit) {
        let health = self.of(unit);
        health.failures = 0;
        health.retry_at = Mono(0);
    }

    /// A try failed.
    pub(super) fn failed(&mut self, unit: Unit, now: Mono) {
        let health = self.of(unit);
        health.failures = health.failures.saturating_add(1);
        if health.is_silent() {
            let doublings = (health.failures - SILENT_AFTER).min(8);
            health.retry_at = now.plus_ms((BACK_OFF_MS << doublings).min(BACK_OFF_MS_MOST));
        }
    }

    /// An answer was given up and may come until `until`; until then (`hold`) the unit is not asked.
    pub(super) fn owes(&mut self, unit: Unit, reader: &Arc<dyn Reader>, until: Mono, hold: bool) {
        let health = self.of(unit);
        health.owed = Some(Owed { until, reader: Arc::clone(reader) });
        if hold {
            health.hold_until = health.hold_until.max(until);
        }
    }

    /// The port was opened anew: silent units deserve a try.
    pub(super) fn may_be_back(&mut self) {
        for health in self.0.values_mut() {
            health.retry_at = Mono(0);
        }
    }

    /// A copy was taken as the end of an exchange: if it was the echo, the answer is still to come.
    pub(super) fn copied(&mut self, unit: Unit, reader: &Arc<dyn Reader>, late_until: Mono) {
        let health = self.of(unit);
        health.hold_copies_until = late_until;
        health.owed = Some(Owed { until: late_until, reader: Arc::clone(reader) });
    }

    pub(super) fn rests(&mut self, unit: Unit, until: Mono) {
        let health = self.of(unit);
        health.rest_until = health.rest_until.max(until);
    }

    /// Whether `frame` is an answer that was given up.
    pub(super) fn owe(&self, frame: &[u8], now: Mono) -> bool {
        let owed = self.0.values().filter_map(|health| health.owed.as_ref());
        owed.filter(|owed| now <= owed.until).any(|owed| owed.reader.read(frame) == Read::Answer(frame.len()))
    }

    /// Another connection: nothing of the former one comes over it.
    pub(super) fn forget_owed(&mut self) {
        for health in self.0.values_mut() {
            health.owed = None;
            health.hold_until = Mono(0);
            health.hold_copies_until = Mono(0);
        }
    }
}
