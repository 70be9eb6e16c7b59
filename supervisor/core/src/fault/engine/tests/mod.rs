//! The engine in a small simulated world: time moves by its own timeouts, asks are answered by the world.

mod cause;
mod found;
mod line;
mod operators;
mod presence;
mod restarts;
mod rules;
mod said;
mod service;

use super::*;
use crate::device::{Class, Network, Tier};
use crate::fault::{Change, Transition};
use crate::model::{InstanceIx, Kind, Metric, MetricIx, Record, Table, TableIx};
use crate::reading::{Absence, Sample, Value};
use crate::rule::{Comparison, Guard, Level, Literal, Rule, Test};
use proptest::prelude::*;
use std::collections::VecDeque;

const TEMPERATURE: MetricIx = MetricIx(0);
const OPER: MetricIx = MetricIx(1);
const ADMIN: MetricIx = MetricIx(2);
const SERIAL: MetricIx = MetricIx(3);

fn level(severity: Severity, test: Test, hold_ms: Option<u64>, clear_ms: u64) -> Level {
    Level { severity, test, hold_ms, clear_ms }
}

fn rule(id: &str, on: MetricIx, levels: Vec<Level>) -> Rule {
    Rule {
        id: id.into(),
        name: Bilingual::new(format!("规则 {id}"), format!("rule {id}")),
        on,
        when: None,
        levels,
        latch: false,
        stays_ms: None,
        cause: "other".into(),
        advice: Bilingual::new("查", "look"),
    }
}

fn model() -> Model {
    let metric = |name: &str, kind, table| Metric {
        name: name.into(),
        title: Bilingual::new(name, name),
        kind,
        unit: if kind == Kind::Gauge { "Cel".into() } else { "".into() },
        record: Record::Every,
        table,
    };
    let uplink = Guard::And(
        Box::new(Guard::Metric(ADMIN, Comparison::Equal, Literal::Word("up".into()))),
        Box::new(Guard::Tag(Comparison::Equal, "uplink".into())),
    );
    let above = |limit, clear| Test::Above { limit, clear };
    Model {
        metrics: vec![
            metric("temperature.value", Kind::Gauge, None),
            metric("interface.oper-status", Kind::State, Some(TableIx(0))),
            metric("interface.admin-status", Kind::State, Some(TableIx(0))),
            metric("system.serial", Kind::Text, None),
        ],
        tables: vec![Table { group: "interface".into(), discontinuity: None, speed: None }],
        derives: vec![],
        rules: vec![
            rule(
                "hot",
                TEMPERATURE,
                vec![
                    level(Severity::Critical, above(75.0, 70.0), Some(30_000), 0),
                    level(Severity::Major, above(65.0, 60.0), Some(120_000), 0),
                ],
            ),
            Rule {
                when: Some(uplink),
                ..rule(
                    "uplink-down",
                    OPER,
                    vec![level(Severity::Critical, Test::Expect(vec!["up".into()]), Some(20_000), 60_000)],
                )
            },
            rule("replaced", SERIAL, vec![level(Severity::Warning, Test::Changed, Some(0), 0)]),
            Rule {
                latch: true,
                ..rule("burnt", TEMPERATURE, vec![level(Severity::Minor, above(90.0, 85.0), Some(0), 0)])
            },
        ],
        uptime: None,
        line: vec![],
    }
}

fn device(id: &str) -> Device {
    Device {
        id: id.into(),
        name: id.into(),
        class: Class::Router,
        profile: "test".into(),
        tier: Tier::County,
        network: Network::Business,
        location: "".into(),
        address: "".into(),
        uplinks: vec![],
        interval_s: 60,
        tags: vec![("GE0/1".into(), "uplink".into())],
        line: Default::default(),
    }
}

/// What the device does at the moment.
#[derive(Clone, Debug)]
struct World {
    polls: bool,
    reach: bool,
    /// Replies are valid but carry nothing good.
    mute: bool,
    temperature: Sample,
    oper: Option<&'static str>,
    admin: &'static str,
    /// The interface table came back whole.
    complete: bool,
    serial: &'static str,
}

impl Default for World {
    fn default() -> World {
        World {
            polls: true,
            reach: true,
            mute: false,
            temperature: Ok(Value::Number(40.0)),
            oper: Some("up"),
            admin: "up",
            complete: true,
            serial: "A",
        }
    }
}

struct Rig {
    engine: Engine,
    labels: Labels,
    now: Now,
    asks: Vec<Ask>,
    heard: Vec<Transition>,
    refused: Vec<Refusal>,
    polls: u32,
}

