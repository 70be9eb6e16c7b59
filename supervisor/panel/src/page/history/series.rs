//! `/devices/{id}/history?metric=…&instance=…&span=…`: one series at large.

use super::runs::{self, Line};
use super::{COLUMN, Range, Tab, WIDTHS, ask, drawn, past::Numbers, path, tabs, title};
use crate::figure::{Figure, number};
use crate::page::sight::Sight;
use crate::page::{Page, Part, Parts, Place, link, readings};
use crate::router::Panel;
use crate::site::{Charted, SiteDevice, SiteReading, Unavailable};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::response::Response;
use roundsman_core::reading::Value;
use roundsman_store::{History, Span};

/// Height of the chart.
const HEIGHT: f64 = 340.0;
/// Other instances of the same metric that are offered.
const MOST_OTHERS: usize = 64;

struct Other {
    word: String,
    href: String,
    on: bool,
}

#[derive(Template)]
#[template(path = "page/history-what.html")]
struct What<'a> {
    v: &'a Voice,
    device: &'a str,
    back: String,
    all: String,
    title: String,
    /// What part of the device it is of: group and instance.
    part: String,
    now: Figure,
    over: Option<&'static str>,
    as_of: String,
    tabs: Vec<Tab>,
}

#[derive(Template)]
#[template(path = "page/history-chart.html")]
struct Picture<'a> {
    v: &'a Voice,
    label: String,
    drawing: String,
    unavailable: bool,
    /// Key of the text, and the value.
    facts: Vec<(&'static str, String)>,
    lines: Vec<Line>,
    more: usize,
}

#[derive(Template)]
#[template(path = "page/history-others.html")]
struct Others<'a> {
    v: &'a Voice,
    others: Vec<Other>,
}

/// The series as the page knows it: from the latest reading; of one that the latest poll did not bring, its name.
fn charted(reading: Option<&SiteReading>, metric: &str, instance: &str) -> Charted {
    match reading {
        Some(reading) => Charted {
            metric: reading.metric.clone(),
            title: reading.title.clone(),
            instance: reading.instance.clone(),
            unit: reading.unit.clone(),
            now: reading.sample.as_ref().ok().and_then(Value::number),
            limits: reading.limits.clone(),
        },
        None => Charted {
            metric: metric.into(),
            title: Default::default(),
            instance: instance.into(),
            unit: "".into(),
            now: None,
            limits: [].into(),
        },
    }
}

fn of_numbers<'a>(charted: &Charted, past: &Numbers, span: Span, label: String, v: &'a Voice) -> Picture<'a> {
    let shown = |x: Option<f64>| x.map_or_else(|| "—".to_owned(), |x| number(x, &charted.unit).line());
    let facts = vec![
        ("history.low", shown(past.extremes.map(|(low, _)| low))),
        ("history.mean", shown(past.mean)),
        ("history.high", shown(past.extremes.map(|(_, high)| high))),
        ("history.samples", past.count.to_string()),
        ("history.bad", past.bad.to_string()),
        ("history.failed", past.failed.to_string()),
    ];
    let drawing = match past.count {
        0 => String::new(),
        _ => drawn(charted, past, span, (&label, HEIGHT), &WIDTHS, v),
    };
    Picture { drawing, facts, ..Picture::empty(label, v) }
}

impl Picture<'_> {
    fn empty(label: String, v: &Voice) -> Picture<'_> {
        Picture {
            v,
            label,
            drawing: String::new(),
            unavailable: false,
            facts: Vec::new(),
            lines: Vec::new(),
            more: 0,
        }
    }
}

fn picture<'a>(
    found: Result<Option<History>, Unavailable>,
    charted: &Charted,
    span: Span,
    label: String,
    v: &'a Voice,
) -> Picture<'a> {
    match found {
        Ok(Some(History::Numbers { width_ms, columns })) => {
            of_numbers(charted, &Numbers::of(span, width_ms, &columns), span, label, v)
        }
        Ok(Some(History::Words { runs, truncated })) if !runs.is_empty() => {
            let (lines, more) = runs::lines(&runs, v);
            let more = if truncated { more.max(1) } else { more };
            let drawing = runs::strip(&runs, span, &label, &WIDTHS, v);
            Picture { drawing, lines, more, ..Picture::empty(label, v) }
        }
        Ok(_) => Picture::empty(label, v),
        Err(_) => Picture { unavailable: true, ..Picture::empty(label, v) },
    }
}

fn others<'a>(
    device: &SiteDevice,
    readings: &[SiteReading],
    charted: &Charted,
    range: Range,
    v: &'a Voice,
) -> Others<'a> {
    let same = readings.iter().filter(|reading| reading.metric == charted.metric);
    let other = |reading: &SiteReading| Other {
        word: reading.instance.to_string(),
        href: path(device, &reading.metric, &reading.instance, range),
        on: reading.instance == charted.instance,
    };
    let others: Vec<Other> = same.take(MOST_OTHERS).map(other).collect();
    Others { v, others: if others.len() > 1 { others } else { Vec::new() } }
}

/// The page of one series.
pub(super) async fn page(
    panel: &Panel,
    viewer: &Viewer,
    device: &SiteDevice,
    (metric, instance): (&str, &str),
    range: Range,
) -> Response {
    let v = &viewer.voice;
    let readings = panel.site.readings(&device.id).unwrap_or_default();
    let reading = readings.iter().find(|r| &*r.metric == metric && &*r.instance == instance);
    let charted = charted(reading, metric, instance);
    let (_, widest) = WIDTHS[WIDTHS.len() - 1];
    let span = range.span(panel.site.now(), (widest / COLUMN) as usize, device.interval_s);
    let found = ask(panel, &device.id, &charted.metric, &charted.instance, span).await;
    let name = title(&charted, v);
    let label = format!("{name} {instance} · {}", range.name(v));
    let back = format!("/devices/{}", link::encoded(&device.id));
    let what = What {
        v,
        device: &device.name,
        all: format!("{back}/history"),
        back,
        now: reading.map_or_else(
            || Figure { text: "—".into(), unit: String::new() },
            |reading| readings::figure(reading, v),
        ),
        over: charted.now.and_then(|x| readings::over(x, &charted.limits)),
        as_of: reading.map(|r: &SiteReading| v.n("device.as-of", v.clock(r.taken_at))).unwrap_or_default(),
        tabs: tabs(range, v, |range| path(device, metric, instance, range)),
        part: [readings::group_name(metric, v), instance.to_owned()]
            .into_iter()
            .filter(|text| !text.is_empty() && *text != name)
            .collect::<Vec<_>>()
            .join(" · "),
        title: name,
    };
    let heading = format!("{} · {}", what.title, device.name);
    let parts: Parts = (|| {
        Ok(vec![
            Part::of("history-what", &what)?,
            Part::of("history-chart", &picture(found, &charted, span, label, v))?,
            Part::of("history-others", &others(device, &readings, &charted, range, v))?,
        ])
    })();
    let sight = Sight::of(panel);
    Page::new(Place::Devices, &heading, "history").answer(panel, viewer, &sight, parts)
}
