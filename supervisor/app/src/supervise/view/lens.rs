//! Where to look in the readings of a profile: found once per profile, not once per poll or page.
//!
//! The metrics that lists and charts show are looked up by name here, and the rules' limits are collected per metric.
//! A lens judges nothing and reads nothing: [`super::headlines`] and [`super::shown`] look through it.

use roundsman_core::line::Figure;
use roundsman_core::model::{Kind, MetricIx, Model, Record};
use roundsman_core::rule::{Rule, Test};
use roundsman_panel::Limit;
use roundsman_profile::schema::Profile;
use std::collections::HashMap;
use std::sync::Arc;

/// Most figures of a device whose past its page shows: what fits on it, and each is a question to the store.
pub(super) const MOST_SERIES: usize = 8;

/// Names of the metric that says how busy the processor is; makers whose boards each have one say it per board.
const CPU_LOAD: [&str; 2] = ["cpu.load", "board.cpu-load"];
/// The same of memory.
const MEMORY_USED: [&str; 2] = ["memory.used", "board.memory-used"];
/// The same of temperature. Batteries and optical modules have other limits and stay out.
const TEMPERATURE: [&str; 2] = ["temperature.value", "board.temperature"];
/// The same of humidity.
const HUMIDITY: [&str; 1] = ["humidity.value"];

/// Where to look in the readings of one profile.
#[derive(Debug)]
pub(crate) struct Lens {
    /// The profile, the site's limits applied.
    pub(in crate::supervise) profile: Arc<Profile>,
    pub(super) cpu_load: Vec<MetricIx>,
    pub(super) memory_used: Vec<MetricIx>,
    pub(super) temperature: Vec<MetricIx>,
    pub(super) humidity: Vec<MetricIx>,
    pub(super) interface: Interface,
    pub(super) line_loss: Option<MetricIx>,
    /// The figures whose past the device's page shows: without and with the trunk, of each without and with the line.
    series: [[Arc<[Series]>; 2]; 2],
    /// Limits per metric that has any, by metric.
    limits: Vec<(MetricIx, Arc<[Limit]>)>,
    /// For all others.
    no_limits: Arc<[Limit]>,
}

/// The columns of the interface table that a trunk is read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    pub(super) oper_status: Option<MetricIx>,
    pub(super) speed: Option<MetricIx>,
    pub(super) in_rate: Option<MetricIx>,
    pub(super) out_rate: Option<MetricIx>,
}

/// A figure whose past is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) metric: MetricIx,
    pub(super) pick: Pick,
}

/// Which value of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// That of the instance where it is highest now; of a scalar its only one.
    Highest,
    /// The one of the interface that is the trunk.
    Trunk,
}

impl Lens {
    fn new(profile: Arc<Profile>) -> Lens {
        let model = &profile.model;
        let found = |names: &[&str]| names.iter().filter_map(|name| model.metric(name)).collect::<Vec<_>>();
        let (cpu_load, memory_used) = (found(&CPU_LOAD), found(&MEMORY_USED));
        let (temperature, humidity) = (found(&TEMPERATURE), found(&HUMIDITY));
        let interface = Interface {
            oper_status: model.metric("interface.oper-status"),
            speed: model.metric("interface.speed"),
            in_rate: model.metric("interface.in-rate"),
            out_rate: model.metric("interface.out-rate"),
        };
        let first = [&cpu_load, &memory_used, &temperature, &humidity].into_iter().flatten().copied();
        let first: Vec<MetricIx> = first.collect();
        let trunk: Vec<MetricIx> = interface.in_rate.into_iter().chain(interface.out_rate).collect();
        // The 95th percentile goes with the median; the page shows the other three.
        let shown = [Figure::Loss, Figure::Latency, Figure::Jitter];
        let of_line =
            |wanted| model.line.iter().find(|(_, figure)| *figure == wanted).map(|(metric, _)| *metric);
        let line: Vec<MetricIx> = shown.into_iter().filter_map(of_line).collect();
        let series =
            [&[][..], &trunk].map(|trunk| [&[][..], &line].map(|line| series(model, &first, trunk, line)));
        let limits = limits(&model.rules);
        Lens {
            cpu_load,
            memory_used,
            temperature,
            humidity,
            interface,
            line_loss: of_line(Figure::Loss),
            series,
            limits,
            no_limits: [].into(),
            profile,
        }
    }

