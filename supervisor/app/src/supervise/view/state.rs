//! What the view knows, as a value: devices, open faults, who hides whom. No lock, no store, no feed.
//!
//! **Hidden devices.** A device to which every path crosses a device with an open `unreachable` fault is hidden behind
//! that one. The engine says so, and it is shown once it is durable.

use super::super::polled::Runtime;
use super::shown::{Latest, Shown};
use roundsman_core::device::{DeviceIx, Uplink};
use roundsman_core::fault::{Condition, Fault, FaultId, NO_DATA};
use roundsman_core::hidden::Hiding;
use roundsman_core::tally::{Driver, Polled};
use roundsman_core::time::{Mono, Now};
use roundsman_driver::snmp::remark::Remark;
use roundsman_panel::{DeviceState, SiteDevice};
use roundsman_store::Step;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What the view knows.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) devices: Vec<Shown>,
    by_id: HashMap<Arc<str>, usize>,
    /// The failed device that each hidden one stands behind.
    hidden: HashMap<Arc<str>, Arc<str>>,
    pub(super) open: BTreeMap<FaultId, Fault>,
    pub(super) last_transition: u64,
    pub(super) newest_good: Option<Mono>,
    pub(super) queues: Vec<(&'static str, u64)>,
}

impl State {
    /// Nothing yet but the number of the newest durable transition.
    pub(super) fn new(last_transition: u64) -> State {
        State { last_transition, ..State::default() }
    }

    /// Open faults that the store kept, and who is hidden.
    pub(super) fn take_over(&mut self, open: &[Fault], hidden: &[Hiding]) {
        hidden.iter().for_each(|hiding| self.hide(hiding));
        self.open = open.iter().map(|fault| (fault.id, fault.clone())).collect();
    }

    /// One device.
    pub(super) fn device(&self, id: &str) -> Option<&Shown> {
        self.devices.get(*self.by_id.get(id)?)
    }

    /// Devices after a start or reload; `known` says which were polled since the start.
    pub(super) fn load(&mut self, devices: &[Runtime], known: impl Fn(DeviceIx) -> bool) {
        let mut before: HashMap<Arc<str>, Shown> =
            self.devices.drain(..).map(|shown| (shown.device.id.clone(), shown)).collect();
        let shown = devices.iter().enumerate().map(|(at, runtime)| {
            let mut shown = Shown::new(runtime, known(DeviceIx(at as u32)));
            if let Some(old) = before.remove(&shown.device.id) {
                shown.carry_on(old);
            }
            shown
        });
        self.devices = shown.collect();
        let ids = self.devices.iter().enumerate();
        self.by_id = ids.map(|(at, shown)| (shown.device.id.clone(), at)).collect();
    }

    /// A device that found its profile.
    pub(super) fn replace(&mut self, device: DeviceIx, runtime: &Runtime) {
        let Some(shown) = self.devices.get_mut(device.at()) else {
            return;
        };
        let fresh = Shown::new(runtime, shown.known);
        let old = std::mem::replace(shown, fresh);
        shown.carry_on(old);
    }

    /// A poll or probe of a device ended, with whatever outcome.
    pub(super) fn count(&mut self, device: DeviceIx, driver: Driver, poll: &Polled, remarks: &[Remark]) {
        if let Some(shown) = self.devices.get_mut(device.at()) {
            shown.tally(driver).add(poll);
            if driver != Driver::Reach {
                shown.remark(remarks);
            }
        }
    }

    /// Polls of a device were due and not started.
    pub(super) fn count_missed(&mut self, device: DeviceIx, driver: Driver, polls: u64) {
        if let Some(shown) = self.devices.get_mut(device.at()) {
            shown.tally(driver).counts.missed += polls;
        }
    }

    /// The latest poll of a device; its id if it is the first one.
    pub(super) fn keep(&mut self, device: DeviceIx, latest: &Arc<Latest>, now: Now) -> Option<Arc<str>> {
        if latest.readings.answered {
            self.newest_good = Some(now.mono);
        }
        let shown = self.devices.get_mut(device.at())?;
        let is_first = !shown.known;
        shown.keep(latest);
        is_first.then(|| shown.device.id.clone())
    }

    /// A durable step.
    pub(super) fn publish(&mut self, step: &Step) {
        step.hidden.iter().for_each(|hiding| self.hide(hiding));
        let Some(transition) = &step.transition else { return };
        let fault = &transition.fault;
        self.last_transition = transition.id;
        if fault.is_open() {
            self.open.insert(fault.id, fault.clone());
        } else {
            self.open.remove(&fault.id);
        }
    }

