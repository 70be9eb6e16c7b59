//! Value rules of one device: which instances are watched, and what a poll means for them.
//!
//! Only instances with something to say are kept: a healthy device costs one comparison a rule and instance.

use super::condition::{Side, Stage, side};
use super::guard::Surroundings;
use super::mutation::{self, Mutation};
use super::register::{Draft, Register};
use super::{Condition, Ending, FaultId, FaultKey};
use crate::model::{InstanceIx, Model};
use crate::reading::{Readings, Value};
use crate::rule::{Level, Rule, Test};
use crate::text::{self, Bilingual};
use crate::time::{Mono, Now, Wall};
use crate::vocabulary;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Complete good walks without an instance after which it counts as gone.
pub(super) const GONE_AFTER_WALKS: u8 = 3;

/// An instance that is not simply well.
#[derive(Clone, Debug)]
struct Watch {
    /// Per level of the rule.
    stages: Vec<Stage>,
    fault: Option<FaultId>,
    first_bad: Wall,
    /// Complete walks in a row without this instance.
    gone: u8,
}

/// A fault from before a restart or reload whose instance has not been seen since.
#[derive(Clone, Debug)]
struct Unbound {
    rule: usize,
    label: Arc<str>,
    fault: FaultId,
    gone: u8,
}

/// What one rule watches.
#[derive(Clone, Debug, Default)]
struct RuleWatch {
    rows: BTreeMap<InstanceIx, Watch>,
    /// The normal value per instance, for rules that look for changes.
    references: BTreeMap<InstanceIx, Value>,
}

/// What all rules of one device watch.
#[derive(Clone, Debug, Default)]
pub(super) struct Watches {
    rules: Vec<RuleWatch>,
    unbound: Vec<Unbound>,
}

impl Watches {
    pub(super) fn new(rules: usize) -> Watches {
        Watches { rules: vec![RuleWatch::default(); rules], unbound: Vec::new() }
    }

    /// Takes over an open fault of `rule` until its instance shows up.
    pub(super) fn adopt(&mut self, rule: usize, label: Arc<str>, fault: FaultId) {
        self.unbound.push(Unbound { rule, label, fault, gone: 0 });
    }

    /// Whether polls judge this fault: its instance is among what they bring.
    pub(super) fn judges(&self, fault: FaultId) -> bool {
        self.rules.iter().any(|watch| watch.rows.values().any(|row| row.fault == Some(fault)))
    }

    /// Lets go of a fault that ended elsewhere before its instance was seen.
    pub(super) fn forget(&mut self, fault: FaultId) {
        self.unbound.retain(|unbound| unbound.fault != fault);
    }

    /// After an acknowledgement: the value that a [`Test::Changed`] rule sees next is the normal one.
    pub(super) fn accept(&mut self, fault: FaultId) {
        for watch in &mut self.rules {
            if let Some((row, _)) = watch.rows.iter().find(|(_, row)| row.fault == Some(fault)) {
                watch.references.remove(row);
            }
        }
    }

    /// Judges one poll that brought data. Returns when a further poll would confirm something sooner than the next
    /// regular one.
    pub(super) fn judge(
        &mut self,
        around: &Surroundings<'_>,
        register: &mut Register,
        now: Now,
    ) -> Option<Mono> {
        self.bind(around, register, now);
        let mut confirm_at = None;
        for (rule, watch) in around.model.rules.iter().zip(&mut self.rules) {
            for reading in around.readings.of(rule.on) {
                let applies = match (&reading.sample, &rule.when) {
                    (Err(_), _) => None,
                    (Ok(_), None) => Some(true),
                    (Ok(_), Some(guard)) => around.holds(guard, reading.instance),
                };
                match (&reading.sample, applies) {
                    (Ok(value), Some(applies)) => {
                        watch.value(
                            rule,
                            reading.instance,
                            applies.then_some(value),
                            value,
                            around,
                            register,
                            now,
                        );
                    }
                    _ => watch.missing(reading.instance, register, now),
                }
            }
            watch.look_for_gone(rule, around, register, now);
            confirm_at = earlier(confirm_at, watch.confirm_at(rule, now.mono));
        }
        confirm_at
    }

