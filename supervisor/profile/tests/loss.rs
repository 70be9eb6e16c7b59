//! Days of a site on virtual time: the real schedule, session, translator, rules and engine, with agents and a network
//! that loses datagrams. What is asked: partial loss is a fault of the line and never takes a device for down; a device
//! that is down is no lossy line.
//!
//! The numbers are printed (`cargo nextest run -p roundsman-profile --test loss --no-capture`).

#[path = "../../wire/tests/agent/mod.rs"]
mod agent;

use agent::{Agent, Dice, integer, text, unsigned};
use roundsman_core::derive::{Derivation, Uplink};
use roundsman_core::device::{Class, Device, DeviceIx, Network, Tier};
use roundsman_core::fault::engine::{Engine, Settings, SiteDevice};
use roundsman_core::fault::{Ask, Effect, Event, Generation, Probe};
use roundsman_core::line::{self, Line, Rounds, Window};
use roundsman_core::model::InstanceIx;
use roundsman_core::reading::Sample;
use roundsman_core::schedule::{Limits, Schedule};
use roundsman_core::time::{Mono, Now};
use roundsman_profile::catalogue::Catalogue;
use roundsman_profile::schema::Profile;
use roundsman_profile::translate::Translator;
use roundsman_wire::snmp::session::{Finished, Session, Target};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;

const DEVICES: usize = 24;
const INTERVAL_S: u32 = 60;
const PROBE_S: u32 = 10;

/// sysUpTime.0 (RFC 3418), the one thing that moves.
const UPTIME: [u32; 9] = [1, 3, 6, 1, 2, 1, 1, 3, 0];

/// How long a reach probe waits for its answer, ms.
const REACH_TIMEOUT_MS: u64 = 2_000;

/// What is under way between the box and its devices.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Arrival {
    Request(usize, Vec<u8>),
    Reply(usize, Vec<u8>),
    /// A reach probe that the engine asked for is over.
    Reached(usize, Generation, bool),
    /// A probe of the line is over: when it was sent, its round trip in µs.
    Probed(usize, Mono, Option<u64>),
}

struct Member {
    agent: Agent,
    target: Target,
    translator: Translator,
    derivation: Derivation,
    window: Window,
    dead: bool,
    /// What the latest poll said of the line's loss.
    loss: Option<Sample>,
}

struct World {
    now: Now,
    profile: Arc<Profile>,
    members: Vec<Member>,
    schedule: Schedule,
    session: Session,
    engine: Engine,
    rounds: Rounds,
    probed: u64,
    under_way: BinaryHeap<Reverse<(Mono, u64, Arrival)>>,
    order: u64,
    dice: Dice,
    /// Of a thousand datagrams each way.
    loss: u64,
    polls: u64,
    silent: u64,
    probes: (u64, u64),
    /// Transitions by device and words.
    heard: Vec<(Mono, String)>,
}

fn router() -> Agent {
    let system = [1, 3, 6, 1, 2, 1, 1];
    let mut objects = vec![
        ([&system[..], &[1, 0]].concat(), text("a router")),
        ([&system[..], &[5, 0]].concat(), text("rt")),
    ];
    for row in 1..=4 {
        let column = |column: u32| vec![1, 3, 6, 1, 2, 1, 2, 2, 1, column, row];
        let extended = |column: u32| vec![1, 3, 6, 1, 2, 1, 31, 1, 1, 1, column, row];
        objects.extend([
            (extended(1), text(&format!("GE0/0/{row}"))),
            (extended(6), unsigned(0x46, 1_000)),
            (extended(10), unsigned(0x46, 1_000)),
            (extended(15), unsigned(0x42, 1_000)),
            (column(7), integer(1)),
            (column(8), integer(1)),
        ]);
    }
    Agent::new(objects)
}

