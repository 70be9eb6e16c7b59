//! Faults: what they are, how they live, and the engine that decides.
//!
//! [`Engine`](engine::Engine) is a value: [`handle`](engine::Engine::handle) takes an [`Event`] and a moment,
//! [`poll_effect`](engine::Engine::poll_effect) gives [`Effect`]s out, [`poll_timeout`](engine::Engine::poll_timeout)
//! says when it wants to be woken. It does no I/O.

mod clocks;
mod condition;
pub mod engine;
mod guard;
mod judge;
#[cfg(not(feature = "mutations"))]
#[expect(unreachable_pub, reason = "public where the simulation switches them on")]
mod mutation;
#[cfg(feature = "mutations")]
pub mod mutation;
mod people;
mod presence;
mod register;
mod replaced;
mod service;

pub use guard::holds;
pub use people::{Acknowledgement, Act, Assignment, MOST_SHELF_MS, Operator, Shelf};
pub use service::{Service, ServiceTarget};

use crate::device::DeviceIx;
use crate::hidden::Hiding;
use crate::reading::{Readings, Value};
use crate::rule::Severity;
use crate::sla::policy::Target;
use crate::text::Bilingual;
use crate::time::{Mono, Wall};
use std::sync::Arc;

/// Identity of a fault, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub u64);

/// The number people say: `F-2026-0123`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultNumber {
    /// Year in site time when it was first raised.
    pub year: u16,
    /// Running number in that year, from 1.
    pub sequence: u32,
}

impl std::fmt::Display for FaultNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "F-{}-{:04}", self.year, self.sequence)
    }
}

/// What a fault is about (RFC 8632: resource, type and qualifier). At most one open fault has the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaultKey {
    /// Device id.
    pub device: Arc<str>,
    /// Rule id; [`UNREACHABLE`], [`NO_DATA`] and [`REPLACED`] are built in.
    pub rule: Arc<str>,
    /// Instance label; empty for a device-wide fault.
    pub instance: Arc<str>,
}

impl FaultKey {
    /// Whether this is one of the two built-in faults about the device's presence.
    pub fn is_presence(&self) -> bool {
        matches!(&*self.rule, UNREACHABLE | NO_DATA)
    }

    /// Whether readings decide it, so that it is stale while they are missing; those that are built in they do not.
    pub fn is_by_readings(&self) -> bool {
        !self.is_presence() && !matches!(&*self.rule, REPLACED | REDUNDANCY_LOST)
    }
}

/// Built-in rule: neither reach nor protocol answers.
pub const UNREACHABLE: &str = "unreachable";
/// Built-in rule: reach answers, but no metric is good for three attempts.
pub const NO_DATA: &str = "no-data";

/// Built-in rule: another agent answers at the device's address than before.
pub const REPLACED: &str = "board-replaced";

/// Built-in rule: one of several ways to a device is lost, another is left; the instance is the uplink that is lost.
pub const REDUNDANCY_LOST: &str = "redundancy-lost";

/// First axis: the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Confirmed and bad.
    Active,
    /// Good again, not yet for long enough.
    Clearing,
    /// Over.
    Cleared,
}

impl Condition {
    /// The word used in the API.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Active => "active",
            Condition::Clearing => "clearing",
            Condition::Cleared => "cleared",
        }
    }
}

/// How a fault ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The condition went away.
    Cleared,
    /// A person closed it.
    Closed,
    /// Its device, rule or instance is gone.
    Withdrawn,
}

impl Ending {
    /// The word used in the store and the API.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Cleared => "cleared",
            Ending::Closed => "closed",
            Ending::Withdrawn => "withdrawn",
        }
    }

    /// The ending with this word.
    pub fn from_word(word: &str) -> Option<Ending> {
        [Ending::Cleared, Ending::Closed, Ending::Withdrawn].into_iter().find(|e| e.word() == word)
    }
}

