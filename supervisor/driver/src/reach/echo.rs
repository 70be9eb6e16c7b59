//! RFC 862 over UDP: what is sent comes back. The payload differs each time and must come back whole.

use super::{How, ProbeError, Reached, absence};
use crate::clock::Clock;
use roundsman_core::reading::Absence;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Octets of the payload.
const PAYLOAD: usize = 16;

pub(super) async fn probe(clock: Clock, address: SocketAddr, timeout_ms: u32) -> Result<Reached, ProbeError> {
    let within = Duration::from_millis(timeout_ms.into());
    let outcome = match tokio::time::timeout(within, exchange(clock, address)).await {
        Err(_) => Err(Absence::Timeout),
        Ok(Ok(took)) => Ok(took),
        Ok(Err(error)) => match absence(&error) {
            Some(absence) => Err(absence),
            None => {
                return Err(ProbeError::Socket { address, what: error.to_string() });
            }
        },
    };
    Ok(Reached { how: How::Echo, outcome })
}

/// Sends and waits for the same to come back; other datagrams are passed over. Connected, so that the kernel drops
/// those of other senders and reports "port unreachable".
async fn exchange(clock: Clock, address: SocketAddr) -> io::Result<u64> {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(address).await?;
    let mut payload = [0; PAYLOAD];
    payload[..8].copy_from_slice(b"roundsmn");
    payload[8..].copy_from_slice(&RandomState::new().build_hasher().finish().to_be_bytes());
    let began = clock.micros();
    socket.send(&payload).await?;
    let mut buffer = [0; PAYLOAD + 1];
    loop {
        let len = socket.recv(&mut buffer).await?;
        if buffer[..len] == payload {
            return Ok(clock.micros().saturating_sub(began));
        }
    }
}
