//! The one request on the line, and what came since.

use super::line::{Echo, Line};
use super::queue::Queued;
use super::reader::Read;
use roundsman_core::time::Mono;

/// Octets after which an answer that goes on for ever is cut off; it lengthens the deadline no further.
const MOST_OVERTIME_OCTETS: usize = 1_024;

/// What the octets held mean for the exchange.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nothing yet.
    Nothing,
    /// The echo was taken away.
    Echo,
    /// The answer.
    Answer(Vec<u8>),
    /// The first copy of a request whose answer may be a copy.
    Copy,
    /// Something sound that is not the answer.
    Foreign(Vec<u8>),
    /// Something that tells nothing.
    Skipped,
    /// So many octets meant nothing.
    Noise(usize),
    /// The echo that always comes did not.
    NoEcho,
}

#[derive(Debug)]
pub(super) struct Awaiting {
    pub(super) queued: Queued,
    /// What comes in, from its first octet not yet understood.
    pub(super) held: Vec<u8>,
    pub(super) deadline: Mono,
    /// The deadline is not moved behind this.
    most: Mono,
    /// The deadline as it was set: lateness counts from here.
    pub(super) given_up_at: Mono,
    looks_for_echo: bool,
    pub(super) echoed: bool,
    /// A copy came; this is when it is taken as all there is.
    pub(super) copy_until: Option<Mono>,
    pub(super) has_copy: bool,
    /// Whether octets other than the echo came.
    pub(super) heard: bool,
    /// The request has not left the line before.
    left_at: Mono,
}

/// How much the clock may be wrong about when octets came, in ms.
const TOLERANCE_MS: u64 = 2;

impl Awaiting {
    /// `sent` octets went out at `now`.
    pub(super) fn new(queued: Queued, line: &Line, sent: usize, now: Mono) -> Awaiting {
        let timeout_ms = u64::from(queued.exchange.timeout_ms);
        let deadline = now.plus_ms(line.time_ms(sent) + timeout_ms);
        let overtime_ms = line.time_ms(MOST_OVERTIME_OCTETS) + u64::from(line.quiet_ms);
        Awaiting {
            looks_for_echo: !queued.is_mirror && !queued.exchange.send.is_empty() && line.echo != Echo::Never,
            queued,
            held: Vec::new(),
            deadline,
            most: deadline.plus_ms(overtime_ms),
            given_up_at: deadline,
            echoed: false,
            copy_until: None,
            has_copy: false,
            heard: false,
            left_at: now.plus_ms(line.time_ms(sent)),
        }
    }

    /// Whether an answer seems to be coming in still, so that the deadline is moved.
    pub(super) fn goes_on(&mut self, line: &Line, last_octet: Mono, now: Mono) -> bool {
        let next = last_octet.plus_ms(line.quiet_ms.into()).min(self.most);
        if self.held.is_empty() || next <= now {
            return false;
        }
        self.deadline = next;
        true
    }

    /// Understands what is held, one thing at a time. `silent`: nothing more comes for the line's gap.
    pub(super) fn look(&mut self, line: &Line, silent: bool, now: Mono) -> Sight {
        if self.held.is_empty() {
            return Sight::Nothing;
        }
        let sent = &self.queued.exchange.send;
        if self.looks_for_echo {
            let is_echo = self.held.starts_with(sent);
            let read = self.queued.exchange.reader.read(&self.held);
            match read {
                // An answer in text may begin as its request did, with another end.
                Read::Answer(len) if is_echo && len > sent.len() => {}
                Read::More if is_echo && self.held.len() == sent.len() && !silent => return Sight::Nothing,
                _ if is_echo => {
                    self.held.drain(..sent.len());
                    self.looks_for_echo = false;
                    self.echoed = true;
                    return Sight::Echo;
                }
                _ if sent.starts_with(&self.held) && !silent => return Sight::Nothing,
                _ => {}
            }
            self.looks_for_echo = false;
            if line.echo == Echo::Always && !is_echo {
                return Sight::NoEcho;
            }
        }
        let reader = &self.queued.exchange.reader;
        let read = if silent { reader.read_at_silence(&self.held) } else { reader.read(&self.held) };
        self.heard |= !matches!(read, Read::Skip(_));
        let taken: Vec<u8> = self.held.drain(..read.len().min(self.held.len())).collect();
        match read {
            Read::More => Sight::Nothing,
            Read::Skip(_) => Sight::Skipped,
            Read::Noise(len) => Sight::Noise(len),
            Read::Unsolicited(_) => Sight::Foreign(taken),
            Read::Answer(_) => self.answer(taken, line, now),
        }
    }

    /// An answer that equals the request proves itself only as the second copy, or where there is no echo for sure.
    fn answer(&mut self, taken: Vec<u8>, line: &Line, now: Mono) -> Sight {
        let is_copy = taken == self.queued.exchange.send;
        if is_copy && !self.has_copy && line.echo != Echo::Never {
            self.has_copy = true;
            return Sight::Copy;
        }
        // Octets take their time: an answer this early was on its way before the request.
        if now.plus_ms(TOLERANCE_MS) < self.left_at.plus_ms(line.time_ms(taken.len())) {
            return Sight::Foreign(taken);
        }
        Sight::Answer(taken)
    }
}
