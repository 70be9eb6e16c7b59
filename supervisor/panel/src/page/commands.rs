//! `/devices/{id}/commands`: what a device can be told, unit by unit, and what it was told.

use super::sight::Sight;
use super::{Page, Part, Parts, Place, link, problem};
use crate::command::CommandReport;
use crate::problem::Kind;
use crate::router::Panel;
use crate::site::{Choice, Commands, DeviceCommand, Forbidden, SiteDevice, Told, Unavailable};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use roundsman_core::device::Grid;
use std::borrow::Cow;

/// Commands on record that are shown; the API has them all.
const MOST_TOLD: usize = 30;

/// One value that a person may choose.
struct Chosen {
    value: String,
    word: String,
    /// It must not be sent there now.
    off: bool,
}

struct Argument {
    name: String,
    title: String,
    words: Vec<Chosen>,
    /// Of a number: least and most.
    range: Option<(i64, i64)>,
}

struct Form {
    id: String,
    name: String,
    two_step: bool,
    /// Its units, row by row, as they stand in the room.
    units: Vec<Vec<Chosen>>,
    /// How many of them it may be sent to; all at once where there are several.
    ready: usize,
    arguments: Vec<Argument>,
    /// Why it must not be sent to some unit, or at all.
    note: Option<&'static str>,
    /// It must not be sent to any.
    off: bool,
}

#[derive(Template)]
#[template(path = "page/commands-forms.html")]
struct Forms<'a> {
    v: &'a Voice,
    path: String,
    device: &'a str,
    state: &'static str,
    word: String,
    forms: Vec<Form>,
}

/// A command on record, as a line.
struct Line {
    state: &'static str,
    outcome: String,
    what: String,
    by: String,
    at: String,
    sent: String,
    answered: String,
}

#[derive(Template)]
#[template(path = "page/commands-told.html")]
struct Record<'a> {
    v: &'a Voice,
    lines: Vec<Line>,
    unavailable: bool,
}

/// What people call an argument; its name where nobody named it.
fn argument_name(name: &str, v: &Voice) -> String {
    v.find(&format!("argument.{name}")).map_or_else(|| name.to_owned(), Cow::into_owned)
}

fn form(command: &DeviceCommand, grid: Option<Grid>, v: &Voice) -> Form {
    let unit = |word: String| {
        let off = command.forbidden.iter().any(|(known, _)| **known == *word);
        Chosen { value: word.clone(), word, off }
    };
    let cells: Vec<Chosen> = grid.iter().flat_map(|grid| grid.labels()).map(unit).collect();
    let ready = cells.iter().filter(|cell| !cell.off).count();
    let off = match grid {
        None => !command.forbidden.is_empty(),
        Some(_) => ready == 0,
    };
    let mut units: Vec<Vec<Chosen>> = Vec::new();
    for (at, cell) in cells.into_iter().enumerate() {
        match units.last_mut() {
            Some(row) if at % usize::from(grid.map_or(1, |grid| grid.columns)) != 0 => row.push(cell),
            _ => units.push(vec![cell]),
        }
    }
    let worst = command.forbidden.iter().map(|(_, why)| *why).find(|why| *why == Forbidden::State);
    let note = worst.or(command.forbidden.first().map(|(_, why)| *why)).map(|why| match (why, off) {
        (Forbidden::NoWriter, _) => "commands.no-writer",
        (Forbidden::State, true) => "commands.forbidden",
        (Forbidden::Unknown, true) => "commands.readings-missing",
        (_, false) => "commands.some-forbidden",
    });
    let argument = |argument: &crate::site::CommandArgument| Argument {
        name: argument.name.to_string(),
        title: argument_name(&argument.name, v),
        words: match &argument.choice {
            Choice::Words(words) => words
                .iter()
                .map(|word| Chosen { value: word.to_string(), word: v.word(word), off: false })
                .collect(),
            Choice::Number { .. } => Vec::new(),
        },
        range: match argument.choice {
            Choice::Number { least, most } => Some((least, most)),
            Choice::Words(_) => None,
        },
    };
    Form {
        id: command.id.to_string(),
        name: v.text(&command.name),
        two_step: command.two_step,
        units,
        ready,
        arguments: command.arguments.iter().map(argument).collect(),
        note,
        off,
    }
}

