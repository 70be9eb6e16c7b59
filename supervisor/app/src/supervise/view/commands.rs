//! What devices can be told, and what they were told, as the panel asks for it.

use super::shown::Shown;
use crate::command::Subject;
use roundsman_core::model::Labels;
use roundsman_panel::{Choice, CommandArgument, Commands, DeviceCommand, Told};
use roundsman_profile::schema::{self, Argument, Command};
use roundsman_store::GivenCommand;
use std::collections::BTreeMap;
use std::sync::Arc;

fn argument(argument: &Argument) -> CommandArgument {
    let choice = match &argument.choice {
        schema::Choice::Words(words) => Choice::Words(words.iter().map(|(word, _)| word.clone()).collect()),
        schema::Choice::Number { least, most } => Choice::Number { least: *least, most: *most },
    };
    CommandArgument { name: argument.name.clone(), choice }
}

impl Shown {
    /// What it can be told.
    pub(super) fn commands(&self) -> Commands {
        let units: Vec<Arc<str>> =
            self.grid.map(|grid| grid.labels().map(Arc::from).collect()).unwrap_or_default();
        let profile = self.profile();
        let seen = self.latest.as_ref().map(|latest| {
            let mut labels = Labels::default();
            latest.names().iter().for_each(|name| _ = labels.intern(name));
            (latest.readings.clone(), labels)
        });
        let seen = seen.as_ref().map(|(readings, labels)| (&**readings, labels));
        let subject = Subject { device: &self.device, profile, is_writable: self.is_writable, seen };
        let one = [Arc::from("")];
        let each: &[Arc<str>] = if units.is_empty() { &one } else { &units };
        let shown = |command: &Command| DeviceCommand {
            id: command.id.clone(),
            name: command.name.clone(),
            arguments: command.arguments.iter().map(argument).collect(),
            two_step: command.two_step,
            forbidden: each
                .iter()
                .filter_map(|unit| Some((unit.clone(), subject.forbids(command, unit)?)))
                .collect(),
        };
        let commands = profile.commands.iter().map(shown).collect();
        Commands { grid: self.grid, commands }
    }
}

/// A command on record as the panel shows it. What a later version cannot read any more is shown without outcome.
pub(super) fn told(command: GivenCommand) -> Told {
    let GivenCommand { id, given, outcome } = command;
    let arguments: BTreeMap<String, String> = serde_json::from_str(&given.arguments).unwrap_or_default();
    let outcome = outcome.and_then(|outcome| Some((outcome.at, serde_json::from_str(&outcome.report).ok()?)));
    Told {
        id,
        at: given.at,
        by: given.by,
        unit: given.unit,
        command: given.command,
        arguments: arguments.into_iter().collect(),
        outcome,
    }
}
