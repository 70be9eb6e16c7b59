//! What waits for the line, and who is next.

use super::exchange::{Exchange, Rank, Ticket};
use super::unit::Units;
use roundsman_core::time::Mono;

/// Most exchanges waiting for one line: 64 devices would have to wait eight deep.
pub const MOST_QUEUED: usize = 512;
/// How long the look for a silent unit lets the others go first, in ms.
const PATIENCE_MS: u64 = 10_000;

/// A submitted exchange.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) ticket: Ticket,
    pub(super) exchange: Exchange,
    /// Whether a sound answer may equal the request.
    pub(super) is_mirror: bool,
    pub(super) tries_left: u8,
    pub(super) since: Mono,
}

impl Queued {
    /// Lower goes first.
    fn turn(&self, units: &Units, now: Mono) -> (u8, Ticket) {
        let silent = units.get(self.exchange.unit).is_some_and(|health| health.is_silent());
        let class = match self.exchange.rank {
            Rank::Command => 0,
            Rank::Poll if silent && now.since_ms(self.since) < PATIENCE_MS => 2,
            Rank::Poll => 1,
        };
        (class, self.ticket)
    }

    fn ready_at(&self, units: &Units) -> Mono {
        units.get(self.exchange.unit).map_or(Mono(0), |health| health.ready_at(self.is_mirror))
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue(Vec<Queued>);

impl Queue {
    pub(super) fn push(&mut self, queued: Queued) {
        self.0.push(queued);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the next one that may go now.
    pub(super) fn next(&mut self, units: &Units, now: Mono) -> Option<Queued> {
        let ready = self.0.iter().enumerate().filter(|(_, queued)| queued.ready_at(units) <= now);
        let (at, _) = ready.min_by_key(|(_, queued)| queued.turn(units, now))?;
        Some(self.0.remove(at))
    }

    /// When the first of them may go.
    pub(super) fn ready_at(&self, units: &Units) -> Option<Mono> {
        self.0.iter().map(|queued| queued.ready_at(units)).min()
    }

    pub(super) fn drain(&mut self) -> Vec<Queued> {
        std::mem::take(&mut self.0)
    }

    /// Takes one out; `None` where it does not wait.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Queued> {
        let at = self.0.iter().position(|queued| queued.ticket == ticket)?;
        Some(self.0.remove(at))
    }
}
