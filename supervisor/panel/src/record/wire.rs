//! A record as JSON and as words, and the JSON of a field as the text that the form takes.

use super::Reading;
use crate::problem::Kind;
use crate::router::Panel;
use crate::voice::Voice;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use roundsman_core::fault::FaultId;
use roundsman_core::record::{Content, DeviceRef, FaultRef, Field, Kind as Work, Part, Record, Shape, Why};
use roundsman_core::rule::Severity;
use roundsman_core::text::safe;
use roundsman_core::time::Wall;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Entries of a list that are looked at: more than any field takes, so that the form can refuse them by name.
const MOST_LOOKED_AT: usize = 64;

/// A device as it was when the record was written. Its id alone is enough where a record is sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordDevice {
    id: String,
    name: String,
    model: String,
    location: String,
}

/// A fault that the work belongs to. Its id alone is enough where a record is sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordFault {
    id: u64,
    #[schema(example = "F-2026-0123")]
    number: String,
}

/// A replaced part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordPart {
    name: String,
    old_serial: String,
    new_serial: String,
}

/// What stands on the form. Sent, every field may be left out that its kind does not need; times may come without an
/// offset and are site time then.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordFields {
    /// preventive, corrective, inspection, change or spare; always needed.
    kind: &'static str,
    /// At most 20; corrective and spare need one.
    devices: Vec<RecordDevice>,
    serial: String,
    /// in, out or null.
    warranty: Option<&'static str>,
    /// At most 20.
    faults: Vec<RecordFault>,
    /// critical, major, minor, warning or null.
    level: Option<&'static str>,
    reporter: String,
    #[schema(format = "date-time")]
    reported_at: Option<String>,
    #[schema(format = "date-time")]
    responded_at: Option<String>,
    #[schema(format = "date-time")]
    arrived_at: Option<String>,
    #[schema(format = "date-time")]
    restored_at: Option<String>,
    /// corrective needs it.
    symptom: String,
    cause: String,
    /// What was done; always needed.
    process: String,
    /// At most 20; spare needs one.
    parts: Vec<RecordPart>,
    result: String,
    remaining: String,
    /// An amount with two decimals, such as 1280.00, in the site's currency.
    cost: Option<String>,
    /// Always needed.
    engineer: String,
    /// very-satisfied, satisfied, fair, dissatisfied or null.
    satisfaction: Option<&'static str>,
}

impl RecordFields {
    fn of(c: &Content, voice: &Voice) -> RecordFields {
        let time = |at: Option<Wall>| at.map(|at| voice.rfc3339(at));
        RecordFields {
            kind: c.kind.map(Work::word).unwrap_or_default(),
            devices: c.devices.iter().map(device).collect(),
            serial: c.serial.to_string(),
            warranty: c.warranty.map(|w| w.word()),
            faults: c.faults.iter().map(fault).collect(),
            level: c.level.map(Severity::word),
            reporter: c.reporter.to_string(),
            reported_at: time(c.reported),
            responded_at: time(c.responded),
            arrived_at: time(c.arrived),
            restored_at: time(c.restored),
            symptom: c.symptom.to_string(),
            cause: c.cause.to_string(),
            process: c.process.to_string(),
            parts: c.parts.iter().map(part).collect(),
            result: c.result.to_string(),
            remaining: c.remaining.to_string(),
            cost: c.cost.map(|cost| cost.to_string()),
            engineer: c.engineer.to_string(),
            satisfaction: c.satisfaction.map(|s| s.word()),
        }
    }
}

fn device(d: &DeviceRef) -> RecordDevice {
    RecordDevice {
        id: d.id.to_string(),
        name: d.name.to_string(),
        model: d.model.to_string(),
        location: d.place.to_string(),
    }
}

fn fault(f: &FaultRef) -> RecordFault {
    RecordFault { id: f.id.0, number: f.number.to_string() }
}

fn part(p: &Part) -> RecordPart {
    RecordPart {
        name: p.name.to_string(),
        old_serial: p.old_serial.to_string(),
        new_serial: p.new_serial.to_string(),
    }
}

