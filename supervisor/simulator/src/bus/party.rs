//! Who is on a line: units by their addresses, and which of them are dead.

use super::panel::{self, Panel};
use super::projector::Projector;
use super::slave::{Host, Meter, Probe, Relays, Sensor, Slave};
use super::{Kind, MemberSpec};
use crate::fault::Fault;
use crate::scene::mix;

/// What a unit is.
pub(super) enum Body {
    Panel(Panel),
    Projector(Box<Projector>),
    Slave(Box<dyn Slave>),
}

/// Somebody with an address.
pub(super) struct Unit {
    /// Position of its device among the line's.
    pub(super) member: usize,
    pub(super) address: u8,
    pub(super) body: Body,
    /// Dead until somebody says otherwise.
    is_dead: bool,
    /// Dead by chance, until then.
    dead_until: f64,
}

impl Unit {
    pub(super) fn new(member: usize, address: u8, body: Body) -> Unit {
        Unit { member, address, body, is_dead: false, dead_until: f64::MIN }
    }

    pub(super) fn lives(&self, now: f64) -> bool {
        !self.is_dead && now >= self.dead_until
    }
}

/// A request that was heard, and what is said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// Whose it is; `None` where nobody here has that address.
    pub(super) member: Option<usize>,
    /// The address it names.
    pub(super) address: u8,
    /// Its octets.
    pub(super) request: Vec<u8>,
    /// Empty where nobody answers.
    pub(super) answer: Vec<u8>,
}

/// All of them.
pub(super) struct Party(Vec<Unit>);

impl Party {
    /// Units of a test's own.
    #[cfg(test)]
    pub(super) fn of(units: Vec<Unit>) -> Party {
        Party(units)
    }

    pub(super) fn new(members: &[MemberSpec], seed: u64, now: f64) -> Party {
        let mut units = Vec::new();
        for (at, member) in members.iter().enumerate() {
            for address in &member.units {
                let seed = mix(mix(seed, at as u64), u64::from(*address));
                let body = match member.kind {
                    Kind::Panels => Body::Panel(Panel::new(seed, now)),
                    Kind::Projector => Body::Projector(Box::new(Projector::new(&member.id, seed, now))),
                    Kind::Sensor => Body::Slave(Box::new(Sensor::new(seed))),
                    Kind::Meter => Body::Slave(Box::new(Meter::new(seed, now))),
                    Kind::Relays => Body::Slave(Box::new(Relays::default())),
                    Kind::Probe => Body::Slave(Box::new(Probe::new(seed, now))),
                    Kind::Host => Body::Slave(Box::new(Host::new(seed, now))),
                };
                units.push(Unit::new(at, *address, body));
            }
        }
        Party(units)
    }

    /// The unit of an address.
    pub(super) fn unit(&mut self, address: u8) -> Option<&mut Unit> {
        self.0.iter_mut().find(|unit| unit.address == address)
    }

    /// All units.
    pub(super) fn units(&mut self) -> impl Iterator<Item = &mut Unit> {
        self.0.iter_mut()
    }

    /// Whether only one is there: it then answers to any address over Modbus TCP.
    pub(super) fn only(&mut self) -> Option<&mut Unit> {
        if self.0.len() == 1 { self.0.first_mut() } else { None }
    }

    /// Brings a device into the state that its fault asks for.
    pub(super) fn set_fault(&mut self, member: usize, fault: Option<&Fault>, now: f64) {
        let heat = match fault {
            Some(Fault::Hot(degrees)) => Some(*degrees),
            _ => None,
        };
        for unit in self.0.iter_mut().filter(|unit| unit.member == member) {
            unit.is_dead = match fault {
                Some(Fault::Silent | Fault::BranchSilent) => true,
                Some(Fault::DeadUnit(address)) => *address == unit.address,
                _ => false,
            };
            match &mut unit.body {
                Body::Panel(panel) => panel.heat(heat, now),
                Body::Projector(projector) => projector.heat(heat, now),
                Body::Slave(slave) => slave.heat(heat, now),
            }
        }
    }

    /// A unit hears and says nothing until then.
    pub(super) fn kill(&mut self, address: u8, until: f64) {
        if let Some(unit) = self.unit(address) {
            unit.dead_until = until;
        }
    }

    /// An MDC frame on the line.
    pub(super) fn hear_mdc(&mut self, frame: &[u8], now: f64) -> Heard {
        let address = frame[2];
        let mut heard = Heard { member: None, address, request: frame.to_vec(), answer: vec![] };
        for unit in self.0.iter_mut().filter(|unit| address == panel::ALL || unit.address == address) {
            heard.member = Some(unit.member);
            if let (true, Body::Panel(panel)) = (unit.lives(now), &mut unit.body) {
                heard.answer = panel.obey(frame, unit.address, now).unwrap_or_default();
            }
        }
        heard
    }
}
