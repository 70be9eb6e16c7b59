//! The running system as the panel sees it: the latest readings and the durable faults, in memory.
//!
//! The loop writes, the panel reads ([`answers`]). What both look at is a value of its own ([`state`]) with what it
//! knows of each device ([`shown`]): the figures that lists show ([`headlines`]), found by a [`lens`] per
//! profile. A fault shows up here after its commit, never before.

mod answers;
mod commands;
mod headlines;
mod lens;
mod shown;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use lens::{Lens, Lenses};
pub(crate) use shown::Latest;

use super::Request;
use super::commands::Given;
use super::nightly::Backups;
use super::numbers::Measured;
use super::polled::Runtime;
use crate::site::Site;
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::Fault;
use roundsman_core::fault::engine::Engine;
use roundsman_core::hidden::Hiding;
use roundsman_core::tally::{Driver, Polled};
use roundsman_core::time::{Mono, Now};
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::Snmp;
use roundsman_driver::snmp::remark::Remark;
use roundsman_panel::{About, Feed};
use roundsman_store::{Reader, Step, Store};
use state::State;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::mpsc;

/// What the panel looks at.
pub(crate) struct View {
    about: RwLock<About>,
    clock: Clock,
    started: Mono,
    state: RwLock<State>,
    measured: Measured,
    snmp: Snmp,
    feed: Feed,
    reader: Reader,
    store: Arc<Store>,
    /// The store's folder.
    folder: Arc<str>,
    backups: Arc<Backups>,
    /// Days of a past that are being taken over: done, and all.
    filling: RwLock<Option<(u32, u32)>>,
    requests: mpsc::Sender<Request>,
    commands: mpsc::Sender<Given>,
}

impl View {
    pub(super) fn new(
        site: &Site,
        version: &str,
        clock: Clock,
        snmp: Snmp,
        store: Arc<Store>,
        (requests, commands): (mpsc::Sender<Request>, mpsc::Sender<Given>),
        next_transition: u64,
    ) -> View {
        View {
            about: RwLock::new(About {
                name: site.name.clone(),
                language: site.language,
                zone: site.zone.clone(),
                version: version.into(),
            }),
            clock,
            started: clock.now().mono,
            state: RwLock::new(State::new(next_transition.saturating_sub(1))),
            measured: Measured::default(),
            snmp,
            feed: Feed::default(),
            reader: store.reader(),
            store,
            folder: std::path::absolute(&site.store)
                .unwrap_or(site.store.clone())
                .display()
                .to_string()
                .into(),
            backups: Arc::default(),
            filling: RwLock::default(),
            requests,
            commands,
        }
    }

    /// Says how far a past is taken over; all of it is done where the two are the same.
    #[cfg(feature = "demo")]
    pub(crate) fn fills(&self, done: u32, all: u32) {
        *self.filling.write().unwrap_or_else(PoisonError::into_inner) = (done < all).then_some((done, all));
    }

    /// Where what is shown comes from.
    #[cfg(feature = "demo")]
    pub(crate) fn store(&self) -> Arc<Store> {
        self.store.clone()
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The site's name, language and zone after a reload.
    pub(super) fn rename(&self, site: &Site) {
        let mut about = self.about.write().unwrap_or_else(PoisonError::into_inner);
        about.name = site.name.clone();
        about.language = site.language;
        about.zone = site.zone.clone();
    }

    /// Where the newest backup is noted.
    pub(super) fn backups(&self) -> Arc<Backups> {
        self.backups.clone()
    }

    /// Counters of the running service.
    pub(super) fn measured(&self) -> &Measured {
        &self.measured
    }

    /// Open faults that the store kept, and who is hidden.
    pub(super) fn take_over(&self, open: &[Fault], hidden: &[Hiding]) {
        self.write(|state| state.take_over(open, hidden));
    }

    /// Devices after a start or reload.
    pub(super) fn load(&self, devices: &[Runtime], engine: &Engine) {
        self.write(|state| state.load(devices, |device| engine.is_known(device)));
        devices.iter().for_each(|runtime| self.feed.device_changed(&runtime.entry.device.id));
    }

    /// A device that found its profile.
    pub(super) fn replace(&self, device: DeviceIx, runtime: &Runtime) {
        self.write(|state| state.replace(device, runtime));
        self.feed.device_changed(&runtime.entry.device.id);
    }

    /// A poll or probe of a device ended, with whatever outcome.
    pub(super) fn count_poll(&self, device: DeviceIx, driver: Driver, poll: &Polled, remarks: &[Remark]) {
        self.measured.add_poll(driver, poll);
        self.write(|state| state.count(device, driver, poll, remarks));
    }

    /// Polls of a device were due and not started.
    pub(super) fn count_missed(&self, device: DeviceIx, driver: Driver, polls: u64) {
        self.measured.add_missed(driver, polls);
        self.write(|state| state.count_missed(device, driver, polls));
    }

    /// The latest poll of a device.
    pub(super) fn keep_latest(&self, device: DeviceIx, latest: &Arc<Latest>, now: Now) {
        if let Some(first) = self.write(|state| state.keep(device, latest, now)) {
            self.feed.device_changed(&first);
        }
    }

    /// Steps are durable: the world may hear of them.
    pub(super) fn publish<'a>(&self, steps: impl Iterator<Item = &'a Step> + Clone) {
        self.write(|state| steps.clone().for_each(|step| state.publish(step)));
        for step in steps {
            if let Some(transition) = &step.transition {
                self.feed.transition(transition);
                self.feed.device_changed(&transition.fault.key.device);
            }
            step.hidden.iter().for_each(|hiding| self.feed.device_changed(&hiding.device));
        }
    }

    /// What changes without a transition: flags of open faults (stale, clearing).
    pub(super) fn show_flags(&self, engine: &Engine) {
        let changed = self.write(|state| state.show_flags(engine.faults()));
        changed.iter().for_each(|id| self.feed.device_changed(id));
    }

    /// Lengths of the queues, once in a while.
    pub(super) fn keep_queues(&self, queues: Vec<(&'static str, u64)>) {
        self.write(|state| state.queues = queues);
    }
}
