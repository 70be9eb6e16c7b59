//! What a device says of its own accord: lines and frames of a bus, later traps and a camera's events.
//!
//! A sign is believed at once: the device itself has judged. Where polls see the same instance they take over and clear
//! the fault as they would any other; a fault that signs alone hold ends when the sign that clears it was the last for two
//! seconds, or when none came for as long as the rule says.

use super::super::Sign;
use super::{Ask, Effect, Ending, Engine, FaultId, FaultKey, Probe, SiteDevice, Watched, presence};
use crate::device::DeviceIx;
use crate::fault::Condition;
use crate::fault::register::Draft;
use crate::rule::{Rule, Severity};
use crate::text::Bilingual;
use crate::time::{Mono, Now};
use std::cmp::Reverse;
use std::sync::Arc;

/// Faults that signs hold open at one device: one that makes up instances must not fill memory and record.
const MOST_HELD: usize = 256;

/// Severity where neither the event nor a level of its rule names one.
const USUAL: Severity = Severity::Minor;

/// How long nothing must say that it is bad until a sign that it is good ends a fault, ms. A loose plug says both many
/// times a second: that is one fault and not a thousand on record. The same is the pace of polls that signs ask for.
const SETTLES_MS: u64 = 2_000;

/// A fault that a sign raised.
#[derive(Clone, Debug)]
struct Held {
    fault: FaultId,
    /// When it ends unless the sign comes again.
    until: Option<Mono>,
}

/// The faults of one device that signs hold open.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    held: Vec<Held>,
    /// The end that stands among the engine's deadlines: one a device, however often signs come.
    due: Option<Mono>,
    /// When a sign last asked for a poll.
    looked: Option<Mono>,
}

impl Said {
    /// Holds a fault open from now on, or anew, for as long as its rule says.
    pub(super) fn hold(&mut self, fault: FaultId, rule: &Rule, now: Now) {
        self.hold_until(fault, rule.stays_ms.map(|ms| now.mono.plus_ms(ms)));
    }

    fn hold_until(&mut self, fault: FaultId, until: Option<Mono>) {
        match self.held.iter_mut().find(|held| held.fault == fault) {
            Some(held) => held.until = until,
            None => self.held.push(Held { fault, until }),
        }
    }

    /// What is held.
    pub(super) fn faults(&self) -> impl Iterator<Item = FaultId> {
        self.held.iter().map(|held| held.fault)
    }

    /// The end that stands among the engine's deadlines.
    pub(super) fn due(&self) -> Option<Mono> {
        self.due
    }

    /// Lets go of those whose time is over.
    fn ended(&mut self, now: Mono) -> Vec<FaultId> {
        let is_over = |held: &Held| held.until.is_some_and(|until| until <= now);
        let over = self.held.iter().filter(|held| is_over(held)).map(|held| held.fault).collect();
        self.held.retain(|held| !is_over(held));
        over
    }
}

impl Engine {
    /// A device said something of its own accord.
    pub(super) fn said(&mut self, device: DeviceIx, rule: &str, instance: Arc<str>, sign: Sign, now: Now) {
        let Some(Watched { site: SiteDevice { device: site, model }, watches, said, .. }) =
            self.devices.get_mut(device.at())
        else {
            return;
        };
        let Some((at, rule)) = model.rules.iter().enumerate().find(|(_, known)| *known.id == *rule) else {
            return;
        };
        let key = FaultKey { device: site.id.clone(), rule: rule.id.clone(), instance };
        let open = self.register.find(&key);
        match (sign, open) {
            (Sign::Bad(severity), None) => {
                said.held.retain(|held| self.register.get(held.fault).is_some());
                if said.held.len() >= MOST_HELD {
                    return;
                }
                let instance = key.instance.clone();
                let fault = self.register.raise(draft(rule, key, severity, now), now);
                // Polls take over where they see it.
                if !rule.levels.is_empty() {
                    watches.adopt(at, instance, fault);
                }
                said.hold(fault, rule, now);
            }
            (Sign::Bad(severity), Some(fault)) => {
                let rests = self.register.get(fault).is_some_and(|open| open.condition == Condition::Cleared);
                if rests {
                    let severity = draft(rule, key, severity, now).severity;
                    self.register.revive(fault, severity, None, now);
                }
                if !watches.judges(fault) {
                    said.hold(fault, rule, now);
                }
            }
            // What polls see polls clear.
            (Sign::Good, Some(fault)) if watches.judges(fault) => return self.look(device, now),
            (Sign::Good, Some(fault)) => said.hold_until(fault, Some(now.mono.plus_ms(SETTLES_MS))),
            (Sign::Good, None) => return,
        }
        self.expect_end(device);
    }

    /// A poll out of turn, which is no episode of asking whether the device is there.
    fn look(&mut self, device: DeviceIx, now: Now) {
        let Some(watched) = self.devices.get_mut(device.at()) else { return };
        let looked = &mut watched.said.looked;
        if looked.is_some_and(|at| now.mono.since_ms(at) < SETTLES_MS) {
            return;
        }
        *looked = Some(now.mono);
        let (at, generation) = (now.mono, watched.presence.generation);
        let deadline = at.plus_ms(presence::ASK_DEADLINE_MS);
        let ask = Ask { device, probe: Probe::Poll, at, deadline, generation };
        self.register.effects.push_back(Effect::Ask(ask));
    }

    /// Puts the earliest end of what signs hold among the deadlines, unless an earlier moment stands there already.
    pub(super) fn expect_end(&mut self, device: DeviceIx) {
        let Some(Watched { said, .. }) = self.devices.get_mut(device.at()) else { return };
        let next = said.held.iter().filter_map(|held| held.until).min();
        if let Some(next) = next.filter(|next| said.due.is_none_or(|due| *next < due)) {
            said.due = Some(next);
            self.deadlines.push(Reverse((next, device)));
        }
    }

    /// Ends what no sign holds any longer.
    pub(super) fn end_unsaid(&mut self, device: DeviceIx, now: Now) {
        let Some(Watched { site, watches, said, .. }) = self.devices.get_mut(device.at()) else { return };
        said.due = None;
        for fault in said.ended(now.mono) {
            if watches.judges(fault) {
                continue;
            }
            let latches = self.register.get(fault).is_some_and(|open| {
                site.model.rules.iter().any(|rule| rule.latch && rule.id == open.key.rule)
            });
            if latches {
                self.register.rest(fault, now);
            } else {
                watches.forget(fault);
                self.register.end(fault, Ending::Cleared, now);
            }
        }
        self.expect_end(device);
    }
}

/// The fault that a sign raises.
fn draft(rule: &Rule, key: FaultKey, severity: Option<Severity>, now: Now) -> Draft {
    let (zh_at, en_at) = match &*key.instance {
        "" => (String::new(), String::new()),
        label => (format!("（{label}）"), format!(" ({label})")),
    };
    let usual = || rule.levels.first().map_or(USUAL, |level| level.severity);
    Draft {
        severity: severity.unwrap_or_else(usual),
        first_bad: now.wall,
        value: None,
        cause: Arc::clone(&rule.cause),
        summary: Bilingual::new(
            format!("{}{zh_at}，设备主动上报", rule.name.zh),
            format!("{}{en_at}, reported by the device", rule.name.en),
        ),
        advice: rule.advice.clone(),
        key,
    }
}
