//! Commands to devices: checked, sent, proven by reading back. The running service and the one-shot `roundsman command`
//! go the same way; [`ask`] is the command line's end of it.

pub(crate) mod ask;
mod way;

use crate::site::{Asked, SiteEntry};
use anyhow::{Result, bail};
use roundsman_core::device::Device;
use roundsman_core::fault::holds;
use roundsman_core::model::{InstanceIx, Labels};
use roundsman_core::reading::Readings;
use roundsman_driver::clock::Clock;
use roundsman_panel::{CommandReport, Forbidden};
use roundsman_profile::command::{Course, Next, Report, Verified, find};
use roundsman_profile::schema::{Command, Does, Profile};
use roundsman_profile::translate::Translator;
use roundsman_wire::bus::order::Verdict;
use std::sync::Arc;
use std::time::Duration;
pub(crate) use way::Owner;
use way::Way;

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
    course: Course,
    way: Way,
}

impl Job {
    /// Checks everything that can be checked before the device is told; the error says why it is not to be. `owner`
    /// carries it out, `seen` are the device's latest readings.
    pub(crate) fn new(
        entry: &SiteEntry,
        owner: Owner,
        wanted: &Wanted,
        seen: Option<(&Readings, &Labels)>,
    ) -> Result<Job> {
        let (device, profile) = (&entry.device, &entry.profile);
        let command = find(profile, &wanted.command)?;
        let subject = Subject { device, profile, is_writable: entry.writer.is_some(), seen };
        let why = match subject.forbids(command, &wanted.unit) {
            None => None,
            Some(Forbidden::State) => Some("its `forbid_when` holds; `roundsman profile show` has it"),
            Some(Forbidden::Unknown) => Some("the readings that its `forbid_when` needs are missing"),
            Some(Forbidden::NoWriter) => bail!(
                "device `{}` is only read: name `write_credentials` for it in the site file, a section of \
                 [credentials] whose community or user may write there",
                device.id
            ),
        };
        let at = unit_at(entry, &wanted.unit)?;
        if let Some(why) = why {
            bail!("command `{}` is forbidden now: {why}", wanted.command);
        }
        let given: Vec<(&str, &str)> =
            wanted.arguments.iter().map(|(name, word)| (name.as_str(), word.as_str())).collect();
        let way = Way::new(entry, owner, at)?;
        let instance = match &entry.asked {
            Asked::Snmp(_) | Asked::Onvif(_) => InstanceIx::SCALAR,
            // The labels as a translator that begins anew gives them out.
            Asked::Bus { labels, .. } => {
                let mut fresh = Labels::default();
                let instances: Vec<_> = labels.iter().map(|label| fresh.intern(label)).collect();
                instances.get(at).copied().flatten().unwrap_or(InstanceIx::SCALAR)
            }
        };
        let course = Course::new(profile, command, way.member(), instance, &given)?;
        Ok(Job { profile: profile.clone(), course, way })
    }

    /// Tells the device and reads back until it is proven, or its time is over.
    pub(crate) async fn run(mut self, clock: Clock) -> Result<Report> {
        let mut translator = Translator::default();
        loop {
            match self.course.next(clock.now().mono) {
                Next::Tell(telling) => {
                    let told = self.way.tell(telling).await?;
                    self.course.told(told);
                }
                Next::Look(points, at) => {
                    let wait_ms = at.since_ms(clock.now().mono);
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    let readings = self.way.look(&self.profile, Some(points), &mut translator, clock).await?;
                    self.course.looked(&readings, clock.now().mono);
                }
                Next::Done(report) => return Ok(*report),
                // Everything that it waits for was awaited above.
                Next::Wait => bail!("the command waits for nothing"),
            }
        }
    }
}

/// Position of the unit that a command is for among those of its device.
fn unit_at(entry: &SiteEntry, unit: &str) -> Result<usize> {
    let labels = match &entry.asked {
        Asked::Bus { labels, .. } => &labels[..],
        Asked::Snmp(_) | Asked::Onvif(_) => &[],
    };
    let id = &entry.device.id;
    match (labels.iter().position(|label| **label == *unit), labels.first().filter(|label| !label.is_empty()))
    {
        (Some(at), _) => Ok(at),
        (None, Some(example)) => {
            bail!("device `{id}` has several units: name one, such as `{id}[{example}]`")
        }
        (None, None) if unit.is_empty() => Ok(0),
        (None, None) => bail!("device `{id}` is one unit: `{unit}` is none of it"),
    }
}

/// Whom a command is for, as its guard sees it.
pub(crate) struct Subject<'a> {
    /// The device.
    pub device: &'a Device,
    /// Its profile.
    pub profile: &'a Profile,
    /// Whether the site names credentials that may write to its SNMP agent.
    pub is_writable: bool,
    /// Its latest readings.
    pub seen: Option<(&'a Readings, &'a Labels)>,
}

impl Subject<'_> {
    /// Why a command must not go to a unit now.
    pub(crate) fn forbids(&self, command: &Command, unit: &str) -> Option<Forbidden> {
        if matches!(command.does, Does::Set(_)) && !self.is_writable {
            return Some(Forbidden::NoWriter);
        }
        let guard = command.forbidden.as_ref()?;
        let holds = self.seen.and_then(|(readings, labels)| {
            let instance = labels.find(unit).unwrap_or(InstanceIx::SCALAR);
            holds(guard, instance, self.device, &self.profile.model, readings, labels)
        });
        match holds {
            Some(false) => None,
            Some(true) => Some(Forbidden::State),
            None => Some(Forbidden::Unknown),
        }
    }
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
        Verified::Unknown => report.told.verdict == Verdict::Acknowledged,
        Verified::No(_) | Verified::Pointless => false,
    }
}

/// A report as the API and `--json` give it.
pub(crate) fn shown(device: &str, wanted: &Wanted, report: &Report) -> CommandReport {
    let why = match &report.told.verdict {
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
        sent: report.told.sent.clone(),
        answered: report.told.answered.clone(),
        verdict: verdict_word(&report.told.verdict).to_owned(),
        why: why.map(str::to_owned),
        verified: verified_word(&report.verified).to_owned(),
        reads: reads.map(str::to_owned),
        took_ms,
        good: is_good(report),
    }
}
