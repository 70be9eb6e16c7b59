//! The fault engine: a value that takes events and gives effects.
//!
//! Invariants:
//! - at most one open fault a key; numbers and transition ids never repeat;
//! - a missing value never clears a fault, and any valid reply proves a device alive;
//! - what is a consequence of another device's failure is hidden from its first moment to the fresh poll that judges
//!   it ([`cause`]);
//! - nothing here reads a clock or does I/O; the same events at the same moments give the same effects.

use super::guard::Surroundings;
use super::judge::Watches;
use super::mutation::{self, Mutation};
use super::presence::{self, Absent, Evidence, Presence, Step};
use super::register::{Draft, Register};
use super::{
    Act, Ask, Condition, Effect, Ending, Event, Fault, FaultId, FaultKey, Generation, MOST_SHELF_MS, NO_DATA,
    Probe, REDUNDANCY_LOST, REPLACED, Refusal, RequestId, UNREACHABLE, replaced,
};
use crate::device::{Device, DeviceIx};
use crate::hidden::Hiding;
use crate::model::{Labels, Model};
use crate::reading::Readings;
use crate::rule::{Rule, Severity};
use crate::sla::clock::Downtime;
use crate::sla::policy::Policy;
use crate::text::Bilingual;
use crate::time::{Mono, Now};
use cause::{Causes, Way};
use said::Said;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

/// What the site says about faults in general.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// The site's offset from UTC in seconds: fault numbers carry the site's year.
    pub utc_offset_s: i32,
}

/// A device and the model of its profile, site overrides applied.
#[derive(Clone, Debug)]
pub struct SiteDevice {
    /// The device.
    pub device: Device,
    /// Its profile's model.
    pub model: Arc<Model>,
}

/// What the engine watches.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Its devices; a [`DeviceIx`] points in here.
    pub devices: Vec<SiteDevice>,
    /// What the box plugs into; without it nothing is ever hidden.
    pub attached_to: Option<DeviceIx>,
    /// Service levels, the first that is for a fault holds.
    pub sla: Vec<Arc<Policy>>,
}

impl From<Vec<SiteDevice>> for Site {
    fn from(devices: Vec<SiteDevice>) -> Site {
        Site { devices, ..Site::default() }
    }
}

#[derive(Clone, Debug)]
struct Watched {
    site: SiteDevice,
    presence: Presence,
    watches: Watches,
    /// Faults that its own signs hold open.
    said: Said,
    /// When its open [`REPLACED`] ends.
    replaced_until: Option<Mono>,
    /// How it stands in the graph of uplinks.
    way: Way,
}

/// The engine.
#[derive(Clone, Debug)]
pub struct Engine {
    devices: Vec<Watched>,
    register: Register,
    causes: Causes,
    /// Deadlines of asks and of verdicts that wait, ends of [`REPLACED`] and of what signs hold; an entry whose moment no longer stands with its device is void.
    deadlines: BinaryHeap<Reverse<(Mono, DeviceIx)>>,
}

impl Engine {
    /// An engine without devices.
    pub fn new(settings: Settings) -> Engine {
        let register = Register::new(settings.utc_offset_s);
        Engine { devices: Vec::new(), register, causes: Causes::default(), deadlines: BinaryHeap::new() }
    }

    /// Takes over what the store kept, before [`Engine::load`]: open and lately ended faults, the next free fault and
    /// transition numbers, and the last fault number of each year.
    pub fn restore(&mut self, kept: Kept, now: Now) {
        for (year, sequence) in kept.numbers {
            self.register.restore_number(year, sequence);
        }
        let next = (kept.next_fault, kept.next_transition);
        self.register.restore(kept.faults, next, kept.passed, now);
        self.causes.restore(kept.hidden, kept.answering);
    }

    /// Loads the site, at start and at each reload. Open faults of devices and rules that are still there stay open;
    /// the others are withdrawn; what was pending starts anew.
    pub fn load(&mut self, site: impl Into<Site>, now: Now) {
        let site: Site = site.into();
        self.keep_causes();
        let mut before: BTreeMap<Arc<str>, (Presence, Option<Mono>)> = self
            .devices
            .drain(..)
            .map(|watched| (watched.site.device.id.clone(), (watched.presence, watched.replaced_until)))
            .collect();
        self.deadlines.clear();
        for device in site.devices {
            let (presence, replaced_until) = before.remove(&device.device.id).unwrap_or_default();
            let presence = presence.renewed();
            let watches = Watches::new(device.model.rules.len());
            let said = Said::default();
            let way = Way::default();
            self.devices.push(Watched { site: device, presence, watches, said, replaced_until, way });
        }
        self.load_causes(site.attached_to, now);
        let devices = self.devices.iter().map(|watched| &watched.site.device);
        self.register.load_clocks(site.sla, devices, now);
        self.take_over_open_faults(now);
        self.settle(now);
    }

