//! `/faults/{id}`: one fault: what, since when, what to do, what happened, who is affected.

use super::around::{self, Around};
use super::device::Root;
use super::rows::{Row, device_name, ending, is_closable, people, shelved};
use super::sight::Sight;
use super::{Page, Part, Parts, Place, history, link, problem, record, service};
use crate::figure;
use crate::problem::Kind;
use crate::router::Panel;
use crate::site::{DeviceState, RecordQuery, SiteDevice};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use roundsman_core::device::{Network, Tier};
use roundsman_core::fault::{Change, Condition, Fault, FaultId, Transition};
use roundsman_core::text::Bilingual;
use std::sync::Arc;

/// Affected devices shown; the others stand in the list of devices.
const MOST_AFFECTED: usize = 24;
/// Steps of the timeline, the newest; a fault that comes and goes has many.
const MOST_STEPS: usize = 60;

#[derive(Template)]
#[template(path = "page/fault-what.html")]
struct What<'a> {
    v: &'a Voice,
    id: u64,
    number: String,
    state: &'static str,
    word: String,
    path: String,
    device: String,
    summary: String,
    behind: Option<Root>,
    stale: bool,
    /// Key of the text, and the value.
    facts: Vec<(&'static str, String)>,
    shelved: Option<String>,
    /// What can be done to it, the usual next first.
    acts: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "page/fault-advice.html")]
struct Advice<'a> {
    v: &'a Voice,
    advice: String,
    chart: String,
    chart_title: String,
}

struct Step {
    state: &'static str,
    what: String,
    detail: String,
    at: String,
}

#[derive(Template)]
#[template(path = "page/fault-timeline.html")]
struct Timeline<'a> {
    v: &'a Voice,
    steps: Vec<Step>,
}

#[derive(Template)]
#[template(path = "page/fault-affected.html")]
struct Affected<'a> {
    v: &'a Voice,
    path: String,
    rows: Vec<Row>,
    total: usize,
    /// How many of each tier and of each network.
    groups: Vec<String>,
    is_open: bool,
}

fn condition(fault: &Fault, v: &Voice) -> String {
    if !fault.is_open() {
        return ending(fault, v);
    }
    let key = match fault.condition {
        Condition::Active => "condition.active",
        Condition::Clearing => "condition.clearing",
        Condition::Cleared => "condition.latched",
    };
    v.t(key).into_owned()
}

fn what<'a>(fault: &Fault, sight: &Sight, v: &'a Voice) -> What<'a> {
    let end = fault.cleared.unwrap_or(sight.now);
    let lasted = v.duration(u64::try_from(end.0 - fault.first_bad.0).unwrap_or(0));
    let operator = match (people(fault, v), &fault.acknowledged) {
        (Some(people), _) => people,
        (None, Some(a)) => v.n("faults.acknowledged-at", format!("{} {}", a.by, v.short(a.at))),
        (None, None) => v.t("operator.none").into_owned(),
    };
    let device = sight.device(&fault.key.device);
    let facts = [
        ("fault.condition", condition(fault, v)),
        (
            "fault.operator",
            if fault.is_open() || fault.acknowledged.is_some() { operator } else { String::new() },
        ),
        ("fault.instance", fault.key.instance.to_string()),
        ("fault.since", v.long(fault.first_bad)),
        ("fault.confirmed", v.long(fault.confirmed)),
        ("fault.cleared", fault.cleared.map(|at| v.long(at)).unwrap_or_default()),
        ("fault.lasted", lasted),
        ("fault.closed-by", fault.closed_by.as_ref().map(|by| by.to_string()).unwrap_or_default()),
        ("device.place", device.map(|d| d.location.to_string()).unwrap_or_default()),
        ("fault.rule", fault.key.rule.to_string()),
    ];
    What {
        v,
        id: fault.id.0,
        number: fault.number.to_string(),
        state: if fault.is_open() { DeviceState::of(fault.severity).word() } else { "ok" },
        word: if fault.is_open() { v.text(&fault.severity.name()) } else { ending(fault, v) },
        path: link::encoded(&fault.key.device),
        device: device_name(fault, sight),
        summary: v.text(&fault.summary),
        behind: device.filter(|_| fault.is_open()).and_then(|device| Root::of(device, sight)),
        stale: fault.stale,
        facts: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        shelved: fault.shelf.as_ref().filter(|_| fault.is_open()).map(|shelf| shelved(shelf, v)),
        acts: acts(fault),
    }
}

/// What can be done to a fault, the usual next first.
fn acts(fault: &Fault) -> Vec<&'static str> {
    let acts = [
        ("close", is_closable(fault)),
        ("acknowledge", fault.acknowledged.is_none()),
        ("assign", fault.arrived.is_none()),
        ("arrive", fault.arrived.is_none()),
        ("shelve", fault.shelf.is_none()),
        ("unshelve", fault.shelf.is_some()),
    ];
    let possible = acts.into_iter().filter(|(_, is_possible)| *is_possible && fault.is_open());
    possible.map(|(act, _)| act).collect()
}

/// The past of what the fault is about, and its title; empty where it is not a number.
async fn chart(panel: &Panel, fault: &Fault, sight: &Sight, v: &Voice) -> (String, String) {
    let watched = panel.site.watched(&fault.key.device, &fault.key.rule, &fault.key.instance);
    let (Some(device), Some(charted)) = (sight.device(&fault.key.device), watched) else {
        return Default::default();
    };
    let ended = fault.cleared.filter(|_| !fault.is_open());
    let chart = history::around(panel, device, &charted, (fault.first_bad, ended), v).await;
    (chart, v.text(&charted.title))
}

