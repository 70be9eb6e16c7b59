//! A fixture's device on a bus: the real session at one end of a line on virtual time, what was recorded at the other.

use crate::bus::heard::{Heard, heard};
use crate::bus::{Bus, Way};
use crate::command;
use crate::diagnostic::{At, Diagnostic, Findings};
use crate::overlay::grid_labels;
use crate::schema::{Change, ExpectedEvent, ExpectedOrder, Profile, Recorded, Spoken};
use roundsman_core::fault::Generation;
use roundsman_core::time::Mono;
use roundsman_rtu::MOST_FRAME;
use roundsman_rtu::exception::Exception;
use roundsman_rtu::slave::{BitTable, Registers, WordTable, serve};
use roundsman_rtu::values::{Bits, Words};
use roundsman_wire::bus::answer::Answer;
use roundsman_wire::bus::order::{Ordered, Verdict};
use roundsman_wire::bus::plan::{Member, Plan, Target};
use roundsman_wire::bus::session::{Ask, Session};
use roundsman_wire::bus::{Port, Rank, Unit};
use roundsman_wire::modbus::plan::Table;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a recorded device takes to answer, ms.
const ANSWER_MS: u64 = 30;
/// A poll or order that takes longer is stuck, ms: nine panels of ten requests, all of them silent, are far below.
const LONGEST_MS: u64 = 600_000;
/// Most turns of one poll: what never ends is a broken fixture.
const MOST_TURNS: usize = 200_000;

/// A recorded device and the session that asks it.
pub(super) struct Device {
    session: Session,
    target: Arc<Target>,
    plan: Arc<Plan>,
    members: Vec<Member>,
    peer: Peer,
    banner: Vec<u8>,
    now: Mono,
}

/// What answers.
struct Peer {
    exchanges: Vec<(Vec<u8>, Vec<u8>)>,
    registers: Memory,
    units: Vec<u8>,
}

/// Registers that were recorded: what is not among them is not there.
#[derive(Default)]
struct Memory(BTreeMap<(Table, u16), u16>);

impl Registers for Memory {
    fn bit(&mut self, table: BitTable, address: u16) -> Result<bool, Exception> {
        let table = if table == BitTable::Coils { Table::Coil } else { Table::Discrete };
        self.0.get(&(table, address)).map(|word| *word != 0).ok_or(Exception::IllegalAddress)
    }

    fn word(&mut self, table: WordTable, address: u16) -> Result<u16, Exception> {
        let table = if table == WordTable::Holding { Table::Holding } else { Table::Input };
        self.0.get(&(table, address)).copied().ok_or(Exception::IllegalAddress)
    }

    fn write_bits(&mut self, address: u16, values: Bits<'_>) -> Result<(), Exception> {
        self.write(Table::Coil, address, values.iter().map(u16::from).collect())
    }

    fn write_words(&mut self, address: u16, values: Words<'_>) -> Result<(), Exception> {
        self.write(Table::Holding, address, values.iter().collect())
    }
}

impl Memory {
    fn write(&mut self, table: Table, address: u16, values: Vec<u16>) -> Result<(), Exception> {
        let at = |offset: usize| (table, address.wrapping_add(offset as u16));
        if (0..values.len()).any(|offset| !self.0.contains_key(&at(offset))) {
            return Err(Exception::IllegalAddress);
        }
        self.0.extend(values.into_iter().enumerate().map(|(offset, value)| (at(offset), value)));
        Ok(())
    }
}

impl Peer {
    fn answer(&mut self, octets: &[u8]) -> Vec<u8> {
        if let Some((_, rx)) = self.exchanges.iter().find(|(tx, _)| tx == octets) {
            return rx.clone();
        }
        let Some(unit) = octets.first().filter(|unit| self.units.contains(unit)) else {
            return Vec::new();
        };
        let mut out = [0; MOST_FRAME];
        let len = serve(*unit, octets, &mut self.registers, &mut out);
        len.map_or(Vec::new(), |len| out[..len].to_vec())
    }
}

