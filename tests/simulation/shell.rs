//! The shell around the engine: it polls, carries questions out and answers back, commits, restarts.

mod handing;
mod turns;

use crate::counts::Counts;
use crate::dice::Dice;
use crate::fate::{self, Script, Turn};
use crate::laws::{Broken, Heard, Law, Laws, Scene};
use crate::site::{PORT, Plan};
use crate::store::Store;
use crate::world::{Outcome, World};
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::engine::{Engine, Settings};
use roundsman_core::fault::{Change, Generation};
use roundsman_core::model::Labels;
use roundsman_core::time::{Mono, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DAY: u64 = 24 * 60 * 60 * 1000;
/// 2026-11-16 00:00 in Asia/Shanghai.
const BEGIN: Now = Now { mono: Mono(1_000_000), wall: roundsman_core::time::Wall(1_794_758_400_000) };
const UTC_OFFSET_S: i32 = 8 * 3600;
/// Mean time between two draws of what happens.
const DRAW_MS: u64 = 13 * 60 * 1000;
const COMMIT_MS: u64 = 15;

/// What a life has in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) days: u64,
    pub(crate) clock_steps: bool,
    pub(crate) restarts: bool,
    /// Prints what happens.
    pub(crate) told: bool,
}

/// A transition without wall times and numbers.
pub(crate) type Told = (Mono, Change, Arc<str>, Arc<str>, Arc<str>, bool);

#[derive(Clone, Debug)]
enum Happening {
    Due(usize),
    Asked { at: usize, generation: Generation, run: u32 },
    Probe { at: usize, generation: Generation, run: u32 },
    Answer { heard: Heard, entry: u32, run: u32 },
    Draw,
    Step,
    Turn(Turn),
    Commit,
    Publish,
    Daily,
}

/// One site, one box, and the time they live through.
pub(crate) struct Life {
    options: Options,
    plan: Plan,
    world: World,
    engine: Engine,
    /// Places of the engine's devices, and the other way round.
    loaded: Vec<usize>,
    ix: Vec<Option<DeviceIx>>,
    labels: Labels,
    now: Now,
    queue: BTreeMap<(Mono, u64), Happening>,
    sequence: u64,
    /// Which process this is, and which stay of a device in the site file.
    run: u32,
    entry: Vec<u32>,
    store: Store,
    refuses_until: Mono,
    answering: BTreeSet<usize>,
    /// Polls asked for that have not started.
    asked: BTreeSet<(Mono, usize)>,
    next_request: u64,
    laws: Laws,
    fate: Dice,
    chance: Dice,
    clock: Dice,
    pub(crate) counts: Counts,
    pub(crate) told: Vec<Told>,
}

