//! What happened over a run: a simulation in which nothing happens proves nothing.

use roundsman_core::fault::{Change, Ending, Transition};
use std::collections::BTreeMap;

/// Every kind of transition and its least number over the whole run.
const KINDS: [&str; 14] = [
    "raised",
    "reopened",
    "severity",
    "acknowledged",
    "assigned",
    "arrived",
    "shelved",
    "unshelved",
    "hidden",
    "revealed",
    "restored",
    "ended cleared",
    "ended closed",
    "ended withdrawn",
];
const LEAST: u64 = 100;

/// Sums over seeds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) days: u64,
    /// What happened to the world, the operators and the box.
    pub(crate) events: u64,
    pub(crate) polls: u64,
    pub(crate) restarts: u64,
    pub(crate) reloads: u64,
    pub(crate) clock_steps: u64,
    /// Events whose transitions never became durable.
    pub(crate) lost_steps: u64,
    /// Transitions that people were told of.
    pub(crate) told: u64,
    transitions: BTreeMap<String, u64>,
    by_rule: BTreeMap<String, u64>,
}

impl Counts {
    pub(crate) fn transition(&mut self, transition: &Transition) {
        let kind = match (&transition.change, transition.fault.ending) {
            (Change::Ended, ending) => {
                let word = ending.map_or("", Ending::word);
                KINDS.into_iter().find(|kind| kind.strip_prefix("ended ") == Some(word)).unwrap_or("ended")
            }
            (change, _) => change.word(),
        };
        count(&mut self.transitions, kind);
        if transition.change == Change::Raised {
            count(&mut self.by_rule, &transition.fault.key.rule);
        }
    }

    pub(crate) fn add(&mut self, other: Counts) {
        self.days += other.days;
        self.events += other.events;
        self.polls += other.polls;
        self.restarts += other.restarts;
        self.reloads += other.reloads;
        self.clock_steps += other.clock_steps;
        self.lost_steps += other.lost_steps;
        self.told += other.told;
        for (sums, more) in [(&mut self.transitions, other.transitions), (&mut self.by_rule, other.by_rule)] {
            for (kind, count) in more {
                *sums.entry(kind).or_default() += count;
            }
        }
    }

    /// Kinds of transitions that were rarer than they must be.
    pub(crate) fn rare(&self) -> Vec<&str> {
        let is_rare = |kind: &&str| self.transitions.get(*kind).is_none_or(|count| *count < LEAST);
        KINDS.into_iter().filter(is_rare).collect()
    }
}

fn count(sums: &mut BTreeMap<String, u64>, kind: &str) {
    match sums.get_mut(kind) {
        Some(count) => *count += 1,
        None => {
            sums.insert(kind.to_owned(), 1);
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { days, events, polls, restarts, reloads, clock_steps, lost_steps, told, .. } = self;
        writeln!(
            f,
            "{days} days, {} events a day, {} polls a day",
            events / days.max(&1),
            polls / days.max(&1)
        )?;
        writeln!(
            f,
            "{restarts} restarts, {lost_steps} steps lost with them, {reloads} reloads, {clock_steps} clock steps"
        )?;
        writeln!(f, "{told} transitions told of")?;
        for (kind, count) in &self.transitions {
            writeln!(f, "{count:>9} {kind}")?;
        }
        let rules: Vec<String> = self.by_rule.iter().map(|(rule, count)| format!("{count} {rule}")).collect();
        write!(f, "raised: {}", rules.join(", "))
    }
}