    fn hide(&mut self, hiding: &Hiding) {
        match &hiding.behind {
            Some(root) => self.hidden.insert(hiding.device.clone(), root.device.clone()),
            None => self.hidden.remove(&hiding.device),
        };
    }

    /// Flags of open faults that are not durable (stale, clearing), from the engine's own faults; the devices where
    /// something changed.
    pub(super) fn show_flags<'a>(&mut self, faults: impl Iterator<Item = &'a Fault>) -> Vec<Arc<str>> {
        let mut changed = Vec::new();
        for fault in faults {
            let Some(shown) = self.open.get_mut(&fault.id) else {
                continue;
            };
            let durable = shown.condition == Condition::Cleared || fault.condition == Condition::Cleared;
            if shown.stale != fault.stale || (shown.condition != fault.condition && !durable) {
                shown.stale = fault.stale;
                if !durable {
                    shown.condition = fault.condition;
                }
                changed.push(shown.key.device.clone());
            }
        }
        changed
    }

    /// The failed device that hides this one.
    pub(super) fn hidden_behind(&self, id: &str) -> Option<Arc<str>> {
        self.hidden.get(id).cloned()
    }

    fn id_of(&self, device: DeviceIx) -> Option<Arc<str>> {
        self.devices.get(device.at()).map(|shown| shown.device.id.clone())
    }

    /// All devices as the panel shows them.
    pub(super) fn site_devices(&self) -> Vec<SiteDevice> {
        let worst = self.worst();
        self.devices
            .iter()
            .map(|shown| self.site_device(shown, worst.get(&*shown.device.id).copied()))
            .collect()
    }

    /// One device as the panel shows it; `worst` is its worst open fault and their number.
    pub(super) fn site_device(&self, shown: &Shown, worst: Option<(DeviceState, u32)>) -> SiteDevice {
        let device = &shown.device;
        let (worst, faults) = worst.unwrap_or((DeviceState::Ok, 0));
        let uplink = |uplink: &Uplink| Some((self.id_of(uplink.device)?, uplink.port.clone()));
        let behind = self.hidden_behind(&device.id);
        SiteDevice {
            id: device.id.clone(),
            name: device.name.clone(),
            class: device.class,
            profile: device.profile.clone(),
            profile_name: shown.profile_name.clone(),
            tier: device.tier,
            network: device.network,
            location: device.location.clone(),
            state: match worst {
                _ if behind.is_some() => DeviceState::Hidden,
                DeviceState::Ok if !shown.known => DeviceState::Pending,
                worst => worst,
            },
            faults,
            last_poll: shown.latest.as_ref().map(|latest| latest.readings.taken_at.wall),
            address: device.address.clone(),
            reach: shown.reach.clone(),
            uplinks: device.uplinks.iter().filter_map(uplink).collect(),
            interval_s: device.interval_s,
            behind,
            line: shown.line.clone(),
            headlines: shown.headlines(),
        }
    }

    /// Per device its worst open fault and their number.
    fn worst(&self) -> HashMap<&str, (DeviceState, u32)> {
        let mut worst: HashMap<&str, (DeviceState, u32)> = HashMap::new();
        for fault in self.open.values() {
            let entry = worst.entry(&fault.key.device).or_insert((DeviceState::Ok, 0));
            *entry = (entry.0.min(state_of(fault)), entry.1 + 1);
        }
        worst
    }

    /// The same of one device.
    pub(super) fn worst_of(&self, id: &str) -> Option<(DeviceState, u32)> {
        let of = self.open.values().filter(|fault| *fault.key.device == *id);
        of.fold(None, |worst, fault| {
            let (state, count) = worst.unwrap_or((DeviceState::Ok, 0));
            Some((state.min(state_of(fault)), count + 1))
        })
    }

    /// What is known of an open fault beyond what is durable.
    pub(super) fn add_flags(&self, fault: &mut Fault) {
        if let Some(shown) = self.open.get(&fault.id).filter(|_| fault.is_open()) {
            fault.stale = shown.stale;
            fault.condition = shown.condition;
        }
    }
}

/// The state that an open fault gives its device.
fn state_of(fault: &Fault) -> DeviceState {
    match &*fault.key.rule {
        NO_DATA => DeviceState::NoData,
        _ => DeviceState::of(fault.severity),
    }
}
