//! SNMP v1 and v2c: one task owns the UDP sockets and the [`Session`] of all devices. SNMPv3 (targets with a user):
//! the same task hands the poll to [`v3`]; who asks and who reads the answer sees no difference.
//!
//! **Queues.** Requests: [`MOST_QUEUED`]; when it is full [`Snmp::poll`] refuses the request ([`Busy::Full`]) and the
//! caller tries at its next tick. Answers: [`MOST_ANSWERS`]; while the receiver does not take them they wait in the
//! task, and no further requests are taken in until it does, so nothing is lost and nothing grows.
//!
//! **What it cannot see.** ICMP "port unreachable" is not reported on an unconnected UDP socket: a device that
//! refuses looks like one that is silent.

mod counted;
mod exchange;
pub mod remark;
pub mod set;
mod v3;

use crate::clock::Clock;
use remark::Remark;
use roundsman_core::fault::Generation;
use roundsman_core::time::{Mono, Now, Wall};
use roundsman_wire::snmp::answer::Answer;
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan};
use roundsman_wire::snmp::session::{self, MOST_OUTSTANDING, Session, Target, Transmit};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Requests that wait to be taken in: the largest tick of 1,000 devices.
pub const MOST_QUEUED: usize = 1_024;
/// Answers that wait for the receiver.
pub const MOST_ANSWERS: usize = 256;
/// Deadlines are rounded up to this, so that those of polls started together cost one wake-up; ms.
const TIMER_GRAIN: u64 = 10;
/// Datagrams taken in at one wake-up: a flood must not keep requests and deadlines waiting.
const MOST_AT_ONCE: usize = 4_096;
/// Longest datagram read; longer ones would be cut by the read and count as undecodable.
const MOST_DATAGRAM: usize = 65_535;

/// Settings of the poller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Receive buffer asked for, octets. The kernel grants at most `net.core.rmem_max`.
    pub receive_buffer: usize,
    /// Local IPv4 address to send from; unspecified lets the routes decide.
    pub source: Ipv4Addr,
}

impl Default for Options {
    /// 4 MiB, what 64 polls in flight at 1,000 devices cannot fill, from any address.
    fn default() -> Options {
        Options { receive_buffer: 4 << 20, source: Ipv4Addr::UNSPECIFIED }
    }
}

/// A poll to carry out.
#[derive(Clone, Debug)]
pub struct Request {
    /// The device.
    pub key: u32,
    /// Given back with the answer.
    pub generation: Generation,
    /// Where and how to ask.
    pub target: Arc<Target>,
    /// What to ask.
    pub plan: Arc<Plan>,
}

/// A poll that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The device.
    pub key: u32,
    /// Of the request.
    pub generation: Generation,
    /// When the poll began.
    pub started: Now,
    /// When its answer was complete, or given up.
    pub finished: Now,
    /// What it brought.
    pub answer: Answer,
    /// What to tell the operator beside it.
    pub remarks: Vec<Remark>,
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// The queue is full: try at the next tick.
    #[error("{MOST_QUEUED} SNMP polls are queued already: the devices answer slower than they are asked")]
    Full,
    /// The poller has ended.
    #[error("the SNMP poller has ended: its receiver of answers was dropped")]
    Ended,
}

/// Why the poller could not start.
#[derive(Debug, thiserror::Error)]
#[error("opening the UDP socket for SNMP ({what}): {source}")]
pub struct StartError {
    /// What was attempted.
    what: &'static str,
    source: io::Error,
}

/// What happened on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Of the session.
    pub session: session::Counters,
    /// Datagrams to the sockets of v3 that belonged to no request that waited: late, double, foreign or unreadable, the
    /// library does not tell them apart.
    pub v3_strays: u64,
    /// Datagrams the kernel would not send (no route, no permission); their requests time out.
    pub send_errors: u64,
    /// IPv4 datagrams the kernel dropped since the receive buffer was full; `None` where it does not say.
    pub dropped: Option<u64>,
    /// Receive buffer as the kernel reports it, octets: twice what it grants for payload (socket(7)).
    pub receive_buffer: usize,
    /// Times the task woke up.
    pub wakeups: u64,
    /// Polls under way.
    pub outstanding: usize,
}

enum Command {
    Poll(Request),
    Forget(u32),
}

/// The handle to the poller. When its last copy, or the receiver of answers, is dropped, the task ends; polls under
/// way then bring nothing.
#[derive(Clone, Debug)]
pub struct Snmp {
    commands: mpsc::Sender<Command>,
    counters: Arc<Mutex<Counters>>,
    port: u16,
}

