//! Maintenance records over HTTP: found, read, written, amended, and as a table for spreadsheets.
//!
//! What a client sends is read field by field ([`wire`]), so that a refusal names the field. Reading is free like
//! everywhere; writing needs the token and takes an Idempotency-Key, which the store keeps with the record for ever.

pub(crate) mod csv;
mod wanted;
mod wire;

pub(crate) use wanted::Wanted;
pub(crate) use wire::shown;

use crate::actions::{idempotency_key, operator};
use crate::problem::{Kind, Problem};
use crate::router::{LARGEST_BODY, Panel};
use crate::serve::Peer;
use crate::site::{RecordError, Unavailable};
use crate::voice::Voice;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use roundsman_core::record::{Content, Correction, Field, Record, RecordNumber, Refusal, Why, Wrong};
use serde_json::{Map, Value};
use wire::{AmendmentDraft, RecordDetail, RecordFields, RecordRow, Records, read_field};

/// Records in one answer unless fewer are asked for.
const PAGE: usize = 50;
/// Most records in one answer: each may have some 10,000 characters.
const MOST_RECORDS: usize = 200;

/// Why a request was refused.
enum Refused {
    Kind(Kind),
    /// Fields that do not fit, by the name the client used, and the reason.
    Fields(Vec<(String, String)>),
}

impl From<Kind> for Refused {
    fn from(kind: Kind) -> Refused {
        Refused::Kind(kind)
    }
}

impl Refused {
    fn wrong(wrong: &[Wrong], voice: &Voice) -> Refused {
        let said = |wrong: &Wrong| (wrong.field.word().to_owned(), voice.text(&wrong.text()));
        Refused::Fields(wrong.iter().map(said).collect())
    }

    fn of(error: RecordError, voice: &Voice) -> Refused {
        match error {
            RecordError::Refused(Refusal::NoSuchRecord) => Kind::NoSuchRecord.into(),
            RecordError::Refused(Refusal::KeyReused) => Kind::KeyReused.into(),
            RecordError::Refused(Refusal::TooManyAmendments) => Kind::TooManyAmendments.into(),
            RecordError::Refused(Refusal::Wrong(wrong)) => Refused::wrong(&wrong, voice),
            RecordError::Unavailable(why) => Kind::unavailable(&why).into(),
        }
    }

    fn answer(self, voice: &Voice) -> Response {
        match self {
            Refused::Kind(kind) => kind.answer(voice),
            Refused::Fields(fields) => Kind::BadRecord.naming(fields, voice).into_response(),
        }
    }
}

