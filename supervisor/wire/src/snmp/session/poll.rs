//! One poll of one device: what to ask next, and what a reply means for it. Knows no ids and no time.

use super::memory::{Known, Memory};
use super::shape::{MOST_COLUMNS, Room, Want, shape};
use super::walk::{Step, Walk};
use super::{MOST_REQUESTS, MOST_SILENT};
use crate::snmp::Version;
use crate::snmp::answer::Answer;
use crate::snmp::decode::{Found, Reply};
use crate::snmp::plan::{Object, Plan};
use crate::snmp::request::{Ask, Request};
use roundsman_core::reading::Absence;
use std::sync::Arc;

/// Octets of variable bindings asked for in one reply: an Ethernet frame without IP, UDP and SNMP headers.
const REPLY_OCTETS: u32 = 1_410;
/// Octets of a variable binding of which nothing is known.
const USUAL_OCTETS: u16 = 28;
/// Rows first asked of a column of which nothing is known; doubled with what has come.
const FIRST_ROWS: u32 = 8;
/// Scalars in one GET: about half a datagram each way, strings allowed for.
const MOST_SCALARS: usize = 40;

/// `error-status` values (RFC 3416 section 3).
mod status {
    pub(super) const NO_ERROR: u32 = 0;
    pub(super) const TOO_BIG: u32 = 1;
    pub(super) const NO_SUCH_NAME: u32 = 2;
    pub(super) const NO_ACCESS: u32 = 6;
    pub(super) const AUTHORIZATION_ERROR: u32 = 16;
}

/// Room for one object at a time, reused by all polls.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) name: Vec<u32>,
    pub(super) value: Vec<u32>,
    wants: Vec<Want>,
}

/// A scalar under way.
#[derive(Clone, Copy, Debug)]
struct Scalar {
    alternative: u8,
    /// Whether further alternatives may be tried.
    choosy: bool,
    open: bool,
    /// Not asked for at all: known to be missing.
    skipped: bool,
}

/// What the outstanding request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Scalars,
    Columns { singles: usize, rows: usize },
}

/// One poll.
#[derive(Debug)]
pub(super) struct Poll {
    version: Version,
    plan: Arc<Plan>,
    pub(super) answer: Answer,
    scalars: Vec<Scalar>,
    walks: Vec<Walk>,
    /// Per table, the column that is read past its end; the ends of the others follow from it.
    sentinels: Vec<Option<u16>>,
    /// Whether nothing remembered is trusted.
    doubt: bool,
    asked: Asked,
    /// Scalars or columns of the outstanding request, in its order.
    slots: Vec<u16>,
    /// The outstanding request's names.
    pub(super) request: Request,
    silent: u8,
    /// Whether any request of this poll stayed without an answer.
    ever_silent: bool,
}

/// Where to go on with an object of which nothing, or something, is remembered: its alternative, and whether
/// others may be tried.
fn begin(known: Known, doubt: bool) -> (u8, bool) {
    match known {
        _ if doubt => (0, true),
        Known::Nothing => (0, true),
        Known::Uses(alternative) => (alternative, true),
        Known::Empty | Known::Missing => (0, false),
    }
}

impl Poll {
    pub(super) fn new(version: Version, plan: Arc<Plan>, memory: &mut Memory) -> Poll {
        let doubt = memory.begin();
        let mut answer = Answer::unanswered(&plan);
        let scalars = memory.scalars.iter().zip(&plan.scalars).map(|(&known, object)| {
            let (alternative, choosy) = begin(known, doubt);
            // In v1 a missing object costs a request of its own; in v2c it costs nothing.
            let known_missing = known == Known::Missing && version == Version::V1 && !doubt;
            let skipped = object.oids.is_empty() || known_missing;
            Scalar { alternative, choosy, open: !skipped, skipped }
        });
        let scalars = scalars.collect();
        let mut walks = Vec::with_capacity(memory.columns.len());
        let mut sentinels = Vec::with_capacity(plan.tables.len());
        let mut kept = memory.columns.iter();
        let mut cells = 0;
        for (table, place) in plan.tables.iter().enumerate() {
            let mut sentinel = None;
            for (column, object) in place.columns.iter().enumerate() {
                let kept = kept.next().copied().unwrap_or_default();
                let (alternative, choosy) = begin(kept.known, doubt);
                let skip = object.oids.is_empty() || (kept.known == Known::Missing && !doubt);
                if sentinel.is_none() && !skip && kept.rows.is_some_and(|rows| rows > 0) {
                    sentinel = Some(walks.len() as u16);
                }
                if let Some(rows) = kept.rows {
                    answer.tables[table].columns[column].cells.reserve(rows as usize + 1);
                    cells += rows as usize;
                }
                walks.push(Walk::new(table, column, alternative, choosy, !skip, kept));
            }
            sentinels.push(sentinel);
        }
        answer.reserve(cells * 2, cells * 4);
        Poll {
            version,
            plan,
            answer,
            scalars,
            walks,
            sentinels,
            doubt,
            asked: Asked::Scalars,
            slots: Vec::new(),
            request: Request::default(),
            silent: 0,
            ever_silent: false,
        }
    }