/// Shape, and what came of it in words.
fn outcome(report: &CommandReport, v: &Voice) -> (&'static str, String) {
    let word = |word: &str| v.word(word);
    match (report.verified.as_str(), report.verdict.as_str()) {
        ("yes", _) => ("ok", v.t("commands.proven").into_owned()),
        ("no", _) => match &report.reads {
            Some(reads) => ("minor", v.n("commands.reads-otherwise", word(reads))),
            None => ("minor", v.t("commands.not-read-back").into_owned()),
        },
        (_, "acknowledged") => ("ok", v.t("commands.acknowledged").into_owned()),
        (_, "unproven") => ("warning", v.t("commands.unproven").into_owned()),
        (_, "refused") => ("major", v.t("commands.refused").into_owned()),
        _ => ("major", v.t("commands.no-answer").into_owned()),
    }
}

fn line(told: &Told, commands: &Commands, v: &Voice) -> Line {
    let known = commands.commands.iter().find(|command| *command.id == *told.command);
    let name = known.map_or_else(|| told.command.clone(), |command| v.text(&command.name));
    // A word says by itself what it is, a number does not.
    let argument = |(name, word): &(String, String)| match word.parse::<i64>() {
        Ok(number) => format!("{} {number}", argument_name(name, v)),
        Err(_) => v.word(word),
    };
    let unit = Some(told.unit.clone()).filter(|unit| !unit.is_empty());
    let what: Vec<String> =
        unit.into_iter().chain([name]).chain(told.arguments.iter().map(argument)).collect();
    let report = told.outcome.as_ref().map(|(_, report)| report);
    let (state, outcome) =
        report.map_or_else(|| ("pending", v.t("commands.no-outcome").into_owned()), |r| outcome(r, v));
    Line {
        state,
        outcome,
        what: what.join(" · "),
        by: told.by.to_string(),
        at: v.short(told.at),
        sent: report.map(|r| r.sent.clone()).unwrap_or_default(),
        answered: report.and_then(|r| r.answered.clone()).unwrap_or_default(),
    }
}

/// What a device was told: shape of what came of it, the command, who gave it and what came of it.
pub(super) fn said(told: &Told, commands: &Commands, v: &Voice) -> (&'static str, String, String) {
    let line = line(told, commands, v);
    (line.state, line.what, format!("{} · {}", line.by, line.outcome))
}

fn parts(
    device: &SiteDevice,
    commands: &Commands,
    told: &Result<Vec<Told>, Unavailable>,
    v: &Voice,
) -> Parts {
    let forms = Forms {
        v,
        path: link::encoded(&device.id),
        device: &device.name,
        state: device.state.word(),
        word: v.text(&device.state.name()),
        forms: commands.commands.iter().map(|command| form(command, commands.grid, v)).collect(),
    };
    let record = Record {
        v,
        lines: told.iter().flatten().map(|told| line(told, commands, v)).collect(),
        unavailable: told.is_err(),
    };
    Ok(vec![Part::of("commands", &forms)?, Part::of("told", &record)?])
}

/// `/devices/{id}/commands`
pub(crate) async fn commands(State(panel): State<Panel>, viewer: Viewer, Path(id): Path<String>) -> Response {
    let sight = Sight::of(&panel);
    let (Some(device), Some(commands)) = (sight.device(&id), panel.site.commands(&id)) else {
        return problem(&panel, &viewer, Kind::NoSuchDevice);
    };
    let told = panel.site.told(device.id.clone(), MOST_TOLD, None).await;
    let parts = parts(device, &commands, &told, &viewer.voice);
    let title = viewer.voice.n("commands.of", &device.name);
    Page::new(Place::Devices, &title, "commands").answer(&panel, &viewer, &sight, parts)
}
