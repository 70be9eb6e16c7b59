//! What the session remembers of a device between polls, so that the next poll costs fewer requests.

use super::poll::MOST_RIDER_OCTETS;
use super::rest::Rest;
use crate::snmp::plan::Plan;
use std::net::SocketAddr;
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
    /// Where it was asked last.
    pub(super) address: Option<SocketAddr>,
    /// Polls begun.
    pub(super) polls: u32,
    /// Scalars, in the order of the plan.
    pub(super) scalars: Vec<Known>,
    /// Octets of each scalar's variable binding when it was answered last; 0 if it never was.
    pub(super) scalar_octets: Vec<u16>,
    /// Whether scalars may go along with the first request over columns, as far as is known.
    pub(super) rides: bool,
    /// Whether the last poll stayed without an answer.
    pub(super) silent: bool,
    /// Columns, in the order of the plan, all tables.
    pub(super) columns: Vec<ColumnMemory>,
    /// What the steady columns said.
    pub(super) rest: Rest,
    /// Most variable bindings to ask for at once, now.
    pub(super) varbinds: u16,
    /// Where `varbinds` may grow to again: below what was answered by tooBig or, twice, not at all.
    pub(super) ceiling: u16,
    /// Most scalars to ask for at once: long texts are among them, so their limit says nothing about columns.
    pub(super) scalars_at_once: u16,
    /// When the ceiling is lifted, and after how many polls the next time.
    lift: Retry,
    /// Whether GETBULK has been answered well.
    pub(super) bulk_works: bool,
    /// Whether it is asked by GETNEXT: GETBULK failed, and GETNEXT did not.
    pub(super) next_only: bool,
    /// When GETBULK is tried again, and after how many polls the next time.
    bulk_again: Retry,
    /// Whether the agent ends replies at its message size.
    pub(super) cuts: bool,
    /// Variable bindings of a request over columns that stayed unanswered, until one of about as many is answered.
    stalled: Option<u16>,
}

/// Every so many polls nothing remembered is trusted: alternatives begin anew, every column is read to its end. 30
/// polls are half an hour at the usual interval. A limit that was learned is tried for the first time after as many.
pub(super) const DOUBT_EVERY: u32 = 30;
/// Longest time between two tries of a limit that was learned: a day and a third at the usual interval. A try costs
/// the silence of one request, and the limits of an agent change with its firmware only.
const MOST_PATIENCE: u32 = DOUBT_EVERY * 64;

/// When something that failed is tried again: after twice as many polls each time.
#[derive(Clone, Copy, Debug, Default)]
struct Retry {
    at: Option<u32>,
    patience: u32,
}

impl Retry {
    fn failed(&mut self, polls: u32) {
        // Further failures of the same try are one.
        if self.at.is_none() {
            self.patience = (self.patience * 2).clamp(DOUBT_EVERY, MOST_PATIENCE);
            self.at = Some(polls.saturating_add(self.patience));
        }
    }

    /// Whether it is tried at this poll.
    fn is_due(&mut self, polls: u32) -> bool {
        self.at.take_if(|at| polls >= *at).is_some()
    }
}

/// Variable bindings asked for at once where the agent has not complained: more than fit one unfragmented reply.
pub(super) const MOST_VARBINDS: u16 = 256;

impl Memory {
    /// Nothing is known. `key` spreads the devices' re-reading of steady columns over the polls.
    pub(super) fn new(plan: Arc<Plan>, key: u32) -> Memory {
        let columns = plan.tables.iter().map(|table| table.columns.len()).sum();
        Memory {
            address: None,
            polls: 0,
            scalars: vec![Known::Nothing; plan.scalars.len()],
            scalar_octets: vec![0; plan.scalars.len()],
            rides: true,
            silent: false,
            columns: vec![ColumnMemory::default(); columns],
            rest: Rest::new(key),
            varbinds: MOST_VARBINDS,
            ceiling: MOST_VARBINDS,
            scalars_at_once: MOST_VARBINDS,
            lift: Retry::default(),
            bulk_works: false,
            next_only: false,
            bulk_again: Retry::default(),
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
        self.rides |= doubt;
        if self.lift.is_due(self.polls) {
            self.ceiling = MOST_VARBINDS;
            self.scalars_at_once = MOST_VARBINDS;
        }
        if self.bulk_again.is_due(self.polls) {
            self.next_only = false;
        }
        self.polls = self.polls.saturating_add(1);
        doubt
    }

    /// Whether scalars may go along with the first request over columns: the agent answers GETBULK, and they leave room.
    pub(super) fn may_ride(&self) -> bool {
        let octets: u32 = self.scalar_octets.iter().copied().map(u32::from).sum();
        let fits = (1..=MOST_RIDER_OCTETS).contains(&octets);
        self.rides
            && !self.silent
            && fits
            && self.bulk_works
            && !self.next_only
            && self.varbinds == MOST_VARBINDS
    }

    /// Octets of these scalars' variable bindings.
    pub(super) fn octets_of(&self, scalars: &[u16]) -> u32 {
        scalars.iter().map(|&slot| u32::from(self.scalar_octets[usize::from(slot)])).sum()
    }

    /// `asked` variable bindings over columns were too many: asks for half from now on.
    pub(super) fn too_big(&mut self, asked: usize) {
        self.ceiling = half(asked);
        self.varbinds = self.ceiling;
        self.lift.failed(self.polls);
    }

    /// `asked` scalars were too many: asks for half from now on.
    pub(super) fn too_many_scalars(&mut self, asked: usize) {
        self.scalars_at_once = half(asked);
        self.lift.failed(self.polls);
    }

    /// `asked` variable bindings stayed unanswered: the second time in a row it is taken for an agent that stalls
    /// under so many. Once may be loss, and on a lossy line more and smaller requests do harm.
    pub(super) fn too_slow(&mut self, asked: usize) {
        let again = self.stalled.is_some_and(|stalled| asked * 4 >= usize::from(stalled) * 3);
        if again {
            self.stalled = None;
            self.ceiling = self.ceiling.min(half(asked));
            self.varbinds = self.varbinds.min(self.ceiling);
            self.lift.failed(self.polls);
        } else if self.stalled.is_none() {
            self.stalled = Some(u16::try_from(asked).unwrap_or(u16::MAX));
        }
    }

    /// Even one variable binding was too big for GETBULK: its tooBig says nothing about sizes.
    pub(super) fn too_big_for_anything(&mut self) {
        self.ceiling = MOST_VARBINDS;
        self.varbinds = MOST_VARBINDS;
    }

    /// GETBULK failed where GETNEXT was answered.
    pub(super) fn bulk_failed(&mut self) {
        self.next_only = true;
        self.bulk_again.failed(self.polls);
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