/// A maintenance record as it stands, amendments folded in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordRow {
    #[schema(example = "M-2026-0042")]
    number: String,
    #[schema(format = "date-time")]
    written_at: String,
    written_by: String,
    /// The earliest time on the form, else when it was written.
    #[schema(format = "date-time")]
    happened_at: String,
    /// Number of amendments.
    amended: usize,
    fields: RecordFields,
}

impl RecordRow {
    pub(crate) fn of(record: &Record, voice: &Voice) -> RecordRow {
        let now = record.current();
        RecordRow {
            number: record.number.to_string(),
            written_at: voice.rfc3339(record.at),
            written_by: record.by.to_string(),
            happened_at: voice.rfc3339(record.happened(&now)),
            amended: record.amendments.len(),
            fields: RecordFields::of(&now, voice),
        }
    }
}

/// A list of records, the latest written first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Records {
    pub(crate) records: Vec<RecordRow>,
}

/// One amendment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AmendmentRow {
    #[schema(format = "date-time")]
    at: String,
    /// The account that wrote it.
    by: String,
    /// The person who says so.
    author: String,
    #[schema(example = "cause")]
    field: &'static str,
    /// The field's new value, in the form that the field has in `fields`.
    #[schema(value_type = Value, nullable)]
    value: Value,
    reason: String,
}

/// An amendment to be written; describes the request, which is read field by field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AmendmentDraft {
    /// Name of the field.
    #[schema(example = "cause")]
    field: String,
    /// Its new value, in the form that the field has in a record; null empties it.
    #[schema(value_type = Value, nullable)]
    value: Value,
    /// Why; at most 300 characters.
    reason: String,
    /// Name of the person who says so; at most 40 characters.
    author: String,
}

/// One maintenance record, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordDetail {
    #[serde(flatten)]
    row: RecordRow,
    /// As it was written; never changed.
    original: RecordFields,
    /// Oldest first.
    amendments: Vec<AmendmentRow>,
}

impl RecordDetail {
    pub(crate) fn of(record: &Record, voice: &Voice) -> RecordDetail {
        let mut content = record.original.clone();
        let amendments = record.amendments.iter().map(|amendment| {
            let change = &amendment.change;
            let _ = content.set(change.field, &change.value);
            let fields = serde_json::to_value(RecordFields::of(&content, voice)).unwrap_or_default();
            AmendmentRow {
                at: voice.rfc3339(amendment.at),
                by: amendment.by.to_string(),
                author: change.author.to_string(),
                field: change.field.word(),
                value: fields.get(change.field.word()).cloned().unwrap_or_default(),
                reason: change.reason.to_string(),
            }
        });
        RecordDetail {
            amendments: amendments.collect(),
            row: RecordRow::of(record, voice),
            original: RecordFields::of(&record.original, voice),
        }
    }
}

/// The text of a field for people; empty where nothing was entered.
pub(crate) fn shown(c: &Content, field: Field, v: &Voice) -> String {
    let time = |at: Option<Wall>| at.map(|at| v.long(at)).unwrap_or_default();
    match field {
        Field::Kind => c.kind.map(|k| v.text(&k.name())).unwrap_or_default(),
        Field::Warranty => c.warranty.map(|w| v.text(&w.name())).unwrap_or_default(),
        Field::Level => c.level.map(|l| v.text(&l.name())).unwrap_or_default(),
        Field::Satisfaction => c.satisfaction.map(|s| v.text(&s.name())).unwrap_or_default(),
        Field::Reported => time(c.reported),
        Field::Responded => time(c.responded),
        Field::Arrived => time(c.arrived),
        Field::Restored => time(c.restored),
        Field::Cost => c.cost.map(|cost| v.n("records.money", cost)).unwrap_or_default(),
        Field::Devices => {
            let device = |d: &DeviceRef| match d.place.is_empty() {
                true => format!("{} ({}, {})", d.name, d.id, d.model),
                false => format!("{} ({}, {}, {})", d.name, d.id, d.model, d.place),
            };
            c.devices.iter().map(device).collect::<Vec<_>>().join("\n")
        }
        Field::Faults => c.faults.iter().map(|f| f.number.to_string()).collect::<Vec<_>>().join("\n"),
        Field::Parts => {
            let serial = |text: &str| if text.is_empty() { "—".to_owned() } else { text.to_owned() };
            let part =
                |p: &Part| format!("{}: {} → {}", p.name, serial(&p.old_serial), serial(&p.new_serial));
            c.parts.iter().map(part).collect::<Vec<_>>().join("\n")
        }
        _ => c.text(field),
    }
}