    /// Gives one device another model, as when `profile = "auto"` has been resolved.
    pub fn replace(&mut self, device: DeviceIx, site: SiteDevice, now: Now) {
        let Some(watched) = self.devices.get_mut(device.at()) else {
            return;
        };
        watched.watches = Watches::new(site.model.rules.len());
        watched.said = Said::default();
        watched.site = site;
        let id = watched.site.device.id.clone();
        let open = self.register.open().filter(|fault| fault.key.device == id);
        let open: Vec<(FaultId, FaultKey)> = open.map(|fault| (fault.id, fault.key.clone())).collect();
        for (fault, key) in open {
            self.take_over(device.at(), fault, key, now);
        }
    }

    fn take_over_open_faults(&mut self, now: Now) {
        let at: BTreeMap<Arc<str>, usize> = self
            .devices
            .iter()
            .enumerate()
            .map(|(at, watched)| (watched.site.device.id.clone(), at))
            .collect();
        let open: Vec<(FaultId, FaultKey)> = self.register.open().map(|f| (f.id, f.key.clone())).collect();
        for (id, key) in open {
            match at.get(&key.device) {
                Some(&at) => self.take_over(at, id, key, now),
                None => self.register.end(id, Ending::Withdrawn, now),
            }
        }
    }

    /// An open fault finds its rule again, or is withdrawn with it.
    fn take_over(&mut self, at: usize, fault: FaultId, key: FaultKey, now: Now) {
        let watched = &mut self.devices[at];
        let SiteDevice { device, model } = &watched.site;
        // Where nobody looks at the line any more, its faults could never clear.
        let is_watched = |rule: &Rule| device.line.probe_s.is_some() || !model.is_of_line(rule.on);
        let rule = model.rules.iter().position(|rule| rule.id == key.rule && is_watched(rule));
        match (&*key.rule, rule) {
            (UNREACHABLE, _) => {
                watched.presence.fault = Some(Absent::Unreachable);
                watched.way.out = Some(fault);
            }
            (NO_DATA, _) => watched.presence.fault = Some(Absent::NoData),
            (REDUNDANCY_LOST, _) => {
                let parents: Vec<usize> = device.uplinks.iter().map(|uplink| uplink.device.at()).collect();
                let is_parent = |at: &usize| {
                    self.devices.get(*at).is_some_and(|parent| parent.site.device.id == key.instance)
                };
                if parents.len() < 2 || !parents.iter().any(is_parent) {
                    self.register.end(fault, Ending::Withdrawn, now);
                }
            }
            (REPLACED, _) => {
                // Only a start has to go by the wall clock.
                let kept = watched.replaced_until;
                let until = kept.or_else(|| self.register.get(fault).map(|open| replaced::until(open, now)));
                watched.replaced_until = until;
                self.deadlines.extend(until.map(|until| Reverse((until, DeviceIx(at as u32)))));
            }
            (_, Some(at_rule)) => {
                let rule = &model.rules[at_rule];
                // A sign may have raised it: it stays its time anew.
                if rule.levels.is_empty() || rule.stays_ms.is_some() {
                    watched.said.hold(fault, rule, now);
                }
                if !rule.levels.is_empty() {
                    watched.watches.adopt(at_rule, key.instance, fault);
                }
                self.expect_end(DeviceIx(at as u32));
            }
            (_, None) => self.register.end(fault, Ending::Withdrawn, now),
        }
    }

    /// Takes an event.
    pub fn handle(&mut self, event: Event<'_>, now: Now) {
        match event {
            Event::Polled { device, generation, readings, labels } => {
                self.polled(device, generation, readings, labels, now);
            }
            Event::Reached { device, generation, answered } => {
                let Some(watched) = self.devices.get_mut(device.at()) else {
                    return;
                };
                if watched.presence.generation == generation {
                    self.causes.unsettled |= watched.presence.fault == Some(Absent::NoData);
                    if answered {
                        watched.way.answered_at = now.mono;
                    }
                    let step = watched.presence.reached(answered, now);
                    self.take(device, step, now);
                    if answered && self.drop_verdict(device) {
                        self.ask(device, Probe::Poll, now.mono);
                    }
                }
            }
            Event::Replaced { device, what } => self.replaced(device, what, now),
            Event::Said { device, rule, instance, sign } => self.said(device, rule, instance, sign, now),
            Event::Act { request, fault, by, act } => self.act(request, fault, by, act, now),
            Event::Tick => {}
        }
        self.expire(now);
        self.settle(now);
    }

