//! The supervisor without sockets: the real engine asks, the world answers at once; what it decides goes into a real
//! store, with whom it hides, as `app::supervise` does it.

use crate::world::{BootClock, DEVICES, Event, Evidence, Id, Physics, TICK};
use roundsman_core::device::{Class, Device, DeviceIx, Network, Tier, Uplink};
use roundsman_core::fault::engine::{self, Engine, Kept, Settings, SiteDevice};
use roundsman_core::fault::{self, Act, Ask, Effect, Probe, RequestId};
use roundsman_core::model::{InstanceIx, Kind, Labels, Metric, MetricIx, Model, Record};
use roundsman_core::reading::{Absence, Readings, Value};
use roundsman_core::rule::{Level, Rule, Severity, Test};
use roundsman_core::text::Bilingual;
use roundsman_core::time::Now;
use roundsman_store::{Batch, ClockMark, DeviceRecord, Past, Step, Store, StoreError};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Id of a device in the site file.
pub(crate) fn name(id: Id) -> String {
    format!("d{id}")
}

/// Class, tier and network of a device.
pub(crate) fn place(id: Id) -> (Class, Tier, Network) {
    let class = if id < 3 { Class::Router } else { Class::Camera };
    (class, [Tier::City, Tier::County][id % 2], [Network::Business, Network::Lan, Network::Internet][id % 3])
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
}

fn model() -> Model {
    let title = Bilingual::new("温度", "Temperature");
    let metric = Metric {
        name: "temperature.value".into(),
        title: title.clone(),
        kind: Kind::Gauge,
        unit: "Cel".into(),
        record: Record::Every,
        table: None,
    };
    let test = Test::Above { limit: 65.0, clear: 60.0 };
    let rule = Rule {
        id: "hot".into(),
        name: title,
        on: MetricIx(0),
        when: None,
        levels: vec![Level { severity: Severity::Minor, test, hold_ms: None, clear_ms: 0 }],
        latch: false,
        stays_ms: None,
        cause: "temperatureUnacceptable".into(),
        advice: Bilingual::new("查", "look"),
    };
    Model {
        metrics: vec![metric],
        tables: vec![],
        derives: vec![],
        rules: vec![rule],
        uptime: None,
        line: vec![],
    }
}

/// The clocks of the box.
#[derive(Clone, Debug)]
pub(crate) struct BoxClock {
    boot: u32,
    booted_at: u64,
    /// Wall time minus true time, s.
    offset: i64,
    synchronised: bool,
}

/// A running supervisor.
struct Running {
    store: Store,
    engine: Engine,
    /// In the order of the site.
    devices: Vec<Id>,
    labels: Labels,
    /// Polls that were asked for: when, and of which device.
    asked: BTreeSet<(u64, DeviceIx)>,
    steps: Vec<Step>,
}

/// The box.
pub(crate) struct Product<'a> {
    dir: &'a Path,
    /// True second 0 in wall time, ms.
    base_ms: i64,
    model: Arc<Model>,
    clock: BoxClock,
    /// What the clock was set wrong by, s; a time server would say the same.
    set_by: i64,
    running: Option<Running>,
}

