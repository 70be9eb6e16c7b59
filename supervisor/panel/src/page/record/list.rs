//! `/records`: all of them, the latest written first, filtered and searched.

use super::super::sight::Sight;
use super::super::{Page, Part, Parts, Place, link};
use super::Line;
use crate::record::Wanted;
use crate::router::Panel;
use crate::site::Unavailable;
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use roundsman_core::fault::FaultId;
use roundsman_core::record::{Kind, Record};

/// Records on one page.
const PAGE: usize = 40;

struct Chip {
    word: String,
    href: String,
    on: bool,
}

#[derive(Template)]
#[template(path = "page/record-filter.html")]
struct Filter<'a> {
    v: &'a Voice,
    wanted: &'a Wanted,
    /// The filters that a search keeps.
    kept: Vec<(&'static str, &'a str)>,
    kinds: Vec<Chip>,
    /// The device and the fault that it is about, each with the address without it.
    set: Vec<Chip>,
    is_set: bool,
}

#[derive(Template)]
#[template(path = "page/record-list.html")]
struct List<'a> {
    v: &'a Voice,
    lines: Vec<Line>,
    unavailable: bool,
    filtered: bool,
    new: String,
    csv: String,
    older: Option<String>,
}

fn with(wanted: &Wanted, key: &str, value: &str) -> String {
    let pairs = wanted.pairs().map(|(k, v)| if k == key { (k, value) } else { (k, v) });
    link::query("/records", &pairs)
}

fn filter<'a>(wanted: &'a Wanted, fault: Option<String>, sight: &Sight, v: &'a Voice) -> Filter<'a> {
    let all = Chip {
        word: v.t("devices.all").into_owned(),
        href: with(wanted, "kind", ""),
        on: wanted.kind.is_empty(),
    };
    let kind = |kind: &Kind| Chip {
        word: v.text(&kind.name()),
        href: with(wanted, "kind", kind.word()),
        on: wanted.kind == kind.word(),
    };
    let device = sight.device(&wanted.device).map_or(&*wanted.device, |device| &device.name);
    let device = (!device.is_empty()).then(|| ("device", device.to_owned()));
    let set = device.into_iter().chain(fault.map(|fault| ("fault", fault)));
    Filter {
        v,
        wanted,
        kept: wanted
            .pairs()
            .into_iter()
            .filter(|(k, x)| matches!(*k, "kind" | "device" | "fault") && !x.is_empty())
            .collect(),
        kinds: std::iter::once(all).chain(Kind::ALL.iter().map(kind)).collect(),
        set: set.map(|(key, word)| Chip { word, href: with(wanted, key, ""), on: true }).collect(),
        is_set: wanted.pairs().iter().any(|(_, value)| !value.is_empty()),
    }
}

fn list<'a>(found: &Result<Vec<Record>, Unavailable>, wanted: &Wanted, v: &'a Voice) -> List<'a> {
    let records: &[Record] = found.as_deref().unwrap_or_default();
    let last = records.get(PAGE - 1).filter(|_| records.len() > PAGE);
    let older = last.map(|record| {
        let path = link::query("/records", &wanted.pairs());
        format!("{path}{}before={}", if path.contains('?') { '&' } else { '?' }, record.number)
    });
    List {
        v,
        lines: records.iter().take(PAGE).map(|record| Line::of(record, v)).collect(),
        unavailable: found.is_err(),
        filtered: wanted.pairs().iter().any(|(_, value)| !value.is_empty()) || !wanted.before.is_empty(),
        new: link::query("/records/new", &[("fault", &wanted.fault), ("device", &wanted.device)]),
        csv: link::query("/api/v1/records.csv", &wanted.pairs()),
        older,
    }
}

/// `/records`
pub(crate) async fn records(
    State(panel): State<Panel>,
    viewer: Viewer,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let wanted = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
    let v = &viewer.voice;
    let before = wanted.before().unwrap_or_default();
    let (wanted, query) = wanted.understood(&v.zone);
    // Named where the store knows it; its id says enough where it does not.
    let fault = match query.fault {
        Some(FaultId(id)) => {
            let known = panel.site.fault(FaultId(id)).await.ok().flatten();
            Some(known.map_or_else(|| id.to_string(), |(fault, _)| fault.number.to_string()))
        }
        None => None,
    };
    let found = panel.site.records(query, PAGE + 1, before).await;
    let sight = Sight::of(&panel);
    let parts: Parts = Part::of("record-filter", &filter(&wanted, fault, &sight, v))
        .and_then(|filter| Ok(vec![filter, Part::of("record-list", &list(&found, &wanted, v))?]));
    let title = v.t("record.title");
    Page::new(Place::Records, &title, "records").answer(&panel, &viewer, &sight, parts)
}