    /// Prepares the next request; `None` when there is nothing left to ask.
    pub(super) fn next(&mut self, memory: &Memory, scratch: &mut Scratch) -> Option<Ask> {
        if self.answer.cost.requests >= MOST_REQUESTS || self.answer.is_full() {
            self.close_all(Absence::Malformed);
            return None;
        }
        self.slots.clear();
        self.request.clear();
        let most = MOST_SCALARS.min(memory.varbinds.into());
        let open = self.scalars.iter().enumerate().filter(|(_, scalar)| scalar.open);
        self.slots.extend(open.map(|(slot, _)| slot as u16).take(most));
        if !self.slots.is_empty() {
            self.asked = Asked::Scalars;
            for &slot in &self.slots {
                let alternative = usize::from(self.scalars[usize::from(slot)].alternative);
                self.request.name(self.plan.scalars[usize::from(slot)].oids[alternative].arcs(), &[]);
            }
            return Some(Ask::Get);
        }
        self.next_columns(memory, scratch)
    }

    fn next_columns(&mut self, memory: &Memory, scratch: &mut Scratch) -> Option<Ask> {
        scratch.wants.clear();
        for slot in 0..self.walks.len() {
            let need = self.need(slot);
            if need > 0 && scratch.wants.len() < MOST_COLUMNS * 4 {
                let octets = match self.walks[slot].kept.octets {
                    0 => USUAL_OCTETS,
                    known => known,
                };
                scratch.wants.push(Want { slot: slot as u16, need, octets: octets.into() });
            }
        }
        if scratch.wants.is_empty() {
            return None;
        }
        let room = Room { octets: REPLY_OCTETS, varbinds: memory.varbinds.into(), cuts: memory.cuts };
        let bulk = self.version == Version::V2c;
        let shape = shape(&mut scratch.wants, room, bulk);
        for want in &scratch.wants {
            let walk = &mut self.walks[usize::from(want.slot)];
            walk.turned = false;
            let prefix = walk.oid(&self.plan);
            let index = walk.cursor.map_or(&[][..], |cursor| self.answer.arcs(cursor));
            self.request.name(prefix.arcs(), index);
            self.slots.push(want.slot);
        }
        self.asked = Asked::Columns { singles: shape.singles.into(), rows: shape.repetitions.into() };
        Some(match bulk {
            true => Ask::Bulk { singles: shape.singles, repetitions: shape.repetitions },
            false => Ask::Next,
        })
    }

    /// How many variable bindings an open column still needs; 0 where its end will follow from the sentinel's.
    fn need(&self, slot: usize) -> u32 {
        let walk = &self.walks[slot];
        if !walk.open {
            return 0;
        }
        let Some(rows) = walk.kept.rows.filter(|_| !walk.anew) else {
            return walk.seen.max(FIRST_ROWS);
        };
        let left = rows.saturating_sub(walk.seen);
        let probe = match self.sentinels[walk.table] {
            Some(sentinel) if !self.doubt => {
                let sentinel = usize::from(sentinel);
                sentinel == slot || self.walks[sentinel].kept.rows != Some(rows)
            }
            _ => true,
        };
        match (left, probe) {
            (0, true) => walk.seen.saturating_sub(rows).max(1),
            (0, false) => {
                let sentinel = self.sentinels[walk.table].map(usize::from);
                let waits = sentinel.is_some_and(|sentinel| self.walks[sentinel].open);
                u32::from(!waits) * walk.seen.saturating_sub(rows).max(1)
            }
            (left, probe) => left.saturating_add(probe.into()),
        }
    }