/// Reads the JSON of one field into the form's text. Devices and faults are looked up: `known` has those that a record
/// names already, since a site may have lost a device meanwhile.
pub(super) async fn read_field(
    panel: &Panel,
    field: Field,
    value: &Value,
    known: &Content,
) -> Result<Reading, Kind> {
    if value.is_null() {
        return Ok(Ok(String::new()));
    }
    Ok(match field.shape() {
        Shape::Word | Shape::Line(_) | Shape::Paragraph(_) => text(value, Why::NotText),
        Shape::Money => match value {
            Value::Number(number) => Ok(number.to_string()),
            value => text(value, Why::NotMoney),
        },
        Shape::Time => text(value, Why::NotATime).and_then(|text| time(&text, &panel.site.about().zone)),
        Shape::Devices => list(value).and_then(|list| devices(panel, list, known)),
        Shape::Faults => match list(value) {
            Ok(list) => faults(panel, list).await?,
            Err(why) => Err(why),
        },
        Shape::Parts => list(value).and_then(parts),
    })
}

fn text(value: &Value, why: Why) -> Reading {
    value.as_str().map(str::to_owned).ok_or(why)
}

fn list(value: &Value) -> Result<&[Value], Why> {
    let list = value.as_array().ok_or(Why::NotAnEntry)?;
    Ok(&list[..list.len().min(MOST_LOOKED_AT)])
}

/// RFC 3339, or local time of the site without an offset, as `datetime-local` inputs send it.
fn time(text: &str, zone: &TimeZone) -> Reading {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        zone.to_ambiguous_zoned(local).compatible().ok().map(|zoned| zoned.timestamp())
    });
    at.map(|at| at.as_millisecond().to_string()).ok_or(Why::NotATime)
}

fn devices(panel: &Panel, list: &[Value], known: &Content) -> Reading {
    let line = |value: &Value| {
        let id = value.as_str().or_else(|| value.get("id")?.as_str()).ok_or(Why::NotAnEntry)?;
        if let Some(known) = known.devices.iter().find(|device| *device.id == *id) {
            return Ok([&known.id, &known.name, &known.model, &known.place]
                .map(|t| t.to_string())
                .join("\t"));
        }
        let device = panel.site.device(id).ok_or(Why::Unknown)?;
        // The record is the site's document: its model is written in the site's language, whoever sends it.
        let model = device.profile_name.get(panel.site.about().language);
        let cells = [&*device.name, model, &*device.location].map(|text| safe(text, usize::MAX));
        Ok(format!("{}\t{}", device.id, cells.join("\t")))
    };
    Ok(list.iter().map(line).collect::<Result<Vec<_>, Why>>()?.join("\n"))
}

async fn faults(panel: &Panel, list: &[Value]) -> Result<Reading, Kind> {
    let mut lines = Vec::new();
    for value in list {
        let Some(id) = value.as_u64().or_else(|| value.get("id")?.as_u64()) else {
            return Ok(Err(Why::NotAnEntry));
        };
        match panel.site.fault(FaultId(id)).await {
            Ok(Some((fault, _))) => {
                lines.push(format!("{id}\t{}\t{}", fault.number.year, fault.number.sequence));
            }
            Ok(None) => return Ok(Err(Why::Unknown)),
            Err(why) => return Err(Kind::unavailable(&why)),
        }
    }
    Ok(Ok(lines.join("\n")))
}

fn parts(list: &[Value]) -> Reading {
    let line = |value: &Value| {
        let cell = |name: &str| match value.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(safe(text, usize::MAX)),
            Some(_) => Err(Why::NotAnEntry),
        };
        let line = format!("{}\t{}\t{}", cell("name")?, cell("old_serial")?, cell("new_serial")?);
        // An entry of nothing would be taken for an empty line.
        if line.trim().is_empty() { Err(Why::NotAnEntry) } else { Ok(line) }
    };
    Ok(list.iter().map(line).collect::<Result<Vec<_>, Why>>()?.join("\n"))
}
