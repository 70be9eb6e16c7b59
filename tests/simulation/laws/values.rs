//! Laws of value rules and of signs: a second account of when values are bad for long enough, and good for long enough.

use super::register::Register;
use super::{Broken, Heard, Law, Scene, is_data_of};
use crate::site::{ADMIN, OPER, PORT, PORTS, SERIAL};
use roundsman_core::fault::engine::Engine;
use roundsman_core::fault::{
    Change, Condition, Ending, Fault, FaultKey, REDUNDANCY_LOST, REPLACED, Sign, Transition,
};
use roundsman_core::model::{InstanceIx, Model};
use roundsman_core::reading::{Readings, Value};
use roundsman_core::rule::{Level, Rule, Test};
use roundsman_core::time::Mono;
use std::sync::Arc;

/// How long after a good sign a fault ends, ms; and how long a replaced board is told of.
const SETTLES_MS: u64 = 2_000;
const BOARD_MS: u64 = 24 * 60 * 60 * 1000;
/// Good walks without an instance until it is gone.
const GONE_WALKS: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Bad,
    Between,
    Good,
}

/// Values of one level in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    bad: u32,
    bad_since: Mono,
    good: u32,
    good_since: Mono,
}

/// One rule on one instance of one device.
#[derive(Clone, Debug, Default)]
struct Watch {
    levels: Vec<Run>,
    /// Whether the poll of this step judged it.
    judged: bool,
    /// Whether any poll judged it since the fault was raised.
    seen: bool,
    /// Walks to the end without it since it was there.
    gone: u32,
    /// The last sign that it is bad, and a later one that it is good.
    said_bad: Mono,
    said_good: Option<Mono>,
    /// A bad sign in this step.
    says: bool,
}

#[derive(Clone, Debug, Default)]
struct Device {
    /// By rule and instance.
    watches: Vec<[Watch; 3]>,
    /// What counts as the normal serial number.
    reference: Option<Arc<str>>,
    board: Mono,
    /// All was good at the last poll, and nothing is open: the same readings again say nothing new.
    calm: bool,
}

/// All devices.
pub(super) struct Values {
    of: Vec<Device>,
    restored: bool,
}

impl Run {
    fn take(&mut self, side: Side, now: Mono) {
        match side {
            Side::Bad => {
                if self.bad == 0 {
                    self.bad_since = now;
                }
                (self.bad, self.good) = (self.bad + 1, 0);
            }
            Side::Between => (self.bad, self.good) = (0, 0),
            Side::Good => {
                if self.good == 0 {
                    self.good_since = now;
                }
                (self.bad, self.good) = (0, self.good + 1);
            }
        }
    }

    fn is_confirmed(&self, level: &Level, now: Mono) -> bool {
        let polls = if level.hold_ms == Some(0) { 1 } else { 2 };
        self.bad >= polls && now.since_ms(self.bad_since) >= level.hold_ms.unwrap_or(0)
    }

    fn is_over(&self, level: &Level, now: Mono) -> bool {
        self.good >= 2 && now.since_ms(self.good_since) >= level.clear_ms
    }
}

fn side(test: &Test, value: &Value, is_changed: bool) -> Side {
    let by = |bad: bool, good: bool| {
        if bad {
            Side::Bad
        } else if good {
            Side::Good
        } else {
            Side::Between
        }
    };
    match (test, value) {
        (Test::Above { limit, clear }, Value::Number(degrees)) => by(degrees > limit, degrees <= clear),
        (Test::Expect(words), Value::State(word)) => by(!words.contains(word), true),
        (Test::Changed, _) => by(is_changed, true),
        other => unreachable!("no rule of the simulation: {other:?}"),
    }
}

pub(super) fn instance(label: &str) -> usize {
    PORT.iter().position(|port| *port == label).map_or(0, |at| at + 1)
}

impl Values {
    pub(super) fn new(count: usize) -> Values {
        Values { of: vec![Device::default(); count], restored: false }
    }

    pub(super) fn start_over(&mut self, restored: bool, scene: Scene<'_>) {
        self.restored |= restored;
        for (at, device) in self.of.iter_mut().enumerate() {
            let rules = &scene.plan.model(at).rules;
            let fresh = |rule: &Rule| {
                let levels = vec![Run::default(); rule.levels.len()];
                std::array::from_fn(|_| Watch {
                    levels: levels.clone(),
                    said_bad: scene.now.mono,
                    ..Watch::default()
                })
            };
            let (board, calm) = (device.board, false);
            *device = Device { watches: rules.iter().map(fresh).collect(), reference: None, board, calm };
        }
    }

    pub(super) fn board(&mut self, at: usize, now: Mono) {
        self.of[at].board = now;
    }

    pub(super) fn said(
        &mut self,
        at: usize,
        model: &Model,
        (rule, instance): (&str, usize),
        sign: Sign,
        now: Mono,
    ) {
        let Some(rule) = model.rules.iter().position(|known| &*known.id == rule) else { return };
        self.of[at].calm = false;
        let watch = &mut self.of[at].watches[rule][instance];
        match sign {
            Sign::Bad(_) => (watch.said_bad, watch.said_good, watch.says) = (now, None, true),
            Sign::Good => watch.said_good = Some(now),
        }
    }

