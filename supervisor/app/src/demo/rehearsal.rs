//! The incidents of the past, put before the real engine on virtual time: what it decides, whom that hides, who took
//! note and what was written down, as the store would have got it.

use super::incidents::{Incident, Kind, Weeks};
use super::paperwork;
use crate::site::Site;
use roundsman_core::device::{Device, DeviceIx};
use roundsman_core::fault::engine::{self, Engine, Settings, SiteDevice};
use roundsman_core::fault::{self, Ask, Effect, Event, Fault, Probe, RequestId, UNREACHABLE};
use roundsman_core::model::{InstanceIx, Labels, MetricIx, Model};
use roundsman_core::reading::{Absence, Readings, Sample, Value};
use roundsman_core::time::{Now, Wall};
use roundsman_profile::schema::Profile;
use roundsman_simulator::model;
use roundsman_store::{Batch, ClockMark, DeviceRecord, Happened, Step};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Steady time at the beginning: the box had been on for a while.
const UPTIME_MS: i64 = 3_600_000;

/// Polls come at this distance around a change, as they do in the demo.
const POLL_MS: i64 = 10_000;

/// How long polls come one after the other once something fails: as long as the longest `for` of a rule, and more.
const CLOSELY_MS: i64 = 12 * 60_000;

/// The same once it works again, for `clear_for`.
const RECOVERY_MS: i64 = 6 * 60_000;

/// Polls that tell nothing new come at this distance.
const SELDOM_MS: i64 = 15 * 60_000;

/// What a value rule is shown.
struct Symptom {
    rule: &'static str,
    instance: &'static str,
    /// Metric, bad value, good value.
    values: &'static [(&'static str, Shown, Shown)],
}

#[derive(Clone, Copy)]
enum Shown {
    Number(f64),
    State(&'static str),
}

impl Shown {
    fn sample(self) -> Sample {
        Ok(match self {
            Shown::Number(x) => Value::Number(x),
            Shown::State(word) => Value::State(word.into()),
        })
    }
}

/// The value rules that the incidents break, and where.
fn symptom(kind: Kind) -> Option<Symptom> {
    use Shown::{Number, State};
    match kind {
        Kind::Branch | Kind::Silent => None,
        Kind::Hot => Some(Symptom {
            rule: "board-hot",
            instance: "MPU Board 0",
            values: &[("board.heat-reserve", Number(3.0), Number(27.0))],
        }),
        Kind::Disk => Some(Symptom {
            rule: "storage-full",
            instance: "/data",
            values: &[("storage.used", Number(94.0), Number(63.0))],
        }),
        Kind::Busy => Some(Symptom {
            rule: "interface-busy",
            instance: "GigabitEthernet0/0/0",
            values: &[
                ("interface.utilisation", Number(88.0), Number(34.0)),
                ("interface.oper-status", State("up"), State("up")),
            ],
        }),
    }
}

/// The profile a device has: where the site leaves it to the device, what the virtual one will say.
fn profile(site: &Site, at: usize) -> Arc<Profile> {
    let entry = &site.devices[at];
    let said = model::Model::of_id(&entry.device.id).profile();
    let found = said.filter(|_| entry.auto).and_then(|id| site.catalogue.get(id));
    found.unwrap_or(&entry.profile).clone()
}

/// What is put before the engine, at a wall time.
enum Act {
    /// A poll; whether all is well with the incident.
    Poll(DeviceIx, usize, bool),
    /// Somebody takes note of an incident.
    Note(usize),
    /// Somebody writes a record of an incident.
    Record(usize),
    /// A device without an incident is asked, and answers.
    Look(DeviceIx),
    /// The box goes off.
    Off,
    /// The box comes back.
    On,
}

struct Stage<'a> {
    site: &'a Site,
    weeks: &'a Weeks,
    devices: Vec<Device>,
    models: Vec<Arc<Model>>,
    engine: Engine,
    /// Who answered its latest poll.
    answering: Vec<bool>,
    acts: BTreeMap<(i64, u64), Act>,
    acted: u64,
    boot: u32,
    happened: Vec<Happened>,
    /// The fault that each incident raised on its own device, as it stood last.
    faults: BTreeMap<usize, Fault>,
}

/// The past of the site, in the order it was lived.
pub(super) fn rehearse(site: &Site, weeks: &Weeks) -> Vec<Happened> {
    let mut stage = Stage::new(site, weeks);
    stage.prepare();
    while let Some(((at, _), act)) = stage.acts.pop_first() {
        stage.pass(at);
        stage.act(at, &act);
    }
    stage.pass(weeks.to.0);
    let mark = stage.mark(weeks.to.0);
    stage.happened.push(Happened::Watched(mark));
    stage.happened
}

