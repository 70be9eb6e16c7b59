//! Binary protocols described as data: frames with start, length, checksum, patterns of what is sent and answered.
//!
//! **Duty.** [`layout`] says where a frame begins and ends and what proves it, [`check`] reckons its checksum,
//! [`pattern`] says what a request sends and which frame answers it, [`reader`] finds that frame among octets.
//!
//! **Place in the flow.** `profile` makes a [`Layout`] and [`Request`]s of a profile's `frame` and `request.*`;
//! [`bus::session`](crate::bus::session) sends them and looks up the points.
//!
//! **Refuses.** No protocol is known here by name. A description that fits nothing gives silence, never a panic.
//!
//! Positions count from 0 at the frame's first octet (start included); negative ones from its end, −1 being the last;
//! `to` is inclusive. In an ASCII-hex frame they count the octets that the digits mean.

pub mod check;
pub mod layout;
pub mod pattern;
pub mod reader;

pub use check::Check;
pub use layout::{Encoding, Layout, Length};
pub use pattern::{Pattern, Piece};
pub use reader::FrameReader;

use crate::bus::exchange::Await;
use crate::field::{Field, Raw};
use roundsman_core::reading::Absence;

/// Longest frame in octets.
pub const MOST_FRAME: usize = 1_024;

/// The octets `from..=to` of something of `len` octets; `None` where they lie outside or are none.
pub fn span(from: i32, to: i32, len: usize) -> Option<std::ops::Range<usize>> {
    let at = |position: i32| match usize::try_from(position) {
        Ok(position) => Some(position),
        Err(_) => len.checked_sub(position.unsigned_abs() as usize),
    };
    let (from, to) = (at(from)?, at(to)?);
    (from <= to && to < len).then_some(from..to + 1)
}

/// A question, and what comes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is sent.
    pub send: Pattern,
    /// Frames that answer it.
    pub ack: Vec<Pattern>,
    /// Frames that refuse it, and what the values then are.
    pub nak: Vec<(Pattern, Absence)>,
    /// What is to come back.
    pub awaits: Await,
    /// How long that may take, ms.
    pub timeout_ms: u32,
    /// How long the unit is left alone afterwards, ms.
    pub rest_ms: u32,
}

/// Where a value stands in the answer to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Position of the request in the plan.
    pub request: usize,
    /// First octet.
    pub from: i32,
    /// Last octet; without it as many as the field's type takes.
    pub to: Option<i32>,
    /// What it is.
    pub field: Field,
}

impl Point {
    /// The value in a frame (of an ASCII-hex one, what its digits mean).
    pub fn read(&self, frame: &[u8]) -> Option<Raw> {
        let octets = match self.to {
            Some(to) => frame.get(span(self.from, to, frame.len())?)?,
            None => {
                let start = span(self.from, self.from, frame.len())?.start;
                frame.get(start..start + self.field.kind.octets())?
            }
        };
        let kind = self.field.kind.over(u8::try_from(octets.len()).ok()?);
        Field { kind, ..self.field }.read(octets)
    }
}

/// What one poll asks of a unit that speaks frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How frames look.
    pub layout: std::sync::Arc<Layout>,
    /// The requests, in the order in which they are sent.
    pub requests: Vec<Request>,
    /// The values.
    pub points: Vec<Point>,
}
