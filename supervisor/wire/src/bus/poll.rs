//! One poll of a device over a bus: exchange by exchange to an answer.

use super::answer::{Answer, Said};
use super::exchange::{Await, Exchange, Outcome, Rank, Unit};
use super::line::Lost;
use super::plan::{Member, Plan, Target};
use crate::frame::{self, FrameReader};
use crate::modbus::plan::Memory;
use crate::modbus::reading::{Next, Reading};
use crate::modbus::rtu::{self, Awaited};
use crate::text::{self, TextReader};
use roundsman_core::reading::Absence;
use std::sync::Arc;

/// Silent requests in a row after which the rest of a unit is given up; one, if nothing came of it before.
const MOST_SILENT: u8 = 2;

/// Knows what an answer to the request that is out says.
#[derive(Clone, Debug)]
enum Judge {
    Frame(Arc<FrameReader>),
    Text(Arc<TextReader>),
}

#[derive(Debug)]
enum Work {
    Modbus(Reading),
    /// Position of the request that is out or comes next, and silent ones in a row.
    Requests(usize, u8),
}

/// What the bus has to do beside asking on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    Ask,
    /// The unit is busy: it rests before it is asked again.
    Rest,
    /// The credentials were refused.
    Deny,
}

#[derive(Debug)]
pub(super) struct Poll {
    pub(super) plan: Arc<Plan>,
    pub(super) target: Arc<Target>,
    rank: Rank,
    /// Only these points; all, where it is none.
    wanted: Option<Arc<[usize]>>,
    pub(super) answer: Answer,
    member: usize,
    work: Option<Work>,
    judge: Option<Judge>,
    /// What is remembered of each member.
    pub(super) memories: Vec<Memory>,
}

impl Poll {
    pub(super) fn new(
        plan: Arc<Plan>,
        target: Arc<Target>,
        rank: Rank,
        wanted: Option<Arc<[usize]>>,
        mut memories: Vec<Memory>,
    ) -> Poll {
        memories.resize_with(target.members.len(), Memory::default);
        Poll {
            plan,
            target,
            rank,
            wanted,
            answer: Answer::default(),
            member: 0,
            work: None,
            judge: None,
            memories,
        }
    }

    /// The next exchange; `None` when the poll is over.
    pub(super) fn next(&mut self) -> Option<Exchange> {
        while let Some(member) = self.target.members.get(self.member).cloned() {
            let exchange = match &*Arc::clone(&self.plan) {
                Plan::Modbus(plan) => self.next_block(plan, &member),
                Plan::Frame(plan) => self.next_frame(plan, &member),
                Plan::Text(plan) => self.next_line(plan, &member),
            };
            if let Some(exchange) = exchange {
                self.answer.cost.requests += 1;
                self.answer.cost.octets_out += exchange.send.len() as u64;
                return Some(exchange);
            }
            if let Some(Work::Modbus(reading)) = self.work.take() {
                self.answer.units.push(Said { answered: reading.answered, values: reading.values });
            }
            self.member += 1;
        }
        None
    }

    /// The unit that was asked last.
    pub(super) fn unit(&self) -> Unit {
        self.target.members.get(self.member).map_or(Unit(0), |member| member.unit)
    }

    fn exchange(&self, member: &Member, send: Vec<u8>, timeout_ms: u32) -> Exchange {
        Exchange {
            unit: member.unit,
            rank: self.rank,
            send,
            awaits: Await::Answer,
            reader: Arc::new(rtu::Overheard),
            timeout_ms,
            tries: self.target.tries,
            rest_ms: 0,
        }
    }

