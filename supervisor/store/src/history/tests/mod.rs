//! History against a model: what was recorded, kept beside the store under test and compared with what it finds.

mod answers;
mod clock;
mod fill;
mod kills;
mod random;
mod restart;

use super::downsample::What;
use super::read::{history, samples};
use super::{Budget, History, Keeper, Named, Poll, Progress, Retention, Run, RunState, SeriesName, Span};
use crate::latest::{LatestDevice, LatestReading};
use crate::{ClockMark, schema};
use proptest::prelude::*;
use roundsman_core::reading::{Absence, Sample, Value};
use roundsman_core::time::{Mono, Now, Wall};
use rusqlite::Connection;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

/// 1 November 2026, 00:00 UTC.
const T0: i64 = 1_793_491_200_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const METRICS: [&str; 4] = ["cpu.load", "in.octets", "oper.state", "system.name"];

/// What a poll must be found as: a value by its bits, or none.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Seen {
    Value(u64),
    Bad,
    Failed,
}

type Key = (String, String);

/// What must be found.
#[derive(Clone, Debug, Default)]
struct Expected {
    numbers: BTreeMap<Key, Vec<(i64, Seen)>>,
    words: BTreeMap<Key, Vec<(i64, RunState)>>,
    polls: BTreeMap<String, Vec<(i64, Seen)>>,
}

impl Expected {
    fn add(&mut self, poll: &LatestDevice, at: i64, known: &mut std::collections::BTreeSet<Key>) {
        let device = poll.device.to_string();
        let how = if poll.answered { Seen::Value(0) } else { Seen::Failed };
        self.polls.entry(device.clone()).or_default().push((at, how));
        for metric in METRICS {
            let key = (device.clone(), metric.to_owned());
            let is_word = METRICS[2..].contains(&metric);
            let reading = poll.readings.iter().find(|reading| *reading.metric == *metric);
            let sample = reading.map(|reading| &reading.sample);
            match (poll.answered, sample) {
                (false, _) if is_word => {
                    let Some(Err(absence)) = sample else { panic!("a failed poll has no values") };
                    self.words.entry(key).or_default().push((at, RunState::Bad(*absence)));
                }
                (false, _) => self.numbers.entry(key).or_default().push((at, Seen::Failed)),
                (true, Some(Ok(Value::State(word) | Value::Text(word)))) => {
                    known.insert(key.clone());
                    self.words.entry(key).or_default().push((at, RunState::Word(word.clone())));
                }
                (true, Some(Ok(value))) => {
                    known.insert(key.clone());
                    let bits = value.number().unwrap().to_bits();
                    self.numbers.entry(key).or_default().push((at, Seen::Value(bits)));
                }
                (true, Some(Err(_))) if !known.contains(&key) => {}
                (true, Some(Err(absence))) if is_word => {
                    self.words.entry(key).or_default().push((at, RunState::Bad(*absence)));
                }
                (true, Some(Err(_))) => self.numbers.entry(key).or_default().push((at, Seen::Bad)),
                (true, None) => {}
            }
        }
    }

    fn append(&mut self, other: Expected) {
        fn extend<K: Ord, V>(into: &mut BTreeMap<K, Vec<V>>, from: BTreeMap<K, Vec<V>>) {
            for (key, mut values) in from {
                into.entry(key).or_default().append(&mut values);
            }
        }
        extend(&mut self.numbers, other.numbers);
        extend(&mut self.words, other.words);
        extend(&mut self.polls, other.polls);
    }
}

/// A store under test, its clocks, and what must be found in it.
struct Bench {
    dir: tempfile::TempDir,
    conn: Option<Connection>,
    keeper: Option<Keeper>,
    budget: Budget,
    boot: u32,
    synchronised: bool,
    now: Now,
    expected: Expected,
    /// Of the current boot, with steady times: until it becomes synchronised.
    undated: Expected,
    known: std::collections::BTreeSet<Key>,
    steps: usize,
    recorded: usize,
}

impl Bench {
    fn new(budget: Budget) -> Bench {
        let mut bench = Bench {
            dir: tempfile::tempdir().unwrap(),
            conn: None,
            keeper: None,
            budget,
            boot: 0,
            synchronised: true,
            now: Now::at(1_000_000, T0),
            expected: Expected::default(),
            undated: Expected::default(),
            known: Default::default(),
            steps: 0,
            recorded: 0,
        };
        bench.kill();
        bench
    }

