//! The loop: everything that happens in a running supervisor passes through here, one event at a time.
//!
//! schedule → driver → reading → rule → fault → effects → store → panel: [`Supervisor::run`] waits for the next
//! [`Event`] or the next due moment, hands it to the values that decide ([`Schedule`], [`Engine`]) and carries out
//! what they ask for. Nothing here decides.
//!
//! | queue | bound | when it is full |
//! |---|---|---|
//! | SNMP polls to the driver | driver's own | the device waits for its next turn, counted as missed |
//! | answers from the driver | 256 | the driver waits: the kernel's receive buffer takes the burst |
//! | requests to a bus | driver's own | as with SNMP polls |
//! | what comes of all buses | 256 | their owners wait, and take no further requests |
//! | what comes of all cameras | [`cameras::MOST_CHECKED`] | their tasks wait |
//! | events of tasks | [`MOST_EVENTS`] | the sending task waits |
//! | operator requests | [`MOST_REQUESTS`] | refused with 503 |
//! | commands to devices | [`MOST_COMMANDS`] | refused with 503 |
//! | reach probes under way | [`MOST_PROBES`] | further ones wait, their deadline runs |
//! | probes of lines | 3 a device, 8 behind an uplink, [`MOST_PROBES`] with those above | a device's next turn is skipped |
//! | transitions to the store | [`commit::MOST_WAITING`] | the service ends and starts from what is durable |

mod buses;
mod cameras;
pub(crate) mod commands;
pub(crate) mod commit;
mod heard;
pub(crate) mod line;
mod load;
mod marks;
mod nightly;
mod numbers;
mod polled;
mod record;
mod view;

pub(crate) use cameras::Checked;
pub(crate) use polled::{Over, identified, identity_plan};
pub(crate) use view::View;

use crate::site::{Asked, Site};
use anyhow::Result;
use buses::Buses;
use cameras::Cameras;
use commands::{Given, MOST_COMMANDS};
use commit::Committer;
use marks::Marker;
use nightly::Nightly;
use polled::Runtime;
use record::Recorder;
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::engine::{Engine, Settings};
use roundsman_core::fault::{self, Act, Effect, FaultId, Generation, Probe, RequestId, Transition};
use roundsman_core::schedule::{Limits, Schedule, Start};
use roundsman_core::tally::{Cost, Driver, Polled};
use roundsman_core::time::{Mono, Now};
use roundsman_driver::bus;
use roundsman_driver::clock::Clock;
use roundsman_driver::reach::{Prober, Reach};
use roundsman_driver::snmp::{self, Finished, Snmp};
use roundsman_panel::{ActionError, Unavailable};
use roundsman_store::{Restored, Store, StoreError};
use roundsman_wire::bus::Rank;
use roundsman_wire::bus::session::Ask;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use view::Lenses;

/// Events of tasks (reach probes, commits, signals) that wait for the loop.
const MOST_EVENTS: usize = 1_024;

/// Operator requests that wait for the loop.
pub(crate) const MOST_REQUESTS: usize = 64;

/// Reach probes under way at once.
const MOST_PROBES: usize = 256;

/// Answers taken in one go before timers are looked at again.
const MOST_AT_ONCE: usize = 64;

/// How long a reach probe waits for its answer, in ms.
const REACH_TIMEOUT_MS: u32 = 2_000;

/// How often polls are recorded, in ms: a power cut may lose that much of history.
const RECORD_EVERY_MS: u64 = 60_000;

/// How often flags that are not durable (stale, clearing) are shown anew at most, in ms.
const SHOW_EVERY_MS: u64 = 1_000;

/// Marks the poller's key of a reach probe by SNMP, apart from the device's polls.
const REACH_KEY: u32 = 1 << 31;

/// The same of a probe that looks at the device's line.
const LINE_KEY: u32 = 1 << 30;

/// What an operator wants.
#[derive(Debug)]
pub(crate) struct Request {
    /// Which fault.
    pub fault: FaultId,
    /// Who.
    pub by: Arc<str>,
    /// What.
    pub act: Act,
    /// Where the answer goes after the commit.
    pub reply: oneshot::Sender<Result<fault::Fault, ActionError>>,
}

