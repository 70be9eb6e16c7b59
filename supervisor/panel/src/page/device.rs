//! `/devices/{id}`: what it is, where, its figures, interfaces, readings, neighbours, faults, and how it is reached.

use super::history::{self, Range};
use super::polling::Polling;
use super::rows::{Card, Past, Row};
use super::sight::Sight;
use super::{Page, Part, Parts, Place, camera, interfaces, link, problem, readings, record, units};
use crate::problem::Kind;
use crate::router::Panel;
use crate::site::{DeviceDetail, RecordQuery, SiteDevice, SiteReading, Unavailable, Which};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use roundsman_core::fault::Fault;
use roundsman_core::tally::Driver;
use serde::Deserialize;

/// Ended faults shown.
const MOST_PAST: usize = 10;
/// Neighbours below that are shown; the others stand in the list of devices.
const MOST_DOWN: usize = 12;

/// The device that hides another.
pub(super) struct Root {
    pub(super) path: String,
    pub(super) name: String,
}

impl Root {
    pub(super) fn of(device: &SiteDevice, sight: &Sight) -> Option<Root> {
        let root = sight.root_of(device)?;
        Some(Root { path: link::encoded(&root.id), name: root.name.to_string() })
    }
}

#[derive(Template)]
#[template(path = "page/device-what.html")]
struct What<'a> {
    v: &'a Voice,
    name: &'a str,
    state: &'static str,
    word: String,
    behind: Option<Root>,
    /// What its latest poll said beside the answer.
    remarks: Vec<String>,
    /// Key of the text, and the value.
    facts: Vec<(&'static str, String)>,
    path: String,
    /// How many commands it takes.
    commands: usize,
}

#[derive(Template)]
#[template(path = "page/device-faults.html")]
struct Faults<'a> {
    v: &'a Voice,
    cards: Vec<Card>,
    past: Vec<Past>,
    /// The store could not say what was.
    unavailable: bool,
}

#[derive(Template)]
#[template(path = "page/device-readings.html")]
struct Readings<'a> {
    v: &'a Voice,
    groups: Vec<readings::Group>,
    age: String,
    /// Older than it should be.
    old: bool,
}

#[derive(Template)]
#[template(path = "page/device-neighbours.html")]
struct Neighbours<'a> {
    v: &'a Voice,
    path: String,
    up: Vec<Row>,
    down: Vec<Row>,
    down_total: usize,
}

#[derive(Template)]
#[template(path = "page/facts.html")]
pub(super) struct Facts {
    pub(super) title: String,
    pub(super) facts: Vec<(String, String)>,
}

fn what<'a>(device: &'a SiteDevice, detail: &DeviceDetail, sight: &Sight, v: &'a Voice) -> What<'a> {
    let facts = [
        ("device.class", v.text(&device.class.name())),
        ("device.model", v.text(&device.profile_name)),
        ("device.place", device.location.to_string()),
        ("device.tier", v.text(&device.tier.name())),
        ("device.network", v.text(&device.network.name())),
        ("device.address", device.address.to_string()),
        ("device.line", device.line.to_string()),
        ("device.id", device.id.to_string()),
    ];
    What {
        v,
        name: &device.name,
        state: device.state.word(),
        word: v.text(&device.state.name()),
        behind: Root::of(device, sight),
        remarks: detail.remarks.iter().map(|remark| v.text(remark)).collect(),
        facts: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        path: link::encoded(&device.id),
        commands: detail.commands,
    }
}

fn neighbours<'a>(device: &SiteDevice, sight: &Sight, v: &'a Voice) -> Neighbours<'a> {
    let up = device.uplinks.iter().filter_map(|(id, port)| {
        let mut row = Row::of(sight.device(id)?, sight, v);
        if let Some(port) = port {
            row.about = format!("{} · {}", v.n("device.port", port), row.about);
        }
        Some(row)
    });
    let mut down: Vec<&SiteDevice> =
        sight.devices().iter().filter(|d| d.uplinks.iter().any(|(id, _)| *id == device.id)).collect();
    down.sort_by_key(|d| d.state);
    Neighbours {
        v,
        path: link::encoded(&device.id),
        up: up.collect(),
        down_total: down.len(),
        down: down.into_iter().take(MOST_DOWN).map(|d| Row::of(d, sight, v)).collect(),
    }
}