    /// A poll brought data; `same`: just what the one before brought.
    pub(super) fn polled(
        &mut self,
        at: usize,
        readings: &Readings,
        same: bool,
        register: &Register,
        scene: Scene<'_>,
    ) {
        let model = scene.plan.model(at);
        let device = &mut self.of[at];
        if device.calm && same {
            return;
        }
        device.calm = false;
        let now = scene.now.mono;
        for (rule, watches) in model.rules.iter().zip(&mut device.watches) {
            for (row, watch) in watches.iter_mut().enumerate() {
                (watch.judged, watch.says) = (false, false);
                let row = InstanceIx(row as u32);
                let Some(sample) = readings.get(rule.on, row) else {
                    let is_port = rule.on == OPER && row != InstanceIx::SCALAR;
                    watch.gone += u32::from(is_port && readings.is_complete(PORTS));
                    if watch.gone == GONE_WALKS {
                        watch.levels.fill(Run::default());
                    }
                    continue;
                };
                let Ok(value) = sample else { continue };
                let Some(applies) = guard(rule, readings, row) else { continue };
                watch.gone = 0;
                let is_changed = rule.on == SERIAL
                    && is_changed(&mut device.reference, value, || {
                        let key = FaultKey {
                            device: scene.plan.places[at].id.clone(),
                            rule: rule.id.clone(),
                            instance: "".into(),
                        };
                        register.open(&key).is_some_and(|fault| fault.acknowledged.is_none())
                    });
                for (run, level) in watch.levels.iter_mut().zip(&rule.levels) {
                    let side = if applies { side(&level.test, value, is_changed) } else { Side::Good };
                    run.take(side, now);
                }
                (watch.judged, watch.seen) = (true, true);
            }
        }
    }

