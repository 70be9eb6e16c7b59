//! What is steady rests: names and descriptions, of the device and of its rows, hardly ever change, so they are not asked
//! for in every poll.
//!
//! They are read again in the same poll that finds the agent restarted, and those of a table whose signal changed or
//! that has other rows than when they were read; and every [`READ_EVERY`] polls, for what a person changes (ifAlias,
//! sysLocation) announces itself by nothing. Until then the answer has them as they were.

use super::poll::Poll;
use super::walk::Walk;
use crate::snmp::answer::{Answer, Cell, Column, Copied, Raw};
use crate::snmp::plan::Plan;
use roundsman_core::reading::Absence;

/// Polls from one reading of the steady columns to the next: ten minutes at the usual interval.
pub(super) const READ_EVERY: u32 = 10;

/// How a table was when its steady columns were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    /// Digest of the rows of its leading column.
    rows: u64,
    /// The table's signal.
    signal: Option<u32>,
}

/// What is remembered of what is steady.
#[derive(Debug)]
pub(super) struct Rest {
    /// Number of the poll that reads them again.
    due: u32,
    /// The agent's sysUpTime in the last poll, 1/100 s.
    uptime: Option<u32>,
    /// Positions of the scalars, and their values.
    scalars: (Vec<u16>, Copied),
    /// Per table of the plan; `None` where its steady columns must be read.
    tables: Vec<Option<Seen>>,
    /// Position among all columns, and its cells.
    columns: Vec<(u16, Copied)>,
}

impl Rest {
    /// Nothing is remembered. `key` decides which of the polls to come is the first to read again.
    pub(super) fn new(key: u32) -> Rest {
        Rest {
            due: 1 + key % READ_EVERY,
            uptime: None,
            scalars: Default::default(),
            tables: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// The agent was silent: nobody knows what it is now.
    pub(super) fn forget(&mut self) {
        self.scalars = Default::default();
        self.tables.clear();
        self.columns.clear();
    }

    fn column(&self, slot: usize) -> Option<&Copied> {
        let at = self.columns.binary_search_by_key(&slot, |(known, _)| usize::from(*known)).ok()?;
        Some(&self.columns[at].1)
    }
}

/// Whether a column of the plan is steady.
fn is_steady(plan: &Plan, table: usize, column: usize) -> bool {
    plan.tables[table].steady.contains(&(column as u16))
}

/// Digest (FNV-1a, 64 bits) of the rows of a column.
fn digest(answer: &Answer, column: &Column) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |number: u32| digest = (digest ^ u64::from(number)).wrapping_mul(0x0100_0000_01b3);
    for cell in &column.cells {
        let index = answer.arcs(cell.index);
        add(index.len() as u32);
        index.iter().for_each(|&arc| add(arc));
    }
    digest
}

impl Poll {
    /// Lets the steady scalars rest, and the steady columns whose tables are remembered. `polls` counts this one.
    pub(super) fn rest(&mut self, rest: &Rest, polls: u32) {
        if polls > rest.due {
            return;
        }
        for &slot in &rest.scalars.0 {
            let scalar = &mut self.scalars[usize::from(slot)];
            (scalar.resting, scalar.open) = (scalar.open, false);
        }
        for slot in 0..self.walks.len() {
            let walk = &self.walks[slot];
            let known = rest.tables.get(walk.table).is_some_and(Option::is_some);
            if known && walk.open && is_steady(&self.plan, walk.table, walk.column) {
                let held = rest.column(slot).is_some();
                let walk = &mut self.walks[slot];
                (walk.resting, walk.open) = (held, !held);
            }
        }
    }

    /// The columns of a table that are asked for in every poll.
    fn lively(&self, table: usize) -> impl Iterator<Item = &Column> {
        let is_lively = move |walk: &&Walk| {
            walk.table == table && !walk.skipped && !is_steady(&self.plan, table, walk.column)
        };
        let column = move |walk: &Walk| &self.answer.tables[table].columns[walk.column];
        self.walks.iter().filter(is_lively).map(column)
    }

    /// How a table is now; `None` where its rows are not known.
    fn seen(&self, table: usize) -> Option<Seen> {
        let rows = match self.lively(table).find(|column| !column.cells.is_empty()) {
            Some(leader) => leader.end.is_ok().then(|| digest(&self.answer, leader))?,
            None => self.lively(table).all(|column| column.end.is_ok()).then_some(0)?,
        };
        let signal = self.plan.tables[table].signal;
        let signal = signal.and_then(|at| match self.answer.scalars.get(usize::from(at)) {
            Some(Ok(Raw::TimeTicks(ticks))) => Some(*ticks),
            _ => None,
        });
        Some(Seen { rows, signal })
    }

