//! A TCP connection: made or refused, the host is alive; it is closed at once.

use super::{How, ProbeError, Reached, absence};
use crate::clock::Clock;
use roundsman_core::reading::Absence;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

pub(super) async fn probe(clock: Clock, address: SocketAddr, timeout_ms: u32) -> Result<Reached, ProbeError> {
    let began = clock.micros();
    let within = Duration::from_millis(timeout_ms.into());
    let outcome = match tokio::time::timeout(within, TcpStream::connect(address)).await {
        Err(_) => Err(Absence::Timeout),
        Ok(Ok(_)) => Ok(clock.micros().saturating_sub(began)),
        Ok(Err(error)) => match absence(&error) {
            // The reset came from the host itself: a round trip as good as any.
            Some(Absence::Refused) => Ok(clock.micros().saturating_sub(began)),
            Some(absence) => Err(absence),
            None => {
                return Err(ProbeError::Socket { address, what: error.to_string() });
            }
        },
    };
    Ok(Reached { how: How::Tcp, outcome })
}
