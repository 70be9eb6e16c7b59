//! What a reply means for the poll.

use super::{Asked, Poll, REPLY_OCTETS, Scratch, UPTIME_INSTANCE, has_next};
use crate::snmp::answer::Raw;
use crate::snmp::decode::{Found, Reply, Varbind};
use crate::snmp::session::memory::Memory;
use crate::snmp::session::walk::{Step, Walk};
use roundsman_core::reading::Absence;
use std::sync::Arc;

/// `error-status` values (RFC 3416 section 3).
mod status {
    pub(super) const NO_ERROR: u32 = 0;
    pub(super) const TOO_BIG: u32 = 1;
    pub(super) const NO_SUCH_NAME: u32 = 2;
    pub(super) const NO_ACCESS: u32 = 6;
    pub(super) const AUTHORIZATION_ERROR: u32 = 16;
}

/// How far sysUpTime may fall without a restart, 1/100 s: agents of several processors count a little apart.
const UPTIME_SLACK: u32 = 100;

impl Poll {
    /// A valid reply to the outstanding request.
    pub(in crate::snmp::session) fn take(
        &mut self,
        reply: &Reply<'_>,
        octets: usize,
        memory: &mut Memory,
        scratch: &mut Scratch,
    ) {
        tracing::trace!(target: "way", step = "Poll::take");
        self.answer.answered = true;
        self.answer.cost.varbinds = self.answer.cost.varbinds.saturating_add(reply.count);
        self.answer.cost.octets_in += octets as u64;
        self.silent = 0;
        if reply.status != status::NO_ERROR {
            return self.take_error(reply, memory);
        }
        match self.asked {
            Asked::Scalars => self.take_scalars(reply, memory, scratch),
            Asked::Columns { .. } => self.take_columns(reply, octets, memory, scratch),
        }
    }

    /// An error for the whole request: the object it names is dropped, or less is asked for.
    fn take_error(&mut self, reply: &Reply<'_>, memory: &mut Memory) {
        let (bulk, watched) = match self.asked {
            Asked::Columns { bulk, watched, .. } => (bulk, watched),
            Asked::Scalars => (false, false),
        };
        if std::mem::take(&mut self.riding) {
            memory.rides = false;
            if reply.status == status::TOO_BIG {
                // It may be the scalars: they are asked for alone before less of the columns is.
                return;
            }
        }
        if bulk && reply.status != status::TOO_BIG {
            // GETBULK knows no error but tooBig and genErr (RFC 3416 section 4.2.3). By GETNEXT the agent either
            // answers, or names the object that is broken.
            self.stepped_down = true;
            return;
        }
        let named = match reply.index as usize {
            _ if reply.status == status::TOO_BIG => None,
            index => index.checked_sub(1 + usize::from(watched)).filter(|&at| at < self.slots.len()),
        };
        let alone = self.slots.len() == 1 && !matches!(self.asked, Asked::Columns { rows: 2.., .. });
        let at = if bulk { named } else { named.or(alone.then_some(0)) };
        let Some(at) = at else {
            return self.ask_less(memory);
        };
        let slot = usize::from(self.slots[at]);
        let why = match reply.status {
            status::NO_SUCH_NAME => Absence::Unsupported,
            status::NO_ACCESS | status::AUTHORIZATION_ERROR => Absence::Denied,
            _ => Absence::Malformed,
        };
        match (self.asked, why) {
            (Asked::Scalars, Absence::Unsupported) => self.scalar_missing(slot),
            (Asked::Scalars, why) => self.close_scalar(slot, Err(why)),
            // In v1 the end of the view comes as this error (RFC 1157 section 4.1.3).
            (Asked::Columns { .. }, Absence::Unsupported) => {
                self.walks[slot].ended(&self.plan, &mut self.answer);
                self.follow_sentinels();
            }
            (Asked::Columns { .. }, why) => self.walks[slot].close(&mut self.answer, Err(why)),
        }
    }