/// Maintenance records, the latest written first.
#[utoipa::path(get, path = "/api/v1/records", tag = "records", params(Wanted),
    responses((status = 200, body = Records),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn records(
    State(panel): State<Panel>,
    voice: Voice,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let asked = wanted.ok().and_then(|Query(wanted)| {
        let limit = if wanted.limit.is_empty() { Some(PAGE) } else { wanted.limit.parse().ok() };
        let limit = limit.filter(|limit| (1..=MOST_RECORDS).contains(limit))?;
        Some((wanted.query(&voice.zone)?, limit, wanted.before().ok()?))
    });
    let Some((query, limit, before)) = asked else {
        return Kind::BadRecordQuery.answer(&voice);
    };
    match panel.site.records(query, limit, before).await {
        Ok(found) => {
            Json(Records { records: found.iter().map(|record| RecordRow::of(record, &voice)).collect() })
                .into_response()
        }
        Err(why) => Kind::unavailable(&why).answer(&voice),
    }
}

/// The record of a number that a client named.
pub(crate) async fn find(panel: &Panel, number: &str) -> Result<Record, Kind> {
    let Some(number) = RecordNumber::parse(number) else {
        return Err(Kind::NoSuchRecord);
    };
    match panel.site.record(number).await {
        Ok(record) => record.ok_or(Kind::NoSuchRecord),
        Err(why) => Err(Kind::unavailable(&why)),
    }
}

/// One maintenance record: as it stands, as it was written, and its amendments.
#[utoipa::path(get, path = "/api/v1/records/{number}", tag = "records",
    params(("number" = String, Path, example = "M-2026-0042")),
    responses((status = 200, body = RecordDetail),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn record(State(panel): State<Panel>, voice: Voice, Path(number): Path<String>) -> Response {
    match find(&panel, &number).await {
        Ok(record) => Json(RecordDetail::of(&record, &voice)).into_response(),
        Err(kind) => kind.answer(&voice),
    }
}

/// Writes a maintenance record under the next number of the year.
#[utoipa::path(post, path = "/api/v1/records", tag = "records", security(("token" = [])), request_body = RecordFields,
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Same key, same record, for ever; 1 to 128 visible ASCII characters")),
    responses((status = 201, body = RecordDetail, description = "The record, after the commit",
            headers(("location" = String, description = "Where it is read"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn add(
    State(panel): State<Panel>,
    voice: Voice,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Response {
    created(try_add(&panel, &voice, peer, request).await, &voice)
}

/// Writes an amendment: one field has another value from now on. The original stays and is shown beside it.
#[utoipa::path(post, path = "/api/v1/records/{number}/amendments", tag = "records", security(("token" = [])),
    request_body = AmendmentDraft,
    params(("number" = String, Path, example = "M-2026-0042"), ("Idempotency-Key" = Option<String>, Header,
        description = "Same key, same amendment, for ever; 1 to 128 visible ASCII characters")),
    responses((status = 201, body = RecordDetail, description = "The record with the amendment, after the commit",
            headers(("location" = String, description = "Where it is read"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn amend(
    State(panel): State<Panel>,
    voice: Voice,
    peer: Option<Extension<Peer>>,
    Path(number): Path<String>,
    request: Request,
) -> Response {
    created(try_amend(&panel, &voice, peer, &number, request).await, &voice)
}

fn created(result: Result<Record, Refused>, voice: &Voice) -> Response {
    match result {
        Ok(record) => {
            let detail = Json(RecordDetail::of(&record, voice));
            let mut response = (StatusCode::CREATED, detail).into_response();
            if let Ok(at) = HeaderValue::from_str(&format!("/api/v1/records/{}", record.number)) {
                response.headers_mut().insert(LOCATION, at);
            }
            response
        }
        Err(refused) => refused.answer(voice),
    }
}

/// The JSON object of a request's body.
async fn object(request: Request) -> Result<Map<String, Value>, Kind> {
    let limit = usize::try_from(LARGEST_BODY).unwrap_or(usize::MAX);
    let body = axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| Kind::TooLarge)?;
    serde_json::from_slice(&body).map_err(|_| Kind::BadBody)
}

async fn try_add(
    panel: &Panel,
    voice: &Voice,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Result<Record, Refused> {
    let by = operator(&panel.door, peer, request.headers())?;
    let key = idempotency_key(request.headers())?.map(|key| format!("record {by} {key}"));
    let body = object(request).await?;
    let mut fields = Vec::new();
    let mut wrong = Vec::new();
    for (name, value) in &body {
        let Some(field) = Field::of_record().find(|field| field.word() == name) else {
            wrong.push(unknown_field(name, voice));
            continue;
        };
        match read_field(panel, field, value, &Content::default()).await? {
            Ok(text) => fields.push((field, text)),
            Err(why) => {
                wrong.push((field.word().to_owned(), voice.text(&Wrong { field, why }.text())));
            }
        }
    }
    let read = Content::read(fields.iter().map(|(field, text)| (*field, &**text)));
    let more = read.as_ref().err().map(|wrong| Refused::wrong(wrong, voice));
    if let Some(Refused::Fields(more)) = more {
        for (field, why) in more {
            if wrong.iter().all(|(known, _)| *known != field) {
                wrong.push((field, why));
            }
        }
    }
    match read {
        Ok(content) if wrong.is_empty() => {
            panel.site.add_record(content, by, key).await.map_err(|error| Refused::of(error, voice))
        }
        _ => Err(Refused::Fields(wrong)),
    }
}

/// A name that is no field's; what a client sent is shown shortened and safe.
fn unknown_field(name: &str, voice: &Voice) -> (String, String) {
    let name = roundsman_core::text::safe(name, 40);
    let said = voice.n("record.no-field", &name);
    (name, said)
}

async fn try_amend(
    panel: &Panel,
    voice: &Voice,
    peer: Option<Extension<Peer>>,
    number: &str,
    request: Request,
) -> Result<Record, Refused> {
    let by = operator(&panel.door, peer, request.headers())?;
    let key = idempotency_key(request.headers())?.map(|key| format!("amend {number} {by} {key}"));
    let record = find(panel, number).await?;
    let body = object(request).await?;
    let known = ["field", "value", "reason", "author"];
    if let Some(name) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Refused::Fields(vec![unknown_field(name, voice)]));
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("");
    let Some(field) = Field::of_record().find(|field| field.word() == text("field")) else {
        return Err(Refused::Fields(vec![unknown_field(text("field"), voice)]));
    };
    let value = body.get("value").unwrap_or(&Value::Null);
    let value = match read_field(panel, field, value, &record.current()).await? {
        Ok(value) => value,
        Err(why) => return Err(Refused::wrong(&[Wrong { field, why }], voice)),
    };
    let correction = Correction::new(field, &value, text("reason"), text("author"))
        .map_err(|wrong| Refused::wrong(&wrong, voice))?;
    let amended = panel.site.amend_record(record.number, correction, by, key).await;
    amended.map_err(|error| Refused::of(error, voice))
}

impl From<Unavailable> for Refused {
    fn from(why: Unavailable) -> Refused {
        Kind::unavailable(&why).into()
    }
}

/// What a field's reading gives: its text, or why it does not fit.
type Reading = Result<String, Why>;