impl Snmp {
    /// Opens the sockets and starts the task on the current tokio runtime. A box without IPv6 polls IPv4 alone.
    pub fn start(clock: Clock, options: Options) -> Result<(Snmp, mpsc::Receiver<Finished>), StartError> {
        let v4 = open(Domain::IPV4, (options.source, 0).into(), options.receive_buffer)?;
        let v6 = open(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, 0).into(), options.receive_buffer).ok();
        let granted = socket2::SockRef::from(&v4).recv_buffer_size().unwrap_or(0);
        // The kernel reports twice what it grants for payload (socket(7)).
        if granted / 2 < options.receive_buffer {
            tracing::warn!(
                asked = options.receive_buffer,
                granted = granted / 2,
                "SNMP receive buffer is smaller than asked for; raise net.core.rmem_max if replies are dropped"
            );
        }
        let port = v4.local_addr().map_or(0, |address| address.port());
        let (commands, queue) = mpsc::channel(MOST_QUEUED);
        let (answers, receiver) = mpsc::channel(MOST_ANSWERS);
        let (users, user_answers) = v3::Polls::new(clock, options);
        let counters = Arc::new(Mutex::new(Counters { receive_buffer: granted, ..Counters::default() }));
        let task = Task {
            clock,
            v4,
            v6,
            session: Session::new(RandomState::new().build_hasher().finish()),
            users,
            user_answers,
            queue,
            answers,
            waiting: VecDeque::new(),
            counters: Arc::clone(&counters),
            buffer: vec![0; MOST_DATAGRAM],
        };
        tokio::spawn(task.run());
        let snmp = Snmp { commands, counters, port };
        Ok((snmp, receiver))
    }

    /// Hands in a poll. Brings one [`Finished`], unless the device is forgotten before. A second poll of a device
    /// ends the first at once, with what it has.
    pub fn poll(&self, request: Request) -> Result<(), Busy> {
        self.commands.try_send(Command::Poll(request)).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Busy::Full,
            mpsc::error::TrySendError::Closed(_) => Busy::Ended,
        })
    }

    /// Forgets a device that was removed or whose address changed; waits while the queue is full.
    pub async fn forget(&self, key: u32) -> Result<(), Busy> {
        let sent = self.commands.send(Command::Forget(key)).await;
        sent.map_err(|_| Busy::Ended)
    }

    /// What happened on the wire so far.
    pub fn counters(&self) -> Counters {
        let mut counters = *self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.dropped =
            std::fs::read_to_string("/proc/net/udp").ok().and_then(|table| drops(&table, self.port));
        counters
    }
}

/// The plan of `reach = "snmp"`: sysUpTime.0, which every agent has (RFC 3418).
pub fn reach_plan() -> Plan {
    let uptime = Oid::new(&[1, 3, 6, 1, 2, 1, 1, 3, 0]).into_iter().collect();
    Plan { scalars: vec![Object { oids: uptime }], ..Plan::default() }
}

fn open(domain: Domain, address: SocketAddr, buffer: usize) -> Result<UdpSocket, StartError> {
    let failed = |what| move |source| StartError { what, source };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)).map_err(failed("socket"))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(true).map_err(failed("IPV6_V6ONLY"))?;
    }
    // The kernel clamps what it does not grant; what it granted is in the counters.
    socket.set_recv_buffer_size(buffer).map_err(failed("SO_RCVBUF"))?;
    socket.set_nonblocking(true).map_err(failed("O_NONBLOCK"))?;
    socket.bind(&address.into()).map_err(failed("bind"))?;
    UdpSocket::from_std(socket.into()).map_err(failed("registering it with the runtime"))
}

/// The drops of the socket bound to `port` in the text of /proc/net/udp.
fn drops(table: &str, port: u16) -> Option<u64> {
    let suffix = format!(":{port:04X}");
    let mut lines = table.lines().skip(1);
    let line = lines.find(|line| {
        let local = line.split_whitespace().nth(1);
        local.is_some_and(|local| local.ends_with(&suffix))
    })?;
    line.split_whitespace().next_back()?.parse().ok()
}

struct Task {
    clock: Clock,
    v4: UdpSocket,
    v6: Option<UdpSocket>,
    session: Session,
    /// Polls of v3 devices.
    users: v3::Polls,
    user_answers: mpsc::Receiver<Finished>,
    queue: mpsc::Receiver<Command>,
    answers: mpsc::Sender<Finished>,
    /// Answers the receiver has not made room for.
    waiting: VecDeque<Finished>,
    counters: Arc<Mutex<Counters>>,
    buffer: Vec<u8>,
}

/// What woke the task.
enum Woken {
    Datagrams,
    /// A v3 poll that is over.
    Finished(Option<Finished>),
    Command(Option<Command>),
    Time,
    Room(bool),
}

impl Task {
    async fn run(mut self) {
        loop {
            let woken = self.wait().await;
            let now = self.clock.now();
            match woken {
                Woken::Datagrams | Woken::Time | Woken::Room(true) => {}
                Woken::Finished(finished) => {
                    self.waiting.extend(finished);
                    while let Ok(finished) = self.user_answers.try_recv() {
                        self.waiting.push_back(finished);
                    }
                    self.users.reap();
                }
                Woken::Command(Some(command)) => {
                    self.obey(command, now);
                    while self.may_take()
                        && let Ok(command) = self.queue.try_recv()
                    {
                        self.obey(command, now);
                    }
                }
                Woken::Command(None) | Woken::Room(false) => return,
            }
            self.receive(now.mono);
            self.session.handle_timeout(now.mono);
            self.send().await;
            self.hand_over();
            self.count();
        }
    }

