//! How polls go, by driver and by device.

use crate::site::{DriverNumbers, Latencies};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use roundsman_core::tally::{Counts, Driver, Spread, Summary};
use std::sync::Arc;

/// A family by driver, and by device where it is about devices.
struct Family {
    name: &'static str,
    help: &'static str,
    of: fn(&Counts) -> u64,
    /// Whether reach probes have it as well: they are single datagrams, asked for and never due.
    probes: bool,
}

const FAMILIES: [Family; 11] = [
    Family { name: "polls", help: "Polls ended", of: |n| n.polls, probes: true },
    Family { name: "polls_failed", help: "Polls without a valid answer", of: |n| n.failed, probes: true },
    Family {
        name: "polls_missed",
        help: "Scheduled polls that could not be started before the next was due",
        of: |n| n.missed,
        probes: false,
    },
    Family { name: "requests", help: "Requests sent, retries included", of: |n| n.requests, probes: false },
    Family { name: "retries", help: "Requests sent again", of: |n| n.retries, probes: false },
    Family {
        name: "timeouts",
        help: "Requests without an answer after their retries",
        of: |n| n.timeouts,
        probes: false,
    },
    Family {
        name: "strays",
        help: "Answers that belong to no waiting request, most often too late",
        of: |n| n.strays,
        probes: false,
    },
    Family {
        name: "duplicates",
        help: "Further answers to a request that had been answered",
        of: |n| n.duplicates,
        probes: false,
    },
    Family {
        name: "rejected",
        help: "Answers from another source, of another community or version, or not readable",
        of: |n| n.rejected,
        probes: false,
    },
    Family {
        name: "sent_octets",
        help: "Payload octets sent to devices",
        of: |n| n.octets_out,
        probes: false,
    },
    Family {
        name: "received_octets",
        help: "Payload octets received from devices",
        of: |n| n.octets_in,
        probes: false,
    },
];

impl Family {
    fn is_about(&self, driver: Driver) -> bool {
        self.probes || driver != Driver::Reach
    }
}

/// A counter by driver.
#[derive(Debug)]
struct Counters {
    /// The device, where it is about devices, and the driver.
    rows: Vec<(Option<Arc<str>>, Driver, u64)>,
}

