//! Laws of who is hidden behind whom, and of what must be seen: against the graph and against the truth.

use super::register::Register;
use super::{Broken, Heard, Law, Scene, is_data_of};
use crate::site::place_of;
use crate::store::Store;
use crate::world::{known_to, ways, ways_from};
use roundsman_core::fault::engine::Engine;
use roundsman_core::fault::{
    Change, Condition, Fault, FaultId, NO_DATA, REDUNDANCY_LOST, Transition, UNREACHABLE,
};
use roundsman_core::hidden::{Hiding, Root};
use roundsman_core::time::Mono;
use std::collections::BTreeMap;

/// So many silent polls of a device, over so many ms, since anything changed, and all is settled.
const SETTLED_POLLS: u32 = 9;
const SETTLED_MS: u64 = 300_000;

/// How a device stands for those who know the truth and what is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    /// It is reached, and it could be.
    reached: bool,
    free: bool,
    /// What is open cuts it off by the graph; and though those that are reached let the question through.
    cut: bool,
    cut_all_the_same: bool,
}

/// Who is hidden, and how long nothing changed.
pub(super) struct Sight {
    hidden: Vec<Option<Root>>,
    hidden_since: Vec<Mono>,
    /// The open `unreachable` of each.
    out: Vec<Option<FaultId>>,
    no_data: Vec<bool>,
    /// Devices of all `unreachable` faults that ever were, which is what hides.
    roots: BTreeMap<FaultId, usize>,
    standing: Vec<Standing>,
    silent_since: Vec<Mono>,
    /// Silent polls since the standing is as it is, and polls with data since it is not hidden.
    silent: Vec<u32>,
    unhidden: Vec<u32>,
    is_new: bool,
    /// When a device failed or came back last for the engine, and before that.
    changed: (Mono, Mono),
}

impl Sight {
    pub(super) fn new(count: usize) -> Sight {
        Sight {
            hidden: vec![None; count],
            hidden_since: vec![Mono(0); count],
            out: vec![None; count],
            no_data: vec![false; count],
            roots: BTreeMap::new(),
            standing: vec![Standing::default(); count],
            silent_since: vec![Mono(0); count],
            silent: vec![0; count],
            unhidden: vec![0; count],
            is_new: true,
            changed: (Mono(0), Mono(0)),
        }
    }

    pub(super) fn restore(&mut self, store: &Store) {
        self.hidden.fill(None);
        self.out.fill(None);
        self.no_data.fill(false);
        for (device, root) in &store.hidden {
            self.hidden[place_of(device)] = Some(root.clone());
        }
        for fault in store.faults.values().filter(|fault| fault.is_open()) {
            let at = place_of(&fault.key.device);
            match &*fault.key.rule {
                UNREACHABLE => self.out[at] = Some(fault.id),
                NO_DATA => self.no_data[at] = true,
                _ => {}
            }
        }
        self.roots.retain(|id, _| id.0 <= store.last_fault);
    }

    pub(super) fn start_over(&mut self) {
        self.silent.fill(0);

        self.unhidden.fill(0);
        self.is_new = true;
    }

    /// Whether a device has an open fault of presence.
    pub(super) fn is_out(&self, at: usize) -> bool {
        self.out[at].is_some() || self.no_data[at]
    }

    /// Whether a device has an open `unreachable`.
    pub(super) fn has_failed(&self, at: usize) -> bool {
        self.out[at].is_some()
    }

    /// When a device failed or came back last, but for what happens in this very step.
    pub(super) fn unchanged_since(&self, now: Mono) -> Mono {
        if self.changed.0 == now { self.changed.1 } else { self.changed.0 }
    }

    /// Whether open faults of others cut a device off.
    pub(super) fn is_cut(&self, at: usize) -> bool {
        self.standing[at].cut_all_the_same
    }

