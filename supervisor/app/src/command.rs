//! Commands to devices: checked, sent, proven by reading back. The running service and the one-shot `roundsman command`
//! go the same way; [`ask`] is the command line's end of it.

pub(crate) mod ask;

use crate::site::{Asked, SiteEntry};
use anyhow::{Result, bail};
use roundsman_core::fault::holds;
use roundsman_core::model::{InstanceIx, Labels};
use roundsman_core::reading::{Absence, Readings};
use roundsman_driver::bus::Bus;
use roundsman_driver::clock::Clock;
use roundsman_panel::CommandReport;
use roundsman_profile::command::{Course, Next, Report, Verified, find};
use roundsman_profile::schema::Profile;
use roundsman_profile::translate::Translator;
use roundsman_wire::bus::answer::Answer;
use roundsman_wire::bus::order::Verdict;
use roundsman_wire::bus::plan::{Plan, Target};
use roundsman_wire::bus::session::Ask;
use roundsman_wire::bus::{Outcome, Rank};
use std::sync::Arc;
use std::time::Duration;

/// What somebody wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The command's id.
    pub command: String,
    /// Which unit of a grid, such as `r1c2`; empty where the device is one unit.
    pub unit: String,
    /// Arguments: name and word.
    pub arguments: Vec<(String, String)>,
}

/// A command that may be sent.
#[derive(Debug)]
pub(crate) struct Job {
    profile: Arc<Profile>,
    plan: Arc<Plan>,
    target: Arc<Target>,
    /// Position of the unit among the target's members.
    at: usize,
    course: Course,
    bus: Bus,
}

impl Job {
    /// Checks everything that can be checked before the line is touched; the error says why it is not to be sent. `seen` are the device's latest readings.
    pub(crate) fn new(
        entry: &SiteEntry,
        bus: Bus,
        wanted: &Wanted,
        seen: Option<(&Readings, &Labels)>,
    ) -> Result<Job> {
        let device = &entry.device;
        let Asked::Bus { target, labels, .. } = &entry.asked else {
            bail!(not_on_bus(&device.id));
        };
        let profile = &entry.profile;
        let command = find(profile, &wanted.command)?;
        let at = labels.iter().position(|label| **label == *wanted.unit);
        let (Some(at), Some(plan)) = (at, profile.bus.as_ref().map(|bus| bus.plan.clone())) else {
            match labels.first().filter(|label| !label.is_empty()) {
                Some(example) => {
                    bail!("device `{0}` has several units: name one, such as `{0}[{example}]`", device.id)
                }
                None => bail!("device `{}` is one unit: `{}` is none of it", device.id, wanted.unit),
            }
        };
        if let Some(guard) = &command.forbidden {
            let holds = seen.and_then(|(readings, labels)| {
                let instance = labels.find(&wanted.unit).unwrap_or(InstanceIx::SCALAR);
                holds(guard, instance, device, &profile.model, readings, labels)
            });
            let why = match holds {
                Some(false) => None,
                Some(true) => Some("its `forbid_when` holds; `roundsman profile show` has it"),
                None => Some("the readings that its `forbid_when` needs are missing"),
            };
            if let Some(why) = why {
                bail!("command `{}` is forbidden now: {why}", wanted.command);
            }
        }
        let given: Vec<(&str, &str)> =
            wanted.arguments.iter().map(|(name, word)| (name.as_str(), word.as_str())).collect();
        // The labels as a translator that begins anew gives them out.
        let mut fresh = Labels::default();
        let instances: Vec<_> = labels.iter().map(|label| fresh.intern(label)).collect();
        let instance = instances.get(at).copied().flatten().unwrap_or(InstanceIx::SCALAR);
        let course = Course::new(profile, command, &target.members[at], instance, &given)?;
        Ok(Job { profile: profile.clone(), plan, target: target.clone(), at, course, bus })
    }

    /// Sends it and reads back until it is proven, or its time is over.
    pub(crate) async fn run(mut self, clock: Clock) -> Result<Report> {
        let mut translator = Translator::default();
        loop {
            match self.course.next(clock.now().mono) {
                Next::Send(order) => {
                    let ordered = self.bus.order(order).await?;
                    self.course.ordered(ordered);
                }
                Next::Look(points, at) => {
                    let wait_ms = at.since_ms(clock.now().mono);
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    let members = vec![self.target.members[self.at].clone()];
                    let target = Arc::new(Target { members, tries: 1 });
                    let ask =
                        Ask { plan: self.plan.clone(), target, rank: Rank::Command, wanted: Some(points) };
                    let mut finished = self.bus.look(ask).await?;
                    // The readings of this unit among those of all.
                    let all = self.target.members.len();
                    let mut answer = Answer::without(all, self.plan.points(), Absence::NotJudged);
                    if let Some(said) = finished.answer.units.pop() {
                        answer.units[self.at] = said;
                    }
                    let readings = translator.translate(&self.profile, &answer, finished.finished);
                    self.course.looked(&readings, clock.now().mono);
                }
                Next::Done(report) => return Ok(*report),
                // Everything that it waits for was awaited above.
                Next::Wait => bail!("the command waits for nothing"),
            }
        }
    }
}

/// Why a device takes no command.
pub(crate) fn not_on_bus(device: &str) -> String {
    format!("device `{device}` is asked by SNMP; commands are for devices on a bus")
}

/// The outcome in words that programs read.
fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Acknowledged => "acknowledged",
        Verdict::Unproven => "unproven",
        Verdict::Refused(_) => "refused",
        Verdict::Failed(_) => "failed",
    }
}

/// Whether it was proven, in a word.
fn verified_word(verified: &Verified) -> &'static str {
    match verified {
        Verified::Yes(_) => "yes",
        Verified::No(_) => "no",
        Verified::Unknown => "unknown",
        Verified::Pointless => "pointless",
    }
}

/// Whether the person who gave it may rely on it: proven, or confirmed where nothing can prove it.
fn is_good(report: &Report) -> bool {
    match report.verified {
        Verified::Yes(_) => true,
        Verified::Unknown => report.ordered.verdict == Verdict::Acknowledged,
        Verified::No(_) | Verified::Pointless => false,
    }
}

/// Octets in hexadecimal, as documents of protocols print them.
fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
}

/// The octets that came back, if any did.
fn answered(outcome: &Outcome) -> Option<&[u8]> {
    match outcome {
        Outcome::Answered(octets) => Some(octets),
        _ => None,
    }
}

/// A report as the API and `--json` give it.
pub(crate) fn shown(device: &str, wanted: &Wanted, report: &Report) -> CommandReport {
    let why = match &report.ordered.verdict {
        Verdict::Refused(absence) | Verdict::Failed(absence) => Some(absence.word()),
        Verdict::Acknowledged | Verdict::Unproven => None,
    };
    let (reads, took_ms) = match &report.verified {
        Verified::Yes(took_ms) => (None, Some(*took_ms)),
        Verified::No(said) => (said.as_deref(), None),
        Verified::Unknown | Verified::Pointless => (None, None),
    };
    CommandReport {
        device: device.to_owned(),
        unit: wanted.unit.clone(),
        command: wanted.command.clone(),
        arguments: wanted.arguments.iter().cloned().collect(),
        sent: hex(&report.ordered.sent),
        answered: answered(&report.ordered.outcome).map(hex),
        verdict: verdict_word(&report.ordered.verdict).to_owned(),
        why: why.map(str::to_owned),
        verified: verified_word(&report.verified).to_owned(),
        reads: reads.map(str::to_owned),
        took_ms,
        good: is_good(report),
    }
}
