//! One poll of a Modbus device, request by request, whatever carries the PDUs.

use super::plan::{Block, Memory, Plan, blocks};
use crate::field::{Order, Raw};
use roundsman_core::reading::Absence;
use roundsman_rtu::answer::Answer;
use roundsman_rtu::exception::Exception;
use std::collections::VecDeque;

/// Silent requests in a row after which the rest of a poll is given up; one, if nothing came before.
const MOST_SILENT: u8 = 2;
/// How often a device that says it is busy is asked again.
const MOST_BUSY: u8 = 2;

/// What to do about a busy device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask for the next block.
    Ask,
    /// The same again, after a while.
    Later,
}

/// A poll on its way.
#[derive(Debug)]
pub struct Reading {
    waiting: VecDeque<Block>,
    /// Values in the order of the plan's points.
    pub values: Vec<Result<Raw, Absence>>,
    /// Whether any sound answer came, an exception included.
    pub answered: bool,
    silent: u8,
    busy: u8,
}

impl Reading {
    /// Begins a poll of the device that `memory` is about. Points that are not wanted come back `not-judged`.
    pub fn new(plan: &Plan, memory: &mut Memory, wanted: impl Fn(usize) -> bool) -> Reading {
        let mut skip = memory.skip();
        let mut values = vec![Err(Absence::Timeout); plan.points.len()];
        for (at, value) in values.iter_mut().enumerate() {
            if skip.contains(&at) {
                *value = Err(Absence::Unsupported);
            } else if !wanted(at) {
                *value = Err(Absence::NotJudged);
                skip.push(at);
            }
        }
        let mut waiting: VecDeque<Block> = blocks(plan, memory, &skip).into();
        waiting.extend(plan.heartbeat.map(Block::heartbeat));
        Reading { waiting, values, answered: false, silent: 0, busy: 0 }
    }

    /// The block to ask for now; `None` when the poll is over.
    pub fn block(&self) -> Option<&Block> {
        self.waiting.front()
    }

    /// An answer to the block came: its PDU.
    pub fn take(&mut self, plan: &Plan, memory: &mut Memory, pdu: &[u8]) -> Next {
        let Some(block) = self.waiting.pop_front() else { return Next::Ask };
        let answer = block.request().read_answer(pdu);
        if let Ok(answer) = &answer
            && !matches!(answer, Answer::Exception(Exception::GatewayPath | Exception::GatewayTarget))
        {
            self.answered = true;
            self.silent = 0;
        }
        match answer {
            Ok(Answer::Words(words)) => self.settle(&block, |at| {
                let point = plan.points.get(at)?;
                let from = usize::from(point.address - block.address) * 2;
                let octets = words.octets().get(from..from + usize::from(point.width()) * 2)?;
                // A field of an odd number of octets lies at the end of its registers, text at their beginning.
                let len = point.field.kind.octets();
                let skip = octets.len().saturating_sub(len);
                let text = matches!(point.field.kind, crate::field::Type::Text(_));
                let low = text || point.field.bytes == Order::Little;
                point.field.read(if low { octets.get(..len)? } else { octets.get(skip..)? })
            }),
            Ok(Answer::Bits(bits)) => self.settle(&block, |at| {
                let point = plan.points.get(at)?;
                bits.get(usize::from(point.address - block.address)).map(|bit| Raw::Unsigned(bit.into()))
            }),
            Ok(Answer::Written) => self.busy = 0,
            Ok(Answer::Exception(exception)) => return self.refused(block, exception, plan, memory),
            _ => self.fill(&block, Absence::Malformed),
        }
        Next::Ask
    }

    fn settle(&mut self, block: &Block, read: impl Fn(usize) -> Option<Raw>) {
        self.busy = 0;
        for &at in &block.points {
            if let Some(value) = self.values.get_mut(at) {
                *value = read(at).ok_or(Absence::Malformed);
            }
        }
    }

    fn fill(&mut self, block: &Block, absence: Absence) {
        self.busy = 0;
        for &at in &block.points {
            if let Some(value) = self.values.get_mut(at) {
                *value = Err(absence);
            }
        }
    }

    fn refused(&mut self, block: Block, exception: Exception, plan: &Plan, memory: &mut Memory) -> Next {
        match exception {
            Exception::IllegalAddress | Exception::IllegalValue if block.points.len() > 1 => {
                self.split(block, plan, memory);
            }
            Exception::IllegalFunction | Exception::IllegalAddress | Exception::IllegalValue => {
                for &at in &block.points {
                    memory.refuse(at);
                }
                self.fill(&block, absence(exception));
            }
            Exception::Acknowledge | Exception::Busy if self.busy < MOST_BUSY => {
                self.busy += 1;
                self.waiting.push_front(block);
                return Next::Later;
            }
            Exception::GatewayPath | Exception::GatewayTarget => self.lost(block, absence(exception)),
            other => self.fill(&block, absence(other)),
        }
        Next::Ask
    }

    /// Two halves in the place of a merged read, and never again one request over both.
    fn split(&mut self, block: Block, plan: &Plan, memory: &mut Memory) {
        let (low, high) = block.points.split_at(block.points.len() / 2);
        for points in [high, low] {
            let ends = points
                .iter()
                .map(|&at| u32::from(plan.points[at].address) + u32::from(plan.points[at].width()));
            let (Some(&first), Some(end)) = (points.first(), ends.max()) else { continue };
            let address = plan.points[first].address;
            memory.cut(block.table, address);
            let quantity = (end - u32::from(address)) as u16;
            self.waiting.push_front(Block { table: block.table, address, quantity, points: points.to_vec() });
        }
    }

    /// No answer to the block came, and why. After silence in a row the rest is given up.
    pub fn fail(&mut self, absence: Absence) {
        if let Some(block) = self.waiting.pop_front() {
            self.lost(block, absence);
        }
    }

    fn lost(&mut self, block: Block, absence: Absence) {
        self.fill(&block, absence);
        self.silent += 1;
        let ends = !self.answered
            || self.silent >= MOST_SILENT
            || !matches!(absence, Absence::Timeout | Absence::Malformed);
        if ends {
            for block in std::mem::take(&mut self.waiting) {
                self.fill(&block, absence);
            }
        }
    }
}

/// Exceptions as qualities. 1 to 3: the device does not have it, or does not take such a question (a merged read is
/// split first). 4 and 8: it has it and cannot say it now, which is what `invalid` means; `refused` is for connections.
/// 5 and 6: it was busy for too long. 10: a gateway has no way to it. 11: the gateway waited in vain.
pub fn absence(exception: Exception) -> Absence {
    match exception {
        Exception::IllegalFunction | Exception::IllegalAddress | Exception::IllegalValue => {
            Absence::Unsupported
        }
        Exception::DeviceFailure | Exception::MemoryParity => Absence::Invalid,
        Exception::Acknowledge | Exception::Busy | Exception::GatewayTarget => Absence::Timeout,
        Exception::GatewayPath => Absence::Unreachable,
        Exception::Other(_) => Absence::Malformed,
    }
}
