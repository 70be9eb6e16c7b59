//! The engine in a small simulated world: time moves by its own timeouts, asks are answered by the world.

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
        tables: vec![Table { group: "interface".into(), discontinuity: None }],
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
        rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
        rig
    }

    fn drain(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Commit { transition, .. } => self.heard.push(*transition),
                Effect::Ask(ask) => self.asks.push(ask),
                Effect::Refuse { why, .. } => self.refused.push(why),
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
        let event = Event::Acknowledge { request: RequestId(1), fault: FaultId(id), by: "李工".into() };
        self.engine.handle(event, self.now);
        self.drain();
    }
}

fn hot(degrees: f64) -> World {
    World { temperature: Ok(Value::Number(degrees)), ..World::default() }
}

#[test]
fn silence_is_asked_again_three_times_before_the_verdict() {
    let mut rig = Rig::new();
    rig.minutes(&World::default(), 1);
    let dead = World { polls: false, reach: false, ..World::default() };
    let begun = rig.now;
    let polls = rig.polls;
    rig.minutes(&dead, 1);
    assert_eq!(rig.polls - polls, 4, "the regular one and three retries");
    assert_eq!(rig.open(), ["unreachable:critical"]);
    let fault = &rig.heard[0].fault;
    assert_eq!(fault.first_bad, begun.wall);
    assert_eq!(fault.confirmed, begun.plus_ms(7_000).wall, "after 1, 2 and 4 s");
    rig.minutes(&World::default(), 1);
    assert_eq!(rig.open(), Vec::<String>::new(), "two good polls, the second asked for at once");
    assert_eq!(rig.story(), ["unreachable raised", "unreachable ended"]);
}

#[test]
fn presence_tells_unreachable_from_no_data() {
    let dead = World { polls: false, reach: false, ..World::default() };
    let deaf = World { polls: false, reach: true, ..World::default() };
    let mute = World { mute: true, reach: false, ..World::default() };
    type Case<'a> = (&'a str, &'a [(&'a World, u32)], &'a [&'a str]);
    let table: &[Case] = &[
        ("reach answers, protocol silent", &[(&deaf, 1)], &["no-data raised"]),
        ("valid replies without a good value", &[(&mute, 1)], &["no-data raised"]),
        (
            "no data, then gone altogether",
            &[(&deaf, 1), (&dead, 4)],
            &["no-data raised", "no-data ended", "unreachable raised"],
        ),
        (
            "gone, then back without data",
            &[(&dead, 1), (&deaf, 4)],
            &["unreachable raised", "unreachable ended", "no-data raised"],
        ),
        (
            "one word from a dead device is not enough",
            &[(&dead, 1), (&deaf, 1), (&dead, 1), (&deaf, 1)],
            &["unreachable raised"],
        ),
    ];
    for (name, worlds, expected) in table {
        let mut rig = Rig::new();
        for (world, minutes) in *worlds {
            rig.minutes(world, *minutes);
        }
        assert_eq!(rig.story(), *expected, "{name}");
    }
}

#[test]
fn one_answer_in_the_episode_ends_it() {
    let mut rig = Rig::new();
    let dead = World { polls: false, reach: false, ..World::default() };
    for _ in 0..50 {
        rig.poll(&dead);
        let at = rig.now.plus_ms(5_000);
        rig.answer_asks(&dead, at.mono);
        rig.now = at;
        rig.minutes(&World::default(), 1);
    }
    assert_eq!(rig.story(), Vec::<String>::new());
}

#[test]
fn answers_of_an_older_generation_are_dropped() {
    let mut rig = Rig::new();
    rig.minutes(&World::default(), 1);
    let old = rig.engine.generation(DeviceIx(0));
    rig.poll(&World { polls: false, reach: false, ..World::default() });
    assert_ne!(rig.engine.generation(DeviceIx(0)), old);
    rig.poll_as(&World::default(), old);
    assert_eq!(rig.engine.suspects(), 1, "an old answer does not end the episode");
}