    fn is_wanted(&self, point: usize) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&point))
    }

    fn next_block(&mut self, plan: &crate::modbus::plan::Plan, member: &Member) -> Option<Exchange> {
        if self.work.is_none() {
            let memory = self.memories.get_mut(self.member)?;
            let wanted = |at: usize| self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&at));
            self.work = Some(Work::Modbus(Reading::new(plan, memory, wanted)));
        }
        loop {
            let Some(Work::Modbus(reading)) = &mut self.work else { return None };
            let block = reading.block()?;
            let unit = member.params.get("address").and_then(|octets| octets.first()).copied().unwrap_or(0);
            let mut pdu = [0; roundsman_rtu::MOST_PDU];
            let frame = block.request().write(&mut pdu).ok().and_then(|len| {
                let pdu = &pdu[..len];
                Some((rtu::seal(unit, pdu)?, Awaited::new(unit, pdu, 0)))
            });
            match frame {
                Some((send, reader)) => {
                    let exchange = self.exchange(member, send, plan.timeout_ms);
                    return Some(Exchange { reader: Arc::new(reader), ..exchange });
                }
                // No request can ask for it: such a point cannot be read.
                None => reading.fail(Absence::Unsupported),
            }
        }
    }

    /// The place of the next request that somebody wants; makes room for the member's values first.
    fn next_request(&mut self, count: usize, uses: impl Fn(usize, usize) -> bool) -> Option<usize> {
        if self.work.is_none() {
            let unwanted = |at: usize| if self.is_wanted(at) { Absence::Timeout } else { Absence::NotJudged };
            let values = (0..self.plan.points()).map(|at| Err(unwanted(at))).collect();
            self.answer.units.push(Said { answered: false, values });
            self.work = Some(Work::Requests(0, 0));
        }
        let Some(Work::Requests(from, silent)) = self.work else { return None };
        let points = self.plan.points();
        let needed =
            |request: &usize| (0..points).any(|point| uses(point, *request) && self.is_wanted(point));
        let at = (from..count).find(needed);
        self.work = Some(Work::Requests(at.unwrap_or(count), silent));
        at
    }

    fn next_frame(&mut self, plan: &frame::Plan, member: &Member) -> Option<Exchange> {
        loop {
            let uses = |point: usize, request| plan.points[point].request == request;
            let at = self.next_request(plan.requests.len(), uses)?;
            let request = &plan.requests[at];
            let Some((send, reader)) = frame_exchange(plan, request, member) else {
                self.fill(Absence::Unsupported);
                self.advance();
                continue;
            };
            self.judge = Some(Judge::Frame(Arc::clone(&reader)));
            let exchange = self.exchange(member, send, request.timeout_ms);
            let (awaits, rest_ms) = (request.awaits, request.rest_ms);
            return Some(Exchange { reader, awaits, rest_ms, ..exchange });
        }
    }

    fn next_line(&mut self, plan: &text::Plan, member: &Member) -> Option<Exchange> {
        loop {
            let uses = |point: usize, request| plan.points[point].request == request;
            let at = self.next_request(plan.requests.len(), uses)?;
            let request = &plan.requests[at];
            let Some((send, reader)) = text_exchange(&plan.layout, request, member) else {
                self.fill(Absence::Unsupported);
                self.advance();
                continue;
            };
            self.judge = Some(Judge::Text(Arc::clone(&reader)));
            let exchange = self.exchange(member, send, request.timeout_ms);
            let (awaits, rest_ms) = (request.awaits, request.rest_ms);
            return Some(Exchange { reader, awaits, rest_ms, ..exchange });
        }
    }

    /// What became of the exchange that [`Poll::next`] gave last.
    pub(super) fn take(&mut self, outcome: Outcome) -> Then {
        if let Outcome::Gone(lost) = outcome {
            self.end(lost);
            return Then::Ask;
        }
        if let Outcome::Answered(octets) = &outcome {
            self.answer.cost.octets_in += octets.len() as u64;
        }
        match &mut self.work {
            Some(Work::Modbus(reading)) => {
                let (Plan::Modbus(plan), Some(memory)) = (&*self.plan, self.memories.get_mut(self.member))
                else {
                    return Then::Ask;
                };
                match outcome {
                    Outcome::Answered(frame) => match reading.take(plan, memory, rtu::pdu(&frame)) {
                        Next::Ask => Then::Ask,
                        Next::Later => Then::Rest,
                    },
                    other => {
                        reading.fail(other.absence().unwrap_or(Absence::Malformed));
                        Then::Ask
                    }
                }
            }
            Some(Work::Requests(..)) => self.take_answer(outcome),
            None => Then::Ask,
        }
    }

    fn take_answer(&mut self, outcome: Outcome) -> Then {
        let Outcome::Answered(octets) = outcome else {
            self.lose(outcome.absence().unwrap_or(Absence::Timeout));
            return Then::Ask;
        };
        let judged = match self.judge.take() {
            Some(Judge::Frame(reader)) => reader.verdict(&octets).map(Spoken::Frame),
            Some(Judge::Text(reader)) => reader.verdict(&octets).map(Spoken::Text),
            None => Err(Absence::Malformed),
        };
        if let Some(said) = self.answer.units.last_mut() {
            said.answered = true;
        }
        let then = if judged.as_ref().err() == Some(&Absence::Denied) { Then::Deny } else { Then::Ask };
        match judged {
            Ok(spoken) => self.read(&spoken),
            Err(absence) => self.fill(absence),
        }
        if let Some(Work::Requests(_, silent)) = &mut self.work {
            *silent = 0;
        }
        self.advance();
        then
    }

    fn advance(&mut self) {
        if let Some(Work::Requests(at, _)) = &mut self.work {
            *at += 1;
        }
    }

    /// The points of the request that was answered.
    fn read(&mut self, spoken: &Spoken) {
        let Some(Work::Requests(request, _)) = self.work else { return };
        let plan = Arc::clone(&self.plan);
        let Some(said) = self.answer.units.last_mut() else { return };
        for (at, value) in said.values.iter_mut().enumerate() {
            let raw = match (&*plan, spoken) {
                (Plan::Frame(plan), Spoken::Frame(frame)) if plan.points[at].request == request => {
                    plan.points[at].read(frame)
                }
                (Plan::Text(plan), Spoken::Text(caught)) if plan.points[at].request == request => {
                    caught.get(&plan.points[at].capture).cloned()
                }
                _ => continue,
            };
            *value = raw.ok_or(Absence::Malformed);
        }
    }

    /// The points of the request that is out have no value, and why.
    fn fill(&mut self, absence: Absence) {
        let Some(Work::Requests(request, _)) = self.work else { return };
        let plan = Arc::clone(&self.plan);
        let Some(said) = self.answer.units.last_mut() else { return };
        for (at, value) in said.values.iter_mut().enumerate() {
            if plan.request_of(at) == Some(request) {
                *value = Err(absence);
            }
        }
    }

    fn lose(&mut self, absence: Absence) {
        self.fill(absence);
        self.advance();
        let answered = self.answer.units.last().is_some_and(|said| said.answered);
        let Some(Work::Requests(at, silent)) = &mut self.work else { return };
        *silent += 1;
        if !answered || *silent >= MOST_SILENT {
            // What is open stays `timeout`.
            *at = usize::MAX - 1;
        }
    }

    /// The poll ends with what it has: the port is gone, or another poll takes its place.
    pub(super) fn end(&mut self, lost: Lost) {
        let absence = lost.absence();
        let open = self.work.take();
        match open {
            Some(Work::Modbus(mut reading)) => {
                while reading.block().is_some() {
                    reading.fail(absence);
                }
                self.answer.units.push(Said { answered: reading.answered, values: reading.values });
                self.member += 1;
            }
            Some(Work::Requests(at, _)) => {
                let plan = Arc::clone(&self.plan);
                let open = |point: usize| plan.request_of(point).is_some_and(|request| request >= at);
                if let Some(said) = self.answer.units.last_mut() {
                    let values = said.values.iter_mut().enumerate().filter(|(point, _)| open(*point));
                    for (_, value) in values.filter(|(_, value)| **value == Err(Absence::Timeout)) {
                        *value = Err(absence);
                    }
                }
                self.member += 1;
            }
            None => {}
        }
        let left = self.target.members.len().saturating_sub(self.answer.units.len());
        let points = self.plan.points();
        self.answer.units.extend(Answer::without(left, points, absence).units);
        self.member = self.target.members.len();
    }
}

