//! The shell around the engine: it polls, carries questions out and answers back, commits, restarts.

use crate::counts::Counts;
use crate::dice::Dice;
use crate::fate::{self, Script, Turn};
use crate::laws::{Broken, Heard, Law, Laws, Scene};
use crate::site::{PORT, Plan};
use crate::store::{Step, Store};
use crate::world::{Outcome, World, nothing};
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::engine::{Engine, Settings};
use roundsman_core::fault::{
    Act, Ask, Change, Effect, Event, FaultId, Generation, Probe, RequestId, Transition,
};
use roundsman_core::model::Labels;
use roundsman_core::reading::Readings;
use roundsman_core::text::Bilingual;
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

    fn turn(&mut self, turn: Turn) -> Result<(), Broken> {
        self.counts.events += 1;
        if self.options.told {
            println!("{} {turn:?}", self.now.mono.0);
        }
        let moves = matches!(turn, Turn::Power(..) | Turn::Cut { .. });
        match turn {
            Turn::Power(at, powered) => self.world.change(at).powered = powered,
            Turn::Cut { at, uplink, cut } => self.world.change(at).cut[uplink] = cut,
            Turn::Mute(at, mute) => self.world.change(at).mute = mute,
            Turn::Deaf(at, deaf) => self.world.change(at).deaf = deaf,
            Turn::Heat(at, heat) => self.world.change(at).heat = heat,
            Turn::Port(at, port, up) => self.world.change(at).port_up[port] = up,
            Turn::Admin(at, port, up) => self.world.change(at).admin_up[port] = up,
            Turn::AdminMissing(at, missing) => self.world.change(at).admin_missing = missing,
            Turn::SecondPort(at, there) => self.world.change(at).second_port = there,
            Turn::Whole(at, whole) => self.world.change(at).whole = whole,
            Turn::Serial(at, serial) => self.world.change(at).serial = serial,
            Turn::Loss(loss) => self.world.loss = loss,
            Turn::Board(at) if self.ix[at].is_some() => return self.step(Heard::Board(at), None).map(drop),
            Turn::Said { at, rule, instance, sign } if self.ix[at].is_some() => {
                return self.step(Heard::Said { at, rule, instance, sign }, None).map(drop);
            }
            Turn::Board(_) | Turn::Said { .. } => {}
            Turn::Operator { pick, act } => return self.operate(pick, act),
            Turn::Step(by) => {
                self.counts.clock_steps += 1;
                self.now.wall.0 += by;
                self.laws.clock_steps(self.now.mono);
            }
            Turn::Reload { edits } => return self.reload(edits),
            Turn::Restart { down_ms, loses, forgets } if self.options.restarts => {
                return self.restart(down_ms, loses, forgets);
            }
            Turn::Restart { .. } => {}
            Turn::Refuses(ms) => self.refuses_until = self.now.mono.plus_ms(ms),
        }
        if moves {
            self.look();
        }
        Ok(())
    }

    fn look(&mut self) {
        self.world.look(&self.plan, self.now.mono);
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.world_changed(scene);
    }

    fn operate(&mut self, pick: Option<u64>, act: Act) -> Result<(), Broken> {
        let open: Vec<FaultId> = self.engine.faults().map(|fault| fault.id).collect();
        let picked = pick.and_then(|pick| open.get(pick as usize % open.len().max(1)).copied());
        // Who closes mostly sees what may be closed.
        let is_over = |id: &&FaultId| {
            let condition = self.engine.fault(**id).map(|fault| fault.condition);
            condition == Some(roundsman_core::fault::Condition::Cleared)
        };
        let over = open
            .iter()
            .find(is_over)
            .copied()
            .filter(|_| act == Act::Close && pick.is_some_and(|pick| pick % 3 > 0));
        let fault = over.or(picked).unwrap_or(FaultId(1_000_000_000));
        let request = RequestId(self.next_request);
        self.next_request += 1;
        self.step(Heard::Operator { request, fault, act }, None).map(drop)
    }

    fn reload(&mut self, edits: bool) -> Result<(), Broken> {
        self.counts.reloads += 1;
        let before = self.plan.clone();
        if edits {
            self.plan.edit(&mut self.fate);
        }
        for (at, place) in self.plan.places.iter().enumerate() {
            if before.places[at].present && !place.present {
                self.entry[at] += 1;
                self.answering.remove(&at);
            }
        }
        self.look();
        self.laws.loads(None, Scene { plan: &self.plan, world: &self.world, now: self.now });
        self.load(!edits)
    }

    fn restart(&mut self, down_ms: u64, loses: bool, forgets: bool) -> Result<(), Broken> {
        self.counts.restarts += 1;
        if !loses {
            self.store.commit(usize::MAX)?;
        }
        let lost = self.store.lose();
        self.counts.lost_steps += lost as u64;
        self.run += 1;
        self.asked.clear();
        self.now = self.now.plus_ms(down_ms);
        // What the world had in store for the time without a supervisor happened meanwhile.
        let meanwhile: Vec<(Mono, u64)> =
            self.queue.range(..(self.now.mono, 0)).map(|(key, _)| *key).collect();
        let meanwhile: Vec<Happening> =
            meanwhile.into_iter().filter_map(|key| self.queue.remove(&key)).collect();
        let site_is_same = true;
        for happening in meanwhile {
            match happening {
                Happening::Turn(Turn::Said { .. } | Turn::Board(_) | Turn::Operator { .. }) => {}
                Happening::Turn(Turn::Reload { .. } | Turn::Restart { .. }) => {}
                Happening::Turn(turn) => self.turn(turn)?,
                Happening::Answer { .. } | Happening::Asked { .. } | Happening::Probe { .. } => {}
                happening => self.after(0, happening),
            }
        }
        let answering = self.answering.iter().filter(|_| !forgets);
        let answering = answering.map(|&at| self.plan.places[at].id.clone()).collect();
        self.engine = Engine::new(Settings { utc_offset_s: UTC_OFFSET_S });
        self.engine.restore(self.store.kept(answering, self.now), self.now);
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.loads(Some(&self.store), scene);
        self.load(site_is_same && lost == 0 && !forgets)
    }

    fn load(&mut self, clean: bool) -> Result<(), Broken> {
        let (loaded, site) = self.plan.site();
        self.ix.fill(None);
        for (ix, &at) in loaded.iter().enumerate() {
            self.ix[at] = Some(DeviceIx(ix as u32));
        }
        self.loaded = loaded;
        let heard = Heard::Loaded { clean };
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.hear(&heard, None, true, scene);
        self.engine.load(site, self.now);
        self.drain(&heard)
    }

    /// Hands something to the engine, and carries out what it asks for. Says whether it counted.
    fn step(&mut self, heard: Heard, readings: Option<(&Readings, bool)>) -> Result<bool, Broken> {
        if !matches!(heard, Heard::Tick) && self.engine.poll_timeout().is_some_and(|at| at <= self.now.mono) {
            self.step(Heard::Tick, None)?;
        }
        let is_current = match &heard {
            Heard::Polled { at, generation, .. } | Heard::Reached { at, generation, .. } => {
                self.ix[*at].is_some_and(|ix| self.engine.generation(ix) == *generation)
            }
            _ => true,
        };
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.hear(&heard, readings, is_current, scene);
        self.hand_in(&heard, readings.map(|(readings, _)| readings));
        self.drain(&heard)?;
        Ok(is_current)
    }

    fn hand_in(&mut self, heard: &Heard, readings: Option<&Readings>) {
        let ix = |at: usize| self.ix[at].expect("a device of the site");
        let made;
        let event = match heard {
            Heard::Tick | Heard::Loaded { .. } => Event::Tick,
            Heard::Polled { at, generation, outcome, .. } => {
                made = readings.is_none().then(|| nothing(*outcome, self.now));
                let readings = readings.or(made.as_ref()).expect("readings of either kind");
                Event::Polled { device: ix(*at), generation: *generation, readings, labels: &self.labels }
            }
            Heard::Reached { at, generation, answered } => {
                Event::Reached { device: ix(*at), generation: *generation, answered: *answered }
            }
            Heard::Board(at) => {
                Event::Replaced { device: ix(*at), what: Bilingual::new("换板", "another board") }
            }
            Heard::Said { at, rule, instance, sign } => {
                let instance = if *instance == 0 { "" } else { PORT[instance - 1] };
                Event::Said { device: ix(*at), rule, instance: instance.into(), sign: *sign }
            }
            Heard::Operator { request, fault, act } => {
                Event::Act { request: *request, fault: *fault, by: "李工".into(), act: act.clone() }
            }
        };
        self.engine.handle(event, self.now);
    }

    fn drain(&mut self, heard: &Heard) -> Result<(), Broken> {
        let mut step = Step::default();
        while let Some(effect) = self.engine.poll_effect() {
            if self.options.told {
                println!("{} {heard:?} → {effect:?}", self.now.mono.0);
            }
            let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
            match effect {
                Effect::Commit { transition, request } => {
                    self.laws.transition(&transition, request, heard, scene)?;
                    self.note(&transition);
                    step.transitions.push(*transition);
                }
                Effect::Hide(changes) => {
                    self.laws.hides(&changes, scene)?;
                    step.hidden.extend(changes);
                }
                Effect::Ask(ask) => self.ask(ask),
                Effect::Refuse { request, why } => self.laws.refuses(request, why)?,
            }
        }
        let scene = Scene { plan: &self.plan, world: &self.world, now: self.now };
        self.laws.after(heard, &self.engine, scene)?;
        let waited = self.store.waits();
        self.store.take(step, self.now.mono);
        if !waited && self.store.waits() {
            self.after(COMMIT_MS, Happening::Commit);
        }
        Ok(())
    }

    fn note(&mut self, transition: &Transition) {
        self.counts.transition(transition);
        let Transition { change, fault, .. } = transition;
        if !self.options.restarts {
            let key = &fault.key;
            let (device, rule, instance) = (key.device.clone(), key.rule.clone(), key.instance.clone());
            let told = (self.now.mono, change.clone(), device, rule, instance, fault.hidden_by.is_some());
            self.told.push(told);
        }
    }

    fn ask(&mut self, ask: Ask) {
        let Ask { device, probe, at: moment, generation, .. } = ask;
        let (at, run) = (self.loaded[device.at()], self.run);
        self.laws.asks(at, &ask, self.now.mono);
        let happening = match probe {
            // Asking twice before it starts gives one poll.
            Probe::Poll if !self.asked.insert((moment, at)) => return,
            Probe::Poll => Happening::Asked { at, generation, run },
            Probe::Reach => Happening::Probe { at, generation, run },
        };
        self.after(moment.since_ms(self.now.mono), happening);
    }
}
