//! The API's JSON: site values turned into what DESIGN section 5 promises.

use crate::site::{self, Site, SiteDevice, SiteReading};
use crate::voice::Voice;
use roundsman_core::fault::{Change, Ending, Fault, Service, ServiceTarget, Transition};
use roundsman_core::reading::{Value, quality};
use roundsman_core::sla::clock::Standing;
use roundsman_core::sla::policy::Target;
use roundsman_core::tally;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// A device in the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    id: String,
    name: String,
    #[schema(example = "router")]
    class: &'static str,
    profile: String,
    #[schema(example = "city")]
    tier: &'static str,
    #[schema(example = "business")]
    network: &'static str,
    location: String,
    /// ok, warning, minor, major, critical, no-data, hidden, pending or out-of-service.
    state: &'static str,
    /// Number of open faults.
    faults: u32,
    /// When the latest poll ended, good or not.
    #[schema(format = "date-time")]
    last_poll: Option<String>,
}

impl Device {
    pub(crate) fn of(d: &SiteDevice, voice: &Voice) -> Device {
        Device {
            id: d.id.to_string(),
            name: d.name.to_string(),
            class: d.class.word(),
            profile: d.profile.to_string(),
            tier: d.tier.word(),
            network: d.network.word(),
            location: d.location.to_string(),
            state: d.state.word(),
            faults: d.faults,
            last_poll: d.last_poll.map(|at| voice.rfc3339(at)),
        }
    }
}

/// All devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Devices {
    pub(crate) devices: Vec<Device>,
}

/// What a device hangs on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Uplink {
    device: String,
    /// Port at the other end, where it is known.
    port: Option<String>,
}

/// One device, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceDetail {
    #[serde(flatten)]
    device: Device,
    /// Name of the profile.
    profile_name: String,
    address: String,
    /// How it is reached: icmp, tcp:PORT, snmp or echo:PORT.
    reach: String,
    uplinks: Vec<Uplink>,
    /// Seconds between two polls.
    interval_s: u32,
    /// Why its latest poll was refused, for people; most often empty.
    remarks: Vec<String>,
    /// How its polls go, by what carries them out; those that have polled it only.
    polling: Vec<Polling>,
}

/// How durations are spread, percentiles by the nearest rank.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Spread {
    p50_ms: u32,
    p95_ms: u32,
    p99_ms: u32,
    max_ms: u32,
    /// Of how many.
    of: u32,
}

impl Spread {
    fn of(spread: tally::Spread) -> Spread {
        let tally::Spread { p50, p95, p99, most, of } = spread;
        Spread { p50_ms: p50, p95_ms: p95, p99_ms: p99, max_ms: most, of }
    }
}

/// How the polls of a device by one driver go. Counters run from the start of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Polling {
    /// snmp (v1, v2c), snmp-v3 or reach.
    #[schema(example = "snmp")]
    driver: &'static str,
    /// Polls ended.
    polls: u64,
    /// Of these, without a valid answer.
    failed: u64,
    /// Polls that were due and could not be started before the next was due.
    missed: u64,
    /// Requests sent, retries included.
    requests: u64,
    /// Of these, sent again.
    retries: u64,
    /// Requests without an answer after their retries.
    timeouts: u64,
    /// Answers that belonged to no waiting request, most often too late.
    strays: u64,
    /// Further answers to a request that had been answered.
    duplicates: u64,
    /// Answers from another source, of another community or version, or not readable.
    rejected: u64,
    /// Payload octets; not counted for reach.
    octets_sent: u64,
    octets_received: u64,
    /// Duration of the latest poll.
    last_ms: Option<u32>,
    /// Durations of the latest 128 polls.
    latency: Option<Spread>,
    /// How late the latest 64 polls were started after they were due.
    lateness: Option<Spread>,
}

impl Polling {
    fn of((driver, summary): &(tally::Driver, tally::Summary)) -> Polling {
        let counts = summary.counts;
        Polling {
            driver: driver.word(),
            polls: counts.polls,
            failed: counts.failed,
            missed: counts.missed,
            requests: counts.requests,
            retries: counts.retries,
            timeouts: counts.timeouts,
            strays: counts.strays,
            duplicates: counts.duplicates,
            rejected: counts.rejected,
            octets_sent: counts.octets_out,
            octets_received: counts.octets_in,
            last_ms: summary.last_ms,
            latency: summary.latency.map(Spread::of),
            lateness: summary.lateness.map(Spread::of),
        }
    }
}

impl DeviceDetail {
    pub(crate) fn of(d: &SiteDevice, detail: &site::DeviceDetail, voice: &Voice) -> DeviceDetail {
        let uplink = |(device, port): &(std::sync::Arc<str>, Option<std::sync::Arc<str>>)| Uplink {
            device: device.to_string(),
            port: port.as_deref().map(str::to_owned),
        };
        DeviceDetail {
            device: Device::of(d, voice),
            profile_name: voice.text(&d.profile_name),
            address: d.address.to_string(),
            reach: d.reach.to_string(),
            uplinks: d.uplinks.iter().map(uplink).collect(),
            interval_s: d.interval_s,
            remarks: detail.remarks.iter().map(|remark| voice.text(remark)).collect(),
            polling: detail.polling.iter().map(Polling::of).collect(),
        }
    }
}