/// Everything that can happen. Closed: a new kind of input is a new variant here.
#[derive(Debug)]
enum Event {
    /// A poll ended.
    Polled(Box<Finished>),
    /// Something came of a bus.
    Bus(Box<bus::Outcome>),
    /// Something came of a camera or recorder.
    Onvif(Box<cameras::Outcome>),
    /// A reach probe ended; `None` where it could not be made at all.
    Reached { key: u32, generation: Generation, probed: Option<Polled> },
    /// An operator wants something.
    Operator(Request),
    /// Somebody gives a device a command.
    Command(Given),
    /// A batch of transitions is durable, or not.
    Committed(Vec<commit::Waiting>, Result<(), StoreError>, Duration),
    /// The site file is to be read again.
    Reload,
    /// The service is to end.
    Stop,
}

/// A running supervisor.
pub(crate) struct Supervisor {
    clock: Clock,
    site_path: PathBuf,
    site: Site,
    engine: Engine,
    schedule: Schedule,
    /// Per device, in the order of the site.
    devices: Vec<Runtime>,
    lenses: Lenses,
    /// The next poller's key that nobody has had, and the way back from those in use.
    next_key: u32,
    by_key: HashMap<u32, DeviceIx>,
    snmp: Snmp,
    answers: mpsc::Receiver<Finished>,
    buses: Buses,
    outcomes: mpsc::Receiver<bus::Outcome>,
    cameras: Cameras,
    of_cameras: mpsc::Receiver<cameras::Outcome>,
    prober: Arc<Prober>,
    probes: Arc<Semaphore>,
    probing: line::Probing,
    store: Arc<Store>,
    marker: Marker,
    /// The clock when it was looked at last.
    seen: Now,
    committer: Committer,
    recorder: Recorder,
    nightly: Nightly,
    events: mpsc::Receiver<Event>,
    sender: mpsc::Sender<Event>,
    requests: mpsc::Receiver<Request>,
    commands: mpsc::Receiver<Given>,
    waiting_requests: HashMap<RequestId, oneshot::Sender<Result<fault::Fault, ActionError>>>,
    next_request: u64,
    view: Arc<View>,
    record_at: Mono,
    /// Not before this moment are flags shown anew: with few polls at once, with many once a second.
    show_at: Mono,
    /// A poll ended since they were shown.
    shows: bool,
    stopping: bool,
}

/// What [`Supervisor::start`] gives besides the supervisor.
pub(crate) struct Handle {
    sender: mpsc::Sender<Event>,
    /// What the panel looks at.
    pub view: Arc<View>,
}

impl Handle {
    /// Has the site file read again.
    pub(crate) async fn reload(&self) {
        let _ = self.sender.send(Event::Reload).await;
    }

    /// Ends the loop; everything is stored before it returns.
    pub(crate) async fn stop(&self) {
        let _ = self.sender.send(Event::Stop).await;
    }
}

impl Supervisor {
    /// Takes over the store and what it kept, and gets everything ready; nothing is polled yet.
    pub(crate) async fn start(
        site_path: PathBuf,
        site: Site,
        (store, restored): (Store, Restored),
        version: &str,
    ) -> Result<(Supervisor, Handle)> {
        let clock = Clock::new();
        let now = clock.now();
        let store = Arc::new(store);
        let (snmp, answers) = Snmp::start(clock, snmp::Options::default())?;
        let (buses, outcomes) = Buses::new(clock);
        let (cameras, of_cameras) = Cameras::new(clock, store.clone(), &restored.logins)?;
        let marker = Marker::new(clock, site.clock);
        let (prober, probes) = (Arc::new(Prober::new(clock)), Arc::new(Semaphore::new(MOST_PROBES)));
        let means = line::Means { clock, prober: prober.clone(), snmp: snmp.clone(), places: probes.clone() };
        let (sender, events) = mpsc::channel(MOST_EVENTS);
        let (request_sender, requests) = mpsc::channel(MOST_REQUESTS);
        let (command_sender, commands) = mpsc::channel(MOST_COMMANDS);
        let mut engine = Engine::new(Settings { utc_offset_s: load::utc_offset_s(&site, now) });
        let view = Arc::new(View::new(
            &site,
            version,
            clock,
            snmp.clone(),
            store.clone(),
            (request_sender, command_sender),
            restored.next_transition,
        ));
        load::take_over(&mut engine, &view, &restored, &marker.mark(now));
        let mut supervisor = Supervisor {
            clock,
            site_path,
            engine,
            schedule: Schedule::new([], Limits::default(), now.mono),
            devices: Vec::new(),
            lenses: Lenses::default(),
            next_key: 0,
            by_key: HashMap::new(),
            snmp,
            answers,
            buses,
            outcomes,
            cameras,
            of_cameras,
            prober,
            probes,
            probing: line::Probing::start(means),
            committer: Committer::new(store.clone(), marker.clone()),
            recorder: Recorder::new(store.clone(), marker.clone()),
            nightly: Nightly::new(&site.store, view.backups()),
            store,
            marker,
            seen: now,
            events,
            sender: sender.clone(),
            requests,
            commands,
            waiting_requests: HashMap::new(),
            next_request: 0,
            view: view.clone(),
            record_at: now.mono.plus_ms(RECORD_EVERY_MS),
            show_at: now.mono,
            shows: false,
            stopping: false,
            site,
        };
        supervisor.load(now, &restored.latest).await;
        Ok((supervisor, Handle { sender, view }))
    }

