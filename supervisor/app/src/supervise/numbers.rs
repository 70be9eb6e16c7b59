//! What the supervisor knows of itself. Of bounded size: a [`Measure`] for each driver, whatever the site.

use roundsman_core::tally::{Driver, DriverTally, Polled, Recent, Spread};
use roundsman_panel::{DriverNumbers, Latencies};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the latency buckets in seconds.
const BOUNDS_S: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Counters of the running service.
#[derive(Debug, Default)]
pub(crate) struct Measured(Mutex<Counted>);

/// What is counted.
#[derive(Debug, Default)]
struct Counted {
    /// In the order of [`Driver::ALL`].
    drivers: [Measure; Driver::ALL.len()],
    commit_latency: Histogram,
    loop_lateness: Recent<1024>,
    loop_wakeups: u64,
}

/// What is counted of one driver.
#[derive(Debug, Default)]
struct Measure {
    tally: DriverTally,
    latency: Histogram,
}

/// How the loop keeps up.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LoopNumbers {
    /// Times it woke up.
    pub(super) wakeups: u64,
    /// From when something was due to when the loop came to it.
    pub(super) lateness: Option<Spread>,
}

impl Measured {
    fn with<T>(&self, change: impl FnOnce(&mut Counted) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a poll or probe that ended.
    pub(super) fn add_poll(&self, driver: Driver, poll: &Polled) {
        self.with(|counted| {
            let measure = &mut counted.drivers[driver as usize];
            measure.tally.add(poll);
            measure.latency.add(poll.took_ms as f64 / 1000.0);
        });
    }

    /// Counts polls that were due and not started.
    pub(super) fn add_missed(&self, driver: Driver, polls: u64) {
        self.with(|counted| counted.drivers[driver as usize].tally.counts.missed += polls);
    }

    /// Counts a commit.
    pub(super) fn add_commit(&self, took: Duration) {
        self.with(|counted| counted.commit_latency.add(took.as_secs_f64()));
    }

    /// The loop woke up, `late_ms` after what was due; `None` where nothing was.
    pub(super) fn add_wakeup(&self, late_ms: Option<u64>) {
        self.with(|counted| {
            counted.loop_wakeups += 1;
            if let Some(late_ms) = late_ms {
                counted.loop_lateness.add(late_ms);
            }
        });
    }

    /// Of each driver, also of those that have polled nothing: a counter begins at 0.
    pub(super) fn drivers(&self) -> Vec<DriverNumbers> {
        self.with(|counted| {
            let all = Driver::ALL.iter().zip(&counted.drivers);
            let numbers = all.map(|(driver, measure)| DriverNumbers {
                driver: *driver,
                summary: measure.tally.summary(),
                latency: measure.latency.latencies(),
            });
            numbers.collect()
        })
    }

    /// Of the loop.
    pub(super) fn of_loop(&self) -> LoopNumbers {
        self.with(|counted| LoopNumbers {
            wakeups: counted.loop_wakeups,
            lateness: counted.loop_lateness.spread(),
        })
    }

    /// Of the store's commits.
    pub(super) fn commits(&self) -> Latencies {
        self.with(|counted| counted.commit_latency.latencies())
    }
}

/// Durations in buckets.
#[derive(Clone, Debug, Default)]
struct Histogram {
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

    fn latencies(&self) -> Latencies {
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