fn device(at: usize) -> Device {
    let uplink = roundsman_core::device::Uplink { device: DeviceIx(0), port: None };
    Device {
        id: format!("rt-{at}").into(),
        name: "".into(),
        class: Class::Router,
        profile: "snmp-generic".into(),
        tier: Tier::County,
        network: Network::Business,
        location: "".into(),
        address: "".into(),
        uplinks: if at == 0 { vec![] } else { vec![uplink] },
        interval_s: INTERVAL_S,
        tags: vec![("GE0/0/1".into(), "uplink".into())],
        line: Line { speed: None, probe_s: Some(PROBE_S) },
    }
}

impl World {
    fn new(seed: u64, loss: u64) -> World {
        let now = Now::at(1_000_000, 1_795_000_000_000);
        let profile = Catalogue::embedded().unwrap().get("snmp-generic").unwrap().clone();
        let devices: Vec<Device> = (0..DEVICES).map(device).collect();
        let member = |at: usize| {
            let address = SocketAddr::from(([192, 0, 2, at as u8 + 1], 161));
            Member {
                agent: router(),
                target: Target::new(address, b"public"),
                translator: Translator::default(),
                derivation: Derivation::default(),
                window: Window::new(PROBE_S * 1_000),
                dead: false,
                loss: None,
            }
        };
        let schedule = Schedule::new(&devices, Limits::default(), now.mono);
        let mut engine = Engine::new(Settings::default());
        let sites = devices.into_iter().map(|device| SiteDevice { device, model: profile.model.clone() });
        engine.load(sites.collect::<Vec<_>>(), now);
        World {
            now,
            members: (0..DEVICES).map(member).collect(),
            schedule,
            session: Session::new(seed),
            engine,
            rounds: Rounds::new([PROBE_S; DEVICES]),
            probed: now.mono.0 / 1_000,
            under_way: BinaryHeap::new(),
            order: 0,
            dice: Dice(seed),
            loss,
            polls: 0,
            silent: 0,
            probes: (0, 0),
            heard: Vec::new(),
            profile,
        }
    }

    /// Time passes up to `until`, event by event.
    fn pass(&mut self, until: Mono) {
        loop {
            self.look();
            let line = self.rounds.next_after(self.probed).map(|second| Mono(second * 1_000));
            let arrival = self.under_way.peek().map(|Reverse((at, ..))| *at);
            let due = [
                self.schedule.poll_timeout(),
                self.session.poll_timeout(),
                self.engine.poll_timeout(),
                line,
                arrival,
            ];
            let next = due.into_iter().flatten().min().filter(|next| *next <= until);
            let Some(next) = next else {
                self.now = self.now.plus_ms(until.since_ms(self.now.mono));
                return;
            };
            self.now = self.now.plus_ms(next.since_ms(self.now.mono));
            self.session.handle_timeout(self.now.mono);
            self.probe_lines();
            while let Some(Reverse((at, _, arrival))) = self.under_way.pop() {
                if at > self.now.mono {
                    self.put(at, arrival);
                    break;
                }
                self.arrive(arrival);
            }
        }
    }

    /// What the loop of the service does after every event.
    fn look(&mut self) {
        if self.engine.poll_timeout().is_some_and(|at| at <= self.now.mono) {
            self.engine.handle(Event::Tick, self.now);
        }
        loop {
            while let Some(finished) = self.session.poll_finished() {
                self.polled(finished);
            }
            self.carry_out();
            self.schedule.tick(self.now.mono);
            while let Some(start) = self.schedule.start(self.now.mono) {
                let device = start.device;
                let generation = self.engine.generation(device);
                let plan = self.profile.plan.clone();
                let target = &self.members[device.at()].target;
                self.session.start(device.0, generation, target, plan, self.now.mono).expect("there is room");
            }
            while let Some(transmit) = self.session.poll_transmit() {
                let SocketAddr::V4(to) = transmit.to else { unreachable!("a device of the test") };
                let device = usize::from(to.ip().octets()[3]) - 1;
                self.send(Arrival::Request, device, transmit.bytes);
            }
            if self.session.poll_timeout().is_none_or(|at| at > self.now.mono) {
                return;
            }
            self.session.handle_timeout(self.now.mono);
        }
    }

