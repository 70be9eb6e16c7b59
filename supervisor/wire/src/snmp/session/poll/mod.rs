//! One poll of one device: what to ask next; in [`reply`] what a reply means for it, in [`end`] what remains of it.
//! Knows no ids and no time.

mod end;
mod reply;

use super::memory::{Known, Memory};
use super::shape::{MOST_NAMES, Room, Want, shape};
use super::walk::Walk;
use super::{MOST_REQUESTS, MOST_SILENT};
use crate::snmp::Version;
use crate::snmp::answer::Answer;
use crate::snmp::oid::Oid;
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
/// Scalars that go along with the first request over columns: half of its names at most.
const MOST_RIDERS: usize = MOST_NAMES / 2;
/// Octets of their variable bindings: half of a reply at most.
pub(super) const MOST_RIDER_OCTETS: u32 = REPLY_OCTETS / 2;

/// Room for one object at a time, reused by all polls.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) name: Vec<u32>,
    pub(super) value: Vec<u32>,
    wants: Vec<Want>,
}

/// A scalar under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scalar {
    alternative: u8,
    /// Whether further alternatives may be tried.
    choosy: bool,
    pub(super) open: bool,
    /// Not asked for at all: known to be missing.
    skipped: bool,
    /// It went along with columns, and another object came back.
    fell_off: bool,
    /// Not asked for in this poll: what it says is remembered ([`super::rest`]).
    pub(super) resting: bool,
}

/// What the outstanding request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Scalars,
    /// `riders`: so many scalars go in front, as their successors. `watched`: behind them sysUpTime, once.
    Columns {
        bulk: bool,
        riders: usize,
        watched: bool,
        singles: usize,
        rows: usize,
    },
}

/// sysUpTime (RFC 3418) in BER, and its only instance.
const UPTIME: [u8; 7] = [0x2b, 6, 1, 2, 1, 1, 3];
const UPTIME_INSTANCE: [u8; 8] = [0x2b, 6, 1, 2, 1, 1, 3, 0];
/// Octets of its variable binding.
const UPTIME_OCTETS: u32 = 17;

