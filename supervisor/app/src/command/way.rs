//! The way to the device that a command is for: one unit of a bus, whose owner may be polling it meanwhile, or an SNMP
//! agent, which is told and looked at over sockets of the command's own.

use crate::site::{Asked, SiteEntry};
use anyhow::{Result, anyhow, bail};
use roundsman_core::fault::Generation;
use roundsman_core::reading::{Absence, Readings};
use roundsman_driver::bus::Bus;
use roundsman_driver::clock::Clock;
use roundsman_driver::onvif::camera::Camera;
use roundsman_driver::snmp::{self, Snmp, set};
use roundsman_profile::command::{Telling, Told};
use roundsman_profile::schema::Profile;
use roundsman_profile::translate::Translator;
use roundsman_wire::bus::Rank;
use roundsman_wire::bus::answer::Answer;
use roundsman_wire::bus::order::Verdict;
use roundsman_wire::bus::plan::{self, Member, Plan};
use roundsman_wire::bus::session::Ask;
use roundsman_wire::onvif::health::Question;
use roundsman_wire::snmp::session::Target;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Receive buffer of a look's own socket, octets: the answers of one device.
const RECEIVE_BUFFER: usize = 256 << 10;

#[derive(Debug)]
pub(super) enum Way {
    /// A unit of a bus.
    Unit {
        bus: Bus,
        plan: Arc<Plan>,
        units: Arc<plan::Target>,
        /// Its position among the units.
        at: usize,
    },
    /// An SNMP agent.
    Agent {
        /// As whom it is read.
        reader: Arc<Target>,
        /// As whom it is told.
        writer: Option<Arc<Target>>,
    },
    /// A camera or recorder.
    Camera(Arc<Camera>),
}

/// Who carries out what is asked of a device, where that is somebody who lives longer than one question.
#[derive(Clone, Default)]
pub(crate) enum Owner {
    /// Nobody: an SNMP agent is told over a socket of the command's own.
    #[default]
    Nobody,
    /// The owner of the port that it hangs on.
    Bus(Bus),
    /// The camera or recorder as it is known.
    Camera(Arc<Camera>),
}

impl Way {
    /// The way to the unit `at` of a device.
    pub(super) fn new(entry: &SiteEntry, owner: Owner, at: usize) -> Result<Way> {
        Ok(match (&entry.asked, owner, &entry.profile.bus) {
            (Asked::Snmp(reader), ..) => Way::Agent { reader: reader.clone(), writer: entry.writer.clone() },
            (Asked::Bus { target, .. }, Owner::Bus(bus), Some(said)) => {
                Way::Unit { bus, plan: said.plan.clone(), units: target.clone(), at }
            }
            (Asked::Onvif(_), Owner::Camera(camera), _) => Way::Camera(camera),
            (Asked::Bus { bus, .. }, ..) => bail!("there is no bus `{bus}`"),
            (Asked::Onvif(_), ..) => bail!("the camera is not there"),
        })
    }

    /// The unit of a bus.
    pub(super) fn member(&self) -> Option<&Member> {
        match self {
            Way::Unit { units, at, .. } => units.members.get(*at),
            Way::Agent { .. } | Way::Camera(_) => None,
        }
    }

    /// Tells the device.
    pub(super) async fn tell(&self, telling: Telling) -> Result<Told> {
        match (self, telling) {
            (Way::Unit { bus, .. }, Telling::Order(order)) => Ok(bus.order(order).await?.into()),
            (Way::Agent { writer: Some(writer), .. }, Telling::Set(bindings)) => {
                let set::Answered { said, verdict, sent } = set::set(writer, &bindings).await;
                let names: Vec<String> = bindings.iter().filter(|_| sent).map(ToString::to_string).collect();
                Ok(Told { sent: names.join(", "), answered: said, verdict })
            }
            (Way::Camera(camera), Telling::Call(errand)) => {
                let done = camera.errand(errand).await;
                let verdict = match &done {
                    Ok(_) => Verdict::Acknowledged,
                    Err(failure) => match failure.absence() {
                        Absence::Denied => Verdict::Refused(Absence::Denied),
                        Absence::Unsupported => Verdict::Refused(Absence::Unsupported),
                        other => Verdict::Failed(other),
                    },
                };
                let answered = Some(done.unwrap_or_else(|failure| failure.to_string()));
                Ok(Told { sent: errand.word().to_owned(), answered, verdict })
            }
            _ => bail!("the command is not of the protocol that the device is asked by"),
        }
    }

    /// Reads the device, of a unit these points alone where they are named.
    pub(super) async fn look(
        &self,
        profile: &Profile,
        points: Option<Arc<[usize]>>,
        translator: &mut Translator,
        clock: Clock,
    ) -> Result<Readings> {
        match self {
            Way::Unit { bus, plan, units, at } => {
                let members = units.members.get(*at).cloned().into_iter().collect();
                let target = Arc::new(plan::Target { members, tries: 1 });
                let ask = Ask { plan: plan.clone(), target, rank: Rank::Command, wanted: points };
                let mut finished = bus.look(ask).await?;
                // The readings of this unit among those of all.
                let mut answer = Answer::without(units.members.len(), plan.points(), Absence::NotJudged);
                if let (Some(said), Some(place)) = (finished.answer.units.pop(), answer.units.get_mut(*at)) {
                    *place = said;
                }
                Ok(translator.translate(profile, &answer, finished.finished))
            }
            Way::Camera(camera) => {
                let all = &profile.questions;
                let wanted =
                    points.map(|points| points.iter().filter_map(|at| all.get(*at).copied()).collect());
                let questions: Arc<[Question]> = wanted.unwrap_or_else(|| all.clone());
                let answer = camera.check(&questions).await;
                Ok(translator.translate(profile, &answer, clock.now()))
            }
            Way::Agent { reader, .. } => {
                let options = snmp::Options { receive_buffer: RECEIVE_BUFFER, source: Ipv4Addr::UNSPECIFIED };
                let (snmp, mut answers) = Snmp::start(clock, options)?;
                let (target, plan) = (reader.clone(), profile.plan.clone());
                snmp.poll(snmp::Request { key: 0, generation: Generation::default(), target, plan })?;
                let finished = answers.recv().await;
                let finished = finished.ok_or_else(|| anyhow!("the SNMP poller ended before it answered"))?;
                Ok(translator.translate(profile, &finished.answer, finished.finished))
            }
        }
    }
}
