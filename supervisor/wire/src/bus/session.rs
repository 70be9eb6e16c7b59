//! Polls and commands of all devices of one line, as a value: what the owner task of a port holds.
//!
//! **Duty.** Works polls off exchange by exchange, several devices in turn; keeps what is learned of a device; sends
//! commands ahead of them.
//!
//! **Place in the flow.** `driver`'s owner task calls it as the seam in [`bus`](super) says; the answers go to
//! `profile`'s translator, unsolicited frames and lines to its events.

use super::answer::Answer;
use super::exchange::{Rank, Ticket};
use super::line::{Line, Lost, Port};
use super::order::{self, Order, Ordered, Out};
use super::plan::{Plan, Target};
use super::poll::{Poll, Then};
use super::reader::{Opening, Reader};
use super::{Action, Bus, Counters, Outcome};
use crate::modbus::plan::Memory;
use roundsman_core::fault::Generation;
use roundsman_core::reading::Absence;
use roundsman_core::time::Mono;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Most polls under way on one line.
pub const MOST_POLLS: usize = 256;
/// Most commands under way on one line: people wait for each.
pub const MOST_ORDERS: usize = 32;
/// How long a unit that said it was busy is left alone, in ms.
const BUSY_MS: u64 = 500;

/// A poll that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The device, as given to [`Session::start`].
    pub key: u32,
    /// As given to [`Session::start`].
    pub generation: Generation,
    /// When it was started.
    pub started: Mono,
    /// What it brought.
    pub answer: Answer,
}

/// Why a poll or command was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unstarted {
    /// Too many polls at once.
    #[error("{MOST_POLLS} polls are under way on this line already: poll its devices less often")]
    Polls,
    /// Too many commands at once.
    #[error("{MOST_ORDERS} commands wait for this line already: wait for them")]
    Orders,
    /// The command names something that is not given.
    #[error("the command names something for which nothing is given")]
    Incomplete,
}

/// A poll to start.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What is asked.
    pub plan: Arc<Plan>,
    /// Whom.
    pub target: Arc<Target>,
    /// Scheduled, or read back after a command.
    pub rank: Rank,
    /// Only these of the plan's points, the others come back `not-judged`; `None` is all.
    pub wanted: Option<Arc<[usize]>>,
}

#[derive(Debug)]
struct Running {
    poll: Poll,
    generation: Generation,
    started: Mono,
    ticket: Option<Ticket>,
}

#[derive(Debug)]
enum Job {
    Poll(u32),
    Order(Out),
}

/// All polls and commands of one line.
#[derive(Debug)]
pub struct Session {
    bus: Bus,
    running: HashMap<u32, Running>,
    jobs: HashMap<Ticket, Job>,
    /// What is remembered of each device's units.
    memories: HashMap<u32, Vec<Memory>>,
    finished: VecDeque<Finished>,
    ordered: VecDeque<Ordered>,
}

impl Session {
    /// A line whose port is not open yet; see [`Bus::new`].
    pub fn new(line: Line, listener: Arc<dyn Reader>, opening: Option<Box<dyn Opening>>) -> Session {
        Session {
            bus: Bus::new(line, listener, opening),
            running: HashMap::new(),
            jobs: HashMap::new(),
            memories: HashMap::new(),
            finished: VecDeque::new(),
            ordered: VecDeque::new(),
        }
    }

    /// Starts a poll of device `key`. One that is still under way for it ends at once with what it has; so every start
    /// brings exactly one [`Finished`], unless the device is forgotten.
    pub fn start(&mut self, key: u32, generation: Generation, ask: Ask, now: Mono) -> Result<(), Unstarted> {
        if let Some(mut former) = self.running.remove(&key) {
            self.withdraw(former.ticket);
            former.poll.end(Lost::HalfOpen);
            self.finish(key, former);
        }
        if self.running.len() >= MOST_POLLS {
            return Err(Unstarted::Polls);
        }
        let memories = self.memories.remove(&key).unwrap_or_default();
        let poll = Poll::new(ask.plan, ask.target, ask.rank, ask.wanted, memories);
        self.go_on(key, Running { poll, generation, started: now, ticket: None }, now);
        self.collect(now);
        Ok(())
    }

