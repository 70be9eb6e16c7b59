//! The durable half of the shell: what a power cut leaves, and the outbox.
//!
//! What one event led to becomes durable as a whole or not at all, in order. With a transition that is not suppressed one row
//! of the outbox is written in the same step.

use crate::laws::{Broken, Law};
use roundsman_core::fault::engine::Kept;
use roundsman_core::fault::{Fault, FaultId, Transition};
use roundsman_core::hidden::{Hiding, Root};
use roundsman_core::time::{Mono, Now};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How long an ended fault may be reopened, ms.
const REOPEN_MS: u64 = 30 * 60 * 1000;

/// What one event led to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub(crate) transitions: Vec<Transition>,
    pub(crate) hidden: Vec<Hiding>,
}

/// Everything that is durable, and what waits to be.
#[derive(Debug, Default)]
pub(crate) struct Store {
    waiting: VecDeque<(Mono, Step)>,
    pub(crate) faults: BTreeMap<FaultId, Fault>,
    /// When each of those that ended did.
    ended: BTreeMap<FaultId, Mono>,
    pub(crate) hidden: BTreeMap<Arc<str>, Root>,
    pub(crate) last_transition: u64,
    pub(crate) last_fault: u64,
    pub(crate) numbers: BTreeMap<u16, u32>,
    /// Messages not sent yet, by the transition they tell of.
    outbox: BTreeSet<u64>,
    /// How many messages there have been for transitions that are not suppressed, and those.
    pub(crate) sent: u64,
    pub(crate) told: u64,
    newest_message: u64,
}

impl Store {
    pub(crate) fn take(&mut self, step: Step, now: Mono) {
        if !step.transitions.is_empty() || !step.hidden.is_empty() {
            self.waiting.push_back((now, step));
        }
    }

    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Makes the oldest `most` of what waits durable.
    pub(crate) fn commit(&mut self, most: usize) -> Result<(), Broken> {
        for _ in 0..most {
            let Some((at, step)) = self.waiting.pop_front() else { break };
            for transition in step.transitions {
                self.write(transition, at)?;
            }
            for Hiding { device, behind } in step.hidden {
                match behind {
                    Some(root) => self.hidden.insert(device, root),
                    None => self.hidden.remove(&device),
                };
            }
        }
        Ok(())
    }

    fn write(&mut self, transition: Transition, at: Mono) -> Result<(), Broken> {
        let Transition { id, fault, .. } = transition;
        if id != self.last_transition + 1 {
            return Law::NoneTwice
                .broken(format!("transition {id} is stored after {}", self.last_transition));
        }
        self.last_transition = id;
        self.last_fault = self.last_fault.max(fault.id.0);
        let number = self.numbers.entry(fault.number.year).or_default();
        *number = (*number).max(fault.number.sequence);
        if !fault.is_suppressed() {
            self.told += 1;
            if id <= self.newest_message {
                return Law::OneMessage.broken(format!("transition {id} has a message already"));
            }
            self.newest_message = id;
            self.outbox.insert(id);
        }
        if fault.is_open() {
            self.ended.remove(&fault.id);
        } else {
            self.ended.insert(fault.id, at);
        }
        self.faults.insert(fault.id, fault);
        let is_old = |ended: &Mono| at.since_ms(*ended) > REOPEN_MS;
        let old: Vec<FaultId> =
            self.ended.iter().filter(|(_, ended)| is_old(ended)).map(|(id, _)| *id).collect();
        for id in old {
            self.ended.remove(&id);
            self.faults.remove(&id);
        }
        Ok(())
    }

    /// Sends what the outbox holds.
    pub(crate) fn publish(&mut self) {
        self.sent += self.outbox.len() as u64;
        self.outbox.clear();
    }

    /// The process ends: what was not durable is lost.
    pub(crate) fn lose(&mut self) -> usize {
        let lost = self.waiting.len();
        self.waiting.clear();
        lost
    }

    /// What a new process starts with.
    pub(crate) fn kept(&self, answering: BTreeSet<Arc<str>>, now: Now) -> Kept {
        let is_recent = |fault: &&Fault| {
            self.ended.get(&fault.id).is_none_or(|ended| now.mono.since_ms(*ended) <= REOPEN_MS)
        };
        let hiding = |(device, root): (&Arc<str>, &Root)| Hiding {
            device: device.clone(),
            behind: Some(root.clone()),
        };
        Kept {
            faults: self.faults.values().filter(is_recent).cloned().collect(),
            next_fault: self.last_fault + 1,
            next_transition: self.last_transition + 1,
            numbers: self.numbers.iter().map(|(year, last)| (*year, *last)).collect(),
            hidden: self.hidden.iter().map(hiding).collect(),
            answering,
            ..Kept::default()
        }
    }
}
