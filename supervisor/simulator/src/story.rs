//! Two minutes in the life of a site, over and over: a county router goes silent and returns, another router
//! overheats and cools down.
//!
//! A schedule and nothing else: it reads no clock and touches no device.

use crate::fault::{Assignment, Fault};
use crate::scene::mix;
use std::sync::Arc;
use std::time::Duration;

/// One round.
pub const ROUND: Duration = Duration::from_secs(120);

/// How hot the second router gets, in degrees Celsius: above every limit for chassis.
pub const HOT: f64 = 78.0;

/// Seconds of a round at which things happen.
const SILENT_S: u64 = 20;
const HOT_S: u64 = 35;
const BACK_S: u64 = 65;
const COOL_S: u64 = 85;

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, counted from the story's start.
    pub at: Duration,
    /// What.
    pub assignment: Assignment,
}

/// The story of a site.
#[derive(Clone, Debug)]
pub struct Story {
    seed: u64,
    silent: Vec<Arc<str>>,
    hot: Vec<Arc<str>>,
    /// Number of events told.
    told: u64,
}

impl Story {
    /// A story in which the devices `silent` fall silent and the devices `hot` overheat, in an order that the seed
    /// chooses. `None` unless beside each silent device another one can overheat.
    pub fn new(seed: u64, silent: Vec<Arc<str>>, hot: Vec<Arc<str>>) -> Option<Story> {
        let another = |id: &Arc<str>| hot.iter().any(|other| other != id);
        if silent.is_empty() || !silent.iter().all(another) {
            return None;
        }
        Some(Story { seed, silent, hot, told: 0 })
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Duration {
        self.event(self.told).at
    }

    /// Everything that happens up to `t` and has not been told yet.
    pub fn events_until(&mut self, t: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        while self.next_at() <= t {
            events.push(self.event(self.told));
            self.told += 1;
        }
        events
    }

    /// The event of a number; each round has four.
    fn event(&self, number: u64) -> Event {
        let (round, step) = (number / 4, number % 4);
        let (silent, hot) = self.players(round);
        let (second, device, fault) = match step {
            0 => (SILENT_S, silent, Some(Fault::Silent)),
            1 => (HOT_S, hot, Some(Fault::Hot(HOT))),
            2 => (BACK_S, silent, None),
            _ => (COOL_S, hot, None),
        };
        Event {
            at: Duration::from_secs(round * ROUND.as_secs() + second),
            assignment: Assignment { device, fault },
        }
    }

    /// Who falls silent and who overheats in a round: never the same device, and the next round takes others as far
    /// as there are.
    fn players(&self, round: u64) -> (Arc<str>, Arc<str>) {
        let pick = |list: &[Arc<str>], place: u64| {
            let len = list.len() as u64;
            list[((mix(self.seed, place) % len + round) % len) as usize].clone()
        };
        let silent = pick(&self.silent, 1);
        // `new` made sure that there are others.
        let others: Vec<_> = self.hot.iter().filter(|id| **id != silent).cloned().collect();
        let hot = pick(&others, 2);
        (silent, hot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(prefix: &str, count: usize) -> Vec<Arc<str>> {
        (0..count).map(|at| format!("{prefix}-{at}").into()).collect()
    }

    #[test]
    fn a_round_as_a_table() {
        let mut story = Story::new(1, ids("county", 1), ids("city", 1)).unwrap();
        let told: Vec<String> = story
            .events_until(Duration::from_secs(240))
            .iter()
            .map(|event| format!("{:>3} {}", event.at.as_secs(), event.assignment))
            .collect();
        assert_eq!(
            told,
            [
                " 20 county-0=silent",
                " 35 city-0=hot:78",
                " 65 county-0=ok",
                " 85 city-0=ok",
                "140 county-0=silent",
                "155 city-0=hot:78",
                "185 county-0=ok",
                "205 city-0=ok",
            ]
        );
        assert_eq!(story.next_at(), Duration::from_secs(260));
    }

    #[test]
    fn it_can_be_told_in_pieces() {
        let whole = Story::new(5, ids("a", 17), ids("a", 17)).unwrap();
        let (mut one, mut pieces) = (whole.clone(), whole);
        let all = one.events_until(Duration::from_secs(1_000));
        let mut told = Vec::new();
        for second in 0..=1_000 {
            told.extend(pieces.events_until(Duration::from_secs(second)));
        }
        assert_eq!(told, all);
    }

    #[test]
    fn two_different_devices_play_and_the_next_round_has_others() {
        for seed in 0..50 {
            let mut story = Story::new(seed, ids("a", 17), ids("a", 17)).unwrap();
            let events = story.events_until(Duration::from_secs(17 * 120));
            let mut last = None;
            for round in events.chunks(4) {
                assert_ne!(round[0].assignment.device, round[1].assignment.device);
                assert_ne!(last.as_ref(), Some(&round[0].assignment.device));
                last = Some(round[0].assignment.device.clone());
            }
        }
        assert!(Story::new(0, ids("a", 1), ids("a", 1)).is_none());
        assert!(Story::new(0, vec![], ids("a", 3)).is_none());
    }
}
