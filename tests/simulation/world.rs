//! What is alive, what the lines let through, what a poll would bring. The engine sees none of it.

use crate::dice::Dice;
use crate::site::{ADMIN, OPER, PORTS, Plan, SERIAL, TEMPERATURE};
use roundsman_core::model::InstanceIx;
use roundsman_core::reading::{Absence, Readings, Sample, Value};
use roundsman_core::time::{Mono, Now};
use std::sync::Arc;

/// A temperature as its sensor gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Heat {
    Steady(f64),
    /// Anything between these, at every poll anew.
    Chatter(f64, f64),
    /// The sensor does not answer.
    Missing,
}

/// A device as it truly is.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) powered: bool,
    /// Per uplink of its place: the line is cut.
    pub(crate) cut: Vec<bool>,
    /// Replies carry nothing good, or only its reach probe is answered.
    pub(crate) mute: bool,
    pub(crate) deaf: bool,
    pub(crate) heat: Heat,
    pub(crate) port_up: [bool; 2],
    pub(crate) admin_up: [bool; 2],
    /// The guard's input is not there.
    pub(crate) admin_missing: bool,
    /// The second port is in the table.
    pub(crate) second_port: bool,
    /// The table comes back whole.
    pub(crate) whole: bool,
    pub(crate) serial: u32,
    /// What a poll brings, until something changes.
    readings: Option<Readings>,
}

/// All devices, and who is reached.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) devices: Vec<Truth>,
    /// A datagram comes through to it and back.
    pub(crate) reached: Vec<bool>,
    /// Some path to it leads over devices that are reached: its silence is its own.
    pub(crate) free: Vec<bool>,
    /// Dead devices cut it off, whatever the lines do; since when it is so, or not.
    pub(crate) blocked: Vec<bool>,
    pub(crate) since: Vec<Mono>,
    /// Lost polls and probes in a thousand.
    pub(crate) loss: u64,
    up: Value,
    down: Value,
}

/// What comes of one poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Data,
    Mute,
    Silent,
}

impl World {
    pub(crate) fn new(plan: &Plan) -> World {
        let count = plan.places.len();
        let truth = |at: usize| Truth {
            powered: true,
            cut: vec![false; plan.places[at].uplinks.len()],
            mute: false,
            deaf: false,
            heat: Heat::Steady(40.0),
            port_up: [true; 2],
            admin_up: [true; 2],
            admin_missing: false,
            second_port: true,
            whole: true,
            serial: 1,
            readings: None,
        };
        let mut world = World {
            devices: (0..count).map(truth).collect(),
            reached: vec![false; count],
            free: vec![false; count],
            blocked: vec![false; count],
            since: vec![Mono(0); count],
            loss: 10,
            up: Value::State("up".into()),
            down: Value::State("down".into()),
        };
        world.look(plan, Mono(0));
        world
    }

    /// Something changed about this device: what it brings is made anew.
    pub(crate) fn change(&mut self, at: usize) -> &mut Truth {
        let truth = &mut self.devices[at];
        truth.readings = None;
        truth
    }

    /// Works out who is reached, after power, lines or the site file changed.
    pub(crate) fn look(&mut self, plan: &Plan, now: Mono) {
        let count = plan.places.len();
        let known = known_to(plan);
        let mut reached = vec![false; count];
        let mut next: Vec<usize> = plan.attached.into_iter().filter(|&at| self.devices[at].powered).collect();
        next.iter().for_each(|&at| reached[at] = true);
        while let Some(at) = next.pop() {
            for &beside in &plan.near[at] {
                let is_there = plan.places[beside].present && self.devices[beside].powered;
                if is_there && !reached[beside] && self.is_whole(plan, at, beside) {
                    reached[beside] = true;
                    next.push(beside);
                }
            }
        }
        let open = ways(plan, |at| !self.devices[at].powered);
        for at in 0..count {
            // Where the site file names no way the box gets there all the same.
            let reached_now = if known[at] { reached[at] } else { self.devices[at].powered };
            let free = !known[at]
                || plan.attached == Some(at)
                || plan.near[at].iter().any(|&beside| reached[beside]);
            (self.reached[at], self.free[at]) = (reached_now, free);
            let blocked = known[at] && !open[at];
            if self.blocked[at] != blocked {
                (self.blocked[at], self.since[at]) = (blocked, now);
            }
        }
    }

