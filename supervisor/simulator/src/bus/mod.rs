//! Virtual devices on buses: slaves and panels on a serial line or at a TCP port, behind a fault proxy.
//!
//! **Duty.** Every [`LineSpec`] becomes a line: one end of a pty pair, whose other end is the symbolic link that the site
//! file's `[[bus]] port` names, or a TCP listener, which plays a serial server, a Modbus TCP device or a projector. Octets
//! take as long as the line's speed says. [`party`] is who is on it, [`hearing`] cuts requests out of octets,
//! [`spoil`] is the fault proxy, [`port`] moves the octets.
//!
//! **Place in the flow.** Beside the SNMP agents of [`crate::site`], steered by the same faults.
//!
//! **Refuses.** Real ports: a path under `/dev` is an error, and so is any address but loopback. Lines whose units speak
//! different protocols. RTU framing is `roundsman-rtu`'s, as in the supervisor: peers nobody here wrote are in the tests.

mod hearing;
mod panel;
mod party;
mod port;
mod projector;
mod slave;
mod spoil;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::fault::Fault;
use hearing::Greeting;
use party::Party;
use port::Pty;
use spoil::{Chances, Spoiler, seed_of};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Bits on the line for an octet: start, eight, parity or stop, stop.
const BITS: u32 = 11;

/// A device that can be on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Samsung panels with MDC, one or a wall of them.
    Panels,
    /// A projector with PJLink class 1.
    Projector,
    /// The sensor XY-MD02.
    Sensor,
    /// The meter PZEM-004T.
    Meter,
    /// A board with eight relays.
    Relays,
    /// A conference host with a Modbus interface.
    Host,
    /// The probe board: its own firmware.
    Probe,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 7] =
        [Kind::Panels, Kind::Projector, Kind::Sensor, Kind::Meter, Kind::Relays, Kind::Host, Kind::Probe];

    /// The device that answers what a profile asks; `None` where nobody here does.
    pub fn of_profile(profile: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.profile() == profile)
    }

    /// The profile for it.
    pub fn profile(self) -> &'static str {
        match self {
            Kind::Panels => "samsung-mdc",
            Kind::Projector => "pjlink-class-1",
            Kind::Sensor => "xy-md02",
            Kind::Meter => "pzem-004t",
            Kind::Relays => "relay-board",
            Kind::Host => "modbus-generic",
            Kind::Probe => "roundsman-probe",
        }
    }

    /// Whether it speaks Modbus.
    pub fn is_modbus(self) -> bool {
        self.protocol() == Protocol::Modbus
    }

    fn protocol(self) -> Protocol {
        match self {
            Kind::Panels => Protocol::Mdc,
            Kind::Projector => Protocol::PjLink,
            Kind::Sensor | Kind::Meter | Kind::Relays | Kind::Host | Kind::Probe => Protocol::Modbus,
        }
    }

    /// Whether it has a temperature that a fault can raise.
    pub(crate) fn can_heat(self) -> bool {
        !matches!(self, Kind::Meter | Kind::Relays)
    }
}

/// What is spoken on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Modbus,
    Mdc,
    PjLink,
}

/// How Modbus is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Unit, PDU, CRC: on a serial line, or through a serial server.
    Rtu,
    /// With a head of its own, over TCP.
    ModbusTcp,
}

/// Where a line's other end is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortSpec {
    /// A symbolic link to the other end of a pty pair; made, and made anew each time the port is back.
    Pty(PathBuf),
    /// A TCP port on loopback.
    Tcp(SocketAddr),
}

/// A device on a line.
#[derive(Clone, Debug)]
pub struct MemberSpec {
    /// Its id in the site file.
    pub id: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// Its addresses: one, or those of a wall's panels, row by row.
    pub units: Vec<u8>,
    /// A projector's password.
    pub password: Option<String>,
}

/// A line to be made.
#[derive(Clone, Debug)]
pub struct LineSpec {
    /// Its id in the site file; that of the device where it stands at a TCP port of its own.
    pub id: Arc<str>,
    /// Where its other end is.
    pub port: PortSpec,
    /// Its speed; 0 where octets take no time, as over TCP to the device itself.
    pub baud: u32,
    /// How Modbus is framed on it.
    pub framing: Framing,
    /// Who is on it.
    pub members: Vec<MemberSpec>,
}

/// A line cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It stands elsewhere.
    #[error(
        "the bus {line} is at {address}: the virtual site lives on 127.0.0.0/8 alone, so that it cannot be taken for a \
         real device"
    )]
    NotLoopback {
        /// Its id.
        line: Arc<str>,
        /// Its address.
        address: SocketAddr,
    },
    /// It names a real port.
    #[error(
        "the bus {line} is at {path}: a virtual line's end is a link in a folder of its own, never below /dev"
    )]
    RealPort {
        /// Its id.
        line: Arc<str>,
        /// Its path.
        path: String,
    },
    /// Nobody, or units that do not understand each other.
    #[error("the bus {line} needs units, all of one protocol; a projector is alone on its line")]
    Mixed {
        /// Its id.
        line: Arc<str>,
    },
    /// The system refused the port.
    #[error("the bus {line} cannot answer at {at}: {why}; is another virtual site running?")]
    Port {
        /// Its id.
        line: Arc<str>,
        /// Where.
        at: String,
        /// What the system said.
        why: io::Error,
    },
}

