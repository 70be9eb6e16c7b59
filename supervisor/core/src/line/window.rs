//! The last probes of one line, and what they come to.

use crate::reading::Absence;
use crate::time::Mono;
use std::collections::VecDeque;
use std::ops::Range;

/// Probes that are looked at: ten minutes at one every ten seconds. One probe is 1.7 % of it, so that the limit of 2 %
/// means two lost of sixty; a larger window would see less sooner and more later.
pub const WINDOW: usize = 60;

/// Probes without which nothing is said: a loss of n probes has a resolution of 100/n %, with 20 that is 5 %. Rules on
/// smaller shares take longer than the window is filled.
pub const ENOUGH: usize = 20;

/// Answers without which no latency is said, and pairs of them without which no jitter.
const ENOUGH_ANSWERS: usize = 5;

/// So many probes lost one after the other, over so long, are an outage and no loss: `unreachable` is for that. Where
/// a third of the probes is lost at random, one run in 250 probes looks like it.
const OUTAGE_PROBES: usize = 5;
const OUTAGE_MS: u64 = 30_000;

/// One probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Probe {
    sent: Mono,
    /// Round trip in µs, or [`LOST`].
    took_us: u32,
}

/// A round trip that never ended.
const LOST: u32 = u32::MAX;

impl Probe {
    fn is_lost(self) -> bool {
        self.took_us == LOST
    }
}

/// The last [`WINDOW`] probes of one line, in the order they were sent. Bounded; reads no clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    spacing_ms: u32,
    probes: VecDeque<Probe>,
}

/// What a window says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Probes it is made of; those of an outage do not count.
    pub probes: usize,
    /// Share of them that was not answered in time, 0 to 100 %.
    pub loss: f64,
    /// Median round trip, ms; `None` with fewer than 5 answers.
    pub latency_ms: Option<f64>,
    /// 95th percentile of the round trips, ms; not below the median.
    pub latency_p95_ms: Option<f64>,
    /// Mean absolute difference of neighbouring round trips, ms; `None` with fewer than 5 pairs.
    pub jitter_ms: Option<f64>,
}

impl Window {
    /// A window for probes that are sent every so many ms.
    pub fn new(spacing_ms: u32) -> Window {
        Window { spacing_ms: spacing_ms.max(1), probes: VecDeque::new() }
    }

    /// The probes come at another pace from now on; what was seen stays.
    pub fn set_spacing(&mut self, spacing_ms: u32) {
        self.spacing_ms = spacing_ms.max(1);
    }

    /// Takes the outcome of the probe that was sent at `sent`: its round trip in µs, or `None` where no answer came
    /// in time. Outcomes may come in any order.
    pub fn add(&mut self, sent: Mono, took_us: Option<u64>) {
        let took_us = took_us.map_or(LOST, |us| u32::try_from(us).unwrap_or(LOST).min(LOST - 1));
        let later = self.probes.iter().rev().take_while(|probe| probe.sent > sent).count();
        self.probes.insert(self.probes.len() - later, Probe { sent, took_us });
        while self.probes.len() > WINDOW {
            // An outage that is over goes as a whole: the rest of it would look like loss.
            let over = self.outages().next().filter(|run| run.start == 0 && run.end < self.probes.len());
            self.probes.drain(..over.map_or(1, |run| run.end));
        }
    }

    /// What the probes come to. There is nothing to say
    /// - while the line is down, that is, the latest probes are an outage, or none at all was answered: `unreachable`;
    /// - with fewer than [`ENOUGH`] probes within the window's time: `not-judged`.
    ///
    /// An outage that is over does not count: neither its probes nor a pair across it.
    pub fn quality(&self, now: Mono) -> Result<Quality, Absence> {
        let outages: Vec<Range<usize>> = self.outages().collect();
        if outages.last().is_some_and(|run| run.end == self.probes.len()) {
            return Err(Absence::Unreachable);
        }
        let span_ms = u64::from(self.spacing_ms) * (WINDOW as u64 + 1);
        let counts = |at: usize| {
            now.since_ms(self.probes[at].sent) <= span_ms && !outages.iter().any(|run| run.contains(&at))
        };
        let (mut probes, mut lost) = (0, 0);
        let mut trips: Vec<f64> = Vec::with_capacity(self.probes.len());
        let (mut variation, mut pairs) = (0.0, 0_usize);
        let mut before: Option<(Mono, f64)> = None;
        for (at, probe) in self.probes.iter().enumerate() {
            if !counts(at) {
                before = None;
                continue;
            }
            probes += 1;
            if probe.is_lost() {
                (lost, before) = (lost + 1, None);
                continue;
            }
            let trip = f64::from(probe.took_us) / 1_000.0;
            if let Some((_, earlier)) = before.filter(|(sent, _)| self.are_neighbours(*sent, probe.sent)) {
                variation += (trip - earlier).abs();
                pairs += 1;
            }
            before = Some((probe.sent, trip));
            trips.push(trip);
        }
        if probes < ENOUGH {
            return Err(Absence::NotJudged);
        }
        if trips.is_empty() {
            return Err(Absence::Unreachable);
        }
        trips.sort_by(f64::total_cmp);
        let told = trips.len() >= ENOUGH_ANSWERS;
        Ok(Quality {
            probes,
            loss: f64::from(lost) / probes as f64 * 100.0,
            latency_ms: told.then(|| median(&trips)),
            latency_p95_ms: told.then(|| trips[(trips.len() * 95).div_ceil(100) - 1]),
            jitter_ms: (pairs >= ENOUGH_ANSWERS).then(|| variation / pairs as f64),
        })
    }

    /// Whether two probes were sent one after the other: none was skipped between them.
    fn are_neighbours(&self, earlier: Mono, later: Mono) -> bool {
        later.since_ms(earlier) < 2 * u64::from(self.spacing_ms)
    }

    /// Runs of lost probes that are an outage, by their positions.
    fn outages(&self) -> impl Iterator<Item = Range<usize>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            while at < self.probes.len() {
                let begin = at;
                at += self.probes.range(begin..).take_while(|probe| probe.is_lost()).count();
                let run = begin..at;
                // What ended it.
                at += 1;
                if run.len() >= OUTAGE_PROBES
                    && self.probes[run.end - 1].sent.since_ms(self.probes[run.start].sent) >= OUTAGE_MS
                {
                    return Some(run);
                }
            }
            None
        })
    }
}

/// Of a sorted list that is not empty.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[cfg(test)]
mod tests;
