//! The figures that lists show of a device, read once per poll.

use super::lens::Lens;
use roundsman_core::model::{InstanceIx, MetricIx};
use roundsman_core::reading::{Absence, Reading, Readings, Value};
use roundsman_panel::{Headlines, Trunk};

/// The state of an interface that works (RFC 2863 ifOperStatus), as profiles call it.
const UP: &str = "up";

/// The figures of one poll, and which interface is the trunk. `uplinks` are the interfaces tagged `uplink` in the
/// order of the site file, `line` is the configured speed in bit/s. A poll without an answer has no figures at all.
pub(super) fn read(
    lens: &Lens,
    readings: &Readings,
    uplinks: &[InstanceIx],
    line: Option<f64>,
) -> (Headlines, Option<InstanceIx>) {
    if !readings.answered {
        return (Headlines::default(), None);
    }
    let (instance, trunk) = trunk(lens, readings, uplinks, line).unzip();
    let highest = |metrics: &[MetricIx]| {
        metrics.iter().filter_map(|&metric| self::highest(readings, metric)).reduce(f64::max)
    };
    let headlines = Headlines {
        cpu_load: highest(&lens.cpu_load),
        memory_used: highest(&lens.memory_used),
        temperature: highest(&lens.temperature),
        humidity: highest(&lens.humidity),
        line_loss: number(readings, lens.line_loss, InstanceIx::SCALAR),
        trunk,
    };
    (headlines, instance)
}

/// The highest value among a metric's instances.
pub(super) fn highest(readings: &Readings, metric: MetricIx) -> Option<f64> {
    let numbers = readings.of(metric).iter().filter_map(|reading| reading.sample.as_ref().ok()?.number());
    numbers.reduce(f64::max)
}

/// The instance where a metric is highest; of one without a number the first that the device may have at all.
pub(super) fn where_highest(readings: &Readings, metric: MetricIx) -> Option<InstanceIx> {
    let value = |reading: &&Reading| reading.sample.as_ref().ok().and_then(Value::number);
    let known = readings.of(metric);
    let highest = known.iter().filter(|reading| value(reading).is_some()).max_by(|a, b| {
        let (a, b) = (value(a).unwrap_or(f64::MIN), value(b).unwrap_or(f64::MIN));
        a.total_cmp(&b)
    });
    let possible = || known.iter().find(|reading| reading.sample != Err(Absence::Unsupported));
    highest.or_else(possible).map(|reading| reading.instance)
}

/// The value of one instance of a metric.
pub(super) fn number(readings: &Readings, metric: Option<MetricIx>, instance: InstanceIx) -> Option<f64> {
    readings.get(metric?, instance)?.as_ref().ok()?.number()
}

/// The first uplink that is up, else the first.
fn trunk(
    lens: &Lens,
    readings: &Readings,
    uplinks: &[InstanceIx],
    line: Option<f64>,
) -> Option<(InstanceIx, Trunk)> {
    let interface = &lens.interface;
    let is_up = |instance: InstanceIx| {
        let state = readings.get(interface.oper_status?, instance)?.as_ref().ok()?;
        Some(state.word().is_some_and(|word| **word == *UP))
    };
    let chosen = uplinks.iter().find(|&&instance| is_up(instance) == Some(true));
    let instance = *chosen.or_else(|| uplinks.first())?;
    let number = |metric| number(readings, metric, instance);
    let trunk = Trunk {
        up: is_up(instance),
        in_rate: number(interface.in_rate),
        out_rate: number(interface.out_rate),
        speed: line.or_else(|| number(interface.speed)),
    };
    Some((instance, trunk))
}
