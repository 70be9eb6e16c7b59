//! An SNMP agent in memory, with faults, and a network with virtual time between it and a session. It shares no
//! code with what it tests: its BER is its own.

#![allow(dead_code, reason = "each test program uses its own part of it")]

use roundsman_core::fault::Generation;
use roundsman_core::time::Mono;
use roundsman_wire::snmp::plan::Plan;
use roundsman_wire::snmp::session::{Finished, Session, Target};
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::sync::Arc;

/// A value, encoded: tag and content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value(pub(crate) u8, pub(crate) Vec<u8>);

pub(crate) fn integer(number: i64) -> Value {
    let mut octets = number.to_be_bytes().to_vec();
    while octets.len() > 1 && (octets[0] == 0 && octets[1] < 0x80 || octets[0] == 0xff && octets[1] >= 0x80) {
        octets.remove(0);
    }
    Value(0x02, octets)
}

pub(crate) fn unsigned(tag: u8, number: u64) -> Value {
    let mut octets = vec![0];
    octets.extend(number.to_be_bytes());
    while octets.len() > 1 && octets[0] == 0 && octets[1] < 0x80 {
        octets.remove(0);
    }
    Value(tag, octets)
}

pub(crate) fn text(text: &str) -> Value {
    Value(0x04, text.as_bytes().to_vec())
}

pub(crate) fn identifier(arcs: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |value: u64| {
        let septets = (1..10).find(|n| value >> (7 * n) == 0).unwrap_or(10);
        for at in (0..septets).rev() {
            out.push((value >> (7 * at)) as u8 & 0x7f | if at > 0 { 0x80 } else { 0 });
        }
    };
    put(u64::from(arcs[0]) * 40 + u64::from(arcs[1]));
    arcs[2..].iter().for_each(|&arc| put(arc.into()));
    out
}

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        len @ 0..=0x7f => out.push(len as u8),
        len @ 0x80..=0xff => out.extend([0x81, len as u8]),
        len => out.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    out.extend_from_slice(content);
    out
}

/// Takes one TLV off the front: tag and content.
pub(crate) fn take<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = if first < 0x80 {
        (first.into(), rest)
    } else {
        let (wide, rest) = rest.split_at_checked((first & 0x7f).into())?;
        (wide.iter().fold(0, |len, &octet| len << 8 | usize::from(octet)), rest)
    };
    let (content, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    Some((tag, content))
}

fn number(content: &[u8]) -> i64 {
    let sign = if content.first().is_some_and(|&octet| octet >= 0x80) { -1 } else { 0 };
    content.iter().fold(sign, |number, &octet| number << 8 | i64::from(octet))
}

fn arcs(mut content: &[u8]) -> Vec<u32> {
    let mut all = Vec::new();
    while !content.is_empty() {
        let len = content.iter().position(|octet| octet & 0x80 == 0).map_or(content.len(), |at| at + 1);
        let value = content[..len].iter().fold(0_u64, |value, octet| value << 7 | u64::from(octet & 0x7f));
        content = &content[len..];
        if all.is_empty() {
            let root = (value / 40).min(2);
            all.extend([root as u32, (value - root * 40) as u32]);
        } else {
            all.push(value as u32);
        }
    }
    all
}

/// What is wrong with the agent, or with the way to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    Silent,
    /// Every reply this much later, ms.
    Late(u64),
    /// Of a hundred datagrams each way.
    Loss(u64),
    Duplicate,
    WrongId,
    WrongCommunity,
    WrongVersion,
    Spoofed,
    OtherSource,
    Garbage,
    Truncated,
    /// GETNEXT and GETBULK repeat the name asked for.
    Stuck,
    /// tooBig above this many octets.
    TooBig(usize),
    /// genErr for this column of ifTable.
    Broken(u32),
    /// Every value of this column has a tag nobody knows.
    Alien(u32),
    /// Replies without variable bindings.
    Hollow,
    /// Requests above this many variable bindings asked for stay unanswered.
    Stalls(usize),
    /// Answers so many datagrams and then no more.
    Dies(u32),
    /// Answers every GETBULK with this error-status, and GETNEXT well.
    NoBulk(i64),
    /// Does not answer GETBULK at all, and GETNEXT well.
    BulkSilent,
    /// A GETBULK is answered by one row more than asked for.
    Generous,
    /// After so many requests: restarted, its rows numbered anew, its counters at zero.
    Restarts(u32),
    /// Every request finds it restarted anew: its sysUpTime falls by a minute each time.
    Restless,
    /// A column's rows come back under a smaller index than asked for, from the middle on.
    Loops(u32),
    /// The last arc of this column's row is left out: a hole.
    Hole(u32, u32),
    /// GETNEXT and GETBULK pass over sysServices, which GET has.
    Hides,
}

