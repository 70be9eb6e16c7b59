//! Buses: serial ports of this box, TCP serial servers, and devices with a TCP port of their own.
//!
//! **Duty.** One task owns one port ([`owner`]) and holds the [`Session`](roundsman_wire::bus::session::Session) of all
//! devices on it: it opens the port, moves the octets, keeps the time, opens the port anew when it comes back.
//!
//! **Queues.** Requests: [`MOST_QUEUED`] a bus; when it is full [`Bus::poll`] and [`Bus::order`] refuse ([`Busy::Full`])
//! and the caller tries at its next tick. What comes of them goes into one bounded channel that all buses share; while
//! its receiver does not take it, it waits in the task, and no further requests are taken in until it does.
//!
//! **Refuses.** No value is looked at, no answer is told from another: that is `wire`'s. A port is never shared with
//! another program: it is opened exclusively and locked.

mod owner;
mod serial;
mod stream;

pub use roundsman_profile::bus::{Format, Parity};

use crate::clock::Clock;
use roundsman_core::fault::Generation;
use roundsman_core::time::Now;
use roundsman_wire::bus::answer::Answer;
use roundsman_wire::bus::order::{Order, Ordered};
use roundsman_wire::bus::session::Ask;
use roundsman_wire::bus::{self as wire, Line, Lost, Opening, Reader};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Requests that wait to be taken in by one bus.
pub const MOST_QUEUED: usize = 256;
/// Outcomes that wait for the receiver, of all buses.
pub const MOST_OUTCOMES: usize = 256;
/// A connection over which nothing came for so long is closed, ms; it is made anew when somebody is to be asked.
pub const IDLE_MS: u64 = 300_000;
/// Time between two attempts to open a port that failed, ms: doubled from the first to the second.
pub const RETRY_MS: (u64, u64) = (1_000, 30_000);

/// How the kernel drives the transceiver of an RS-485 line, by RTS, around every request (kernel documentation "RS485
/// Serial Communications"). Adapters that switch by themselves need none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rs485 {
    /// RTS is active while it sends.
    RtsOnSend,
    /// RTS is inactive while it sends.
    RtsAfterSend,
}

impl Rs485 {
    /// Both with their words.
    pub const ALL: [(&'static str, Rs485); 2] =
        [("rts-on-send", Rs485::RtsOnSend), ("rts-after-send", Rs485::RtsAfterSend)];
}

/// Where a bus is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// A serial port of this box.
    Serial {
        /// Its device node; a name under `/dev/serial/by-id` or `by-path` stays the same when the adapter is plugged
        /// in anew.
        path: PathBuf,
        /// Speed in baud; `None` where there is no line behind it: a pseudo-terminal, a USB device that only looks like a
        /// serial port.
        baud: Option<u32>,
        /// Character format.
        format: Format,
        /// Whether the kernel is to drive the transceiver of an RS-485 line.
        rs485: Option<Rs485>,
    },
    /// A TCP serial server that passes octets on as they are, or a device's own TCP port.
    Tcp(SocketAddr),
    /// A TCP serial server that is told how to set its port (RFC 2217).
    Rfc2217 {
        /// The server.
        address: SocketAddr,
        /// Speed in baud.
        baud: u32,
        /// Character format.
        format: Format,
    },
    /// A Modbus TCP device or gateway.
    ModbusTcp(SocketAddr),
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Port::Serial { path, .. } => write!(f, "{}", path.display()),
            Port::Tcp(address) => write!(f, "tcp://{address}"),
            Port::Rfc2217 { address, .. } => write!(f, "rfc2217://{address}"),
            Port::ModbusTcp(address) => write!(f, "modbus-tcp://{address}"),
        }
    }
}

/// A bus to own.
#[derive(Debug)]
pub struct Settings {
    /// Its name, for the log.
    pub id: Arc<str>,
    /// Where it is.
    pub port: Port,
    /// The line's properties.
    pub line: Line,
    /// Tells sound frames or lines from noise while nothing is awaited.
    pub listener: Arc<dyn Reader>,
    /// The dialogue before the first request of each connection.
    pub opening: Option<Box<dyn Opening>>,
    /// Whether the port is opened at once and kept open; else it is opened when somebody is to be asked.
    pub keeps_open: bool,
}

