//! Commands to devices: checked, sent, proven by reading back. The running service and the one-shot `roundsman command`
//! go the same way; [`ask`] is the command line's end of it.

pub(crate) mod ask;

use crate::site::{Asked, SiteEntry};
use roundsman_core::fault::holds;
use roundsman_core::model::{InstanceIx, Labels};
use roundsman_core::reading::{Absence, Readings};
use roundsman_driver::bus::{Bus, Busy};
use roundsman_driver::clock::Clock;
use roundsman_profile::command::{Course, Next, Report, Unfit, Verified, find};
use roundsman_profile::schema::Profile;
use roundsman_profile::translate::Translator;
use roundsman_wire::bus::answer::Answer;
use roundsman_wire::bus::order::Verdict;
use roundsman_wire::bus::plan::{Plan, Target};
use roundsman_wire::bus::session::Ask;
use roundsman_wire::bus::{Outcome, Rank};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Most arguments of one command.
pub(crate) const MOST_ARGUMENTS: usize = 16;

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

/// Why a command was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The profile or the arguments do not allow it.
    #[error("{0}")]
    Unfit(#[from] Unfit),
    /// The device is not asked over a bus.
    #[error("device `{0}` is asked by SNMP; commands are for devices on a bus")]
    NotOnBus(Arc<str>),
    /// A grid, and no unit or none of it.
    #[error("device `{device}` has several units: name one, such as `{device}[{example}]`")]
    Unit {
        /// The device.
        device: Arc<str>,
        /// One of its units.
        example: Arc<str>,
    },
    /// Its `forbid_when` holds, or it is not known whether it does.
    #[error("command `{command}` is forbidden now: {why}")]
    Forbidden {
        /// The command.
        command: String,
        /// The guard, or what is not known.
        why: &'static str,
    },
    /// The bus does not take it.
    #[error("{0}")]
    Busy(#[from] Busy),
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
    /// Checks everything that can be checked before the line is touched. `seen` are the device's latest readings.
    pub(crate) fn new(
        entry: &SiteEntry,
        bus: Bus,
        wanted: &Wanted,
        seen: Option<(&Readings, &Labels)>,
    ) -> Result<Job, Refused> {
        let device = &entry.device;
        let Asked::Bus { target, labels, .. } = &entry.asked else {
            return Err(Refused::NotOnBus(device.id.clone()));
        };
        let profile = &entry.profile;
        let command = find(profile, &wanted.command)?;
        let at = labels.iter().position(|label| **label == *wanted.unit);
        let (Some(at), Some(plan)) = (at, profile.bus.as_ref().map(|bus| bus.plan.clone())) else {
            let example = labels.first().cloned().unwrap_or_default();
            return Err(Refused::Unit { device: device.id.clone(), example });
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
                return Err(Refused::Forbidden { command: wanted.command.clone(), why });
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
    pub(crate) async fn run(mut self, clock: Clock) -> Result<Report, Refused> {
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
                    let ask = Ask { plan: self.plan.clone(), target, rank: Rank::Command, wanted: Some(points) };
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
                Next::Wait => return Err(Refused::Busy(Busy::Ended)),
            }
        }
    }
}

/// The outcome in words that programs read.
pub(crate) fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Acknowledged => "acknowledged",
        Verdict::Unproven => "unproven",
        Verdict::Refused(_) => "refused",
        Verdict::Failed(_) => "failed",
    }
}

/// Whether it was proven, in a word.
pub(crate) fn verified_word(verified: &Verified) -> &'static str {
    match verified {
        Verified::Yes(_) => "yes",
        Verified::No(_) => "no",
        Verified::Unknown => "unknown",
        Verified::Pointless => "pointless",
    }
}

/// Whether the person who gave it may rely on it: proven, or confirmed where nothing can prove it.
pub(crate) fn is_good(report: &Report) -> bool {
    match report.verified {
        Verified::Yes(_) => true,
        Verified::Unknown => report.ordered.verdict == Verdict::Acknowledged,
        Verified::No(_) | Verified::Pointless => false,
    }
}

/// Octets in hexadecimal, as documents of protocols print them.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
}

/// The octets that came back, if any did.
pub(crate) fn answered(outcome: &Outcome) -> Option<&[u8]> {
    match outcome {
        Outcome::Answered(octets) => Some(octets),
        _ => None,
    }
}

/// A report as the API and `--json` give it.
pub(crate) fn shown(device: &str, wanted: &Wanted, report: &Report) -> Value {
    let (why, said, took_ms) = match (&report.ordered.verdict, &report.verified) {
        (Verdict::Refused(absence) | Verdict::Failed(absence), _) => (Some(absence.word()), None, None),
        (_, Verified::Yes(took_ms)) => (None, None, Some(*took_ms)),
        (_, Verified::No(said)) => (None, said.clone(), None),
        _ => (None, None, None),
    };
    json!({
        "device": device,
        "unit": wanted.unit,
        "command": wanted.command,
        "arguments": wanted.arguments.iter().map(|(name, word)| (name.clone(), json!(word)))
            .collect::<serde_json::Map<_, _>>(),
        "sent": hex(&report.ordered.sent),
        "answered": answered(&report.ordered.outcome).map(hex),
        "verdict": verdict_word(&report.ordered.verdict),
        "why": why,
        "verified": verified_word(&report.verified),
        "reads": said.as_deref(),
        "took_ms": took_ms,
        "good": is_good(report),
    })
}