/// How it is reached.
fn reached(device: &SiteDevice, detail: &DeviceDetail, v: &Voice) -> Facts {
    let last = device.last_poll.map_or_else(|| "—".to_owned(), |at| v.short(at));
    let took = detail.polling.iter().find(|(driver, _)| *driver != Driver::Reach);
    let took = took.and_then(|(_, summary)| summary.last_ms).map(|ms| format!(" · {ms} ms"));
    let line = |key: &str, value: String| (v.t(key).into_owned(), value);
    let facts = vec![
        line("poll.protocol", detail.protocol.to_string()),
        line("poll.reach", device.reach.to_string()),
        line(
            "poll.line",
            detail
                .line_probe_s
                .map(|s| v.n("poll.every", v.duration(u64::from(s) * 1_000)))
                .unwrap_or_default(),
        ),
        line("poll.credentials", detail.credentials.to_string()),
        line("poll.interval", v.duration(u64::from(device.interval_s) * 1_000)),
        line("poll.last", last + &took.unwrap_or_default()),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    Facts { title: v.t("device.reached").into_owned(), facts: facts.collect() }
}

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// How far back the figures look.
    span: String,
}

struct Found<'a> {
    device: &'a SiteDevice,
    detail: DeviceDetail,
    readings: Vec<SiteReading>,
    past: Result<Vec<Fault>, Unavailable>,
    records: record::Found,
    figures: history::cards::Figures<'a>,
}

fn parts(found: &Found<'_>, panel: &Panel, sight: &Sight, v: &Voice) -> Parts {
    let Found { device, detail, readings, past, records, figures } = found;
    let open = sight.faults().iter().filter(|fault| fault.key.device == device.id);
    let faults = Faults {
        v,
        cards: open.map(|fault| Card::of(fault, sight, v)).collect(),
        past: past.iter().flatten().map(|fault| Past::of(fault, sight, v)).collect(),
        unavailable: past.is_err(),
    };
    let polling = Polling::of(&detail.polling, "polling.of-device", v);
    let age = device.last_poll.map(|at| v.n("device.as-of", v.clock(at))).unwrap_or_default();
    let old = super::rows::overdue_ms(device, sight.now).is_some();
    // What several units say side by side stands in a table of its own.
    let of_device: Vec<SiteReading> = match detail.grid {
        Some(_) => readings.iter().filter(|r| r.instance.is_empty()).cloned().collect(),
        None => readings.clone(),
    };
    let groups = readings::groups(&of_device, v);
    let mut parts =
        vec![Part::of("what", &what(device, detail, sight, v))?, Part::of("device-faults", &faults)?];
    if let Some(cards) = camera::cards(device, readings, panel, sight, v) {
        parts.push(Part::of("camera", &cards)?);
    }
    parts.push(Part::of("figures", figures)?);
    if let Some(grid) = detail.grid {
        parts.push(Part::of("panels", &units::units(device, grid, readings, sight, v))?);
    }
    if let Some(table) = interfaces::table(&interfaces::interfaces(readings, &detail.tags), v) {
        parts.push(Part::of("interfaces", &table)?);
    }
    if detail.grid.is_none() || !groups.is_empty() {
        parts.push(Part::of("readings", &Readings { v, groups, age, old })?);
    }
    parts.push(Part::of("neighbours", &neighbours(device, sight, v))?);
    parts.push(record::beside(records, "device", &device.id, v)?);
    parts.push(Part::of("reached", &reached(device, detail, v))?);
    parts.push(Part::of("polling", &polling)?);
    Ok(parts)
}

/// `/devices/{id}`
pub(crate) async fn device(
    State(panel): State<Panel>,
    viewer: Viewer,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let range = Range::from_word(&asked.map(|Query(asked)| asked.span).unwrap_or_default());
    let sight = Sight::of(&panel);
    let Some(device) = sight.device(&id) else {
        return problem(&panel, &viewer, Kind::NoSuchDevice);
    };
    let past = panel.site.faults(Which::Closed, Some(device.id.clone()), MOST_PAST, None).await;
    let detail = panel.site.detail(&id).unwrap_or_default();
    let found = Found {
        device,
        figures: history::cards::figures(&panel, device, &detail.figures, range, &viewer.voice).await,
        detail,
        readings: panel.site.readings(&id).unwrap_or_default(),
        past,
        records: record::of(
            &panel,
            RecordQuery { device: Some(device.id.clone()), ..RecordQuery::default() },
        )
        .await,
    };
    let parts = parts(&found, &panel, &sight, &viewer.voice);
    Page::new(Place::Devices, &device.name, "device").answer(&panel, &viewer, &sight, parts)
}
