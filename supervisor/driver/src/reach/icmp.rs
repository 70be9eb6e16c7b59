//! ICMP echo, through one socket per address family.

use super::{How, ProbeError, Reached};
use roundsman_core::reading::Absence;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};

/// Octets of an echo request's payload, as `ping` sends.
const PAYLOAD: [u8; 56] = *b"roundsman asks whether the way to this device is open...";

/// The ICMP sockets of the box.
pub(super) struct Icmp {
    v4: Result<(Client, How), String>,
    v6: Option<(Client, How)>,
    ident: u16,
    sequence: AtomicU16,
}

impl fmt::Debug for Icmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Icmp").field("available", &self.available()).finish_non_exhaustive()
    }
}

impl Icmp {
    pub(super) fn open() -> Icmp {
        Icmp {
            v4: open(ICMP::V4),
            v6: open(ICMP::V6).ok(),
            ident: RandomState::new().build_hasher().finish() as u16,
            sequence: AtomicU16::new(0),
        }
    }

    pub(super) fn available(&self) -> Result<How, ProbeError> {
        match &self.v4 {
            Ok((_, how)) => Ok(*how),
            Err(why) => Err(ProbeError::NoIcmp(why.clone())),
        }
    }

    pub(super) async fn probe(&self, address: IpAddr, timeout_ms: u32) -> Result<Reached, ProbeError> {
        let (client, how) = match (address, &self.v4, &self.v6) {
            (IpAddr::V4(_), Ok(open), _) | (IpAddr::V6(_), _, Some(open)) => open,
            (IpAddr::V4(_), Err(why), _) => return Err(ProbeError::NoIcmp(why.clone())),
            (IpAddr::V6(_), _, None) => return Err(ProbeError::NoIcmp("no ICMPv6 socket".to_owned())),
        };
        let mut pinger = client.pinger(address, PingIdentifier(self.ident)).await;
        pinger.timeout(Duration::from_millis(timeout_ms.into()));
        let sequence = PingSequence(self.sequence.fetch_add(1, Ordering::Relaxed));
        let outcome = match pinger.ping(sequence, &PAYLOAD).await {
            Ok((packet, took)) if came_from(&packet, address) => {
                Ok(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
            }
            // A router on the way says that there is none.
            Ok(_) => Err(Absence::Unreachable),
            Err(SurgeError::IOError(error)) => match super::absence(&error) {
                Some(absence) => Err(absence),
                None => {
                    return Err(ProbeError::Socket { address: (address, 0).into(), what: error.to_string() });
                }
            },
            Err(SurgeError::Timeout { .. }) => Err(Absence::Timeout),
            Err(error) => {
                return Err(ProbeError::Socket { address: (address, 0).into(), what: error.to_string() });
            }
        };
        Ok(Reached { how: *how, outcome })
    }
}

/// Whether the packet is the device's own answer, not a router's error about it.
fn came_from(packet: &IcmpPacket, address: IpAddr) -> bool {
    match packet {
        IcmpPacket::V4(packet) => IpAddr::V4(packet.get_source()) == address,
        IcmpPacket::V6(packet) => IpAddr::V6(packet.get_source()) == address,
    }
}

/// Unprivileged first; surge-ping falls back to a raw socket by itself.
fn open(family: ICMP) -> Result<(Client, How), String> {
    let config = Config::builder().kind(family).sock_type_hint(socket2::Type::DGRAM).build();
    let client = Client::new(&config).map_err(|error| first_line(&error.to_string()))?;
    let how = match client.get_socket().get_type() {
        socket2::Type::DGRAM => How::IcmpUnprivileged,
        _ => How::IcmpRaw,
    };
    Ok((client, how))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