#[test]
fn an_ask_without_an_answer_is_silence() {
    let mut rig = Rig::new();
    rig.poll(&World { polls: false, ..World::default() });
    for _ in 0..8 {
        rig.asks.clear();
        let Some(at) = rig.engine.poll_timeout() else {
            break;
        };
        rig.now = rig.now.plus_ms(at.since_ms(rig.now.mono));
        rig.engine.handle(Event::Tick, rig.now);
        rig.drain();
    }
    assert_eq!(rig.open(), ["unreachable:critical"]);
}

#[test]
fn severity_follows_the_value() {
    let mut rig = Rig::new();
    rig.minutes(&hot(68.0), 1);
    assert_eq!(rig.open(), Vec::<String>::new());
    rig.minutes(&hot(68.0), 2);
    assert_eq!(rig.open(), ["hot:major"]);
    rig.minutes(&hot(78.0), 1);
    assert_eq!(rig.open(), ["hot:critical"], "30 s are confirmed by a poll of their own");
    rig.minutes(&hot(66.0), 3);
    assert_eq!(rig.open(), ["hot:major"]);
    rig.minutes(&hot(62.0), 3);
    assert_eq!(rig.open(), ["hot:major"], "between limit and deadband nothing clears");
    rig.minutes(&hot(50.0), 2);
    assert_eq!(rig.story(), ["hot raised", "hot major→critical", "hot critical→major", "hot ended"]);
    let fault = &rig.heard[0].fault;
    assert_eq!(fault.number.to_string(), "F-2026-0001");
    assert_eq!(&*fault.summary.zh, "规则 hot，当前 68℃");
    assert_eq!(&*fault.summary.en, "rule hot, now 68℃");
}

