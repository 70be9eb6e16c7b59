//! One line with many devices, as a value: octets and time in, octets and outcomes out.
//!
//! **Duty.** [`Bus`] puts one request on the line at a time, commands ahead of polls, tells echo, answer, late answer,
//! strangers and noise apart, waits for quiet after any error, and lets silent units cost the others next to nothing.
//! What octets mean it asks a [`Reader`]; which exchanges a poll consists of it does not know: that is
//! [`session`](session::Session).
//!
//! **Place in the flow.** `driver`'s owner task of a port holds one [`session::Session`] (which holds the `Bus`), moves
//! the octets, and calls after every event, in this order: `poll_transmit` until it is empty, `poll_action`,
//! `poll_finished` and `poll_event` until they are empty, `poll_timeout`. Section "The seam" below says it in full.
//!
//! **Refuses.** No I/O, no clock, no meaning: a value is never looked at here.
//!
//! # Rules that keep answers apart
//!
//! An RTU answer names unit, function and byte count, never the registers, and most text answers name nobody. An answer
//! that comes late is by its octets the answer to the next question of the same shape. Only time tells them apart, so:
//!
//! 1. One request at a time. An answer is taken only between its request and the try's deadline (a frame whose octets
//!    are still coming in then may end).
//! 2. After any try without a sound answer the line must be quiet for [`Line::quiet_ms`] before the next request.
//! 3. The unit that owes an answer is not asked again before its deadline plus [`Line::late_ms`], neither by a retry
//!    nor for something else. Others are asked meanwhile: their answers name them ([`Recovery::HoldUnit`]). Where
//!    answers name nobody the whole line waits ([`Recovery::HoldLine`]), or the connection is made anew
//!    ([`Recovery::Reopen`]), which costs less over TCP.
//! 4. What arrives in that time is counted as late and dropped.
//! 5. An octet-for-octet copy of the request is never data. It is the echo; where a sound answer would be a copy as
//!    well (writing one coil or register), one copy ends as [`Outcome::Copied`], which proves nothing: read back. Two
//!    copies are echo and answer.
//! 6. An answer that is complete sooner than request and answer take on the line was on its way before the request.
//!    (Not where the line's speed is not known, behind a serial server.)
//!
//! 7. Octets of a frame that [`Line::quiet_ms`] lies between do not belong together: the beginning of a cut answer is
//!    never completed by what comes later.
//!
//! **What this rests on.** No answer comes later than `late_ms` after its deadline, and no stranger on the line answers
//! in the name of the unit that is being asked with function and byte count just as asked. Octets cannot tell more; a
//! device that breaks the first needs a longer `timeout` or `late`. And a CRC of 16 bits lets one of 65,536 garbled frames
//! through, a sum of 8 bits one of 256.
//!
//! # The seam
//!
//! - **Owner task.** `Session::new(line, listener, opening)`; `handle_port(Port::Open, now)` when the port is open,
//!   `Port::Gone(why)` when it vanished, was refused or was closed; `handle_octets(&octets, now)` for what came in;
//!   `handle_timeout(now)` when [`session::Session::poll_timeout`] is due. What `poll_transmit(now)` gives is written
//!   out whole before it is asked again. `poll_action` asks to open the port, or to close and open it anew; the answer
//!   is `handle_port`.
//! - **A poll** of a device: `start(key, generation, Ask { plan, target, rank, wanted }, now)`; exactly one `Finished` follows, with the
//!   [`answer::Answer`] that `profile`'s translator takes. Inside, a poll is a list of exchanges worked off one by one:
//!   polls of several devices take turns on the line. For Modbus the reads are merged and what a device refuses is
//!   remembered; for a grid each panel is a unit of its own, so one dead panel is backed off alone.
//! - **A command**: `order(id, &Order { member, say }, now)`; exactly one `Ordered` follows with what was sent and what
//!   came. Whether it worked is not known from that: `profile::command` has the metric that shows it polled again
//!   (`wanted`), at command's rank.
//! - **Unsolicited** frames and lines come out of `poll_event` whether or not something is awaited; `profile` matches
//!   them with `[[event]]`.
//! - **RTU, several devices**: one `Session` for the port, one key for each device, unit = Modbus address.
//!   **MDC wall**: one key, nine units. **PJLink over TCP**: a `Session` of its own, [`Line::tcp`], its greeting an
//!   [`Opening`]; the projector closes after 30 s, so the port is opened when something is queued. **Text login**: an
//!   [`Opening`] as well, run after each opening of the port.

pub mod answer;
pub mod counters;
pub mod exchange;
pub mod line;
pub mod order;
pub mod plan;
pub mod reader;
pub mod session;

mod awaiting;
mod ending;
mod hearing;
mod poll;
mod port;
mod queue;
mod unit;

