//! What pages list: devices as rows, open faults as cards, ended ones as lines, counts.

use super::link;
use super::sight::Sight;
use crate::figure::{Figure, number};
use crate::site::{DeviceState, SiteDevice};
use crate::voice::Voice;
use roundsman_core::device::Network;
use roundsman_core::fault::{Condition, Ending, Fault, Shelf};
use roundsman_core::time::Wall;

/// A device in a list.
pub(super) struct Row {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) about: String,
    pub(super) state: &'static str,
    pub(super) word: String,
    /// What, and the value.
    pub(super) figures: Vec<(String, Figure)>,
    /// Age of its data where that is more than one interval.
    pub(super) age: Option<String>,
}

/// Polls that may be missing before the age of the data is shown.
const INTERVALS: u64 = 2;

impl Row {
    pub(super) fn of(device: &SiteDevice, sight: &Sight, v: &Voice) -> Row {
        let mut about = vec![v.text(&device.class.name())];
        if device.network != Network::Business {
            about.push(v.text(&device.network.name()));
        }
        about.extend(
            [&device.location, &device.address].into_iter().filter(|t| !t.is_empty()).map(|t| t.to_string()),
        );
        let head = &device.headlines;
        let figures = [
            ("headline.cpu", head.cpu_load, "%"),
            ("headline.memory", head.memory_used, "%"),
            ("headline.temperature", head.temperature, "Cel"),
            ("headline.humidity", head.humidity, "%"),
        ];
        let figures =
            figures.into_iter().filter_map(|(key, x, unit)| Some((v.t(key).into_owned(), number(x?, unit))));
        Row {
            path: link::encoded(&device.id),
            name: device.name.to_string(),
            about: about.join(" · "),
            state: device.state.word(),
            word: word(device, v),
            figures: figures.collect(),
            age: overdue_ms(device, sight.now).map(|ms| v.n("time.ago", v.duration(ms))),
        }
    }
}

/// The state in a word; a device in trouble says how many faults it has.
fn word(device: &SiteDevice, v: &Voice) -> String {
    let word = v.text(&device.state.name());
    match device.faults {
        0 | 1 => word,
        n => format!("{word} {n}"),
    }
}

/// How old the data of a device are, if that is worth saying.
pub(super) fn overdue_ms(device: &SiteDevice, now: Wall) -> Option<u64> {
    let age = u64::try_from(now.0 - device.last_poll?.0).unwrap_or(0);
    (age > INTERVALS * u64::from(device.interval_s) * 1_000).then_some(age)
}

/// An open fault with what to do.
pub(super) struct Card {
    pub(super) id: u64,
    pub(super) number: String,
    pub(super) state: &'static str,
    pub(super) word: String,
    pub(super) device: String,
    pub(super) summary: String,
    pub(super) advice: String,
    pub(super) since: String,
    pub(super) since_ms: i64,
    pub(super) acknowledged: Option<String>,
    /// Who is on site, or is to see to it.
    pub(super) people: Option<String>,
    /// Until when it is shelved, and why.
    pub(super) shelved: Option<String>,
    pub(super) stale: bool,
    /// Devices behind the failed one.
    pub(super) affected: usize,
    pub(super) open: bool,
    /// Its condition is over, and a person has to close it.
    pub(super) closable: bool,
}

impl Card {
    pub(super) fn of(fault: &Fault, sight: &Sight, v: &Voice) -> Card {
        let affected = if fault.key.is_presence() { sight.affected(&fault.key.device).count() } else { 0 };
        let acknowledged = fault.acknowledged.as_ref();
        Card {
            id: fault.id.0,
            number: fault.number.to_string(),
            state: DeviceState::of(fault.severity).word(),
            word: v.text(&fault.severity.name()),
            device: device_name(fault, sight),
            summary: v.text(&fault.summary),
            advice: v.text(&fault.advice),
            since: v.short(fault.first_bad),
            since_ms: fault.first_bad.0,
            acknowledged: acknowledged.map(|a| format!("{} {}", a.by, v.clock(a.at))),
            people: people(fault, v),
            shelved: fault.shelf.as_ref().map(|shelf| shelved(shelf, v)),
            stale: fault.stale,
            affected,
            open: fault.is_open(),
            closable: is_closable(fault),
        }
    }
}

/// Who is on site, or is to see to a fault.
pub(super) fn people(fault: &Fault, v: &Voice) -> Option<String> {
    match (&fault.arrived, &fault.assigned) {
        (Some(arrived), _) => Some(v.n("faults.on-site", format!("{} {}", arrived.by, v.clock(arrived.at)))),
        (None, Some(assigned)) => Some(v.n("faults.assigned-to", &assigned.to)),
        (None, None) => None,
    }
}

/// Until when a fault is shelved, and why.
pub(super) fn shelved(shelf: &Shelf, v: &Voice) -> String {
    format!("{} · {}", v.n("faults.shelved-until", v.short(shelf.until)), shelf.reason)
}

/// Whether a person may close it now.
pub(super) fn is_closable(fault: &Fault) -> bool {
    fault.is_open() && fault.condition == Condition::Cleared
}

/// The name of a fault's device; its id where the site no longer has it.
pub(super) fn device_name(fault: &Fault, sight: &Sight) -> String {
    sight.device(&fault.key.device).map_or(&fault.key.device, |d| &d.name).to_string()
}

/// A fault that has ended.
pub(super) struct Past {
    pub(super) id: u64,
    pub(super) number: String,
    pub(super) state: &'static str,
    pub(super) device: String,
    pub(super) summary: String,
    pub(super) since: String,
    pub(super) lasted: String,
    pub(super) ending: String,
}

impl Past {
    pub(super) fn of(fault: &Fault, sight: &Sight, v: &Voice) -> Past {
        let end = fault.cleared.unwrap_or(fault.confirmed);
        Past {
            id: fault.id.0,
            number: fault.number.to_string(),
            state: DeviceState::of(fault.severity).word(),
            device: device_name(fault, sight),
            summary: v.text(&fault.summary),
            since: v.short(fault.first_bad),
            lasted: v.duration(u64::try_from(end.0 - fault.first_bad.0).unwrap_or(0)),
            ending: ending(fault, v),
        }
    }
}

/// How a fault ended, in a word; empty while it is open.
pub(super) fn ending(fault: &Fault, v: &Voice) -> String {
    match fault.ending {
        Some(Ending::Cleared) => v.t("ending.cleared"),
        Some(Ending::Closed) => v.t("ending.closed"),
        Some(Ending::Withdrawn) => v.t("ending.withdrawn"),
        None => "".into(),
    }
    .into_owned()
}

/// Devices in one state.
pub(super) struct Count {
    pub(super) state: &'static str,
    pub(super) word: String,
    pub(super) number: usize,
}

impl Count {
    pub(super) fn all(sight: &Sight, v: &Voice) -> Vec<Count> {
        let count = |(state, number): (DeviceState, usize)| Count {
            state: state.word(),
            word: v.text(&state.name()),
            number,
        };
        sight.counts().into_iter().map(count).collect()
    }
}