    /// The next effect, in order; `None` when there is nothing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.register.effects.pop_front()
    }

    /// When the engine wants an [`Event::Tick`] at the latest.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let deadline = self.deadlines.peek().map(|Reverse((at, _))| *at);
        deadline.into_iter().chain(self.register.shelf_ends()).chain(self.register.clock_due()).min()
    }

    /// The generation that a poll started now must carry.
    pub fn generation(&self, device: DeviceIx) -> Generation {
        self.devices.get(device.at()).map(|watched| watched.presence.generation).unwrap_or_default()
    }

    /// The open faults, oldest first.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.register.open()
    }

    /// One open fault.
    pub fn fault(&self, id: FaultId) -> Option<&Fault> {
        self.register.get(id)
    }

    /// The devices as loaded; a [`DeviceIx`] points in here.
    pub fn devices(&self) -> impl ExactSizeIterator<Item = &SiteDevice> {
        self.devices.iter().map(|watched| &watched.site)
    }

    /// Whether a device was polled since it was loaded, with whatever outcome.
    pub fn is_known(&self, device: DeviceIx) -> bool {
        self.devices.get(device.at()).is_some_and(|watched| watched.presence.known)
    }

    fn polled(
        &mut self,
        device: DeviceIx,
        generation: Generation,
        readings: &Readings,
        labels: &Labels,
        now: Now,
    ) {
        let Some(watched) = self.devices.get_mut(device.at()) else {
            return;
        };
        if watched.presence.generation != generation && !mutation::is_on(Mutation::GenerationNotChecked) {
            return;
        }
        let evidence = match (readings.answered, watched.site.model.has_data(readings)) {
            (true, true) => Evidence::Data,
            (true, false) => Evidence::Mute,
            (false, _) => Evidence::Silent,
        };
        if evidence != Evidence::Silent {
            self.drop_verdict(device);
        }
        let Some(watched) = self.devices.get_mut(device.at()) else { return };
        let step = watched.presence.polled(evidence, now);
        if evidence == Evidence::Data {
            let SiteDevice { device: site, model } = &watched.site;
            let around = Surroundings { device: site, model, readings, labels };
            let confirm_at = watched.watches.judge(&around, &mut self.register, now);
            // It is there again, so what it said holds again.
            for fault in watched.said.faults().filter(|fault| !watched.watches.judges(*fault)) {
                self.register.set_stale(fault, false);
            }
            let regular_at = now.mono.plus_ms(u64::from(site.interval_s) * 1000);
            let generation = watched.presence.generation;
            if let Some(at) = confirm_at.filter(|at| *at < regular_at) {
                let deadline = at.plus_ms(presence::ASK_DEADLINE_MS);
                let ask = Ask { device, probe: Probe::Poll, at, deadline, generation };
                self.register.effects.push_back(Effect::Ask(ask));
            }
        } else {
            let id = watched.site.device.id.clone();
            let kept: Vec<FaultId> = self
                .register
                .open()
                .filter(|f| f.key.device == id && f.key.is_by_readings())
                .map(|f| f.id)
                .collect();
            kept.into_iter().for_each(|fault| self.register.set_stale(fault, true));
        }
        self.take(device, step, now);
        self.polled_with(device, evidence, now);
    }

    /// What a poll, or the silence of one, means for those behind the device and for what waits for a fresh one.
    fn polled_with(&mut self, device: DeviceIx, evidence: Evidence, now: Now) {
        let Some(Watched { presence, way, .. }) = self.devices.get_mut(device.at()) else { return };
        let answers = evidence != Evidence::Silent;
        // Whoever has answered explains nothing any more to a verdict that waits for it; and who answers is not cut off,
        // also where it was not asked since the way was lost.
        self.causes.unsettled |= way.answers != answers || self.causes.holds || (answers && way.is_cut());
        way.answers = answers;
        if answers {
            way.answered_at = now.mono;
        }
        let has_just_failed = !answers && presence.has_just_failed();
        // Before the way is asked: whom one asks oneself explains nothing yet.
        self.try_out(device, evidence, now);
        if has_just_failed {
            self.ask_the_way(device, now);
        }
    }

    /// Carries out what the presence of a device asks for.
    fn take(&mut self, device: DeviceIx, step: Option<Step>, now: Now) {
        let Some(step) = step else { return };
        match step {
            Step::Retry { poll_at } => {
                self.ask(device, Probe::Reach, now.mono);
                self.ask(device, Probe::Poll, poll_at);
            }
            Step::AskReach => self.ask(device, Probe::Reach, now.mono),
            Step::Confirm { poll_at } => self.ask(device, Probe::Poll, poll_at),
            Step::Raise(Absent::Unreachable) if self.may_be_cut_off(device) => self.hold(device, now),
            Step::Raise(absent) => self.raise_absence(device, absent, now),
            Step::Clear(absent) => self.end_absence(device, absent, now),
            Step::Turn { from, to: Absent::Unreachable } if self.may_be_explained(device) => {
                if let Some(watched) = self.devices.get_mut(device.at()) {
                    watched.presence.turn_later(from, now);
                    self.ask(device, Probe::Poll, now.mono.plus_ms(presence::RETRY_AFTER_MS[2]));
                }
            }
            Step::Turn { from, to } => {
                self.end_absence(device, from, now);
                // What comes now is another condition: it is bad since the evidence has turned, not since the first
                // silence, or its time would be counted as the other's as well.
                if let Some(watched) = self.devices.get_mut(device.at()) {
                    watched.presence.since = Some(now);
                }
                self.raise_absence(device, to, now);
            }
        }
    }

    fn ask(&mut self, device: DeviceIx, probe: Probe, at: Mono) {
        let Some(watched) = self.devices.get_mut(device.at()) else {
            return;
        };
        let deadline = at.plus_ms(presence::ASK_DEADLINE_MS);
        match probe {
            Probe::Reach => watched.presence.reach_due = Some(deadline),
            Probe::Poll => watched.presence.poll_due = Some(deadline),
        }
        let generation = watched.presence.generation;
        self.deadlines.push(Reverse((deadline, device)));
        self.register.effects.push_back(Effect::Ask(Ask { device, probe, at, deadline, generation }));
    }

    /// Counts asks without an answer as silence, and ends what has had its time.
    fn expire(&mut self, now: Now) {
        self.register.end_shelves(now);
        self.register.look_at_clocks(now);
        while let Some(Reverse((at, device))) = self.deadlines.peek().copied() {
            let Some(watched) = self.devices.get_mut(device.at()) else {
                self.deadlines.pop();
                continue;
            };
            let presence = &mut watched.presence;
            let held_until = watched.way.held_until;
            let moments = [
                presence.reach_due,
                presence.poll_due,
                watched.replaced_until,
                watched.said.due(),
                held_until,
            ];
            let live = moments.contains(&Some(at));
            if live && at > now.mono {
                return;
            }
            self.deadlines.pop();
            if !live {
                continue;
            }
            if watched.replaced_until == Some(at) {
                self.end_replaced(device, now);
                continue;
            }
            if watched.said.due() == Some(at) {
                self.end_unsaid(device, now);
                continue;
            }
            if held_until == Some(at) {
                watched.way.held_until = None;
                self.raise_absence(device, Absent::Unreachable, now);
                continue;
            }
            if presence.reach_due == Some(at) {
                let step = presence.reached(false, now);
                self.take(device, step, now);
            } else {
                let step = presence.polled(Evidence::Silent, now);
                self.take(device, step, now);
                self.polled_with(device, Evidence::Silent, now);
            }
        }
    }

    fn raise_absence(&mut self, device: DeviceIx, absent: Absent, now: Now) {
        let Some(watched) = self.devices.get(device.at()) else {
            return;
        };
        let first_bad = watched.presence.since.unwrap_or(now).wall;
        let rule = match absent {
            Absent::Unreachable => UNREACHABLE,
            Absent::NoData => NO_DATA,
        };
        let (severity, summary, advice) = absence_texts(absent);
        let key = FaultKey { device: watched.site.device.id.clone(), rule: rule.into(), instance: "".into() };
        let cause = "communicationsSubsystemFailure".into();
        let draft = Draft { key, severity, first_bad, value: None, cause, summary, advice };
        let fault = self.register.raise(draft, now);
        if let (Absent::Unreachable, Some(watched)) = (absent, self.devices.get_mut(device.at())) {
            watched.way.out = Some(fault);
            watched.way.out_since = watched.presence.since.unwrap_or(now).mono;
        }
        self.causes.unsettled = true;
    }

    fn end_absence(&mut self, device: DeviceIx, absent: Absent, now: Now) {
        let Some(watched) = self.devices.get(device.at()) else {
            return;
        };
        let rule = match absent {
            Absent::Unreachable => UNREACHABLE,
            Absent::NoData => NO_DATA,
        };
        let key = FaultKey { device: watched.site.device.id.clone(), rule: rule.into(), instance: "".into() };
        if let Some(fault) = self.register.find(&key) {
            self.register.end(fault, Ending::Cleared, now);
        }
        if let (Absent::Unreachable, Some(watched)) = (absent, self.devices.get_mut(device.at())) {
            watched.way.out = None;
            watched.way.held_until = None;
        }
        self.causes.unsettled = true;
    }

    fn replaced(&mut self, device: DeviceIx, what: Bilingual, now: Now) {
        let Some(watched) = self.devices.get_mut(device.at()) else {
            return;
        };
        let until = now.mono.plus_ms(replaced::STAYS_MS);
        watched.replaced_until = Some(until);
        self.deadlines.push(Reverse((until, device)));
        self.register.raise(replaced::draft(&watched.site.device.id, what, now), now);
    }

    fn end_replaced(&mut self, device: DeviceIx, now: Now) {
        let Some(watched) = self.devices.get_mut(device.at()) else {
            return;
        };
        watched.replaced_until = None;
        if let Some(fault) = self.register.find(&replaced::key(&watched.site.device.id)) {
            self.register.end(fault, Ending::Cleared, now);
        }
    }

    /// Does what an operator wants, or says why not.
    fn act(&mut self, request: RequestId, fault: FaultId, by: Arc<str>, act: Act, now: Now) {
        let Some(open) = self.register.get(fault) else {
            return self.register.effects.push_back(Effect::Refuse { request, why: Refusal::NoSuchFault });
        };
        let why = match &act {
            Act::Acknowledge if open.acknowledged.is_some() => Some(Refusal::AlreadyAcknowledged),
            Act::Arrive if open.arrived.is_some() => Some(Refusal::AlreadyOnSite),
            Act::Shelve { for_ms, .. } if !(1..=MOST_SHELF_MS).contains(for_ms) => {
                Some(Refusal::ShelfTooLong)
            }
            Act::Unshelve if open.shelf.is_none() => Some(Refusal::NotShelved),
            Act::Close if open.condition != Condition::Cleared => Some(Refusal::NotClosable),
            _ => None,
        };
        if let Some(why) = why {
            return self.register.effects.push_back(Effect::Refuse { request, why });
        }
        let (was_acknowledged, is_replaced) = (open.acknowledged.is_some(), &*open.key.rule == REPLACED);
        self.register.act(fault, act, by, request, now);
        let is_acknowledged = self.register.get(fault).is_some_and(|open| open.acknowledged.is_some());
        if was_acknowledged || !is_acknowledged {
            return;
        }
        if is_replaced {
            return self.register.end(fault, Ending::Cleared, now);
        }
        self.devices.iter_mut().for_each(|watched| watched.watches.accept(fault));
    }

    /// Number of devices for which an episode of asking runs; for self-observation.
    pub fn suspects(&self) -> usize {
        self.devices.iter().filter(|watched| watched.presence.since.is_some()).count()
    }
}

