//! Commands to devices over HTTP. Needs the token (not on the control socket), takes an Idempotency-Key.

pub(crate) mod list;

use crate::actions::{answer, idempotency_key, operator};
use crate::problem::{Kind, Problem};
use crate::router::{LARGEST_BODY, Panel};
use crate::serve::Peer;
use crate::site::{CommandError, CommandWanted, Kept};
use crate::voice::Voice;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use roundsman_store::CLAIMED;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Most arguments of a command.
const MOST_ARGUMENTS: usize = 16;

/// What a command is given.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandBody {
    /// Which unit of a device that has several, such as `r1c2`.
    #[serde(default)]
    unit: String,
    /// Its arguments by name; which there are the profile says.
    #[serde(default)]
    arguments: BTreeMap<String, String>,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandReport {
    /// The device.
    pub device: String,
    /// Its unit, where it has several.
    pub unit: String,
    /// The command.
    pub command: String,
    /// Its arguments.
    pub arguments: BTreeMap<String, String>,
    /// The octets that were sent, in hexadecimal.
    pub sent: String,
    /// Those that came back.
    pub answered: Option<String>,
    /// `acknowledged`, `unproven` (what came back proves nothing), `refused` or `failed`.
    pub verdict: String,
    /// Why it was refused or failed: a quality.
    pub why: Option<String>,
    /// `yes`: the metric that shows it says so; `no`; `unknown`: no metric shows it; `pointless`: it did not go out or
    /// was refused.
    pub verified: String,
    /// What the metric said last, where it does not say so.
    pub reads: Option<String>,
    /// How long it took until it was verified, ms.
    pub took_ms: Option<u64>,
    /// Whether it can be relied upon: verified, or acknowledged where nothing can verify it.
    pub good: bool,
}

/// Tells a device to do something, and reads back whether it did. Its record is kept with who gave it.
#[utoipa::path(post, path = "/api/v1/devices/{id}/commands/{command}", tag = "devices", security(("token" = [])),
    request_body = CommandBody,
    params(("id" = String, Path,), ("command" = String, Path, example = "power"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "Same key, same answer, for 24 hours; 1 to 128 visible ASCII characters")),
    responses((status = 200, body = CommandReport, description = "It was sent; what came of it, good or not"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "It was not sent: the command, its arguments or the state of the device do not allow it; or \
                the same key is under way, or was when the service ended"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn command(
    State(panel): State<Panel>,
    voice: Voice,
    peer: Option<Extension<Peer>>,
    Path((id, command)): Path<(String, String)>,
    request: Request,
) -> Response {
    let by = match operator(&panel.door, peer, request.headers()) {
        Ok(by) => by,
        Err(kind) => return kind.answer(&voice),
    };
    let key = match idempotency_key(request.headers()) {
        Ok(key) => key.map(|key| format!("command {id} {command} {by} {key}")),
        Err(kind) => return kind.answer(&voice),
    };
    let wanted = match wanted(id, command, by, request).await {
        Ok(wanted) => wanted,
        Err(kind) => return kind.answer(&voice),
    };
    // A caller that hangs up must not leave a command without its kept answer: the task goes on alone.
    let spoken = voice.clone();
    let work = tokio::spawn(async move {
        match key {
            Some(key) => once(&panel, &spoken, wanted, key).await,
            None => perform(&panel, &spoken, wanted).await,
        }
    });
    match work.await {
        Ok(Ok(kept)) => answer(kept),
        Ok(Err(kind)) => kind.answer(&voice),
        Err(_) => Kind::StoreUnavailable.answer(&voice),
    }
}

async fn wanted(
    device: String,
    command: String,
    by: Arc<str>,
    request: Request,
) -> Result<CommandWanted, Kind> {
    let limit = usize::try_from(LARGEST_BODY).unwrap_or(usize::MAX);
    let body = axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| Kind::TooLarge)?;
    let body: CommandBody = match body.is_empty() {
        true => CommandBody::default(),
        false => serde_json::from_slice(&body).map_err(|_| Kind::BadBody)?,
    };
    if body.arguments.len() > MOST_ARGUMENTS {
        return Err(Kind::BadBody);
    }
    let arguments = body.arguments.into_iter().collect();
    Ok(CommandWanted { device: device.into(), command, unit: body.unit, arguments, by })
}

/// Performs the command unless its key has an answer already. The key is kept before anything is sent: whoever asks
/// again meanwhile, or after the service died in between, is told so, and nothing is sent a second time.
async fn once(panel: &Panel, voice: &Voice, wanted: CommandWanted, key: String) -> Result<Kept, Kind> {
    {
        // Two requests with one key must not both find it unknown.
        let _turn = panel.commands.lock().await;
        match panel.site.recall(key.clone()).await {
            Ok(Some(kept)) if kept.status == CLAIMED => return Err(Kind::CommandUnderWay),
            Ok(Some(kept)) => return Ok(kept),
            Ok(None) => {}
            Err(why) => return Err(Kind::unavailable(&why)),
        }
        let claimed = panel.site.remember(key.clone(), Kept { status: CLAIMED, body: String::new() }).await;
        claimed.map_err(|why| Kind::unavailable(&why))?;
    }
    let kept = perform(panel, voice, wanted).await.unwrap_or_else(|kind| kind.kept(voice));
    if let Err(why) = panel.site.remember(key, kept.clone()).await {
        tracing::warn!(reason = why.0, "the answer to a command could not be kept");
    }
    Ok(kept)
}

async fn perform(panel: &Panel, voice: &Voice, wanted: CommandWanted) -> Result<Kept, Kind> {
    match panel.site.command(wanted).await {
        Ok(report) => Ok(Kept { status: 200, body: serde_json::to_string(&report).unwrap_or_default() }),
        Err(CommandError::NoSuchDevice) => Err(Kind::NoSuchDevice),
        Err(CommandError::Refused(why)) => {
            Ok(Problem { detail: why, ..Kind::CommandRefused.body(voice) }.kept())
        }
        Err(CommandError::Unavailable(why)) => Err(Kind::unavailable(&why)),
    }
}
