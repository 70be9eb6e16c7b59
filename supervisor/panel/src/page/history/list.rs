//! `/devices/{id}/history`: everything of which history is kept, to choose from; with a metric named, that series.

use super::{Range, path, series};
use crate::page::readings::group_of;
use crate::page::sight::Sight;
use crate::page::{Page, Part, Parts, Place, link, problem, readings};
use crate::problem::Kind;
use crate::router::Panel;
use crate::site::{SiteDevice, SiteReading};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use roundsman_core::model;
use serde::Deserialize;

/// Series of one group that are listed; a chassis may have thousands.
const MOST_ROWS: usize = 240;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    metric: String,
    instance: String,
    span: String,
    /// First half of a metric's name.
    group: String,
}

struct Chip {
    word: String,
    href: String,
    count: usize,
    on: bool,
}

struct Row {
    title: String,
    instance: String,
    value: crate::figure::Figure,
    absent: bool,
    href: String,
}

#[derive(Template)]
#[template(path = "page/history-list.html")]
struct List<'a> {
    v: &'a Voice,
    device: &'a str,
    back: String,
    groups: Vec<Chip>,
    rows: Vec<Row>,
    more: usize,
}

fn list<'a>(device: &'a SiteDevice, readings: &[SiteReading], group: &str, v: &'a Voice) -> List<'a> {
    let back = format!("/devices/{}", link::encoded(&device.id));
    // Of raw counters the rates are kept.
    let kept: Vec<&SiteReading> = readings.iter().filter(|r| r.kind != model::Kind::Counter).collect();
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for reading in &kept {
        let name = group_of(&reading.metric);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => groups.push((name, 1)),
        }
    }
    let shown =
        groups.iter().find(|(name, _)| *name == group).or(groups.first()).map_or("", |(name, _)| *name);
    let chip = |(name, count): &(&str, usize)| Chip {
        word: readings::group_name(name, v),
        href: link::query(&format!("{back}/history"), &[("group", name)]),
        count: *count,
        on: *name == shown,
    };
    let chips: Vec<Chip> = groups.iter().map(chip).collect();
    let members = || kept.iter().filter(|reading| group_of(&reading.metric) == shown);
    let row = |reading: &&SiteReading| Row {
        title: readings::title(reading, v),
        instance: reading.instance.to_string(),
        value: readings::figure(reading, v),
        absent: reading.sample.is_err(),
        href: path(device, &reading.metric, &reading.instance, Range::default()),
    };
    List {
        v,
        device: &device.name,
        rows: members().take(MOST_ROWS).map(row).collect(),
        more: members().count().saturating_sub(MOST_ROWS),
        groups: chips,
        back,
    }
}

/// `/devices/{id}/history`
pub(crate) async fn history(
    State(panel): State<Panel>,
    viewer: Viewer,
    Path(id): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let Some(device) = panel.site.device(&id) else {
        return problem(&panel, &viewer, Kind::NoSuchDevice);
    };
    if !asked.metric.is_empty() {
        let range = Range::from_word(&asked.span);
        return series::page(&panel, &viewer, &device, (&asked.metric, &asked.instance), range).await;
    }
    let readings = panel.site.readings(&id).unwrap_or_default();
    let v = &viewer.voice;
    let parts: Parts =
        Part::of("history-list", &list(&device, &readings, &asked.group, v)).map(|part| vec![part]);
    let title = format!("{} · {}", v.t("history.title"), device.name);
    Page::new(Place::Devices, &title, "history").answer(&panel, &viewer, &Sight::of(&panel), parts)
}
