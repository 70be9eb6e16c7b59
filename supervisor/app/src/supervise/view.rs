//! The running system as the panel sees it: the latest readings and the durable faults, in memory.
//!
//! The loop writes, the panel reads. A fault shows up here after its commit, never before.

use super::numbers::{Measured, process};
use super::polled::Runtime;
use super::{Request, overloaded};
use crate::site::Site;
use roundsman_core::device::{Device, DeviceIx};
use roundsman_core::fault::engine::Engine;
use roundsman_core::fault::{Condition, Fault, FaultId, NO_DATA, Transition};
use roundsman_core::model::{InstanceIx, Record};
use roundsman_core::reading::Readings;
use roundsman_core::text::Bilingual;
use roundsman_core::time::{Mono, Now, Wall};
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::Snmp;
use roundsman_panel::{
    About, ActionError, DeviceDetail, DeviceState, Feed, Headlines, Kept, Later, Numbers, SiteDevice,
    SiteReading, Unavailable, Which,
};
use roundsman_profile::schema::Profile;
use roundsman_store::{Answer, FaultFilter, LatestDevice, LatestReading, Reader, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot};

/// The readings of one device's latest poll, with what it takes to name them.
#[derive(Debug)]
pub(crate) struct Latest {
    pub(super) readings: Readings,
    /// Labels of its instances, by their index.
    pub(super) names: Arc<[Arc<str>]>,
    pub(super) profile: Arc<Profile>,
}

impl Latest {
    fn name(&self, instance: InstanceIx) -> Arc<str> {
        self.names.get(instance.0 as usize).cloned().unwrap_or_default()
    }

    /// As the store keeps it; raw counters mean nothing after a restart and stay out.
    pub(super) fn for_store(&self, device: &Arc<str>) -> LatestDevice {
        let model = &self.profile.model;
        let kept = |reading: &roundsman_core::reading::Reading| {
            let metric = model.metrics.get(reading.metric.at())?;
            (metric.record != Record::None).then(|| LatestReading {
                metric: metric.name.clone(),
                instance: self.name(reading.instance),
                sample: reading.sample.clone(),
            })
        };
        LatestDevice {
            device: device.clone(),
            profile: self.profile.id.clone(),
            taken_at: self.readings.taken_at.wall,
            answered: self.readings.answered,
            readings: self.readings.iter().filter_map(kept).collect(),
        }
    }
}

#[derive(Debug)]
struct Shown {
    device: Device,
    profile_name: Bilingual,
    reach: Arc<str>,
    latest: Option<Arc<Latest>>,
    /// Polled since the start, with whatever outcome.
    known: bool,
}