    fn bind(&mut self, around: &Surroundings<'_>, register: &mut Register, now: Now) {
        self.unbound.retain_mut(|unbound| {
            let Some(open) = register.get(unbound.fault) else {
                return false;
            };
            let Some(rule) = around.model.rules.get(unbound.rule) else {
                return false;
            };
            if let Some(instance) = around.labels.find(&unbound.label) {
                let rests = open.condition == Condition::Cleared;
                // A sign may have called it as bad as no level does.
                let at = rule.levels.iter().position(|level| level.severity == open.severity);
                let at = at.or(rule.levels.len().checked_sub(1)).filter(|_| !rests);
                let stages = (0..rule.levels.len()).map(|level| match at == Some(level) {
                    true => Stage::Active,
                    false => Stage::Quiet,
                });
                let watch = Watch {
                    stages: stages.collect(),
                    fault: Some(unbound.fault),
                    first_bad: open.first_bad,
                    gone: 0,
                };
                if let Some(rows) = self.rules.get_mut(unbound.rule) {
                    rows.rows.insert(instance, watch);
                }
                return false;
            }
            if walked_to_the_end(around.model, rule, around.readings) {
                unbound.gone += 1;
                if unbound.gone >= GONE_AFTER_WALKS {
                    register.end(unbound.fault, Ending::Withdrawn, now);
                    return false;
                }
            }
            true
        });
    }
}

impl RuleWatch {
    /// One judged value. `judged` is `None` where the guard says that the rule does not apply: that counts as good.
    #[expect(
        clippy::too_many_arguments,
        reason = "one point's whole context; a struct of it would serve this call alone"
    )]
    fn value(
        &mut self,
        rule: &Rule,
        instance: InstanceIx,
        judged: Option<&Value>,
        value: &Value,
        around: &Surroundings<'_>,
        register: &mut Register,
        now: Now,
    ) {
        let looks_for_changes = rule.levels.iter().any(|level| level.test == Test::Changed);
        let awaits = looks_for_changes && self.awaits_a_person(instance, register);
        let reference = (looks_for_changes && !awaits)
            .then(|| &*self.references.entry(instance).or_insert_with(|| value.clone()));
        let side_of = |level: &Level| match judged {
            Some(_) if awaits && level.test == Test::Changed => Some(Side::Bad),
            Some(value) => side(&level.test, value, reference),
            None => Some(Side::Good),
        };
        let row = match self.rows.get_mut(&instance) {
            Some(row) => row,
            None if rule.levels.iter().any(|level| side_of(level) == Some(Side::Bad)) => {
                let stages = vec![Stage::Quiet; rule.levels.len()];
                let new = Watch { stages, fault: None, first_bad: now.wall, gone: 0 };
                self.rows.entry(instance).or_insert(new)
            }
            None => return,
        };
        row.gone = 0;
        for (stage, level) in row.stages.iter_mut().zip(&rule.levels) {
            if let Some(side) = side_of(level) {
                *stage = stage.next(level, side, now.mono);
            }
        }
        row.settle(rule, instance, value, around, register, now);
        if row.fault.is_none() && row.stages.iter().all(|stage| *stage == Stage::Quiet) {
            self.rows.remove(&instance);
        }
    }

    /// Whether a change was told of before the start that nobody has taken note of: what was normal is not known any more,
    /// and what comes now is not it.
    fn awaits_a_person(&self, instance: InstanceIx, register: &Register) -> bool {
        let fault = self.rows.get(&instance).and_then(|row| register.get(row.fault?));
        let is_told =
            fault.is_some_and(|open| open.acknowledged.is_none() && open.condition != Condition::Cleared);
        is_told && !self.references.contains_key(&instance)
    }

    fn missing(&mut self, instance: InstanceIx, register: &mut Register, now: Now) {
        if let Some(fault) = self.rows.get(&instance).and_then(|row| row.fault) {
            if mutation::is_on(Mutation::MissingClears) {
                return register.end(fault, Ending::Cleared, now);
            }
            register.set_stale(fault, true);
        }
    }

    fn look_for_gone(&mut self, rule: &Rule, around: &Surroundings<'_>, register: &mut Register, now: Now) {
        let complete = walked_to_the_end(around.model, rule, around.readings);
        self.rows.retain(|instance, row| {
            if around.readings.get(rule.on, *instance).is_some() {
                return true;
            }
            row.gone += u8::from(complete);
            if row.gone >= GONE_AFTER_WALKS {
                if let Some(fault) = row.fault {
                    register.end(fault, Ending::Withdrawn, now);
                }
                return false;
            }
            if let Some(fault) = row.fault {
                register.set_stale(fault, true);
            }
            true
        });
    }

    /// The earliest moment ahead at which a pending level with a `for` could be confirmed. One whose value went
    /// missing lies behind: it must not be asked for again and again.
    fn confirm_at(&self, rule: &Rule, now: Mono) -> Option<Mono> {
        let mut earliest = None;
        for row in self.rows.values() {
            for (stage, level) in row.stages.iter().zip(&rule.levels) {
                if let (Stage::Pending { since }, Some(hold_ms)) = (stage, level.hold_ms) {
                    earliest = earlier(earliest, Some(since.plus_ms(hold_ms)).filter(|at| *at > now));
                }
            }
        }
        earliest
    }
}

