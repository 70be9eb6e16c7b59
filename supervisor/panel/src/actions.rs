//! Acting over HTTP: acknowledge and close. Needs the token (not on the control socket), takes an Idempotency-Key.

use crate::problem::{Kind, PROBLEM_JSON, Problem};
use crate::router::{Door, Panel};
use crate::serve::Peer;
use crate::site::{ActionError, Kept};
use crate::view::FaultRow;
use crate::voice::Voice;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use roundsman_core::fault::{FaultId, Refusal};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Longest Idempotency-Key.
const LONGEST_KEY: usize = 128;

#[derive(Clone, Copy)]
enum Action {
    Acknowledge,
    Close,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::Acknowledge => "acknowledge",
            Action::Close => "close",
        }
    }
}

/// Takes note of a fault: somebody works on it.
#[utoipa::path(post, path = "/api/v1/faults/{id}/acknowledge", tag = "faults", security(("token" = [])),
    params(("id" = u64, Path,), ("Idempotency-Key" = Option<String>, Header,
        description = "Same key, same answer, for 24 hours; 1 to 128 visible ASCII characters")),
    responses((status = 200, body = FaultRow, description = "The fault, after the commit"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn acknowledge(
    State(panel): State<Panel>,
    voice: Voice,
    peer: Option<Extension<Peer>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    act(panel, voice, peer, id, headers, Action::Acknowledge).await
}

/// Closes a fault whose rule latches and whose condition is over.
#[utoipa::path(post, path = "/api/v1/faults/{id}/close", tag = "faults", security(("token" = [])),
    params(("id" = u64, Path,), ("Idempotency-Key" = Option<String>, Header,
        description = "Same key, same answer, for 24 hours; 1 to 128 visible ASCII characters")),
    responses((status = 200, body = FaultRow, description = "The fault, after the commit"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn close(
    State(panel): State<Panel>,
    voice: Voice,
    peer: Option<Extension<Peer>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    act(panel, voice, peer, id, headers, Action::Close).await
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

async fn act(
    panel: Panel,
    voice: Voice,
    peer: Option<Extension<Peer>>,
    id: String,
    headers: HeaderMap,
    action: Action,
) -> Response {
    let by = match operator(&panel.door, peer, &headers) {
        Ok(by) => by,
        Err(kind) => return kind.answer(&voice),
    };
    let key = match idempotency_key(&headers) {
        Ok(key) => key.map(|key| format!("{} {id} {by} {key}", action.word())),
        Err(kind) => return kind.answer(&voice),
    };
    let Ok(id) = id.parse::<u64>().map(FaultId) else {
        return Kind::NoSuchFault.answer(&voice);
    };
    // A caller that hangs up must not leave an action without its kept answer: the task goes on alone.
    let spoken = voice.clone();
    let work = tokio::spawn(async move {
        match key {
            Some(key) => once(&panel, &spoken, id, by, action, key).await,
            None => perform(&panel, &spoken, id, by, action).await,
        }
    });
    match work.await {
        Ok(Ok(kept)) => answer(kept),
        Ok(Err(kind)) => kind.answer(&voice),
        Err(_) => Kind::StoreUnavailable.answer(&voice),
    }
}

/// Performs the action unless its key has an answer already. Keyed actions go one at a time, so that two requests
/// with one key cannot both find no answer; they are a person's and rare.
async fn once(
    panel: &Panel,
    voice: &Voice,
    id: FaultId,
    by: Arc<str>,
    action: Action,
    key: String,
) -> Result<Kept, Kind> {
    let _turn = panel.actions.lock().await;
    match panel.site.recall(key.clone()).await {
        Ok(Some(kept)) => return Ok(kept),
        Ok(None) => {}
        Err(why) => return Err(Kind::unavailable(&why)),
    }
    let kept = perform(panel, voice, id, by, action).await?;
    if let Err(why) = panel.site.remember(key, kept.clone()).await {
        // The action itself is durable: a repetition would be refused as done already, never done twice.
        tracing::warn!(reason = why.0, "the answer to an operator's request could not be kept");
    }
    Ok(kept)
}

/// Performs the action. What the fault engine decided is an answer to keep; a store that is not available is not.
async fn perform(
    panel: &Panel,
    voice: &Voice,
    id: FaultId,
    by: Arc<str>,
    action: Action,
) -> Result<Kept, Kind> {
    let result = match action {
        Action::Acknowledge => panel.site.acknowledge(id, by).await,
        Action::Close => panel.site.close(id, by).await,
    };
    let (status, body) = match result {
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
