//! One column under way: its cursor, and what a variable binding means for it.

use super::memory::ColumnMemory;
use super::poll::{Scratch, has_next};
use crate::snmp::answer::{Answer, Arcs, Cell, Column};
use crate::snmp::decode::{Found, Place, Varbind};
use crate::snmp::oid::Oid;
use crate::snmp::plan::Plan;
use roundsman_core::reading::Absence;

/// A column under way.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) table: usize,
    pub(super) column: usize,
    pub(super) alternative: u8,
    /// Whether further alternatives may be tried.
    choosy: bool,
    pub(super) open: bool,
    /// Not asked for at all: known to be missing.
    pub(super) skipped: bool,
    /// Not asked for in this poll: what it says is remembered ([`super::rest`]).
    pub(super) resting: bool,
    /// Went on to another alternative than remembered: the remembered rows say nothing.
    pub(super) anew: bool,
    /// Went on to another alternative in this reply: what follows in it belongs to the former.
    pub(super) turned: bool,
    /// A value of it could not be read: it does not end well.
    flawed: bool,
    /// The index of the last variable binding.
    pub(super) cursor: Option<Arcs>,
    /// Variable bindings under its identifier so far.
    pub(super) seen: u32,
    /// Octets of them.
    pub(super) octets: u32,
    /// What was remembered of it when the poll began.
    pub(super) kept: ColumnMemory,
}

/// Whether a variable binding brought the walk on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A further row, the end, or another alternative.
    Moved,
    /// Not for it, since it had ended before.
    Ignored,
}

impl Walk {
    pub(super) fn new(
        table: usize,
        column: usize,
        alternative: u8,
        choosy: bool,
        open: bool,
        kept: ColumnMemory,
    ) -> Walk {
        Walk {
            table,
            column,
            alternative,
            choosy,
            open,
            skipped: !open,
            resting: false,
            anew: false,
            turned: false,
            flawed: false,
            cursor: None,
            seen: 0,
            octets: 0,
            kept,
        }
    }

    /// The identifier it walks.
    pub(super) fn oid<'a>(&self, plan: &'a Plan) -> &'a Oid {
        &plan.tables[self.table].columns[self.column].oids[usize::from(self.alternative)]
    }

    fn of<'a>(&self, answer: &'a mut Answer) -> &'a mut Column {
        &mut answer.tables[self.table].columns[self.column]
    }

    /// Takes the next variable binding of its column.
    pub(super) fn take(
        &mut self,
        bind: &Varbind<'_>,
        plan: &Plan,
        answer: &mut Answer,
        scratch: &mut Scratch,
    ) -> Step {
        tracing::trace!(target: "way", step = "Walk::take");
        if !self.open || self.turned {
            return Step::Ignored;
        }
        match bind.place(self.oid(plan), &mut scratch.name) {
            Place::Below => {}
            // endOfMibView under the name that was asked for, or the agent's next object.
            Place::Elsewhere => {
                self.ended(plan, answer);
                return Step::Moved;
            }
            Place::Malformed => {
                self.close(answer, Err(Absence::Malformed));
                return Step::Moved;
            }
        }
        let index = &scratch.name[..];
        if bind.is_exception() {
            // Asked again from its last row, endOfMibView repeats that row's name (RFC 3416 section 4.2.3).
            self.ended(plan, answer);
            return Step::Moved;
        }
        let last = self.cursor.map(|cursor| answer.arcs(cursor));
        if last.is_some_and(|last| index <= last) || self.seen as usize >= Answer::MOST_CELLS {
            // A walk that does not increase would never end.
            self.close(answer, Err(Absence::Malformed));
            return Step::Moved;
        }
        let found = bind.read_value(answer, &mut scratch.value);
        let kept = answer.keep_arcs(index);
        self.cursor = Some(kept);
        self.seen += 1;
        self.octets = self.octets.saturating_add(bind.octets);
        match found {
            Found::Raw(raw) => self.of(answer).cells.push(Cell { index: kept, raw }),
            _ => self.flawed = true,
        }
        Step::Moved
    }

    /// Its rows are over: goes on to the next alternative if there were none, else closes.
    pub(super) fn ended(&mut self, plan: &Plan, answer: &mut Answer) {
        let object = &plan.tables[self.table].columns[self.column];
        if self.seen == 0 && self.choosy && has_next(object, self.alternative) {
            self.alternative += 1;
            self.anew = true;
            self.turned = true;
            return;
        }
        let end = if self.flawed { Err(Absence::Malformed) } else { Ok(()) };
        self.close(answer, end);
    }

    pub(super) fn close(&mut self, answer: &mut Answer, end: Result<(), Absence>) {
        self.open = false;
        let alternative = self.alternative;
        let column = self.of(answer);
        column.end = end;
        column.alternative = alternative;
    }

    /// Whether it was read to its end.
    pub(super) fn ended_well(&self, answer: &Answer) -> bool {
        !self.open && answer.tables[self.table].columns[self.column].end.is_ok()
    }
}