impl<'a> Product<'a> {
    pub(crate) fn new(dir: &'a Path, base_ms: i64) -> Product<'a> {
        let clock = BoxClock { boot: 0, booted_at: 0, offset: 0, synchronised: false };
        Product { dir, base_ms, model: Arc::new(model()), clock, set_by: 0, running: None }
    }

    fn now(&self, at: u64) -> Now {
        let mono_ms = (at - self.clock.booted_at + TICK) * 1000;
        Now::at(mono_ms, self.base_ms + (at as i64 + self.clock.offset) * 1000)
    }

    fn mark(&self, at: u64) -> ClockMark {
        let boot = format!("boot-{}", self.clock.boot).into();
        ClockMark { boot, now: self.now(at), synchronised: self.clock.synchronised }
    }

    /// What happens to the box and its site at `at`; `physics` has it already.
    pub(crate) fn happens(&mut self, at: u64, event: Event, physics: &Physics) {
        match event {
            Event::Stop => self.stop(at, true),
            Event::Kill | Event::PowerOff => self.stop(at, false),
            Event::Start => self.start(at, physics),
            Event::Boot(clock) => {
                let offset = match clock {
                    BootClock::Right | BootClock::Unsure => self.set_by,
                    BootClock::Epoch => TICK as i64 - at as i64 - self.base_ms / 1000,
                };
                let synchronised = clock == BootClock::Right;
                self.clock = BoxClock { boot: self.clock.boot + 1, booted_at: at, offset, synchronised };
                self.start(at, physics);
            }
            Event::Step(seconds) => {
                self.set_by += seconds;
                self.clock.offset = self.set_by;
                self.mark_now(at);
            }
            Event::Synchronise => {
                (self.clock.offset, self.clock.synchronised) = (self.set_by, true);
                self.mark_now(at);
            }
            Event::Add(_) | Event::Remove(_) | Event::Move(..) => self.load(at, physics),
            _ => {}
        }
    }

    fn mark_now(&self, at: u64) {
        if let Some(running) = &self.running {
            block_on(running.store.mark_clock(self.mark(at))).expect("marked");
        }
    }

    fn stop(&mut self, at: u64, in_order: bool) {
        if in_order {
            self.mark_now(at);
        }
        if let Some(running) = self.running.take() {
            running.store.close();
        }
    }

    fn start(&mut self, at: u64, physics: &Physics) {
        let now = self.now(at);
        // A process that another seed starts at this moment holds the lock of the former store until it is executed.
        let mut opened = Store::open(self.dir, now.wall);
        while let Err(StoreError::InUse { .. }) = opened {
            std::thread::yield_now();
            opened = Store::open(self.dir, now.wall);
        }
        let (store, restored) = opened.expect("the store opens");
        let mut engine = Engine::new(Settings::default());
        let kept = Kept {
            faults: restored.open.into_iter().chain(restored.recent).collect(),
            next_fault: restored.next_fault.0,
            next_transition: restored.next_transition,
            numbers: restored.numbers.into_iter().collect(),
            hidden: restored.hidden,
            ..Kept::default()
        };
        engine.restore(kept, now);
        let (devices, asked) = (Vec::new(), BTreeSet::new());
        let labels = Labels::default();
        self.running = Some(Running { store, engine, devices, labels, asked, steps: Vec::new() });
        self.load(at, physics);
    }

    /// Takes the site over.
    fn load(&mut self, at: u64, physics: &Physics) {
        let (now, mark) = (self.now(at), self.mark(at));
        let Some(running) = &mut self.running else { return };
        let ids: Vec<Id> = (0..DEVICES).filter(|id| physics.in_site[*id]).collect();
        let ix = |id: Id| ids.iter().position(|known| *known == id).map(|at| DeviceIx(at as u32));
        let device = |&id: &Id| {
            let (class, tier, network) = place(id);
            let up = physics.uplink[id].and_then(ix);
            Device {
                id: name(id).into(),
                name: name(id).into(),
                class,
                profile: "test".into(),
                tier,
                network,
                location: "".into(),
                address: "".into(),
                uplinks: up.map(|device| Uplink { device, port: None }).into_iter().collect(),
                interval_s: TICK as u32,
                tags: vec![],
                line: Default::default(),
            }
        };
        let devices: Vec<Device> = ids.iter().map(device).collect();
        block_on(running.store.save_devices(devices.iter().map(DeviceRecord::from).collect(), mark))
            .expect("saved");
        let site = |device: Device| SiteDevice { device, model: self.model.clone() };
        let devices = devices.into_iter().map(site).collect();
        running.engine.load(engine::Site { devices, attached_to: Some(DeviceIx(0)), sla: vec![] }, now);
        running.devices = ids;
        running.asked.clear();
        self.drain(at, physics);
    }

    /// One second: polls that are due, then everything is stored.
    pub(crate) fn second(&mut self, at: u64, physics: &Physics) {
        let mark = self.mark(at);
        let Some(running) = &mut self.running else { return };
        let mut due: BTreeSet<DeviceIx> = BTreeSet::new();
        if at.is_multiple_of(TICK) {
            due.extend((0..running.devices.len() as u32).map(DeviceIx));
        }
        // What is asked for because of an answer is answered in the same second, where it is to be at once.
        while let Some(running) = &mut self.running {
            due.extend(running.asked.iter().filter(|(when, _)| *when == at).map(|(_, device)| *device));
            running.asked.retain(|(when, _)| *when > at);
            let Some(device) = due.pop_first() else { break };
            self.poll(at, device, physics);
        }
        let Some(running) = &mut self.running else { return };
        let steps = std::mem::take(&mut running.steps);
        if !steps.is_empty() || at.is_multiple_of(TICK) {
            block_on(running.store.commit(Batch { mark: Some(mark), steps })).expect("committed");
        }
    }

    fn poll(&mut self, at: u64, device: DeviceIx, physics: &Physics) {
        let now = self.now(at);
        let Some(running) = &mut self.running else { return };
        let id = running.devices[device.at()];
        let evidence = physics.evidence(id);
        let mut readings = Readings::new(now, evidence != Evidence::Silent);
        let sample = match evidence {
            Evidence::Data => Ok(Value::Number(if physics.hot[id] { 70.0 } else { 40.0 })),
            Evidence::Mute => Err(Absence::Unsupported),
            Evidence::Silent => Err(Absence::Timeout),
        };
        readings.add(MetricIx(0), [(InstanceIx::SCALAR, sample)]);
        let generation = running.engine.generation(device);
        let event = fault::Event::Polled { device, generation, readings: &readings, labels: &running.labels };
        running.engine.handle(event, now);
        self.drain(at, physics);
    }

    /// Carries out what the engine asks for; the world answers a probe at once.
    fn drain(&mut self, at: u64, physics: &Physics) {
        let now = self.now(at);
        let Some(running) = &mut self.running else { return };
        while let Some(effect) = running.engine.poll_effect() {
            match effect {
                Effect::Commit { transition, .. } => {
                    running.steps.push(Step { now, transition: Some(*transition), hidden: Vec::new() });
                }
                Effect::Ask(Ask { device, probe: Probe::Reach, generation, .. }) => {
                    let answered = physics.evidence(running.devices[device.at()]) != Evidence::Silent;
                    running.engine.handle(fault::Event::Reached { device, generation, answered }, now);
                }
                Effect::Ask(ask) => {
                    running.asked.insert((at + ask.at.since_ms(now.mono) / 1000, ask.device));
                }
                Effect::Hide(hidden) => match running.steps.last_mut().filter(|step| step.now == now) {
                    Some(step) => step.hidden.extend(hidden),
                    None => running.steps.push(Step { now, transition: None, hidden }),
                },
                Effect::Refuse { .. } => {}
            }
        }
    }

    /// Somebody takes note of everything that is open on a device.
    pub(crate) fn acknowledge(&mut self, at: u64, id: Id, physics: &Physics) {
        let now = self.now(at);
        let Some(running) = &mut self.running else { return };
        let open = running
            .engine
            .faults()
            .filter(|fault| *fault.key.device == *name(id) && fault.acknowledged.is_none());
        for fault in open.map(|fault| fault.id).collect::<Vec<_>>() {
            running.engine.handle(
                fault::Event::Act {
                    request: RequestId(1), fault, by: "王工".into(), act: Act::Acknowledge
                },
                now,
            );
        }
        self.drain(at, physics);
        self.second(at, physics);
    }

    /// What the store says of a time, asked as the panel would: by whoever has it open, or after the end.
    pub(crate) fn past(self, from_ms: i64, to_ms: i64) -> Past {
        use roundsman_core::time::Wall;
        let store = match self.running {
            Some(running) => running.store,
            None => Store::open(self.dir, Wall(to_ms)).expect("the store opens").0,
        };
        let past = block_on(store.reader().past(Wall(from_ms), Wall(to_ms))).expect("the past is read");
        store.close();
        past
    }
}