pub(crate) struct Agent {
    pub(crate) objects: BTreeMap<Vec<u32>, Value>,
    pub(crate) community: Vec<u8>,
    /// Longest reply; GETBULK is cut there.
    pub(crate) most: usize,
    pub(crate) fault: Fault,
    pub(crate) requests: u32,
    /// Of these, GETBULK.
    pub(crate) bulks: u32,
    /// What it holds after [`Fault::Restarts`].
    pub(crate) afterwards: BTreeMap<Vec<u32>, Value>,
}

impl Agent {
    pub(crate) fn new(objects: impl IntoIterator<Item = (Vec<u32>, Value)>) -> Agent {
        Agent {
            objects: objects.into_iter().collect(),
            community: b"public".to_vec(),
            most: 1_472,
            fault: Fault::None,
            requests: 0,
            bulks: 0,
            afterwards: BTreeMap::new(),
        }
    }

    fn after(&self, name: &[u32]) -> Option<(&Vec<u32>, &Value)> {
        if self.fault == Fault::Stuck && self.objects.contains_key(name) {
            return self.objects.get_key_value(name);
        }
        // Behind row 7 of the column comes its row 3 again.
        if matches!(self.fault, Fault::Loops(arc) if name.len() == 11 && name[9] == arc && name[10] == 7) {
            let mut back = name.to_vec();
            back[10] = 3;
            return self.objects.get_key_value(&back);
        }
        if let Fault::Hole(arc, row) = self.fault
            && let Some((next, _)) = self
                .objects
                .range::<Vec<u32>, _>((std::ops::Bound::Excluded(name.to_vec()), std::ops::Bound::Unbounded))
                .next()
            && next.len() == 11
            && next[9] == arc
            && next[10] == row
        {
            let hole = next.clone();
            return self
                .objects
                .range::<Vec<u32>, _>((std::ops::Bound::Excluded(hole), std::ops::Bound::Unbounded))
                .next();
        }
        let hidden = |known: &[u32]| self.fault == Fault::Hides && known == [1, 3, 6, 1, 2, 1, 1, 7, 0];
        self.objects
            .range::<Vec<u32>, _>((std::ops::Bound::Excluded(name.to_vec()), std::ops::Bound::Unbounded))
            .find(|(known, _)| !hidden(known))
    }

    fn bind(&self, name: &[u32], value: &Value) -> Vec<u8> {
        let column = name.len().checked_sub(2).map(|at| name[at]);
        let tag = match self.fault {
            Fault::Alien(arc) if column == Some(arc) => 0x4f,
            _ => value.0,
        };
        let mut pair = tlv(0x06, &identifier(name));
        pair.extend(tlv(tag, &value.1));
        tlv(0x30, &pair)
    }

