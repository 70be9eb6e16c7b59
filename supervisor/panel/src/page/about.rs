//! `/about`: the supervisor itself: how old its data are, how its polls go, what waits, and how the panel looks.

use super::device::Facts;
use super::polling::Polling;
use super::sight::Sight;
use super::{Page, Part, Parts, Place};
use crate::figure::number;
use crate::router::Panel;
use crate::site::{Latencies, Numbers};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use roundsman_core::tally::Spread;
use std::borrow::Cow;

#[derive(Template)]
#[template(path = "page/about-look.html")]
struct Look<'a> {
    v: &'a Voice,
    theme: &'static str,
    styleguide: bool,
}

fn mean(latencies: &Latencies) -> String {
    match latencies.count {
        0 => "—".to_owned(),
        count => format!("{:.1} ms", latencies.sum_s / count as f64 * 1_000.0),
    }
}

fn program(panel: &Panel, numbers: &Numbers, sight: &Sight, v: &Voice) -> Facts {
    let about = panel.site.about();
    let age = panel.site.data_age_ms();
    let line = |key: &str, value: String| (v.t(key).into_owned(), value);
    let cpu = match numbers.uptime_s {
        0 => "—".to_owned(),
        uptime_s => number(numbers.cpu_s / uptime_s as f64 * 100.0, "%").line(),
    };
    let storage = panel.site.storage();
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "—".to_owned(), |n| number(n as f64, "By").line());
    let history = if storage.history_paused { "about.history-paused" } else { "about.history-recorded" };
    let backup = match storage.backup {
        Some((at, size)) => format!("{} · {}", v.long(at), bytes(Some(size))),
        None => v.t("about.no-backup").into_owned(),
    };
    Facts {
        title: v.t("about.program").into_owned(),
        facts: vec![
            line("about.site", about.name.to_string()),
            line("about.version", about.version.to_string()),
            line("about.uptime", v.duration(numbers.uptime_s * 1_000)),
            line("about.data-age", age.map_or_else(|| v.t("live.waiting").into_owned(), |ms| v.duration(ms))),
            line("about.devices", format!("{}", sight.devices().len())),
            line("about.cpu", cpu),
            line("about.memory", number(numbers.resident_bytes as f64, "By").line()),
            line("about.store", number(numbers.store_bytes as f64, "By").line()),
            line("about.free", bytes(storage.free_bytes)),
            line("about.history", v.t(history).into_owned()),
            line("about.backup", backup),
        ],
    }
}

/// How the service keeps up with its work.
fn pace(numbers: &Numbers, v: &Voice) -> Facts {
    let line = |key: &str, value: String| (v.t(key).into_owned(), value);
    let each = |count: u64, of_s: u64| match numbers.uptime_s {
        0 => "—".to_owned(),
        uptime_s => format!("{:.1}", count as f64 * of_s as f64 / uptime_s as f64),
    };
    let polls = numbers.polls();
    let wakeups = numbers.wakeups.iter().map(|(_, count)| count).sum();
    let late = |spread: Spread| format!("{} · {} ms", spread.p95, spread.most);
    Facts {
        title: v.t("about.pace").into_owned(),
        facts: vec![
            line("about.polls", each(polls.polls, 60)),
            line("about.polls-missed", polls.missed.to_string()),
            line("about.late", numbers.loop_lateness.map_or_else(|| "—".to_owned(), late)),
            line("about.wakeups", each(wakeups, 1)),
            line("about.overflows", numbers.overflows.to_string()),
            line("about.commit-time", mean(&numbers.commit_latency)),
        ],
    }
}

fn queues(numbers: &Numbers, v: &Voice) -> Facts {
    let name =
        |queue: &str| v.find(&format!("queue.{queue}")).map_or_else(|| queue.to_owned(), Cow::into_owned);
    let facts = numbers.queues.iter().map(|(queue, waiting)| (name(queue), waiting.to_string()));
    Facts { title: v.t("about.queues").into_owned(), facts: facts.collect() }
}

fn parts(panel: &Panel, viewer: &Viewer, sight: &Sight) -> Parts {
    let v = &viewer.voice;
    let numbers = panel.site.numbers();
    let used = numbers.drivers.iter().filter(|of| of.summary.counts.polls + of.summary.counts.missed > 0);
    let drivers: Vec<_> = used.map(|of| (of.driver, of.summary)).collect();
    let look = Look { v, theme: viewer.theme.word(), styleguide: cfg!(feature = "styleguide") };
    Ok(vec![
        Part::of("look", &look)?,
        Part::of("program", &program(panel, &numbers, sight, v))?,
        Part::of("pace", &pace(&numbers, v))?,
        Part::of("queues", &queues(&numbers, v))?,
        Part::of("polling", &Polling::of(&drivers, "polling.of-service", v))?,
    ])
}

/// `/about`
pub(crate) async fn about(State(panel): State<Panel>, viewer: Viewer) -> Response {
    let sight = Sight::of(&panel);
    let title = viewer.voice.t("place.about");
    let parts = parts(&panel, &viewer, &sight);
    Page::new(Place::About, &title, "about").answer(&panel, &viewer, &sight, parts)
}