/// What an answer says.
enum Spoken {
    Frame(Vec<u8>),
    Text(text::Captures),
}

/// What is sent for a request in frames, and who knows the answer.
pub(super) fn frame_exchange(
    plan: &frame::Plan,
    request: &frame::Request,
    member: &Member,
) -> Option<(Vec<u8>, Arc<FrameReader>)> {
    let layout = &plan.layout;
    let send = request.send.render(layout, &member.params).ok()?;
    let ack: Result<_, _> = request.ack.iter().map(|pattern| pattern.mask(layout, &member.params)).collect();
    let nak =
        request.nak.iter().map(|(pattern, absence)| Ok((pattern.mask(layout, &member.params)?, *absence)));
    let nak: Result<_, crate::params::Missing> = nak.collect();
    let reader = FrameReader { layout: Arc::clone(layout), ack: ack.ok()?, nak: nak.ok()? };
    Some((send, Arc::new(reader)))
}

/// What is sent for a request in text, and who knows the answer.
pub(super) fn text_exchange(
    layout: &Arc<text::Layout>,
    request: &text::Request,
    member: &Member,
) -> Option<(Vec<u8>, Arc<TextReader>)> {
    let sent = request.send.render(&member.params).ok()?;
    let send = [sent.as_slice(), &layout.sent_end].concat();
    let ack: Result<_, _> = request.ack.iter().map(|pattern| pattern.with(&member.params)).collect();
    let nak = request.nak.iter().map(|(pattern, absence)| Ok((pattern.with(&member.params)?, *absence)));
    let nak: Result<_, crate::params::Missing> = nak.collect();
    let until = match &request.until {
        Some(pattern) => Some(pattern.with(&member.params).ok()?),
        None => None,
    };
    let layout = Arc::clone(layout);
    Some((send, Arc::new(TextReader { layout, sent, ack: ack.ok()?, nak: nak.ok()?, until })))
}
