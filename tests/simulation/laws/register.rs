//! Laws of numbers, keys, times, requests: what a register of faults must keep.

use super::{Broken, Law};
use crate::store::Store;
use roundsman_core::fault::{
    Act, Change, Condition, Ending, Fault, FaultId, FaultKey, MOST_SHELF_MS, REPLACED, Refusal, RequestId,
    Transition,
};
use roundsman_core::time::{Mono, Now};
use std::collections::{BTreeMap, BTreeSet, HashMap};

const REOPEN_MS: u64 = 30 * 60 * 1000;
/// A fault confirmed so long after a step of the clock has been bad since after it.
const STEP_FORGOTTEN_MS: u64 = 2 * 24 * 60 * 60 * 1000;

/// Faults as the transitions so far say.
#[derive(Debug, Default)]
pub(super) struct Register {
    open: BTreeMap<FaultKey, Fault>,
    past: BTreeMap<FaultKey, (Fault, Mono)>,
    last_transition: u64,
    last_fault: u64,
    numbers: BTreeSet<(u16, u32)>,
    /// Requests of operators not answered.
    requests: HashMap<RequestId, (FaultId, Act)>,
    /// When those that are shelved must be back.
    shelves: BTreeMap<FaultId, Mono>,
    stepped: Option<Mono>,
    /// The last restart: how long what ended before it may be reopened follows the wall clock.
    restored: Option<Mono>,
}

impl Register {
    pub(super) fn open(&self, key: &FaultKey) -> Option<&Fault> {
        self.open.get(key)
    }

    pub(super) fn all_open(&self) -> impl Iterator<Item = &Fault> {
        self.open.values()
    }

