//! From one device's raw answer to its readings, and on to the engine.

use super::Supervisor;
use super::cameras::Checked;
use super::line::Watched;
use super::view::{Latest, Lens};
use crate::site::{Asked, SiteEntry};
use roundsman_core::derive::{Derivation, Uplink};
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::engine::SiteDevice;
use roundsman_core::fault::{Event, Generation};
use roundsman_core::line;
use roundsman_core::model::{InstanceIx, Labels, MetricIx};
use roundsman_core::reading::{Absence, Readings, Sample};
use roundsman_core::tally::{Cost, Driver, Polled};
use roundsman_core::time::{Mono, Now};
use roundsman_driver::reach::Reach;
use roundsman_driver::snmp::remark::Remark;
use roundsman_driver::{bus, snmp};
use roundsman_profile::catalogue::Catalogue;
use roundsman_profile::diagnostic::Findings;
use roundsman_profile::schema::Profile;
use roundsman_profile::translate::{Answered, Translator};
use roundsman_store::LatestDevice;
use roundsman_wire::bus::answer::Answer as BusAnswer;
use roundsman_wire::onvif::health;
use roundsman_wire::snmp::answer::{Answer, Raw};
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan};
use std::sync::Arc;

/// sysObjectID.0 (RFC 3418): what a device says it is.
const SYS_OBJECT_ID: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 2, 0];

/// What to ask a device whose profile is to be found.
pub(crate) fn identity_plan() -> Arc<Plan> {
    let oids = Oid::new(&SYS_OBJECT_ID).into_iter().collect();
    Arc::new(Plan { scalars: vec![Object { oids }], ..Plan::default() })
}

/// The profile for what a device said to [`identity_plan`]; the generic one where it said nothing of use.
pub(crate) fn identified(catalogue: &Catalogue, answer: &Answer) -> Option<Arc<Profile>> {
    let arcs = match answer.scalars.first() {
        Some(Ok(Raw::Oid(arcs))) => answer.arcs(*arcs),
        _ => &[],
    };
    match catalogue.resolve_auto(arcs) {
        Ok(profile) => Some(profile.clone()),
        Err(error) => {
            tracing::error!(%error, "no profile for the device");
            None
        }
    }
}

/// A poll that is over, whichever protocol carried it out.
pub(crate) struct Over {
    key: u32,
    generation: Generation,
    started: Now,
    pub(crate) finished: Now,
    pub(crate) brought: Brought,
    /// What to tell the operator beside it.
    pub(crate) remarks: Vec<Remark>,
}

/// What a poll brought. Closed: a new protocol is a new variant here.
pub(crate) enum Brought {
    Snmp(Answer),
    Bus(BusAnswer),
    Onvif(health::Answer),
}

impl Brought {
    fn answered(&self) -> bool {
        match self {
            Brought::Snmp(answer) => answer.answered,
            Brought::Bus(answer) => answer.answered(),
            Brought::Onvif(answer) => answer.answered,
        }
    }

    fn cost(&self) -> Cost {
        match self {
            Brought::Snmp(answer) => answer.cost,
            Brought::Onvif(answer) => answer.cost,
            Brought::Bus(answer) => Cost {
                requests: answer.cost.requests,
                timeouts: answer.units.iter().filter(|unit| !unit.answered).count() as u32,
                octets_out: answer.cost.octets_out,
                octets_in: answer.cost.octets_in,
                ..Cost::default()
            },
        }
    }
}

impl<'a> From<&'a Brought> for Answered<'a> {
    fn from(brought: &'a Brought) -> Answered<'a> {
        match brought {
            Brought::Snmp(answer) => Answered::Snmp(answer),
            Brought::Bus(answer) => Answered::Bus(answer),
            Brought::Onvif(answer) => Answered::Onvif(answer),
        }
    }
}

impl From<snmp::Finished> for Over {
    fn from(finished: snmp::Finished) -> Over {
        let snmp::Finished { key, generation, started, finished, answer, remarks } = finished;
        Over { key, generation, started, finished, brought: Brought::Snmp(answer), remarks }
    }
}