pub use counters::Counters;
pub use exchange::{Await, Done, Exchange, Outcome, Rank, Ticket, Unit, Unsubmitted};
pub use line::{Echo, Line, Lost, Port, Recovery};
pub use queue::MOST_QUEUED;
pub use reader::{Opening, Read, Reader, Step};
pub use unit::{BACK_OFF_MS, BACK_OFF_MS_MOST, SILENT_AFTER};

use awaiting::Awaiting;
use queue::{Queue, Queued};
use roundsman_core::time::Mono;
use std::collections::VecDeque;
use std::sync::Arc;
use unit::Units;

/// Longest request in octets.
pub const MOST_REQUEST: usize = 1_024;
/// Most octets held while it is not known what they are; then all of them are noise.
pub const MOST_HELD: usize = 4_096;
/// Most unsolicited frames or lines waiting to be fetched; the oldest goes first.
pub const MOST_EVENTS: usize = 256;
/// Tries in a row without a single octet from anybody after which the port is asked to be made anew.
pub const REOPEN_AFTER: u32 = 8;
/// How long a port whose credentials were refused is left alone, in ms: asking on would lock the account.
pub const DENIED_MS: u64 = 60_000;

/// What the owner of the port is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open it: something waits.
    Open,
    /// Close it and open it anew: what it may still bring is not wanted, or it brings nothing any more.
    Reopen,
    /// Close it: the dialogue at its opening failed.
    Close,
}

#[derive(Debug)]
enum State {
    /// Why, and until when somebody waits for it to be opened.
    Closed(Lost, Option<Mono>),
    /// The dialogue has until then.
    Opening(Mono),
    Free,
    Awaiting(Box<Awaiting>),
}

/// The line is waited for.
#[derive(Clone, Copy, Debug, Default)]
struct Resting {
    since: Mono,
    /// How long after an octet that still comes.
    after_octet_ms: u32,
    /// Whether it was counted already that it does not get quiet.
    was_counted: bool,
}

/// The line.
#[derive(Debug)]
pub struct Bus {
    line: Line,
    /// Knows what is sound while nothing is awaited.
    listener: Arc<dyn Reader>,
    opening: Option<Box<dyn Opening>>,
    state: State,
    queue: Queue,
    units: Units,
    /// Octets of the dialogue, or of nobody.
    held: Vec<u8>,
    last_octet: Mono,
    /// Whether the silence behind the last octet was looked at.
    was_silent: bool,
    /// No request goes before.
    free_at: Mono,
    resting: Resting,
    denied_until: Mono,
    is_echoing: Option<bool>,
    mute: u32,
    preamble: Vec<u8>,
    outbox: VecDeque<Vec<u8>>,
    action: Option<Action>,
    done: VecDeque<Done>,
    events: VecDeque<Vec<u8>>,
    counters: Counters,
    tickets: u64,
}

impl Bus {
    /// A line whose port is not open yet. `listener` tells sound frames or lines from noise while nothing is awaited.
    pub fn new(line: Line, listener: Arc<dyn Reader>, opening: Option<Box<dyn Opening>>) -> Bus {
        Bus {
            line,
            listener,
            opening,
            state: State::Closed(Lost::Closed, None),
            queue: Queue::default(),
            units: Units::default(),
            held: Vec::new(),
            last_octet: Mono(0),
            was_silent: true,
            free_at: Mono(0),
            resting: Resting::default(),
            denied_until: Mono(0),
            is_echoing: None,
            mute: 0,
            preamble: Vec::new(),
            outbox: VecDeque::new(),
            action: None,
            done: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            tickets: 0,
        }
    }