    fn may_take(&self) -> bool {
        self.waiting.is_empty() && self.outstanding() < MOST_OUTSTANDING
    }

    fn outstanding(&self) -> usize {
        self.session.outstanding() + self.users.outstanding()
    }

    async fn wait(&mut self) -> Woken {
        let deadline = self.session.poll_timeout();
        let pause = deadline.map(|deadline| {
            let rounded = deadline.0.next_multiple_of(TIMER_GRAIN);
            Duration::from_millis(Mono(rounded).since_ms(self.clock.now().mono))
        });
        let may_take = self.may_take();
        tokio::select! {
            _ = self.v4.readable() => Woken::Datagrams,
            () = readable(self.v6.as_ref()) => Woken::Datagrams,
            finished = self.user_answers.recv(), if self.waiting.is_empty() => Woken::Finished(finished),
            command = self.queue.recv(), if may_take => Woken::Command(command),
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => Woken::Time,
            room = self.answers.reserve(), if !self.waiting.is_empty() => Woken::Room(room.is_ok()),
        }
    }

    fn obey(&mut self, command: Command, now: Now) {
        match command {
            Command::Poll(request) => {
                if let Some(user) = request.target.user.clone() {
                    self.users.start(request, user);
                    return;
                }
                let Request { key, generation, target, plan } = request;
                let started = self.session.start(key, generation, &target, plan, now.mono);
                debug_assert!(started.is_ok(), "commands are taken only while there is room");
            }
            Command::Forget(key) => {
                self.session.forget(key);
                self.users.forget(key);
            }
        }
    }

    /// Takes what has arrived, up to [`MOST_AT_ONCE`] from each socket; the rest wakes the task again.
    fn receive(&mut self, now: Mono) {
        for socket in std::iter::once(&self.v4).chain(self.v6.as_ref()) {
            for _ in 0..MOST_AT_ONCE {
                // WouldBlock ends; a pending error of the socket is cleared by being read.
                let Ok((len, from)) = socket.try_recv_from(&mut self.buffer) else {
                    break;
                };
                tracing::trace!(target: "way", step = "Task::receive");
                self.session.handle_datagram(from, &self.buffer[..len], now);
            }
        }
    }

    async fn send(&mut self) {
        while let Some(transmit) = self.session.poll_transmit() {
            if let Err(error) = self.send_one(&transmit).await {
                tracing::debug!(to = %transmit.to, %error, "an SNMP request could not be sent; it will time out");
                let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
                counters.send_errors += 1;
            }
        }
    }

    async fn send_one(&self, transmit: &Transmit) -> io::Result<usize> {
        let socket = match (transmit.to, &self.v6) {
            (SocketAddr::V4(_), _) => &self.v4,
            (SocketAddr::V6(_), Some(socket)) => socket,
            (SocketAddr::V6(_), None) => return Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        match socket.try_send_to(&transmit.bytes, transmit.to) {
            // The device's queue is full for a moment.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.send_to(&transmit.bytes, transmit.to).await
            }
            outcome => outcome,
        }
    }

    fn hand_over(&mut self) {
        let mut moment = None;
        while let Some(finished) = self.session.poll_finished() {
            tracing::trace!(target: "way", step = "Task::hand_over");
            let now = *moment.get_or_insert_with(|| self.clock.now());
            let took = now.mono.since_ms(finished.started);
            self.waiting.push_back(Finished {
                key: finished.key,
                generation: finished.generation,
                started: Now { mono: finished.started, wall: Wall(now.wall.0.saturating_sub_unsigned(took)) },
                finished: now,
                answer: finished.answer,
                remarks: Vec::new(),
            });
        }
        while let Some(finished) = self.waiting.pop_front() {
            if let Err(
                mpsc::error::TrySendError::Full(finished) | mpsc::error::TrySendError::Closed(finished),
            ) = self.answers.try_send(finished)
            {
                self.waiting.push_front(finished);
                return;
            }
        }
    }

    fn count(&mut self) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.session = self.session.counters();
        counters.v3_strays = self.users.strays();
        counters.outstanding = self.outstanding();
        counters.wakeups += 1;
    }
}

async fn readable(socket: Option<&UdpSocket>) {
    match socket {
        Some(socket) => drop(socket.readable().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_read_from_the_kernels_table() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
                     \x20 345: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1001 2 0000000000000000 3\n\
                     \x20 346: 00000000:A1B2 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1002 2 0000000000000000 41\n";
        assert_eq!(drops(table, 0xa1b2), Some(41));
        assert_eq!(drops(table, 0x35), Some(3));
        assert_eq!(drops(table, 1), None);
        assert_eq!(drops("", 1), None);
    }
}