    /// Who stands behind this fault, and since when.
    pub(super) fn behind(&self, fault: FaultId) -> Vec<(usize, Mono)> {
        let is_behind = |at: &usize| self.hidden[*at].as_ref().is_some_and(|root| root.fault == fault);
        (0..self.hidden.len()).filter(is_behind).map(|at| (at, self.hidden_since[at])).collect()
    }

    /// Works out anew how all stand.
    pub(super) fn refresh(&mut self, scene: Scene<'_>) {
        let Scene { plan, world, .. } = scene;
        if !std::mem::take(&mut self.is_new) {
            return;
        }
        let known = known_to(plan);
        let seen = ways(plan, |at| self.out[at].is_some());
        let lets_through = |at: &usize| world.reached[*at] && known[*at] && self.out[*at].is_none();
        let lets_through = (0..self.out.len()).filter(lets_through);
        let seen_all_the_same =
            ways_from(plan, plan.attached.into_iter().chain(lets_through), |at| self.out[at].is_some());
        for at in 0..self.standing.len() {
            let standing = Standing {
                reached: world.reached[at],
                free: world.free[at],
                cut: known[at] && !seen[at],
                cut_all_the_same: known[at] && !seen_all_the_same[at],
            };
            if self.standing[at] != standing {
                (self.standing[at], self.silent[at]) = (standing, 0);
            }
        }
    }

    pub(super) fn changed(&mut self) {
        self.is_new = true;
    }

    pub(super) fn transition(
        &mut self,
        at: usize,
        transition: &Transition,
        heard: &Heard,
        replied_at: Mono,
        scene: Scene<'_>,
    ) -> Result<(), Broken> {
        let Transition { change, fault, .. } = transition;
        let shown =
            || format!("{} {:?} of {:?} hidden by {:?}", change.word(), fault.id, fault.key, fault.hidden_by);
        let begins = matches!(change, Change::Raised | Change::Reopened);
        match &*fault.key.rule {
            UNREACHABLE => {
                self.roots.insert(fault.id, at);
                let out = fault.is_open().then_some(fault.id);
                if self.out[at] != out {
                    self.out[at] = out;
                    let (last, before) = self.changed;
                    let now = scene.now.mono;
                    self.changed = (now, if last == now { before } else { last });
                    self.is_new = true;
                }
            }
            NO_DATA => self.no_data[at] = fault.is_open(),
            REDUNDANCY_LOST if begins => {
                let uplink = place_of(&fault.key.instance);
                let is_lost = self.out[uplink].is_some() || self.hidden[uplink].is_some();
                let hangs = scene.plan.places[at].uplinks.contains(&uplink);
                Law::Evidence.needs(is_lost && hangs, || format!("{} though d{uplink} is there", shown()))?;
            }
            _ => {}
        }
        match fault.hidden_by {
            Some(root) => {
                let of_another = self.roots.get(&root).is_some_and(|device| *device != at);
                Law::Hidden.needs(of_another, || format!("by no unreachable of another: {}", shown()))?;
                self.ends_somewhere(root, at)
            }
            // Its own reply, or the fresh poll that judges, lets it speak.
            None if begins && !is_data_of(heard, at) && replied_at <= self.hidden_since[at] => {
                let is_behind = self.hidden[at].as_ref().is_some_and(|root| self.is_open(root.fault));
                let is_behind = is_behind && self.is_cut(at);
                Law::Hidden.needs(!is_behind, || format!("{}, behind {:?}", shown(), self.hidden[at]))
            }
            None => Ok(()),
        }
    }

    fn is_open(&self, root: FaultId) -> bool {
        self.roots.get(&root).is_some_and(|at| self.out[*at] == Some(root))
    }

    /// Following who is hidden behind whom never comes back.
    fn ends_somewhere(&self, root: FaultId, at: usize) -> Result<(), Broken> {
        let mut next = Some(root).filter(|root| self.is_open(*root));
        for _ in 0..self.hidden.len() {
            let Some(device) = next.and_then(|root| self.roots.get(&root)) else { return Ok(()) };
            let behind = self.hidden[*device].as_ref().map(|root| root.fault);
            next = behind.filter(|root| self.is_open(*root));
        }
        Law::Hidden.broken(format!("d{at} is hidden in a circle"))
    }