    fn is_whole(&self, plan: &Plan, one: usize, other: usize) -> bool {
        let line = |below: usize, above: usize| {
            let at = plan.places[below].uplinks.iter().position(|&uplink| uplink == above);
            at.is_some_and(|at| !self.devices[below].cut[at])
        };
        line(one, other) || line(other, one)
    }

    /// What a poll that starts now will bring.
    pub(crate) fn poll(&self, at: usize, dice: &mut Dice) -> Outcome {
        let truth = &self.devices[at];
        match (self.answers(at, dice) && !truth.deaf, truth.mute) {
            (false, _) => Outcome::Silent,
            (true, true) => Outcome::Mute,
            (true, false) => Outcome::Data,
        }
    }

    /// Whether a reach probe that starts now is answered.
    pub(crate) fn answers(&self, at: usize, dice: &mut Dice) -> bool {
        dice.below(1000) >= self.loss && self.reached[at]
    }

    /// The readings of a poll that brings data, and whether they are those of the one before; to be given back.
    pub(crate) fn readings(&mut self, at: usize, now: Now, dice: &mut Dice) -> (Readings, bool) {
        let World { devices, up, down, .. } = self;
        let truth = &mut devices[at];
        let kept = truth.readings.take().filter(|_| !matches!(truth.heat, Heat::Chatter(..)));
        let same = kept.is_some();
        let mut readings = kept.unwrap_or_else(|| made(truth, up, down, dice));
        readings.taken_at = now;
        (readings, same)
    }

    pub(crate) fn give_back(&mut self, at: usize, readings: Readings) {
        self.devices[at].readings = Some(readings);
    }
}

/// The readings of a poll that brings none.
pub(crate) fn nothing(outcome: Outcome, now: Now) -> Readings {
    let mut readings = Readings::new(now, outcome == Outcome::Mute);
    let why = if outcome == Outcome::Mute { Absence::Denied } else { Absence::Timeout };
    for metric in [TEMPERATURE, SERIAL] {
        readings.add(metric, [(InstanceIx::SCALAR, Err(why))]);
    }
    readings
}

fn made(truth: &Truth, up: &Value, down: &Value, dice: &mut Dice) -> Readings {
    let state = |is_up: bool| -> Sample { Ok(if is_up { up } else { down }.clone()) };
    let degrees = match truth.heat {
        Heat::Steady(degrees) => Ok(Value::Number(degrees)),
        Heat::Chatter(low, high) => Ok(Value::Number(low + (high - low) * dice.below(1001) as f64 / 1000.0)),
        Heat::Missing => Err(Absence::Malformed),
    };
    let rows = if truth.second_port { 2 } else { 1 };
    let ports = |up: [bool; 2]| (0..rows).map(move |row| (InstanceIx(row as u32 + 1), state(up[row])));
    let mut readings = Readings::new(Now::default(), true);
    readings.add(TEMPERATURE, [(InstanceIx::SCALAR, degrees)]);
    readings.add(OPER, ports(truth.port_up));
    if !truth.admin_missing {
        readings.add(ADMIN, ports(truth.admin_up));
    }
    let serial: Arc<str> = format!("S{}", truth.serial).into();
    readings.add(SERIAL, [(InstanceIx::SCALAR, Ok(Value::Text(serial)))]);
    if truth.whole {
        readings.mark_complete(PORTS);
    }
    readings
}

/// Per place, whether the site file names a way to it from where the box is attached.
pub(crate) fn known_to(plan: &Plan) -> Vec<bool> {
    ways(plan, |_| false)
}

/// Per place, whether a way leads to it from where the box is attached that crosses nothing `shut`.
pub(crate) fn ways(plan: &Plan, shut: impl Fn(usize) -> bool) -> Vec<bool> {
    ways_from(plan, plan.attached, shut)
}

/// The same from several.
pub(crate) fn ways_from(
    plan: &Plan,
    from: impl IntoIterator<Item = usize>,
    shut: impl Fn(usize) -> bool,
) -> Vec<bool> {
    let mut found = vec![false; plan.places.len()];
    let mut next: Vec<usize> = from.into_iter().collect();
    next.iter().for_each(|&at| found[at] = true);
    while let Some(at) = next.pop() {
        if shut(at) {
            continue;
        }
        for &beside in &plan.near[at] {
            if plan.places[beside].present && !found[beside] {
                found[beside] = true;
                next.push(beside);
            }
        }
    }
    found
}
