//! The register of faults: numbers, at most one open fault a key, reopening, and the effects of each transition.

use super::clocks::Clocks;
use super::mutation::{self, Mutation};
use super::{
    Acknowledgement, Act, Assignment, Change, Condition, Effect, Ending, Fault, FaultId, FaultKey,
    FaultNumber, RequestId, Shelf, Transition,
};
use crate::device::Device;
use crate::reading::Value;
use crate::rule::Severity;
use crate::sla::clock::{Clock, Downtime, Signal};
use crate::sla::policy::{Policy, Target};
use crate::text::Bilingual;
use crate::time::{Mono, Now, Wall};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The same condition within this time reopens the same number.
pub(super) const REOPEN_MS: u64 = 30 * 60 * 1000;

/// Most ended faults remembered for reopening and linking; the oldest goes first.
const MOST_PAST: usize = 4096;

/// Everything a new fault starts with.
pub(super) struct Draft {
    pub(super) key: FaultKey,
    pub(super) severity: Severity,
    pub(super) first_bad: Wall,
    pub(super) value: Option<Value>,
    pub(super) cause: Arc<str>,
    pub(super) summary: Bilingual,
    pub(super) advice: Bilingual,
}

/// An ended fault.
#[derive(Clone, Debug)]
struct Past {
    fault: Fault,
    clock: Option<Clock>,
    /// Until when it may be reopened.
    reopen_until: Mono,
}

impl Past {
    fn may_reopen(&self, now: Now) -> bool {
        if mutation::is_on(Mutation::ReopenedByTheWallClock) {
            return self.fault.cleared.is_some_and(|cleared| now.wall.0 - cleared.0 <= REOPEN_MS as i64);
        }
        now.mono <= self.reopen_until
    }
}

/// Open faults, the recently ended, the numbers, and what is to be committed.
#[derive(Clone, Debug)]
pub(super) struct Register {
    open: BTreeMap<FaultId, Fault>,
    by_key: BTreeMap<FaultKey, FaultId>,
    past: BTreeMap<FaultKey, Past>,
    next_fault: u64,
    next_transition: u64,
    /// Last number given out, per year.
    numbers: BTreeMap<u16, u32>,
    utc_offset_s: i32,
    clocks: Clocks,
    /// When those that are shelved come back.
    shelves: BTreeMap<FaultId, Mono>,
    /// Devices that are cut off, and the fault they are cut off by: what is raised there is hidden from the start.
    cut_off: BTreeMap<Arc<str>, FaultId>,
    pub(super) effects: VecDeque<Effect>,
}

impl Register {
    pub(super) fn new(utc_offset_s: i32) -> Register {
        Register {
            open: BTreeMap::new(),
            by_key: BTreeMap::new(),
            past: BTreeMap::new(),
            next_fault: 1,
            next_transition: 1,
            numbers: BTreeMap::new(),
            utc_offset_s,
            clocks: Clocks::new(utc_offset_s),
            shelves: BTreeMap::new(),
            cut_off: BTreeMap::new(),
            effects: VecDeque::new(),
        }
    }