    /// Sends a command. Exactly one [`Ordered`] of this id follows.
    pub fn order(&mut self, id: u64, order: &Order, now: Mono) -> Result<(), Unstarted> {
        let orders = self.jobs.values().filter(|job| matches!(job, Job::Order(_))).count();
        if orders >= MOST_ORDERS {
            return Err(Unstarted::Orders);
        }
        let (exchange, out) = order::begin(id, order).ok_or(Unstarted::Incomplete)?;
        let ticket = self.bus.submit(exchange, now).map_err(|_| Unstarted::Orders)?;
        self.jobs.insert(ticket, Job::Order(out));
        self.collect(now);
        Ok(())
    }

    /// Forgets a device: its poll under way brings no [`Finished`], and nothing of it is remembered.
    pub fn forget(&mut self, key: u32) {
        if let Some(running) = self.running.remove(&key) {
            self.withdraw(running.ticket);
        }
        self.memories.remove(&key);
    }

    fn withdraw(&mut self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.jobs.remove(&ticket);
            self.bus.cancel(ticket);
        }
    }

    /// Submits the poll's next exchange, or finishes it.
    fn go_on(&mut self, key: u32, mut running: Running, now: Mono) {
        while let Some(exchange) = running.poll.next() {
            match self.bus.submit(exchange, now) {
                Ok(ticket) => {
                    running.ticket = Some(ticket);
                    self.jobs.insert(ticket, Job::Poll(key));
                    self.running.insert(key, running);
                    return;
                }
                // No room on the line: that is no answer in time.
                Err(_) => {
                    running.poll.take(Outcome::Skipped);
                }
            }
        }
        self.finish(key, running);
    }

    fn finish(&mut self, key: u32, running: Running) {
        let Running { poll, generation, started, .. } = running;
        self.memories.insert(key, poll.memories);
        self.finished.push_back(Finished { key, generation, started, answer: poll.answer });
    }

    /// Hands the outcomes of the bus to those who wait for them.
    fn collect(&mut self, now: Mono) {
        while let Some(done) = self.bus.poll_done() {
            match self.jobs.remove(&done.ticket) {
                Some(Job::Order(out)) => {
                    let ordered = out.end(done.outcome);
                    if ordered.verdict == order::Verdict::Refused(Absence::Denied) {
                        self.bus.deny(now);
                    }
                    self.ordered.push_back(ordered);
                }
                Some(Job::Poll(key)) => {
                    let Some(mut running) = self.running.remove(&key) else { continue };
                    match running.poll.take(done.outcome) {
                        Then::Ask => {}
                        Then::Rest => {
                            let unit = running.poll.unit();
                            self.bus.rest_unit(unit, now.plus_ms(BUSY_MS));
                        }
                        Then::Deny => {
                            running.poll.end(Lost::Denied);
                            self.bus.deny(now);
                        }
                    }
                    self.go_on(key, running, now);
                }
                None => {}
            }
        }
    }

    /// Octets came in.
    pub fn handle_octets(&mut self, octets: &[u8], now: Mono) {
        self.bus.handle_octets(octets, now);
        self.collect(now);
    }

    /// News of the port.
    pub fn handle_port(&mut self, port: Port, now: Mono) {
        self.bus.handle_port(port, now);
        self.collect(now);
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.bus.handle_timeout(now);
        self.collect(now);
    }

    /// Octets to write, whole, before this is asked again.
    pub fn poll_transmit(&mut self, now: Mono) -> Option<Vec<u8>> {
        let octets = self.bus.poll_transmit(now);
        self.collect(now);
        octets
    }

    /// What is to be done with the port.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.bus.poll_action()
    }

    /// The next poll that is over.
    pub fn poll_finished(&mut self) -> Option<Finished> {
        self.finished.pop_front()
    }

    /// The next command that was sent.
    pub fn poll_ordered(&mut self) -> Option<Ordered> {
        self.ordered.pop_front()
    }

    /// The next frame or line that nobody asked for.
    pub fn poll_event(&mut self) -> Option<Vec<u8>> {
        self.bus.poll_event()
    }

    /// When [`Session::handle_timeout`] is to be called next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.bus.poll_timeout()
    }

    /// How many polls are under way.
    pub fn outstanding(&self) -> usize {
        self.running.len()
    }

    /// What happened on the line.
    pub fn counters(&self) -> Counters {
        self.bus.counters()
    }
}
