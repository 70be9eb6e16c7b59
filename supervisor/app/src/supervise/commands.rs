//! Commands that people give to devices: checked here, carried out by a task of their own.

use super::Supervisor;
use crate::command::ask::on_record;
use crate::command::{Job, Owner, Wanted};
use crate::site::Asked;
use roundsman_panel::{CommandError, CommandReport, CommandWanted, Unavailable};
use tokio::sync::oneshot;

/// Commands that wait for the loop.
pub(crate) const MOST_COMMANDS: usize = 32;

/// A command, and where its outcome goes.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) wanted: CommandWanted,
    pub(crate) reply: oneshot::Sender<Result<CommandReport, CommandError>>,
}

impl Supervisor {
    /// Checks a command and has it carried out.
    pub(super) fn command(&self, given: Given) {
        let Given { wanted: CommandWanted { device, command, unit, arguments, by }, reply } = given;
        let Some(runtime) = self.devices.iter().find(|runtime| runtime.entry.device.id == device) else {
            let _ = reply.send(Err(CommandError::NoSuchDevice));
            return;
        };
        let wanted = Wanted { command, unit, arguments };
        let owner = match &runtime.entry.asked {
            Asked::Bus { bus, .. } => self.buses.owner(bus).map_or(Owner::Nobody, Owner::Bus),
            Asked::Onvif(_) => self.cameras.of(&device).map_or(Owner::Nobody, Owner::Camera),
            Asked::Snmp(_) => Owner::Nobody,
        };
        let seen = runtime.latest.as_ref().map(|latest| (&*latest.readings, runtime.labels()));
        let job = match Job::new(&runtime.entry, owner, &wanted, seen) {
            Ok(job) => job,
            Err(refused) => {
                let _ = reply.send(Err(CommandError::Refused(refused.to_string())));
                return;
            }
        };
        let (store, clock) = (self.store.clone(), self.clock);
        tracing::info!(%device, command = wanted.command, unit = wanted.unit, %by, "command");
        tokio::spawn(async move {
            let done = on_record(&store, clock, &device, by, &wanted, job).await;
            let done = done.map_err(|error| CommandError::Unavailable(Unavailable(format!("{error:#}"))));
            if let Ok(report) = &done {
                let (verdict, verified) = (&report.verdict, &report.verified);
                tracing::info!(%device, command = report.command, verdict, verified, "command is over");
            }
            // Who gave it may be gone; it is on record.
            let _ = reply.send(done);
        });
    }
}