impl Life {
    pub(crate) fn new(seed: u64, options: Options) -> Life {
        let dice = |stream: u64| Dice::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(stream << 40));
        let (mut fate, mut chance) = (dice(1), dice(2));
        let plan = Plan::random(&mut fate);
        let mut labels = Labels::default();
        for port in PORT {
            labels.intern(port);
        }
        let count = plan.places.len();
        let mut life = Life {
            options,
            world: World::new(&plan),
            engine: Engine::new(Settings { utc_offset_s: UTC_OFFSET_S }),
            loaded: Vec::new(),
            ix: vec![None; count],
            labels,
            now: BEGIN,
            queue: BTreeMap::new(),
            sequence: 0,
            run: 1,
            entry: vec![1; count],
            store: Store::default(),
            refuses_until: Mono(0),
            answering: BTreeSet::new(),
            asked: BTreeSet::new(),
            next_request: 1,
            laws: Laws::new(&plan),
            fate,
            chance: dice(3),
            clock: dice(4),
            counts: Counts::default(),
            told: Vec::new(),
            plan,
        };
        if options.told {
            let hangs = |(at, place): (usize, &crate::site::Place)| format!("{at}→{:?}", place.uplinks);
            let uplinks: Vec<String> = life.plan.places.iter().enumerate().map(hangs).collect();
            println!("box on {:?}, {}", life.plan.attached, uplinks.join(" "));
        }
        for at in 0..count {
            let first = chance.below(u64::from(life.plan.places[at].interval_s) * 1000);
            life.after(first, Happening::Due(at));
        }
        life.after(0, Happening::Draw);
        life.after(DAY / 3, Happening::Step);
        life.after(DAY, Happening::Daily);
        life
    }

    /// Lives it through.
    pub(crate) fn live(&mut self) -> Result<(), Broken> {
        self.laws.loads(None, Scene { plan: &self.plan, world: &self.world, now: self.now });
        self.load(false)?;
        let end = self.now.mono.plus_ms(self.options.days * DAY);
        loop {
            let next = self.queue.first_key_value().map_or(end, |((at, _), _)| *at);
            let woken = self.engine.poll_timeout().unwrap_or(end);
            if next.min(woken) >= end {
                break;
            }
            if woken <= next {
                self.pass(woken);
                self.step(Heard::Tick, None)?;
                let still = self.engine.poll_timeout();
                Law::Bounded.needs(still.is_none_or(|at| at > self.now.mono), || {
                    format!("wants a tick at {still:?}")
                })?;
                continue;
            }
            let Some(((at, _), happening)) = self.queue.pop_first() else { break };
            self.pass(at);
            self.happens(happening)?;
        }
        self.store.commit(usize::MAX)?;
        self.store.publish();
        let (sent, told) = (self.store.sent, self.store.told);
        Law::OneMessage.needs(sent == told, || format!("{sent} messages for {told} transitions"))?;
        self.counts.days += self.options.days;
        self.counts.told += told;
        Ok(())
    }

    fn pass(&mut self, to: Mono) {
        self.now = self.now.plus_ms(to.since_ms(self.now.mono));
    }

    fn after(&mut self, ms: u64, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now.mono.plus_ms(ms), self.sequence), happening);
    }

    fn happens(&mut self, happening: Happening) -> Result<(), Broken> {
        match happening {
            Happening::Due(at) => {
                self.after(u64::from(self.plan.places[at].interval_s) * 1000, Happening::Due(at));
                self.start_poll(at);
            }
            Happening::Asked { at, generation, run } if run == self.run => {
                self.asked.remove(&(self.now.mono, at));
                // What is asked for in vain is polled all the same now and then, as where a regular poll was due.
                let is_current = self.ix[at].is_some_and(|ix| self.engine.generation(ix) == generation);
                if is_current || self.chance.chance(4) {
                    self.start_poll(at);
                }
            }
            Happening::Probe { at, generation, run } if run == self.run => self.start_probe(at, generation),
            Happening::Answer { heard, entry, run } if run == self.run => return self.answer(heard, entry),
            Happening::Draw => {
                let script = fate::draw(&self.plan, &self.world, &mut self.fate);
                self.enter(script);
                let next = self.fate.below(2 * DRAW_MS);
                self.after(next, Happening::Draw);
            }
            Happening::Step => {
                let turn = fate::step(&mut self.clock);
                let next = self.clock.below(DAY);
                self.after(next, Happening::Step);
                if self.options.clock_steps {
                    return self.turn(turn);
                }
            }
            Happening::Turn(turn) => return self.turn(turn),
            Happening::Commit => return self.commit(),
            Happening::Publish => self.store.publish(),
            Happening::Daily => {
                self.after(DAY, Happening::Daily);
                let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
                return self.laws.daily(&self.engine, scene);
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, script: Script) {
        for (ms, turn) in script {
            self.after(ms, Happening::Turn(turn));
        }
    }

    fn commit(&mut self) -> Result<(), Broken> {
        if self.refuses_until > self.now.mono {
            let again = self.refuses_until.since_ms(self.now.mono);
            self.after(again, Happening::Commit);
            return Ok(());
        }
        // A batch may end anywhere between two events.
        let most = if self.chance.chance(3) { 1 } else { usize::MAX };
        self.store.commit(most)?;
        let publish = self.chance.below(200);
        self.after(publish, Happening::Publish);
        if self.store.waits() {
            self.after(COMMIT_MS, Happening::Commit);
        }
        Ok(())
    }

    /// How long an answer takes, `None` where it never comes.
    fn latency(&mut self, answers: bool) -> Option<u64> {
        if self.chance.chance(1_500) {
            return None;
        }
        let usual = if answers { 20 + self.chance.below(400) } else { 2_000 + self.chance.below(4_000) };
        let late = if self.chance.chance(100) { self.chance.below(40_000) } else { 0 };
        Some(usual + late)
    }

    fn start_poll(&mut self, at: usize) {
        let Some(ix) = self.ix[at] else { return };
        self.counts.polls += 1;
        let outcome = self.world.poll(at, &mut self.chance);
        let generation = self.engine.generation(ix);
        let heard = Heard::Polled { at, generation, started: self.now.mono, outcome };
        self.under_way(at, outcome != Outcome::Silent, heard);
    }

    fn start_probe(&mut self, at: usize, generation: Generation) {
        let answered = self.world.answers(at, &mut self.chance);
        self.under_way(at, answered, Heard::Reached { at, generation, answered });
    }

    fn under_way(&mut self, at: usize, answers: bool, heard: Heard) {
        let Some(latency) = self.latency(answers) else { return };
        let (entry, run) = (self.entry[at], self.run);
        if self.chance.chance(300) {
            let again = latency + self.chance.below(3_000);
            self.after(again, Happening::Answer { heard: heard.clone(), entry, run });
        }
        self.after(latency, Happening::Answer { heard, entry, run });
    }

    fn answer(&mut self, heard: Heard, entry: u32) -> Result<(), Broken> {
        match heard {
            Heard::Polled { at, .. } | Heard::Reached { at, .. } if self.entry[at] != entry => Ok(()),
            Heard::Polled { at, outcome: Outcome::Data, .. } => {
                let (readings, same) = self.world.readings(at, self.now, &mut self.chance);
                self.answering.insert(at);
                let counted = self.step(heard, Some((&readings, same)))?;
                if counted {
                    self.world.give_back(at, readings);
                }
                Ok(())
            }
            Heard::Polled { at, outcome, .. } => {
                match outcome {
                    Outcome::Silent => self.answering.remove(&at),
                    _ => self.answering.insert(at),
                };
                self.step(heard, None).map(drop)
            }
            heard => self.step(heard, None).map(drop),
        }
    }
}