    /// A valid reply to the outstanding request.
    pub(super) fn take(
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
            Asked::Scalars => self.take_scalars(reply, scratch),
            Asked::Columns { singles, rows } => {
                self.take_columns(reply, octets, singles, rows, memory, scratch)
            }
        }
    }

    /// An error for the whole request: the object it names is dropped, or less is asked for.
    fn take_error(&mut self, reply: &Reply<'_>, memory: &mut Memory) {
        let named = match reply.index as usize {
            _ if reply.status == status::TOO_BIG => None,
            index => index.checked_sub(1).filter(|&at| at < self.slots.len()),
        };
        let alone = self.slots.len() == 1 && !matches!(self.asked, Asked::Columns { rows: 2.., .. });
        let Some(at) = named.or(alone.then_some(0)) else {
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
        if asked > 1 {
            memory.too_big(asked);
        } else {
            self.close_asked(Absence::Malformed);
        }
    }

    fn asked_varbinds(&self) -> usize {
        match self.asked {
            Asked::Scalars => self.slots.len(),
            Asked::Columns { singles, rows } => singles + rows * (self.slots.len() - singles),
        }
    }

    fn take_scalars(&mut self, reply: &Reply<'_>, scratch: &mut Scratch) {
        tracing::trace!(target: "way", step = "Poll::take_scalars");
        let mut binds = reply.varbinds();
        for at in 0..self.slots.len() {
            let slot = usize::from(self.slots[at]);
            let Some(bind) = binds.next() else {
                self.close_scalar(slot, Err(Absence::Malformed));
                continue;
            };
            let object = &self.plan.scalars[slot];
            let asked = &object.oids[usize::from(self.scalars[slot].alternative)];
            let right = bind.read_name(&mut scratch.name) && scratch.name == asked.arcs();
            let found = match right {
                true => bind.read_value(&mut self.answer, &mut scratch.value),
                false => Found::Malformed,
            };
            match found {
                Found::Raw(raw) => self.close_scalar(slot, Ok(raw)),
                Found::Missing | Found::EndOfView => self.scalar_missing(slot),
                Found::Malformed => self.close_scalar(slot, Err(Absence::Malformed)),
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

    fn close_scalar(&mut self, slot: usize, outcome: Result<crate::snmp::answer::Raw, Absence>) {
        self.scalars[slot].open = false;
        self.answer.scalars[slot] = outcome;
    }

    fn take_columns(
        &mut self,
        reply: &Reply<'_>,
        octets: usize,
        singles: usize,
        rows: usize,
        memory: &mut Memory,
        scratch: &mut Scratch,
    ) {
        let repeated = self.slots.len() - singles;
        let asked = self.asked_varbinds();
        memory.quick_enough(asked);
        let mut moved = false;
        for (at, bind) in reply.varbinds().take(asked).enumerate() {
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

    /// The outstanding request stayed without an answer. Says whether the poll is over.
    pub(super) fn unanswered(&mut self, memory: &mut Memory) -> bool {
        self.ever_silent = true;
        self.silent += 1;
        if !self.answer.answered {
            return true;
        }
        if matches!(self.asked, Asked::Columns { .. }) && self.asked_varbinds() > 1 {
            memory.too_slow(self.asked_varbinds());
        }
        self.close_asked(Absence::Timeout);
        if self.silent >= MOST_SILENT {
            self.close_all(Absence::Timeout);
        }
        false
    }

    fn close_asked(&mut self, why: Absence) {
        for at in 0..self.slots.len() {
            let slot = usize::from(self.slots[at]);
            match self.asked {
                Asked::Scalars => self.close_scalar(slot, Err(why)),
                Asked::Columns { .. } => self.walks[slot].close(&mut self.answer, Err(why)),
            }
        }
    }

    /// Closes all that is open.
    pub(super) fn close_all(&mut self, why: Absence) {
        for slot in 0..self.scalars.len() {
            if self.scalars[slot].open {
                self.close_scalar(slot, Err(why));
            }
        }
        for walk in &mut self.walks {
            if walk.open {
                walk.close(&mut self.answer, Err(why));
            }
        }
    }

    /// The answer, and what is to be remembered of the device.
    pub(super) fn finish(mut self, memory: &mut Memory) -> Answer {
        tracing::trace!(target: "way", step = "Poll::finish");
        if !self.answer.answered {
            return self.answer;
        }
        if !self.ever_silent {
            memory.went_well();
        }
        for (slot, scalar) in self.scalars.iter().enumerate() {
            if scalar.skipped {
                self.answer.scalars[slot] = Err(Absence::Unsupported);
            }
            memory.scalars[slot] = match self.answer.scalars[slot] {
                Ok(_) => Known::Uses(scalar.alternative),
                // A remembered alternative that is gone: the next poll begins with the first.
                Err(Absence::Unsupported)
                    if matches!(memory.scalars[slot], Known::Uses(1..)) && !self.doubt =>
                {
                    Known::Nothing
                }
                Err(Absence::Unsupported) => Known::Missing,
                Err(_) => memory.scalars[slot],
            };
        }
        for walk in 0..self.walks.len() {
            self.finish_column(walk, memory);
        }
        self.answer
    }

    fn finish_column(&mut self, slot: usize, memory: &mut Memory) {
        let walk = &self.walks[slot];
        let table = &self.answer.tables[walk.table];
        let table_has_rows = table.columns.iter().any(|column| !column.cells.is_empty());
        let column = &table.columns[walk.column];
        let kept = &mut memory.columns[slot];
        if walk.skipped || (column.end.is_ok() && column.cells.is_empty() && table_has_rows) {
            let gone = matches!(kept.known, Known::Uses(1..)) && !self.doubt;
            kept.known = if gone { Known::Nothing } else { Known::Missing };
            kept.rows = Some(0);
            self.answer.tables[walk.table].columns[walk.column].end = Err(Absence::Unsupported);
        } else if column.end.is_ok() {
            kept.known = match column.cells.is_empty() {
                true => Known::Empty,
                false => Known::Uses(walk.alternative),
            };
            kept.rows = Some(walk.seen);
            if let Some(mean) = walk.octets.checked_div(walk.seen) {
                kept.octets = u16::try_from(mean).unwrap_or(u16::MAX);
            }
        }
    }
}

/// Whether there is an alternative behind `alternative`.
pub(super) fn has_next(object: &Object, alternative: u8) -> bool {
    usize::from(alternative) + 1 < object.oids.len() && alternative < u8::MAX
}