/// A poll to carry out.
#[derive(Clone, Debug)]
pub struct Request {
    /// The device.
    pub key: u32,
    /// Given back with the answer.
    pub generation: Generation,
    /// What is asked, and whom.
    pub ask: Ask,
}

/// A poll that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The device.
    pub key: u32,
    /// Of the request.
    pub generation: Generation,
    /// When the bus took it in.
    pub started: Now,
    /// When its answer was complete, or given up.
    pub finished: Now,
    /// What it brought.
    pub answer: Answer,
}

/// What comes of a bus.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A poll is over.
    Polled(Finished),
    /// A frame or line that nobody had asked for.
    Heard {
        /// The bus.
        bus: Arc<str>,
        /// Its octets.
        octets: Vec<u8>,
    },
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// The queue is full: try at the next tick.
    #[error(
        "{MOST_QUEUED} requests wait for this bus already: its devices answer slower than they are asked"
    )]
    Full,
    /// The owner has ended.
    #[error("the owner of this bus has ended: the receiver of its outcomes was dropped")]
    Ended,
}

/// How a port stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It was not opened yet.
    #[default]
    Unopened,
    /// It is open.
    Open,
    /// It was closed in peace and is opened when it is needed.
    Resting,
    /// It is gone, or cannot be opened.
    Gone(Lost),
}

/// What happened on a bus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Of the line.
    pub line: wire::Counters,
    /// How the port stands.
    pub standing: Standing,
    /// Times it was opened.
    pub opened: u64,
    /// Times it could not be.
    pub failed: u64,
    /// Times the task woke up.
    pub wakeups: u64,
    /// Polls under way.
    pub outstanding: usize,
}

enum Command {
    Poll(Request),
    Order(Box<Order>, oneshot::Sender<Ordered>),
    Look(Ask, oneshot::Sender<Finished>),
    Forget(u32),
}

/// The handle to the owner of a port. When its last copy is dropped the task ends and the port is free again; polls
/// under way then bring nothing.
#[derive(Clone, Debug)]
pub struct Bus {
    commands: mpsc::Sender<Command>,
    counters: Arc<Mutex<Counters>>,
}

impl Bus {
    /// Starts the owner of a port on the current tokio runtime; `outcomes` may be shared by several.
    pub fn start(clock: Clock, settings: Settings, outcomes: mpsc::Sender<Outcome>) -> Bus {
        let (commands, queue) = mpsc::channel(MOST_QUEUED);
        let counters = Arc::default();
        tokio::spawn(owner::Owner::new(clock, settings, queue, outcomes, Arc::clone(&counters)).run());
        Bus { commands, counters }
    }

    /// Hands in a poll. Brings one [`Outcome::Polled`], unless the device is forgotten before. A second poll of a device
    /// ends the first at once, with what it has.
    pub fn poll(&self, request: Request) -> Result<(), Busy> {
        self.send(Command::Poll(request))
    }

    /// Sends a command to one unit; answers with what came of it.
    pub async fn order(&self, order: Order) -> Result<Ordered, Busy> {
        let (reply, ordered) = oneshot::channel();
        self.send(Command::Order(Box::new(order), reply))?;
        ordered.await.map_err(|_| Busy::Ended)
    }

    /// Polls apart from the schedule, for whoever gave a command; disturbs no poll of the same device.
    pub async fn look(&self, ask: Ask) -> Result<Finished, Busy> {
        let (reply, finished) = oneshot::channel();
        self.send(Command::Look(ask, reply))?;
        finished.await.map_err(|_| Busy::Ended)
    }

    fn send(&self, command: Command) -> Result<(), Busy> {
        self.commands.try_send(command).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Busy::Full,
            mpsc::error::TrySendError::Closed(_) => Busy::Ended,
        })
    }

    /// Forgets a device that was removed or is asked otherwise; waits while the queue is full.
    pub async fn forget(&self, key: u32) -> Result<(), Busy> {
        self.commands.send(Command::Forget(key)).await.map_err(|_| Busy::Ended)
    }

    /// What happened on the bus so far.
    pub fn counters(&self) -> Counters {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
