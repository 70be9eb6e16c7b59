//! What the loop starts from and what it leaves behind: the site file taken over at start and at reload, devices
//! handed to the store.

use super::polled::Runtime;
use super::view::Lenses;
use super::{LINE_KEY, REACH_KEY, Supervisor, View};
use crate::site::{self, Asked, Site};
use roundsman_core::device::{Device, DeviceIx};
use roundsman_core::fault::engine::{self, Engine, Kept};
use roundsman_core::schedule::{Limits, Schedule};
use roundsman_core::sla::clock::Downtime;
use roundsman_core::time::Now;
use roundsman_driver::reach::Reach;
use roundsman_store::{ClockMark, DeviceRecord, LatestDevice, Restored};
use std::collections::HashMap;
use std::sync::Arc;

impl Supervisor {
    /// Loads `self.site` into engine, schedule and view; keeps what is known of devices that stay. `kept` are the
    /// readings that the store had, at the start.
    pub(super) async fn load(&mut self, now: Now, kept: &[LatestDevice]) {
        let mut before: HashMap<Arc<str>, Runtime> =
            self.devices.drain(..).map(|runtime| (runtime.entry.device.id.clone(), runtime)).collect();
        self.by_key.clear();
        let icmp = self.prober.available();
        if let Err(error) = &icmp {
            tracing::warn!(%error, "devices without `reach` are reached by SNMP");
        }
        self.lenses = Lenses::default();
        let fallback = if icmp.is_ok() { Reach::Icmp } else { Reach::Snmp };
        for at in 0..self.site.devices.len() {
            let device = DeviceIx(at as u32);
            let entry = self.site.devices[at].clone();
            let old = before.remove(&entry.device.id);
            let old_key = old.as_ref().map(|old| old.key);
            let found = old.as_ref().and_then(|old| old.found(&entry));
            let found = found.and_then(|id| self.site.catalogue.get(id).cloned());
            let found = found.map(|profile| self.limited(device, &profile));
            let reach = match (&entry.asked, entry.address, entry.reach) {
                (_, _, Some(reach)) => reach,
                (Asked::Bus { .. }, Some(_), None) if icmp.is_ok() => Reach::Icmp,
                (Asked::Bus { .. }, _, None) => Reach::Bus,
                (Asked::Snmp(_), _, None) => fallback,
                (Asked::Onvif(_), _, None) if icmp.is_ok() => Reach::Icmp,
                (Asked::Onvif(camera), _, None) => Reach::Tcp(camera.address.port()),
            };
            let lens = self.lenses.of(found.as_ref().unwrap_or(&entry.profile));
            let mut runtime = Runtime::new(entry, self.next_key, reach, lens, found.is_some(), old);
            if let (Reach::Icmp, Ok(how)) = (reach, &icmp) {
                runtime.reached_by = how.word().into();
            }
            self.next_key += 1;
            if let Some(key) = old_key.filter(|key| *key != runtime.key) {
                self.forget(key).await;
            }
            self.by_key.insert(runtime.key, device);
            self.devices.push(runtime);
        }
        for gone in before.into_values() {
            self.forget(gone.key).await;
        }
        self.buses.load(&self.site.buses);
        self.cameras.load(&self.devices);
        self.probing.load(&self.devices);
        self.restore_latest(kept);
        let devices = self.devices.iter().map(Runtime::site_device).collect();
        let (attached_to, sla) = (self.site.attached_to, self.site.sla.clone());
        self.engine.load(engine::Site { devices, attached_to, sla }, now);
        let plain: Vec<&Device> = self.devices.iter().map(|runtime| &runtime.entry.device).collect();
        self.schedule = Schedule::new(plain, Limits::default(), now.mono);
        self.view.load(&self.devices, &self.engine);
        self.save_devices(now);
        self.keep_history();
        self.carry_out(now);
    }

    /// Has the poller forget a device: its polls and its probes.
    async fn forget(&self, key: u32) {
        for key in [key, key | REACH_KEY, key | LINE_KEY] {
            let _ = self.snmp.forget(key).await;
        }
        self.buses.forget(key).await;
    }

    /// Tells the store how long the site wants history kept.
    fn keep_history(&self) {
        let kept = self.store.keep_history(self.site.keep);
        tokio::spawn(async move {
            if let Err(error) = kept.await {
                tracing::error!(%error, "the store was not told how long history is kept");
            }
        });
    }

