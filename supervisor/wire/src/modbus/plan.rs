//! What one poll reads of a Modbus device, and in which requests.

use crate::field::Field;
use roundsman_rtu::request::Request;
use roundsman_rtu::{MOST_BITS_READ, MOST_WORDS_READ};
use std::collections::BTreeSet;

/// A table of the data model (AP section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Single bits, read and written.
    Coil,
    /// Single bits, read only.
    Discrete,
    /// 16-bit registers, read and written.
    Holding,
    /// 16-bit registers, read only.
    Input,
}

impl Table {
    /// Whether it holds single bits.
    pub fn is_bits(self) -> bool {
        matches!(self, Table::Coil | Table::Discrete)
    }

    /// The request that reads `quantity` of it.
    pub fn request(self, address: u16, quantity: u16) -> Request<'static> {
        match self {
            Table::Coil => Request::ReadCoils { address, quantity },
            Table::Discrete => Request::ReadDiscreteInputs { address, quantity },
            Table::Holding => Request::ReadHoldingRegisters { address, quantity },
            Table::Input => Request::ReadInputRegisters { address, quantity },
        }
    }
}

/// One value: where it lies and what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The table.
    pub table: Table,
    /// The first register or the bit, counted from 0.
    pub address: u16,
    /// What it is; ignored for single bits, which are 0 or 1.
    pub field: Field,
}

impl Point {
    /// How many registers or bits it takes.
    pub fn width(&self) -> u16 {
        if self.table.is_bits() { 1 } else { (self.field.kind.octets().div_ceil(2)).max(1) as u16 }
    }

    fn end(&self) -> u32 {
        u32::from(self.address) + u32::from(self.width())
    }
}

/// What one poll reads. Made by `profile` once, shared by all devices of a profile.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The values.
    pub points: Vec<Point>,
    /// Most registers in one request, 1 to 125: small devices answer no more than ten.
    pub max_registers: u16,
    /// Unused registers that are read along to save a request.
    pub max_gap: u16,
    /// How long an answer may take, ms.
    pub timeout_ms: u32,
    /// A holding register that is written in each poll, behind what is read: a device that watches its master by it.
    pub heartbeat: Option<u16>,
}

/// What is written as a heartbeat.
pub(super) const BEAT: u16 = 1;

impl Plan {
    /// The usual settings: requests as long as the protocol allows, gaps up to 8 registers.
    pub fn new(points: Vec<Point>) -> Plan {
        Plan { points, max_registers: MOST_WORDS_READ, max_gap: 8, timeout_ms: 1_000, heartbeat: None }
    }
}

/// One request of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The table.
    pub table: Table,
    /// The first register or bit.
    pub address: u16,
    /// How many.
    pub quantity: u16,
    /// Positions of the points in it, in the order of their addresses; of a heartbeat none.
    pub points: Vec<usize>,
}

impl Block {
    /// The heartbeat at a holding register.
    pub(super) fn heartbeat(address: u16) -> Block {
        Block { table: Table::Holding, address, quantity: 1, points: Vec::new() }
    }

    /// The request that reads it, or writes the heartbeat.
    pub fn request(&self) -> Request<'static> {
        match self.points[..] {
            [] => Request::WriteSingleRegister { address: self.address, value: BEAT },
            _ => self.table.request(self.address, self.quantity),
        }
    }
}

/// What was learned of one device: where merged reads were refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// A request never reaches from below such an address to it.
    cuts: BTreeSet<(Table, u16)>,
    /// Points refused by themselves, and in how many polls they are tried again.
    refused: Vec<(usize, u16)>,
}

/// After so many polls a refused point is tried again: firmware changes.
const RETRY_POLLS: u16 = 60;
/// Most cuts remembered: a device of more holes is read point by point anyway.
const MOST_CUTS: usize = 2_048;

impl Memory {
    /// A request before `address` ends there.
    pub(super) fn cut(&mut self, table: Table, address: u16) {
        if self.cuts.len() < MOST_CUTS {
            self.cuts.insert((table, address));
        }
    }

    pub(super) fn refuse(&mut self, point: usize) {
        self.refused.retain(|(known, _)| *known != point);
        self.refused.push((point, RETRY_POLLS));
    }

    /// A poll begins: gives the points that are not asked for in it.
    pub(super) fn skip(&mut self) -> Vec<usize> {
        self.refused.retain_mut(|(_, polls)| {
            *polls = polls.saturating_sub(1);
            *polls > 0
        });
        self.refused.iter().map(|(point, _)| *point).collect()
    }
}

/// The requests that read all points but those of `skip`.
pub fn blocks(plan: &Plan, memory: &Memory, skip: &[usize]) -> Vec<Block> {
    let mut order: Vec<usize> = (0..plan.points.len()).filter(|at| !skip.contains(at)).collect();
    order.sort_by_key(|&at| (plan.points[at].table, plan.points[at].address));
    let mut blocks: Vec<Block> = Vec::new();
    for at in order {
        let point = &plan.points[at];
        let joined = blocks.last_mut().is_some_and(|block| join(plan, memory, block, at));
        if !joined {
            blocks.push(Block {
                table: point.table,
                address: point.address,
                quantity: point.width(),
                points: vec![at],
            });
        }
    }
    blocks
}

/// Puts a point into the block before it, where that may be.
fn join(plan: &Plan, memory: &Memory, block: &mut Block, at: usize) -> bool {
    let point = &plan.points[at];
    let end = u32::from(block.address) + u32::from(block.quantity);
    let gap = u32::from(point.address).saturating_sub(end);
    let quantity = point.end().max(end) - u32::from(block.address);
    // Bits are sixteen to a register.
    let bits_most = plan.max_registers.saturating_mul(16).min(MOST_BITS_READ);
    let most = if point.table.is_bits() { bits_most } else { plan.max_registers.min(MOST_WORDS_READ) };
    let room = quantity <= u32::from(most.max(1)) && gap <= u32::from(plan.max_gap);
    let cut = point.address > block.address && memory.cuts.contains(&(point.table, point.address));
    if point.table != block.table || !room || cut {
        return false;
    }
    block.quantity = quantity as u16;
    block.points.push(at);
    true
}
