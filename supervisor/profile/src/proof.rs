//! `profile test`: a profile's fixtures, on virtual time, through the real translator, derivation and engine.
//!
//! **Duty.** [`prove`] polls each recorded device as the daemon would: once, again every 60 s, through the steps of
//! the fixture; it compares readings and faults, and asks that every metric was good and every rule was seen to fire
//! and to stay silent.
//!
//! **Place in the flow.** The same way as a real poll, with a [`Walk`] in the place of driver and device, or, for what
//! hangs on a bus, the real session with what was recorded at the other end of the line.
//!
//! **Refuses.** Shortcuts: nothing is judged here that the engine does not judge.
//!
//! What a profile inherits is proven by the profile it comes from; what it adds or lays over it proves itself.

mod recorded;
mod told;

use crate::catalogue::{Item, Origin};
use crate::diagnostic::{At, Diagnostic, Findings, Rejected};
use crate::overlay;
use crate::schema::{Expect, Expected, ExpectedFault, Fixture, Profile, ReachOutcome, Recording, Step};
use crate::snmprec::Walk;
use crate::translate::Translator;
use roundsman_core::derive::{Derivation, Uplink};
use roundsman_core::device::{Device, DeviceIx, Network, Tier};
use roundsman_core::fault::engine::{Engine, Settings, SiteDevice};
use roundsman_core::fault::{Effect, Event, Fault, Generation, Probe};
use roundsman_core::line::{self, Line, Window};
use roundsman_core::model::{InstanceIx, MetricIx};
use roundsman_core::reading::{Readings, Value, quality};
use roundsman_core::time::Now;
use std::sync::Arc;

/// Time between two polls of a fixture, in s.
const INTERVAL_S: u32 = 60;

/// Time between two reach probes, in s, where a fixture has any.
const PROBE_S: u32 = 10;

/// Most answers to the engine's questions after one poll: a fixture that keeps it asking is broken.
const MOST_ASKED: usize = 64;

/// When fixtures begin: some moment, the same every time (2026-01-01, an hour after the box started).
const BEGIN: (u64, i64) = (3_600_000, 1_767_225_600_000);

/// What a proven profile showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Fixtures that were run.
    pub fixtures: usize,
    /// Metrics of its own that were good in some fixture.
    pub metrics: usize,
    /// Rules of its own that fired and stayed silent.
    pub rules: usize,
    /// Polls on virtual time.
    pub polls: usize,
}

/// Runs all fixtures of a profile. Every failure points at its place in the profile.
pub fn prove(item: &Item) -> Result<Proof, Rejected> {
    let profile = &item.profile;
    let mut found = Findings::default();
    let mut seen = Seen {
        good: vec![false; profile.model.metrics.len()],
        fired: vec![false; profile.model.rules.len()],
        silent: vec![false; profile.model.rules.len()],
        polls: 0,
    };
    let mut all_read = true;
    for fixture in &profile.fixtures {
        // A grid's rows are instances of the same metrics: what is seen there is seen of the profile.
        let gridded = match &fixture.recording {
            Recording::Bus(recorded) => {
                recorded.grid.map(|(rows, columns)| overlay::with_grid(profile, rows, columns))
            }
            Recording::Walk(_) | Recording::Onvif(_) => None,
        };
        let profile = gridded.as_ref().unwrap_or(profile);
        match open(profile, fixture, &item.origin, &mut found) {
            Some(device) => Run::new(profile, fixture, device).go(&mut seen, &mut found),
            None => all_read = false,
        }
    }
    // Without one of its recordings nothing can be said about what the profile shows.
    let proof = if all_read { seen.check(profile, &mut found) } else { Proof::default() };
    found.finish(proof)
}

/// A fixture's device.
enum Subject {
    Walk(Walk),
    Bus(Box<recorded::Device>),
    Onvif(told::Device),
}