/// How the port is to who would use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Here,
    /// Pulled.
    Gone,
    /// Connections stay and bring nothing.
    HalfOpen,
}

/// What the tasks of a line share.
struct Line {
    clock: Clock,
    protocol: Protocol,
    framing: Framing,
    seed: u64,
    password: Option<String>,
    party: Mutex<Party>,
    spoiler: Mutex<Spoiler>,
    /// Of each device.
    faults: Mutex<Vec<(Option<Fault>, Chances)>>,
    presence: watch::Sender<Presence>,
    connections: AtomicU64,
}

impl Line {
    fn new(line: &LineSpec, party: Party, seed: u64, clock: Clock) -> Option<Line> {
        let protocol = line.members.first()?.kind.protocol();
        let octet = match line.baud {
            0 => Duration::ZERO,
            baud => Duration::from_secs(1) * BITS / baud,
        };
        let is_mbap = line.framing == Framing::ModbusTcp;
        Some(Line {
            clock,
            protocol,
            framing: line.framing,
            seed,
            password: line.members.iter().find_map(|member| member.password.clone()),
            party: Mutex::new(party),
            spoiler: Mutex::new(Spoiler::new(protocol, is_mbap, octet, seed)),
            faults: Mutex::new(vec![(None, Chances::none()); line.members.len()]),
            presence: watch::Sender::new(Presence::Here),
            connections: AtomicU64::new(0),
        })
    }

    /// The greeting of another connection, its number never twice in a row the same.
    fn greeting(&self) -> Greeting {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let nonce = (seed_of(self.seed, connection) >> 32) as u32;
        match &self.password {
            Some(password) => {
                Greeting { nonce: Some(format!("{nonce:08x}")), password: password.clone(), is_signed: false }
            }
            None => Greeting::default(),
        }
    }

    fn set_fault(&self, member: usize, fault: Option<&Fault>, now: f64) {
        lock(&self.party).set_fault(member, fault, now);
        let mut faults = lock(&self.faults);
        if let Some(known) = faults.get_mut(member) {
            *known = (fault.cloned(), Chances::of(fault));
        }
        let has = |wanted: &Fault| faults.iter().any(|(fault, _)| fault.as_ref() == Some(wanted));
        let presence = match () {
            () if has(&Fault::PortGone) => Presence::Gone,
            () if has(&Fault::HalfOpen) => Presence::HalfOpen,
            () => Presence::Here,
        };
        self.presence.send_if_modified(|known| std::mem::replace(known, presence) != presence);
    }

    fn chances(&self, member: Option<usize>) -> Chances {
        let faults = lock(&self.faults);
        member
            .and_then(|member| faults.get(member))
            .map_or_else(Chances::none, |(_, chances)| chances.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A device on a running line.
#[derive(Clone)]
pub(crate) struct Rider {
    line: Arc<Line>,
    member: usize,
    /// What it is.
    pub(crate) kind: Kind,
    /// Its addresses.
    pub(crate) units: Vec<u8>,
    /// Whether its line ends at a TCP port.
    pub(crate) is_tcp: bool,
}

impl Rider {
    /// What is wrong with it from now on.
    pub(crate) fn set_fault(&self, fault: Option<&Fault>, now: f64) {
        self.line.set_fault(self.member, fault, now);
    }
}

/// Starts a line; when it returns, its port is there. Gives its devices in their order.
pub(crate) async fn lay(
    line: &LineSpec,
    seed: u64,
    clock: Clock,
    tasks: &mut JoinSet<()>,
) -> Result<Vec<Rider>, LineError> {
    let party = Party::new(&line.members, seed, clock.now_s());
    lay_with(line, party, seed, clock, tasks).await.map(|running| {
        let riders = line.members.iter().enumerate();
        riders
            .map(|(member, spec)| Rider {
                line: running.clone(),
                member,
                kind: spec.kind,
                units: spec.units.clone(),
                is_tcp: matches!(line.port, PortSpec::Tcp(_)),
            })
            .collect()
    })
}

async fn lay_with(
    line: &LineSpec,
    party: Party,
    seed: u64,
    clock: Clock,
    tasks: &mut JoinSet<()>,
) -> Result<Arc<Line>, LineError> {
    let mixed = || LineError::Mixed { line: line.id.clone() };
    let running = Arc::new(Line::new(line, party, seed, clock).ok_or_else(mixed)?);
    let of_one = line.members.iter().all(|member| member.kind.protocol() == running.protocol);
    if !of_one || running.protocol == Protocol::PjLink && line.members.len() > 1 {
        return Err(mixed());
    }
    let refused = |at: String| {
        let line = line.id.clone();
        move |why| LineError::Port { line, at, why }
    };
    match &line.port {
        PortSpec::Pty(path) if path.starts_with("/dev") => {
            return Err(LineError::RealPort { line: line.id.clone(), path: path.display().to_string() });
        }
        PortSpec::Pty(path) => {
            let pty = Pty::open(path).map_err(refused(path.display().to_string()))?;
            tasks.spawn(port::keep_pty(running.clone(), path.clone(), pty));
        }
        PortSpec::Tcp(address) if !address.ip().is_loopback() => {
            return Err(LineError::NotLoopback { line: line.id.clone(), address: *address });
        }
        PortSpec::Tcp(address) => {
            let listener = TcpListener::bind(address).await.map_err(refused(address.to_string()))?;
            tasks.spawn(port::keep_tcp(running.clone(), *address, listener));
        }
    }
    Ok(running)
}
