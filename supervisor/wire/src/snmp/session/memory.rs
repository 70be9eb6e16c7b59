//! What the session remembers of a device between polls, so that the next poll costs fewer requests.

use crate::snmp::plan::Plan;
use std::sync::Arc;

/// What is known of an object's alternatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    #[default]
    Nothing,
    /// This one answered.
    Uses(u8),
    /// None answered, and nothing says that one should: a table without rows.
    Empty,
    /// None answered, while the device has what should carry it.
    Missing,
}

/// What is remembered of a column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ColumnMemory {
    /// Its alternatives.
    pub(super) known: Known,
    /// Its rows in the last complete walk.
    pub(super) rows: Option<u32>,
    /// Octets of one of its variable bindings, averaged over the last walk; 0 if not known.
    pub(super) octets: u16,
}

/// What is remembered of a device.
#[derive(Debug)]
pub(super) struct Memory {
    /// The plan it is about; another plan begins anew.
    pub(super) plan: Arc<Plan>,
    /// Polls begun.
    pub(super) polls: u32,
    /// Scalars, in the order of the plan.
    pub(super) scalars: Vec<Known>,
    /// Columns, in the order of the plan, all tables.
    pub(super) columns: Vec<ColumnMemory>,
    /// Most variable bindings to ask for at once, now.
    pub(super) varbinds: u16,
    /// Where `varbinds` may grow to again: below what was once answered by tooBig.
    pub(super) ceiling: u16,
    /// Whether the agent ends replies at its message size.
    pub(super) cuts: bool,
    /// Variable bindings of a request over columns that stayed unanswered, until one of about as many is answered.
    stalled: Option<u16>,
}

/// Every so many polls nothing remembered is trusted: alternatives begin anew, every column is read to its end and
/// a limit learned from tooBig is tried again. 30 polls are half an hour at the usual interval.
pub(super) const DOUBT_EVERY: u32 = 30;
/// Variable bindings asked for at once where the agent has not complained: more than fit one unfragmented reply.
pub(super) const MOST_VARBINDS: u16 = 256;

impl Memory {
    pub(super) fn new(plan: Arc<Plan>) -> Memory {
        let columns = plan.tables.iter().map(|table| table.columns.len()).sum();
        Memory {
            polls: 0,
            scalars: vec![Known::Nothing; plan.scalars.len()],
            columns: vec![ColumnMemory::default(); columns],
            varbinds: MOST_VARBINDS,
            ceiling: MOST_VARBINDS,
            cuts: false,
            stalled: None,
            plan,
        }
    }

    /// Whether it is about this plan.
    pub(super) fn is_about(&self, plan: &Arc<Plan>) -> bool {
        Arc::ptr_eq(&self.plan, plan) || *self.plan == **plan
    }

    /// Counts a poll; says whether it is one that trusts nothing.
    pub(super) fn begin(&mut self) -> bool {
        let doubt = self.polls.is_multiple_of(DOUBT_EVERY);
        self.polls = self.polls.wrapping_add(1);
        if doubt {
            self.ceiling = MOST_VARBINDS;
            self.varbinds = MOST_VARBINDS;
        }
        doubt
    }

    /// `asked` variable bindings were too many: asks for half from now on.
    pub(super) fn too_big(&mut self, asked: usize) {
        self.ceiling = half(asked);
        self.varbinds = self.ceiling;
    }

    /// `asked` variable bindings stayed unanswered: the second time in a row it is taken for an agent that stalls
    /// under so many. Once may be loss, and on a lossy line more and smaller requests do harm.
    pub(super) fn too_slow(&mut self, asked: usize) {
        if self.stalled.take().is_some() {
            self.varbinds = self.varbinds.min(half(asked));
        } else {
            self.stalled = Some(u16::try_from(asked).unwrap_or(u16::MAX));
        }
    }

    /// `asked` variable bindings were answered.
    pub(super) fn quick_enough(&mut self, asked: usize) {
        self.stalled = self.stalled.filter(|&stalled| asked * 4 < usize::from(stalled) * 3);
    }

    /// A poll without silence: grows back.
    pub(super) fn went_well(&mut self) {
        self.varbinds = self.varbinds.saturating_mul(2).min(self.ceiling);
    }
}

fn half(asked: usize) -> u16 {
    u16::try_from(asked / 2).unwrap_or(u16::MAX).max(1)
}