    /// One way through the network: 5 to 14 ms, or never.
    fn way_ms(&mut self) -> Option<u64> {
        let (falls, takes) = (self.dice.roll(1_000), 5 + self.dice.roll(10));
        (falls >= self.loss).then_some(takes)
    }

    fn send(&mut self, arrival: impl Fn(usize, Vec<u8>) -> Arrival, device: usize, bytes: Vec<u8>) {
        if let Some(ms) = self.way_ms() {
            self.put(self.now.mono.plus_ms(ms), arrival(device, bytes));
        }
    }

    fn put(&mut self, at: Mono, arrival: Arrival) {
        self.order += 1;
        self.under_way.push(Reverse((at, self.order, arrival)));
    }

    /// There and back, ms; `None` where it is lost or nobody answers.
    fn round_trip(&mut self, device: usize) -> Option<u64> {
        let (there, back) = (self.way_ms(), self.way_ms());
        there.zip(back).map(|(there, back)| there + back).filter(|_| !self.members[device].dead)
    }

    fn probe_lines(&mut self) {
        while let Some(second) = self.rounds.next_after(self.probed).filter(|s| s * 1_000 <= self.now.mono.0)
        {
            self.probed = second;
            let due: Vec<usize> = self.rounds.due(second).collect();
            for device in due {
                let trip_ms = self.round_trip(device);
                self.probes = (self.probes.0 + 1, self.probes.1 + u64::from(trip_ms.is_none()));
                let at = self.now.mono.plus_ms(trip_ms.unwrap_or(REACH_TIMEOUT_MS));
                self.put(at, Arrival::Probed(device, self.now.mono, trip_ms.map(|ms| ms * 1_000)));
            }
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Request(device, bytes) => {
                if self.members[device].dead {
                    return;
                }
                let agent = &mut self.members[device].agent;
                agent.objects.insert(UPTIME.to_vec(), unsigned(0x43, self.now.mono.0 / 10));
                if let Some(reply) = agent.handle(&bytes) {
                    self.send(Arrival::Reply, device, reply);
                }
            }
            Arrival::Reply(device, bytes) => {
                let from = self.members[device].target.address;
                self.session.handle_datagram(from, &bytes, self.now.mono);
            }
            Arrival::Reached(device, generation, answered) => {
                let device = DeviceIx(device as u32);
                self.engine.handle(Event::Reached { device, generation, answered }, self.now);
            }
            Arrival::Probed(device, sent, took_us) => self.members[device].window.add(sent, took_us),
        }
    }

    fn polled(&mut self, finished: Finished) {
        let device = DeviceIx(finished.key);
        self.polls += 1;
        self.silent += u64::from(!finished.answer.answered);
        self.schedule.finished(device, finished.answer.answered, self.now.mono);
        let Member { translator, derivation, window, loss, .. } = &mut self.members[device.at()];
        let mut readings = translator.translate(&self.profile, &finished.answer, self.now);
        line::add_to(&mut readings, &self.profile.model, &window.quality(self.now.mono));
        derivation.apply(&self.profile.model, &mut readings, Uplink::default());
        let metric = self.profile.model.metric("line.loss").unwrap();
        *loss = readings.get(metric, InstanceIx::SCALAR).cloned();
        let event = Event::Polled {
            device,
            generation: finished.generation,
            readings: &readings,
            labels: translator.labels(),
        };
        self.engine.handle(event, self.now);
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Commit { transition, .. } => {
                    let fault = &transition.fault;
                    let word =
                        format!("{} {} {}", fault.key.device, fault.key.rule, transition.change.word());
                    self.heard.push((self.now.mono, word));
                }
                Effect::Ask(Ask { device, probe: Probe::Poll, at, .. }) => self.schedule.ask(device, at),
                Effect::Ask(Ask { device, probe: Probe::Reach, generation, .. }) => {
                    let trip_ms = self.round_trip(device.at());
                    let at = self.now.mono.plus_ms(trip_ms.unwrap_or(REACH_TIMEOUT_MS));
                    self.put(at, Arrival::Reached(device.at(), generation, trip_ms.is_some()));
                }
                Effect::Hide(changes) => unreachable!("the box hangs on no device, yet {changes:?}"),
                Effect::Refuse { .. } => unreachable!("nobody asks for anything"),
            }
        }
    }

    fn minutes(&mut self, minutes: u64) {
        self.pass(self.now.mono.plus_ms(minutes * 60_000));
    }

    /// How often each thing was heard, without the device.
    fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for (_, word) in &self.heard {
            *counts.entry(word.split_once(' ').map_or("", |(_, what)| what)).or_default() += 1;
        }
        counts
    }
}

