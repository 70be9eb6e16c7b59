//! History against a model: random sites, gaps, failures, clock steps, reboots and kills.

use super::downsample::What;
use super::read::{history, samples};
use super::{Budget, History, Keeper, Poll, Progress, Retention, Run, RunState, SeriesName, Span};
use crate::latest::{LatestDevice, LatestReading};
use crate::{ClockMark, schema};
use proptest::prelude::*;
use roundsman_core::reading::{Absence, Sample, Value};
use roundsman_core::time::{Mono, Now, Wall};
use rusqlite::Connection;
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
    fn add(&mut self, poll: &Poll, at: i64, known: &mut std::collections::BTreeSet<Key>) {
        let device = poll.poll.device.to_string();
        let how = if poll.poll.answered { Seen::Value(0) } else { Seen::Failed };
        self.polls.entry(device.clone()).or_default().push((at, how));
        for metric in METRICS {
            let key = (device.clone(), metric.to_owned());
            let is_word = METRICS[2..].contains(&metric);
            let reading = poll.poll.readings.iter().find(|reading| *reading.metric == *metric);
            let sample = reading.map(|reading| &reading.sample);
            match (poll.poll.answered, sample) {
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
            into.add(poll, poll.taken_at.0 as i64 + shift, &mut self.known);
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
    let poll =
        LatestDevice { device: device.into(), profile: "p".into(), taken_at: Wall(0), answered, readings };
    Poll { taken_at, poll }
}

/// What one poll of a device brings.
#[derive(Clone, Debug)]
enum Brings {
    Nothing,
    Failure(Absence),
    Answer { load: Option<Sample>, octets: Option<u64>, state: Option<Result<u8, Absence>>, name: Option<u8> },
}

fn brings() -> impl Strategy<Value = Brings> {
    let absence = || (0..Absence::ALL.len()).prop_map(|at| Absence::ALL[at]);
    let load = prop_oneof![
        4 => (0..1_000_i32).prop_map(|x| Ok(Value::Number(f64::from(x) / 10.0))),
        6 => (0..2_i32).prop_map(|x| Ok(Value::Number(f64::from(x)))),
        2 => (-1e12..1e12_f64).prop_map(|x| Ok(Value::Number(x))),
        1 => absence().prop_map(Err),
    ];
    let state = prop_oneof![5 => (0..3_u8).prop_map(Ok), 1 => absence().prop_map(Err)];
    let answer = (
        prop::option::weighted(0.9, load),
        prop::option::weighted(0.9, prop_oneof![any::<u64>(), Just(1 << 20)]),
        prop::option::weighted(0.9, state),
        prop::option::weighted(0.9, 0..2_u8),
    )
        .prop_map(|(load, octets, state, name)| Brings::Answer { load, octets, state, name });
    prop_oneof![1 => Just(Brings::Nothing), 1 => absence().prop_map(Brings::Failure), 8 => answer]
}

/// What happens at a site.
#[derive(Clone, Debug)]
enum Happens {
    Cycle { after_ms: i64, polls: [Brings; 2], steps: u8 },
    Silence { ms: i64 },
    Step { ms: i64 },
    Reboot { off_ms: i64, synchronised: bool },
    Synchronise { to_ms: i64 },
    Kill,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        30 => (5 * MINUTE..40 * MINUTE, brings(), brings(), 0..6_u8)
            .prop_map(|(after_ms, a, b, steps)| Happens::Cycle { after_ms, polls: [a, b], steps }),
        1 => (0..30 * HOUR).prop_map(|ms| Happens::Silence { ms }),
        1 => prop_oneof![-2_000..2_000_i64, -40 * HOUR..40 * HOUR].prop_map(|ms| Happens::Step { ms }),
        1 => (0..10 * HOUR, any::<bool>())
            .prop_map(|(off_ms, synchronised)| Happens::Reboot { off_ms, synchronised }),
        1 => (-HOUR..20 * HOUR).prop_map(|to_ms| Happens::Synchronise { to_ms }),
        1 => Just(Happens::Kill),
    ]
}

impl Brings {
    fn poll(&self, device: &str, taken_at: Mono) -> Option<Poll> {
        let readings = match self {
            Brings::Nothing => return None,
            Brings::Failure(absence) => Err(*absence),
            Brings::Answer { load, octets, state, name } => Ok([
                load.clone().map(|sample| reading(METRICS[0], sample)),
                octets.map(|n| reading(METRICS[1], Ok(Value::Counter64(n >> 12)))),
                state.map(|s| {
                    let word = |n: u8| Value::State(["up", "down", "测试"][usize::from(n)].into());
                    reading(METRICS[2], s.map(word))
                }),
                name.map(|n| reading(METRICS[3], Ok(Value::Text(format!("核心 {n}").into())))),
            ]
            .into_iter()
            .flatten()
            .collect()),
        };
        Some(poll(device, taken_at, readings))
    }
}

fn live(bench: &mut Bench, what: &[Happens]) {
    for happens in what {
        match happens {
            Happens::Cycle { after_ms, polls, steps } => {
                bench.pass(*after_ms);
                let taken = |n: u64| Mono(bench.now.mono.0 - 15_000 - 7 * n);
                // Far apart: two parts.
                let devices = ["a", "b"];
                let polls: Vec<Poll> = polls
                    .iter()
                    .zip(devices)
                    .enumerate()
                    .filter_map(|(n, (brings, device))| brings.poll(device, taken(n as u64)))
                    .collect();
                bench.record(polls);
                for _ in 0..*steps {
                    bench.step();
                }
            }
            Happens::Silence { ms } => bench.pass(*ms),
            Happens::Step { ms } => bench.now.wall.0 += ms,
            Happens::Reboot { off_ms, synchronised } => {
                bench.now.wall.0 = if *synchronised { bench.now.wall.0 + off_ms } else { 0 };
                if *synchronised && bench.now.wall.0 < T0 {
                    bench.now.wall.0 = T0 + off_ms;
                }
                bench.reboot(*synchronised);
            }
            Happens::Synchronise { to_ms } if !bench.synchronised => {
                bench.synchronise(T0 + 40 * HOUR + to_ms)
            }
            Happens::Synchronise { .. } => {}
            Happens::Kill => bench.kill(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens, every sample with a date comes back as it was polled: from the rows, from the windows, from
    /// the days; and the roll-ups agree with them.
    #[test]
    fn every_sample_comes_back(what in prop::collection::vec(happens(), 20..260), small in any::<bool>()) {
        let budget = if small { Budget { chunks: 1, samples: 1 } } else { Budget::default() };
        let mut bench = Bench::new(budget);
        let (first, second) = what.split_at(what.len() / 2);
        live(&mut bench, first);
        bench.check()?;
        live(&mut bench, second);
        bench.settle();
        bench.check()?;
        bench.check_roll_ups()?;
        bench.pass(30 * HOUR);
        bench.settle();
        bench.check()?;
        bench.check_roll_ups()?;
        bench.kill();
        bench.check()?;
    }
}

/// Two days of a small site, one cycle in ten minutes.
fn two_days(bench: &mut Bench) {
    for n in 0..2 * 144_i64 {
        bench.pass(10 * MINUTE);
        let at = Mono(bench.now.mono.0 - 10_000);
        let state = if n % 50 < 40 { "up" } else { "down" };
        let readings = vec![
            reading(METRICS[0], Ok(Value::Number(n as f64 / 10.0))),
            reading(METRICS[1], Ok(Value::Counter64((n * n) as u64))),
            reading(METRICS[2], Ok(Value::State(state.into()))),
        ];
        let other = if n % 17 == 0 { Err(Absence::Timeout) } else { Ok(readings[..2].to_vec()) };
        bench.record(vec![poll("a", at, Ok(readings)), poll("b", at, other)]);
    }
    bench.pass(30 * HOUR);
}

#[test]
fn a_kill_between_any_two_steps_changes_nothing() {
    let budget = Budget { chunks: 2, samples: 100_000 };
    let mut whole = Bench::new(budget);
    two_days(&mut whole);
    whole.settle();
    let steps = whole.steps;
    assert!(steps > 100, "{steps} steps are too few to be cut");
    let count =
        |bench: &Bench, sql: &str| -> i64 { bench.conn().query_row(sql, [], |row| row.get(0)).unwrap() };
    for kill_after in (1..steps).step_by(7) {
        let mut bench = Bench::new(budget);
        two_days(&mut bench);
        for _ in 0..kill_after {
            bench.step();
        }
        bench.kill();
        bench.check().unwrap();
        bench.settle();
        bench.check().unwrap();
        bench.check_roll_ups().unwrap();
        for sql in [
            "SELECT count(*) FROM chunk",
            "SELECT count(*) FROM segment",
            "SELECT count(*) FROM segment WHERE state = 1 AND merged = 1",
            "SELECT count(*) FROM hot",
            "SELECT sum(length(body)) FROM chunk",
        ] {
            assert_eq!(count(&bench, sql), count(&whole, sql), "{sql} after a kill behind step {kill_after}");
        }
    }
}

#[test]
fn a_transaction_that_is_taken_back_leaves_no_trace() {
    let mut bench = Bench::new(Budget::default());
    let say = |bench: &mut Bench, word: &str| {
        bench.pass(MINUTE);
        let at = bench.now.mono;
        vec![poll("a", at, Ok(vec![reading(METRICS[2], Ok(Value::State(word.into())))]))]
    };
    let polls = say(&mut bench, "up");
    bench.record(polls);
    let polls = say(&mut bench, "down");
    let mark = bench.mark();
    let tx = bench.conn.as_ref().unwrap().unchecked_transaction().unwrap();
    bench.keeper.as_mut().unwrap().append(&tx, &mark, &mut polls.iter().cloned()).unwrap();
    drop(tx);
    bench.keeper.as_mut().unwrap().doubt();
    let polls = say(&mut bench, "down");
    bench.record(polls);
    bench.check().unwrap();
}

fn load(n: i64) -> Result<Vec<LatestReading>, Absence> {
    Ok(vec![reading(METRICS[0], Ok(Value::Number(n as f64)))])
}

#[test]
fn a_boot_that_never_hears_of_the_time_is_kept_without_a_date() {
    let mut bench = Bench::new(Budget::default());
    bench.now.wall = Wall(0);
    bench.reboot(false);
    for n in 0..200 {
        bench.pass(MINUTE);
        bench.record(vec![poll("a", bench.now.mono, load(n))]);
        bench.settle();
    }
    let segments = |bench: &Bench, what: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM segment WHERE state = 1 AND {what}");
        bench.conn().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(segments(&bench, "true"), 0, "it waits for the time");
    // Its clock began in 1970, and so does whoever looks at it now.
    let span = Span { from: Wall(0), to: Wall(300 * HOUR), points: 1, interval_ms: 60_000 };
    let now = history(bench.conn(), &Bench::name("a", METRICS[0]), span, true).unwrap().unwrap();
    let History::Numbers { columns, .. } = now else { panic!("a number") };
    assert_eq!(columns[0].count, 200);
    bench.reboot(true);
    bench.now.wall = Wall(T0 + HOUR);
    bench.pass(MINUTE);
    bench.record(vec![poll("a", bench.now.mono, load(7))]);
    bench.settle();
    assert_eq!((segments(&bench, "stretch IS NOT NULL"), segments(&bench, "stretch IS NULL")), (2, 0));
    bench.check().unwrap();
    assert_eq!(bench.found("a", METRICS[0]).len(), 1);
}

#[test]
fn a_boot_without_time_for_more_than_a_day_is_compacted_and_placed_later() {
    let mut bench = Bench::new(Budget::default());
    bench.reboot(false);
    for n in 0..30 * 6 {
        bench.pass(10 * MINUTE);
        bench.record(vec![poll("a", bench.now.mono, load(n))]);
        bench.settle();
    }
    assert!(bench.found("a", METRICS[0]).is_empty());
    let undated: i64 = bench
        .conn()
        .query_row("SELECT count(*) FROM segment WHERE state = 1 AND stretch IS NOT NULL", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert!(undated > 0, "rows older than a day were compacted");
    bench.synchronise(T0 + 72 * HOUR);
    bench.pass(MINUTE);
    bench.record(vec![poll("a", bench.now.mono, load(-1))]);
    bench.check().unwrap();
    assert_eq!(bench.found("a", METRICS[0]).len(), 181);
    bench.pass(40 * HOUR);
    bench.settle();
    bench.check().unwrap();
    bench.check_roll_ups().unwrap();
}

#[test]
fn a_clock_that_is_years_ahead_for_a_while_destroys_little() {
    let mut bench = Bench::new(Budget::default());
    let cycle = |bench: &mut Bench, n: i64| {
        bench.pass(10 * MINUTE);
        bench.record(vec![poll("a", bench.now.mono, load(n))]);
        bench.settle();
    };
    for n in 0..12 * 144 {
        cycle(&mut bench, n);
    }
    bench.check().unwrap();
    let days = |bench: &Bench| -> i64 {
        let sql = "SELECT count(*) FROM segment WHERE state = 1 AND tier = 0 AND merged = 1";
        bench.conn().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let before = days(&bench);
    bench.now.wall.0 += 20 * 366 * 24 * HOUR;
    for n in 0..18 {
        cycle(&mut bench, n);
    }
    bench.now.wall.0 -= 20 * 366 * 24 * HOUR;
    cycle(&mut bench, 0);
    assert!(days(&bench) >= before - 4, "{before} days became {}", days(&bench));
}

#[test]
fn what_is_too_old_goes_by_tiers() {
    let mut bench = Bench::new(Budget::default());
    let keep = Retention { raw_ms: 48 * HOUR, five_minutes_ms: 96 * HOUR, hours_ms: 240 * HOUR };
    bench.keeper.as_mut().unwrap().keep(keep);
    for n in 0..20 * 48 {
        bench.pass(30 * MINUTE);
        bench.record(vec![poll("a", bench.now.mono, load(n))]);
        bench.settle();
    }
    let mut select = bench
        .conn()
        .prepare("SELECT tier, count(*), min(t0) FROM segment WHERE state = 1 AND merged = 1 GROUP BY tier")
        .unwrap();
    let tiers: Vec<(i64, i64, i64)> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let days: Vec<i64> = tiers.iter().map(|(_, n, _)| *n).collect();
    assert_eq!(days, [3, 5, 11]);
    let orphans: i64 = bench
        .conn()
        .query_row("SELECT count(*) FROM chunk WHERE id >> 32 NOT IN (SELECT id FROM segment)", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(orphans, 0);
    // The oldest times are answered by the hour, the newest by every sample.
    let History::Numbers { columns, .. } = bench.ask("a", METRICS[0], 1_920, 30 * MINUTE as u64) else {
        panic!("a number")
    };
    let count: u32 = columns.iter().map(|column| column.count).sum();
    assert!((11 * 48..=12 * 48 + 48).contains(&count), "{count}");
}

#[test]
fn silence_is_a_gap_and_failure_is_not_silence() {
    let mut bench = Bench::new(Budget::default());
    for n in 0..60_i64 {
        bench.pass(MINUTE);
        let readings = match n {
            20..30 => continue,
            40..50 => Err(Absence::Timeout),
            50..52 => Ok(vec![
                reading(METRICS[0], Err(Absence::Invalid)),
                reading(METRICS[2], Err(Absence::Invalid)),
            ]),
            _ => Ok(vec![
                reading(METRICS[0], Ok(Value::Number(n as f64))),
                reading(METRICS[2], Ok(Value::State(if n < 10 { "up" } else { "down" }.into()))),
            ]),
        };
        bench.record(vec![poll("a", bench.now.mono, readings)]);
    }
    bench.check().unwrap();
    let span = Span { from: Wall(T0), to: Wall(T0 + HOUR), points: 6, interval_ms: 60_000 };
    let ask = |metric| history(bench.conn(), &Bench::name("a", metric), span, false).unwrap().unwrap();
    let History::Numbers { width_ms, columns } = ask(METRICS[0]) else { panic!("a number") };
    assert_eq!(width_ms, 600_000);
    let short: Vec<_> =
        columns.iter().map(|c| ((c.from.0 - T0) / MINUTE, c.count, c.bad, c.failed, c.broken)).collect();
    // Minute n+1 has sample n: the silence is at 21 to 30, the failures at 41 to 50, the bad ones at 51 and 52.
    assert_eq!(
        short,
        [
            (0, 9, 0, 0, false),
            (10, 10, 0, 0, false),
            (20, 1, 0, 0, false),
            (30, 9, 0, 0, true),
            (40, 1, 0, 9, false),
            (50, 7, 2, 1, true),
        ]
    );
    let band = columns[1].band.unwrap();
    assert_eq!((band.first, band.min, band.max, band.last, band.mean), (9.0, 9.0, 18.0, 18.0, 13.5));
    let History::Words { runs, .. } = ask(METRICS[2]) else { panic!("a word") };
    let run = |from: i64, to: i64, state: Result<&str, Absence>| Run {
        from: Wall(T0 + from * MINUTE),
        to: Wall(T0 + to * MINUTE),
        state: state.map_or_else(RunState::Bad, |word| RunState::Word(word.into())),
    };
    assert_eq!(
        runs,
        [
            run(1, 10, Ok("up")),
            run(11, 20, Ok("down")),
            run(31, 40, Ok("down")),
            run(41, 50, Err(Absence::Timeout)),
            run(51, 52, Err(Absence::Invalid)),
            run(53, 59, Ok("down")),
        ]
    );
}

#[test]
fn a_renamed_instance_goes_on() {
    let mut bench = Bench::new(Budget::default());
    let say = |bench: &mut Bench, instance: &str, n: f64| {
        bench.pass(MINUTE);
        let mut one = reading(METRICS[0], Ok(Value::Number(n)));
        one.instance = instance.into();
        bench.record(vec![poll("a", bench.now.mono, Ok(vec![one]))]);
    };
    say(&mut bench, "eth0", 1.0);
    let device = crate::records::device_row(bench.conn(), "a").unwrap();
    super::rename(bench.conn(), device, "eth0", "wan").unwrap();
    bench.kill();
    say(&mut bench, "wan", 2.0);
    let name = |instance: &str| SeriesName { instance: instance.into(), ..Bench::name("a", METRICS[0]) };
    let values = |instance| samples(bench.conn(), &name(instance)).unwrap().into_iter().map(|(_, what)| what);
    assert!(values("wan").eq([What::Value(1.0), What::Value(2.0)]));
    assert!(values("eth0").eq([What::Value(1.0)]));
    super::rename(bench.conn(), device, "wan", "eth0").unwrap();
    assert!(values("wan").eq([What::Value(1.0), What::Value(2.0)]), "no circle");
    assert_eq!(
        history(
            bench.conn(),
            &name("lo"),
            Span { from: Wall(0), to: Wall(1), points: 1, interval_ms: 1 },
            true
        ),
        Ok(None)
    );
}

/// The latest readings of a store that is opened anew.
fn latest(dir: &Path) -> Vec<LatestDevice> {
    let conn = schema::open_writer(dir).unwrap();
    let mut latest = super::latest_readings(&conn).unwrap();
    for device in &mut latest {
        device.readings.sort_by(|a, b| a.metric.cmp(&b.metric));
    }
    latest
}

#[test]
fn the_latest_readings_come_back_after_a_restart() {
    let mut bench = Bench::new(Budget::default());
    let mut last = None;
    for n in 0..500_i64 {
        bench.pass(MINUTE);
        let state = if n < 130 { "up" } else { "down" };
        let mut readings = vec![
            reading(METRICS[0], Ok(Value::Number(n as f64))),
            reading(METRICS[2], Ok(Value::State(state.into()))),
            reading(METRICS[3], Ok(Value::Text("核心".into()))),
        ];
        if n >= 200 {
            readings.pop();
        }
        let at = Mono(bench.now.mono.0 - 5_000);
        let mut polls = vec![poll("a", at, Ok(readings.clone()))];
        // As the shell says it.
        polls[0].poll.taken_at = Wall(bench.now.wall.0 - 5_000);
        if n < 300 {
            let mut other = polls[0].clone();
            other.poll.device = "b".into();
            polls.push(other);
        }
        bench.record(polls);
        bench.settle();
        if n == 299 || n % 97 == 0 || n == 499 {
            let found = latest(bench.dir.path());
            let expected = LatestDevice {
                device: "a".into(),
                profile: "p".into(),
                taken_at: Wall(bench.now.wall.0 - 5_000),
                answered: true,
                readings,
            };
            assert_eq!(found[0], expected, "cycle {n}");
            if n <= 299 {
                last = Some(LatestDevice { device: "b".into(), ..expected });
            }
            assert_eq!(found[1].device, "b".into());
            assert!(n > 299 || Some(&found[1]) == last.as_ref(), "cycle {n}");
        }
    }
    // Silent for more than three hours: no older than the last time it was written in whole.
    let found = &latest(bench.dir.path())[1];
    let late = last.unwrap().taken_at.0 - found.taken_at.0;
    assert!((0..HOUR).contains(&late), "{} minutes late", late / MINUTE);
    bench.pass(MINUTE);
    bench.record(vec![poll("a", bench.now.mono, Err(Absence::Refused))]);
    let found = &latest(bench.dir.path())[0];
    assert!(!found.answered && found.readings.iter().all(|reading| reading.sample == Err(Absence::Refused)));
    assert_eq!(found.taken_at, bench.now.wall);
}