/// A value: a number, a word, or null where there is none.
fn value(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(x) => serde_json::Value::from(*x),
        Value::Counter32(x) => serde_json::Value::from(*x),
        Value::Counter64(x) => serde_json::Value::from(*x),
        Value::State(x) | Value::Text(x) => serde_json::Value::from(&**x),
    }
}

/// One reading.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reading {
    metric: String,
    /// Empty for a scalar.
    instance: String,
    /// Number or text; null unless the quality is good.
    #[schema(value_type = Value, nullable)]
    value: serde_json::Value,
    /// UCUM.
    unit: String,
    /// good, or why there is no value.
    quality: &'static str,
    #[schema(format = "date-time")]
    taken_at: String,
}

/// The latest readings of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readings {
    pub(crate) device: String,
    pub(crate) readings: Vec<Reading>,
}

impl Reading {
    pub(crate) fn of(r: &SiteReading, voice: &Voice) -> Reading {
        Reading {
            metric: r.metric.to_string(),
            instance: r.instance.to_string(),
            value: r.sample.as_ref().map_or(serde_json::Value::Null, value),
            unit: r.unit.to_string(),
            quality: quality(&r.sample).word(),
            taken_at: voice.rfc3339(r.taken_at),
        }
    }
}

/// A fault.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FaultRow {
    id: u64,
    #[schema(example = "F-2026-0123")]
    number: String,
    device: String,
    rule: String,
    /// Empty for a device-wide fault.
    instance: String,
    /// critical, major, minor, warning or indeterminate.
    severity: &'static str,
    /// active, clearing or cleared.
    condition: &'static str,
    /// none, acknowledged, assigned or on-site.
    operator: &'static str,
    /// none; hidden: a consequence of another device's failure; or shelved by a person.
    suppression: &'static str,
    /// The fault of that device.
    hidden_by: Option<u64>,
    /// Data are missing; the condition is the last one known.
    stale: bool,
    #[schema(format = "date-time")]
    first_bad: String,
    #[schema(format = "date-time")]
    confirmed: String,
    #[schema(format = "date-time")]
    cleared: Option<String>,
    summary: String,
    advice: String,
}

impl FaultRow {
    pub(crate) fn of(f: &Fault, voice: &Voice) -> FaultRow {
        FaultRow {
            id: f.id.0,
            number: f.number.to_string(),
            device: f.key.device.to_string(),
            rule: f.key.rule.to_string(),
            instance: f.key.instance.to_string(),
            severity: f.severity.word(),
            condition: f.condition.word(),
            operator: f.operator().word(),
            suppression: match (f.hidden_by, &f.shelf) {
                (Some(_), _) => "hidden",
                (None, Some(_)) => "shelved",
                (None, None) => "none",
            },
            hidden_by: f.hidden_by.map(|root| root.0),
            stale: f.stale,
            first_bad: voice.rfc3339(f.first_bad),
            confirmed: voice.rfc3339(f.confirmed),
            cleared: f.cleared.map(|at| voice.rfc3339(at)),
            summary: voice.text(&f.summary),
            advice: voice.text(&f.advice),
        }
    }
}

/// A list of faults, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Faults {
    pub(crate) faults: Vec<FaultRow>,
}

/// One transition.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransitionRow {
    /// Running number over all faults; the id of the server-sent event.
    pub(crate) id: u64,
    #[schema(format = "date-time")]
    at: String,
    /// raised, reopened, severity, acknowledged, assigned, arrived, shelved, unshelved, hidden, revealed, restored,
    /// ended, or response-, on-site- or restore-warning or -breach: of its service level.
    change: &'static str,
    /// The severity before, of a change of severity.
    from: Option<&'static str>,
    /// The fault after it.
    fault: FaultRow,
}

impl TransitionRow {
    pub(crate) fn of(t: &Transition, voice: &Voice) -> TransitionRow {
        let from = match &t.change {
            Change::Severity { from } => Some(from.word()),
            _ => None,
        };
        TransitionRow {
            id: t.id,
            at: voice.rfc3339(t.at),
            change: t.change.word(),
            from,
            fault: FaultRow::of(&t.fault, voice),
        }
    }
}

/// What a failed device cuts off.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hides {
    /// How many devices.
    count: usize,
    /// How many of each tier; those without any left out.
    tiers: BTreeMap<&'static str, usize>,
    /// How many of each network; those without any left out.
    networks: BTreeMap<&'static str, usize>,
    /// Their ids.
    devices: Vec<String>,
}

impl Hides {
    /// Of these devices; one that the site does not have any more counts without tier and network.
    pub(crate) fn of(ids: &[Arc<str>], site: &dyn Site) -> Hides {
        let devices = if ids.is_empty() { Vec::new() } else { site.devices() };
        let known = || devices.iter().filter(|device| ids.contains(&device.id));
        let count = |words: Vec<&'static str>| {
            words.into_iter().fold(BTreeMap::new(), |mut counts, word| {
                *counts.entry(word).or_default() += 1;
                counts
            })
        };
        Hides {
            count: ids.len(),
            tiers: count(known().map(|device| device.tier.word()).collect()),
            networks: count(known().map(|device| device.network.word()).collect()),
            devices: ids.iter().map(|id| id.to_string()).collect(),
        }
    }
}

