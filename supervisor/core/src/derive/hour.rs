//! The last hour of a metric.

use crate::time::Mono;
use std::collections::VecDeque;

const HOUR_MS: u64 = 3_600_000;
/// Values are kept so far apart at least: 61 at most, 1 KiB.
const STEP_MS: u64 = 60_000;

/// Values of the last hour, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Hour(VecDeque<(Mono, f64)>);

impl Hour {
    /// What it was an hour before `now`, or the oldest value since then.
    pub(super) fn ago(&self, now: Mono) -> Option<f64> {
        let within = |(at, _): &&(Mono, f64)| now.since_ms(*at) <= HOUR_MS;
        self.0.iter().find(within).map(|(_, value)| *value)
    }

    /// A value came.
    pub(super) fn keep(&mut self, now: Mono, value: f64) {
        while self.0.front().is_some_and(|(at, _)| now.since_ms(*at) > HOUR_MS) {
            self.0.pop_front();
        }
        if self.0.back().is_none_or(|(at, _)| now.since_ms(*at) >= STEP_MS) {
            self.0.push_back((now, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_is_against_an_hour_ago() {
        let mut hour = Hour::default();
        let at = |minute: u64| Mono(minute * 60_000);
        assert_eq!(hour.ago(at(0)), None);
        for minute in 0..300 {
            hour.keep(at(minute), minute as f64);
            let expected = minute.saturating_sub(60) as f64;
            assert_eq!(hour.ago(at(minute)), Some(expected), "minute {minute}");
        }
        assert!(hour.0.len() <= 61, "{}", hour.0.len());
        assert_eq!(hour.ago(at(400)), None, "what is older says nothing");
    }

    #[test]
    fn fast_polls_do_not_fill_the_memory() {
        let mut hour = Hour::default();
        for tick in 0..200_000 {
            hour.keep(Mono(tick * 100), 1.0);
        }
        assert!(hour.0.len() <= 61, "{}", hour.0.len());
    }
}