/// A fault as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Identity.
    pub id: FaultId,
    /// The number people say.
    pub number: FaultNumber,
    /// What it is about.
    pub key: FaultKey,
    /// How bad, now (or at its end).
    pub severity: Severity,
    /// First axis.
    pub condition: Condition,
    /// Second axis: acknowledged, and by whom.
    pub acknowledged: Option<Acknowledgement>,
    /// Who is to see to it.
    pub assigned: Option<Assignment>,
    /// Who is on site, and since when.
    pub arrived: Option<Acknowledgement>,
    /// Third axis: shelved.
    pub shelf: Option<Shelf>,
    /// Data are missing: the condition is kept as it was last known.
    pub stale: bool,
    /// When the first bad evidence was seen.
    pub first_bad: Wall,
    /// When it was confirmed.
    pub confirmed: Wall,
    /// When it was over; `None` while it is open, and again after a reopening.
    pub cleared: Option<Wall>,
    /// How it ended; `None` while it is open.
    pub ending: Option<Ending>,
    /// Who closed it, where a person did.
    pub closed_by: Option<Arc<str>>,
    /// The value that raised it or changed its severity last, if a value did.
    pub value: Option<Value>,
    /// X.733 probable cause.
    pub cause: Arc<str>,
    /// One line for people, made when it was raised.
    pub summary: Bilingual,
    /// What to do next.
    pub advice: Bilingual,
    /// The earlier fault of the same key that this one follows, if it is known.
    pub previous: Option<FaultId>,
    /// Its service level; `None` where no policy is for it, or nobody was told of it yet.
    pub service: Option<Service>,
    /// Third axis: the open `unreachable` fault of another device that this one is a consequence of. While it is there
    /// nobody is told of this one; it stays until a fresh poll has judged, also where the root is over.
    pub hidden_by: Option<FaultId>,
}

impl Fault {
    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.ending.is_none()
    }

    /// How far people are with it.
    pub fn operator(&self) -> Operator {
        match (&self.arrived, &self.assigned, &self.acknowledged) {
            (Some(_), _, _) => Operator::OnSite,
            (None, Some(_), _) => Operator::Assigned,
            (None, None, Some(_)) => Operator::Acknowledged,
            (None, None, None) => Operator::None,
        }
    }

    /// Whether nobody is told of it: it follows from another's failure, or a person has put it aside.
    pub fn is_suppressed(&self) -> bool {
        self.hidden_by.is_some() || self.shelf.is_some()
    }
}

/// What happened to a fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It was confirmed.
    Raised,
    /// The same condition came back within 30 minutes: same number, original clock.
    Reopened,
    /// It got worse or better.
    Severity {
        /// What it was before.
        from: Severity,
    },
    /// Somebody took note of it.
    Acknowledged,
    /// Somebody is to see to it.
    Assigned,
    /// Somebody is on site.
    Arrived,
    /// A person put it aside.
    Shelved,
    /// It is no longer put aside: a person said so, or its time is over.
    Unshelved,
    /// Another device failed, and this one is a consequence of it: see [`Fault::hidden_by`].
    Hidden,
    /// It is none, or none any more: the way is free, and a fresh poll found it bad all the same.
    Revealed,
    /// The limit of a target of its service level is near.
    ServiceWarning(Target),
    /// The limit is passed.
    ServiceBreach(Target),
    /// Its condition is over, but its rule latches: it stays open until a person closes it.
    Restored,
    /// It ended, see [`Fault::ending`].
    Ended,
}

impl Change {
    /// The word used in the store and the API.
    pub fn word(&self) -> &'static str {
        match self {
            Change::Raised => "raised",
            Change::Reopened => "reopened",
            Change::Severity { .. } => "severity",
            Change::Acknowledged => "acknowledged",
            Change::Assigned => "assigned",
            Change::Arrived => "arrived",
            Change::Shelved => "shelved",
            Change::Unshelved => "unshelved",
            Change::ServiceWarning(Target::Response) => "response-warning",
            Change::ServiceWarning(Target::OnSite) => "on-site-warning",
            Change::ServiceWarning(Target::Restore) => "restore-warning",
            Change::ServiceBreach(Target::Response) => "response-breach",
            Change::ServiceBreach(Target::OnSite) => "on-site-breach",
            Change::ServiceBreach(Target::Restore) => "restore-breach",
            Change::Hidden => "hidden",
            Change::Revealed => "revealed",
            Change::Restored => "restored",
            Change::Ended => "ended",
        }
    }
}

