//! A command from its words to the proof that it worked, as a value: what is sent, what came back, what was read back.
//!
//! **Duty.** [`order`] and [`bindings`] make what is sent of a profile's command and a person's arguments, for a bus and
//! for an SNMP agent; [`Course`] is its course: the device is told, then the metric that shows it is polled until it says
//! so, or its time is over.
//!
//! **Place in the flow.** Whoever carries it out (the service, or the one-shot `roundsman command`) asks [`Course::next`]
//! what to do and tells it what came of it.
//!
//! **Refuses.** It sends nothing itself, and it believes no answer: only what was read back is called verified.

use crate::bus::{Bus, Rendering, Say, Write, Written};
use crate::schema::command::setting;
use crate::schema::{Argument, Choice, Command, Does, Profile, Set};
use roundsman_core::model::{InstanceIx, MetricIx};
use roundsman_core::reading::{Readings, Value};
use roundsman_core::time::Mono;
use roundsman_rtu::MOST_PDU;
use roundsman_rtu::request::Request;
use roundsman_rtu::values::{Bits, Words};
use roundsman_wire::bus::Outcome;
use roundsman_wire::bus::order::{self, Order, Ordered, Verdict};
use roundsman_wire::bus::plan::{Member, Plan};
use roundsman_wire::field::{Order as Endian, Type};
use roundsman_wire::frame::Piece;
use roundsman_wire::modbus::plan::Table;
use roundsman_wire::onvif::call::Errand;
use roundsman_wire::snmp::set::Binding;
use std::sync::Arc;

/// How long is waited between two looks at the metric that shows it, in ms.
const LOOK_MS: u64 = 1_000;

/// Why a command cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The profile has no such command.
    #[error("profile `{profile}` has no command `{command}`; it has: {known}")]
    Command {
        /// The profile's id.
        profile: Arc<str>,
        /// What was asked for.
        command: String,
        /// What there is.
        known: String,
    },
    /// An argument is missing, is none, or has no such value.
    #[error("argument `{name}`: {what}")]
    Argument {
        /// Its name.
        name: String,
        /// What is wrong, and what is possible.
        what: String,
    },
    /// The device is spoken to in another way than the command.
    #[error("command `{0}` is not of the protocol that the device is asked by")]
    Protocol(Arc<str>),
    /// What it says cannot be put into octets.
    #[error("command `{0}` cannot be written: {1}")]
    Unwritable(Arc<str>, String),
}

/// A profile's command by its id.
pub fn find<'a>(profile: &'a Profile, id: &str) -> Result<&'a Command, Unfit> {
    profile.commands.iter().find(|command| *command.id == *id).ok_or_else(|| {
        let known: Vec<&str> = profile.commands.iter().map(|command| &*command.id).collect();
        Unfit::Command { profile: profile.id.clone(), command: id.to_owned(), known: known.join(", ") }
    })
}

/// One argument given by a person: name and word.
pub type Given<'a> = (&'a str, &'a str);

