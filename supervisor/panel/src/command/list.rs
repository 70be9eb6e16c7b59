//! What a device can be told, and what it was told, over HTTP.

use super::CommandReport;
use crate::problem::{Kind, Problem};
use crate::router::Panel;
use crate::site::{Choice, CommandArgument, Commands, DeviceCommand, Forbidden, Told};
use crate::voice::Voice;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Commands on record in one answer; the store gives no more either.
const MOST: usize = 1_000;
/// The same where nobody asks for a number.
const USUAL: usize = 20;

/// How much of the record.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ToldQuery {
    /// 1 to 1000, 20 by default: how many that were given before.
    limit: Option<usize>,
    /// Only those with a smaller number: the next page.
    before: Option<i64>,
}

/// What a device can be told, and what it was told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceCommands {
    device: String,
    /// Its units, where it has several; a command is for one of them.
    units: Vec<String>,
    commands: Vec<Available>,
    /// Those given before, newest first.
    given: Vec<Given>,
}

/// One command.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Available {
    #[schema(example = "power")]
    id: String,
    name: String,
    arguments: Vec<Argument>,
    /// `two-step` where a person is to confirm it a second time.
    confirm: Option<&'static str>,
    /// Units to which it must not be sent now; one with an empty name where the device is one unit.
    forbidden: Vec<NotNow>,
}

/// An argument: one of `words`, or a whole number from `least` to `most`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Argument {
    #[schema(example = "state")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    least: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most: Option<i64>,
}

/// Why not now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotNow {
    unit: String,
    /// `state`: the device's state does not allow it; `readings-missing`: nothing says that it does;
    /// `no-write-credentials`: the site names nobody who may write to it.
    why: &'static str,
}

/// A command on record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Given {
    id: i64,
    at: String,
    by: String,
    unit: String,
    command: String,
    arguments: BTreeMap<String, String>,
    /// When it was over; missing while it is under way, and for ever where the service ended meanwhile.
    over: Option<String>,
    /// What came of it.
    report: Option<CommandReport>,
}

fn argument(argument: CommandArgument) -> Argument {
    let name = argument.name.to_string();
    match argument.choice {
        Choice::Words(words) => {
            let words = words.iter().map(ToString::to_string).collect();
            Argument { name, words: Some(words), least: None, most: None }
        }
        Choice::Number { least, most } => {
            Argument { name, words: None, least: Some(least), most: Some(most) }
        }
    }
}

fn available(command: DeviceCommand, voice: &Voice) -> Available {
    let not_now = |(unit, why): (std::sync::Arc<str>, Forbidden)| NotNow {
        unit: unit.to_string(),
        why: match why {
            Forbidden::State => "state",
            Forbidden::Unknown => "readings-missing",
            Forbidden::NoWriter => "no-write-credentials",
        },
    };
    Available {
        id: command.id.to_string(),
        name: voice.text(&command.name),
        arguments: command.arguments.into_iter().map(argument).collect(),
        confirm: command.two_step.then_some("two-step"),
        forbidden: command.forbidden.into_iter().map(not_now).collect(),
    }
}

fn given(told: Told, voice: &Voice) -> Given {
    let (over, report) = told.outcome.unzip();
    Given {
        id: told.id,
        at: voice.rfc3339(told.at),
        by: told.by.to_string(),
        unit: told.unit,
        command: told.command,
        arguments: told.arguments.into_iter().collect(),
        over: over.map(|at| voice.rfc3339(at)),
        report,
    }
}

/// What a device can be told now, and what it was told.
#[utoipa::path(get, path = "/api/v1/devices/{id}/commands", tag = "devices", params(("id" = String, Path,), ToldQuery),
    responses((status = 200, body = DeviceCommands),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn commands(
    State(panel): State<Panel>,
    voice: Voice,
    Path(id): Path<String>,
    query: Result<Query<ToldQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return Kind::BadQuery.answer(&voice);
    };
    let limit = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Kind::BadQuery.answer(&voice);
    }
    let Some(Commands { grid, commands }) = panel.site.commands(&id) else {
        return Kind::NoSuchDevice.answer(&voice);
    };
    match panel.site.told(id.as_str().into(), limit, query.before).await {
        Ok(told) => Json(DeviceCommands {
            device: id,
            units: grid.iter().flat_map(|grid| grid.labels()).collect(),
            commands: commands.into_iter().map(|command| available(command, &voice)).collect(),
            given: told.into_iter().map(|told| given(told, &voice)).collect(),
        })
        .into_response(),
        Err(why) => Kind::unavailable(&why).answer(&voice),
    }
}
