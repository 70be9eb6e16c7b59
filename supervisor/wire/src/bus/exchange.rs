//! One request and what becomes of it.

use super::line::Lost;
use super::reader::Reader;
use roundsman_core::reading::Absence;
use std::sync::Arc;

/// Somebody on the line who can be asked: a Modbus unit, a panel. The number means something to who submits alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(pub u32);

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// A person waits for it: ahead of all polls.
    Command,
    /// A scheduled question.
    Poll,
}

/// What is to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Await {
    /// An answer; without it the exchange failed.
    Answer,
    /// An answer or silence: some devices say something only if something changed.
    Perhaps,
    /// Nothing: a broadcast.
    Nothing,
}

/// A request with everything the bus must know of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Who is asked.
    pub unit: Unit,
    /// Who goes first.
    pub rank: Rank,
    /// What is sent; empty to listen only.
    pub send: Vec<u8>,
    /// What is to come back.
    pub awaits: Await,
    /// Knows the answer when it sees it.
    pub reader: Arc<dyn Reader>,
    /// How long the answer may take from the end of the request, in ms. Below 500 slow slaves are given up while they
    /// answer.
    pub timeout_ms: u32,
    /// How often it is sent, at least once.
    pub tries: u8,
    /// How long the unit is left alone afterwards, in ms.
    pub rest_ms: u32,
}

/// Names a submitted exchange; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What became of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A sound answer, its octets.
    Answered(Vec<u8>),
    /// What came back equals what was sent. It may be the answer, it may be the line's echo: read back.
    Copied,
    /// It was sent, and nothing had to come back.
    Sent,
    /// Nothing came back in any try.
    Silent,
    /// Something came back, none of it a sound answer.
    Damaged,
    /// The unit has been silent for long and is not asked now.
    Skipped,
    /// The port is gone.
    Gone(Lost),
}

impl Outcome {
    /// Why there is no answer; `None` where there is one, or none is needed.
    pub fn absence(&self) -> Option<Absence> {
        match self {
            Outcome::Answered(_) | Outcome::Copied | Outcome::Sent => None,
            Outcome::Silent | Outcome::Skipped => Some(Absence::Timeout),
            Outcome::Damaged => Some(Absence::Malformed),
            Outcome::Gone(lost) => Some(lost.absence()),
        }
    }
}

/// An exchange that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Which.
    pub ticket: Ticket,
    /// How it ended.
    pub outcome: Outcome,
}

/// Why an exchange is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsubmitted {
    /// The queue is full: more is asked than the line carries.
    #[error("{0} exchanges wait for this line already: poll its devices less often")]
    Full(usize),
    /// The request itself is too long.
    #[error("a request of {0} octets is longer than any protocol's here")]
    Long(usize),
}