/// What the store hands over at start.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Open faults, and those that ended within the last 30 minutes.
    pub faults: Vec<Fault>,
    /// Next free fault id.
    pub next_fault: u64,
    /// Next free transition id.
    pub next_transition: u64,
    /// Last fault number of each year.
    pub numbers: BTreeSet<(u16, u32)>,
    /// Who is hidden behind whom.
    pub hidden: Vec<Hiding>,
    /// What passed since the latest transition of each fault that has a service level, as far as anybody knows; of one
    /// that is missing nobody does.
    pub passed: BTreeMap<FaultId, Vec<Downtime>>,
    /// Devices whose latest poll brought a reply.
    pub answering: BTreeSet<Arc<str>>,
}

fn absence_texts(absent: Absent) -> (Severity, Bilingual, Bilingual) {
    match absent {
        Absent::Unreachable => (
            Severity::Critical,
            Bilingual::new(
                "设备不可达，网络探测与协议均无应答",
                "Device unreachable: neither probe nor protocol answers",
            ),
            Bilingual::new(
                "先查供电与网线，再查上联设备端口；同一上联下多台不可达时，联系线路运营商",
                "Check power and cable, then the port on its uplink; if others behind the same uplink are gone too, call the carrier",
            ),
        ),
        Absent::NoData => (
            Severity::Major,
            Bilingual::new("设备在线但无数据", "Device answers, but gives no data"),
            Bilingual::new(
                "核对 SNMP 版本与团体字、设备侧访问控制列表，确认 SNMP 服务已启用",
                "Check SNMP version and community, the device's access list, and that its SNMP service runs",
            ),
        ),
    }
}

mod cause;
mod said;
#[cfg(test)]
mod tests;
