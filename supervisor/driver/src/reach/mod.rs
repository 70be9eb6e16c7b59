//! Whether a device can be reached at all, apart from its protocol.
//!
//! `icmp` (unprivileged datagram socket, else raw), `tcp:PORT` (a refused connection proves the host alive, too),
//! `echo:PORT` (RFC 862 over UDP). `snmp` is carried out by the caller through [`crate::snmp::Snmp`] with
//! [`crate::snmp::reach_plan`]. One attempt per call; retries are the schedule's.

mod echo;
mod icmp;
mod tcp;

use crate::clock::Clock;
use roundsman_core::reading::Absence;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// How a device's reach is to be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// ICMP echo.
    Icmp,
    /// A TCP connection to this port.
    Tcp(u16),
    /// sysUpTime.0 by the device's own SNMP settings.
    Snmp,
    /// RFC 862 over UDP to this port.
    Echo(u16),
    /// Whether the port of the bus that it hangs on is open: its owner knows, nobody is asked. No word of the site file.
    Bus,
}

/// Why a text names no way to test reach.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no way to test reach: expected icmp, tcp:PORT, snmp or echo:PORT with a port from 1 to 65535"
)]
pub struct ReachError(String);

impl FromStr for Reach {
    type Err = ReachError;

    fn from_str(text: &str) -> Result<Reach, ReachError> {
        let wrong = || ReachError(text.chars().take(40).collect());
        let port = |text: &str| match text.parse() {
            Ok(port @ 1_u16..) if text.bytes().all(|octet| octet.is_ascii_digit()) => Ok(port),
            _ => Err(wrong()),
        };
        match text.split_once(':') {
            None if text == "icmp" => Ok(Reach::Icmp),
            None if text == "snmp" => Ok(Reach::Snmp),
            Some(("tcp", number)) => Ok(Reach::Tcp(port(number)?)),
            Some(("echo", number)) => Ok(Reach::Echo(port(number)?)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reach::Icmp => f.write_str("icmp"),
            Reach::Snmp => f.write_str("snmp"),
            Reach::Tcp(port) => write!(f, "tcp:{port}"),
            Reach::Echo(port) => write!(f, "echo:{port}"),
            Reach::Bus => f.write_str("bus"),
        }
    }
}

/// How reach was tested in fact; the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// ICMP echo over an unprivileged datagram socket.
    IcmpUnprivileged,
    /// ICMP echo over a raw socket (root or CAP_NET_RAW).
    IcmpRaw,
    /// TCP connection.
    Tcp,
    /// UDP echo.
    Echo,
    /// SNMP.
    Snmp,
}

impl How {
    /// The word used in the API.
    pub fn word(self) -> &'static str {
        match self {
            How::IcmpUnprivileged => "icmp-unprivileged",
            How::IcmpRaw => "icmp-raw",
            How::Tcp => "tcp",
            How::Echo => "echo",
            How::Snmp => "snmp",
        }
    }
}

/// The outcome of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// How it was tested.
    pub how: How,
    /// Round trip in µs, or why there is none: `timeout`, `unreachable` (the network said so), `refused` (nobody
    /// listens on the echo port, though the host lives).
    pub outcome: Result<u64, Absence>,
}

impl Reached {
    /// Whether the host has proved to be alive. Refusing is answering.
    pub fn answered(&self) -> bool {
        matches!(self.outcome, Ok(_) | Err(Absence::Refused))
    }
}

/// Why an attempt could not be made at all. It says nothing about the device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// Neither kind of ICMP socket is permitted.
    #[error(
        "ICMP is not permitted on this box ({0}): set net.ipv4.ping_group_range = \"0 2147483647\", give the \
         service CAP_NET_RAW, or write reach = \"tcp:PORT\" or \"snmp\""
    )]
    NoIcmp(String),
    /// `snmp` is carried out through the SNMP poller, `bus` is known of the owner of its port.
    #[error("reach by snmp or bus is carried out by whoever asks, not by the prober")]
    ByCaller,
    /// No socket could be opened.
    #[error("testing reach of {address}: {what}")]
    Socket {
        /// The device's address.
        address: SocketAddr,
        /// What the system said.
        what: String,
    },
}

/// Tests reach. Cheap to share by reference; its ICMP sockets serve all devices.
#[derive(Debug)]
pub struct Prober {
    clock: Clock,
    icmp: icmp::Icmp,
}

impl Prober {
    /// Opens the ICMP sockets, as far as they are permitted. Must be called within a tokio runtime.
    pub fn new(clock: Clock) -> Prober {
        Prober { clock, icmp: icmp::Icmp::open() }
    }

    /// Which ICMP works on this box, or why none does.
    pub fn available(&self) -> Result<How, ProbeError> {
        self.icmp.available()
    }

    /// One attempt.
    pub async fn probe(&self, address: IpAddr, reach: Reach, timeout_ms: u32) -> Result<Reached, ProbeError> {
        match reach {
            Reach::Icmp => self.icmp.probe(address, timeout_ms).await,
            Reach::Tcp(port) => tcp::probe(self.clock, (address, port).into(), timeout_ms).await,
            Reach::Echo(port) => echo::probe(self.clock, (address, port).into(), timeout_ms).await,
            Reach::Snmp | Reach::Bus => Err(ProbeError::ByCaller),
        }
    }
}

/// What an error of the network means for reach; `None` where it is one of this box.
fn absence(error: &std::io::Error) -> Option<Absence> {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused | Kind::ConnectionReset => Some(Absence::Refused),
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => Some(Absence::Unreachable),
        Kind::TimedOut => Some(Absence::Timeout),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_site_file() {
        for (text, expected) in [
            ("icmp", Reach::Icmp),
            ("snmp", Reach::Snmp),
            ("tcp:443", Reach::Tcp(443)),
            ("echo:7", Reach::Echo(7)),
        ] {
            assert_eq!(text.parse(), Ok(expected));
            assert_eq!(expected.to_string(), text);
        }
        for text in [
            "",
            "ICMP",
            "tcp",
            "tcp:",
            "tcp:0",
            "tcp:65536",
            "tcp:+1",
            "echo:-1",
            "icmp:1",
            "snmp:161",
            "udp:7",
            "tcp:1:2",
        ] {
            let error = text.parse::<Reach>().expect_err(text);
            assert!(error.to_string().contains("tcp:PORT"), "{error}");
        }
    }
}