impl Rig {
    fn new() -> Rig {
        let mut rig = Rig {
            engine: Engine::new(Settings::default()),
            labels: Labels::default(),
            now: Now::at(1_000_000, 1_795_000_000_000),
            asks: vec![],
            heard: vec![],
            refused: vec![],
            polls: 0,
        };
        rig.labels.intern("GE0/1");
        rig.labels.intern("GE0/2");
        let site = vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }];
        rig.engine.load(site, rig.now);
        rig
    }

    fn drain(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Commit { transition, .. } => self.heard.push(*transition),
                Effect::Ask(ask) => self.asks.push(ask),
                Effect::Refuse { why, .. } => self.refused.push(why),
                Effect::Hide(changes) => panic!("a lone device was hidden: {changes:?}"),
            }
        }
    }

    fn poll(&mut self, world: &World) {
        let generation = self.engine.generation(DeviceIx(0));
        self.poll_as(world, generation);
    }

    fn poll_as(&mut self, world: &World, generation: Generation) {
        self.polls += 1;
        let mut readings = Readings::new(self.now, world.polls);
        let sample = |sample: Sample| match (world.polls, world.mute) {
            (false, _) => Err(Absence::Timeout),
            (true, true) => Err(Absence::Unsupported),
            (true, false) => sample,
        };
        let state = |word: &str| Ok(Value::State(word.into()));
        readings.add(TEMPERATURE, [(InstanceIx::SCALAR, sample(world.temperature.clone()))]);
        if let Some(oper) = world.oper {
            let rows = [(InstanceIx(1), sample(state(oper))), (InstanceIx(2), sample(state("down")))];
            readings.add(OPER, rows);
            readings.add(ADMIN, [(InstanceIx(1), sample(state(world.admin)))]);
        }
        readings.add(SERIAL, [(InstanceIx::SCALAR, sample(Ok(Value::Text(world.serial.into()))))]);
        if world.complete && world.polls {
            readings.mark_complete(TableIx(0));
        }
        let event =
            Event::Polled { device: DeviceIx(0), generation, readings: &readings, labels: &self.labels };
        self.engine.handle(event, self.now);
        self.drain();
    }

    /// Answers what is asked for up to `until`, in the order of its moments.
    fn answer_asks(&mut self, world: &World, until: Mono) {
        while let Some(next) = self.asks.iter().enumerate().min_by_key(|(_, ask)| ask.at).map(|(at, _)| at) {
            if self.asks[next].at > until {
                return;
            }
            let ask = self.asks.remove(next);
            self.now = self.now.plus_ms(ask.at.since_ms(self.now.mono));
            match ask.probe {
                Probe::Poll if ask.generation == self.engine.generation(ask.device) => self.poll(world),
                Probe::Poll => {}
                Probe::Reach => {
                    let answered = world.reach;
                    let event = Event::Reached { device: ask.device, generation: ask.generation, answered };
                    self.engine.handle(event, self.now);
                    self.drain();
                }
            }
        }
    }

    /// So many regular polls, one a minute, asks answered between them.
    fn minutes(&mut self, world: &World, count: u32) {
        for _ in 0..count {
            self.poll(world);
            let next = self.now.plus_ms(60_000);
            self.answer_asks(world, Mono(next.mono.0 - 1));
            self.now = next;
        }
    }

    fn open(&self) -> Vec<String> {
        let name = |f: &Fault| match &*f.key.instance {
            "" => format!("{}:{}", f.key.rule, f.severity.word()),
            label => format!("{}[{label}]:{}", f.key.rule, f.severity.word()),
        };
        self.engine.faults().map(name).collect()
    }

    fn story(&self) -> Vec<String> {
        let word = |t: &Transition| match &t.change {
            Change::Severity { from } => {
                format!("{} {}→{}", t.fault.key.rule, from.word(), t.fault.severity.word())
            }
            change => format!("{} {}", t.fault.key.rule, change.word()),
        };
        self.heard.iter().map(word).collect()
    }

    fn acknowledge(&mut self, id: u64) {
        let event = Event::Act {
            request: RequestId(1),
            fault: FaultId(id),
            by: "李工".into(),
            act: Act::Acknowledge,
        };
        self.engine.handle(event, self.now);
        self.drain();
    }
}

fn hot(degrees: f64) -> World {
    World { temperature: Ok(Value::Number(degrees)), ..World::default() }
}