    /// Takes over what the store kept: open faults, ended ones, and the next transition's number.
    /// `passed` is what passed since each fault's latest transition, as far as anybody knows.
    pub(super) fn restore(
        &mut self,
        faults: Vec<Fault>,
        (next_fault, next_transition): (u64, u64),
        mut passed: BTreeMap<FaultId, Vec<Downtime>>,
        now: Now,
    ) {
        self.next_fault = self.next_fault.max(next_fault);
        self.next_transition = self.next_transition.max(next_transition);
        for fault in faults {
            if let Some(service) = &fault.service {
                let passed = passed.remove(&fault.id).unwrap_or_else(|| vec![Downtime::Unknown]);
                self.clocks.restore(fault.id, service.clone(), passed);
            }
            // The wall clock may have been set meanwhile: never longer than it was to be in all.
            if let Some(Shelf { at, until, .. }) = &fault.shelf {
                let left_ms =
                    until.0.saturating_sub(now.wall.0).clamp(0, until.0.saturating_sub(at.0).max(0));
                self.shelves.insert(fault.id, now.mono.plus_ms(left_ms.unsigned_abs()));
            }
            self.next_fault = self.next_fault.max(fault.id.0 + 1);
            let number = self.numbers.entry(fault.number.year).or_default();
            *number = (*number).max(fault.number.sequence);
            if fault.is_open() {
                self.by_key.insert(fault.key.clone(), fault.id);
                self.open.insert(fault.id, Fault { stale: fault.key.is_by_readings(), ..fault });
            } else {
                let ended_at = fault.cleared.unwrap_or(fault.confirmed);
                let age_ms = now.wall.0.saturating_sub(ended_at.0).max(0).unsigned_abs();
                let reopen_until = now.mono.plus_ms(REOPEN_MS.saturating_sub(age_ms));
                self.remember(fault, reopen_until);
            }
        }
        if mutation::is_on(Mutation::NumberReusedAfterRestart) {
            self.numbers.values_mut().for_each(|last| *last = last.saturating_sub(1));
        }
    }

    /// The last number given out in a year; what the store knows beyond the faults handed to `restore`.
    pub(super) fn restore_number(&mut self, year: u16, sequence: u32) {
        let number = self.numbers.entry(year).or_default();
        *number = (*number).max(sequence);
    }