fn open(profile: &Profile, fixture: &Fixture, origin: &Origin, found: &mut Findings) -> Option<Subject> {
    let walk = match (&fixture.recording, &profile.bus) {
        (Recording::Walk(walk), _) => walk,
        (Recording::Bus(device), Some(bus)) => {
            let now = Now::at(BEGIN.0, BEGIN.1).mono;
            let device = recorded::Device::new(bus, device, &fixture.recording_at, now, found)?;
            return Some(Subject::Bus(Box::new(device)));
        }
        (Recording::Bus(_), None) => return None,
        (Recording::Onvif(told), _) => {
            let device = told::Device::new(told, origin, Now::at(BEGIN.0, BEGIN.1).wall, found)?;
            return Some(Subject::Onvif(device));
        }
    };
    let text = match origin.recording(walk) {
        Ok(text) => text,
        Err(what) => {
            found.note(
                Diagnostic::new(&fixture.recording_at, what)
                    .hint("the name is relative to the profile's file"),
            );
            return None;
        }
    };
    match Walk::parse(&text) {
        Ok(walk) => Some(Subject::Walk(walk)),
        Err(problems) => {
            for problem in problems {
                let what = format!("the recording `{walk}` is broken: {problem}");
                found.note(Diagnostic::new(&fixture.recording_at, what));
            }
            None
        }
    }
}

/// What was seen over all fixtures.
struct Seen {
    good: Vec<bool>,
    fired: Vec<bool>,
    silent: Vec<bool>,
    polls: usize,
}

impl Seen {
    fn check(&self, profile: &Profile, found: &mut Findings) -> Proof {
        let own = |at: &At| at.source() == profile.at.source();
        let mut proof = Proof { fixtures: profile.fixtures.len(), polls: self.polls, ..Proof::default() };
        for (at, metric) in profile.model.metrics.iter().enumerate() {
            let place = &profile.metric_at[at];
            let absent = profile.absent.contains(&MetricIx(at as u16));
            if !own(place) || (absent && !self.good[at]) {
                continue;
            }
            if self.good[at] && absent {
                let what = format!("`{}` stands in `absent`, yet a fixture shows it", metric.name);
                found.note(Diagnostic::new(place, what).hint("take it out of `absent`"));
            } else if self.good[at] {
                proof.metrics += 1;
            } else {
                found.note(
                    Diagnostic::new(place, format!("no fixture shows a good value of `{}`", metric.name))
                        .hint("record a device that has it, or say in `absent` why none can be had"),
                );
            }
        }
        for (at, rule) in profile.model.rules.iter().enumerate() {
            let place = &profile.rule_at[at];
            if !own(place) || rule.levels.is_empty() {
                continue;
            }
            if !self.fired[at] {
                found.note(
                    Diagnostic::new(place, format!("the rule `{}` never fires", rule.id)).hint(
                        "add a step that makes its value bad for long enough, with the fault in `faults`",
                    ),
                );
            } else if !self.silent[at] {
                found.note(
                    Diagnostic::new(place, format!("the rule `{}` is never silent", rule.id))
                        .hint("add a step in which its value is good"),
                );
            } else {
                proof.rules += 1;
            }
        }
        proof
    }
}

/// One fixture on its way.
struct Run<'a> {
    profile: &'a Profile,
    fixture: &'a Fixture,
    recorded: Subject,
    translator: Translator,
    derivation: Derivation,
    engine: Engine,
    device: Device,
    now: Now,
    /// Until when the next scheduled poll waits, in ms from now.
    next_poll_ms: u64,
    probes: Probes,
    polls: usize,
}

/// Reach probes of a fixture: their outcomes come in turn.
struct Probes {
    outcomes: Vec<ReachOutcome>,
    made: usize,
    window: Window,
    /// Until when the next one waits, in ms from now.
    next_ms: u64,
}

impl Probes {
    fn new(outcomes: Vec<ReachOutcome>) -> Probes {
        Probes { outcomes, made: 0, window: Window::new(PROBE_S * 1_000), next_ms: 0 }
    }

