//! `/records`: maintenance records: the list, one as the sheet that is printed and signed, the form for a new one and
//! for an amendment. On the pages of devices and faults a part of them.

mod form;
mod list;
mod sheet;

pub(crate) use form::{amend, new};
pub(crate) use list::records;
pub(crate) use sheet::sheet;

use super::{Part, link};
use crate::router::Panel;
use crate::site::{RecordQuery, Unavailable};
use crate::voice::Voice;
use askama::Template;
use roundsman_core::record::Record;

/// Records on the page of a device or a fault; the others stand in the list.
const MOST_BESIDE: usize = 5;
/// Devices that the title of a row names.
const MOST_NAMED: usize = 3;

/// A record in a list.
struct Line {
    number: String,
    title: String,
    about: String,
    kind: String,
    when: String,
    engineer: String,
    amended: bool,
}

impl Line {
    fn of(record: &Record, v: &Voice) -> Line {
        let now = record.current();
        let names: Vec<&str> = now.devices.iter().take(MOST_NAMED).map(|d| &*d.name).collect();
        let kind = now.kind.map(|kind| v.text(&kind.name())).unwrap_or_default();
        let about = if now.symptom.is_empty() { &now.process } else { &now.symptom };
        let title = match names.len() {
            0 => kind.clone(),
            _ if now.devices.len() > MOST_NAMED => v.n("record.and-more", names.join("、")),
            _ => names.join("、"),
        };
        Line {
            number: record.number.to_string(),
            title,
            about: about.lines().next().unwrap_or_default().to_owned(),
            kind,
            when: v.minute(record.happened(&now)),
            engineer: now.engineer.to_string(),
            amended: !record.amendments.is_empty(),
        }
    }
}

#[derive(Template)]
#[template(path = "page/record-beside.html")]
struct Beside<'a> {
    v: &'a Voice,
    lines: Vec<Line>,
    unavailable: bool,
    /// Where the others are, if there are more.
    all: Option<String>,
    new: String,
}

/// The newest records of a device or of a fault: what the store says, asked before the page is made.
pub(super) type Found = Result<Vec<Record>, Unavailable>;

/// Asks for one more than the part shows.
pub(super) async fn of(panel: &Panel, query: RecordQuery) -> Found {
    panel.site.records(query, MOST_BESIDE + 1, None).await
}

/// The part of a device's or fault's page; `key` is `device` or `fault`, `id` its id.
pub(super) fn beside(found: &Found, key: &'static str, id: &str, v: &Voice) -> Result<Part, askama::Error> {
    let records: &[Record] = found.as_deref().unwrap_or_default();
    let here = [(key, id)];
    let beside = Beside {
        v,
        lines: records.iter().take(MOST_BESIDE).map(|record| Line::of(record, v)).collect(),
        unavailable: found.is_err(),
        all: (records.len() > MOST_BESIDE).then(|| link::query("/records", &here)),
        new: link::query("/records/new", &here),
    };
    Part::of("records", &beside)
}
