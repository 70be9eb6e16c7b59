//! The library's way to an agent, with what passes it counted: its retries and the discovery of the engine are its own
//! affair, and cost the line as much as a question does.

use async_snmp::transport::UdpHandle;
use async_snmp::{Candidate, Error, RequestRegistration, Result, Transport};
use bytes::Bytes;
use roundsman_core::tally::Cost;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What passed since it was taken last; of one device.
#[derive(Clone, Debug, Default)]
pub(super) struct Passed(Arc<Mutex<Passing>>);

#[derive(Debug, Default)]
struct Passing {
    cost: Cost,
    /// The last try stayed unanswered: the next one of the same exchange is a retry.
    unanswered: bool,
}

impl Passed {
    fn lock(&self) -> MutexGuard<'_, Passing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another exchange begins.
    pub(super) fn begin(&self) {
        self.lock().unanswered = false;
    }

    /// An exchange ended without an answer.
    pub(super) fn timed_out(&self) {
        self.lock().cost.timeouts += 1;
    }

    /// What passed; begins anew.
    pub(super) fn take(&self) -> Cost {
        std::mem::take(&mut *self.lock()).cost
    }
}

impl Passing {
    fn sent(&mut self, octets: usize) {
        match std::mem::take(&mut self.unanswered) {
            true => self.cost.retries += 1,
            false => self.cost.requests += 1,
        }
        self.cost.octets_out += octets as u64;
    }
}

/// A handle of the shared socket.
pub(super) struct Counted {
    pub(super) handle: UdpHandle,
    pub(super) passed: Passed,
}

impl Transport for Counted {
    async fn send(&self, data: &[u8]) -> Result<()> {
        self.passed.lock().sent(data.len());
        self.handle.send(data).await
    }

    async fn request_with<T, F>(
        &self,
        data: &[u8],
        registration: RequestRegistration,
        mut validate: F,
    ) -> Result<T>
    where
        T: Send,
        F: FnMut(Bytes, SocketAddr) -> Result<Candidate<T>> + Send,
    {
        self.passed.lock().sent(data.len());
        let weighed = |reply: Bytes, from| {
            let octets = reply.len() as u64;
            let verdict = validate(reply, from);
            let cost = &mut self.passed.lock().cost;
            match verdict {
                Ok(Candidate::Accept(_)) => cost.octets_in += octets,
                Ok(Candidate::Reject) | Err(_) => cost.ignored.rejected += 1,
            }
            verdict
        };
        let answer = self.handle.request_with(data, registration, weighed).await;
        let timed_out = answer.as_ref().is_err_and(|error| matches!(**error, Error::Timeout { .. }));
        self.passed.lock().unanswered = timed_out;
        answer
    }

    fn peer_addr(&self) -> SocketAddr {
        self.handle.peer_addr()
    }

    fn local_addr(&self) -> SocketAddr {
        self.handle.local_addr()
    }

    fn is_reliable(&self) -> bool {
        self.handle.is_reliable()
    }

    fn receive_limits(&self) -> async_snmp::ReceiveLimits {
        self.handle.receive_limits()
    }

    fn send_capacity(&self) -> usize {
        self.handle.send_capacity()
    }
}
