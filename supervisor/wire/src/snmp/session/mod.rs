//! Polls of all devices over one shared UDP socket, as a value: datagrams and time in, datagrams and answers out.
//!
//! **Duty.** Request ids across devices, timeouts, retries that keep the earlier requests valid, what to ask next of
//! each device and what to remember of it.
//!
//! **Place in the flow.** `driver::snmp` moves the datagrams and calls, in this order after every event:
//! [`Session::poll_transmit`] until it is empty, [`Session::poll_finished`] until it is empty,
//! [`Session::poll_timeout`].
//!
//! **A poll.** The first poll of an agent, and every 30th, asks all scalars by GET; the others have them go along, as
//! non-repeaters, with the first request over columns. The first request is the liveness test too: an agent that does
//! not answer it after its retries, nor then a GET, ends the poll. Then the columns of all tables, side by side, by
//! GETBULK (v1: GETNEXT), each with its own cursor, so that a reply cut in mid-row is continued without waste. Columns
//! that hardly ever change are asked for when there is a reason ([`rest`]). One request is outstanding per device. An
//! agent that answers GETBULK badly or not at all is read by GETNEXT; that, and how much it bears at once, is remembered.
//!
//! **A restart in mid-poll.** Where the plan asks for sysUpTime, it goes along in every request over columns. If it
//! falls, all is read anew: rows of before and after are never mixed.
//!
//! **What it survives.** A duplicate, a stray, a spoofed, foreign or broken datagram is counted ([`Counters`], and for
//! the device that was asked or sent it: [`ignored`]) and changes nothing else. A late answer to an earlier try counts
//! as the answer.

mod ignored;
mod memory;
mod poll;
mod rest;
mod shape;
mod walk;

use super::Version;
use super::answer::Answer;
use super::decode::Reply;
use super::plan::Plan;
use super::request::Ask;
use super::user::User;
use ignored::Senders;
use memory::Memory;
use poll::{Poll, Scratch};
use roundsman_core::fault::Generation;
use roundsman_core::reading::Absence;
use roundsman_core::time::Mono;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

/// Most polls under way at once; the schedule keeps 64 in flight, a saturation test more.
pub const MOST_OUTSTANDING: usize = 4_096;
/// Most devices remembered; the box serves 1,000. Others are polled as if for the first time.
pub const MOST_REMEMBERED: usize = 8_192;
/// Most requests of one poll, retries not counted: 8,192 rows of ten columns. What is open then ends `malformed`.
pub const MOST_REQUESTS: u32 = 2_048;
/// Silent requests in a row after which an agent that had answered counts as gone, and the poll ends: as it was
/// asked, with less of it, and by GETNEXT or for something else.
const MOST_SILENT: u8 = 3;
/// Most retries of one request.
const MOST_RETRIES: u8 = 10;

/// A device as the session knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Version spoken.
    pub version: Version,
    /// Community.
    pub community: Arc<[u8]>,
    /// How long one try waits for its answer, ms.
    pub timeout_ms: u32,
    /// How often a request is sent again, at most 10.
    pub retries: u8,
    /// Whether replies must come from `address`. Some routers answer from another interface's address: `false` for
    /// them; request id and community still must be right.
    pub strict_source: bool,
    /// Who asks, where the device speaks v3. The session itself knows no user: `driver::snmp` has such a poll carried
    /// out inside v3 messages.
    pub user: Option<Arc<User>>,
}

impl Target {
    /// A v2c device with the usual settings: 1,000 ms, 2 retries, strict source.
    pub fn new(address: SocketAddr, community: &[u8]) -> Target {
        Target {
            address,
            version: Version::V2c,
            community: Arc::from(community),
            timeout_ms: 1_000,
            retries: 2,
            strict_source: true,
            user: None,
        }
    }
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// Its payload.
    pub bytes: Vec<u8>,
}

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

/// Why a poll was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST_OUTSTANDING} SNMP polls are under way already: start fewer at once")]
pub struct Full;

/// What happened on the wire, since the session began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests sent, retries included.
    pub sent: u64,
    /// Of these, sent again.
    pub retries: u64,
    /// Datagrams received.
    pub received: u64,
    /// Of these, taken as the answer to a request.
    pub accepted: u64,
    /// Further answers to a request that had been answered, its poll still under way.
    pub duplicates: u64,
    /// No request of that id is outstanding: late beyond the poll, or never ours.
    pub strays: u64,
    /// From another address than asked.
    pub wrong_source: u64,
    /// Right id, wrong community.
    pub wrong_community: u64,
    /// Right id, other version.
    pub wrong_version: u64,
    /// Not to be decoded, or no response.
    pub undecodable: u64,
    /// Requests that stayed without an answer after their retries.
    pub timeouts: u64,
    /// Polls finished.
    pub polls: u64,
    /// Of these, those without any valid reply.
    pub unanswered: u64,
}