/// The text that is sent for an argument, or the number it stands for.
fn value_of(argument: &Argument, given: &[Given<'_>]) -> Result<String, Unfit> {
    let unfit = |what: String| Unfit::Argument { name: argument.name.to_string(), what };
    let Some((_, word)) = given.iter().find(|(name, _)| *name == &*argument.name) else {
        return Err(unfit(format!("is missing; possible: {}", possible(argument))));
    };
    match &argument.choice {
        Choice::Words(words) => {
            let found = words.iter().find(|(known, _)| &**known == *word);
            found
                .map(|(_, sent)| sent.to_string())
                .ok_or_else(|| unfit(format!("is never `{word}`; possible: {}", possible(argument))))
        }
        Choice::Number { least, most } => match word.parse::<i64>() {
            Ok(number) if (*least..=*most).contains(&number) => Ok(number.to_string()),
            _ => Err(unfit(format!("`{word}` is no number from {least} to {most}"))),
        },
    }
}

fn possible(argument: &Argument) -> String {
    match &argument.choice {
        Choice::Words(words) => words.iter().map(|(word, _)| &**word).collect::<Vec<_>>().join(", "),
        Choice::Number { least, most } => format!("{least} to {most}"),
    }
}

fn none_unknown(command: &Command, given: &[Given<'_>]) -> Result<(), Unfit> {
    for (name, _) in given {
        if !command.arguments.iter().any(|argument| &*argument.name == *name) {
            let known: Vec<&str> = command.arguments.iter().map(|argument| &*argument.name).collect();
            let what = format!("there is no such argument; there are: {}", known.join(", "));
            return Err(Unfit::Argument { name: (*name).to_owned(), what });
        }
    }
    Ok(())
}

/// What a command with these arguments sets in an SNMP agent.
pub fn bindings(command: &Command, given: &[Given<'_>]) -> Result<Vec<Binding>, Unfit> {
    none_unknown(command, given)?;
    let Does::Set(sets) = &command.does else { return Err(Unfit::Protocol(command.id.clone())) };
    let mut values = Vec::new();
    for argument in &command.arguments {
        values.push((&*argument.name, value_of(argument, given)?));
    }
    let binding = |set: &Set| {
        let pairs: Vec<Given<'_>> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let text = filled_in(&set.value, &pairs);
        let value = setting(set.syntax, &text)
            .ok_or_else(|| Unfit::Unwritable(command.id.clone(), format!("`{text}` is of another type")))?;
        Ok(Binding { oid: set.oid.clone(), value })
    };
    sets.iter().map(binding).collect()
}

/// What a command has a camera or recorder do.
fn errand(command: &Command, given: &[Given<'_>]) -> Result<Errand, Unfit> {
    none_unknown(command, given)?;
    match command.does {
        Does::Call(errand) => Ok(errand),
        _ => Err(Unfit::Protocol(command.id.clone())),
    }
}

/// The order that a command with these arguments is for one unit.
pub fn order(bus: &Bus, command: &Command, member: &Member, given: &[Given<'_>]) -> Result<Order, Unfit> {
    none_unknown(command, given)?;
    let Does::Say(say) = &command.does else { return Err(Unfit::Protocol(command.id.clone())) };
    let mut member = member.clone();
    let mut numbers = Vec::new();
    for argument in &command.arguments {
        let value = value_of(argument, given)?;
        let octets = octets_of(say, argument, &value).ok_or_else(|| Unfit::Argument {
            name: argument.name.to_string(),
            what: format!("`{value}` cannot be written in this protocol"),
        })?;
        member.params = member.params.with(&argument.name, octets);
        numbers.push((argument.name.clone(), value));
    }
    let say = match (say, &*bus.plan) {
        (Say::Modbus(write), _) => modbus(command, write, &numbers)?,
        (Say::Frame(request), Plan::Frame(plan)) => {
            order::Say::Frame { layout: Arc::clone(&plan.layout), request: request.clone() }
        }
        (Say::Text(request), Plan::Text(plan)) => {
            order::Say::Text { layout: Arc::clone(&plan.layout), request: request.clone() }
        }
        _ => return Err(Unfit::Protocol(command.id.clone())),
    };
    Ok(Order { member, say })
}

/// What is sent for an argument: text as it is, octets in hexadecimal digits; a number by the argument's type.
fn octets_of(say: &Say, argument: &Argument, value: &str) -> Option<Vec<u8>> {
    match (say, &argument.choice) {
        (Say::Frame(_), Choice::Words(_)) => {
            let digits: String = value.split_whitespace().collect();
            let pairs = (0..digits.len()).step_by(2);
            pairs.map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
        }
        (Say::Frame(_), Choice::Number { .. }) => {
            let rendering = argument.rendering.unwrap_or(Rendering::U8);
            rendering.render(value.parse().ok()?, argument.width)
        }
        (Say::Text(_), Choice::Number { .. }) => {
            let rendering = argument.rendering.unwrap_or(Rendering::Decimal);
            rendering.render(value.parse().ok()?, argument.width)
        }
        _ => Some(value.as_bytes().to_vec()),
    }
}

/// The PDU of a write.
fn modbus(command: &Command, write: &Write, numbers: &[(Arc<str>, String)]) -> Result<order::Say, Unfit> {
    let unwritable = |what: String| Unfit::Unwritable(command.id.clone(), what);
    let (pdu, own_len) = match &write.written {
        Written::Pdu { pdu, answer_len } => (pdu.clone(), *answer_len),
        Written::Register { table, address, value, kind, orders, multiple } => {
            let number = match value {
                Piece::Octet(octet) => Some(f64::from(*octet)),
                Piece::Param(name) => {
                    let given = numbers.iter().find(|(known, _)| known == name);
                    given.and_then(|(_, value)| value.parse().ok())
                }
                _ => None,
            };
            let number = number.ok_or_else(|| unwritable("its value is no number".into()))?;
            let mut pdu = [0; MOST_PDU];
            let words = words(*kind, *orders, number)
                .ok_or_else(|| unwritable(format!("{number} does not fit into the register")))?;
            let (address, bit) = (*address, [u8::from(number != 0.0)]);
            let request = match (table, words.len(), multiple) {
                (Table::Coil, _, false) => Request::WriteSingleCoil { address, value: number != 0.0 },
                (Table::Coil, _, true) => {
                    let values = Bits::of(&bit, 1).ok_or_else(|| unwritable("no value".into()))?;
                    Request::WriteMultipleCoils { address, values }
                }
                (_, 2, false) => {
                    Request::WriteSingleRegister { address, value: u16::from_be_bytes([words[0], words[1]]) }
                }
                _ => {
                    let values = Words::of(&words).ok_or_else(|| unwritable("no whole register".into()))?;
                    Request::WriteMultipleRegisters { address, values }
                }
            };
            let len = request.write(&mut pdu).map_err(|error| unwritable(error.to_string()))?;
            (pdu[..len].to_vec(), 0)
        }
    };
    Ok(order::Say::Modbus { pdu, own_len, timeout_ms: write.timeout_ms, rest_ms: write.rest_ms })
}

/// A number as registers; `None` where it does not fit.
fn words(kind: Type, (bytes, words): (Endian, Endian), number: f64) -> Option<Vec<u8>> {
    let whole = number as i64;
    let exact = (whole as f64 - number).abs() < f64::EPSILON;
    let mut octets = match kind {
        Type::Float(4) => (number as f32).to_be_bytes().to_vec(),
        _ if !exact => return None,
        Type::Unsigned(2) => u16::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Type::Signed(2) => i16::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Type::Unsigned(4) => u32::try_from(whole).ok()?.to_be_bytes().to_vec(),
        Type::Signed(4) => i32::try_from(whole).ok()?.to_be_bytes().to_vec(),
        _ => return None,
    };
    if words == Endian::Little {
        octets.reverse();
        octets.chunks_exact_mut(2).for_each(<[u8]>::reverse);
    }
    if bytes == Endian::Little {
        octets.chunks_exact_mut(2).for_each(<[u8]>::reverse);
    }
    Some(octets)
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Tell the device this.
    Tell(Telling),
    /// Poll these points of the plan at command's rank, of a camera these of its questions, not before this moment.
    Look(Arc<[usize]>, Mono),
    /// It waits for what it asked for.
    Wait,
    /// It is over.
    Done(Box<Report>),
}

/// Whether it worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The metric says so, so many ms after it was sent.
    Yes(u64),
    /// The metric said this last, until the time was over; `None` where it said nothing.
    No(Option<Arc<str>>),
    /// The profile names no metric that would show it.
    Unknown,
    /// It was not sent, or refused: there is nothing to verify.
    Pointless,
}

/// What a device is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Telling {
    /// Over its bus.
    Order(Order),
    /// Its SNMP agent.
    Set(Vec<Binding>),
    /// A camera or recorder.
    Call(Errand),
}

/// A device that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What was sent: octets in hexadecimal; of a SET the names and values. Empty where nothing went out.
    pub sent: String,
    /// What came back, in the same form; of a SET the agent's word.
    pub answered: Option<String>,
    /// What that means.
    pub verdict: Verdict,
}

impl From<Ordered> for Told {
    fn from(ordered: Ordered) -> Told {
        let answered = match &ordered.outcome {
            Outcome::Answered(octets) => Some(hex(octets)),
            _ => None,
        };
        Told { sent: hex(&ordered.sent), answered, verdict: ordered.verdict }
    }
}

/// Octets in hexadecimal, as documents of protocols print them.
fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(" ")
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What was sent and what came back.
    pub told: Told,
    /// Whether it worked.
    pub verified: Verified,
}

#[derive(Debug)]
enum Stage {
    Tell(Telling),
    Told,
    Look,
    Looking,
    Done(Verified),
}

/// The course of one command for one unit.
#[derive(Debug)]
pub struct Course {
    stage: Stage,
    told: Option<Told>,
    /// The points that show it, the metric, the word it must say, and how long that may take.
    proof: Option<Proof>,
    instance: InstanceIx,
    sent_at: Mono,
    rest_ms: u32,
    last: Option<Arc<str>>,
}

#[derive(Debug)]
struct Proof {
    points: Arc<[usize]>,
    metric: roundsman_core::model::MetricIx,
    is: String,
    within_ms: u64,
}

impl Course {
    /// Begins it: for `member` of a bus, whose readings stand under `instance` (the scalar, or a panel of a grid), or for
    /// an SNMP agent, which is no member of anything.
    pub fn new(
        profile: &Profile,
        command: &Command,
        member: Option<&Member>,
        instance: InstanceIx,
        given: &[Given<'_>],
    ) -> Result<Course, Unfit> {
        let telling = match (&profile.bus, member) {
            (Some(bus), Some(member)) => Telling::Order(order(bus, command, member, given)?),
            (None, None) if !profile.questions.is_empty() => Telling::Call(errand(command, given)?),
            (None, None) => Telling::Set(bindings(command, given)?),
            _ => return Err(Unfit::Protocol(command.id.clone())),
        };
        let proof = command.verify.as_ref().map(|verify| Proof {
            points: points_of(profile, verify.metric),
            metric: verify.metric,
            is: filled_in(&verify.is, given),
            within_ms: verify.within_ms,
        });
        let rest_ms = match &telling {
            Telling::Set(_) | Telling::Call(_) => 0,
            Telling::Order(order) => match &order.say {
                order::Say::Modbus { rest_ms, .. } => *rest_ms,
                order::Say::Frame { request, .. } => request.rest_ms,
                order::Say::Text { request, .. } => request.rest_ms,
            },
        };
        let stage = Stage::Tell(telling);
        Ok(Course { stage, told: None, proof, instance, sent_at: Mono(0), rest_ms, last: None })
    }

    /// What is to be done now.
    pub fn next(&mut self, now: Mono) -> Next {
        match &self.stage {
            Stage::Tell(telling) => {
                let telling = telling.clone();
                self.stage = Stage::Told;
                self.sent_at = now;
                Next::Tell(telling)
            }
            Stage::Look => {
                let Some(proof) = &self.proof else { return Next::Wait };
                let points = Arc::clone(&proof.points);
                self.stage = Stage::Looking;
                let rested = self.sent_at.plus_ms(self.rest_ms.into());
                Next::Look(points, now.plus_ms(LOOK_MS).max(rested))
            }
            Stage::Told | Stage::Looking => Next::Wait,
            Stage::Done(verified) => match &self.told {
                Some(told) => {
                    let report = Report { told: told.clone(), verified: verified.clone() };
                    Next::Done(Box::new(report))
                }
                None => Next::Wait,
            },
        }
    }

    /// The device was told, and this came of it.
    pub fn told(&mut self, told: Told) {
        let worth = matches!(told.verdict, Verdict::Acknowledged | Verdict::Unproven)
            // An answer that got lost says nothing of whether the device obeyed.
            || matches!(told.verdict, Verdict::Failed(_)) && !told.sent.is_empty();
        self.stage = match (&self.proof, worth) {
            (_, false) => Stage::Done(Verified::Pointless),
            (None, true) => Stage::Done(Verified::Unknown),
            (Some(_), true) => Stage::Look,
        };
        self.told = Some(told);
    }

    /// The points were polled, and these are the readings.
    pub fn looked(&mut self, readings: &Readings, now: Mono) {
        let Some(proof) = &self.proof else { return };
        let sample = readings.get(proof.metric, self.instance).and_then(|sample| sample.as_ref().ok());
        let said: Option<Arc<str>> = sample.map(|value| match value {
            Value::State(word) | Value::Text(word) => word.clone(),
            other => Arc::from(other.number().map(|number| number.to_string()).unwrap_or_default()),
        });
        let took_ms = now.since_ms(self.sent_at);
        if said.as_deref() == Some(proof.is.as_str()) {
            self.stage = Stage::Done(Verified::Yes(took_ms));
            return;
        }
        self.last = said.or(self.last.take());
        let within_ms = proof.within_ms.max(u64::from(self.rest_ms) + LOOK_MS);
        self.stage = match took_ms >= within_ms {
            true => Stage::Done(Verified::No(self.last.clone())),
            false => Stage::Look,
        };
    }
}

/// The points of the plan that a metric is made of; of a camera or recorder the question that it comes of.
fn points_of(profile: &Profile, metric: MetricIx) -> Arc<[usize]> {
    let (points, items) = (&profile.recipes.points, &profile.recipes.items);
    let points = points.iter().filter(|recipe| recipe.metric == metric).filter_map(|recipe| recipe.point);
    let asked = items.iter().filter(|recipe| recipe.metric == metric);
    let place = |question| profile.questions.iter().position(|known| *known == question);
    points.chain(asked.filter_map(|recipe| place(recipe.question))).collect()
}

/// `{state}` by the word that a person gave.
fn filled_in(text: &str, given: &[Given<'_>]) -> String {
    let mut filled = text.to_owned();
    for (name, word) in given {
        filled = filled.replace(&format!("{{{name}}}"), word);
    }
    filled
}