    /// The replies to a request.
    pub(crate) fn handle(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        self.requests += 1;
        let mut bytes = request;
        let (_, mut message) = take(&mut bytes)?;
        let version = number(take(&mut message)?.1);
        let (_, community) = take(&mut message)?;
        if community != self.community {
            return None;
        }
        let (tag, mut pdu) = take(&mut message)?;
        let id = number(take(&mut pdu)?.1);
        let first = number(take(&mut pdu)?.1).max(0) as usize;
        let second = number(take(&mut pdu)?.1).max(0) as usize;
        let (_, mut list) = take(&mut pdu)?;
        let echo = list.to_vec();
        let mut names = Vec::new();
        while let Some((_, mut pair)) = take(&mut list) {
            names.push(arcs(take(&mut pair)?.1));
        }
        let asked = match tag {
            0xa5 => first + second * names.len().saturating_sub(first),
            _ => names.len(),
        };
        self.bulks += u32::from(tag == 0xa5);
        if matches!(self.fault, Fault::Stalls(most) if asked > most)
            || (self.fault == Fault::BulkSilent && tag == 0xa5)
        {
            return None;
        }
        if matches!(self.fault, Fault::Restarts(after) if self.requests > after) {
            self.objects = std::mem::take(&mut self.afterwards);
            self.fault = Fault::None;
        }
        if self.fault == Fault::Restless {
            let ticks = 1_000_000_u64.saturating_sub(u64::from(self.requests) * 6_000);
            self.objects.insert(vec![1, 3, 6, 1, 2, 1, 1, 3, 0], unsigned(0x43, ticks));
        }
        let second = second + usize::from(self.fault == Fault::Generous && tag == 0xa5);
        let limit = match self.fault {
            Fault::TooBig(octets) => octets,
            _ => self.most,
        } - 40
            - community.len();
        let (status, index, body) = match self.fault {
            Fault::Hollow => (0, 0, Vec::new()),
            Fault::NoBulk(status) if tag == 0xa5 => (status, 0, echo),
            Fault::TooBig(octets) if tag == 0xa5 && asked * 24 > octets => (1, 0, Vec::new()),
            _ => self.body(tag, version, &names, first, second, limit, echo),
        };
        let mut out = integer_tlv(if self.fault == Fault::WrongId { id ^ 0x55 } else { id });
        out.extend(integer_tlv(status));
        out.extend(integer_tlv(index));
        out.extend(tlv(0x30, &body));
        let mut message = integer_tlv(if self.fault == Fault::WrongVersion { 1 - version } else { version });
        let community = if self.fault == Fault::WrongCommunity { b"other" } else { community };
        message.extend(tlv(0x04, community));
        message.extend(tlv(0xa2, &out));
        Some(tlv(0x30, &message))
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one request")]
    fn body(
        &self,
        tag: u8,
        version: i64,
        names: &[Vec<u32>],
        singles: usize,
        rows: usize,
        limit: usize,
        echo: Vec<u8>,
    ) -> (i64, i64, Vec<u8>) {
        let mut body = Vec::new();
        if tag != 0xa5 {
            for (at, name) in names.iter().enumerate() {
                if matches!(self.fault, Fault::Broken(arc) if name.get(9) == Some(&arc)) {
                    return (5, at as i64 + 1, echo);
                }
                let found = match tag {
                    0xa0 => self.objects.get_key_value(name),
                    _ => self.after(name),
                };
                match found {
                    Some((name, value)) => body.extend(self.bind(name, value)),
                    None if version == 0 => return (2, at as i64 + 1, echo),
                    None => body
                        .extend(self.bind(name, &Value(if tag == 0xa0 { 0x80 } else { 0x82 }, Vec::new()))),
                }
            }
            return match body.len() > limit {
                true => (1, 0, if version == 0 { echo } else { Vec::new() }),
                false => (0, 0, body),
            };
        }
        let singles = singles.min(names.len());
        let mut cursors = names.to_vec();
        let order = (0..singles).chain((0..rows).flat_map(|_| singles..names.len()));
        for slot in order {
            let (name, value) = match self.after(&cursors[slot]) {
                Some((name, value)) => (name.clone(), value.clone()),
                None => (cursors[slot].clone(), Value(0x82, Vec::new())),
            };
            let bind = self.bind(&name, &value);
            if body.len() + bind.len() > limit {
                break;
            }
            body.extend(bind);
            cursors[slot] = name;
        }
        (0, 0, body)
    }
}

fn integer_tlv(number: i64) -> Vec<u8> {
    tlv(0x02, &integer(number).1)
}

/// xorshift64*: the same seed, the same run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// One agent, one session, a network between them.
pub(crate) struct Bench {
    pub(crate) session: Session,
    pub(crate) agent: Agent,
    pub(crate) target: Target,
    pub(crate) key: u32,
    pub(crate) now: Mono,
    pub(crate) dice: Dice,
    /// Replies as they were sent, for whoever wants to keep them.
    pub(crate) seen: Vec<Vec<u8>>,
    /// Most datagrams the session wished to send at one moment.
    pub(crate) most_at_once: usize,
    generation: u32,
}

/// A datagram under way: when it arrives, in which order, from where, what.
type Underway = std::cmp::Reverse<(Mono, u64, SocketAddr, Vec<u8>)>;

/// A way takes this long, ms.
const WAY: u64 = 5;

impl Bench {
    pub(crate) fn new(agent: Agent) -> Bench {
        let address: SocketAddr = "192.0.2.1:161".parse().expect("an address");
        Bench {
            session: Session::new(7),
            agent,
            target: Target::new(address, b"public"),
            key: 1,
            now: Mono(1_000_000),
            dice: Dice(0x5eed),
            seen: Vec::new(),
            most_at_once: 0,
            generation: 0,
        }
    }

