//! What the supervisor knows of itself.

use roundsman_driver::snmp::Finished;
use roundsman_panel::Latencies;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the latency buckets in seconds.
const BOUNDS_S: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Counters of the running service.
#[derive(Debug, Default)]
pub(crate) struct Measured(Mutex<Counted>);

/// What is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) polls: u64,
    pub(super) polls_failed: u64,
    pub(super) polls_refused: u64,
    pub(super) requests: u64,
    pub(super) retries: u64,
    pub(super) varbinds: u64,
    pub(super) octets_sent: u64,
    pub(super) octets_received: u64,
    pub(super) poll_latency: Histogram,
    pub(super) commit_latency: Histogram,
}

impl Measured {
    fn with<T>(&self, change: impl FnOnce(&mut Counted) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a poll that ended.
    pub(super) fn add_poll(&self, finished: &Finished) {
        let cost = finished.answer.cost;
        let took_ms = finished.finished.mono.since_ms(finished.started.mono);
        self.with(|counted| {
            counted.polls += 1;
            counted.polls_failed += u64::from(!finished.answer.answered);
            counted.requests += u64::from(cost.requests);
            counted.retries += u64::from(cost.retries);
            counted.varbinds += u64::from(cost.varbinds);
            counted.octets_sent += cost.octets_out;
            counted.octets_received += cost.octets_in;
            counted.poll_latency.add(took_ms as f64 / 1000.0);
        });
    }

    /// Counts a poll that the driver had no place for.
    pub(super) fn count_refused_poll(&self) {
        self.with(|counted| counted.polls_refused += 1);
    }

    /// Counts a commit.
    pub(super) fn add_commit(&self, took: Duration) {
        self.with(|counted| counted.commit_latency.add(took.as_secs_f64()));
    }

    pub(super) fn read(&self) -> Counted {
        self.with(|counted| counted.clone())
    }
}

/// Durations in buckets.
#[derive(Clone, Debug, Default)]
pub(super) struct Histogram {
    counts: [u64; BOUNDS_S.len()],
    sum_s: f64,
    count: u64,
}

impl Histogram {
    fn add(&mut self, seconds: f64) {
        if let Some(at) = BOUNDS_S.iter().position(|bound| seconds <= *bound) {
            self.counts[at] += 1;
        }
        self.sum_s += seconds;
        self.count += 1;
    }

    pub(super) fn latencies(&self) -> Latencies {
        Latencies {
            buckets: BOUNDS_S.into_iter().zip(self.counts).collect(),
            sum_s: self.sum_s,
            count: self.count,
        }
    }
}

/// CPU seconds and resident bytes of this process (proc(5): `stat` fields 14, 15 and 24); zeros where /proc is
/// missing.
pub(super) fn process() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field, the program's name, may hold spaces; it ends at the last parenthesis.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let ticks_a_second = rustix::param::clock_ticks_per_second().max(1);
    let cpu_s = (field(14) + field(15)) as f64 / ticks_a_second as f64;
    (cpu_s, field(24) * rustix::param::page_size() as u64)
}