    /// Queues an exchange; its [`Done`] comes from [`Bus::poll_done`], perhaps at once.
    pub fn submit(&mut self, exchange: Exchange, now: Mono) -> Result<Ticket, Unsubmitted> {
        if exchange.send.len() > MOST_REQUEST {
            return Err(Unsubmitted::Long(exchange.send.len()));
        }
        if self.queue.len() >= MOST_QUEUED {
            self.counters.refused += 1;
            return Err(Unsubmitted::Full(MOST_QUEUED));
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let send = &exchange.send;
        let is_mirror = !send.is_empty() && exchange.reader.read(send) == Read::Answer(send.len());
        let tries_left = exchange.tries.max(1);
        let queued = Queued { ticket, exchange, is_mirror, tries_left, since: now };
        if self.is_backed_off(&queued, now) {
            self.counters.skipped += 1;
            self.finish(queued, Outcome::Skipped);
        } else if matches!(self.state, State::Closed(..)) && now < self.denied_until {
            self.finish(queued, Outcome::Gone(Lost::Denied));
        } else {
            self.queue.push(queued);
            self.ask_for_port(now);
        }
        Ok(ticket)
    }

    /// Takes an exchange back, whether it waits or is on the line; there will be no [`Done`] of it. On the line its
    /// answer is awaited nevertheless, so that it harms no other.
    pub fn cancel(&mut self, ticket: Ticket) {
        if self.queue.take(ticket).is_none()
            && let State::Awaiting(awaiting) = &mut self.state
            && awaiting.queued.ticket == ticket
        {
            awaiting.queued.ticket = Ticket(0);
            awaiting.queued.tries_left = 0;
        }
    }

    fn is_backed_off(&self, queued: &Queued, now: Mono) -> bool {
        queued.exchange.rank == Rank::Poll
            && self.units.get(queued.exchange.unit).is_some_and(|unit| unit.is_backed_off(now))
    }

    /// Octets to write, whole, before this is asked again.
    pub fn poll_transmit(&mut self, now: Mono) -> Option<Vec<u8>> {
        if let Some(octets) = self.outbox.pop_front() {
            self.counters.octets_out += octets.len() as u64;
            return Some(octets);
        }
        while matches!(self.state, State::Free) && now >= self.free_at {
            let mut queued = self.queue.next(&self.units, now)?;
            if self.is_backed_off(&queued, now) {
                self.counters.skipped += 1;
                self.finish(queued, Outcome::Skipped);
                continue;
            }
            let is_first = queued.tries_left == queued.exchange.tries.max(1);
            queued.tries_left -= 1;
            let octets = [std::mem::take(&mut self.preamble), queued.exchange.send.clone()].concat();
            self.settle(true, now);
            if !octets.is_empty() {
                self.counters.requests += 1;
                self.counters.retries += u64::from(!is_first);
                self.counters.octets_out += octets.len() as u64;
            }
            let mut awaiting = Awaiting::new(queued, &self.line, octets.len(), now);
            if awaiting.queued.exchange.awaits == Await::Nothing {
                let turnaround_ms = self.line.time_ms(octets.len()) + u64::from(self.line.turnaround_ms);
                awaiting.deadline = now.plus_ms(turnaround_ms);
            }
            self.state = State::Awaiting(Box::new(awaiting));
            if !octets.is_empty() {
                return Some(octets);
            }
        }
        None
    }

    /// A unit is not asked before.
    pub fn rest_unit(&mut self, unit: Unit, until: Mono) {
        self.units.rests(unit, until);
    }

    /// What is to be done with the port.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.action.take()
    }

    /// The next exchange that is over.
    pub fn poll_done(&mut self) -> Option<Done> {
        self.done.pop_front()
    }

    /// The next frame or line that nobody asked for.
    pub fn poll_event(&mut self) -> Option<Vec<u8>> {
        self.events.pop_front()
    }

    /// When [`Bus::handle_timeout`] is to be called next; `None` while nothing is to be waited for.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let silence = self.last_octet.plus_ms(self.silence_ms() + 1);
        match &self.state {
            State::Closed(_, until) => *until,
            State::Opening(until) => Some(*until),
            State::Free => {
                let next = self.queue.ready_at(&self.units).map(|ready| ready.max(self.free_at));
                let looks = !self.held.is_empty() && !self.was_silent;
                earlier(next, looks.then_some(silence))
            }
            State::Awaiting(awaiting) => {
                let looks = !awaiting.held.is_empty() && !self.was_silent;
                let deadline = awaiting.copy_until.unwrap_or(awaiting.deadline);
                earlier(Some(deadline), looks.then_some(silence))
            }
        }
    }

    /// A pause longer than this ends what has no length.
    pub(super) fn silence_ms(&self) -> u64 {
        u64::from(self.line.gap_ms.max(1))
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Mono) {
        let is_silent = now.since_ms(self.last_octet) > self.silence_ms() && !self.was_silent;
        match &self.state {
            State::Closed(lost, Some(until)) if now >= *until => {
                let lost = *lost;
                self.state = State::Closed(lost, None);
                self.give_up_all(lost);
            }
            State::Opening(until) if now >= *until => {
                self.counters.lost += 1;
                self.close(Lost::HalfOpen, now);
            }
            State::Free if is_silent => {
                self.was_silent = true;
                self.settle(true, now);
            }
            State::Awaiting(awaiting) => {
                if now >= awaiting.copy_until.unwrap_or(awaiting.deadline) {
                    self.expire(now);
                } else if is_silent {
                    self.was_silent = true;
                    self.settle(true, now);
                }
            }
            _ => {}
        }
    }

    /// How many exchanges wait or are on the line.
    pub fn outstanding(&self) -> usize {
        self.queue.len() + usize::from(matches!(self.state, State::Awaiting(_)))
    }

    /// What happened on the line.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

fn earlier(a: Option<Mono>, b: Option<Mono>) -> Option<Mono> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