impl EncodeMetric for Counters {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (device, driver, count) in &self.rows {
            match device {
                Some(device) => encoder
                    .encode_family(&[("driver", driver.word()), ("device", device)])?
                    .encode_counter::<NoLabelSet, _, u64>(count, None)?,
                None => encoder
                    .encode_family(&[("driver", driver.word())])?
                    .encode_counter::<NoLabelSet, _, u64>(count, None)?,
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

/// A histogram by driver.
#[derive(Debug)]
struct Histograms(Vec<(Driver, Latencies)>);

impl EncodeMetric for Histograms {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (driver, latencies) in &self.0 {
            latencies.encode(encoder.encode_family(&[("driver", driver.word())])?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Names and values of labels.
type Labels = Vec<(&'static str, Arc<str>)>;

/// Value of the label `quantile`, and which percentile it is.
type Quantile = (&'static str, fn(&Spread) -> u32);

/// Percentiles in seconds, as gauges: they are of the recent past, which no counter says.
#[derive(Debug)]
struct Quantiles {
    /// Labels but the last, and the spread.
    rows: Vec<(Labels, Spread)>,
    /// Those that are shown.
    shown: &'static [Quantile],
}

/// Of a latency.
const LATENCY: &[Quantile] = &[("0.5", |s| s.p50), ("0.95", |s| s.p95), ("0.99", |s| s.p99)];
/// Of a lateness; `1` is the most.
const LATENESS: &[Quantile] = &[("0.5", |s| s.p50), ("0.95", |s| s.p95), ("1", |s| s.most)];

impl EncodeMetric for Quantiles {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (labels, spread) in &self.rows {
            for (quantile, of) in self.shown {
                let mut labels: Vec<(&str, &str)> =
                    labels.iter().map(|(name, value)| (*name, &**value)).collect();
                labels.push(("quantile", quantile));
                let seconds = f64::from(of(spread)) / 1_000.0;
                encoder.encode_family(&labels)?.encode_gauge(&seconds)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

/// Devices by driver of which there are series of their own; past it the later ones of the site file have none. A
/// device has [`FAMILIES`] and six quantiles, 17 series; one that is probed 8 more for that.
const MOST_DEVICE_ROWS: usize = 2_048;

/// How the polls go, by driver.
pub(super) fn by_driver(r: &mut Registry, drivers: &[DriverNumbers]) {
    for family in &FAMILIES {
        let of = drivers.iter().filter(|of| family.is_about(of.driver));
        let rows = of.map(|of| (None, of.driver, (family.of)(&of.summary.counts))).collect();
        r.register(family.name, family.help, Counters { rows });
    }
    let latencies = drivers.iter().map(|of| (of.driver, of.latency.clone())).collect();
    r.register_with_unit("poll_duration", "Duration of polls", Unit::Seconds, Histograms(latencies));
    let lateness = drivers.iter().filter_map(|of| {
        let labels = vec![("driver", Arc::from(of.driver.word()))];
        Some((labels, of.summary.lateness?))
    });
    let lateness = Quantiles { rows: lateness.collect(), shown: LATENESS };
    let help = "How late polls were started after they were due, the latest 1,024 by driver";
    r.register_with_unit("poll_lateness", help, Unit::Seconds, lateness);
}

/// How the polls go, by device.
pub(super) fn by_device(r: &mut Registry, mut polling: Vec<(Arc<str>, Driver, Summary)>) {
    let unshown = polling.len().saturating_sub(MOST_DEVICE_ROWS);
    polling.truncate(MOST_DEVICE_ROWS);
    for family in &FAMILIES {
        let of = polling.iter().filter(|(_, driver, _)| family.is_about(*driver));
        let rows = of.map(|(id, driver, summary)| (Some(id.clone()), *driver, (family.of)(&summary.counts)));
        r.register(format!("device_{}", family.name), family.help, Counters { rows: rows.collect() });
    }
    let quantiles = |of: fn(&Summary) -> Option<Spread>, shown| {
        let rows = polling.iter().filter_map(|(id, driver, summary)| {
            Some((vec![("driver", Arc::from(driver.word())), ("device", id.clone())], of(summary)?))
        });
        Quantiles { rows: rows.collect(), shown }
    };
    let latency = quantiles(|summary| summary.latency, LATENCY);
    let help = "Duration of a device's latest 128 polls";
    r.register_with_unit("device_poll_duration", help, Unit::Seconds, latency);
    let lateness = quantiles(|summary| summary.lateness, LATENESS);
    let help = "How late a device's latest 64 polls were started after they were due";
    r.register_with_unit("device_poll_lateness", help, Unit::Seconds, lateness);
    let help = "Devices by driver that have no series of their own: there are too many";
    r.register("devices_without_series", help, ConstGauge::new(unshown as u64));
}

/// A counter by task.
#[derive(Debug)]
struct Wakeups(Vec<(&'static str, u64)>);

impl EncodeMetric for Wakeups {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (task, count) in &self.0 {
            encoder.encode_family(&[("task", *task)])?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

/// How the loop keeps up.
pub(super) fn of_loop(r: &mut Registry, lateness: Option<Spread>, wakeups: Vec<(&'static str, u64)>) {
    let rows = lateness.map(|spread| (Vec::new(), spread)).into_iter().collect();
    let help = "From when something was due to when the loop came to it, the latest 1,024 times";
    r.register_with_unit("loop_lateness", help, Unit::Seconds, Quantiles { rows, shown: LATENESS });
    r.register("wakeups", "Times a task woke up", Wakeups(wakeups));
}
