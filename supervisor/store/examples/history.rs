//! What history costs: bytes per sample, flash written a day, query time, the wait of a transition behind compaction.
//! Run by `tests/bench/history`, which explains the figures.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
#![allow(clippy::print_stdout, reason = "it prints figures")]

use roundsman_core::reading::{Sample, Value};
use roundsman_core::time::{Mono, Now, Wall};
use roundsman_store::{
    ClockMark, History, LatestDevice, LatestReading, MOST_POLLS, Named, Poll, SeriesName, Span, Store,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// 1 October 2026, 00:00 UTC.
const START: i64 = 1_790_812_800_000;
const MINUTE: i64 = 60_000;

/// xorshift: the same figures in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Between 0 and 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// One point as it goes on: 60 % noisy gauges (a third of them rates with all their digits), 25 % counters, 15 % states.
enum Walk {
    Gauge { level: f64, noise: f64 },
    Rate { level: f64 },
    Counter { n: u64, step: u64 },
    State { up: bool },
}

impl Walk {
    fn new(nth: usize, random: &mut Random) -> Walk {
        match nth % 20 {
            0..8 => Walk::Gauge { level: 20.0 + 60.0 * random.share(), noise: 0.5 + random.share() },
            8..12 => Walk::Rate { level: 1e3 * 10_f64.powf(4.0 * random.share()) },
            12..17 => Walk::Counter { n: random.next() >> 20, step: 1 + random.next() % 5_000 },
            _ => Walk::State { up: true },
        }
    }

    fn poll(&mut self, random: &mut Random) -> Sample {
        Ok(match self {
            Walk::Gauge { level, noise } => {
                *level = (*level + (random.share() - 0.5) * *noise).clamp(0.0, 100.0);
                Value::Number((*level * 10.0).round() / 10.0)
            }
            Walk::Rate { level } => {
                let bytes = (*level * (0.8 + 0.4 * random.share()) * 60.0) as u64;
                Value::Number(bytes as f64 * 8.0 / (59.9 + 0.2 * random.share()))
            }
            Walk::Counter { n, step } => {
                *n += random.next() % (2 * *step);
                Value::Counter64(*n)
            }
            Walk::State { up } => {
                *up ^= random.next().is_multiple_of(2_000);
                Value::State(if *up { "up" } else { "down" }.into())
            }
        })
    }
}

struct Device {
    id: Arc<str>,
    points: Vec<(Arc<str>, Walk)>,
    names: Named,
}

impl Device {
    fn poll(&mut self, now: Now, random: &mut Random) -> Poll {
        // Polls of a tick end some milliseconds after it.
        let late = 5 + random.next() % 40;
        let readings = self.points.iter_mut().map(|(metric, walk)| LatestReading {
            metric: metric.clone(),
            instance: "".into(),
            sample: walk.poll(random),
        });
        let taken_at = Mono(now.mono.0 - 10_000 + late);
        let poll = LatestDevice {
            device: self.id.clone(),
            profile: "bench".into(),
            taken_at: Wall(now.wall.0 - 10_000 + late as i64),
            answered: true,
            readings: readings.collect(),
        };
        self.names.poll(taken_at, &poll)
    }
}

fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|n| n.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Bytes and number of the chunks of each tier.
fn sizes(dir: &Path) -> Vec<(usize, u64, u64)> {
    let conn = rusqlite::Connection::open(dir.join(roundsman_store::FILE)).expect("the database");
    let sql = "SELECT s.tier, sum(length(c.body)), count(*) FROM chunk c JOIN segment s ON s.id = c.id >> 32 GROUP BY s.tier";
    let mut select = conn.prepare(sql).expect("a query");
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.and_then(Iterator::collect).expect("rows")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default| args.next().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (devices, points, days): (usize, usize, i64) = (number(60), number(20), number(7) as i64);
    let dir = args.next().map_or_else(std::env::temp_dir, PathBuf::from).join("roundsman-bench-history");
    let _ = std::fs::remove_dir_all(&dir);
    let (store, _) = Store::open(&dir, Wall(START)).expect("a new store");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut site: Vec<Device> = (0..devices)
        .map(|d| Device {
            id: format!("d{d}").into(),
            names: Named::default(),
            points: (0..points)
                .map(|p| (format!("m.p{p}").into(), Walk::new(d * points + p, &mut random)))
                .collect(),
        })
        .collect();
    let (began, cycles) = (Instant::now(), days * 24 * 60);
    let (mut waits, mut records, mut stepping) = (Vec::new(), Vec::new(), Duration::ZERO);
    let before = written();
    let mut day = (before, Vec::new());
    for minute in 0..cycles + 5 {
        let now = Now::at(1_000_000 + (minute * MINUTE) as u64, START + minute * MINUTE + 20_000);
        let mark = ClockMark { boot: "bench".into(), now, synchronised: true };
        for slice in site.chunks_mut(MOST_POLLS) {
            let polls: Vec<Poll> = slice.iter_mut().map(|device| device.poll(now, &mut random)).collect();
            let at = Instant::now();
            store.record(mark.clone(), move || polls.clone().into_iter()).await.expect("recorded");
            records.push(at.elapsed());
        }
        // A small transaction again and again while history is at work: its wait is the longest step and its own flush.
        let steps = Instant::now();
        // On the last day only: the flushes of these transactions are not history's.
        while !store.is_settled().await.expect("an answer") {
            if minute < cycles - 1_440 {
                continue;
            }
            let at = Instant::now();
            store.mark_clock(mark.clone()).await.expect("marked");
            waits.push(at.elapsed());
        }
        stepping += steps.elapsed();
        if minute % 1_440 == 1_439 {
            day.1.push(written() - day.0);
            day.0 = written();
        }
    }
    let elapsed = began.elapsed();
    let samples = (devices * points) as i64 * cycles;
    waits.sort();
    records.sort();
    println!("{devices} devices x {points} points, {days} days at 60 s: {samples} samples");
    println!(
        "database file            {:>10.1} MB, {:.2} B a sample",
        mb(store.bytes()),
        store.bytes() as f64 / samples as f64
    );
    for (tier, bytes, chunks) in sizes(&dir) {
        let of = ["every sample", "by 5 minutes", "by the hour"][tier];
        println!(
            "  {of:<22} {:>10.1} MB in {chunks} chunks, {:.2} B a sample",
            mb(bytes),
            bytes as f64 / samples as f64
        );
    }
    let daily: Vec<String> = day.1.iter().map(|n| format!("{:.0}", mb(*n))).collect();
    println!("flash written a day      {:>10} MB", daily.join(" "));
    println!(
        "record, one call         {:>10.1} ms median, {:.1} ms longest",
        ms(records[records.len() / 2]),
        ms(records[records.len() - 1])
    );
    println!(
        "wait of a transaction    {:>10.1} ms median, {:.1} ms 99.9 %, {:.1} ms longest ({} of them)",
        ms(waits[waits.len() / 2]),
        ms(waits[waits.len() * 999 / 1_000]),
        ms(waits[waits.len() - 1]),
        waits.len()
    );
    println!(
        "wall time                {:>10.1} s, of it steps {:.1} s; peak memory {:.0} MiB",
        elapsed.as_secs_f64(),
        stepping.as_secs_f64(),
        peak_mib()
    );
    for (what, points) in [("every sample", 2_000), ("5 minutes", 500), ("hour", 60)] {
        let mut times = Vec::new();
        for nth in 0..200 {
            let device = &site[nth * 7 % devices];
            let (metric, _) = &device.points[nth * 3 % points.min(device.points.len())];
            let name = SeriesName { device: device.id.clone(), metric: metric.clone(), instance: "".into() };
            let end = START + cycles * MINUTE;
            let span =
                Span { from: Wall(end - days * 86_400_000), to: Wall(end), points, interval_ms: 60_000 };
            let at = Instant::now();
            let history = store.reader().history(name, span).await.expect("an answer").expect("a series");
            times.push(at.elapsed());
            match history {
                History::Numbers { columns, .. } => assert!(!columns.is_empty()),
                History::Words { runs, .. } => assert!(!runs.is_empty()),
            }
        }
        times.sort();
        println!(
            "query, {days} days, {what:<13}{:>9.2} ms median, {:.2} ms longest",
            ms(times[100]),
            ms(times[199])
        );
    }
    store.close();
    let _ = std::fs::remove_dir_all(&dir);
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