    /// The process dies and starts anew.
    fn kill(&mut self) {
        self.keeper = None;
        self.conn = None;
        let conn = schema::open_writer(self.dir.path()).unwrap();
        // Flushes are not what these tests are about, and there are thousands of transactions.
        conn.pragma_update(None, "synchronous", "OFF").unwrap();
        let mut keeper = Keeper::start(&conn).unwrap();
        keeper.budget = self.budget;
        // Random lives are longer than samples are kept.
        keeper.keep(Retention { raw_ms: 400 * 24 * HOUR, ..Retention::default() });
        (self.conn, self.keeper) = (Some(conn), Some(keeper));
    }

    fn conn(&self) -> &Connection {
        self.conn.as_ref().unwrap()
    }

    fn mark(&self) -> ClockMark {
        ClockMark {
            boot: format!("boot-{}", self.boot).into(),
            now: self.now,
            synchronised: self.synchronised,
        }
    }

    fn pass(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms.unsigned_abs());
    }

    fn reboot(&mut self, synchronised: bool) {
        self.boot += 1;
        self.synchronised = synchronised;
        self.now.mono = Mono(30_000);
        self.undated = Expected::default();
        self.kill();
    }

    fn synchronise(&mut self, wall: i64) {
        self.synchronised = true;
        self.now.wall = Wall(wall);
    }

    /// Records a cycle and notes what must be found of it.
    fn record(&mut self, polls: Vec<Poll>) {
        let mark = self.mark();
        let tx = self.conn.as_ref().unwrap().unchecked_transaction().unwrap();
        self.keeper.as_mut().unwrap().append(&tx, &mark, &mut polls.iter().cloned()).unwrap();
        tx.commit().unwrap();
        self.recorded += polls.len();
        let shift = self.now.wall.0 - self.now.mono.0 as i64;
        if self.synchronised {
            let mut dated = std::mem::take(&mut self.undated);
            for (at, _) in dated.numbers.values_mut().chain(dated.polls.values_mut()).flatten() {
                *at += shift;
            }
            dated.words.values_mut().flatten().for_each(|(at, _)| *at += shift);
            self.expected.append(dated);
        }
        let shift = if self.synchronised { shift } else { 0 };
        let into = if self.synchronised { &mut self.expected } else { &mut self.undated };
        for poll in &polls {
            into.add(&poll.latest(), poll.taken_at().0 as i64 + shift, &mut self.known);
        }
    }

    fn step(&mut self) -> Progress {
        self.steps += 1;
        let mark = self.mark();
        let tx = self.conn.as_ref().unwrap().unchecked_transaction().unwrap();
        let progress = self.keeper.as_mut().unwrap().step(&tx, &mark).unwrap();
        tx.commit().unwrap();
        progress
    }

    fn settle(&mut self) {
        while self.step() == Progress::More {}
    }

    fn name(device: &str, metric: &str) -> SeriesName {
        SeriesName { device: device.into(), metric: metric.into(), instance: "".into() }
    }

    fn found(&self, device: &str, metric: &str) -> Vec<(i64, Seen)> {
        let found = samples(self.conn(), &Bench::name(device, metric)).unwrap();
        let seen = found.into_iter().map(|(at, what)| match what {
            What::Value(x) => (at, Seen::Value(x.to_bits())),
            What::Bad => (at, Seen::Bad),
            What::Failed(_) => (at, Seen::Failed),
            What::Bucket(..) => (at, Seen::Value(0)),
        });
        sorted(seen.collect())
    }

    fn ask(&self, device: &str, metric: &str, points: usize, interval_ms: u64) -> History {
        // A whole number of days: then the borders of columns are borders of buckets.
        let span = Span { from: Wall(T0 - 96 * HOUR), to: Wall(T0 + 1_824 * HOUR), points, interval_ms };
        history(self.conn(), &Bench::name(device, metric), span, false).unwrap().unwrap()
    }

    /// Everything that was recorded is found, sample by sample.
    fn check(&self) -> Result<(), TestCaseError> {
        for ((device, metric), expected) in &self.expected.numbers {
            if self.known.contains(&(device.clone(), metric.clone())) {
                let expected = sorted(expected.clone());
                prop_assert_eq!(self.found(device, metric), expected, "{} {}", device, metric);
            }
        }
        for (device, expected) in &self.expected.polls {
            prop_assert_eq!(
                self.found(device, "poll.outcome"),
                sorted(expected.clone()),
                "polls of {}",
                device
            );
        }
        for ((device, metric), expected) in &self.expected.words {
            if !self.known.contains(&(device.clone(), metric.clone())) {
                continue;
            }
            // With no interval every poll is a run of its own.
            let History::Words { runs, truncated } = self.ask(device, metric, 1, 0) else {
                panic!("{metric} is a word")
            };
            prop_assert!(!truncated);
            let mut found: Vec<_> = runs.into_iter().map(|run| (run.from.0, run.state)).collect();
            let mut expected = expected.clone();
            found.sort_by_key(|(at, _)| *at);
            expected.sort_by_key(|(at, _)| *at);
            // Two at one time are one run if they say the same.
            expected.dedup();
            prop_assert_eq!(found, expected, "{} {}", device, metric);
        }
        Ok(())
    }

    /// The roll-ups say the same as the samples, at any fineness.
    fn check_roll_ups(&self) -> Result<(), TestCaseError> {
        let bounds = T0 - 96 * HOUR..T0 + 1_824 * HOUR;
        for ((device, metric), expected) in &self.expected.numbers {
            if !self.known.contains(&(device.clone(), metric.clone())) {
                continue;
            }
            for points in [7, 80, 1_920] {
                let History::Numbers { columns, .. } = self.ask(device, metric, points, 600_000) else {
                    panic!("{metric} is a number")
                };
                let inside: Vec<Seen> =
                    expected.iter().filter(|(at, _)| bounds.contains(at)).map(|(_, seen)| *seen).collect();
                let good = inside.iter().filter_map(|seen| match seen {
                    Seen::Value(bits) => Some(f64::from_bits(*bits)),
                    _ => None,
                });
                let count = |what: Seen| inside.iter().filter(|seen| **seen == what).count() as u32;
                prop_assert_eq!(columns.iter().map(|c| c.bad).sum::<u32>(), count(Seen::Bad));
                prop_assert_eq!(columns.iter().map(|c| c.failed).sum::<u32>(), count(Seen::Failed));
                prop_assert_eq!(columns.iter().map(|c| c.count).sum::<u32>() as usize, good.clone().count());
                let bands = || columns.iter().filter_map(|c| c.band);
                prop_assert_eq!(bands().map(|b| b.min).reduce(f64::min), good.clone().reduce(f64::min));
                prop_assert_eq!(bands().map(|b| b.max).reduce(f64::max), good.clone().reduce(f64::max));
                prop_assert!(bands().all(|b| b.min <= b.mean && b.mean <= b.max && b.first.is_finite()));
                prop_assert!(columns.is_sorted_by_key(|c| c.from));
            }
        }
        Ok(())
    }
}

fn sorted(mut all: Vec<(i64, Seen)>) -> Vec<(i64, Seen)> {
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all
}

fn reading(metric: &str, sample: Sample) -> LatestReading {
    LatestReading { metric: metric.into(), instance: "".into(), sample }
}

fn poll(device: &str, taken_at: Mono, readings: Result<Vec<LatestReading>, Absence>) -> Poll {
    let answered = readings.is_ok();
    let readings =
        readings.unwrap_or_else(|absence| METRICS.map(|metric| reading(metric, Err(absence))).into());
    let latest =
        LatestDevice { device: device.into(), profile: "p".into(), taken_at: Wall(0), answered, readings };
    thread_local! {
        /// Polls of one device share their names, as those of a real one do.
        static NAMES: RefCell<BTreeMap<String, Named>> = RefCell::default();
    }
    NAMES.with_borrow_mut(|names| names.entry(device.into()).or_default().poll(taken_at, &latest))
}

/// What a poll brings of one metric.
fn load(n: i64) -> Result<Vec<LatestReading>, Absence> {
    Ok(vec![reading(METRICS[0], Ok(Value::Number(n as f64)))])
}