    /// The reply would have been too big, or brought nothing on: half of it from now on.
    fn ask_less(&mut self, memory: &mut Memory) {
        let asked = self.asked_varbinds();
        if asked > 1 && self.asked == Asked::Scalars {
            memory.too_many_scalars(asked);
        } else if asked > 1 {
            memory.too_big(asked);
        } else if matches!(self.asked, Asked::Columns { bulk: true, .. }) {
            memory.too_big_for_anything();
            self.stepped_down = true;
        } else {
            self.close_asked(Absence::Malformed);
        }
    }

    pub(super) fn asked_varbinds(&self) -> usize {
        match self.asked {
            Asked::Scalars => self.slots.len(),
            Asked::Columns { bulk, riders, watched, singles, rows } => {
                let rows = if bulk { rows } else { 0 };
                riders + usize::from(watched) + singles + rows * (self.slots.len() - singles)
            }
        }
    }

    fn take_scalars(&mut self, reply: &Reply<'_>, memory: &mut Memory, scratch: &mut Scratch) {
        tracing::trace!(target: "way", step = "Poll::take_scalars");
        let mut binds = reply.varbinds();
        for at in 0..self.slots.len() {
            let slot = usize::from(self.slots[at]);
            let Some(bind) = binds.next() else {
                self.close_scalar(slot, Err(Absence::Malformed));
                continue;
            };
            let plan = Arc::clone(&self.plan);
            let asked = &plan.scalars[slot].oids[usize::from(self.scalars[slot].alternative)];
            match bind.is_named(asked, &mut scratch.name) {
                true => self.take_scalar(slot, &bind, memory, scratch),
                false => self.close_scalar(slot, Err(Absence::Malformed)),
            }
        }
    }

    /// The variable binding of a scalar, under its own name.
    fn take_scalar(&mut self, slot: usize, bind: &Varbind<'_>, memory: &mut Memory, scratch: &mut Scratch) {
        memory.scalar_octets[slot] = u16::try_from(bind.octets).unwrap_or(u16::MAX);
        match bind.read_value(&mut self.answer, &mut scratch.value) {
            Found::Raw(raw) => {
                if let Raw::TimeTicks(ticks) = raw
                    && bind.name == UPTIME_INSTANCE
                {
                    self.uptime = Some(ticks);
                }
                self.close_scalar(slot, Ok(raw));
            }
            Found::Missing | Found::EndOfView => self.scalar_missing(slot),
            Found::Malformed => self.close_scalar(slot, Err(Absence::Malformed)),
        }
    }