/// One of the product's figures: false "down" in 10,000 polls with 20 % loss each way.
#[test]
fn a_line_that_loses_a_fifth_each_way_is_lossy_and_never_down() {
    for seed in [1, 2, 3] {
        let mut world = World::new(seed, 200);
        while world.polls < 10_000 {
            world.minutes(1);
        }
        let counts = world.counts();
        eprintln!(
            "seed {seed}: {} polls of {DEVICES} devices, {} without any answer; {} of {} probes lost; {counts:?}",
            world.polls, world.silent, world.probes.1, world.probes.0
        );
        let lost = world.probes.1 as f64 / world.probes.0 as f64;
        assert!((0.34..0.38).contains(&lost), "1 - 0.8 * 0.8 is expected: {lost}");
        assert!(world.silent > 100, "polls are lost as a whole, too");
        assert_eq!(counts.get("unreachable raised"), None, "false down");
        assert_eq!(counts.get("line-lossy raised"), Some(&DEVICES));
        assert_eq!(counts.get("line-lossy ended"), None, "it never was well");
        assert!(
            world.heard.iter().all(|(_, word)| word.contains("line-lossy") || word.contains("no-data")),
            "{counts:?}"
        );
    }
}

#[test]
fn a_line_that_loses_nothing_or_next_to_nothing_raises_nothing() {
    for (seed, loss) in [(4, 0), (5, 1)] {
        let mut world = World::new(seed, loss);
        world.minutes(24 * 60);
        assert_eq!(world.heard, [], "{} polls", world.polls);
    }
}

/// Down for 40 minutes, and for half a minute: `unreachable` for the long one, a lossy line for neither, nor afterwards.
#[test]
fn a_dead_device_is_unreachable_and_no_lossy_line() {
    let mut world = World::new(6, 0);
    world.minutes(30);
    for down_ms in [40 * 60_000, 35_000, 120_000] {
        world.heard.clear();
        (3..6).for_each(|at| world.members[at].dead = true);
        world.pass(world.now.mono.plus_ms(down_ms));
        (3..6).for_each(|at| world.members[at].dead = false);
        world.minutes(3);
        for member in &world.members[3..6] {
            let loss = member.loss.as_ref().and_then(|sample| sample.as_ref().ok()?.number());
            assert!(loss.is_none_or(|loss| loss < 10.0), "judged by the outage: {loss:?}");
        }
        world.minutes(40);
        let counts = world.counts();
        assert!(counts.keys().all(|what| what.starts_with("unreachable")), "{counts:?}");
        if down_ms > 60_000 {
            assert_eq!(counts.get("unreachable raised"), Some(&3), "{down_ms} ms");
            assert_eq!(counts.get("unreachable ended"), Some(&3));
        }
        let loss = world.members[3].loss.clone().unwrap();
        assert_eq!(loss.map(|value| value.number()), Ok(Some(0.0)));
    }
}
