//! A command on its way over a bus: what is sent, and what came back.

use super::exchange::{Await, Exchange, Outcome, Rank};
use super::plan::Member;
use super::poll::{frame_exchange, text_exchange};
use crate::frame::{self, FrameReader};
use crate::modbus::rtu::{self, Awaited};
use crate::text::{self, TextReader};
use roundsman_core::reading::Absence;
use roundsman_rtu::answer::Answer;
use roundsman_rtu::request::Request;
use std::sync::Arc;

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    /// A PDU.
    Modbus {
        /// Function and data.
        pdu: Vec<u8>,
        /// Octets of the answer's PDU, where the function is the maker's own.
        own_len: usize,
        /// How long the answer may take, ms.
        timeout_ms: u32,
        /// How long the unit is left alone afterwards, ms.
        rest_ms: u32,
    },
    /// A frame.
    Frame {
        /// How frames look.
        layout: Arc<frame::Layout>,
        /// What is sent and what answers it.
        request: frame::Request,
    },
    /// A line.
    Text {
        /// How lines look.
        layout: Arc<text::Layout>,
        /// What is sent and what answers it.
        request: text::Request,
    },
}

/// A command for one unit. It is sent once: whoever is not sure that it arrived looks before saying it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Who is told, with the arguments among its parameters.
    pub member: Member,
    /// What.
    pub say: Say,
}

/// What the device said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It confirmed it.
    Acknowledged,
    /// Nothing that came back proves anything: a copy, or no answer where none has to come.
    Unproven,
    /// It refused.
    Refused(Absence),
    /// No sound answer came.
    Failed(Absence),
}

/// A command that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// As given to [`order`](super::session::Session::order).
    pub id: u64,
    /// The octets that were sent.
    pub sent: Vec<u8>,
    /// What came back.
    pub outcome: Outcome,
    /// What that means.
    pub verdict: Verdict,
}

#[derive(Debug)]
enum Judge {
    Modbus(Vec<u8>),
    Frame(Arc<FrameReader>),
    Text(Arc<TextReader>),
}

/// An order that is out.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) id: u64,
    pub(super) sent: Vec<u8>,
    judge: Judge,
}

/// The order's exchange, and who judges the answer; `None` where something it names is not given.
pub(super) fn begin(id: u64, order: &Order) -> Option<(Exchange, Out)> {
    let member = &order.member;
    let exchange = |send: &[u8], awaits, timeout_ms, rest_ms| Exchange {
        unit: member.unit,
        rank: Rank::Command,
        send: send.to_vec(),
        awaits,
        reader: Arc::new(rtu::Overheard),
        timeout_ms,
        tries: 1,
        rest_ms,
    };
    Some(match &order.say {
        Say::Modbus { pdu, own_len, timeout_ms, rest_ms } => {
            let unit = *member.params.get("address")?.first()?;
            let sent = rtu::seal(unit, pdu)?;
            let reader = Arc::new(Awaited::new(unit, pdu, *own_len));
            let exchange = Exchange { reader, ..exchange(&sent, Await::Answer, *timeout_ms, *rest_ms) };
            (exchange, Out { id, sent, judge: Judge::Modbus(pdu.clone()) })
        }
        Say::Frame { layout, request } => {
            let plan = frame::Plan { layout: Arc::clone(layout), requests: Vec::new(), points: Vec::new() };
            let (sent, reader) = frame_exchange(&plan, request, member)?;
            let base = exchange(&sent, request.awaits, request.timeout_ms, request.rest_ms);
            let judge = Judge::Frame(Arc::clone(&reader));
            (Exchange { reader, ..base }, Out { id, sent, judge })
        }
        Say::Text { layout, request } => {
            let (sent, reader) = text_exchange(layout, request, member)?;
            let base = exchange(&sent, request.awaits, request.timeout_ms, request.rest_ms);
            let judge = Judge::Text(Arc::clone(&reader));
            (Exchange { reader, ..base }, Out { id, sent, judge })
        }
    })
}

impl Out {
    pub(super) fn end(self, outcome: Outcome) -> Ordered {
        let verdict = match &outcome {
            Outcome::Answered(frame) => self.judge(frame),
            Outcome::Copied | Outcome::Sent => Verdict::Unproven,
            other => Verdict::Failed(other.absence().unwrap_or(Absence::Timeout)),
        };
        Ordered { id: self.id, sent: self.sent, outcome, verdict }
    }

    fn judge(&self, frame: &[u8]) -> Verdict {
        let judged = match &self.judge {
            Judge::Frame(reader) => reader.verdict(frame).map(|_| ()),
            Judge::Text(reader) => reader.verdict(frame).map(|_| ()),
            Judge::Modbus(pdu) => {
                let request = Request::read(pdu);
                match request.map(|request| request.read_answer(rtu::pdu(frame))) {
                    Ok(Ok(Answer::Exception(exception))) => Err(crate::modbus::reading::absence(exception)),
                    Ok(Ok(_)) => Ok(()),
                    _ => return Verdict::Failed(Absence::Malformed),
                }
            }
        };
        match judged {
            Ok(()) => Verdict::Acknowledged,
            Err(absence) => Verdict::Refused(absence),
        }
    }
}