impl Device {
    /// The device of a fixture; noted and `None` where its unit is none.
    pub(super) fn new(
        bus: &Bus,
        recorded: &Recorded,
        at: &At,
        now: Mono,
        found: &mut Findings,
    ) -> Option<Device> {
        let units = recorded.grid.map_or(1, |(rows, columns)| grid_labels(rows, columns).len());
        let mut members = Vec::new();
        for offset in 0..units as i64 {
            let number = recorded.unit.map(|first| first + offset);
            match bus.member(Unit(offset as u32 + 1), number) {
                Ok(member) => members.push(member),
                Err(error) => {
                    found.note(Diagnostic::new(at, error.to_string()));
                    return None;
                }
            }
        }
        let way = if recorded.banner.is_empty() { Way::Port(Bus::BAUD) } else { Way::Tcp };
        let opening = bus.opening(recorded.user.as_deref(), recorded.password.as_deref());
        let session = Session::new(bus.line(way), bus.plan.listener(), opening);
        let address =
            |member: &Member| member.params.get("address").and_then(|octets| octets.first()).copied();
        let mut device = Device {
            session,
            target: Arc::new(Target { members: members.clone(), tries: 1 }),
            plan: Arc::clone(&bus.plan),
            peer: Peer {
                exchanges: recorded.exchanges.clone(),
                registers: Memory(recorded.registers.iter().copied().collect()),
                units: members.iter().filter_map(address).collect(),
            },
            members,
            banner: recorded.banner.clone(),
            now,
        };
        device.open();
        Some(device)
    }

    fn open(&mut self) {
        self.session.handle_port(Port::Open, self.now);
        if !self.banner.is_empty() {
            let banner = self.banner.clone();
            self.session.handle_octets(&banner, self.now);
        }
    }

    /// One poll.
    pub(super) fn poll(&mut self, now: Mono) -> Answer {
        self.now = self.now.max(now);
        let ask = Ask {
            plan: Arc::clone(&self.plan),
            target: Arc::clone(&self.target),
            rank: Rank::Poll,
            wanted: None,
        };
        let points = self.plan.points();
        let without = Answer::without(self.members.len(), points, roundsman_core::reading::Absence::Timeout);
        if self.session.start(0, Generation(0), ask, self.now).is_err() {
            return without;
        }
        let mut answer = None;
        self.run(&mut Vec::new(), |session| {
            answer = session.poll_finished().map(|finished| finished.answer);
            answer.is_some()
        });
        answer.unwrap_or(without)
    }

    /// Time passes until `over`; every request is answered and noted.
    fn run(&mut self, sent: &mut Vec<Vec<u8>>, mut over: impl FnMut(&mut Session) -> bool) {
        let end = self.now.plus_ms(LONGEST_MS);
        let mut coming: Option<(Mono, Vec<u8>)> = None;
        for _ in 0..MOST_TURNS {
            if over(&mut self.session) || self.now >= end {
                return;
            }
            if let Some(octets) = self.session.poll_transmit(self.now) {
                let answer = self.peer.answer(&octets);
                let due = self.now.plus_ms(ANSWER_MS + 2 * (octets.len() + answer.len()) as u64);
                coming = Some((due, answer)).filter(|(_, answer)| !answer.is_empty());
                sent.push(octets);
                continue;
            }
            if self.session.poll_action().is_some() {
                coming = None;
                self.open();
                continue;
            }
            let timeout = self.session.poll_timeout();
            match coming.take() {
                Some((due, octets)) if timeout.is_none_or(|timeout| due <= timeout) => {
                    self.now = self.now.max(due);
                    self.session.handle_octets(&octets, self.now);
                }
                other => {
                    coming = other;
                    self.now = self.now.max(timeout.unwrap_or(end));
                    self.session.handle_timeout(self.now);
                }
            }
        }
    }

    /// A change of a step.
    pub(super) fn change(&mut self, change: &Change) {
        match change {
            Change::Registers(table, address, words) => {
                let numbered = words.iter().enumerate();
                let words = numbered.map(|(at, word)| ((*table, address.wrapping_add(at as u16)), *word));
                self.peer.registers.0.extend(words);
            }
            Change::Remove(table, address) => {
                self.peer.registers.0.remove(&(*table, *address));
            }
            Change::Exchange(tx, rx) => {
                self.peer.exchanges.retain(|(known, _)| known != tx);
                self.peer.exchanges.push((tx.clone(), rx.clone()));
            }
            // Read for cameras and recorders alone.
            Change::Told(..) => {}
        }
    }