    /// Takes the site's service levels over, after [`Register::restore`] and at each load.
    pub(super) fn load_clocks<'a>(
        &mut self,
        policies: Vec<Arc<Policy>>,
        devices: impl Iterator<Item = &'a Device>,
        now: Now,
    ) {
        let told = self.clocks.load(policies, devices, now);
        for past in self.past.values_mut() {
            past.clock = self.clocks.take(past.fault.id).or(past.clock.take());
        }
        self.tell(told, now);
    }

    /// When a clock is to be looked at.
    pub(super) fn clock_due(&self) -> Option<Mono> {
        self.clocks.due()
    }

    /// Looks at the clocks that are due.
    pub(super) fn look_at_clocks(&mut self, now: Now) {
        let told = self.clocks.tick(now);
        self.tell(told, now);
    }

    /// Commits what clocks say.
    fn tell(&mut self, told: Vec<(FaultId, Signal)>, now: Now) {
        for (id, signal) in told {
            let Some(fault) = self.open.get(&id).cloned() else { continue };
            let change = match signal {
                Signal::Warning(target) => Change::ServiceWarning(target),
                Signal::Breach(target) => Change::ServiceBreach(target),
            };
            self.commit(fault, change, now, None);
        }
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &Fault> {
        self.open.values()
    }

    pub(super) fn get(&self, id: FaultId) -> Option<&Fault> {
        self.open.get(&id)
    }

    pub(super) fn find(&self, key: &FaultKey) -> Option<FaultId> {
        self.by_key.get(key).copied()
    }

    /// Raises a fault, or reopens the one that ended a short while ago.
    pub(super) fn raise(&mut self, draft: Draft, now: Now) -> FaultId {
        if let Some(&open) = self.by_key.get(&draft.key) {
            return open;
        }
        let past = self.past.remove(&draft.key);
        let previous = past.as_ref().map(|past| past.fault.id);
        if let Some(past) = past
            && past.fault.ending == Some(Ending::Cleared)
            && past.may_reopen(now)
        {
            let shelf = past.fault.shelf.clone().filter(|_| self.shelves.contains_key(&past.fault.id));
            let fault = Fault {
                severity: draft.severity,
                condition: Condition::Active,
                stale: false,
                cleared: None,
                ending: None,
                value: draft.value,
                hidden_by: self.hidden_by(&past.fault.key.device),
                shelf,
                acknowledged: past
                    .fault
                    .acknowledged
                    .filter(|_| !mutation::is_on(Mutation::AcknowledgementLostOnReopen)),
                ..past.fault
            };
            return self.begin(fault, (Change::Reopened, past.clock), now);
        }
        let fault = Fault {
            id: FaultId(self.next_fault),
            number: self.next_number(now.wall),
            hidden_by: self.hidden_by(&draft.key.device),
            key: draft.key,
            severity: draft.severity,
            condition: Condition::Active,
            service: None,
            acknowledged: None,
            assigned: None,
            arrived: None,
            shelf: None,
            stale: false,
            first_bad: draft.first_bad,
            confirmed: now.wall,
            cleared: None,
            ending: None,
            closed_by: None,
            value: draft.value,
            cause: draft.cause,
            summary: draft.summary,
            advice: draft.advice,
            previous,
        };
        self.next_fault += 1;
        self.begin(fault, (Change::Raised, None), now)
    }

    fn hidden_by(&self, device: &str) -> Option<FaultId> {
        self.cut_off.get(device).copied().filter(|_| !mutation::is_on(Mutation::HideForgottenOnRaise))
    }

    fn begin(&mut self, fault: Fault, (change, clock): (Change, Option<Clock>), now: Now) -> FaultId {
        let id = fault.id;
        self.by_key.insert(fault.key.clone(), id);
        self.open.insert(id, fault.clone());
        // One that is hidden has no clock; it gets one when people are told of it.
        let told = match (fault.hidden_by, clock) {
            (Some(_), _) => Vec::new(),
            (None, Some(clock)) => self.clocks.reopen(id, Some(clock), now),
            (None, None) => {
                self.clocks.begin(&fault, now);
                Vec::new()
            }
        };
        self.commit(fault, change, now, None);
        self.tell(told, now);
        id
    }

    /// A device is cut off by a fault of another, or not any more.
    pub(super) fn cut_off(&mut self, device: &Arc<str>, by: Option<FaultId>) {
        match by {
            Some(root) => self.cut_off.insert(device.clone(), root),
            None => self.cut_off.remove(device),
        };
    }

    /// Whether any fault of a device is hidden.
    pub(super) fn hides_any(&self, device: &str) -> bool {
        self.open.values().any(|fault| fault.hidden_by.is_some() && *fault.key.device == *device)
    }

    /// Makes the open faults of a device consequences of another's, but for those that are one of a fault that is still
    /// open: what hides that hides them too.
    pub(super) fn hide(&mut self, device: &str, root: FaultId, now: Now) {
        let is_meant = |fault: &&Fault| {
            let stands = fault.hidden_by.is_some_and(|root| self.open.contains_key(&root));
            *fault.key.device == *device && !stands
        };
        let meant: Vec<FaultId> = self.open.values().filter(is_meant).map(|fault| fault.id).collect();
        meant.into_iter().for_each(|id| self.set_hidden(id, Some(root), now));
    }

    /// A fresh poll has judged: what it found bad stands for itself.
    pub(super) fn reveal(&mut self, device: &str, judged: impl Fn(&Fault) -> bool, now: Now) {
        if mutation::is_on(Mutation::NeverRevealed) {
            return;
        }
        let is_meant =
            |fault: &&Fault| *fault.key.device == *device && fault.hidden_by.is_some() && judged(fault);
        let meant: Vec<FaultId> = self.open.values().filter(is_meant).map(|fault| fault.id).collect();
        meant.into_iter().for_each(|id| self.set_hidden(id, None, now));
    }

    fn set_hidden(&mut self, id: FaultId, root: Option<FaultId>, now: Now) {
        let Some(fault) = self.open.get_mut(&id) else {
            return;
        };
        if fault.hidden_by == root {
            return;
        }
        fault.hidden_by = root;
        match root {
            Some(_) => drop(self.clocks.take(id)),
            None => self.clocks.begin(fault, now),
        }
        let (fault, change) = (fault.clone(), if root.is_some() { Change::Hidden } else { Change::Revealed });
        self.commit(fault, change, now, None);
    }

    /// The condition's fine state; not durable, nobody is told but those who look.
    pub(super) fn set_condition(&mut self, id: FaultId, condition: Condition) {
        if let Some(fault) = self.open.get_mut(&id) {
            fault.condition = condition;
        }
    }

    /// Marks data as missing or back; not durable.
    pub(super) fn set_stale(&mut self, id: FaultId, stale: bool) {
        if let Some(fault) = self.open.get_mut(&id) {
            fault.stale = stale;
        }
    }

    /// A change of severity is a transition of the same fault.
    pub(super) fn set_severity(&mut self, id: FaultId, severity: Severity, value: Option<Value>, now: Now) {
        let Some(fault) = self.open.get_mut(&id) else {
            return;
        };
        if fault.severity == severity {
            return;
        }
        let from = std::mem::replace(&mut fault.severity, severity);
        fault.value = value;
        let fault = fault.clone();
        let told = self.clocks.rebind(&fault, now);
        self.commit(fault, Change::Severity { from }, now, None);
        self.tell(told, now);
    }

    /// The condition is over but the rule latches: stays open for a person.
    pub(super) fn rest(&mut self, id: FaultId, now: Now) {
        let Some(fault) = self.open.get_mut(&id) else {
            return;
        };
        if fault.condition == Condition::Cleared {
            return;
        }
        fault.condition = Condition::Cleared;
        fault.cleared = Some(now.wall);
        let fault = fault.clone();
        let told = self.clocks.stop(id, Target::Restore, now);
        self.tell(told, now);
        self.commit(fault, Change::Restored, now, None);
    }

    /// A latched fault whose condition came back.
    pub(super) fn revive(&mut self, id: FaultId, severity: Severity, value: Option<Value>, now: Now) {
        let Some(fault) = self.open.get_mut(&id) else {
            return;
        };
        fault.condition = Condition::Active;
        fault.cleared = None;
        fault.severity = severity;
        fault.value = value;
        let fault = fault.clone();
        let mut told = self.clocks.reopen(id, None, now);
        told.extend(self.clocks.rebind(&fault, now));
        self.commit(fault, Change::Reopened, now, None);
        self.tell(told, now);
    }

    /// Ends a fault.
    pub(super) fn end(&mut self, id: FaultId, ending: Ending, now: Now) {
        self.finish(id, ending, None, None, now);
    }

    /// Does to an open fault what an operator wants and the engine has allowed.
    pub(super) fn act(&mut self, id: FaultId, act: Act, by: Arc<str>, request: RequestId, now: Now) {
        let Some(fault) = self.open.get_mut(&id) else {
            return;
        };
        let note = Acknowledgement { by: by.clone(), at: now.wall };
        if matches!(act, Act::Acknowledge | Act::Assign { .. } | Act::Arrive) {
            fault.acknowledged.get_or_insert_with(|| note.clone());
        }
        let change = match act {
            Act::Acknowledge => Change::Acknowledged,
            Act::Assign { to } => {
                fault.assigned = Some(Assignment { to, by, at: now.wall });
                Change::Assigned
            }
            Act::Arrive => {
                fault.arrived = Some(note);
                Change::Arrived
            }
            Act::Shelve { for_ms, reason } => {
                let until = Wall(now.wall.0.saturating_add_unsigned(for_ms));
                fault.shelf = Some(Shelf { by, at: now.wall, until, reason });
                self.shelves.insert(id, now.mono.plus_ms(for_ms));
                Change::Shelved
            }
            Act::Unshelve => {
                fault.shelf = None;
                self.shelves.remove(&id);
                Change::Unshelved
            }
            Act::Close => return self.finish(id, Ending::Closed, Some(by), Some(request), now),
        };
        let fault = fault.clone();
        let mut told = Vec::new();
        if matches!(change, Change::Acknowledged | Change::Assigned | Change::Arrived) {
            told.extend(self.clocks.stop(id, Target::Response, now));
        }
        if change == Change::Arrived {
            told.extend(self.clocks.stop(id, Target::OnSite, now));
        }
        self.tell(told, now);
        self.commit(fault, change, now, Some(request));
    }

    /// When the first of those that are shelved comes back.
    pub(super) fn shelf_ends(&self) -> Option<Mono> {
        self.shelves.values().min().copied()
    }

    /// Takes from the shelf what has been there for its time.
    pub(super) fn end_shelves(&mut self, now: Now) {
        while let Some((&id, _)) = self.shelves.iter().find(|(_, until)| **until <= now.mono) {
            self.shelves.remove(&id);
            if let Some(fault) = self.open.get_mut(&id) {
                fault.shelf = None;
                let fault = fault.clone();
                self.commit(fault, Change::Unshelved, now, None);
            }
        }
    }

    fn finish(
        &mut self,
        id: FaultId,
        ending: Ending,
        by: Option<Arc<str>>,
        request: Option<RequestId>,
        now: Now,
    ) {
        if ending != Ending::Withdrawn {
            let told = self.clocks.stop(id, Target::Restore, now);
            self.tell(told, now);
        }
        let Some(mut fault) = self.open.remove(&id) else {
            return;
        };
        self.by_key.remove(&fault.key);
        fault.condition = Condition::Cleared;
        fault.stale = false;
        fault.cleared = fault.cleared.or(Some(now.wall));
        fault.ending = Some(ending);
        fault.closed_by = by;
        fault.service = self.clocks.service(id).or(fault.service);
        self.remember(fault.clone(), now.mono.plus_ms(REOPEN_MS));
        self.commit(fault, Change::Ended, now, request);
    }

    fn commit(&mut self, mut fault: Fault, change: Change, now: Now, request: Option<RequestId>) {
        if let Some(service) = self.clocks.service(fault.id) {
            fault.service = Some(service);
        }
        if let Some(open) = self.open.get_mut(&fault.id) {
            open.service.clone_from(&fault.service);
        }
        let transition = Transition { id: self.next_transition, at: now.wall, change, fault };
        let leaves_out =
            mutation::is_on(Mutation::TransitionIdLeftOut) && self.next_transition.is_multiple_of(97);
        self.next_transition += 1 + u64::from(leaves_out);
        self.effects.push_back(Effect::Commit { transition: Box::new(transition), request });
    }

    fn remember(&mut self, fault: Fault, reopen_until: Mono) {
        if self.past.len() >= MOST_PAST {
            let oldest =
                self.past.iter().min_by_key(|(_, past)| past.reopen_until).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.past.remove(&oldest);
            }
        }
        let clock = self.clocks.take(fault.id);
        self.past.insert(fault.key.clone(), Past { fault, clock, reopen_until });
    }

    fn next_number(&mut self, at: Wall) -> FaultNumber {
        let year = year_of(at, self.utc_offset_s);
        let sequence = self.numbers.entry(year).or_default();
        *sequence += 1;
        FaultNumber { year, sequence: *sequence }
    }
}

/// The civil year of a moment at an offset from UTC; 1970 for anything before, 9999 for anything after that.
fn year_of(at: Wall, utc_offset_s: i32) -> u16 {
    let days = (at.0 / 1000 + i64::from(utc_offset_s)).div_euclid(86_400);
    let leap_days_before = |year: i64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let first_day = |year: i64| 365 * (year - 1970) + leap_days_before(year) - leap_days_before(1970);
    let mut year = (1970 + days / 366).clamp(1970, 9999);
    while year < 9999 && first_day(year + 1) <= days {
        year += 1;
    }
    year as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years() {
        let table = [
            (0, 0, 1970),
            (-1, 0, 1970),
            (1_798_761_599_000, 0, 2026),
            (1_798_761_600_000, 0, 2027),
            (1_798_761_599_000, 8 * 3600, 2027),
            (1_798_732_799_000, 8 * 3600, 2026),
            (951_868_800_000, 0, 2000),
            (i64::MAX, 0, 9999),
        ];
        for (ms, offset_s, expected) in table {
            assert_eq!(year_of(Wall(ms), offset_s), expected, "{ms} {offset_s}");
        }
    }
}