    /// Time passes from `now` on.
    fn pass_ms(&mut self, ms: u64, now: Now) {
        let mut at_ms = self.next_ms;
        while at_ms <= ms {
            if let Some(outcome) = self.outcomes.get(self.made % self.outcomes.len().max(1)) {
                self.window.add(now.mono.plus_ms(at_ms), *outcome);
                self.made += 1;
            }
            at_ms += u64::from(PROBE_S) * 1_000;
        }
        self.next_ms = at_ms - ms;
    }
}

const DEVICE: DeviceIx = DeviceIx(0);

impl<'a> Run<'a> {
    fn new(profile: &'a Profile, fixture: &'a Fixture, recorded: Subject) -> Run<'a> {
        let now = Now::at(BEGIN.0, BEGIN.1);
        let device = Device {
            id: Arc::from("fixture"),
            name: Arc::from("fixture"),
            class: profile.class,
            profile: profile.id.clone(),
            tier: Tier::Station,
            network: Network::Business,
            location: Arc::from(""),
            address: Arc::from(""),
            uplinks: Vec::new(),
            interval_s: INTERVAL_S,
            tags: fixture.tags.clone(),
            line: Line { speed: fixture.line, probe_s: Some(PROBE_S) },
        };
        let mut engine = Engine::new(Settings::default());
        let model = profile.model.clone();
        engine.load(vec![SiteDevice { device: device.clone(), model }], now);
        Run {
            profile,
            fixture,
            recorded,
            translator: Translator::default(),
            derivation: Derivation::default(),
            engine,
            device,
            now,
            next_poll_ms: 0,
            probes: Probes::new(fixture.reach.clone()),
            polls: 0,
        }
    }

    fn go(mut self, seen: &mut Seen, found: &mut Findings) {
        let first = self.poll(seen);
        self.compare(&first, &self.fixture.expect, found);
        for hear in &self.fixture.hears {
            match &mut self.recorded {
                Subject::Bus(device) => device.hear(self.profile, hear, found),
                Subject::Onvif(device) => device.hear(self.profile, hear, found),
                Subject::Walk(_) => {}
            }
        }
        let second = self.pass(u64::from(INTERVAL_S) * 1_000, seen).unwrap_or(first);
        self.compare_faults(&self.fixture.faults, &self.fixture.at, found);
        self.look(&second, seen);
        for step in &self.fixture.then {
            if !self.change(step, found) {
                return;
            }
            let readings = self.pass(step.after_ms, seen);
            match &readings {
                Some(readings) => {
                    self.compare(readings, &step.expect, found);
                    self.look(readings, seen);
                }
                None if !step.expect.is_empty() => {
                    let what = format!("no poll falls into this step: they come every {INTERVAL_S} s");
                    found.note(Diagnostic::new(&step.at, what).hint("let more time pass"));
                }
                None => {}
            }
            self.compare_faults(&step.faults, &step.at, found);
        }
        seen.polls += self.polls;
        if let Subject::Bus(device) = &mut self.recorded {
            self.fixture.orders.iter().for_each(|order| device.order(self.profile, order, found));
        }
    }

    /// Makes the changes of a step; `false` if one of them is impossible.
    fn change(&mut self, step: &Step, found: &mut Findings) -> bool {
        let walk = match &mut self.recorded {
            Subject::Walk(walk) => walk,
            Subject::Bus(device) => {
                step.changes.iter().for_each(|(change, _)| device.change(change));
                return true;
            }
            Subject::Onvif(device) => {
                let wall = self.now.wall;
                return step.changes.iter().all(|(change, _)| device.change(change, wall, found));
            }
        };
        for set in &step.set {
            if let Err(error) = walk.set(&set.oid, &set.value) {
                found.note(Diagnostic::new(&set.at, format!("{} cannot be set: {error}", set.oid)));
                return false;
            }
        }
        for grow in &step.grow {
            if let Err(error) = walk.grow(&grow.oid, grow.per_s) {
                found.note(Diagnostic::new(&grow.at, format!("{} cannot grow: {error}", grow.oid)));
                return false;
            }
        }
        for (oid, at) in &step.remove {
            if !walk.remove(oid) {
                found.note(Diagnostic::new(at, format!("the recording has nothing at or below {oid}")));
                return false;
            }
        }
        if !step.reach.is_empty() {
            (self.probes.outcomes, self.probes.made) = (step.reach.clone(), 0);
        }
        true
    }

    /// Lets time pass with a poll every interval; gives the readings of the last poll, if there was one.
    fn pass(&mut self, ms: u64, seen: &mut Seen) -> Option<Readings> {
        let mut left_ms = ms;
        let mut last = None;
        while self.next_poll_ms <= left_ms {
            let wait_ms = self.next_poll_ms;
            left_ms -= wait_ms;
            self.wait(wait_ms);
            last = Some(self.poll(seen));
        }
        self.next_poll_ms -= left_ms;
        self.wait(left_ms);
        last
    }

    /// Time passes without a poll; the engine is woken when it wants to be.
    fn wait(&mut self, ms: u64) {
        let end = self.now.mono.plus_ms(ms);
        while let Some(due) = self.engine.poll_timeout().filter(|due| *due < end) {
            let step_ms = due.since_ms(self.now.mono);
            self.step(step_ms.max(1));
            self.engine.handle(Event::Tick, self.now);
            self.drain();
        }
        self.step(end.since_ms(self.now.mono));
    }

    fn step(&mut self, ms: u64) {
        self.probes.pass_ms(ms, self.now);
        self.now = self.now.plus_ms(ms);
        if let Subject::Walk(walk) = &mut self.recorded {
            walk.pass_ms(ms);
        }
    }

    fn poll(&mut self, seen: &mut Seen) -> Readings {
        self.next_poll_ms = u64::from(INTERVAL_S) * 1_000;
        let readings = self.ask();
        for reading in readings.iter().filter(|reading| reading.sample.is_ok()) {
            seen.good[reading.metric.at()] = true;
        }
        let generation = self.engine.generation(DEVICE);
        self.tell(&readings, generation);
        self.drain();
        readings
    }

    /// One poll: the agent's answer through translator and derivation.
    fn ask(&mut self) -> Readings {
        self.polls += 1;
        let mut readings = match &mut self.recorded {
            Subject::Walk(walk) => {
                let answer = walk.answer(&self.profile.plan);
                self.translator.translate(self.profile, &answer, self.now)
            }
            Subject::Bus(device) => {
                let answer = device.poll(self.now.mono);
                self.translator.translate(self.profile, &answer, self.now)
            }
            Subject::Onvif(device) => {
                let answer = device.poll(&self.profile.questions);
                self.translator.translate(self.profile, &answer, self.now)
            }
        };
        let model = &self.profile.model;
        if !self.probes.outcomes.is_empty() {
            line::add_to(&mut readings, model, &self.probes.window.quality(self.now.mono));
        }
        let interfaces = self.device.uplink_interfaces(self.translator.labels());
        let uplink = Uplink { speed: self.device.line.speed, interfaces: &interfaces };
        self.derivation.apply(model, &mut readings, uplink);
        readings
    }

    fn tell(&mut self, readings: &Readings, generation: Generation) {
        let event = Event::Polled { device: DEVICE, generation, readings, labels: self.translator.labels() };
        self.engine.handle(event, self.now);
    }

    /// Answers what the engine asks. A recorded device always answers, and at once.
    fn drain(&mut self) {
        for _ in 0..MOST_ASKED {
            let Some(effect) = self.engine.poll_effect() else {
                return;
            };
            let Effect::Ask(ask) = effect else { continue };
            match ask.probe {
                Probe::Reach => {
                    let event =
                        Event::Reached { device: ask.device, generation: ask.generation, answered: true };
                    self.engine.handle(event, self.now);
                }
                Probe::Poll => {
                    let readings = self.ask();
                    self.tell(&readings, ask.generation);
                }
            }
        }
    }

    fn instance(&self, label: &str) -> Option<InstanceIx> {
        self.translator.labels().find(label)
    }

    fn compare(&self, readings: &Readings, expected: &[Expect], found: &mut Findings) {
        for expect in expected {
            let sample = self.instance(&expect.instance).and_then(|i| readings.get(expect.metric, i));
            let name = &self.profile.model.metrics[expect.metric.at()].name;
            let Some(sample) = sample else {
                let rows: Vec<String> = readings
                    .of(expect.metric)
                    .iter()
                    .take(12)
                    .map(|reading| self.translator.labels().name(reading.instance).to_string())
                    .collect();
                let what = format!("`{name}` has no reading for `{}`", expect.instance);
                found.note(Diagnostic::new(&expect.at, what).hint(format!("it has: {}", rows.join(", "))));
                continue;
            };
            let same = match (&expect.value, sample) {
                (Expected::Number(number), Ok(value)) => value.number().is_some_and(|is| near(is, *number)),
                (Expected::Word(word), Ok(value)) => value.word() == Some(word),
                (Expected::Word(word), Err(absence)) => absence.word() == &**word,
                (Expected::Number(_), Err(_)) => false,
            };
            if !same {
                let is = match sample {
                    Ok(Value::State(word) | Value::Text(word)) => format!("`{word}`"),
                    Ok(value) => format!("{}", value.number().unwrap_or(f64::NAN)),
                    Err(_) => format!("without a value ({})", quality(sample).word()),
                };
                found.note(Diagnostic::new(&expect.at, format!("this is expected, but `{name}` is {is}")));
            }
        }
    }

    fn open_faults(&self) -> Vec<&Fault> {
        self.engine.faults().filter(|fault| fault.is_open()).collect()
    }

    fn compare_faults(&self, expected: &[ExpectedFault], at: &At, found: &mut Findings) {
        let open = self.open_faults();
        let meets = |expect: &ExpectedFault, fault: &Fault| {
            fault.key.rule == expect.rule
                && fault.severity == expect.severity
                && expect.instance.as_ref().is_none_or(|instance| *instance == fault.key.instance)
        };
        let list = || {
            let words: Vec<String> = open.iter().map(|fault| shown(fault)).collect();
            if words.is_empty() {
                "no fault is open".to_owned()
            } else {
                format!("open: {}", words.join(", "))
            }
        };
        for expect in expected {
            if !open.iter().any(|fault| meets(expect, fault)) {
                found.note(
                    Diagnostic::new(&expect.at, "this fault is expected here, it is not open").hint(list()),
                );
            }
        }
        for fault in &open {
            if !expected.iter().any(|expect| meets(expect, fault)) {
                let what = format!("the fault {} is open here, it is not expected", shown(fault));
                found.note(Diagnostic::new(at, what).hint("add it to `faults`, or mend the rule"));
            }
        }
    }

    /// Notes which rules are firing now, and which are silent although their metric has a value.
    fn look(&self, readings: &Readings, seen: &mut Seen) {
        let open = self.open_faults();
        for (at, rule) in self.profile.model.rules.iter().enumerate() {
            if open.iter().any(|fault| fault.key.rule == rule.id) {
                seen.fired[at] = true;
            } else if readings.of(rule.on).iter().any(|reading| reading.sample.is_ok()) {
                seen.silent[at] = true;
            }
        }
    }
}

fn shown(fault: &Fault) -> String {
    let severity = fault.severity.word();
    if fault.key.instance.is_empty() {
        format!("{}:{severity}", fault.key.rule)
    } else {
        format!("{}[{}]:{severity}", fault.key.rule, fault.key.instance)
    }
}

/// Equal to six digits: expectations are written in decimal.
fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs())
}
