//! What a device says of its own accord: lines and frames of a bus, later traps and a camera's events.
//!
//! A sign is believed at once: the device itself has judged. Where polls see the same instance they take over and clear
//! the fault as they would any other; a fault that signs alone hold ends with the sign that clears it, or when none came
//! for as long as the rule says.

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
}

impl Said {
    /// Holds a fault open from now on, or anew. Gives the moment at which it ends, if it does by itself.
    pub(super) fn hold(&mut self, fault: FaultId, rule: &Rule, now: Now) -> Option<Mono> {
        let until = rule.stays_ms.map(|ms| now.mono.plus_ms(ms));
        match self.held.iter_mut().find(|held| held.fault == fault) {
            Some(held) => held.until = until,
            None => self.held.push(Held { fault, until }),
        }
        until
    }

    fn release(&mut self, fault: FaultId) {
        self.held.retain(|held| held.fault != fault);
    }

    /// What is held.
    pub(super) fn faults(&self) -> impl Iterator<Item = FaultId> {
        self.held.iter().map(|held| held.fault)
    }

    /// Whether a fault ends at this moment.
    pub(super) fn ends_at(&self, at: Mono) -> bool {
        self.held.iter().any(|held| held.until == Some(at))
    }

    /// Lets go of those that end at this moment.
    fn ended(&mut self, at: Mono) -> Vec<FaultId> {
        let over: Vec<FaultId> =
            self.held.iter().filter(|held| held.until == Some(at)).map(|held| held.fault).collect();
        self.held.retain(|held| held.until != Some(at));
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
                let until = said.hold(fault, rule, now);
                self.deadlines.extend(until.map(|until| Reverse((until, device))));
            }
            (Sign::Bad(severity), Some(fault)) => {
                let rests = self.register.get(fault).is_some_and(|open| open.condition == Condition::Cleared);
                if rests {
                    let severity = draft(rule, key, severity, now).severity;
                    self.register.revive(fault, severity, None, now);
                }
                if !watches.judges(fault) {
                    let until = said.hold(fault, rule, now);
                    self.deadlines.extend(until.map(|until| Reverse((until, device))));
                }
            }
            // What polls see polls clear, at once.
            (Sign::Good, Some(fault)) if watches.judges(fault) => self.look(device, now),
            (Sign::Good, Some(fault)) => self.end_said(device, fault, now),
            (Sign::Good, None) => {}
        }
    }

    /// A poll out of turn, which is no episode of asking whether the device is there.
    fn look(&mut self, device: DeviceIx, now: Now) {
        let Some(watched) = self.devices.get(device.at()) else { return };
        let (at, generation) = (now.mono, watched.presence.generation);
        let deadline = at.plus_ms(presence::ASK_DEADLINE_MS);
        let ask = Ask { device, probe: Probe::Poll, at, deadline, generation };
        self.register.effects.push_back(Effect::Ask(ask));
    }

    /// No sign came for as long as the rule says.
    pub(super) fn end_unsaid(&mut self, device: DeviceIx, at: Mono, now: Now) {
        let Some(watched) = self.devices.get_mut(device.at()) else { return };
        let over = watched.said.ended(at);
        let over: Vec<FaultId> =
            over.into_iter().filter(|fault| !self.devices[device.at()].watches.judges(*fault)).collect();
        over.into_iter().for_each(|fault| self.end_said(device, fault, now));
    }

    fn end_said(&mut self, device: DeviceIx, fault: FaultId, now: Now) {
        let Some(Watched { site, watches, said, .. }) = self.devices.get_mut(device.at()) else { return };
        let latches = self
            .register
            .get(fault)
            .is_some_and(|open| site.model.rules.iter().any(|rule| rule.latch && rule.id == open.key.rule));
        said.release(fault);
        if latches {
            return self.register.rest(fault, now);
        }
        watches.forget(fault);
        self.register.end(fault, Ending::Cleared, now);
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
