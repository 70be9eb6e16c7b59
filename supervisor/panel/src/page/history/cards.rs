//! The figures of a device with their past, as cards on its page.

use super::{COLUMN, Range, Tab, WIDTHS, drawn, numbers, path, tabs, title};
use crate::figure::{Figure, number};
use crate::page::{link, readings};
use crate::router::Panel;
use crate::site::{Charted, SiteDevice};
use crate::voice::Voice;
use askama::Template;

/// Height of a card's chart.
const HEIGHT: f64 = 168.0;

struct Card {
    title: String,
    now: Figure,
    chart: String,
    note: String,
    over: Option<&'static str>,
    href: String,
}

/// The part of the device page.
#[derive(Template)]
#[template(path = "page/device-figures.html")]
pub(in crate::page) struct Figures<'a> {
    v: &'a Voice,
    tabs: Vec<Tab>,
    cards: Vec<Card>,
    /// Where all series are listed.
    all: String,
    /// The store could not say what was.
    unavailable: bool,
}

/// The figures of a device over a range.
pub(in crate::page) async fn figures<'a>(
    panel: &Panel,
    device: &SiteDevice,
    charted: &[Charted],
    range: Range,
    v: &'a Voice,
) -> Figures<'a> {
    let here = format!("/devices/{}", link::encoded(&device.id));
    let (_, width) = WIDTHS[0];
    let span = range.span(panel.site.now(), (width / COLUMN) as usize, device.interval_s);
    let mut figures = Figures {
        v,
        tabs: tabs(range, v, |range| link::query(&here, &[("span", range.word())])),
        cards: Vec::with_capacity(charted.len()),
        all: format!("{here}/history"),
        unavailable: false,
    };
    for series in charted {
        let past = numbers(panel, device, series, span).await;
        figures.unavailable |= past.is_err();
        let past = past.ok().flatten();
        let name = title(series, v);
        let name = if series.instance.is_empty() { name } else { format!("{name} · {}", series.instance) };
        let extremes = past.as_ref().and_then(|past| past.extremes);
        let note = extremes.map(|(low, high)| {
            format!("{} – {}", number(low, &series.unit).line(), number(high, &series.unit).line())
        });
        let now = series.now.map(|x| number(x, &series.unit));
        figures.cards.push(Card {
            chart: past
                .filter(|past| past.count > 0)
                .map(|past| drawn(series, &past, span, (&name, HEIGHT), &WIDTHS[..1], v))
                .unwrap_or_default(),
            now: now.unwrap_or_else(|| Figure { text: "—".into(), unit: String::new() }),
            note: note.unwrap_or_else(|| v.t("history.collecting").into_owned()),
            over: series.now.and_then(|x| readings::over(x, &series.limits)),
            href: path(device, &series.metric, &series.instance, range),
            title: name,
        });
    }
    figures
}
