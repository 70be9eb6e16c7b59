//! Fixtures of devices: what was recorded, what changes, what is said both ways.

use crate::diagnostic::At;
use roundsman_wire::modbus::plan::Table;
use roundsman_wire::onvif::events::Notification;
use roundsman_wire::onvif::health::{Question, Said};
use std::sync::Arc;

/// What a fixture's device is made of.
#[derive(Clone, Debug)]
pub enum Recording {
    /// A recorded walk (snmprec), its name relative to the profile's file.
    Walk(Arc<str>),
    /// A device on a bus.
    Bus(Box<Recorded>),
    /// A camera or recorder: what it says to each question.
    Onvif(Vec<(Question, Told)>),
}

/// What a recorded camera or recorder says to a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// This, item by item, or why nothing comes.
    Said(Said),
    /// A recorded answer; the file's name is relative to the profile's.
    Document(Arc<str>, At),
}

impl Recording {
    /// What it is called in lists.
    pub fn name(&self) -> Arc<str> {
        match self {
            Recording::Walk(name) => name.clone(),
            Recording::Bus(recorded) if recorded.exchanges.is_empty() => {
                Arc::from(format!("{} registers", recorded.registers.len()))
            }
            Recording::Bus(recorded) => Arc::from(format!("{} exchanges", recorded.exchanges.len())),
            Recording::Onvif(told) => Arc::from(format!("{} answers", told.len())),
        }
    }
}

/// A recorded device on a bus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// What is sent, and what comes back.
    pub exchanges: Vec<(Vec<u8>, Vec<u8>)>,
    /// Registers and coils.
    pub registers: Vec<((Table, u16), u16)>,
    /// What it says when the port is opened.
    pub banner: Vec<u8>,
    /// Credentials of the dialogue.
    pub user: Option<Arc<str>>,
    /// The same.
    pub password: Option<Arc<str>>,
    /// Its address; without it the profile's default.
    pub unit: Option<i64>,
    /// Rows and columns, where it is a grid.
    pub grid: Option<(u8, u8)>,
}

/// A change of a recorded device.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// This is said to a question from here on.
    Told(Question, Told),
    /// Registers from here on get these values.
    Registers(Table, u16, Vec<u16>),
    /// This question is answered so; with nothing, by silence.
    Exchange(Vec<u8>, Vec<u8>),
    /// These registers are no longer there.
    Remove(Table, u16),
}

/// An order of a fixture.
#[derive(Clone, Debug)]
pub struct ExpectedOrder {
    /// Where it stands.
    pub at: At,
    /// The command's id.
    pub command: Arc<str>,
    /// Its arguments: name and word.
    pub arguments: Vec<(Arc<str>, Arc<str>)>,
    /// What must be sent.
    pub tx: Vec<u8>,
    /// What comes back; nothing is silence.
    pub rx: Vec<u8>,
    /// How that must be understood: `acknowledged`, `unproven`, `refused` or `failed`.
    pub verdict: Arc<str>,
}

/// Something a fixture's device says of its own accord.
#[derive(Clone, Debug)]
pub struct ExpectedEvent {
    /// Where it stands.
    pub at: At,
    /// What it says.
    pub spoken: Spoken,
    /// The event that this is; none, where it must be none.
    pub event: Option<Arc<str>>,
    /// The instance it must be about.
    pub instance: Arc<str>,
    /// Whether it must clear the event.
    pub clears: bool,
}

/// What a device says of its own accord.
#[derive(Clone, Debug)]
pub enum Spoken {
    /// Octets on a bus.
    Octets(Vec<u8>),
    /// A message of its event service.
    Message(Notification),
}
