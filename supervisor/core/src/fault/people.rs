//! What people do to a fault: the second axis of its life, and the shelf of the third.

use crate::time::Wall;
use std::sync::Arc;

/// Longest time a fault is shelved for at once, ms: a shift.
pub const MOST_SHELF_MS: u64 = 8 * 3_600_000;

/// Who is to see to a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Name of the person.
    pub to: Arc<str>,
    /// Who said so.
    pub by: Arc<str>,
    /// When.
    pub at: Wall,
}

/// A fault put aside for a while by a person: it keeps its state, and nobody is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Who.
    pub by: Arc<str>,
    /// When.
    pub at: Wall,
    /// Until when, [`MOST_SHELF_MS`] later at most.
    pub until: Wall,
    /// Why.
    pub reason: Arc<str>,
}

/// What an operator does to a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes note of it.
    Acknowledge,
    /// Says who is to see to it; that takes note of it too.
    Assign {
        /// Name of the person.
        to: Arc<str>,
    },
    /// Says that somebody is on site; that takes note of it too.
    Arrive,
    /// Puts it aside; again while it is shelved: for another time.
    Shelve {
        /// For how long, from 1 to [`MOST_SHELF_MS`].
        for_ms: u64,
        /// Why.
        reason: Arc<str>,
    },
    /// Takes it from the shelf before its time.
    Unshelve,
    /// Closes one that latches and whose condition is over.
    Close,
}

/// Second axis: how far people are with a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Nobody has taken note of it.
    None,
    /// Somebody has.
    Acknowledged,
    /// Somebody is to see to it.
    Assigned,
    /// Somebody is there.
    OnSite,
}

impl Operator {
    /// The word used in the API.
    pub fn word(self) -> &'static str {
        match self {
            Operator::None => "none",
            Operator::Acknowledged => "acknowledged",
            Operator::Assigned => "assigned",
            Operator::OnSite => "on-site",
        }
    }
}

/// Who acknowledged a fault, or came on site, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Name of the person (or token) that did it.
    pub by: Arc<str>,
    /// When.
    pub at: Wall,
}
