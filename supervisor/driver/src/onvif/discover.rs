//! Asks the network who is a camera.

use roundsman_wire::onvif::discovery::{Match, TYPES, matches, probe};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

use super::chance;
use crate::clock::Clock;

/// Longest answer, octets.
const LONGEST: usize = 64 * 1024;

/// Most devices that are taken, and most answers that are looked at: cameras answer to each probe.
const MOST_FOUND: usize = 512;
const MOST_ANSWERS: usize = 4_096;

/// How often it is asked: datagrams get lost (SOAP over UDP, section 4).
const ROUNDS: u32 = 2;

/// A device that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where the answer came from.
    pub from: SocketAddr,
    /// What it said.
    pub said: Match,
}

/// Probes these places, such as the group of everybody, and collects answers for so long, ms. Each device once, in the
/// order of its address.
///
/// # Errors
/// No socket can be had, or nothing can be sent.
pub async fn discover(places: &[SocketAddr], wait_ms: u64) -> io::Result<Vec<Found>> {
    let clock = Clock::new();
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    let mut found: Vec<Found> = Vec::new();
    let mut octets = vec![0; LONGEST];
    let mut answers = 0;
    for _ in 0..ROUNDS {
        for kind in TYPES {
            let probe = probe(kind, u128::from_be_bytes(chance(clock)));
            for place in places {
                socket.send_to(probe.as_bytes(), place).await?;
            }
        }
        let ends = clock.now().mono.plus_ms(wait_ms / u64::from(ROUNDS));
        loop {
            let left_ms = ends.since_ms(clock.now().mono);
            let received =
                tokio::time::timeout(Duration::from_millis(left_ms), socket.recv_from(&mut octets));
            let Ok(received) = received.await else { break };
            // An ICMP error of an earlier probe says nothing about the others.
            let Ok((len, from)) = received else { continue };
            answers += 1;
            for said in matches(&octets[..len]) {
                let is_new =
                    found.iter().all(|known| known.from.ip() != from.ip() || known.said.id != said.id);
                if is_new && found.len() < MOST_FOUND {
                    found.push(Found { from, said });
                }
            }
            if answers >= MOST_ANSWERS {
                return Ok(found);
            }
        }
    }
    found.sort_by_key(|found| found.from);
    Ok(found)
}