    pub(super) fn of<'a>(&'a self, device: &'a str) -> impl Iterator<Item = &'a Fault> + 'a {
        // Keys are sorted by device.
        let from = FaultKey { device: device.into(), rule: "".into(), instance: "".into() };
        self.open.range(from..).map(|(_, fault)| fault).take_while(move |fault| *fault.key.device == *device)
    }

    pub(super) fn clock_steps(&mut self, now: Mono) {
        self.stepped = Some(now);
    }

    /// As the store says: what was not durable never was.
    pub(super) fn restore(&mut self, store: &Store, now: Mono) {
        let (open, past) = store.faults.values().cloned().partition::<Vec<Fault>, _>(Fault::is_open);
        self.open = open.into_iter().map(|fault| (fault.key.clone(), fault)).collect();
        self.past.retain(|_, (fault, _)| past.iter().any(|kept| kept == fault));
        (self.last_transition, self.last_fault) = (store.last_transition, store.last_fault);
        let is_durable =
            |(year, sequence): &(u16, u32)| store.numbers.get(year).is_some_and(|last| sequence <= last);
        self.numbers.retain(is_durable);
        self.requests.clear();
        self.restored = Some(now);
    }

    pub(super) fn asked(&mut self, request: RequestId, fault: FaultId, act: Act) {
        self.requests.insert(request, (fault, act));
    }

    pub(super) fn refuses(&mut self, request: RequestId, why: Refusal) -> Result<(), Broken> {
        let Some((fault, act)) = self.requests.remove(&request) else {
            return Law::Requests.broken(format!("{request:?} is refused, but nobody asked"));
        };
        let open = self.open.values().find(|open| open.id == fault);
        let rightly = match (why, open, &act) {
            (Refusal::NoSuchFault, None, _) => true,
            (Refusal::AlreadyAcknowledged, Some(open), Act::Acknowledge) => open.acknowledged.is_some(),
            (Refusal::AlreadyOnSite, Some(open), Act::Arrive) => open.arrived.is_some(),
            (Refusal::NotShelved, Some(open), Act::Unshelve) => open.shelf.is_none(),
            (Refusal::ShelfTooLong, Some(_), Act::Shelve { for_ms, .. }) => {
                !(1..=MOST_SHELF_MS).contains(for_ms)
            }
            (Refusal::NotClosable, Some(open), Act::Close) => open.condition != Condition::Cleared,
            _ => false,
        };
        Law::Requests.needs(rightly, || format!("{why:?} of {open:?}"))
    }

    pub(super) fn step_over(&self) -> Result<(), Broken> {
        Law::Requests.needs(self.requests.is_empty(), || format!("{:?} got no answer", self.requests))
    }

    /// Takes a transition; gives the fault as it was before.
    pub(super) fn transition(
        &mut self,
        transition: &Transition,
        request: Option<RequestId>,
        now: Now,
    ) -> Result<Option<Fault>, Broken> {
        let Transition { id, at, change, fault } = transition;
        let shown = || format!("{} {:?} {:?}", change.word(), fault.id, fault.key);
        Law::NoneTwice.needs(*id == self.last_transition + 1, || {
            format!("transition {id} after {}: {}", self.last_transition, shown())
        })?;
        self.last_transition = *id;
        Law::Times.needs(*at == now.wall, || format!("{} at {at:?}, it is {:?}", shown(), now.wall))?;
        if let Some(request) = request {
            let asked = self.requests.remove(&request);
            if let Some((_, Act::Shelve { for_ms, .. })) = &asked {
                self.shelves.insert(fault.id, now.mono.plus_ms(*for_ms));
            }
            let asked = asked.map(|(fault, _)| fault);
            Law::Requests
                .needs(asked == Some(fault.id), || format!("{request:?} asked for {asked:?}: {}", shown()))?;
        }
        let before = self.open.get(&fault.key).cloned();
        match change {
            Change::Raised => self.raised(fault, before.as_ref(), now)?,
            Change::Reopened => self.reopened(fault, before.as_ref(), now)?,
            _ => {
                let same = before.as_ref().is_some_and(|open| open.id == fault.id);
                Law::NoneTwice.needs(same, || format!("not open: {}", shown()))?;
            }
        }
        if let Some(before) = &before {
            self.keeps(before, transition, request, now.mono)?;
        }
        if fault.is_open() {
            self.open.insert(fault.key.clone(), fault.clone());
        } else {
            self.open.remove(&fault.key);
            self.past.insert(fault.key.clone(), (fault.clone(), now.mono));
        }
        Ok(before)
    }

    fn raised(&mut self, fault: &Fault, before: Option<&Fault>, now: Now) -> Result<(), Broken> {
        let Fault { id, number, key, .. } = fault;
        Law::NoneTwice.needs(before.is_none(), || format!("{key:?} is open already"))?;
        Law::NoneTwice
            .needs(id.0 > self.last_fault, || format!("{id:?} again, the last was {}", self.last_fault))?;
        self.last_fault = id.0;
        let is_new = self.numbers.insert((number.year, number.sequence));
        Law::NoneTwice.needs(is_new, || format!("{number} again"))?;
        if let Some((past, ended)) = self.past.get(key)
            && self.restored.is_none_or(|restored| *ended > restored)
        {
            let must_reopen = past.ending == Some(Ending::Cleared) && now.mono.since_ms(*ended) <= REOPEN_MS;
            Law::Reopening
                .needs(!must_reopen, || format!("{key:?} is a new one, {} ended just now", past.number))?;
        }
        Law::Times
            .needs(fault.confirmed == now.wall, || format!("{key:?} confirmed at {:?}", fault.confirmed))?;
        let unstepped = self.stepped.is_none_or(|step| now.mono.since_ms(step) > STEP_FORGOTTEN_MS);
        Law::Times
            .needs(!unstepped || fault.first_bad <= fault.confirmed, || format!("{fault:?} is bad after it"))
    }

    fn reopened(&mut self, fault: &Fault, before: Option<&Fault>, now: Now) -> Result<(), Broken> {
        if let Some(open) = before {
            let rested = open.condition == Condition::Cleared && open.id == fault.id;
            return Law::Reopening.needs(rested, || format!("{:?} was not over", fault.key));
        }
        let Some((past, ended)) = self.past.get(&fault.key) else {
            let is_known = self.numbers.contains(&(fault.number.year, fault.number.sequence));
            return Law::Reopening
                .needs(self.restored.is_some() && is_known, || format!("{:?} never ended", fault.key));
        };
        let is_restored = self.restored.is_some_and(|restored| *ended <= restored);
        let in_time = is_restored || now.mono.since_ms(*ended) <= REOPEN_MS;
        Law::Reopening.needs(in_time, || format!("{:?} ended long ago", fault.key))?;
        let same = (past.id, past.number, past.first_bad, past.confirmed, &past.acknowledged);
        let reopened = (fault.id, fault.number, fault.first_bad, fault.confirmed, &fault.acknowledged);
        let clean = fault.cleared.is_none() && fault.condition == Condition::Active;
        Law::Reopening.needs(same == reopened && clean, || format!("{past:?} came back as {fault:?}"))
    }

    /// What no change but its own may change.
    fn keeps(
        &self,
        before: &Fault,
        Transition { change, fault, .. }: &Transition,
        request: Option<RequestId>,
        now: Mono,
    ) -> Result<(), Broken> {
        let same = |fault: &Fault| (fault.number, fault.first_bad, fault.confirmed, fault.previous);
        Law::Reopening.needs(same(before) == same(fault), || format!("{before:?} became {fault:?}"))?;
        let people =
            |fault: &Fault| (fault.acknowledged.clone(), fault.assigned.clone(), fault.arrived.clone());
        let acts = matches!(change, Change::Acknowledged | Change::Assigned | Change::Arrived);
        let kept = if acts { fault.acknowledged.is_some() } else { people(before) == people(fault) };
        Law::Requests.needs(kept, || format!("{before:?} became {fault:?} at {}", change.word()))?;
        let moves = matches!(change, Change::Shelved | Change::Unshelved);
        Law::Requests.needs(moves || before.shelf == fault.shelf, || {
            format!("{:?} is on the shelf {:?}, then {:?}", fault.key, before.shelf, fault.shelf)
        })?;
        if *change == Change::Unshelved {
            self.unshelves(fault, request, now)?;
        }
        let changes_sight = matches!(change, Change::Hidden | Change::Revealed);
        Law::Hidden.needs((before.hidden_by != fault.hidden_by) == changes_sight, || {
            format!(
                "{:?} is hidden by {:?}, then {:?}, at {}",
                fault.key,
                before.hidden_by,
                fault.hidden_by,
                change.word()
            )
        })?;
        if fault.ending == Some(Ending::Closed) {
            let by_a_person = before.condition == Condition::Cleared && fault.closed_by.is_some();
            return Law::Requests
                .needs(by_a_person && &*fault.key.rule != REPLACED, || format!("{fault:?} was closed"));
        }
        Ok(())
    }

    /// A fault comes from the shelf when a person says so, or at its time by the monotonic clock.
    fn unshelves(&self, fault: &Fault, request: Option<RequestId>, now: Mono) -> Result<(), Broken> {
        let due = self.shelves.get(&fault.id);
        let in_time = request.is_some() || self.restored.is_some() || due == Some(&now);
        Law::ClockSteps.needs(in_time, || format!("{:?} comes from the shelf, due {due:?}", fault.key))
    }

    /// Nothing stays on the shelf past its time.
    pub(super) fn daily(&self, now: Mono) -> Result<(), Broken> {
        let is_over = |fault: &&Fault| {
            let due = self.shelves.get(&fault.id).filter(|_| self.restored.is_none());
            fault.shelf.is_some() && due.is_some_and(|due| *due < now)
        };
        let over = self.open.values().find(is_over);
        Law::NoneKept.needs(over.is_none(), || format!("{over:?} is on the shelf still"))
    }
}