impl Watch {
    /// Brings the fault in line with the stages.
    fn settle(
        &mut self,
        rule: &Rule,
        instance: InstanceIx,
        value: &Value,
        around: &Surroundings<'_>,
        register: &mut Register,
        now: Now,
    ) {
        if self.fault.is_some_and(|fault| register.get(fault).is_none()) {
            self.fault = None;
        }
        let worst =
            self.stages.iter().zip(&rule.levels).find(|(stage, _)| stage.holds()).map(|(_, level)| level);
        match (self.fault, worst) {
            (None, None) => {}
            (None, Some(level)) => {
                let label = around.labels.name(instance);
                let draft = Draft {
                    key: FaultKey {
                        device: around.device.id.clone(),
                        rule: rule.id.clone(),
                        instance: label,
                    },
                    severity: level.severity,
                    first_bad: self.first_bad,
                    value: Some(value.clone()),
                    cause: rule.cause.clone(),
                    summary: summary(rule, &around.labels.name(instance), value, around.model),
                    advice: rule.advice.clone(),
                };
                self.fault = Some(register.raise(draft, now));
            }
            (Some(fault), Some(level)) => {
                register.set_stale(fault, false);
                let open = register.get(fault);
                let resting = open.is_some_and(|fault| fault.condition == Condition::Cleared);
                let holding = self.stages.iter().filter(|stage| stage.holds());
                let clearing = holding.clone().all(|stage| matches!(stage, Stage::Clearing { .. }));
                // Good values make none worse than a sign has called it.
                let worse = open.is_some_and(|fault| level.severity < fault.severity);
                if resting {
                    register.revive(fault, level.severity, Some(value.clone()), now);
                } else if !(clearing && worse) {
                    register.set_severity(fault, level.severity, Some(value.clone()), now);
                }
                register.set_condition(fault, if clearing { Condition::Clearing } else { Condition::Active });
            }
            (Some(fault), None) if rule.latch => {
                register.set_stale(fault, false);
                register.rest(fault, now);
            }
            (Some(fault), None) => {
                register.end(fault, Ending::Cleared, now);
                self.fault = None;
            }
        }
    }
}

/// Whether this poll proves which instances exist: the rule's table was walked to its end.
fn walked_to_the_end(model: &Model, rule: &Rule, readings: &Readings) -> bool {
    let table = model.metrics.get(rule.on.at()).and_then(|metric| metric.table);
    table.is_some_and(|table| readings.is_complete(table))
}

fn earlier(a: Option<Mono>, b: Option<Mono>) -> Option<Mono> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// One line for people: what, where, how much.
fn summary(rule: &Rule, label: &str, value: &Value, model: &Model) -> Bilingual {
    let (zh_at, en_at) = match label {
        "" => (String::new(), String::new()),
        label => (format!("（{label}）"), format!(" ({label})")),
    };
    let named = value.word().and_then(|word| vocabulary::state(word));
    if let Some(Bilingual { zh, en }) = named {
        return Bilingual::new(
            format!("{}{zh_at}，当前{zh}", rule.name.zh),
            format!("{}{en_at}, now {en}", rule.name.en),
        );
    }
    let unit = model.metrics.get(rule.on.at()).map_or("", |metric| &*metric.unit);
    let (shown, unit) = (text::value(value), text::unit(unit));
    let gap = if unit.is_empty() || matches!(unit, "%" | "℃") { "" } else { " " };
    Bilingual::new(
        format!("{}{zh_at}，当前 {shown}{gap}{unit}", rule.name.zh),
        format!("{}{en_at}, now {shown}{gap}{unit}", rule.name.en),
    )
}