    /// The figures whose past is shown of a device with or without a trunk, with or without somebody who looks at its
    /// line.
    pub(super) fn series(&self, has_trunk: bool, has_line: bool) -> &Arc<[Series]> {
        &self.series[usize::from(has_trunk)][usize::from(has_line)]
    }

    /// Where the rules on a metric draw the line, worst first. A rule's guard is not looked at: the line shows what
    /// the rule would say where it applies.
    pub(super) fn limits(&self, metric: MetricIx) -> &Arc<[Limit]> {
        match self.limits.binary_search_by_key(&metric, |(metric, _)| *metric) {
            Ok(at) => &self.limits[at].1,
            Err(_) => &self.no_limits,
        }
    }
}

/// The headline figures first, then the trunk, then its quality, then what else history keeps of the device as a whole, in the order of
/// the profile.
fn series(model: &Model, first: &[MetricIx], trunk: &[MetricIx], line: &[MetricIx]) -> Arc<[Series]> {
    let is_kept = |metric: &MetricIx| {
        let known = &model.metrics[metric.at()];
        known.kind == Kind::Gauge && known.record == Record::Every && model.uptime != Some(*metric)
    };
    let is_scalar = |metric: &MetricIx| model.metrics[metric.at()].table.is_none();
    let all = (0..model.metrics.len() as u16).map(MetricIx);
    // Packets a second of the whole device say little at a glance; those of its uplink stand there anyway.
    let is_packet_rate = |metric: &MetricIx| &*model.metrics[metric.at()].unit == "/s";
    let is_other = |metric: &MetricIx| !first.contains(metric) && !model.is_of_line(*metric);
    let others = all.filter(|metric| is_scalar(metric) && !is_packet_rate(metric) && is_other(metric));
    let highest = |metric| Series { metric, pick: Pick::Highest };
    let first = first.iter().copied().filter(is_kept).map(highest);
    let trunk = trunk.iter().map(|&metric| Series { metric, pick: Pick::Trunk });
    let line = line.iter().copied().filter(is_kept).map(highest);
    first.chain(trunk).chain(line).chain(others.filter(is_kept).map(highest)).take(MOST_SERIES).collect()
}

fn limits(rules: &[Rule]) -> Vec<(MetricIx, Arc<[Limit]>)> {
    let mut by_metric: HashMap<MetricIx, Vec<Limit>> = HashMap::new();
    for rule in rules {
        for level in &rule.levels {
            let mut add = |at, above| {
                let limits = by_metric.entry(rule.on).or_default();
                let limit = Limit { severity: level.severity, at, above };
                if !limits.contains(&limit) {
                    limits.push(limit);
                }
            };
            match level.test {
                Test::Above { limit, .. } => add(limit, true),
                Test::Below { limit, .. } => add(limit, false),
                Test::Outside { low, high, .. } => {
                    add(high, true);
                    add(low, false);
                }
                Test::Expect(_) | Test::Changed => {}
            }
        }
    }
    let mut limits: Vec<(MetricIx, Arc<[Limit]>)> = by_metric
        .into_iter()
        .map(|(metric, mut limits)| {
            limits.sort_by_key(|limit| limit.severity);
            (metric, limits.into())
        })
        .collect();
    limits.sort_by_key(|(metric, _)| *metric);
    limits
}

/// The lenses of all profiles in use; devices of one profile share one.
#[derive(Debug, Default)]
pub(crate) struct Lenses(Vec<Arc<Lens>>);

impl Lenses {
    /// The lens of a profile, made if it is new. A profile with limits of its own is a profile of its own.
    pub(in crate::supervise) fn of(&mut self, profile: &Arc<Profile>) -> Arc<Lens> {
        if let Some(lens) = self.0.iter().find(|lens| Arc::ptr_eq(&lens.profile, profile)) {
            return lens.clone();
        }
        let lens = Arc::new(Lens::new(profile.clone()));
        self.0.push(lens.clone());
        lens
    }
}