/// One transition of a fault, to be made durable before anybody hears of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Running number over all faults, from 1, without gaps; the id of the SSE event.
    pub id: u64,
    /// When, on the wall clock.
    pub at: Wall,
    /// What happened.
    pub change: Change,
    /// The fault after it.
    pub fault: Fault,
}

/// What a device that speaks of its own accord says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Something is wrong; how bad, where that is not the rule's first level.
    Bad(Option<Severity>),
    /// It is over.
    Good,
}

/// Number of an operator's request; the shell chooses it to find the waiting caller again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// Episode of asking one device; answers of an older one are dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u32);

/// What is asked of a device out of turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Its reach probe (ICMP, TCP, echo, SNMP).
    Reach,
    /// A full poll.
    Poll,
}

/// What comes in. The closed enum of everything the engine can hear.
#[derive(Debug)]
pub enum Event<'a> {
    /// A poll ended, scheduled or asked for. `readings.answered` says whether any valid reply came back.
    Polled {
        /// Which device.
        device: DeviceIx,
        /// The device's generation when the poll was started ([`engine::Engine::generation`]).
        generation: Generation,
        /// What came back, derived metrics included.
        readings: &'a Readings,
        /// Labels of the device's instances.
        labels: &'a crate::model::Labels,
    },
    /// A reach probe ended.
    Reached {
        /// Which device.
        device: DeviceIx,
        /// The generation of the [`Ask`].
        generation: Generation,
        /// Whether it answered.
        answered: bool,
    },
    /// Another agent answers at a device's address than before.
    Replaced {
        /// Which device.
        device: DeviceIx,
        /// What was seen, for people.
        what: Bilingual,
    },
    /// A device said something of its own accord.
    Said {
        /// Which device.
        device: DeviceIx,
        /// The rule that it is a sign of.
        rule: &'a str,
        /// What it is about; empty for the whole device.
        instance: Arc<str>,
        /// Good or bad.
        sign: Sign,
    },
    /// An operator does something to a fault.
    Act {
        /// To answer the caller.
        request: RequestId,
        /// Which fault.
        fault: FaultId,
        /// Who.
        by: Arc<str>,
        /// What.
        act: Act,
    },
    /// Time passed; the shell sends it when [`engine::Engine::poll_timeout`] is due.
    Tick,
}

/// A question to the world. Never stored: after a restart the engine asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which device.
    pub device: DeviceIx,
    /// What.
    pub probe: Probe,
    /// Not before this moment.
    pub at: Mono,
    /// No answer by then counts as silence.
    pub deadline: Mono,
    /// To be handed back with the answer.
    pub generation: Generation,
}

/// Why an operator's request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such open fault.
    NoSuchFault,
    /// It is acknowledged already.
    AlreadyAcknowledged,
    /// Its condition is not over, or it does not latch.
    NotClosable,
    /// Somebody is on site already.
    AlreadyOnSite,
    /// It is not shelved.
    NotShelved,
    /// A fault is shelved for 8 hours at most.
    ShelfTooLong,
}

/// What goes out.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Make this durable, then publish it (and answer `request`, where an operator waits).
    Commit {
        /// The transition.
        transition: Box<Transition>,
        /// The operator's request it fulfils.
        request: Option<RequestId>,
    },
    /// Make durable who is hidden behind whom from now on, with the transition before it where that was of the same
    /// moment.
    Hide(Vec<Hiding>),
    /// Ask a device.
    Ask(Ask),
    /// Tell an operator no.
    Refuse {
        /// The request.
        request: RequestId,
        /// Why.
        why: Refusal,
    },
}
