//! Protocols of text lines described as data.
//!
//! **Duty.** [`pattern`] matches lines and takes values out of them, [`reader`] finds the answer among lines, prompts
//! and echoes, [`opening`] is the dialogue before the first request: banner, login, PJLink's digest.
//!
//! **Place in the flow.** `profile` makes a [`Layout`] and [`Request`]s of a profile's `text` and `request.*`;
//! [`bus::session`](crate::bus::session) sends them and looks up the points.
//!
//! **Refuses.** No protocol is known here by name but PJLink's digest, which no description of octets could say.
//! Lines are bounded; octets that are no UTF-8 are compared as they are.

pub mod opening;
pub mod pattern;
pub mod reader;

pub use opening::{Dialogue, Sign};
pub use pattern::{Class, Pattern};
pub use reader::TextReader;

use crate::bus::exchange::Await;
use crate::field::Raw;
use crate::params::{Missing, Params};
use roundsman_core::reading::Absence;
use std::sync::Arc;

/// Longest line in octets; a longer one is noise.
pub const MOST_LINE: usize = 1_024;

/// How all lines of a protocol look.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Put behind everything that is sent.
    pub sent_end: Vec<u8>,
    /// What ends a line that comes in: the first of them that is found, the longest where several are. Never empty.
    pub ends: Vec<Vec<u8>>,
    /// What the device says before it waits for a request; skipped at the beginning of a line.
    pub prompts: Vec<Vec<u8>>,
    /// The device repeats what it is sent: such lines are skipped.
    pub echoes: bool,
    /// Lines that refuse the credentials, whenever they come.
    pub denied: Vec<Pattern>,
}

/// A part of what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text.
    Text(Arc<str>),
    /// What is given under this name.
    Param(Arc<str>),
}

/// What is sent, without the end of the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

impl Template {
    /// The octets, without the end of the line. What is given never brings line ends along: that would be another
    /// command.
    pub fn render(&self, params: &Params) -> Result<Vec<u8>, Missing> {
        let mut line = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => line.extend_from_slice(text.as_bytes()),
                Piece::Param(name) => {
                    let octets = params.get(name).ok_or_else(|| Missing(name.clone()))?;
                    line.extend(octets.iter().filter(|octet| !octet.is_ascii_control()));
                }
            }
        }
        Ok(line)
    }
}

/// A question, and what comes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is sent.
    pub send: Template,
    /// Lines that answer it.
    pub ack: Vec<Pattern>,
    /// Lines that refuse it, and what the values then are.
    pub nak: Vec<(Pattern, Absence)>,
    /// The line that ends an answer of several.
    pub until: Option<Pattern>,
    /// What is to come back.
    pub awaits: Await,
    /// How long that may take, ms.
    pub timeout_ms: u32,
    /// How long the device is left alone afterwards, ms.
    pub rest_ms: u32,
}

/// Where a value stands: what an answer's line caught under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Position of the request in the plan.
    pub request: usize,
    /// The name.
    pub capture: Arc<str>,
}

/// What one poll asks of a device that speaks text.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How lines look.
    pub layout: Arc<Layout>,
    /// The requests, in the order in which they are sent.
    pub requests: Vec<Request>,
    /// The values.
    pub points: Vec<Point>,
}

/// What one line caught, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Captures(Vec<(Arc<str>, Raw)>);

impl Captures {
    /// What stands under a name.
    pub fn get(&self, name: &str) -> Option<&Raw> {
        self.0.iter().find(|(known, _)| &**known == name).map(|(_, raw)| raw)
    }

    /// Adds what another line caught; what is there already stays.
    pub fn extend(&mut self, other: Captures) {
        for (name, raw) in other.0 {
            if self.get(&name).is_none() {
                self.0.push((name, raw));
            }
        }
    }
}