impl<'a> Stage<'a> {
    fn new(site: &'a Site, weeks: &'a Weeks) -> Stage<'a> {
        let offset = jiff::Timestamp::from_millisecond(weeks.from.0).unwrap_or_default();
        let settings = Settings { utc_offset_s: site.zone.to_offset(offset).seconds() };
        let profiles: Vec<Arc<Profile>> = (0..site.devices.len()).map(|at| profile(site, at)).collect();
        let device = |(entry, profile): (&crate::site::SiteEntry, &Arc<Profile>)| Device {
            class: profile.class,
            profile: profile.id.clone(),
            ..entry.device.clone()
        };
        let devices: Vec<Device> = site.devices.iter().zip(&profiles).map(device).collect();
        let models: Vec<Arc<Model>> = profiles.iter().map(|profile| profile.model.clone()).collect();
        Stage {
            site,
            weeks,
            devices,
            models,
            engine: Engine::new(settings),
            answering: vec![true; site.devices.len()],
            acts: BTreeMap::new(),
            acted: 0,
            boot: 1,
            happened: Vec::new(),
            faults: BTreeMap::new(),
        }
    }

    fn now(&self, at: i64) -> Now {
        let mono = (at - self.weeks.from.0 + UPTIME_MS).max(0);
        Now::at(mono.cast_unsigned(), at)
    }

    fn mark(&self, at: i64) -> ClockMark {
        ClockMark { boot: format!("demo-{}", self.boot).into(), now: self.now(at), synchronised: true }
    }

    fn put(&mut self, at: i64, act: Act) {
        self.acted += 1;
        self.acts.insert((at, self.acted), act);
    }

    /// The site as it was from the first day, and what is going to happen.
    fn prepare(&mut self) {
        let begin = self.weeks.from.0;
        let sites = self.devices.iter().zip(&self.models);
        let sites = sites.map(|(device, model)| SiteDevice { device: device.clone(), model: model.clone() });
        let (devices, attached_to) = (sites.collect(), self.site.attached_to);
        let now = self.now(begin);
        let sla = self.site.sla.clone();
        self.engine.load(engine::Site { devices, attached_to, sla }, now);
        let devices = self.devices.iter().map(DeviceRecord::from).collect();
        let mark = self.mark(begin);
        self.happened.extend([
            Happened::Started,
            Happened::Watched(mark.clone()),
            Happened::Site(mark, devices),
        ]);
        self.put(self.weeks.away.0.0, Act::Off);
        self.put(self.weeks.away.1.0, Act::On);
        for (nth, incident) in self.weeks.incidents.iter().enumerate() {
            self.plan(nth, incident);
        }
    }

    fn plan(&mut self, nth: usize, incident: &Incident) {
        let mut devices = incident.silent(self.site);
        if devices.is_empty() {
            devices.push(incident.device);
        }
        let (from, to) = (incident.from.0, incident.to.0);
        for device in devices {
            self.put(from - POLL_MS, Act::Poll(device, nth, true));
            let mut at = from;
            while at < to {
                self.put(at, Act::Poll(device, nth, false));
                at += if at - from < CLOSELY_MS { POLL_MS } else { SELDOM_MS };
            }
            for at in (to..to + RECOVERY_MS).step_by(POLL_MS as usize) {
                self.put(at, Act::Poll(device, nth, true));
            }
        }
        if let Some(noticed) = incident.noticed {
            self.put(noticed.0, Act::Note(nth));
        }
        if incident.recorded {
            self.put(to + RECOVERY_MS + paperwork::delay_ms(incident), Act::Record(nth));
        }
    }

    /// Time passes until `at`.
    fn pass(&mut self, at: i64) {
        while let Some(due) = self.engine.poll_timeout() {
            let wall = due.0.cast_signed() - UPTIME_MS + self.weeks.from.0;
            if wall > at {
                break;
            }
            let now = self.now(wall);
            self.engine.handle(Event::Tick, now);
            self.drain(wall);
        }
    }

    fn act(&mut self, at: i64, act: &Act) {
        let now = self.now(at);
        match *act {
            Act::Poll(device, nth, is_well) => {
                let (readings, labels) = self.readings(device, nth, is_well, now);
                self.answering[device.at()] = readings.answered;
                let generation = self.engine.generation(device);
                let event = Event::Polled { device, generation, readings: &readings, labels: &labels };
                self.engine.handle(event, now);
            }
            Act::Look(device) => {
                let mut readings = Readings::new(now, true);
                self.add_uptime(device, &mut readings, Ok(now));
                let (generation, labels) = (self.engine.generation(device), Labels::default());
                let event = Event::Polled { device, generation, readings: &readings, labels: &labels };
                self.engine.handle(event, now);
            }
            Act::Note(nth) => {
                let open = self.faults.get(&nth).filter(|fault| fault.is_open()).map(|fault| fault.id);
                if let Some(fault) = open {
                    let by = paperwork::engineer(&self.weeks.incidents[nth]).into();
                    self.engine.handle(
                        Event::Act { request: RequestId(0), fault, by, act: fault::Act::Acknowledge },
                        now,
                    );
                }
            }
            Act::Record(nth) => {
                let incident = &self.weeks.incidents[nth];
                let device = &self.devices[incident.device.at()];
                let model = &profile(self.site, incident.device.at()).name;
                let fault = self.faults.get(&nth);
                let record = fault.and_then(|fault| {
                    paperwork::record(incident, device, &model.zh, fault, Wall(at), &self.site.zone)
                });
                self.happened.extend(record.map(|record| Happened::Recorded(Box::new(record))));
            }
            Act::Off => {
                let mark = self.mark(at);
                self.happened.push(Happened::Watched(mark));
            }
            Act::On => {
                self.boot += 1;
                let mark = self.mark(at);
                self.happened.extend([Happened::Started, Happened::Watched(mark)]);
            }
        }
        self.drain(at);
    }

    /// What a poll brings: nothing, or the values that the incident's rule looks at.
    fn readings(&self, device: DeviceIx, nth: usize, is_well: bool, now: Now) -> (Readings, Labels) {
        let mut labels = Labels::default();
        let symptom = symptom(self.weeks.incidents[nth].kind);
        let is_silent = symptom.is_none() && !is_well;
        let mut readings = Readings::new(now, !is_silent);
        let model = &self.models[device.at()];
        match symptom {
            None => {
                self.add_uptime(
                    device,
                    &mut readings,
                    if is_silent { Err(Absence::Timeout) } else { Ok(now) },
                );
            }
            Some(symptom) => {
                let row = labels.intern(symptom.instance).unwrap_or(InstanceIx::SCALAR);
                for (metric, bad, good) in symptom.values {
                    if let Some(metric) = model.metric(metric) {
                        let shown = if is_well { good } else { bad };
                        readings.add(metric, [(row, shown.sample())]);
                    }
                }
            }
        }
        (readings, labels)
    }

    /// What any device says when it is asked, or why it does not.
    fn add_uptime(&self, device: DeviceIx, readings: &mut Readings, now: Result<Now, Absence>) {
        let uptime = self.models[device.at()].uptime.unwrap_or(MetricIx(0));
        let alive = now.map(|now| Value::Number(now.mono.0 as f64 / 1_000.0));
        readings.add(uptime, [(InstanceIx::SCALAR, alive)]);
    }

    /// Carries out what the engine asks for.
    fn drain(&mut self, at: i64) {
        let now = self.now(at);
        let mut steps = Vec::new();
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Commit { transition, .. } => {
                    self.remember(&transition.fault, at);
                    steps.push(Step { now, transition: Some(*transition), hidden: Vec::new() });
                }
                Effect::Ask(Ask { device, probe: Probe::Reach, generation, .. }) => {
                    let answered = self.answering[device.at()];
                    self.engine.handle(Event::Reached { device, generation, answered }, now);
                }
                Effect::Hide(hidden) => match steps.last_mut() {
                    Some(last) => last.hidden.extend(hidden),
                    None => steps.push(Step { now, transition: None, hidden }),
                },
                // The polls of an incident come closely anyway; whoever has none is well.
                Effect::Ask(Ask { device, .. }) => {
                    if self.answering[device.at()] {
                        self.put(at, Act::Look(device));
                    }
                }
                Effect::Refuse { .. } => {}
            }
        }
        if steps.is_empty() {
            return;
        }
        self.happened.push(Happened::Judged(Batch { mark: Some(self.mark(at)), steps }));
    }

    /// Keeps the fault of the incident that it belongs to.
    fn remember(&mut self, fault: &Fault, at: i64) {
        let rule = |incident: &Incident| symptom(incident.kind).map_or(UNREACHABLE, |symptom| symptom.rule);
        let belongs = |incident: &Incident| {
            let is_then = incident.from.0 - POLL_MS <= at && at <= incident.to.0 + RECOVERY_MS;
            let device = &self.devices[incident.device.at()].id;
            is_then && *device == fault.key.device && *rule(incident) == *fault.key.rule
        };
        if let Some(nth) = self.weeks.incidents.iter().position(belongs) {
            self.faults.insert(nth, fault.clone());
        }
    }
}