#[test]
fn guards_judge_only_what_applies() {
    let down = World { oper: Some("down"), ..World::default() };
    let shut = World { admin: "down", ..down.clone() };
    let mut rig = Rig::new();
    rig.minutes(&shut, 3);
    assert_eq!(rig.open(), Vec::<String>::new(), "shut on purpose; GE0/2 has no tag and no admin state");
    rig.minutes(&down, 1);
    assert_eq!(rig.open(), ["uplink-down[GE0/1]:critical"]);
    rig.minutes(&shut, 3);
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[test]
fn missing_data_never_clear_a_fault() {
    let mut rig = Rig::new();
    rig.minutes(&hot(80.0), 2);
    let invalid = World { temperature: Err(Absence::Invalid), ..World::default() };
    rig.minutes(&invalid, 10);
    assert_eq!(rig.open(), ["hot:critical"]);
    assert!(rig.engine.faults().all(|fault| fault.stale));
    rig.minutes(&hot(80.0), 1);
    assert!(rig.engine.faults().all(|fault| !fault.stale));
    rig.minutes(&World { polls: false, reach: false, ..World::default() }, 1);
    assert_eq!(rig.open(), ["hot:critical", "unreachable:critical"]);
    assert!(rig.engine.faults().all(|fault| fault.stale != fault.key.is_presence()));
}

#[test]
fn an_instance_is_gone_after_three_complete_walks_only() {
    let mut rig = Rig::new();
    rig.minutes(&World { oper: Some("down"), ..World::default() }, 2);
    let cut = World { oper: None, complete: false, ..World::default() };
    rig.minutes(&cut, 10);
    assert_eq!(rig.open(), ["uplink-down[GE0/1]:critical"], "a partial walk removes nothing");
    let gone = World { oper: None, ..World::default() };
    rig.minutes(&gone, 2);
    assert_eq!(rig.open().len(), 1);
    rig.minutes(&gone, 1);
    assert_eq!(rig.heard.last().map(|t| t.fault.ending), Some(Some(Ending::Withdrawn)));
}

#[test]
fn the_same_condition_within_thirty_minutes_reopens_the_number() {
    let mut rig = Rig::new();
    rig.minutes(&hot(80.0), 2);
    rig.acknowledge(1);
    let confirmed = rig.heard[0].fault.confirmed;
    rig.minutes(&hot(40.0), 20);
    rig.minutes(&hot(80.0), 2);
    let again = &rig.heard.last().unwrap().fault;
    assert_eq!((again.id, again.confirmed, again.cleared), (FaultId(1), confirmed, None));
    assert!(again.acknowledged.is_some());
    rig.minutes(&hot(40.0), 40);
    rig.minutes(&hot(80.0), 2);
    let new = &rig.heard.last().unwrap().fault;
    assert_eq!((new.id, new.previous, &new.acknowledged), (FaultId(2), Some(FaultId(1)), &None));
    assert_eq!(
        rig.story(),
        ["hot raised", "hot acknowledged", "hot ended", "hot reopened", "hot ended", "hot raised"]
    );
}

#[test]
fn operators_are_answered() {
    let mut rig = Rig::new();
    rig.minutes(&hot(80.0), 2);
    rig.acknowledge(1);
    rig.acknowledge(1);
    rig.acknowledge(7);
    let close = Event::Close { request: RequestId(2), fault: FaultId(1), by: "李工".into() };
    rig.engine.handle(close, rig.now);
    rig.drain();
    assert_eq!(rig.refused, [Refusal::AlreadyAcknowledged, Refusal::NoSuchFault, Refusal::NotClosable]);
}

#[test]
fn a_latching_rule_waits_for_a_person() {
    let mut rig = Rig::new();
    rig.minutes(&hot(95.0), 1);
    rig.minutes(&hot(40.0), 3);
    assert_eq!(rig.open(), ["burnt:minor"]);
    rig.minutes(&hot(95.0), 1);
    rig.minutes(&hot(40.0), 3);
    let id = rig.engine.faults().next().map(|fault| fault.id).unwrap();
    rig.engine.handle(Event::Close { request: RequestId(2), fault: id, by: "李工".into() }, rig.now);
    rig.drain();
    assert_eq!(rig.open(), Vec::<String>::new());
    let burnt: Vec<String> = rig.story().into_iter().filter(|line| line.starts_with("burnt")).collect();
    assert_eq!(burnt, ["burnt raised", "burnt restored", "burnt reopened", "burnt restored", "burnt ended"]);
    assert_eq!(rig.heard.last().and_then(|t| t.fault.closed_by.clone()).as_deref(), Some("李工"));
    rig.minutes(&hot(40.0), 2);
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[test]
fn a_changed_value_is_accepted_with_the_acknowledgement() {
    let mut rig = Rig::new();
    rig.minutes(&World::default(), 1);
    let other = World { serial: "B", ..World::default() };
    rig.minutes(&other, 5);
    assert_eq!(rig.open(), ["replaced:warning"]);
    rig.acknowledge(1);
    rig.minutes(&other, 2);
    assert_eq!(rig.story(), ["replaced raised", "replaced acknowledged", "replaced ended"]);
}

/// A new engine that takes over what the first one committed.
fn restart(rig: &mut Rig) {
    let mut faults: BTreeMap<FaultId, Fault> = BTreeMap::new();
    for transition in &rig.heard {
        faults.insert(transition.fault.id, transition.fault.clone());
    }
    let next_transition = rig.heard.last().map_or(1, |t| t.id + 1);
    let kept =
        Kept { faults: faults.into_values().collect(), next_fault: 0, next_transition, ..Kept::default() };
    rig.engine = Engine::new(Settings::default());
    rig.engine.restore(kept, rig.now);
    rig.asks.clear();
}

#[test]
fn a_restart_keeps_what_is_open_and_withdraws_what_left_the_site() {
    let mut rig = Rig::new();
    rig.minutes(&World { oper: Some("down"), ..hot(68.0) }, 3);
    assert_eq!(rig.open().len(), 2);
    restart(&mut rig);
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
    assert!(rig.engine.faults().all(|fault| fault.stale), "not seen since");
    rig.minutes(&World { oper: Some("down"), ..hot(68.0) }, 1);
    assert_eq!(rig.story(), ["uplink-down raised", "hot raised"], "nothing raised twice");
    rig.minutes(&World::default(), 2);
    assert_eq!(rig.open(), Vec::<String>::new());

    rig.minutes(&World { polls: false, reach: false, ..World::default() }, 1);
    restart(&mut rig);
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
    rig.minutes(&World::default(), 1);
    assert_eq!(rig.open(), Vec::<String>::new(), "a restored `unreachable` clears like any other");

    rig.minutes(&hot(80.0), 2);
    restart(&mut rig);
    rig.engine.load(vec![SiteDevice { device: device("another"), model: Arc::new(model()) }], rig.now);
    rig.drain();
    assert_eq!(rig.heard.last().map(|t| t.fault.ending), Some(Some(Ending::Withdrawn)));
}

#[test]
fn a_reload_keeps_faults_and_withdraws_those_of_a_removed_rule() {
    let mut rig = Rig::new();
    rig.minutes(&World { oper: Some("down"), ..hot(80.0) }, 3);
    let mut smaller = model();
    smaller.rules.remove(0);
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(smaller) }], rig.now);
    rig.drain();
    assert_eq!(rig.open(), ["uplink-down[GE0/1]:critical"]);
    rig.asks.clear();
    rig.minutes(&World::default(), 3);
    assert_eq!(rig.story().len(), 4, "two raised, one withdrawn, one ended: {:?}", rig.story());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any sequence of worlds, restarts and reloads: no key open twice, numbers of transitions without gaps, every
    /// fault's story well formed, none without evidence.
    #[test]
    fn invariants(steps in proptest::collection::vec((0u8..9, 1u32..4), 1..40)) {
        let mut rig = Rig::new();
        let mut seen_hot = false;
        for (kind, minutes) in steps {
            let world = match kind {
                0 => World { polls: false, reach: false, ..World::default() },
                1 => World { polls: false, ..World::default() },
                2 => World { mute: true, ..World::default() },
                3 => hot(68.0),
                4 => World { oper: Some("down"), ..hot(95.0) },
                5 => World { oper: None, complete: minutes > 1, ..World::default() },
                6 => World { temperature: Err(Absence::Malformed), serial: "B", ..World::default() },
                7 => {
                    restart(&mut rig);
                    let site = SiteDevice { device: device("rt"), model: Arc::new(model()) };
                    rig.engine.load(vec![site], rig.now);
                    rig.drain();
                    World::default()
                }
                _ => World::default(),
            };
            seen_hot |= matches!(kind, 3 | 4);
            rig.minutes(&world, minutes);
        }
        let mut open: BTreeSet<FaultKey> = BTreeSet::new();
        for (at, transition) in rig.heard.iter().enumerate() {
            prop_assert_eq!(transition.id, at as u64 + 1);
            let key = transition.fault.key.clone();
            match transition.change {
                Change::Raised => prop_assert!(open.insert(key), "raised twice"),
                Change::Reopened => { open.insert(key); }
                Change::Ended => prop_assert!(open.remove(&key), "ended, never open"),
                _ => prop_assert!(open.contains(&key), "{:?} while not open", transition.change),
            }
            prop_assert!(transition.fault.first_bad <= transition.fault.confirmed);
            prop_assert!(seen_hot || &*transition.fault.key.rule != "hot", "hot without evidence");
        }
        let now_open: BTreeSet<FaultKey> = rig.engine.faults().map(|fault| fault.key.clone()).collect();
        prop_assert_eq!(open, now_open, "what was said is what stands");
    }

    /// With one reply in five lost and three tries a request, the first GET of a poll stays silent in 0.8 % of
    /// the polls, and one reach probe in five: never a false fault.
    #[test]
    fn loss_raises_nothing(seed: u64) {
        let mut rig = Rig::new();
        let mut state = seed | 1;
        let mut lost = |percent: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) % 1000 < percent
        };
        let mut queue: VecDeque<World> = VecDeque::new();
        for _ in 0..400 {
            queue.push_back(World { polls: !lost(8), reach: !lost(200), ..World::default() });
        }
        while let Some(world) = queue.pop_front() {
            rig.poll(&world);
            let next = rig.now.plus_ms(5_000);
            while let Some(at) = rig.asks.iter().map(|ask| ask.at).min().filter(|at| *at < next.mono) {
                let world = World { polls: !lost(8), reach: !lost(200), ..World::default() };
                rig.answer_asks(&world, at);
            }
            rig.now = next;
        }
        prop_assert_eq!(rig.story(), Vec::<String>::new());
    }
}
