//! `/records/{number}`: one record as the sheet of the paper form, its amendments beside what they correct.

use super::super::sight::Sight;
use super::super::{Page, Part, Place, link, problem};
use crate::record::{find, shown};
use crate::router::Panel;
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use roundsman_core::record::{Content, Field, Record, Shape};

/// A device or a fault, with its page where there is one.
struct Link {
    text: String,
    href: Option<String>,
}

/// One amendment of a field.
struct Note {
    value: String,
    at: String,
    author: String,
    reason: String,
}

struct Box {
    name: String,
    /// What was written first.
    text: String,
    /// The same as links; empty for other fields and where it was amended.
    links: Vec<Link>,
    notes: Vec<Note>,
    wide: bool,
}

#[derive(Template)]
#[template(path = "page/record-sheet.html")]
struct Sheet<'a> {
    v: &'a Voice,
    site: String,
    number: String,
    written: String,
    amended: usize,
    boxes: Vec<Box>,
    /// Where the devices and faults are that it names now.
    related: Vec<Link>,
}

fn devices(content: &Content, sight: &Sight) -> Vec<Link> {
    let link = |device: &roundsman_core::record::DeviceRef| {
        let place = if device.place.is_empty() { String::new() } else { format!(" · {}", device.place) };
        Link {
            text: format!("{} ({}) · {}{place}", device.name, device.id, device.model),
            href: sight.device(&device.id).map(|known| format!("/devices/{}", link::encoded(&known.id))),
        }
    };
    content.devices.iter().map(link).collect()
}

fn faults(content: &Content) -> Vec<Link> {
    let link = |fault: &roundsman_core::record::FaultRef| Link {
        text: fault.number.to_string(),
        href: Some(format!("/faults/{}", fault.id.0)),
    };
    content.faults.iter().map(link).collect()
}

fn boxes(record: &Record, sight: &Sight, v: &Voice) -> Vec<Box> {
    let of = |field: Field| {
        // What each amendment made of the field, in the words that people read.
        let mut then = record.original.clone();
        let amendments = record.amendments.iter().filter(|amendment| amendment.change.field == field);
        let notes: Vec<Note> = amendments
            .map(|amendment| {
                let _ = then.set(field, &amendment.change.value);
                let value = shown(&then, field, v);
                Note {
                    value: if value.is_empty() { v.t("record.emptied").into_owned() } else { value },
                    at: v.long(amendment.at),
                    author: amendment.change.author.to_string(),
                    reason: amendment.change.reason.to_string(),
                }
            })
            .collect();
        let links = match field {
            Field::Devices if notes.is_empty() => devices(&record.original, sight),
            Field::Faults if notes.is_empty() => faults(&record.original),
            _ => Vec::new(),
        };
        Box {
            name: v.text(&field.name()),
            text: shown(&record.original, field, v),
            links,
            notes,
            wide: matches!(field.shape(), Shape::Paragraph(_) | Shape::Devices | Shape::Parts),
        }
    };
    Field::of_record().map(of).collect()
}

fn sheet_of<'a>(record: &Record, site: &str, sight: &Sight, v: &'a Voice) -> Sheet<'a> {
    let now = record.current();
    let has = |field| record.amendments.iter().any(|amendment| amendment.change.field == field);
    let mut related = if has(Field::Devices) { devices(&now, sight) } else { Vec::new() };
    related.extend(if has(Field::Faults) { faults(&now) } else { Vec::new() });
    Sheet {
        v,
        site: site.to_owned(),
        number: record.number.to_string(),
        written: format!("{} · {}", v.long(record.at), record.by),
        amended: record.amendments.len(),
        boxes: boxes(record, sight, v),
        related: related.into_iter().filter(|link| link.href.is_some()).collect(),
    }
}

/// `/records/{number}`
pub(crate) async fn sheet(
    State(panel): State<Panel>,
    viewer: Viewer,
    Path(number): Path<String>,
) -> Response {
    let record = match find(&panel, &number).await {
        Ok(record) => record,
        Err(kind) => return problem(&panel, &viewer, kind),
    };
    let sight = Sight::of(&panel);
    let site = panel.site.about().name;
    let part = Part::of("record-sheet", &sheet_of(&record, &site, &sight, &viewer.voice));
    let title = record.number.to_string();
    let page = Page::new(Place::Records, &title, "record");
    page.answer(&panel, &viewer, &sight, part.map(|part| vec![part]))
}
