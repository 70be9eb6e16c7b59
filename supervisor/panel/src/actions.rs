//! Acting on faults over HTTP. Needs the token (not on the control socket), takes an Idempotency-Key.

use crate::problem::{Kind, PROBLEM_JSON, Problem};
use crate::router::{Door, LARGEST_BODY, Panel};
use crate::serve::Peer;
use crate::site::{ActionError, Kept};
use crate::view::FaultRow;
use crate::voice::Voice;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use roundsman_core::fault::{Act, FaultId, MOST_SHELF_MS, Refusal};
use roundsman_core::text::is_hidden;
use serde::Deserialize;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

/// Longest Idempotency-Key.
const LONGEST_KEY: usize = 128;

/// Longest name of a person, in characters.
const LONGEST_NAME: usize = 40;

/// Longest reason, in characters.
const LONGEST_REASON: usize = 200;

/// What goes with an act; empty for those that need nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ActBody {
    /// `assign`: who is to see to it, at most 40 characters.
    to: Option<String>,
    /// `shelve`: for how many minutes, 1 to 480.
    for_min: Option<u32>,
    /// `shelve`: why, at most 200 characters.
    reason: Option<String>,
}

impl ActBody {
    fn act(self, word: &str) -> Result<Act, Kind> {
        let said = |text: Option<String>, longest: usize| {
            let text = text.unwrap_or_default();
            let text = text.trim();
            let fits = !text.is_empty() && text.chars().count() <= longest && !text.chars().any(is_hidden);
            if fits { Ok(text.into()) } else { Err(Kind::BadAct) }
        };
        match word {
            "acknowledge" => Ok(Act::Acknowledge),
            "assign" => Ok(Act::Assign { to: said(self.to, LONGEST_NAME)? }),
            "arrive" => Ok(Act::Arrive),
            "shelve" => {
                let for_ms = u64::from(self.for_min.unwrap_or(0)) * 60_000;
                if !(1..=MOST_SHELF_MS).contains(&for_ms) {
                    return Err(Kind::BadAct);
                }
                Ok(Act::Shelve { for_ms, reason: said(self.reason, LONGEST_REASON)? })
            }
            "unshelve" => Ok(Act::Unshelve),
            "close" => Ok(Act::Close),
            _ => Err(Kind::NoSuchPath),
        }
    }
}

/// Key of an act's name on buttons.
pub(crate) fn name(act: &str) -> &'static str {
    match act {
        "acknowledge" => "faults.acknowledge",
        "assign" => "faults.assign",
        "arrive" => "faults.arrive",
        "shelve" => "faults.shelve",
        "unshelve" => "faults.unshelve",
        _ => "faults.close",
    }
}