impl From<bus::Finished> for Over {
    fn from(finished: bus::Finished) -> Over {
        let bus::Finished { key, generation, started, finished, answer } = finished;
        Over { key, generation, started, finished, brought: Brought::Bus(answer), remarks: Vec::new() }
    }
}

impl From<Checked> for Over {
    fn from(checked: Checked) -> Over {
        let Checked { key, generation, started, finished, answer, .. } = checked;
        Over { key, generation, started, finished, brought: Brought::Onvif(answer), remarks: Vec::new() }
    }
}

impl Over {
    /// As it is counted; `late_ms` is how late it was started, where it was due.
    pub(crate) fn counted(&self, late_ms: Option<u64>) -> Polled {
        Polled {
            answered: self.brought.answered(),
            took_ms: self.finished.mono.since_ms(self.started.mono),
            late_ms,
            cost: self.brought.cost(),
        }
    }

    /// What a device said to [`identity_plan`].
    pub(crate) fn identity(&self) -> Option<&Answer> {
        match &self.brought {
            Brought::Snmp(answer) => Some(answer),
            Brought::Bus(_) | Brought::Onvif(_) => None,
        }
    }
}

/// One device as it is being polled.
pub(super) struct Runtime {
    pub(super) entry: SiteEntry,
    /// The poller's key; a new one where answers on their way are no longer wanted.
    pub(super) key: u32,
    pub(super) reach: Reach,
    /// How it is reached in fact, in a word: ICMP needs a permission, and there are two.
    pub(super) reached_by: Arc<str>,
    /// `profile = "auto"`, and the device has not said what it is.
    unresolved: bool,
    translator: Translator,
    derivation: Derivation,
    /// What its line is like, where the site wants to know.
    pub(super) line: Option<Arc<Watched>>,
    /// Where to look in its readings; of the profile of `entry`.
    pub(super) lens: Arc<Lens>,
    pub(super) latest: Option<Arc<Latest>>,
    /// The instances' labels as the view shares them; made anew when there are more.
    names: Arc<[Arc<str>]>,
    /// How late the poll under way was started, ms.
    pub(super) late_ms: u64,
    /// What the latest poll said beside its answer.
    remarks: Vec<Remark>,
}

impl Runtime {
    /// A device, seen through the lens of its profile. `found` says that this is the profile that it said it has,
    /// where the site leaves that to it; `old` is the same device before a reload: what it remembers stays if it is
    /// asked the same at the same address.
    pub(super) fn new(
        mut entry: SiteEntry,
        key: u32,
        reach: Reach,
        lens: Arc<Lens>,
        found: bool,
        old: Option<Runtime>,
    ) -> Runtime {
        let unresolved = entry.auto && !found;
        take_profile(&mut entry, lens.profile.clone());
        let line = entry.device.line.probe_s.map(|spacing_s| {
            let same = |old: &&Runtime| old.entry.address == entry.address && old.reach == reach;
            let known = old.as_ref().filter(same).and_then(|old| old.line.clone());
            known.inspect(|line| line.go_on(spacing_s)).unwrap_or_else(|| Arc::new(Watched::new(spacing_s)))
        });
        let same = |old: &Runtime| {
            let (one, other) = (&old.entry.profile, &entry.profile);
            old.entry.asked.is_same_place(&entry.asked)
                && (&one.plan, &one.bus, &one.questions) == (&other.plan, &other.bus, &other.questions)
        };
        match old.filter(same) {
            Some(old) => Runtime {
                // A poll under way was asked by another community, or asked something else: nobody waits for it.
                key: if old.entry.asked == entry.asked && old.unresolved == unresolved {
                    old.key
                } else {
                    key
                },
                entry,
                reach,
                reached_by: reach.to_string().into(),
                line,
                lens,
                unresolved,
                ..old
            },
            None => Runtime {
                entry,
                key,
                reach,
                reached_by: reach.to_string().into(),
                unresolved,
                translator: Translator::default(),
                derivation: Derivation::default(),
                line,
                lens,
                latest: None,
                names: Arc::default(),
                late_ms: 0,
                remarks: vec![],
            },
        }
    }

