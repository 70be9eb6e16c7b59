//! The site as one page sees it: devices and open faults at one moment, with what follows from them.

use crate::router::Panel;
use crate::site::{DeviceState, SiteDevice};
use roundsman_core::device::Tier;
use roundsman_core::fault::Fault;
use roundsman_core::time::Wall;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// Steps up the uplinks when what a device hangs on is looked for: more is a circle.
const MOST_STEPS: usize = 16;

/// The rule of profiles that says that a line loses packets.
const LINE_LOSSY: &str = "line-lossy";

/// Devices and faults at one moment.
pub(super) struct Sight {
    devices: Vec<SiteDevice>,
    by_id: HashMap<Arc<str>, usize>,
    /// Open ones, worst first.
    faults: Vec<Fault>,
    pub(super) now: Wall,
}

impl Sight {
    pub(super) fn of(panel: &Panel) -> Sight {
        let devices = panel.site.devices();
        let by_id = devices.iter().enumerate().map(|(at, d)| (d.id.clone(), at)).collect();
        let mut faults = panel.site.open_faults();
        // Inside a severity what nobody has taken on yet, then the newest.
        faults.sort_by_key(|f| (f.severity, f.acknowledged.is_some(), Reverse(f.first_bad), f.id));
        Sight { devices, by_id, faults, now: panel.site.now() }
    }

    /// In the order of the site file.
    pub(super) fn devices(&self) -> &[SiteDevice] {
        &self.devices
    }

    pub(super) fn device(&self, id: &str) -> Option<&SiteDevice> {
        self.by_id.get(id).map(|at| &self.devices[*at])
    }

    /// Open faults, worst first.
    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Whether a device's line loses packets: the fault of that name is open.
    pub(super) fn is_lossy(&self, device: &SiteDevice) -> bool {
        let is_it = |fault: &Fault| fault.key.device == device.id && &*fault.key.rule == LINE_LOSSY;
        self.faults.iter().any(is_it)
    }

    /// The failed device that hides this one.
    pub(super) fn root_of<'a>(&'a self, device: &SiteDevice) -> Option<&'a SiteDevice> {
        self.device(device.behind.as_ref()?)
    }

    /// Devices hidden by the failure of this one.
    pub(super) fn affected(&self, id: &str) -> impl Iterator<Item = &SiteDevice> {
        self.devices.iter().filter(move |device| device.behind.as_deref() == Some(id))
    }

    /// What a device hangs on, from itself up along the first uplinks.
    pub(super) fn upwards<'a>(&'a self, device: &'a SiteDevice) -> impl Iterator<Item = &'a SiteDevice> {
        let up = |at: &&'a SiteDevice| self.device(&at.uplinks.first()?.0);
        std::iter::successors(Some(device), up).take(MOST_STEPS)
    }

    /// The county device that this device hangs on (itself, if nothing of its county is above it).
    pub(super) fn county_of<'a>(&'a self, device: &'a SiteDevice) -> Option<&'a SiteDevice> {
        self.upwards(device).filter(|d| d.tier == Tier::County).last()
    }

    /// Whether a device hangs on `id`, directly or not.
    pub(super) fn is_under(&self, device: &SiteDevice, id: &str) -> bool {
        self.upwards(device).skip(1).any(|up| &*up.id == id)
    }

    /// How many devices are in each state but ok, worst first; those without any left out.
    pub(super) fn counts(&self) -> Vec<(DeviceState, usize)> {
        let count = |state| self.devices.iter().filter(|d| d.state == state).count();
        let states = DeviceState::ALL.into_iter().filter(|state| *state != DeviceState::Ok);
        states.map(|state| (state, count(state))).filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn well(&self) -> usize {
        self.devices.iter().filter(|d| d.state == DeviceState::Ok).count()
    }
}
