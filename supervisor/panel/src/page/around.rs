//! What else happened around the moment that a fault began: other faults, and what the device was told before.

use super::commands;
use super::link;
use super::rows::device_name;
use super::sight::Sight;
use crate::router::Panel;
use crate::site::{DeviceState, Told};
use crate::voice::Voice;
use askama::Template;
use roundsman_core::fault::Fault;
use roundsman_core::time::Wall;

/// How far around the moment other faults are looked for, ms.
const AROUND_MS: i64 = 10 * 60_000;
/// How long before it commands are, ms.
const TOLD_MS: i64 = 60 * 60_000;
/// Other faults that are looked at; a storm has more, and those that follow from this one stand apart.
const MOST_FAULTS: usize = 200;
/// Commands that are looked at.
const MOST_TOLD: usize = 20;
/// Lines shown.
const MOST_LINES: usize = 12;

/// One thing that happened.
struct Line {
    at: Wall,
    state: &'static str,
    href: String,
    what: String,
    detail: String,
    time: String,
    /// How much earlier or later than the fault.
    apart: String,
}

/// The part of the page.
#[derive(Template)]
#[template(path = "page/fault-around.html")]
pub(super) struct Around<'a> {
    v: &'a Voice,
    lines: Vec<Line>,
    unavailable: bool,
}

fn apart(from: Wall, at: Wall, v: &Voice) -> String {
    let length = v.duration(at.0.abs_diff(from.0));
    if at < from { v.n("around.before", length) } else { v.n("around.after", length) }
}

fn of_fault(other: &Fault, fault: &Fault, sight: &Sight, v: &Voice) -> Line {
    let state = if other.is_open() { DeviceState::of(other.severity).word() } else { "ok" };
    Line {
        at: other.confirmed,
        state,
        href: format!("/faults/{}", other.id.0),
        what: device_name(other, sight),
        detail: format!("{} · {}", other.number, v.text(&other.summary)),
        time: v.clock(other.confirmed),
        apart: apart(fault.confirmed, other.confirmed, v),
    }
}

/// Looks for it.
pub(super) async fn around<'a>(panel: &Panel, fault: &Fault, sight: &Sight, v: &'a Voice) -> Around<'a> {
    let (from, to) = (Wall(fault.first_bad.0 - AROUND_MS), Wall(fault.confirmed.0 + AROUND_MS));
    let found = panel.site.faults_between(from, to, MOST_FAULTS).await;
    let told = panel.site.told(fault.key.device.clone(), MOST_TOLD, None).await;
    let unavailable = found.is_err() || told.is_err();
    let others = found.unwrap_or_default();
    let others = others.iter().filter(|other| other.id != fault.id && other.hidden_by != Some(fault.id));
    let mut lines: Vec<Line> = others.map(|other| of_fault(other, fault, sight, v)).collect();
    let since = Wall(fault.first_bad.0 - TOLD_MS);
    let is_before = |told: &Told| (since..=fault.confirmed).contains(&told.at);
    if let Some(known) = panel.site.commands(&fault.key.device) {
        let given = told.unwrap_or_default();
        lines.extend(given.iter().filter(|told| is_before(told)).map(|told| {
            let (state, what, detail) = commands::said(told, &known, v);
            let href = format!("/devices/{}/commands", link::encoded(&fault.key.device));
            let (time, apart) = (v.clock(told.at), apart(fault.confirmed, told.at, v));
            Line { at: told.at, state, href, what, detail, time, apart }
        }));
    }
    // The nearest ones, in the order of their time.
    lines.sort_by_key(|line| line.at.0.abs_diff(fault.confirmed.0));
    lines.truncate(MOST_LINES);
    lines.sort_by_key(|line| line.at);
    Around { v, lines, unavailable }
}