/// A poll with its place on the wire.
#[derive(Debug)]
struct Running {
    poll: Poll,
    /// What is remembered of the device; goes back to [`Session::memories`] at the end.
    memory: Memory,
    target: Target,
    generation: Generation,
    started: Mono,
    /// Tells this poll from an earlier one of the same device in the timers.
    serial: u64,
    ask: Ask,
    /// Counts the poll's requests; a reply to an earlier one is a duplicate.
    request: u32,
    tries: u8,
    deadline: Mono,
    /// All ids the poll has used.
    ids: Vec<i32>,
}

/// What an id stands for.
#[derive(Clone, Copy, Debug)]
struct Issued {
    key: u32,
    request: u32,
}

/// All polls under way.
#[derive(Debug)]
pub struct Session {
    running: HashMap<u32, Box<Running>>,
    memories: HashMap<u32, Memory>,
    senders: Senders,
    issued: HashMap<i32, Issued>,
    /// One entry per poll, moved on lazily: it may stand before the poll's deadline, never behind it.
    timers: BinaryHeap<Reverse<(Mono, u32, u64)>>,
    transmits: VecDeque<Transmit>,
    finished: VecDeque<Finished>,
    counters: Counters,
    serial: u64,
    seed: u64,
    scratch: Scratch,
}

impl Session {
    /// A session without polls. `seed` should differ from start to start and be hard to guess: the request ids
    /// follow from it.
    pub fn new(seed: u64) -> Session {
        Session {
            running: HashMap::new(),
            memories: HashMap::new(),
            senders: Senders::default(),
            issued: HashMap::new(),
            timers: BinaryHeap::new(),
            transmits: VecDeque::new(),
            finished: VecDeque::new(),
            counters: Counters::default(),
            serial: 0,
            seed,
            scratch: Scratch::default(),
        }
    }

    /// Starts a poll of device `key`. One that is still under way for it ends at once with what it has; so every
    /// start brings exactly one [`Finished`], unless the device is forgotten.
    pub fn start(
        &mut self,
        key: u32,
        generation: Generation,
        target: &Target,
        plan: Arc<Plan>,
        now: Mono,
    ) -> Result<(), Full> {
        if let Some(mut former) = self.running.remove(&key) {
            former.poll.close_all(Absence::Timeout);
            self.finish(key, former);
        }
        if self.running.len() >= MOST_OUTSTANDING {
            return Err(Full);
        }
        let known = self.memories.remove(&key).filter(|memory| memory.is_about(&plan));
        let mut memory = known.unwrap_or_else(|| Memory::new(Arc::clone(&plan), key));
        if memory.address != Some(target.address) {
            if let Some(former) = memory.address.replace(target.address) {
                self.senders.forget(key, former);
            }
            self.senders.learn(key, target.address);
        }
        let poll = Poll::new(target.version, plan, &mut memory);
        self.serial += 1;
        let running = Box::new(Running {
            poll,
            memory,
            target: target.clone(),
            generation,
            started: now,
            serial: self.serial,
            ask: Ask::Get,
            request: 0,
            tries: 0,
            deadline: now,
            ids: Vec::new(),
        });
        let due = now.plus_ms(target.timeout_ms.into());
        self.timers.push(Reverse((due, key, self.serial)));
        self.go_on(key, running, now);
        Ok(())
    }