    /// What this device said it is, if `entry` is the same device after a reload and leaves that to it as well.
    pub(super) fn found(&self, entry: &SiteEntry) -> Option<&Arc<str>> {
        let asked = self.entry.auto && entry.auto && !self.unresolved;
        let same = self.entry.asked.is_same_place(&entry.asked);
        (asked && same).then_some(&self.entry.profile.id)
    }

    /// What to ask its SNMP agent now: who it is, or everything.
    pub(super) fn plan(&self) -> Arc<Plan> {
        if !self.unresolved {
            return self.entry.profile.plan.clone();
        }
        identity_plan()
    }

    /// The labels of its instances.
    pub(super) fn labels(&self) -> &Labels {
        self.translator.labels()
    }

    /// What carries its polls out.
    pub(super) fn driver(&self) -> Driver {
        match &self.entry.asked {
            Asked::Snmp(target) if target.user.is_some() => Driver::SnmpV3,
            Asked::Snmp(_) => Driver::Snmp,
            Asked::Bus { .. } => Driver::Bus,
            Asked::Onvif(_) => Driver::Onvif,
        }
    }

    /// Logs what the operator is to know beside the answer: once, not at every poll.
    fn remark(&mut self, remarks: &[Remark]) {
        let device = &self.entry.device.id;
        for remark in remarks.iter().filter(|remark| !self.remarks.contains(remark)) {
            let text = remark.text();
            tracing::warn!(%device, address = %self.entry.device.address, "{}", text.en);
        }
        if self.remarks != remarks {
            self.remarks = remarks.to_vec();
        }
    }

    pub(super) fn is_unresolved(&self) -> bool {
        self.unresolved
    }

    /// Has a device whose profile is known from before asked again who it is: it may have been replaced meanwhile.
    pub(super) fn ask_who_it_is(&mut self) {
        self.unresolved = true;
    }

    /// The device as the engine knows it.
    pub(super) fn site_device(&self) -> SiteDevice {
        SiteDevice { device: self.entry.device.clone(), model: self.entry.profile.model.clone() }
    }

    fn become_profile(&mut self, lens: Arc<Lens>) {
        take_profile(&mut self.entry, lens.profile.clone());
        self.lens = lens;
        self.unresolved = false;
        self.translator = Translator::default();
        self.derivation = Derivation::default();
    }

    /// Raw answer → readings → derived metrics.
    pub(super) fn read<'a>(&mut self, answer: impl Into<Answered<'a>>, taken_at: Now) -> Readings {
        tracing::trace!(target: "way", step = "Runtime::read");
        tracing::trace!(target: "way", step = "Translator::translate");
        let mut readings = self.translator.translate(&self.entry.profile, answer, taken_at);
        let (device, model) = (&self.entry.device, &self.entry.profile.model);
        if let Some(line) = &self.line {
            line::add_to(&mut readings, model, &line.quality(taken_at.mono));
        }
        let interfaces = device.uplink_interfaces(self.translator.labels());
        let uplink = Uplink { speed: device.line.speed, interfaces: &interfaces };
        tracing::trace!(target: "way", step = "Derivation::apply");
        self.derivation.apply(model, &mut readings, uplink);
        readings
    }

    pub(super) fn keep(&mut self, mut readings: Readings) {
        readings.shrink();
        let names = self.translator.labels().names();
        if self.names.len() != names.len() {
            self.names = names.into();
        }
        let uplinks = self.entry.device.uplink_interfaces(self.translator.labels());
        let line = self.entry.device.line.speed;
        let latest = Latest::new(readings, self.names.clone(), self.lens.clone(), &uplinks, line);
        self.latest = Some(Arc::new(latest));
    }

    /// Shows what the store kept until the first poll brings news.
    pub(super) fn restore(&mut self, kept: &LatestDevice) {
        if kept.profile != self.entry.profile.id {
            return;
        }
        let model = &self.entry.profile.model;
        let mut labels = Labels::default();
        let mut columns: Vec<Vec<(InstanceIx, Sample)>> = vec![Vec::new(); model.metrics.len()];
        for reading in &kept.readings {
            if let (Some(metric), Some(row)) =
                (model.metric(&reading.metric), labels.intern(&reading.instance))
            {
                columns[metric.at()].push((row, reading.sample.clone()));
            }
        }
        let taken_at = Now { mono: Mono(0), wall: kept.taken_at };
        let mut readings = Readings::new(taken_at, kept.answered);
        for (at, column) in columns.into_iter().enumerate() {
            readings.add(MetricIx(at as u16), column);
        }
        let latest = Latest::restored(readings, labels.names().into(), self.lens.clone());
        self.latest = Some(Arc::new(latest));
    }
}