    /// Opens what rests and may be out of date. Says whether there is any.
    pub(super) fn wake(&mut self, rest: &Rest) -> bool {
        let restarted = match (rest.uptime, self.uptime) {
            (Some(before), Some(now)) => now < before,
            _ => false,
        };
        let mut any = restarted && self.wake_scalars();
        for table in 0..self.plan.tables.len() {
            let is_resting = |walk: &Walk| walk.table == table && walk.resting;
            if !self.walks.iter().any(is_resting) {
                continue;
            }
            let now = self.seen(table);
            let changed = now.is_some() && now != rest.tables.get(table).copied().flatten();
            if !restarted && !changed {
                continue;
            }
            for walk in self.walks.iter_mut().filter(|walk| walk.table == table && walk.resting) {
                (walk.resting, walk.open) = (false, true);
                any = true;
            }
        }
        any
    }

    fn wake_scalars(&mut self) -> bool {
        let resting = self.scalars.iter_mut().filter(|scalar| scalar.resting);
        resting.map(|scalar| (scalar.resting, scalar.open) = (false, true)).count() > 0
    }

    /// Opens all that rests: the agent restarted in mid-poll.
    pub(super) fn wake_all(&mut self) {
        self.wake_scalars();
        for walk in self.walks.iter_mut().filter(|walk| walk.resting) {
            (walk.resting, walk.open) = (false, true);
        }
    }

    /// At the end of the poll: fills in what rested, and remembers what was read. `polls` counts this one.
    pub(super) fn settle(&mut self, rest: &mut Rest, polls: u32) {
        self.settle_scalars(rest);
        rest.tables.resize(self.plan.tables.len(), None);
        for table in 0..self.plan.tables.len() {
            if self.plan.tables[table].steady.is_empty() {
                continue;
            }
            let seen = self.seen(table);
            let (mut read, mut whole) = (false, seen.is_some());
            for slot in 0..self.walks.len() {
                let walk = &self.walks[slot];
                let (column, resting) = (walk.column, walk.resting);
                if walk.table != table || walk.skipped || !is_steady(&self.plan, table, column) {
                    continue;
                }
                if resting {
                    self.fill_in(rest, slot, seen.is_some());
                    continue;
                }
                read = true;
                let place = &self.answer.tables[table].columns[column];
                whole &= place.end.is_ok();
                let copied = self.answer.copy(&place.cells);
                match rest.columns.binary_search_by_key(&slot, |(known, _)| usize::from(*known)) {
                    Ok(at) => rest.columns[at].1 = copied,
                    Err(at) => rest.columns.insert(at, (slot as u16, copied)),
                }
            }
            if read {
                rest.tables[table] = seen.filter(|_| whole);
            }
        }
        if polls > rest.due {
            rest.due = polls + READ_EVERY;
        }
        rest.uptime = self.uptime.or(rest.uptime);
    }

    fn settle_scalars(&mut self, rest: &mut Rest) {
        if self.scalars.iter().any(|scalar| scalar.resting) {
            let Some(cells) = self.answer.adopt(&rest.scalars.1) else { return };
            for (&slot, cell) in rest.scalars.0.iter().zip(cells) {
                self.answer.scalars[usize::from(slot)] = Ok(cell.raw);
            }
            return;
        }
        let good = self
            .plan
            .steady
            .iter()
            .copied()
            .filter(|&slot| self.answer.scalars.get(usize::from(slot)).is_some_and(Result::is_ok));
        let slots: Vec<u16> = good.collect();
        let none = self.answer.keep_arcs(&[]);
        let cells: Vec<Cell> = slots
            .iter()
            .filter_map(|&slot| self.answer.scalars[usize::from(slot)].ok())
            .map(|raw| Cell { index: none, raw })
            .collect();
        rest.scalars = (slots, self.answer.copy(&cells));
    }

    /// A column that rested: as it was, if the rows of its table were seen; else why they were not.
    fn fill_in(&mut self, rest: &Rest, slot: usize, seen: bool) {
        let (table, column) = (self.walks[slot].table, self.walks[slot].column);
        let lost = self.lively(table).find_map(|column| column.end.err()).unwrap_or(Absence::Timeout);
        let cells = rest.column(slot).filter(|_| seen).and_then(|copied| self.answer.adopt(copied));
        let place = &mut self.answer.tables[table].columns[column];
        place.end = cells.map_or(Err(lost), |cells| {
            place.cells.extend(cells);
            Ok(())
        });
        place.alternative = self.walks[slot].alternative;
    }
}