fn step(transition: &Transition, unit: &str, v: &Voice) -> Step {
    let fault = &transition.fault;
    let name = |severity: roundsman_core::rule::Severity| v.text(&severity.name());
    let (state, what, detail) = match &transition.change {
        Change::Raised => {
            (DeviceState::of(fault.severity).word(), v.t("change.raised"), v.text(&fault.summary))
        }
        Change::Reopened => {
            (DeviceState::of(fault.severity).word(), v.t("change.reopened"), v.text(&fault.summary))
        }
        Change::Severity { from } => {
            let value = fault.value.as_ref().map(|x| figure::value(x, unit).line());
            let way = format!("{} → {}", name(*from), name(fault.severity));
            let detail = value.map_or_else(|| way.clone(), |value| format!("{way} · {value}"));
            (DeviceState::of(fault.severity).word(), v.t("change.severity"), detail)
        }
        Change::Acknowledged => {
            let by = fault.acknowledged.as_ref().map(|a| a.by.to_string()).unwrap_or_default();
            ("warning", v.t("change.acknowledged"), by)
        }
        Change::Assigned => {
            let who = fault.assigned.as_ref().map(|assigned| format!("{} → {}", assigned.by, assigned.to));
            ("warning", v.t("change.assigned"), who.unwrap_or_default())
        }
        Change::Arrived => {
            let by = fault.arrived.as_ref().map(|arrived| arrived.by.to_string()).unwrap_or_default();
            ("warning", v.t("change.arrived"), by)
        }
        Change::Shelved => {
            let how = fault.shelf.as_ref().map(|shelf| format!("{} · {}", shelf.by, shelved(shelf, v)));
            ("hidden", v.t("change.shelved"), how.unwrap_or_default())
        }
        Change::Unshelved => (DeviceState::of(fault.severity).word(), v.t("change.unshelved"), String::new()),
        Change::ServiceWarning(target) => ("minor", v.t("change.service-warning"), v.text(&target.name())),
        Change::ServiceBreach(target) => ("critical", v.t("change.service-breach"), v.text(&target.name())),
        Change::Hidden => ("hidden", v.t("change.hidden"), String::new()),
        Change::Revealed => (DeviceState::of(fault.severity).word(), v.t("change.revealed"), String::new()),
        Change::Restored => ("ok", v.t("change.restored"), String::new()),
        Change::Ended => {
            let by = fault.closed_by.as_ref().map(|by| by.to_string()).unwrap_or_default();
            ("ok", ending(fault, v).into(), by)
        }
    };
    Step { state, what: what.into_owned(), detail, at: v.short(transition.at) }
}

/// What a failed device cuts off, or did.
fn affected<'a>(fault: &Fault, hides: &[Arc<str>], sight: &Sight, v: &'a Voice) -> Affected<'a> {
    let devices: Vec<&SiteDevice> = hides.iter().filter_map(|id| sight.device(id)).collect();
    let group = |name: Bilingual, count: usize| (count > 0).then(|| format!("{} {count}", v.text(&name)));
    let tiers = Tier::ALL
        .iter()
        .map(|tier| group(tier.name(), devices.iter().filter(|device| device.tier == *tier).count()));
    let networks = Network::ALL.iter().map(|network| {
        group(network.name(), devices.iter().filter(|device| device.network == *network).count())
    });
    Affected {
        v,
        path: link::encoded(&fault.key.device),
        total: hides.len(),
        groups: tiers.chain(networks).flatten().collect(),
        is_open: fault.is_open(),
        rows: devices.into_iter().take(MOST_AFFECTED).map(|d| Row::of(d, sight, v)).collect(),
    }
}

fn parts(
    fault: &Fault,
    steps: &[Transition],
    (chart, chart_title): (String, String),
    records: &record::Found,
    (hides, around): (&[Arc<str>], &Around<'_>),
    sight: &Sight,
    v: &Voice,
) -> Parts {
    let newest = &steps[steps.len().saturating_sub(MOST_STEPS)..];
    let timeline = Timeline { v, steps: newest.iter().rev().map(|t| step(t, "", v)).collect() };
    let affected = affected(fault, hides, sight, v);
    Ok(vec![
        Part::of("fault-what", &what(fault, sight, v))?,
        Part::of("service", &service::of(fault, sight.now, v))?,
        Part::of("advice", &Advice { v, advice: v.text(&fault.advice), chart, chart_title })?,
        Part::of("timeline", &timeline)?,
        Part::of("around", around)?,
        record::beside(records, "fault", &fault.id.0.to_string(), v)?,
        Part::of("affected", &affected)?,
    ])
}

/// `/faults/{id}`
pub(crate) async fn fault(State(panel): State<Panel>, viewer: Viewer, Path(id): Path<String>) -> Response {
    let found = match id.parse().map(FaultId) {
        Ok(id) => async { Ok((panel.site.fault(id).await?, panel.site.hides(id).await?)) }.await,
        Err(_) => Ok((None, Vec::new())),
    };
    let (fault, steps, hides) = match found {
        Ok((Some((fault, steps)), hides)) => (fault, steps, hides),
        Ok((None, _)) => return problem(&panel, &viewer, Kind::NoSuchFault),
        Err(why) => return problem(&panel, &viewer, Kind::unavailable(&why)),
    };
    let records = record::of(&panel, RecordQuery { fault: Some(fault.id), ..RecordQuery::default() }).await;
    let sight = Sight::of(&panel);
    let chart = chart(&panel, &fault, &sight, &viewer.voice).await;
    let around = around::around(&panel, &fault, &sight, &viewer.voice).await;
    let parts = parts(&fault, &steps, chart, &records, (&hides, &around), &sight, &viewer.voice);
    let title = fault.number.to_string();
    Page::new(Place::Faults, &title, "fault").answer(&panel, &viewer, &sight, parts)
}