    /// One poll, to its end. Panics where it does not end within ten virtual minutes.
    pub(crate) fn poll(&mut self, plan: &Arc<Plan>) -> Finished {
        self.generation += 1;
        let generation = Generation(self.generation);
        let began = self.now;
        self.session
            .start(self.key, generation, &self.target, Arc::clone(plan), self.now)
            .expect("there is room");
        let mut way: BinaryHeap<Underway> = BinaryHeap::new();
        let mut order = 0;
        loop {
            let mut at_once = 0;
            while let Some(transmit) = self.session.poll_transmit() {
                at_once += 1;
                self.most_at_once = self.most_at_once.max(at_once);
                for (delay, from, bytes) in self.across(&transmit.bytes) {
                    order += 1;
                    way.push(std::cmp::Reverse((self.now.plus_ms(delay), order, from, bytes)));
                }
            }
            if let Some(finished) = self.session.poll_finished() {
                assert_eq!(
                    (finished.key, finished.generation, finished.started),
                    (self.key, generation, began)
                );
                self.now = self.now.plus_ms(60_000);
                // What is still under way arrives after the poll.
                for std::cmp::Reverse((_, _, from, bytes)) in way.into_vec() {
                    self.session.handle_datagram(from, &bytes, self.now);
                }
                assert_eq!(self.session.outstanding(), 0);
                assert_eq!(self.session.poll_timeout(), None);
                return finished;
            }
            let timeout = self.session.poll_timeout().expect("a poll under way has a deadline");
            assert!(timeout > self.now, "a deadline in the past");
            match way.peek() {
                Some(std::cmp::Reverse((at, ..))) if *at < timeout => {
                    let Some(std::cmp::Reverse((at, _, from, bytes))) = way.pop() else {
                        break;
                    };
                    self.now = at;
                    self.session.handle_datagram(from, &bytes, self.now);
                }
                _ => {
                    self.now = timeout;
                    self.session.handle_timeout(self.now);
                }
            }
            assert!(self.now.since_ms(began) < 600_000, "the poll does not end");
        }
        unreachable!("the loop returns")
    }

    /// What comes back for a request: after how long, from where, what.
    fn across(&mut self, request: &[u8]) -> Vec<(u64, SocketAddr, Vec<u8>)> {
        let right = self.target.address;
        let fault = self.agent.fault;
        if let Fault::Loss(percent) = fault
            && (self.dice.roll(100) < percent || self.dice.roll(100) < percent)
        {
            return Vec::new();
        }
        if fault == Fault::Silent || matches!(fault, Fault::Dies(after) if self.agent.requests >= after) {
            return Vec::new();
        }
        let Some(reply) = self.agent.handle(request) else {
            return Vec::new();
        };
        self.seen.push(reply.clone());
        let other: SocketAddr = "203.0.113.9:161".parse().expect("an address");
        match fault {
            Fault::Late(ms) => vec![(2 * WAY + ms, right, reply)],
            Fault::Duplicate => vec![(2 * WAY, right, reply.clone()), (2 * WAY + 1, right, reply)],
            Fault::Spoofed => vec![(2 * WAY - 1, other, forged(&reply)), (2 * WAY, right, reply)],
            Fault::OtherSource => vec![(2 * WAY, other, reply)],
            Fault::Garbage => {
                let mut garbage = reply;
                for octet in &mut garbage {
                    *octet ^= self.dice.roll(256) as u8;
                }
                vec![(2 * WAY, right, garbage)]
            }
            Fault::Truncated => vec![(2 * WAY, right, reply[..reply.len() / 2].to_vec())],
            _ => vec![(2 * WAY, right, reply)],
        }
    }
}

/// The reply with its last octet changed: right id, wrong value.
fn forged(reply: &[u8]) -> Vec<u8> {
    let mut forged = reply.to_vec();
    if let Some(last) = forged.last_mut() {
        *last ^= 0x55;
    }
    forged
}