    /// Scalars that went along with columns. One whose successor is another object is asked for by GET.
    fn take_riders<'a>(
        &mut self,
        binds: &mut impl Iterator<Item = Varbind<'a>>,
        memory: &mut Memory,
        scratch: &mut Scratch,
    ) {
        let plan = Arc::clone(&self.plan);
        self.riding = false;
        for at in 0..self.riders.len() {
            let slot = usize::from(self.riders[at]);
            let Some(bind) = binds.next() else { return };
            let asked = &plan.scalars[slot].oids[usize::from(self.scalars[slot].alternative)];
            if bind.is_named(asked, &mut scratch.name) {
                self.take_scalar(slot, &bind, memory, scratch);
            } else {
                self.scalars[slot].fell_off = true;
            }
        }
    }

    fn scalar_missing(&mut self, slot: usize) {
        let scalar = &mut self.scalars[slot];
        if scalar.choosy && has_next(&self.plan.scalars[slot], scalar.alternative) {
            scalar.alternative += 1;
        } else {
            self.close_scalar(slot, Err(Absence::Unsupported));
        }
    }

    pub(super) fn close_scalar(&mut self, slot: usize, outcome: Result<Raw, Absence>) {
        self.scalars[slot].open = false;
        self.answer.scalars[slot] = outcome;
    }

    fn take_columns(&mut self, reply: &Reply<'_>, octets: usize, memory: &mut Memory, scratch: &mut Scratch) {
        let Asked::Columns { bulk, riders, watched, singles, rows } = self.asked else {
            return;
        };
        let mut binds = reply.varbinds();
        if riders > 0 {
            self.take_riders(&mut binds, memory, scratch);
        }
        if watched
            && let Some(bind) = binds.next()
            && self.has_restarted(&bind, scratch)
        {
            return self.begin_anew(memory);
        }
        let repeated = self.slots.len() - singles;
        let asked = self.asked_varbinds();
        // Less was answered at once where more was not at all. On a lossy line it would hardly be at once.
        let at_once = self.answer.cost.retries == self.retries_before;
        match self.silent_at.take().filter(|_| at_once) {
            Some(silent) => memory.too_slow(silent),
            None => memory.quick_enough(asked),
        }
        memory.bulk_works |= bulk && reply.count > 0;
        if self.stepped_down && !bulk {
            self.stepped_well = true;
        }
        let mut moved = false;
        for (at, bind) in binds.take(asked - riders - usize::from(watched)).enumerate() {
            let column = match at.checked_sub(singles) {
                None => at,
                Some(over) => singles + over % repeated.max(1),
            };
            let walk = &mut self.walks[usize::from(self.slots[column])];
            moved |= walk.take(&bind, &self.plan, &mut self.answer, scratch) == Step::Moved;
        }
        let received = reply.count as usize;
        if octets > REPLY_OCTETS as usize + 100 {
            memory.cuts = false;
        } else if rows > 0
            && received < asked
            && self.slots.iter().any(|&slot| self.walks[usize::from(slot)].open)
        {
            memory.cuts = true;
        }
        if !moved {
            self.ask_less(memory);
        }
        self.follow_sentinels();
    }

    /// Whether the watched sysUpTime is below what the agent said before.
    fn has_restarted(&mut self, bind: &Varbind<'_>, scratch: &mut Scratch) -> bool {
        let found = bind.read_value(&mut self.answer, &mut scratch.value);
        let (true, Found::Raw(Raw::TimeTicks(ticks))) = (bind.name == UPTIME_INSTANCE, found) else {
            // It does not say it by GETNEXT: nothing is watched.
            self.uptime = None;
            return false;
        };
        let before = self.uptime.replace(ticks);
        before.is_some_and(|before| ticks.saturating_add(UPTIME_SLACK) < before)
    }

    /// The agent restarted in mid-poll: indexes, names and counters may all be others, so nothing that came before
    /// goes with what comes now. All is read anew, once; an agent that restarts again leaves nothing to judge.
    fn begin_anew(&mut self, memory: &mut Memory) {
        let mut fresh = Poll::new(self.version, Arc::clone(&self.plan), memory);
        fresh.answer.answered = true;
        fresh.answer.cost = self.answer.cost;
        fresh.ever_silent = self.ever_silent;
        fresh.stepped_down = self.stepped_down;
        fresh.stepped_well = self.stepped_well;
        fresh.restarted = true;
        fresh.riding = false;
        fresh.wake_all();
        if self.restarted {
            fresh.close_all(Absence::NotJudged);
        }
        *self = fresh;
    }

    /// Closes the columns whose end follows from that of their table's sentinel: as many rows as it has and as they
    /// had in their last complete walk, and the same last index. Every so many polls ([`super::memory`]) nothing is
    /// inferred.
    fn follow_sentinels(&mut self) {
        if self.doubt {
            return;
        }
        for slot in 0..self.walks.len() {
            let walk = &self.walks[slot];
            let Some(sentinel) = self.sentinels[walk.table].map(usize::from) else {
                continue;
            };
            let leader = &self.walks[sentinel];
            let follows = walk.open
                && slot != sentinel
                && !walk.anew
                && leader.ended_well(&self.answer)
                && walk.kept.rows == Some(walk.seen)
                && leader.seen == walk.seen
                && leader.kept.rows == Some(leader.seen)
                && self.same_index(leader, walk);
            if follows {
                self.walks[slot].ended(&self.plan, &mut self.answer);
            }
        }
    }

    fn same_index(&self, one: &Walk, other: &Walk) -> bool {
        match (one.cursor, other.cursor) {
            (Some(one), Some(other)) => self.answer.arcs(one) == self.answer.arcs(other),
            _ => false,
        }
    }
}
