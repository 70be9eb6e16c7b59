//! The end of a poll: its answer, and what is to be remembered of the device.

use super::Poll;
use crate::snmp::answer::Answer;
use crate::snmp::session::memory::{Known, Memory};
use roundsman_core::reading::Absence;

impl Poll {
    /// The answer, and what is to be remembered of the device.
    pub(in crate::snmp::session) fn finish(mut self, memory: &mut Memory) -> Answer {
        tracing::trace!(target: "way", step = "Poll::finish");
        memory.silent = !self.answer.answered;
        if !self.answer.answered {
            memory.rest.forget();
            return self.answer;
        }
        if !self.ever_silent {
            memory.went_well();
        }
        // Its GETNEXT passes over an object that its GET has, or so much at once is too much for it.
        let passed_over =
            |(scalar, sample): (&super::Scalar, &Result<_, _>)| scalar.fell_off && sample.is_ok();
        if self.ride_lost || self.scalars.iter().zip(&self.answer.scalars).any(passed_over) {
            memory.rides = false;
        }
        self.settle(&mut memory.rest, memory.polls);
        if self.stepped_down && self.stepped_well {
            memory.bulk_failed();
        }
        for (slot, scalar) in self.scalars.iter().enumerate() {
            if scalar.resting {
                continue;
            }
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
            if !self.walks[walk].resting {
                self.finish_column(walk, memory);
            }
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
