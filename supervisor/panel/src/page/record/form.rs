//! `/records/new` and `/records/{number}/amend`: an ordinary form; `records.js` sends it to the API with the token.
//!
//! The form is filled in with what is known: of a fault its device, level, times and summary. While somebody types, the
//! part is never swapped (`data-kept`).

use super::super::sight::Sight;
use super::super::{Page, Part, Place, problem};
use crate::problem::Kind as Problem;
use crate::record::{find, shown};
use crate::router::{Door, Panel};
use crate::site::Which;
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use roundsman_core::fault::{Fault, FaultId};
use roundsman_core::record::{Content, DeviceRef, FaultRef, Field, Kind, Satisfaction, Shape, Warranty};
use roundsman_core::rule::Severity;
use serde::Deserialize;

/// Faults to choose from: the newest.
const MOST_FAULTS: usize = 60;

/// What the form is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    fault: String,
    device: String,
    /// The field to amend.
    field: String,
}

struct Choice {
    value: String,
    text: String,
}

/// One field of the form.
struct Control {
    word: &'static str,
    name: String,
    shape: &'static str,
    /// The value, of a field that has one.
    value: String,
    /// The chosen values, of a list of devices or faults; at least one, empty where none is chosen.
    chosen: Vec<String>,
    /// The parts: name, old and new serial number; at least one.
    parts: Vec<[String; 3]>,
    choices: Vec<Choice>,
    most: usize,
    required: bool,
}

#[derive(Template)]
#[template(path = "page/record-form.html")]
struct Form<'a> {
    v: &'a Voice,
    /// `new` or `amend`.
    what: &'static str,
    /// Where it is sent to.
    action: String,
    title: String,
    controls: Vec<Control>,
    needs_token: bool,
    back: String,
}

#[derive(Template)]
#[template(path = "page/record-fields.html")]
struct Fields<'a> {
    v: &'a Voice,
    number: String,
    /// Each field: word, name, how it stands now.
    fields: Vec<(&'static str, String, String)>,
}

/// What a form offers.
struct Offer<'a> {
    sight: &'a Sight,
    faults: &'a [Fault],
    v: &'a Voice,
}

impl Offer<'_> {
    fn choices(&self, field: Field, content: &Content) -> Vec<Choice> {
        let v = self.v;
        let choice = |value: &str, text: String| Choice { value: value.to_owned(), text };
        match field {
            Field::Kind => Kind::ALL.iter().map(|k| choice(k.word(), v.text(&k.name()))).collect(),
            Field::Warranty => Warranty::ALL.iter().map(|w| choice(w.word(), v.text(&w.name()))).collect(),
            Field::Satisfaction => {
                Satisfaction::ALL.iter().map(|s| choice(s.word(), v.text(&s.name()))).collect()
            }
            Field::Level => {
                let levels = Severity::ALL.iter().filter(|level| **level != Severity::Indeterminate);
                levels.map(|level| choice(level.word(), v.text(&level.name()))).collect()
            }
            Field::Devices => {
                let gone = content.devices.iter().filter(|device| self.sight.device(&device.id).is_none());
                let gone = gone.map(|device| choice(&device.id, format!("{} · {}", device.name, device.id)));
                let here = self.sight.devices().iter();
                gone.chain(here.map(|d| choice(&d.id, format!("{} · {}", d.name, d.id)))).collect()
            }
            Field::Faults => {
                let is_offered = |fault: &&FaultRef| self.faults.iter().any(|known| known.id == fault.id);
                let older = content.faults.iter().filter(|fault| !is_offered(fault));
                let older = older.map(|fault| choice(&fault.id.0.to_string(), fault.number.to_string()));
                let offered = self.faults.iter().map(|fault| {
                    let device = super::super::rows::device_name(fault, self.sight);
                    let text = format!("{} · {device} · {}", fault.number, v.text(&fault.summary));
                    choice(&fault.id.0.to_string(), text)
                });
                older.chain(offered).collect()
            }
            _ => Vec::new(),
        }
    }

    fn control(&self, field: Field, content: &Content, required: bool) -> Control {
        let (shape, most) = match field.shape() {
            Shape::Word => ("word", 0),
            Shape::Line(most) => ("line", most),
            Shape::Paragraph(most) => ("paragraph", most),
            Shape::Time => ("time", 0),
            Shape::Money => ("money", 0),
            Shape::Devices => ("devices", 0),
            Shape::Faults => ("faults", 0),
            Shape::Parts => ("parts", 0),
        };
        let time = match field {
            Field::Reported => content.reported,
            Field::Responded => content.responded,
            Field::Arrived => content.arrived,
            Field::Restored => content.restored,
            _ => None,
        };
        let mut chosen: Vec<String> = match field {
            Field::Devices => content.devices.iter().map(|device| device.id.to_string()).collect(),
            Field::Faults => content.faults.iter().map(|fault| fault.id.0.to_string()).collect(),
            _ => Vec::new(),
        };
        if chosen.is_empty() {
            chosen.push(String::new());
        }
        let parts =
            content.parts.iter().map(|p| [&p.name, &p.old_serial, &p.new_serial].map(|t| t.to_string()));
        let mut parts: Vec<[String; 3]> = parts.collect();
        if parts.is_empty() {
            parts.push(Default::default());
        }
        Control {
            word: field.word(),
            name: self.v.text(&field.name()),
            shape,
            value: time.map_or_else(|| content.text(field), |at| self.v.local(at)),
            chosen,
            parts,
            choices: self.choices(field, content),
            most,
            required,
        }
    }
}

