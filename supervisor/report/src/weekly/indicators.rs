//! The key figures (KPI): this week, the target, the week before, the mean of four.

use super::TARGET_BASIS_POINTS;
use crate::voice::share;
use roundsman_core::figures::Figures;
use roundsman_core::figures::comparison::{Comparison, Sense, compare};
use roundsman_core::rule::Severity;
use roundsman_core::text::Bilingual;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// (should run − down) / should run.
    Availability,
    /// The score of 100.
    Health,
    /// Faults raised in the week.
    NewFaults,
    /// Critical and major ones among them.
    SevereFaults,
    /// Raised to acknowledged.
    Acknowledgement,
    /// First bad to recovered.
    Repair,
    /// Share of the devices' time that was watched.
    Coverage,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Percent with two decimals.
    Percent,
    /// Points of 100 with one decimal.
    Points,
    /// A number of faults.
    Count,
    /// Minutes.
    Minutes,
}

/// A figure beside the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator {
    /// What.
    pub measure: Measure,
    /// What it is held to, in its unit; `None` where nothing was agreed.
    pub target: Option<f64>,
    /// This week and the ones before, in its unit.
    pub comparison: Comparison,
    /// Lives that happened and whose length nobody can know; counted apart. 0 for what is no mean of durations.
    pub unknown: u32,
}

impl Measure {
    /// All of them, in the order they are printed.
    pub const ALL: [Measure; 7] = [
        Measure::Availability,
        Measure::Health,
        Measure::NewFaults,
        Measure::SevereFaults,
        Measure::Acknowledgement,
        Measure::Repair,
        Measure::Coverage,
    ];

    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Measure::Availability => "availability",
            Measure::Health => "health",
            Measure::NewFaults => "new-faults",
            Measure::SevereFaults => "severe-faults",
            Measure::Acknowledgement => "mean-time-to-acknowledge",
            Measure::Repair => "mean-time-to-repair",
            Measure::Coverage => "coverage",
        }
    }

    /// Its name for people.
    pub fn name(self) -> Bilingual {
        match self {
            Measure::Availability => Bilingual::new("可用率", "Availability"),
            Measure::Health => Bilingual::new("健康度", "Health"),
            Measure::NewFaults => Bilingual::new("新增故障", "New faults"),
            Measure::SevereFaults => Bilingual::new("其中紧急、重要", "of these critical or major"),
            Measure::Acknowledgement => Bilingual::new("平均确认时间 MTTA", "Mean time to acknowledge"),
            Measure::Repair => Bilingual::new("平均修复时间 MTTR", "Mean time to repair"),
            Measure::Coverage => Bilingual::new("监控覆盖率", "Monitoring coverage"),
        }
    }

    /// What it is counted in.
    pub fn unit(self) -> Unit {
        match self {
            Measure::Availability | Measure::Coverage => Unit::Percent,
            Measure::Health => Unit::Points,
            Measure::NewFaults | Measure::SevereFaults => Unit::Count,
            Measure::Acknowledgement | Measure::Repair => Unit::Minutes,
        }
    }

    fn sense(self) -> Sense {
        match self {
            Measure::Availability | Measure::Health | Measure::Coverage => Sense::HigherIsBetter,
            _ => Sense::LowerIsBetter,
        }
    }

    fn of(self, figures: &Figures) -> Option<f64> {
        let time = &figures.time.all.time;
        let tally = &figures.faults.groups.all;
        // A week in which nobody watched has no number of faults: it is not zero.
        let count = |count: u32| (figures.watched_ms > 0).then_some(f64::from(count));
        let percent = |points: Option<u32>| points.map(|points| f64::from(points) / 100.0);
        let minutes = |ms: Option<u64>| ms.map(|ms| ms as f64 / 60_000.0);
        let severe = |severity| figures.faults.severities.get(&severity).map_or(0, |tally| tally.new);
        match self {
            Measure::Availability => percent(share(time.up_ms, time.should_run_ms())),
            Measure::Health => figures.health.all.map(|health| f64::from(health.score.0) / 10.0),
            Measure::NewFaults => count(tally.new),
            Measure::SevereFaults => count(severe(Severity::Critical) + severe(Severity::Major)),
            Measure::Acknowledgement => minutes(tally.acknowledgement.mean_ms()),
            Measure::Repair => minutes(tally.repair.mean_ms()),
            Measure::Coverage => percent(share(time.observed_ms(), time.in_site_ms())),
        }
    }
}

impl Unit {
    /// The last digit that is printed; a mean of counts has a decimal.
    fn step(self) -> f64 {
        match self {
            Unit::Percent => 0.01,
            Unit::Points | Unit::Count => 0.1,
            Unit::Minutes => 1.0,
        }
    }
}

/// All figures of the week; `before` are those of the weeks before it, newest first.
pub(super) fn all(figures: &Figures, before: &[Figures]) -> Vec<Indicator> {
    let of = |measure: Measure| {
        let past: Vec<Option<f64>> = before.iter().map(|figures| measure.of(figures)).collect();
        let unit = measure.unit();
        let tally = &figures.faults.groups.all;
        Indicator {
            measure,
            target: (measure == Measure::Availability).then(|| f64::from(TARGET_BASIS_POINTS) / 100.0),
            comparison: compare(measure.of(figures), &past, unit.step(), measure.sense()),
            unknown: match measure {
                Measure::Acknowledgement => tally.acknowledgement.unknown,
                Measure::Repair => tally.repair.unknown,
                _ => 0,
            },
        }
    };
    Measure::ALL.into_iter().map(of).collect()
}
