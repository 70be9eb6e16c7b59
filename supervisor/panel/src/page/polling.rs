//! How polls go, by what carries them out: a table on the page of a device, and of the service as a whole.

use crate::figure::{Figure, number};
use crate::voice::Voice;
use askama::Template;
use roundsman_core::tally::{Counts, Driver, Spread, Summary};

#[derive(Template)]
#[template(path = "page/polling.html")]
pub(super) struct Polling<'a> {
    v: &'a Voice,
    title: String,
    /// Names of the columns.
    drivers: Vec<String>,
    rows: Vec<Line>,
    /// Which polls the figures are of.
    note: String,
}

struct Line {
    title: String,
    /// One for each driver.
    cells: Vec<Figure>,
}

/// What a line says.
enum Said {
    Count(fn(&Counts) -> u64),
    /// A count, and which share of all polls it is.
    Share(fn(&Counts) -> u64),
    Octets(fn(&Counts) -> u64),
    Latency(fn(&Spread) -> u32),
    Lateness(fn(&Spread) -> u32),
}

/// The lines in their order, and whether reach probes have them: those are single datagrams, asked for and never due.
const LINES: &[(&str, Said, bool)] = &[
    ("polling.polls", Said::Count(|n| n.polls), true),
    ("polling.failed", Said::Share(|n| n.failed), true),
    ("polling.missed", Said::Count(|n| n.missed), false),
    ("polling.median", Said::Latency(|s| s.p50), true),
    ("polling.ninety-five", Said::Latency(|s| s.p95), true),
    ("polling.ninety-nine", Said::Latency(|s| s.p99), true),
    ("polling.late", Said::Lateness(|s| s.p95), true),
    ("polling.latest", Said::Lateness(|s| s.most), true),
    ("polling.requests", Said::Count(|n| n.requests), false),
    ("polling.retries", Said::Count(|n| n.retries), false),
    ("polling.timeouts", Said::Count(|n| n.timeouts), false),
    ("polling.strays", Said::Count(|n| n.strays), false),
    ("polling.duplicates", Said::Count(|n| n.duplicates), false),
    ("polling.rejected", Said::Count(|n| n.rejected), false),
    ("polling.sent", Said::Octets(|n| n.octets_out), false),
    ("polling.received", Said::Octets(|n| n.octets_in), false),
];

fn none() -> Figure {
    Figure { text: "—".to_owned(), unit: String::new() }
}

fn cell(said: &Said, summary: &Summary) -> Figure {
    let counts = &summary.counts;
    let plain = |count: u64| Figure { text: count.to_string(), unit: String::new() };
    let ms = |ms: u32| Figure { text: ms.to_string(), unit: "ms".to_owned() };
    match said {
        Said::Count(of) => plain(of(counts)),
        Said::Share(of) => match (of(counts), counts.polls) {
            (0, _) | (_, 0) => plain(of(counts)),
            (some, all) => {
                let share = number(some as f64 / all as f64 * 100.0, "%").line();
                Figure { text: some.to_string(), unit: format!("({share})") }
            }
        },
        Said::Octets(of) => number(of(counts) as f64, "By"),
        Said::Latency(of) => summary.latency.as_ref().map_or_else(none, |spread| ms(of(spread))),
        Said::Lateness(of) => summary.lateness.as_ref().map_or_else(none, |spread| ms(of(spread))),
    }
}

impl Polling<'_> {
    /// A table with a column for each of `polling`; `note` is the key of the sentence below it.
    pub(super) fn of<'a>(polling: &[(Driver, Summary)], note: &str, v: &'a Voice) -> Polling<'a> {
        let shown = |line: &(&str, Said, bool)| {
            let (key, said, probes) = line;
            let cells: Vec<Option<Figure>> = polling
                .iter()
                .map(|(driver, summary)| (*probes || *driver != Driver::Reach).then(|| cell(said, summary)))
                .collect();
            let has = cells.iter().any(Option::is_some);
            let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(none)).collect();
            has.then(|| Line { title: v.t(key).into_owned(), cells })
        };
        Polling {
            v,
            title: v.t("polling.title").into_owned(),
            drivers: polling.iter().map(|(driver, _)| v.text(&driver.name())).collect(),
            rows: LINES.iter().filter_map(shown).collect(),
            note: v.t(note).into_owned(),
        }
    }
}
