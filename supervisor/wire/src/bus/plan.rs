//! What one poll asks over a bus, of whom.

use super::exchange::Unit;
use super::reader::Reader;
use crate::frame::{self, FrameReader};
use crate::modbus::rtu::Overheard;
use crate::params::Params;
use crate::text::{self, TextReader};
use crate::{modbus, params};
use std::sync::Arc;

/// What one poll asks. Made by `profile` once, shared by all devices of a profile.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// Registers and coils.
    Modbus(modbus::plan::Plan),
    /// Binary frames.
    Frame(frame::Plan),
    /// Text lines.
    Text(text::Plan),
}

impl Plan {
    /// How many values it brings.
    pub fn points(&self) -> usize {
        match self {
            Plan::Modbus(plan) => plan.points.len(),
            Plan::Frame(plan) => plan.points.len(),
            Plan::Text(plan) => plan.points.len(),
        }
    }

    /// The request that brings a point; `None` for Modbus, which merges.
    pub(super) fn request_of(&self, point: usize) -> Option<usize> {
        match self {
            Plan::Modbus(_) => None,
            Plan::Frame(plan) => plan.points.get(point).map(|point| point.request),
            Plan::Text(plan) => plan.points.get(point).map(|point| point.request),
        }
    }

    /// Tells sound frames or lines from noise while nothing is awaited.
    pub fn listener(&self) -> Arc<dyn Reader> {
        match self {
            Plan::Modbus(_) => Arc::new(Overheard),
            Plan::Frame(plan) => Arc::new(FrameReader::listener(Arc::clone(&plan.layout))),
            Plan::Text(plan) => Arc::new(TextReader::listener(Arc::clone(&plan.layout))),
        }
    }
}

/// One unit of a device: the device itself, or one panel of a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who it is on the line; silent units are backed off by it.
    pub unit: Unit,
    /// What its requests name: `address` at least. For Modbus that is one octet.
    pub params: Params,
}

/// Whom a poll asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The units, asked one after the other.
    pub members: Vec<Member>,
    /// How often each request is sent, at least once.
    pub tries: u8,
}

impl Target {
    /// One unit with this address.
    pub fn single(unit: Unit, address: u8) -> Target {
        let params = params::Params::default().with("address", vec![address]);
        Target { members: vec![Member { unit, params }], tries: 2 }
    }
}