/// What is known of a fault, as the beginning of its record.
fn of_fault(fault: &Fault, sight: &Sight, v: &Voice) -> Content {
    let level = Some(fault.severity).filter(|severity| *severity != Severity::Indeterminate);
    let responded = fault.acknowledged.as_ref().map(|a| a.at);
    Content {
        kind: Some(Kind::Corrective),
        devices: of_device(&fault.key.device, sight, v).devices,
        faults: vec![FaultRef { id: fault.id, number: fault.number }],
        level,
        reported: Some(fault.first_bad),
        // Acknowledged after it was over is no response.
        responded: responded.filter(|at| fault.cleared.is_none_or(|over| *at <= over)),
        restored: fault.cleared,
        symptom: v.text(&fault.summary).into(),
        ..Content::default()
    }
}

fn of_device(id: &str, sight: &Sight, v: &Voice) -> Content {
    let devices = sight.device(id).map(|device| DeviceRef {
        id: device.id.clone(),
        name: device.name.clone(),
        model: v.text(&device.profile_name).into(),
        place: device.location.clone(),
    });
    Content { devices: devices.into_iter().collect(), ..Content::default() }
}

async fn newest_faults(panel: &Panel) -> Vec<Fault> {
    // Without the store nothing can be saved either; the form still shows what was typed.
    panel.site.faults(Which::All, None, MOST_FAULTS, None).await.unwrap_or_default()
}

fn needs_token(panel: &Panel) -> bool {
    matches!(panel.door, Door::Panel { .. })
}

/// `/records/new`, `?fault=ID` or `?device=ID`
pub(crate) async fn new(
    State(panel): State<Panel>,
    viewer: Viewer,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let wanted = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
    let faults = newest_faults(&panel).await;
    let fault = match wanted.fault.parse().map(FaultId) {
        Ok(id) => panel.site.fault(id).await.ok().flatten().map(|(fault, _)| fault),
        Err(_) => None,
    };
    let sight = Sight::of(&panel);
    let v = &viewer.voice;
    let content = match &fault {
        Some(fault) => of_fault(fault, &sight, v),
        None => of_device(&wanted.device, &sight, v),
    };
    let offer = Offer { sight: &sight, faults: &faults, v };
    let always = |field| matches!(field, Field::Kind | Field::Process | Field::Engineer);
    let title = v.t("record.new");
    let form = Form {
        v,
        what: "new",
        action: "/api/v1/records".to_owned(),
        title: title.clone().into_owned(),
        controls: Field::of_record().map(|field| offer.control(field, &content, always(field))).collect(),
        needs_token: needs_token(&panel),
        back: "/records".to_owned(),
    };
    let part = Part::of("record-form", &form);
    let page = Page::new(Place::Records, &title, "record-form");
    page.answer(&panel, &viewer, &sight, part.map(|part| vec![part]))
}

/// `/records/{number}/amend`: which field; with `?field=` its form.
pub(crate) async fn amend(
    State(panel): State<Panel>,
    viewer: Viewer,
    Path(number): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let wanted = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
    let record = match find(&panel, &number).await {
        Ok(record) => record,
        Err(kind) => return problem(&panel, &viewer, kind),
    };
    if record.amendments.len() >= roundsman_core::record::MOST_AMENDMENTS {
        return problem(&panel, &viewer, Problem::TooManyAmendments);
    }
    let faults = newest_faults(&panel).await;
    let sight = Sight::of(&panel);
    let v = &viewer.voice;
    let now = record.current();
    let number = record.number.to_string();
    let part = match Field::of_record().find(|field| field.word() == wanted.field) {
        Some(field) => {
            let offer = Offer { sight: &sight, faults: &faults, v };
            let empty = Content::default();
            let controls = vec![
                offer.control(field, &now, false),
                offer.control(Field::Reason, &empty, true),
                offer.control(Field::Author, &empty, true),
            ];
            let form = Form {
                v,
                what: "amend",
                action: format!("/api/v1/records/{number}/amendments"),
                title: format!("{number} · {}", v.text(&field.name())),
                controls,
                needs_token: needs_token(&panel),
                back: format!("/records/{number}"),
            };
            Part::of("record-form", &form)
        }
        None => {
            let fields = Field::of_record().map(|f| (f.word(), v.text(&f.name()), shown(&now, f, v)));
            Part::of("record-fields", &Fields { v, number: number.clone(), fields: fields.collect() })
        }
    };
    let title = format!("{} {number}", v.t("record.amend"));
    let page = Page::new(Place::Records, &title, "record-form");
    page.answer(&panel, &viewer, &sight, part.map(|part| vec![part]))
}