    /// Shows what the store had until the first polls bring news; a device whose profile was found keeps it.
    fn restore_latest(&mut self, kept: &[LatestDevice]) {
        let kept: HashMap<&str, &LatestDevice> =
            kept.iter().map(|latest| (&*latest.device, latest)).collect();
        for at in 0..self.devices.len() {
            let Some(latest) = kept.get(&*self.devices[at].entry.device.id) else { continue };
            let profile = self.site.catalogue.get(&latest.profile).cloned();
            if let Some(profile) = profile.filter(|_| self.devices[at].is_unresolved()) {
                self.resolve(DeviceIx(at as u32), &profile);
            }
            self.devices[at].restore(latest);
            if self.devices[at].entry.auto {
                self.devices[at].ask_who_it_is();
            }
        }
    }

    /// SIGHUP: a broken file changes nothing.
    pub(super) async fn reload(&mut self, now: Now) {
        let site = match site::load(&self.site_path) {
            Ok(site) => site,
            Err(rejected) => {
                tracing::error!("the site file was not taken over, the old one stays in force:\n{rejected}");
                return;
            }
        };
        let fixed = (&self.site.store, self.site.listen, self.site.clock);
        if (&site.store, site.listen, site.clock) != fixed {
            tracing::warn!("a change of [store] path, [panel] listen or [site] clock takes a restart");
        }
        for warning in &site.warnings {
            tracing::warn!("{warning}");
        }
        self.site = site;
        self.view.rename(&self.site);
        self.load(now, &[]).await;
        tracing::info!(devices = self.devices.len(), "site file taken over");
    }

    /// Has a step of the wall clock marked at once: what is judged from now on belongs to another watch.
    pub(super) fn mark_steps(&mut self, now: Now) {
        let before = std::mem::replace(&mut self.seen, now);
        if roundsman_store::step_ms(before, now) == 0 {
            return;
        }
        tracing::warn!(step_ms = roundsman_store::step_ms(before, now), "the wall clock was set");
        let marked = self.store.mark_clock(self.marker.mark(now));
        tokio::spawn(async move {
            if let Err(error) = marked.await {
                tracing::error!(%error, "the clock was not marked");
            }
        });
    }

    pub(super) fn save_devices(&self, now: Now) {
        let devices = self.devices.iter().map(|runtime| DeviceRecord::from(&runtime.entry.device));
        let mark = self.marker.mark(now);
        let saved = self.store.save_devices(devices.collect(), mark);
        tokio::spawn(async move {
            if let Err(error) = saved.await {
                tracing::error!(%error, "the list of devices was not stored");
            }
        });
    }
}

/// What passed between the latest mark of an earlier run and now.
fn passed_since(before: &ClockMark, mark: &ClockMark) -> Downtime {
    let length_ms = if before.boot == mark.boot && !mark.boot.is_empty() {
        Some(mark.now.mono.since_ms(before.now.mono))
    } else if before.synchronised && mark.synchronised {
        u64::try_from(mark.now.wall.0 - before.now.wall.0).ok()
    } else {
        None
    };
    length_ms.map_or(Downtime::Unknown, |length_ms| Downtime::Known { until: mark.now.wall, length_ms })
}

/// The engine and the view go on from what the store kept; `mark` is now, by both clocks.
pub(super) fn take_over(engine: &mut Engine, view: &View, restored: &Restored, mark: &ClockMark) {
    let off = restored.clock.as_ref().map_or(Downtime::Unknown, |before| passed_since(before, mark));
    let passed =
        restored.passed.iter().map(|(fault, passed)| (*fault, passed.iter().copied().chain([off]).collect()));
    let answering = restored.latest.iter().filter(|latest| latest.answered);
    let kept = Kept {
        faults: restored.open.iter().chain(&restored.recent).cloned().collect(),
        next_fault: restored.next_fault.0,
        next_transition: restored.next_transition,
        numbers: restored.numbers.iter().copied().collect(),
        hidden: restored.hidden.clone(),
        passed: passed.collect(),
        answering: answering.map(|latest| latest.device.clone()).collect(),
    };
    engine.restore(kept, mark.now);
    view.take_over(&restored.open, &restored.hidden);
}

pub(super) fn utc_offset_s(site: &Site, now: Now) -> i32 {
    let at = jiff::Timestamp::from_millisecond(now.wall.0).unwrap_or_default();
    site.zone.to_offset(at).seconds()
}