impl Shown {
    fn of(runtime: &Runtime, known: bool) -> Shown {
        Shown {
            device: runtime.entry.device.clone(),
            profile_name: runtime.entry.profile.name.clone(),
            reach: runtime.reached_by.clone(),
            latest: runtime.latest.clone(),
            known,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    devices: Vec<Shown>,
    by_id: HashMap<Arc<str>, usize>,
    open: BTreeMap<FaultId, Fault>,
    last_transition: u64,
    newest_good: Option<Mono>,
    queues: Vec<(&'static str, u64)>,
    polls_missed: u64,
}

/// What the panel looks at.
pub(crate) struct View {
    about: RwLock<About>,
    clock: Clock,
    state: RwLock<State>,
    measured: Measured,
    snmp: Snmp,
    feed: Feed,
    reader: Reader,
    store: Arc<Store>,
    requests: mpsc::Sender<Request>,
}

impl View {
    pub(super) fn new(
        site: &Site,
        version: &str,
        clock: Clock,
        snmp: Snmp,
        store: Arc<Store>,
        requests: mpsc::Sender<Request>,
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
            state: RwLock::new(State {
                last_transition: next_transition.saturating_sub(1),
                ..State::default()
            }),
            measured: Measured::default(),
            snmp,
            feed: Feed::default(),
            reader: store.reader(),
            store,
            requests,
        }
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

    /// Counters of the running service.
    pub(super) fn measured(&self) -> &Measured {
        &self.measured
    }

    /// Open faults that the store kept.
    pub(super) fn take_over(&self, open: &[Fault]) {
        self.write(|state| state.open = open.iter().map(|fault| (fault.id, fault.clone())).collect());
    }

    /// Devices after a start or reload.
    pub(super) fn load(&self, devices: &[Runtime], engine: &Engine) {
        let known = |at| engine.is_known(DeviceIx(at as u32));
        self.write(|state| {
            state.devices =
                devices.iter().enumerate().map(|(at, runtime)| Shown::of(runtime, known(at))).collect();
            let ids = state.devices.iter().enumerate();
            state.by_id = ids.map(|(at, shown)| (shown.device.id.clone(), at)).collect();
        });
        devices.iter().for_each(|runtime| self.feed.device_changed(&runtime.entry.device.id));
    }

    /// A device that found its profile.
    pub(super) fn replace(&self, device: DeviceIx, runtime: &Runtime) {
        self.write(|state| {
            if let Some(shown) = state.devices.get_mut(device.at()) {
                *shown = Shown::of(runtime, shown.known);
            }
        });
        self.feed.device_changed(&runtime.entry.device.id);
    }

    /// The latest poll of a device.
    pub(super) fn keep_latest(&self, device: DeviceIx, latest: &Arc<Latest>, now: Now) {
        let first = self.write(|state| {
            if latest.readings.answered {
                state.newest_good = Some(now.mono);
            }
            let shown = state.devices.get_mut(device.at())?;
            shown.latest = Some(latest.clone());
            let first = !shown.known;
            shown.known = true;
            first.then(|| shown.device.id.clone())
        });
        if let Some(id) = first {
            self.feed.device_changed(&id);
        }
    }

    /// A transition is durable: the world may hear of it.
    pub(super) fn publish(&self, transition: &Transition) {
        let fault = &transition.fault;
        self.write(|state| {
            state.last_transition = transition.id;
            if fault.is_open() {
                state.open.insert(fault.id, fault.clone());
            } else {
                state.open.remove(&fault.id);
            }
        });
        self.feed.transition(transition);
        self.feed.device_changed(&fault.key.device);
    }

    /// Flags of open faults that are not durable: stale, clearing.
    pub(super) fn show_flags(&self, engine: &Engine) {
        let changed: Vec<Arc<str>> = self.write(|state| {
            let mut changed = Vec::new();
            for fault in engine.faults() {
                let Some(shown) = state.open.get_mut(&fault.id) else {
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
        });
        changed.iter().for_each(|id| self.feed.device_changed(id));
    }

    /// Lengths of the queues, once in a while.
    pub(super) fn keep_queues(&self, queues: Vec<(&'static str, u64)>, polls_missed: u64) {
        self.write(|state| {
            state.queues = queues;
            state.polls_missed = polls_missed;
        });
    }

    fn site_device(
        &self,
        state: &State,
        shown: &Shown,
        worst: &HashMap<&str, (DeviceState, u32)>,
    ) -> SiteDevice {
        let device = &shown.device;
        let (worst, faults) = worst.get(&*device.id).copied().unwrap_or((DeviceState::Ok, 0));
        let uplink = |uplink: &roundsman_core::device::Uplink| {
            let parent = state.devices.get(uplink.device.at())?;
            Some((parent.device.id.clone(), uplink.port.clone()))
        };
        SiteDevice {
            id: device.id.clone(),
            name: device.name.clone(),
            class: device.class,
            profile: device.profile.clone(),
            profile_name: shown.profile_name.clone(),
            tier: device.tier,
            network: device.network,
            location: device.location.clone(),
            state: if faults == 0 && !shown.known { DeviceState::Pending } else { worst },
            faults,
            last_poll: shown.latest.as_ref().map(|latest| latest.readings.taken_at.wall),
            address: device.address.clone(),
            reach: shown.reach.clone(),
            uplinks: device.uplinks.iter().filter_map(uplink).collect(),
            interval_s: device.interval_s,
            behind: None,
            line: "".into(),
            headlines: Headlines::default(),
        }
    }

    async fn request(&self, fault: FaultId, by: Arc<str>, close: bool) -> Result<Fault, ActionError> {
        let (reply, answer) = oneshot::channel();
        self.requests.try_send(Request { fault, by, close, reply }).map_err(|_| overloaded())?;
        let ended = || ActionError::Unavailable(Unavailable("the service is ending".to_owned()));
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

/// Per device its worst open fault and their number.
fn worst(state: &State) -> HashMap<&str, (DeviceState, u32)> {
    let mut worst: HashMap<&str, (DeviceState, u32)> = HashMap::new();
    for fault in state.open.values() {
        let found = match &*fault.key.rule {
            NO_DATA => DeviceState::NoData,
            _ => DeviceState::of(fault.severity),
        };
        let entry = worst.entry(&fault.key.device).or_insert((found, 0));
        *entry = (entry.0.min(found), entry.1 + 1);
    }
    worst
}

fn unavailable(error: StoreError) -> Unavailable {
    Unavailable(error.to_string())
}

impl roundsman_panel::Site for View {
    fn about(&self) -> About {
        self.about.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn now(&self) -> Wall {
        self.clock.now().wall
    }

    fn devices(&self) -> Vec<SiteDevice> {
        self.read(|state| {
            let worst = worst(state);
            state.devices.iter().map(|shown| self.site_device(state, shown, &worst)).collect()
        })
    }

    fn device(&self, id: &str) -> Option<SiteDevice> {
        self.read(|state| {
            let shown = state.devices.get(*state.by_id.get(id)?)?;
            Some(self.site_device(state, shown, &worst(state)))
        })
    }

    fn readings(&self, device: &str) -> Option<Vec<SiteReading>> {
        let latest = self.read(|state| {
            let shown = state.devices.get(*state.by_id.get(device)?)?;
            Some(shown.latest.clone())
        })?;
        tracing::trace!(target: "way", step = "View::readings");
        Some(latest.map(|latest| named(&latest)).unwrap_or_default())
    }

    fn detail(&self, device: &str) -> Option<DeviceDetail> {
        self.read(|state| state.by_id.get(device).map(|_| DeviceDetail::default()))
    }

    fn open_faults(&self) -> Vec<Fault> {
        self.read(|state| state.open.values().cloned().collect())
    }

    fn data_age_ms(&self) -> Option<u64> {
        let newest = self.read(|state| state.newest_good)?;
        Some(self.clock.now().mono.since_ms(newest))
    }

    fn last_transition(&self) -> u64 {
        self.read(|state| state.last_transition)
    }

    fn numbers(&self) -> Numbers {
        let counted = self.measured.read();
        let wire = self.snmp.counters();
        let session = wire.session;
        let (queues, polls_missed) = self.read(|state| (state.queues.clone(), state.polls_missed));
        let (cpu_s, resident_bytes) = process();
        Numbers {
            polls: counted.polls,
            polls_missed: polls_missed + counted.polls_refused,
            polls_failed: counted.polls_failed,
            requests: counted.requests,
            retries: counted.retries,
            strays: session.strays,
            duplicates: session.duplicates,
            rejected: session.wrong_source
                + session.wrong_community
                + session.wrong_version
                + session.undecodable,
            overflows: wire.dropped.unwrap_or(0),
            octets_sent: counted.octets_sent,
            octets_received: counted.octets_received,
            poll_latency: counted.poll_latency.latencies(),
            commit_latency: counted.commit_latency.latencies(),
            queues,
            cpu_s,
            resident_bytes,
            uptime_s: 0,
            store_bytes: 0,
        }
    }

    fn feed(&self) -> &Feed {
        &self.feed
    }

    fn faults(
        &self,
        which: Which,
        device: Option<Arc<str>>,
        limit: usize,
        before: Option<FaultId>,
    ) -> Later<'_, Result<Vec<Fault>, Unavailable>> {
        let filter = match which {
            Which::Open => FaultFilter::Open,
            Which::Closed => FaultFilter::Closed,
            Which::All => FaultFilter::All,
        };
        Box::pin(async move {
            let mut faults = self.reader.faults(filter, limit, before).await.map_err(unavailable)?;
            faults.retain(|fault| device.as_ref().is_none_or(|device| fault.key.device == *device));
            self.read(|state| faults.iter_mut().for_each(|fault| with_flags(state, fault)));
            Ok(faults)
        })
    }

    fn fault(&self, id: FaultId) -> Later<'_, Result<Option<(Fault, Vec<Transition>)>, Unavailable>> {
        Box::pin(async move {
            let mut found = self.reader.fault(id).await.map_err(unavailable)?;
            if let Some((fault, _)) = &mut found {
                self.read(|state| with_flags(state, fault));
            }
            Ok(found)
        })
    }

    fn transitions_after(&self, id: u64, limit: usize) -> Later<'_, Result<Vec<Transition>, Unavailable>> {
        Box::pin(async move { self.reader.transitions_after(id, limit).await.map_err(unavailable) })
    }

    fn acknowledge(&self, id: FaultId, by: Arc<str>) -> Later<'_, Result<Fault, ActionError>> {
        Box::pin(self.request(id, by, false))
    }

    fn close(&self, id: FaultId, by: Arc<str>) -> Later<'_, Result<Fault, ActionError>> {
        Box::pin(self.request(id, by, true))
    }

    fn recall(&self, key: String) -> Later<'_, Result<Option<Kept>, Unavailable>> {
        Box::pin(async move {
            let answer = self.reader.answer(&key, self.clock.now().wall).await.map_err(unavailable)?;
            Ok(answer.map(|answer| Kept { status: answer.status, body: answer.body }))
        })
    }

    fn remember(&self, key: String, answer: Kept) -> Later<'_, Result<(), Unavailable>> {
        let at = self.clock.now().wall;
        let answer = Answer { key: key.into(), at, status: answer.status, body: answer.body };
        let stored = self.store.remember(answer);
        Box::pin(async move { stored.await.map_err(unavailable) })
    }
}

/// What is known of an open fault beyond what is durable.
fn with_flags(state: &State, fault: &mut Fault) {
    if let Some(shown) = state.open.get(&fault.id).filter(|_| fault.is_open()) {
        fault.stale = shown.stale;
        fault.condition = shown.condition;
    }
}

/// Readings by names instead of indices.
fn named(latest: &Latest) -> Vec<SiteReading> {
    let model = &latest.profile.model;
    let taken_at = latest.readings.taken_at.wall;
    let named = |reading: &roundsman_core::reading::Reading| {
        let metric = model.metrics.get(reading.metric.at())?;
        Some(SiteReading {
            metric: metric.name.clone(),
            title: metric.title.clone(),
            kind: metric.kind,
            limits: [].into(),
            instance: latest.name(reading.instance),
            unit: metric.unit.clone(),
            sample: reading.sample.clone(),
            taken_at,
        })
    };
    latest.readings.iter().filter_map(named).collect()
}