    /// A datagram came in.
    pub fn handle_datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Mono) {
        tracing::trace!(target: "way", step = "Session::handle_datagram");
        self.counters.received += 1;
        let Ok(reply) = Reply::parse(bytes) else {
            self.counters.undecodable += 1;
            self.senders.unreadable(from);
            return;
        };
        let issued = self.issued.get(&reply.id).copied();
        let waiting = issued.and_then(|issued| Some((issued, self.running.get_mut(&issued.key)?)));
        let Some((issued, running)) = waiting else {
            self.counters.strays += 1;
            self.senders.stray(from);
            return;
        };
        let target = &running.target;
        let ignored = &mut running.poll.answer.cost.ignored;
        if target.strict_source && (from.ip(), from.port()) != (target.address.ip(), target.address.port()) {
            self.counters.wrong_source += 1;
            ignored.rejected = ignored.rejected.saturating_add(1);
            return;
        }
        if *reply.community != *target.community {
            self.counters.wrong_community += 1;
            ignored.rejected = ignored.rejected.saturating_add(1);
            return;
        }
        if reply.version != target.version {
            self.counters.wrong_version += 1;
            ignored.rejected = ignored.rejected.saturating_add(1);
            return;
        }
        if issued.request != running.request {
            self.counters.duplicates += 1;
            ignored.duplicates = ignored.duplicates.saturating_add(1);
            return;
        }
        self.counters.accepted += 1;
        let Some(mut running) = self.running.remove(&issued.key) else {
            return;
        };
        let Running { poll, memory, .. } = &mut *running;
        poll.take(&reply, bytes.len(), memory, &mut self.scratch);
        self.go_on(issued.key, running, now);
    }

    /// Sends the poll's next request, or finishes it.
    fn go_on(&mut self, key: u32, mut running: Box<Running>, now: Mono) {
        let Some(ask) = running.poll.next(&running.memory, &mut self.scratch) else {
            self.finish(key, running);
            return;
        };
        running.ask = ask;
        running.request += 1;
        running.tries = 0;
        running.poll.answer.cost.requests += 1;
        self.send(key, &mut running, now);
        self.running.insert(key, running);
    }

    /// Sends the outstanding request under a new id.
    fn send(&mut self, key: u32, running: &mut Running, now: Mono) {
        let id = self.new_id();
        let issued = Issued { key, request: running.request };
        self.issued.insert(id, issued);
        running.ids.push(id);
        running.tries += 1;
        running.deadline = now.plus_ms(running.target.timeout_ms.into());
        let target = &running.target;
        let bytes = running.poll.request.seal(target.version, &target.community, id, running.ask);
        running.poll.answer.cost.octets_out += bytes.len() as u64;
        self.counters.sent += 1;
        self.transmits.push_back(Transmit { to: target.address, bytes });
    }

    /// An id that no outstanding request has: splitmix64 over a counter, positive.
    fn new_id(&mut self) -> i32 {
        loop {
            self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.seed;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let id = ((mixed ^ (mixed >> 31)) >> 33) as i32;
            if id != 0 && !self.issued.contains_key(&id) {
                return id;
            }
        }
    }

    fn finish(&mut self, key: u32, running: Box<Running>) {
        tracing::trace!(target: "way", step = "Session::finish");
        for id in &running.ids {
            self.issued.remove(id);
        }
        let Running { poll, mut memory, target, generation, started, .. } = *running;
        let mut answer = poll.finish(&mut memory);
        let unasked = self.senders.take(key, target.address);
        let ignored = &mut answer.cost.ignored;
        ignored.strays = ignored.strays.saturating_add(unasked.strays);
        ignored.rejected = ignored.rejected.saturating_add(unasked.rejected);
        if self.memories.len() < MOST_REMEMBERED {
            self.memories.insert(key, memory);
        }
        self.counters.polls += 1;
        self.counters.unanswered += u64::from(!answer.answered);
        self.finished.push_back(Finished { key, generation, started, answer });
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next poll that is over.
    pub fn poll_finished(&mut self) -> Option<Finished> {
        self.finished.pop_front()
    }

    /// When [`Session::handle_timeout`] is to be called; `None` while no poll is under way.
    pub fn poll_timeout(&mut self) -> Option<Mono> {
        while let Some(Reverse((due, key, serial))) = self.timers.peek().copied() {
            match self.running.get(&key).filter(|running| running.serial == serial) {
                None => {
                    self.timers.pop();
                }
                Some(running) if running.deadline > due => {
                    let deadline = running.deadline;
                    self.timers.pop();
                    self.timers.push(Reverse((deadline, key, serial)));
                }
                Some(_) => return Some(due),
            }
        }
        None
    }

    /// Time has passed: asks again, or gives requests up.
    pub fn handle_timeout(&mut self, now: Mono) {
        while let Some(due) = self.poll_timeout() {
            if due > now {
                return;
            }
            let Some(Reverse((_, key, serial))) = self.timers.pop() else {
                return;
            };
            let Some(mut running) = self.running.remove(&key) else {
                continue;
            };
            if running.tries <= running.poll.retries(running.target.retries).min(MOST_RETRIES) {
                self.counters.retries += 1;
                running.poll.answer.cost.retries += 1;
                self.send(key, &mut running, now);
                self.timers.push(Reverse((running.deadline, key, serial)));
                self.running.insert(key, running);
                continue;
            }
            self.counters.timeouts += 1;
            running.poll.answer.cost.timeouts += 1;
            let Running { poll, memory, .. } = &mut *running;
            if poll.unanswered(memory) {
                self.finish(key, running);
            } else {
                self.timers.push(Reverse((now, key, serial)));
                self.go_on(key, running, now);
            }
        }
    }

    /// Forgets a device: its poll under way brings no [`Finished`], and nothing of it is remembered.
    pub fn forget(&mut self, key: u32) {
        let mut address = None;
        if let Some(running) = self.running.remove(&key) {
            for id in running.ids {
                self.issued.remove(&id);
            }
            address = Some(running.target.address);
        }
        let remembered = self.memories.remove(&key).and_then(|memory| memory.address);
        if let Some(address) = address.or(remembered) {
            self.senders.forget(key, address);
        }
    }

    /// How many polls are under way.
    pub fn outstanding(&self) -> usize {
        self.running.len()
    }

    /// What happened on the wire.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}