    /// Gives an order and compares what goes over the line, and how the answer is understood.
    pub(super) fn order(&mut self, profile: &Profile, expected: &ExpectedOrder, found: &mut Findings) {
        let (Some(bus), Some(member)) = (&profile.bus, self.members.first().cloned()) else { return };
        let given: Vec<(&str, &str)> =
            expected.arguments.iter().map(|(name, word)| (&**name, &**word)).collect();
        let order = command::find(profile, &expected.command)
            .and_then(|command| command::order(bus, command, &member, &given));
        let order = match order {
            Ok(order) => order,
            Err(error) => {
                found.note(Diagnostic::new(&expected.at, error.to_string()));
                return;
            }
        };
        let framed = |octets: &[u8]| match &*self.plan {
            // PDUs and frames alike: those without a right CRC are PDUs.
            Plan::Modbus(_) if roundsman_rtu::frame::open(octets).is_none() => {
                let unit =
                    member.params.get("address").and_then(|octets| octets.first()).copied().unwrap_or(1);
                roundsman_wire::modbus::rtu::seal(unit, octets).unwrap_or_default()
            }
            _ => octets.to_vec(),
        };
        let (tx, rx) =
            (framed(&expected.tx), if expected.rx.is_empty() { Vec::new() } else { framed(&expected.rx) });
        let kept = std::mem::replace(&mut self.peer.exchanges, vec![(tx.clone(), rx)]);
        let registers = std::mem::take(&mut self.peer.registers);
        // Whoever failed before may still owe an answer: time for that passes.
        self.now = self.now.plus_ms(60_000);
        let mut ordered = None;
        if self.session.order(0, &order, self.now).is_ok() {
            self.run(&mut Vec::new(), |session| {
                ordered = session.poll_ordered();
                ordered.is_some()
            });
        }
        self.peer.exchanges = kept;
        self.peer.registers = registers;
        compare(expected, &tx, ordered.as_ref(), found);
    }

    /// Compares what the device says of its own accord with the event that it must be.
    pub(super) fn hear(&mut self, profile: &Profile, expected: &ExpectedEvent, found: &mut Findings) {
        self.now = self.now.plus_ms(1_000);
        let Spoken::Octets(octets) = &expected.spoken else { return };
        self.session.handle_octets(octets, self.now);
        self.now = self.now.plus_ms(1_000);
        self.session.handle_timeout(self.now);
        let Some(octets) = self.session.poll_event() else {
            let what = "this is neither a sound frame nor a line";
            found.note(Diagnostic::new(&expected.at, what));
            return;
        };
        compare_events(expected, &heard(profile, &octets), found);
    }
}

/// Compares the events that something is with the one that it must be.
pub(super) fn compare_events(expected: &ExpectedEvent, events: &[Heard<'_>], found: &mut Findings) {
    let known = |event: &Heard<'_>| {
        expected.event.as_deref() == Some(&*event.event.id)
            && event.clears == expected.clears
            && event.instance == expected.instance
    };
    let right = match expected.event {
        Some(_) => events.iter().any(known),
        None => events.is_empty(),
    };
    if !right {
        let said = |event: &Heard<'_>| {
            let verb = if event.clears { "clears" } else { "raises" };
            format!("{verb} `{}` for `{}`", event.event.id, event.instance)
        };
        let all: Vec<String> = events.iter().map(said).collect();
        let is = if all.is_empty() { "is no event".to_owned() } else { all.join(", ") };
        found.note(Diagnostic::new(&expected.at, format!("another event is expected: this {is}")));
    }
}

fn compare(expected: &ExpectedOrder, tx: &[u8], ordered: Option<&Ordered>, found: &mut Findings) {
    let Some(ordered) = ordered else {
        found.note(Diagnostic::new(&expected.at, "this order never ends"));
        return;
    };
    if ordered.sent != tx {
        let what = format!("other octets go over the line: {}", shown(&ordered.sent));
        found.note(Diagnostic::new(&expected.at, what).hint(format!("expected: {}", shown(tx))));
        return;
    }
    let verdict = match ordered.verdict {
        Verdict::Acknowledged => "acknowledged",
        Verdict::Unproven => "unproven",
        Verdict::Refused(_) => "refused",
        Verdict::Failed(_) => "failed",
    };
    if verdict != &*expected.verdict {
        let what = format!("the answer is understood as `{verdict}`, `{}` is expected", expected.verdict);
        found.note(Diagnostic::new(&expected.at, what));
    }
}

/// Octets as a person reads them.
fn shown(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text)
            if !octets.is_empty()
                && octets.iter().all(|b| (0x20..0x7f).contains(b) || *b == b'\r' || *b == b'\n') =>
        {
            format!("{text:?}")
        }
        _ => octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" "),
    }
}
