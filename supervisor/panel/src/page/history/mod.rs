//! The past of what a device measures: cards on its page ([`cards`]), one series at large ([`series`]), the list of all
//! ([`list`]).

pub(super) mod cards;
pub(crate) mod list;
mod past;
mod range;
mod runs;
mod series;

use super::link;
use crate::drawing::{Chart, Threshold, chart as draw_chart};
use crate::figure::number;
use crate::router::Panel;
use crate::site::{Charted, SiteDevice, Unavailable};
use crate::voice::Voice;
use past::Numbers;
pub(crate) use range::Range;
use roundsman_core::time::Wall;
use roundsman_store::{History, SeriesName, Span};
use std::sync::Arc;

/// Pixels of one column of a chart: finer ones are not seen apart.
const COLUMN: f64 = 2.0;

/// Widths for which a chart is drawn; the page shows the one that fits, since a drawing that shrinks has text too
/// small to read.
const WIDTHS: [(&str, f64); 3] = [("narrow", 310.0), ("middle", 660.0), ("wide", 960.0)];
/// The same of a chart beside other things.
const BESIDE: [(&str, f64); 2] = [("narrow", 310.0), ("middle", 500.0)];

/// The address of the past of a series.
fn path(device: &SiteDevice, metric: &str, instance: &str, range: Range) -> String {
    let pairs = [("metric", metric), ("instance", instance), ("span", range.word())];
    link::query(&format!("/devices/{}/history", link::encoded(&device.id)), &pairs)
}

/// The ranges as chips.
struct Tab {
    word: String,
    href: String,
    on: bool,
}

fn tabs(range: Range, v: &Voice, href: impl Fn(Range) -> String) -> Vec<Tab> {
    let tab = |each: Range| Tab { word: each.name(v), href: href(each), on: each == range };
    Range::ALL.into_iter().map(tab).collect()
}

/// What history answers; `None` where it has no such series.
async fn ask(
    panel: &Panel,
    device: &Arc<str>,
    metric: &Arc<str>,
    instance: &Arc<str>,
    span: Span,
) -> Result<Option<History>, Unavailable> {
    let name = SeriesName { device: device.clone(), metric: metric.clone(), instance: instance.clone() };
    panel.site.history(name, span).await
}

/// The numbers of a series; `None` where history has none of it.
async fn numbers(
    panel: &Panel,
    device: &SiteDevice,
    charted: &Charted,
    span: Span,
) -> Result<Option<Numbers>, Unavailable> {
    let found = ask(panel, &device.id, &charted.metric, &charted.instance, span).await?;
    Ok(found.and_then(|history| match history {
        History::Numbers { width_ms, columns } => Some(Numbers::of(span, width_ms, &columns)),
        History::Words { .. } => None,
    }))
}

fn title(charted: &Charted, v: &Voice) -> String {
    let title = v.text(&charted.title);
    if title.is_empty() { charted.metric.to_string() } else { title }
}

/// A chart of numbers in the widths named.
fn drawn(
    charted: &Charted,
    past: &Numbers,
    span: Span,
    (label, height): (&str, f64),
    widths: &[(&str, f64)],
    v: &Voice,
) -> String {
    let words: Vec<String> = charted
        .limits
        .iter()
        .map(|limit| {
            let severity = v.text(&limit.severity.name());
            let sign = if limit.above { '>' } else { '<' };
            format!("{severity} {sign} {}", number(limit.at, &charted.unit).line())
        })
        .collect();
    let limits = charted.limits.iter().zip(&words).map(|(limit, label)| Threshold { limit: *limit, label });
    let limits: Vec<_> = limits.collect();
    let picture = |width| {
        draw_chart(&Chart {
            label,
            span: (span.from, span.to),
            interval_s: past.step_s,
            points: &past.points,
            unit: &charted.unit,
            limits: &limits,
            zone: &v.zone,
            width,
            height,
        })
    };
    match widths {
        [(_, width)] => picture(*width),
        widths => {
            let one = |(class, width): &(&str, f64)| {
                format!("<div class=\"fits-{class}\">{}</div>", picture(*width))
            };
            widths.iter().map(one).collect()
        }
    }
}

/// A chart of what a fault is about: from a while before it began to a while after it was over. Empty where history
/// has nothing of it.
pub(super) async fn around(
    panel: &Panel,
    device: &SiteDevice,
    charted: &Charted,
    (began, ended): (Wall, Option<Wall>),
    v: &Voice,
) -> String {
    const AROUND_MS: i64 = 30 * 60_000;
    let now = Range::Hour.span(panel.site.now(), 1, device.interval_s).to;
    let to = ended.map_or(now, |ended| Wall(ended.0.saturating_add(AROUND_MS).min(now.0)));
    let (_, widest) = BESIDE[1];
    let span = Span {
        from: Wall(began.0.saturating_sub(AROUND_MS)),
        to,
        points: (widest / COLUMN) as usize,
        interval_ms: u64::from(device.interval_s) * 1_000,
    };
    match numbers(panel, device, charted, span).await {
        Ok(Some(past)) if past.count > 0 => {
            drawn(charted, &past, span, (&title(charted, v), 240.0), &BESIDE, v)
        }
        _ => String::new(),
    }
}