/// Does something to an open fault: `acknowledge` takes note of it, `assign` says who is to see to it, `arrive` that
/// somebody is on site, `shelve` puts it aside for a while (nobody is told of it, its clocks run on), `unshelve` takes
/// it back, `close` ends one whose rule latches and whose condition is over.
#[utoipa::path(post, path = "/api/v1/faults/{id}/{act}", tag = "faults", security(("token" = [])),
    request_body = Option<ActBody>,
    params(("id" = u64, Path,), ("act" = String, Path, example = "acknowledge"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Same key, same answer, for 24 hours; 1 to 128 visible ASCII characters")),
    responses((status = 200, body = FaultRow, description = "The fault, after the commit"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn act(
    State(panel): State<Panel>,
    voice: Voice,
    peer: Option<Extension<Peer>>,
    Path((id, act)): Path<(String, String)>,
    request: Request,
) -> Response {
    let by = match operator(&panel.door, peer, request.headers()) {
        Ok(by) => by,
        Err(kind) => return kind.answer(&voice),
    };
    let key = match idempotency_key(request.headers()) {
        Ok(key) => key.map(|key| format!("{act} {id} {by} {key}")),
        Err(kind) => return kind.answer(&voice),
    };
    let Ok(id) = id.parse::<u64>().map(FaultId) else {
        return Kind::NoSuchFault.answer(&voice);
    };
    let wanted = match wanted(&act, request).await {
        Ok(wanted) => wanted,
        Err(kind) => return kind.answer(&voice),
    };
    // A caller that hangs up must not leave an action without its kept answer: the task goes on alone.
    let spoken = voice.clone();
    let work = tokio::spawn(async move {
        match key {
            Some(key) => once(&panel, &spoken, id, by, wanted, key).await,
            None => perform(&panel, &spoken, id, by, wanted).await,
        }
    });
    match work.await {
        Ok(Ok(kept)) => answer(kept),
        Ok(Err(kind)) => kind.answer(&voice),
        Err(_) => Kind::StoreUnavailable.answer(&voice),
    }
}

async fn wanted(act: &str, request: Request) -> Result<Act, Kind> {
    let limit = usize::try_from(LARGEST_BODY).unwrap_or(usize::MAX);
    let body = axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| Kind::TooLarge)?;
    let body: ActBody = match body.is_empty() {
        true => ActBody::default(),
        false => serde_json::from_slice(&body).map_err(|_| Kind::BadBody)?,
    };
    body.act(act)
}

/// Who asks, if they may.
pub(crate) fn operator(
    door: &Door,
    peer: Option<Extension<Peer>>,
    headers: &HeaderMap,
) -> Result<Arc<str>, Kind> {
    match door {
        Door::Control => match peer {
            Some(Extension(Peer { uid: Some(uid) })) => Ok(format!("uid:{uid}").into()),
            // Without a uid there is no operator to put on record.
            _ => Err(Kind::TokenWrong),
        },
        Door::Panel { token } => {
            let header = headers.get(AUTHORIZATION).ok_or(Kind::TokenMissing)?;
            let given = header.to_str().ok().and_then(|h| h.split_once(' '));
            match given {
                Some((scheme, given)) if scheme.eq_ignore_ascii_case("bearer") => {
                    // An empty token would open the door to everybody.
                    if !token.is_empty() && bool::from(given.trim().as_bytes().ct_eq(token.as_bytes())) {
                        Ok("panel".into())
                    } else {
                        Err(Kind::TokenWrong)
                    }
                }
                _ => Err(Kind::TokenMissing),
            }
        }
    }
}

/// The request's Idempotency-Key, if it has one.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Kind> {
    let Some(header) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = header.to_str().map_err(|_| Kind::BadKey)?;
    let visible = key.bytes().all(|b| b.is_ascii_graphic());
    if key.is_empty() || key.len() > LONGEST_KEY || !visible { Err(Kind::BadKey) } else { Ok(Some(key)) }
}

/// Performs the action unless its key has an answer already. Keyed actions go one at a time, so that two requests
/// with one key cannot both find no answer; they are a person's and rare.
async fn once(
    panel: &Panel,
    voice: &Voice,
    id: FaultId,
    by: Arc<str>,
    act: Act,
    key: String,
) -> Result<Kept, Kind> {
    let _turn = panel.actions.lock().await;
    match panel.site.recall(key.clone()).await {
        Ok(Some(kept)) => return Ok(kept),
        Ok(None) => {}
        Err(why) => return Err(Kind::unavailable(&why)),
    }
    let kept = perform(panel, voice, id, by, act).await?;
    if let Err(why) = panel.site.remember(key, kept.clone()).await {
        // The action itself is durable: a repetition would be refused as done already, never done twice.
        tracing::warn!(reason = why.0, "the answer to an operator's request could not be kept");
    }
    Ok(kept)
}

/// Performs the action. What the fault engine decided is an answer to keep; a store that is not available is not.
async fn perform(panel: &Panel, voice: &Voice, id: FaultId, by: Arc<str>, act: Act) -> Result<Kept, Kind> {
    let (status, body) = match panel.site.act(id, by, act).await {
        Ok(fault) => (200, serde_json::to_string(&FaultRow::of(&fault, voice))),
        Err(ActionError::Refused(Refusal::NoSuchFault)) => {
            let kind = match panel.site.fault(id).await {
                Ok(Some(_)) => Kind::NotOpen,
                Ok(None) => Kind::NoSuchFault,
                Err(why) => return Err(Kind::unavailable(&why)),
            };
            let problem = kind.body(voice);
            (problem.status, serde_json::to_string(&problem))
        }
        Err(error @ ActionError::Refused(_)) => {
            let problem = Kind::of(&error).body(voice);
            (problem.status, serde_json::to_string(&problem))
        }
        Err(error) => return Err(Kind::of(&error)),
    };
    Ok(Kept { status, body: body.unwrap_or_default() })
}

pub(crate) fn answer(kept: Kept) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media = if status.is_success() { "application/json" } else { PROBLEM_JSON };
    (status, [(CONTENT_TYPE, media)], kept.body).into_response()
}
