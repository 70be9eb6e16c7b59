//! How the exchange on the line ends: answered, failed, with a copy, or with nothing as it should.

use super::exchange::{Await, Done, Exchange, Outcome, Rank, Ticket};
use super::line::{Echo, Lost, Recovery};
use super::queue::Queued;
use super::{Action, Bus, REOPEN_AFTER, State};
use roundsman_core::time::Mono;

impl Bus {
    pub(super) fn answered(&mut self, frame: Vec<u8>, now: Mono) {
        let State::Awaiting(awaiting) = std::mem::replace(&mut self.state, State::Free) else {
            return;
        };
        let awaiting = *awaiting;
        self.counters.answers += 1;
        self.mute = 0;
        if !awaiting.queued.is_mirror {
            self.is_echoing = Some(awaiting.echoed);
        } else if awaiting.has_copy {
            self.counters.echoes += 1;
        }
        let Exchange { unit, rest_ms, .. } = awaiting.queued.exchange;
        self.units.answered(unit);
        if rest_ms > 0 {
            self.units.rests(unit, now.plus_ms(rest_ms.into()));
        }
        self.keep(awaiting.held);
        self.rest(now, self.line.gap_ms, self.line.gap_ms);
        self.finish(awaiting.queued, Outcome::Answered(frame));
    }

    /// The try on the line came to nothing.
    pub(super) fn fail(&mut self, now: Mono) {
        let State::Awaiting(awaiting) = std::mem::replace(&mut self.state, State::Free) else {
            return;
        };
        let awaiting = *awaiting;
        let mut queued = awaiting.queued;
        match awaiting.heard {
            true => self.counters.damaged += 1,
            false => self.counters.timeouts += 1,
        }
        self.keep(awaiting.held);
        self.rest(now, self.line.quiet_ms, self.line.quiet_ms);
        self.owe(&queued, awaiting.given_up_at, now);
        self.units.failed(queued.exchange.unit, now);
        self.mute = if awaiting.heard { 0 } else { self.mute + 1 };
        let outcome = if awaiting.heard { Outcome::Damaged } else { Outcome::Silent };
        let is_silent = self.units.get(queued.exchange.unit).is_some_and(|unit| unit.is_silent());
        if queued.tries_left == 0 || (is_silent && queued.exchange.rank == Rank::Poll) {
            self.finish(queued, outcome);
        } else {
            queued.since = now;
            self.queue.push(queued);
        }
        if self.line.recovery == Recovery::Reopen || self.mute >= REOPEN_AFTER {
            self.mute = 0;
            self.counters.reopened += 1;
            self.held.clear();
            let until = now.plus_ms(self.line.open_ms.into());
            self.state = State::Closed(Lost::HalfOpen, Some(until));
            self.action = Some(Action::Reopen);
        }
    }

    /// Nobody who may still owe an answer is asked again while it may come.
    pub(super) fn owe(&mut self, queued: &Queued, given_up_at: Mono, now: Mono) {
        let late_until = given_up_at.max(now).plus_ms(self.line.late_ms.into());
        let Exchange { unit, ref reader, .. } = queued.exchange;
        self.units.owes(unit, reader, late_until, self.line.recovery == Recovery::HoldUnit);
        if self.line.recovery == Recovery::HoldLine {
            self.free_at = self.free_at.max(late_until);
        }
    }

    /// The deadline of the exchange on the line has come.
    pub(super) fn expire(&mut self, now: Mono) {
        self.settle(true, now);
        let State::Awaiting(awaiting) = &mut self.state else {
            return;
        };
        if awaiting.has_copy && self.line.echo != Echo::Always {
            self.copied(now);
            return;
        }
        if awaiting.goes_on(&self.line, self.last_octet, now) {
            return;
        }
        let fine = match awaiting.queued.exchange.awaits {
            Await::Answer => false,
            Await::Perhaps => !awaiting.heard,
            Await::Nothing => true,
        };
        if !fine {
            self.fail(now);
            return;
        }
        if let State::Awaiting(awaiting) = std::mem::replace(&mut self.state, State::Free) {
            let queued = awaiting.queued;
            let gap_ms = self.line.gap_ms;
            self.keep(awaiting.held);
            self.rest(now, 0, gap_ms);
            let rest_ms = u64::from(queued.exchange.rest_ms);
            self.units.rests(queued.exchange.unit, now.plus_ms(rest_ms));
            self.finish(queued, Outcome::Sent);
        }
    }

    /// One copy of the request is all that came.
    pub(super) fn copied(&mut self, now: Mono) {
        let State::Awaiting(awaiting) = std::mem::replace(&mut self.state, State::Free) else {
            return;
        };
        let Exchange { unit, ref reader, rest_ms, .. } = awaiting.queued.exchange;
        let late_until = awaiting.given_up_at.plus_ms(self.line.late_ms.into());
        self.units.copied(unit, reader, late_until);
        self.units.rests(unit, now.plus_ms(rest_ms.into()));
        self.counters.copies += 1;
        self.mute = 0;
        self.keep(awaiting.held);
        self.rest(now, self.line.gap_ms, self.line.gap_ms);
        self.finish(awaiting.queued, Outcome::Copied);
    }

    pub(super) fn finish(&mut self, queued: Queued, outcome: Outcome) {
        if queued.ticket != Ticket(0) {
            self.done.push_back(Done { ticket: queued.ticket, outcome });
        }
    }
}