    pub(super) fn transition(
        &mut self,
        at: usize,
        transition: &Transition,
        before: Option<&Fault>,
        heard: &Heard,
        scene: Scene<'_>,
    ) -> Result<(), Broken> {
        let Transition { change, fault, .. } = transition;
        let now = scene.now.mono;
        self.of[at].calm = false;
        if &*fault.key.rule == REPLACED {
            return self.board_told(at, transition, heard, scene);
        }
        if fault.key.is_presence() || &*fault.key.rule == REDUNDANCY_LOST {
            return Ok(());
        }
        let model = scene.plan.model(at);
        let Some(rule_at) = model.rules.iter().position(|rule| rule.id == fault.key.rule) else {
            let withdrawn = fault.ending == Some(Ending::Withdrawn);
            return Law::Evidence.needs(withdrawn, || format!("{:?} has no rule", fault.key));
        };
        let rule = &model.rules[rule_at];
        let Device { watches, reference, .. } = &mut self.of[at];
        let watch = &mut watches[rule_at][instance(&fault.key.instance)];
        let is_first = before.is_some_and(|before| before.acknowledged.is_none());
        let shown = |watch: &Watch| format!("{} {fault:?}: {watch:?}", change.word());
        match change {
            Change::Raised | Change::Reopened => {
                let polled = is_data_of(heard, at) && watch.judged;
                let mut levels = watch.levels.iter().zip(&rule.levels);
                let by_value = polled
                    && levels
                        .any(|(run, level)| level.severity == fault.severity && run.is_confirmed(level, now));
                let by_sign = matches!(heard, Heard::Said { at: said, .. } if *said == at) && watch.says;
                Law::Evidence.needs(by_value || by_sign, || shown(watch))?;
                if by_sign {
                    watch.levels.iter_mut().for_each(|run| run.good = 0);
                    watch.seen = false;
                }
            }
            Change::Severity { from } => {
                let polled = is_data_of(heard, at) && watch.judged;
                Law::Evidence.needs(polled && *from != fault.severity, || shown(watch))?;
            }
            Change::Restored => Law::Evidence
                .needs(is_over(watch, rule, fault, is_data_of(heard, at), now), || shown(watch))?,
            Change::Ended if fault.ending == Some(Ending::Cleared) => {
                let over = is_over(watch, rule, fault, is_data_of(heard, at), now);
                Law::Evidence.needs(over && !rule.latch, || shown(watch))?;
            }
            Change::Ended if fault.ending == Some(Ending::Withdrawn) => {
                let gone = watch.gone >= GONE_WALKS || !scene.plan.places[at].present;
                Law::Evidence.needs(gone, || shown(watch))?;
                watch.levels.fill(Run::default());
            }
            Change::Acknowledged | Change::Assigned | Change::Arrived if rule.on == SERIAL && is_first => {
                *reference = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// A board that was replaced is told of for a day, or until somebody takes note.
    fn board_told(
        &self,
        at: usize,
        Transition { change, fault, .. }: &Transition,
        heard: &Heard,
        scene: Scene<'_>,
    ) -> Result<(), Broken> {
        let holds = match change {
            Change::Raised | Change::Reopened => matches!(heard, Heard::Board(board) if *board == at),
            Change::Ended => {
                let is_over = scene.now.mono.since_ms(self.of[at].board) >= BOARD_MS || self.restored;
                let gone = fault.ending == Some(Ending::Withdrawn) && !scene.plan.places[at].present;
                fault.acknowledged.is_some() || is_over || gone
            }
            _ => true,
        };
        Law::Evidence.needs(holds, || format!("{} {fault:?}", change.word()))
    }

    /// After the engine has judged a poll: what is confirmed is open, what is over is not.
    pub(super) fn judged(
        &mut self,
        at: usize,
        register: &Register,
        engine: &Engine,
        scene: Scene<'_>,
    ) -> Result<(), Broken> {
        let Device { watches, calm, .. } = &mut self.of[at];
        if *calm {
            return Ok(());
        }
        let (now, place) = (scene.now.mono, &scene.plan.places[at]);
        let mut quiet = register.of(&place.id).next().is_none();
        for (rule, watches) in scene.plan.model(at).rules.iter().zip(watches) {
            for (row, watch) in watches.iter_mut().enumerate() {
                let mut levels = watch.levels.iter().zip(&rule.levels);
                quiet &= watch.gone == 0 || row == 0;
                quiet &= levels.clone().all(|(run, _)| run.bad == 0 && run.good >= 2) || !watch.seen;
                if !std::mem::take(&mut watch.judged) {
                    continue;
                }
                let label = if row == 0 { "" } else { PORT[row - 1] };
                let key =
                    FaultKey { device: place.id.clone(), rule: rule.id.clone(), instance: label.into() };
                let open = register.open(&key);
                let condition = open.and_then(|open| engine.fault(open.id)).map(|fault| fault.condition);
                let shown = || format!("{key:?} is {condition:?}: {watch:?}");
                let is_over = open.is_none() || condition == Some(Condition::Cleared);
                if levels.clone().any(|(run, level)| run.is_confirmed(level, now)) {
                    Law::NoneLost.needs(!is_over, shown)?;
                } else if levels.all(|(run, level)| run.is_over(level, now)) && !rule.levels.is_empty() {
                    Law::NoneKept.needs(is_over, shown)?;
                }
            }
        }
        *calm = quiet;
        Ok(())
    }

    /// No sign holds a fault past its time.
    pub(super) fn daily(&self, register: &Register, engine: &Engine, scene: Scene<'_>) -> Result<(), Broken> {
        for fault in register.all_open() {
            let at = crate::site::place_of(&fault.key.device);
            let rules = &scene.plan.model(at).rules;
            let Some((rule_at, rule)) = rules.iter().enumerate().find(|(_, rule)| rule.id == fault.key.rule)
            else {
                continue;
            };
            let Some(stays_ms) = rule.stays_ms else { continue };
            let watch = &self.of[at].watches[rule_at][instance(&fault.key.instance)];
            let rests = engine.fault(fault.id).is_some_and(|fault| fault.condition == Condition::Cleared);
            let in_time = scene.now.mono.since_ms(watch.said_bad) <= stays_ms;
            Law::NoneKept.needs(in_time || rests, || format!("{:?} is open: {watch:?}", fault.key))?;
        }
        Ok(())
    }
}

/// Whether the values, or the signs where no poll judges it, say that a fault is over. What is pending for another level
/// keeps none open.
fn is_over(watch: &Watch, rule: &Rule, fault: &Fault, polled: bool, now: Mono) -> bool {
    let is_named = rule.levels.iter().any(|level| level.severity == fault.severity);
    let over = |(run, level): (&Run, &Level)| match is_named && level.severity != fault.severity {
        true => !run.is_confirmed(level, now),
        false => run.is_over(level, now),
    };
    let by_value = polled && watch.judged && watch.levels.iter().zip(&rule.levels).all(over);
    let settled = watch.said_good.is_some_and(|good| now.since_ms(good) >= SETTLES_MS);
    let stale = rule.stays_ms.is_some_and(|stays_ms| now.since_ms(watch.said_bad) >= stays_ms);
    if rule.levels.is_empty() { settled || stale } else { by_value || (!watch.seen && (settled || stale)) }
}

/// Whether a rule applies to an instance; `None` where what its guard looks at is missing.
fn guard(rule: &Rule, readings: &Readings, row: InstanceIx) -> Option<bool> {
    if rule.when.is_none() {
        return Some(true);
    }
    let value = readings.get(ADMIN, row)?.as_ref().ok()?;
    Some(value.word().is_some_and(|word| **word == *"up"))
}

/// Whether the serial number is another than the normal one. A fault that nobody has acknowledged stays bad until it is
/// known what was normal.
fn is_changed(reference: &mut Option<Arc<str>>, value: &Value, is_open: impl Fn() -> bool) -> bool {
    let word = value.word().expect("a text");
    match reference {
        Some(normal) => normal != word,
        None if is_open() => true,
        None => {
            *reference = Some(word.clone());
            false
        }
    }
}