/// Whether a device has said who it is; one that refuses the credentials has not.
fn has_said(answer: &Answer) -> bool {
    answer.answered && answer.scalars.first() != Some(&Err(Absence::Denied))
}

fn take_profile(entry: &mut SiteEntry, profile: Arc<Profile>) {
    entry.device.class = profile.class;
    entry.device.profile = profile.id.clone();
    entry.profile = profile;
}

impl Supervisor {
    /// A poll ended: readings to the engine, the latest to the view.
    pub(super) fn polled(&mut self, over: Over, now: Now) {
        tracing::trace!(target: "way", step = "Supervisor::polled");
        let Some(&device) = self.by_key.get(&over.key) else {
            return;
        };
        let runtime = &self.devices[device.at()];
        let poll = over.counted(Some(runtime.late_ms));
        self.view.count_poll(device, runtime.driver(), &poll, &over.remarks);
        self.schedule.finished(device, poll.answered, now.mono);
        self.devices[device.at()].remark(&over.remarks);
        for remark in &over.remarks {
            if matches!(remark, Remark::EngineReplaced { .. }) {
                self.engine.handle(Event::Replaced { device, what: remark.text() }, now);
            }
        }
        if let Some(answer) = over.identity()
            && self.devices[device.at()].unresolved
            && has_said(answer)
        {
            self.identify(device, answer, now);
            return;
        }
        let runtime = &mut self.devices[device.at()];
        let readings = if runtime.unresolved {
            Readings::new(over.finished, poll.answered)
        } else {
            runtime.read(&over.brought, over.finished)
        };
        let event = Event::Polled {
            device,
            generation: over.generation,
            readings: &readings,
            labels: runtime.translator.labels(),
        };
        tracing::trace!(target: "way", step = "Engine::handle");
        self.engine.handle(event, now);
        runtime.keep(readings);
        if let Some(latest) = &runtime.latest {
            tracing::trace!(target: "way", step = "View::keep_latest");
            self.view.keep_latest(device, latest, now);
            self.recorder.take(&runtime.entry.device.id, latest, now);
        }
        self.shows = true;
    }

    /// A device with `profile = "auto"` said what it is.
    fn identify(&mut self, device: DeviceIx, answer: &Answer, now: Now) {
        let Some(profile) = identified(&self.site.catalogue, answer) else {
            return;
        };
        self.resolve(device, &profile);
        let site = self.devices[device.at()].site_device();
        tracing::info!(device = %site.device.id, profile = %site.device.profile, "profile found");
        self.engine.replace(device, site, now);
        self.view.replace(device, &self.devices[device.at()]);
        self.save_devices(now);
        self.schedule.ask(device, now.mono);
    }

    /// Gives a device its profile, the site's limits applied.
    pub(super) fn resolve(&mut self, device: DeviceIx, profile: &Arc<Profile>) {
        let limited = self.limited(device, profile);
        let lens = self.lenses.of(&limited);
        self.devices[device.at()].become_profile(lens);
    }

    /// A profile that was found, the site's limits for this device applied.
    pub(super) fn limited(&mut self, device: DeviceIx, profile: &Arc<Profile>) -> Arc<Profile> {
        let tier = self.site.devices[device.at()].device.tier;
        let mut found = Findings::default();
        let applied = self.site.limits.apply(device.at(), tier, profile, &mut found);
        if let Some(rejected) = found.into_rejected() {
            tracing::error!(
                "limits of the site do not fit the profile that was found, it is used without:\n{rejected}"
            );
        }
        applied.unwrap_or_else(|| profile.clone())
    }
}