/// One poll.
#[derive(Debug)]
pub(super) struct Poll {
    version: Version,
    pub(super) answer: Answer,
    pub(super) plan: Arc<Plan>,
    pub(super) scalars: Vec<Scalar>,
    pub(super) walks: Vec<Walk>,
    /// Per table, the column that is read past its end; the ends of the others follow from it.
    sentinels: Vec<Option<u16>>,
    /// Whether nothing remembered is trusted.
    doubt: bool,
    asked: Asked,
    /// Whether the scalars go along with the first request over columns.
    riding: bool,
    /// Whether that request stayed without an answer.
    ride_lost: bool,
    /// Scalars or columns of the outstanding request, in its order.
    slots: Vec<u16>,
    /// Scalars that go along with it.
    riders: Vec<u16>,
    /// The outstanding request's names.
    pub(super) request: Request,
    silent: u8,
    /// Whether any request of this poll stayed without an answer.
    ever_silent: bool,
    /// Most variable bindings of the next request over columns, after one that stayed unanswered.
    squeezed: Option<usize>,
    /// How many variable bindings stayed unanswered before that.
    silent_at: Option<usize>,
    /// [`Cost::retries`](roundsman_core::tally::Cost) when the outstanding request was prepared.
    retries_before: u32,
    /// GETBULK failed in this poll: it goes on by GETNEXT.
    stepped_down: bool,
    /// Whether GETNEXT was answered after that.
    stepped_well: bool,
    /// The last sysUpTime the agent said, 1/100 s, where the plan asks for it: what falls in mid-poll is a restart.
    pub(super) uptime: Option<u32>,
    /// Whether the agent restarted in mid-poll, and all is read anew.
    restarted: bool,
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
        let riding = !doubt && version == Version::V2c && memory.may_ride();
        let scalars = memory.scalars.iter().zip(&plan.scalars).map(|(&known, object)| {
            let (alternative, choosy) = begin(known, doubt);
            // In v1 a missing object costs a request of its own; in v2c it costs nothing, but whose successor is asked
            // for brings another object.
            let known_missing = known == Known::Missing && (version == Version::V1 || riding) && !doubt;
            let skipped = object.oids.is_empty() || known_missing;
            Scalar { alternative, choosy, open: !skipped, skipped, fell_off: false, resting: false }
        });
        let scalars: Vec<Scalar> = scalars.collect();
        let mut walks = Vec::with_capacity(memory.columns.len());
        let mut kept = memory.columns.iter();
        let mut cells = 0;
        for (table, place) in plan.tables.iter().enumerate() {
            for (column, object) in place.columns.iter().enumerate() {
                let kept = kept.next().copied().unwrap_or_default();
                let (alternative, choosy) = begin(kept.known, doubt);
                let skip = object.oids.is_empty() || (kept.known == Known::Missing && !doubt);
                if let Some(rows) = kept.rows {
                    answer.tables[table].columns[column].cells.reserve(rows as usize + 1);
                    cells += rows as usize;
                }
                walks.push(Walk::new(table, column, alternative, choosy, !skip, kept));
            }
        }
        answer.reserve(cells * 2, cells * 4);
        let mut poll = Poll {
            version,
            answer,
            plan,
            scalars,
            walks,
            sentinels: Vec::new(),
            doubt,
            asked: Asked::Scalars,
            riding: false,
            ride_lost: false,
            slots: Vec::new(),
            riders: Vec::new(),
            request: Request::default(),
            silent: 0,
            ever_silent: false,
            squeezed: None,
            silent_at: None,
            retries_before: 0,
            stepped_down: false,
            stepped_well: false,
            uptime: None,
            restarted: false,
        };
        if !doubt {
            poll.rest(&memory.rest, memory.polls);
        }
        poll.riding = riding && poll.can_ride();
        poll.choose_sentinels();
        poll
    }

    /// Whether all scalars can be asked for as successors of their objects, and there are columns to go along with.
    fn can_ride(&self) -> bool {
        let open = || self.scalars.iter().zip(&self.plan.scalars).filter(|(scalar, _)| scalar.open);
        let is_scalar = |(scalar, object): (&Scalar, &Object)| {
            object.oids.get(usize::from(scalar.alternative)).is_some_and(Oid::is_scalar)
        };
        self.walks.iter().any(|walk| walk.open) && open().count() <= MOST_RIDERS && open().all(is_scalar)
    }

    /// Per table the first column with rows that is asked for.
    fn choose_sentinels(&mut self) {
        let leads = |walk: &Walk| walk.open && walk.kept.rows.is_some_and(|rows| rows > 0);
        let first = |table| self.walks.iter().position(|walk| walk.table == table && leads(walk));
        self.sentinels = (0..self.plan.tables.len()).map(|table| first(table).map(|at| at as u16)).collect();
    }

    /// Prepares the next request; `None` when there is nothing left to ask.
    pub(super) fn next(&mut self, memory: &Memory, scratch: &mut Scratch) -> Option<Ask> {
        if self.answer.cost.requests >= MOST_REQUESTS || self.answer.is_full() {
            self.close_all(Absence::Malformed);
            return None;
        }
        self.slots.clear();
        self.riders.clear();
        self.request.clear();
        self.retries_before = self.answer.cost.retries;
        let ask = self.next_scalars(memory).or_else(|| self.next_columns(memory, scratch));
        if ask.is_some() || !self.wake(&memory.rest) {
            return ask;
        }
        self.next_scalars(memory).or_else(|| self.next_columns(memory, scratch))
    }

    /// The open scalars by GET; where they go along with columns they are noted, and there is no request.
    fn next_scalars(&mut self, memory: &Memory) -> Option<Ask> {
        let open = self.scalars.iter().enumerate().filter(|(_, scalar)| scalar.open);
        let open = open.map(|(slot, _)| slot as u16);
        if self.riding {
            self.riders.extend(open);
            return None;
        }
        self.slots.extend(open.take(MOST_SCALARS.min(memory.scalars_at_once.into())));
        for &slot in &self.slots {
            let alternative = usize::from(self.scalars[usize::from(slot)].alternative);
            self.request.name(self.plan.scalars[usize::from(slot)].oids[alternative].ber(), &[]);
        }
        self.asked = Asked::Scalars;
        (!self.slots.is_empty()).then_some(Ask::Get)
    }

    fn next_columns(&mut self, memory: &Memory, scratch: &mut Scratch) -> Option<Ask> {
        self.want_columns(&mut scratch.wants);
        if scratch.wants.is_empty() {
            return None;
        }
        let bulk = self.version == Version::V2c && !memory.next_only && !self.stepped_down;
        let most = usize::from(memory.varbinds).min(self.squeezed.take().unwrap_or(usize::MAX));
        // An agent that is asked for one at a time is not asked for two.
        let watched = self.uptime.is_some() && most > 1;
        let riders = self.riders.len();
        let before = memory.octets_of(&self.riders) + u32::from(watched) * UPTIME_OCTETS;
        let room = Room {
            octets: REPLY_OCTETS.saturating_sub(before),
            varbinds: (most as u32).saturating_sub(riders as u32 + u32::from(watched)).max(1),
            columns: MOST_NAMES - riders,
            cuts: memory.cuts,
        };
        let shape = shape(&mut scratch.wants, room, bulk);
        for &slot in &self.riders {
            let scalar = &self.scalars[usize::from(slot)];
            let oid = &self.plan.scalars[usize::from(slot)].oids[usize::from(scalar.alternative)];
            // Its object: the instance is what follows.
            self.request.name(&oid.ber()[..oid.ber().len() - 1], &[]);
        }
        if watched {
            self.request.name(&UPTIME, &[]);
        }
        for want in &scratch.wants {
            let walk = &mut self.walks[usize::from(want.slot)];
            walk.turned = false;
            let prefix = walk.oid(&self.plan);
            let index = walk.cursor.map_or(&[][..], |cursor| self.answer.arcs(cursor));
            self.request.name(prefix.ber(), index);
            self.slots.push(want.slot);
        }
        let (singles, rows) = (shape.singles.into(), shape.repetitions.into());
        self.asked = Asked::Columns { bulk, riders, watched, singles, rows };
        let singles = shape.singles + riders as u16 + u16::from(watched);
        Some(match bulk {
            true => Ask::Bulk { singles, repetitions: shape.repetitions },
            false => Ask::Next,
        })
    }

    fn want_columns(&self, wants: &mut Vec<Want>) {
        wants.clear();
        for slot in 0..self.walks.len() {
            let need = self.need(slot);
            if need > 0 && wants.len() < MOST_NAMES * 4 {
                let octets = match self.walks[slot].kept.octets {
                    0 => USUAL_OCTETS,
                    known => known,
                };
                wants.push(Want { slot: slot as u16, need, octets: octets.into() });
            }
        }
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

    /// The outstanding request stayed without an answer. Says whether the poll is over.
    pub(super) fn unanswered(&mut self, memory: &mut Memory) -> bool {
        self.ever_silent = true;
        self.silent += 1;
        if self.riding {
            // Too much at once, perhaps: the agent is dead only if it does not answer a GET either.
            self.riding = false;
            self.ride_lost = true;
            return false;
        }
        if !self.answer.answered {
            return true;
        }
        if let Asked::Columns { bulk, .. } = self.asked {
            let asked = self.asked_varbinds();
            if asked > 1 && self.silent == 1 {
                // Loss, or too much at once: the same again, but less of it.
                self.squeezed = Some((asked / 4).max(1));
                self.silent_at = Some(asked);
                return false;
            }
            if let Some(asked) = self.silent_at.take() {
                memory.too_slow(asked);
            }
            if bulk && !memory.bulk_works {
                // It answers, but has never answered a GETBULK.
                self.stepped_down = true;
                return false;
            }
        }
        self.close_asked(Absence::Timeout);
        if self.silent >= MOST_SILENT {
            self.close_all(Absence::Timeout);
        }
        false
    }

    /// How often the outstanding request may be sent again. After a silent first request the GET that follows is asked
    /// once: a dead device costs one timeout more than its retries, and only the first time.
    pub(super) fn retries(&self, usual: u8) -> u8 {
        if self.silent > 0 && !self.answer.answered { 0 } else { usual }
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
}

/// Whether there is an alternative behind `alternative`.
pub(super) fn has_next(object: &Object, alternative: u8) -> bool {
    usize::from(alternative) + 1 < object.oids.len() && alternative < u8::MAX
}