    /// Runs until [`Handle::stop`], then stores what there is.
    pub(crate) async fn run(mut self) -> Result<()> {
        while !self.stopping {
            let now = self.clock.now();
            let due = self.next_due();
            let wake_ms = due.map_or(60_000, |due| due.since_ms(now.mono));
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => self.handle(event).await?,
                Some(request) = self.requests.recv() => self.handle(Event::Operator(request)).await?,
                Some(given) = self.commands.recv() => self.handle(Event::Command(given)).await?,
                Some(finished) = self.answers.recv() => {
                    self.handle(Event::Polled(Box::new(finished))).await?;
                    for _ in 1..MOST_AT_ONCE {
                        let Ok(finished) = self.answers.try_recv() else { break };
                        self.handle(Event::Polled(Box::new(finished))).await?;
                    }
                }
                Some(outcome) = self.outcomes.recv() => self.handle(Event::Bus(Box::new(outcome))).await?,
                Some(outcome) = self.of_cameras.recv() => self.handle(Event::Onvif(Box::new(outcome))).await?,
                () = tokio::time::sleep(Duration::from_millis(wake_ms)) => {}
            }
            self.look_at_the_clock(due).await?;
        }
        self.finish().await
    }

    async fn handle(&mut self, event: Event) -> Result<()> {
        let now = self.clock.now();
        self.mark_steps(now);
        match event {
            Event::Polled(finished) if finished.key & REACH_KEY != 0 => {
                let (key, generation) = (finished.key & !REACH_KEY, finished.generation);
                self.reached(key, generation, Some(Over::from(*finished).counted(None)), now);
            }
            Event::Polled(finished) if finished.key & LINE_KEY != 0 => self.line_probed(&finished),
            Event::Polled(finished) => self.polled((*finished).into(), now),
            Event::Bus(outcome) => self.of_bus(*outcome, now),
            Event::Onvif(outcome) => match *outcome {
                cameras::Outcome::Checked(checked) => self.polled(checked.into(), now),
                cameras::Outcome::Told(told) => self.told(told, now),
            },
            Event::Reached { key, generation, probed } => self.reached(key, generation, probed, now),
            Event::Operator(request) => self.operate(request, now),
            Event::Command(given) => self.command(given),
            Event::Committed(batch, result, took) => self.committed(batch, result, took, now)?,
            Event::Reload => self.reload(now).await,
            Event::Stop => self.stopping = true,
        }
        self.carry_out(now);
        Ok(())
    }

    /// When something is due without any event.
    fn next_due(&self) -> Option<Mono> {
        let schedule = self.schedule.poll_timeout();
        let show = self.shows.then_some(self.show_at);
        [schedule, self.engine.poll_timeout(), self.committer.retry_at(), Some(self.record_at), show]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what has become due; `due` is when the first of it was, as of before the loop waited.
    async fn look_at_the_clock(&mut self, due: Option<Mono>) -> Result<()> {
        let now = self.clock.now();
        let late_ms = due.filter(|due| *due <= now.mono).map(|due| now.mono.since_ms(due));
        self.view.measured().add_wakeup(late_ms);
        self.mark_steps(now);
        if self.engine.poll_timeout().is_some_and(|at| at <= now.mono) {
            self.engine.handle(fault::Event::Tick, now);
            self.carry_out(now);
        }
        self.schedule.tick(now.mono);
        while let Some(start) = self.schedule.start(now.mono) {
            self.start_poll(start, now);
        }
        while let Some((device, polls)) = self.schedule.poll_missed() {
            self.view.count_missed(device, self.devices[device.at()].driver(), polls);
        }
        if now.mono >= self.record_at {
            self.record_at = now.mono.plus_ms(RECORD_EVERY_MS);
            self.recorder.go_on(now);
            self.nightly.go_on(now, &self.site.zone).await;
        }
        if self.shows && now.mono >= self.show_at {
            self.shows = false;
            self.show_at = now.mono.plus_ms(SHOW_EVERY_MS);
            self.view.show_flags(&self.engine);
            self.view.keep_queues(self.queues());
        }
        self.committer.go_on(&self.sender, now);
        Ok(())
    }

    fn queues(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("polls-running", self.schedule.running() as u64),
            ("polls-waiting", self.schedule.waiting() as u64),
            ("events", (self.events.max_capacity() - self.events.capacity()) as u64),
            ("transitions", self.committer.waiting() as u64),
            ("store", self.store.queued() as u64),
            ("suspects", self.engine.suspects() as u64),
        ]
    }

    fn start_poll(&mut self, Start { device, late_ms }: Start, now: Now) {
        let runtime = &mut self.devices[device.at()];
        runtime.late_ms = late_ms;
        let (key, generation) = (runtime.key, self.engine.generation(device));
        let started = match &runtime.entry.asked {
            Asked::Snmp(target) => {
                let request = snmp::Request { key, generation, target: target.clone(), plan: runtime.plan() };
                self.snmp.poll(request).map_err(|busy| busy.to_string())
            }
            Asked::Bus { bus, target, .. } => {
                let asks = runtime.entry.profile.bus.as_ref().map(|of| of.plan.clone());
                let started = asks.map_or(Err(bus::Busy::Ended), |plan| {
                    let ask = Ask { plan, target: target.clone(), rank: Rank::Poll, wanted: None };
                    self.buses.poll(bus, bus::Request { key, generation, ask })
                });
                started.map_err(|busy| busy.to_string())
            }
            Asked::Onvif(_) => {
                let questions = runtime.entry.profile.questions.clone();
                let started = self.cameras.check(&runtime.entry.device.id, generation, questions);
                if started { Ok(()) } else { Err("the camera is not there".to_owned()) }
            }
        };
        if let Err(busy) = started {
            tracing::warn!(device = %runtime.entry.device.id, busy, "poll not started");
            self.schedule.finished(device, true, now.mono);
            self.view.count_missed(device, self.devices[device.at()].driver(), 1);
        }
    }

    fn reached(&mut self, key: u32, generation: Generation, probed: Option<Polled>, now: Now) {
        let Some(&device) = self.by_key.get(&key) else {
            return;
        };
        // A probe that could not be made says nothing about the device; the ask's deadline decides.
        let Some(probed) = probed else { return };
        self.view.count_poll(device, Driver::Reach, &probed, &[]);
        let answered = probed.answered;
        self.engine.handle(fault::Event::Reached { device, generation, answered }, now);
    }

    /// Something came of a bus.
    fn of_bus(&mut self, outcome: bus::Outcome, now: Now) {
        match outcome {
            bus::Outcome::Polled(finished) => self.polled(finished.into(), now),
            bus::Outcome::Heard { bus, octets } => self.heard(&bus, &octets, now),
        }
    }

    /// A probe of a device's line by SNMP ended.
    fn line_probed(&mut self, finished: &Finished) {
        let device = self.by_key.get(&(finished.key & !LINE_KEY));
        if let Some(line) = device.and_then(|device| self.devices[device.at()].line.as_ref()) {
            line.finished(finished);
        }
    }

    fn operate(&mut self, request: Request, now: Now) {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.waiting_requests.retain(|_, reply| !reply.is_closed());
        let Request { fault, by, act, reply } = request;
        self.waiting_requests.insert(id, reply);
        let event = fault::Event::Act { request: id, fault, by, act };
        self.engine.handle(event, now);
    }

    fn answer(&mut self, request: RequestId, answer: Result<fault::Fault, ActionError>) {
        if let Some(reply) = self.waiting_requests.remove(&request) {
            let _ = reply.send(answer);
        }
    }

    /// Carries out what the engine asks for.
    fn carry_out(&mut self, now: Now) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Commit { transition, request } => self.committer.take(*transition, request, now),
                Effect::Hide(changes) => self.committer.hide(changes, now),
                Effect::Ask(ask) => self.ask(ask),
                Effect::Refuse { request, why } => self.answer(request, Err(ActionError::Refused(why))),
            }
        }
        self.committer.go_on(&self.sender, now);
    }

    fn ask(&mut self, ask: fault::Ask) {
        match ask.probe {
            Probe::Poll => self.schedule.ask(ask.device, ask.at),
            Probe::Reach => self.probe_reach(ask),
        }
    }

    /// Starts a reach probe; its answer comes back as an event.
    fn probe_reach(&mut self, ask: fault::Ask) {
        let runtime = &self.devices[ask.device.at()];
        let (key, generation) = (runtime.key, ask.generation);
        if let (Reach::Snmp, Asked::Snmp(target)) = (runtime.reach, &runtime.entry.asked) {
            let request = snmp::Request {
                key: key | REACH_KEY,
                generation,
                target: target.clone(),
                plan: Arc::new(snmp::reach_plan()),
            };
            if let Err(busy) = self.snmp.poll(request) {
                tracing::warn!(device = %runtime.entry.device.id, %busy, "reach probe not started");
            }
            return;
        }
        if let (Reach::Bus, Asked::Bus { bus, .. }) = (runtime.reach, &runtime.entry.asked) {
            if let Some(answered) = self.buses.is_reached(bus) {
                let (device, now) = (ask.device, self.clock.now());
                self.engine.handle(fault::Event::Reached { device, generation, answered }, now);
            }
            return;
        }
        let Some(address) = runtime.entry.address else { return };
        let (prober, probes, sender) = (self.prober.clone(), self.probes.clone(), self.sender.clone());
        let (reach, id) = (runtime.reach, runtime.entry.device.id.clone());
        let (clock, due) = (self.clock, ask.at);
        tokio::spawn(async move {
            let Ok(_place) = probes.acquire().await else {
                return;
            };
            let started = clock.now().mono;
            let probed = match prober.probe(address, reach, REACH_TIMEOUT_MS).await {
                Ok(reached) => {
                    let answered = reached.answered();
                    let cost = Cost { requests: 1, timeouts: u32::from(!answered), ..Cost::default() };
                    let took_ms = clock.now().mono.since_ms(started);
                    Some(Polled { answered, took_ms, late_ms: Some(started.since_ms(due)), cost })
                }
                Err(error) => {
                    tracing::warn!(device = %id, %error, "reach probe not possible");
                    None
                }
            };
            let _ = sender.send(Event::Reached { key, generation, probed }).await;
        });
    }

    /// Transitions became durable: now the world hears of them.
    fn committed(
        &mut self,
        batch: Vec<commit::Waiting>,
        result: Result<(), StoreError>,
        took: Duration,
        now: Now,
    ) -> Result<()> {
        self.view.measured().add_commit(took);
        if let Err(error) = result {
            return self.committer.failed(batch, error, now.mono);
        }
        self.committer.succeeded();
        self.view.publish(batch.iter().map(|waiting| &waiting.step));
        for waiting in batch {
            let Some(transition) = waiting.step.transition else { continue };
            log_transition(&transition);
            if let Some(request) = waiting.request {
                self.answer(request, Ok(transition.fault));
            }
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<()> {
        let now = self.clock.now();
        self.carry_out(now);
        while self.committer.is_busy() {
            let Some(event) = self.events.recv().await else {
                break;
            };
            if let Event::Committed(batch, result, took) = event {
                let failed = result.is_err();
                self.committed(batch, result, took, now)?;
                if failed {
                    anyhow::bail!(
                        "the store refused the last transitions; they are judged anew at the next start"
                    );
                }
                self.committer.go_on(&self.sender, now);
            }
        }
        self.recorder.finish(now).await;
        tracing::info!("everything is stored");
        Ok(())
    }
}

fn log_transition(transition: &Transition) {
    let fault = &transition.fault;
    tracing::info!(
        number = %fault.number,
        change = transition.change.word(),
        severity = fault.severity.word(),
        device = %fault.key.device,
        "{}",
        fault.summary.en
    );
}

/// Why an action failed, for callers whose request never reached the loop.
pub(crate) fn overloaded() -> ActionError {
    ActionError::Unavailable(Unavailable(format!("{MOST_REQUESTS} operator requests are waiting already")))
}