/// One target of a fault's service level.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceTargetRow {
    /// response, on-site or restore.
    target: &'static str,
    /// running, met, breached or unneeded: the fault was over before.
    state: &'static str,
    /// Service time that it may take.
    limit_s: Option<u64>,
    /// Service time that it took, or has by the latest transition.
    elapsed_s: u64,
    /// When the limit is reached, while it runs.
    #[schema(format = "date-time")]
    limit_at: Option<String>,
}

/// The service level that a fault falls under.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceRow {
    /// Id of the policy in the site file.
    policy: String,
    name: String,
    /// Time passed that nobody knows: the box was off and its clock unknown.
    uncertain: bool,
    targets: Vec<ServiceTargetRow>,
}

impl ServiceRow {
    fn of(service: &Service, voice: &Voice) -> ServiceRow {
        let targets = Target::ALL.iter().zip(&service.targets);
        let row = |(target, of): (&Target, &Option<ServiceTarget>)| {
            let of = of.as_ref()?;
            Some(ServiceTargetRow {
                target: target.word(),
                state: standing_word(of.standing),
                limit_s: of.limit_ms.map(|ms| ms / 1_000),
                elapsed_s: of.elapsed_ms / 1_000,
                limit_at: of.limit_at.map(|at| voice.rfc3339(at)),
            })
        };
        ServiceRow {
            policy: service.policy.to_string(),
            name: service.name.to_string(),
            uncertain: service.kept.uncertain,
            targets: targets.filter_map(row).collect(),
        }
    }
}

/// The word of a target's standing.
pub(crate) fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Running => "running",
        Standing::Met => "met",
        Standing::Breached { .. } => "breached",
        Standing::Unneeded => "unneeded",
    }
}

/// One fault, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FaultDetail {
    #[serde(flatten)]
    fault: FaultRow,
    /// cleared, closed or withdrawn; null while it is open.
    ending: Option<&'static str>,
    /// X.733 probable cause.
    cause: String,
    /// The value that raised it or changed its severity last.
    #[schema(value_type = Value, nullable)]
    value: serde_json::Value,
    acknowledged_by: Option<String>,
    #[schema(format = "date-time")]
    acknowledged_at: Option<String>,
    /// Who is to see to it.
    assigned_to: Option<String>,
    assigned_by: Option<String>,
    #[schema(format = "date-time")]
    assigned_at: Option<String>,
    /// Who is on site.
    arrived_by: Option<String>,
    #[schema(format = "date-time")]
    arrived_at: Option<String>,
    shelved_by: Option<String>,
    #[schema(format = "date-time")]
    shelved_until: Option<String>,
    shelf_reason: Option<String>,
    /// The service level that it falls under; null where none is for it.
    service: Option<ServiceRow>,
    /// Who closed it, where a person did.
    closed_by: Option<String>,
    /// Id of the earlier fault of the same condition.
    previous: Option<u64>,
    /// The devices that it hides, or hid until it ended.
    hides: Hides,
    /// What happened, oldest first.
    transitions: Vec<TransitionRow>,
}

impl FaultDetail {
    pub(crate) fn of(f: &Fault, transitions: &[Transition], hides: Hides, voice: &Voice) -> FaultDetail {
        FaultDetail {
            fault: FaultRow::of(f, voice),
            ending: f.ending.map(Ending::word),
            cause: f.cause.to_string(),
            value: f.value.as_ref().map_or(serde_json::Value::Null, value),
            acknowledged_by: f.acknowledged.as_ref().map(|a| a.by.to_string()),
            acknowledged_at: f.acknowledged.as_ref().map(|a| voice.rfc3339(a.at)),
            assigned_to: f.assigned.as_ref().map(|a| a.to.to_string()),
            assigned_by: f.assigned.as_ref().map(|a| a.by.to_string()),
            assigned_at: f.assigned.as_ref().map(|a| voice.rfc3339(a.at)),
            arrived_by: f.arrived.as_ref().map(|a| a.by.to_string()),
            arrived_at: f.arrived.as_ref().map(|a| voice.rfc3339(a.at)),
            shelved_by: f.shelf.as_ref().map(|shelf| shelf.by.to_string()),
            shelved_until: f.shelf.as_ref().map(|shelf| voice.rfc3339(shelf.until)),
            shelf_reason: f.shelf.as_ref().map(|shelf| shelf.reason.to_string()),
            service: f.service.as_ref().map(|service| ServiceRow::of(service, voice)),
            closed_by: f.closed_by.as_deref().map(str::to_owned),
            previous: f.previous.map(|id| id.0),
            hides,
            transitions: transitions.iter().map(|t| TransitionRow::of(t, voice)).collect(),
        }
    }
}