    pub(super) fn hides(
        &mut self,
        changes: &[Hiding],
        register: &Register,
        scene: Scene<'_>,
    ) -> Result<(), Broken> {
        let seen = ways(scene.plan, |at| self.out[at].is_some());
        for Hiding { device, behind } in changes {
            let at = place_of(device);
            if let Some(root) = behind {
                let of = place_of(&root.device);
                let is_root = self.out[of] == Some(root.fault) && of != at;
                Law::Hidden.needs(is_root, || format!("d{at} behind {root:?}, which is not out"))?;
                Law::Hidden.needs(!seen[at], || format!("d{at} behind {root:?}, but a way leads to it"))?;
            }
            self.hidden[at].clone_from(behind);
            (self.hidden_since[at], self.unhidden[at]) = (scene.now.mono, 0);
            if behind.is_some() {
                self.all_hidden(at, register, scene)?;
            }
        }
        Ok(())
    }

    fn all_hidden(&self, at: usize, register: &Register, scene: Scene<'_>) -> Result<(), Broken> {
        let open = register.of(&scene.plan.places[at].id).find(|fault| fault.hidden_by.is_none());
        Law::Hidden.needs(open.is_none(), || format!("d{at} is hidden, but {open:?} is not"))
    }

    /// A regular or asked poll stayed silent: once all is settled, it is out, or hidden.
    pub(super) fn silent(&mut self, at: usize, register: &Register, scene: Scene<'_>) -> Result<(), Broken> {
        if self.silent[at] == 0 {
            self.silent_since[at] = scene.now.mono;
        }
        self.silent[at] += 1;
        let Standing { reached, free, cut, cut_all_the_same } = self.standing[at];
        let is_settled =
            self.silent[at] >= SETTLED_POLLS && scene.now.mono.since_ms(self.silent_since[at]) > SETTLED_MS;
        if !is_settled || reached {
            return Ok(());
        }
        let out = register.of(&scene.plan.places[at].id).find(|fault| &*fault.key.rule == UNREACHABLE);
        let shown = || format!("d{at} is out for {} polls: {out:?}, {:?}", self.silent[at], self.hidden[at]);
        if cut_all_the_same {
            Law::Hidden.needs(self.hidden[at].is_some(), shown)?;
            self.all_hidden(at, register, scene)?;
            Law::NoneLost.needs(out.is_some(), shown)
        } else if free && !cut {
            Law::NoneLost.needs(out.is_some_and(|fault| fault.hidden_by.is_none()), shown)
        } else {
            Ok(())
        }
    }

    /// A poll brought data: the device is not hidden, and what is bad about it speaks.
    pub(super) fn replied(
        &mut self,
        at: usize,
        register: &Register,
        engine: &Engine,
        scene: Scene<'_>,
    ) -> Result<(), Broken> {
        if self.out[at].is_some() {
            return Ok(());
        }
        Law::NoneLost
            .needs(self.hidden[at].is_none(), || format!("d{at} replies behind {:?}", self.hidden[at]))?;
        self.unhidden[at] += 1;
        if self.unhidden[at] < 3 {
            return Ok(());
        }
        let is_kept = |fault: &&Fault| {
            let now = engine.fault(fault.id);
            let is_active = now.is_some_and(|now| now.condition == Condition::Active && !now.stale);
            fault.hidden_by.is_some() && is_active && is_judged(fault)
        };
        let kept = register.of(&scene.plan.places[at].id).find(is_kept);
        Law::NoneLost.needs(kept.is_none(), || format!("d{at} replies, and still is hidden: {kept:?}"))
    }
}

/// Whether polls judge it, so that they can let it speak.
fn is_judged(fault: &Fault) -> bool {
    matches!(&*fault.key.rule, "hot" | "burnt" | "port-down" | "exchanged")
}
