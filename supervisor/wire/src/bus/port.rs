//! The port: opened, lost, opened anew, and the dialogue at its opening.

use super::exchange::{Outcome, Ticket};
use super::line::{Lost, Port, Recovery};
use super::queue::Queued;
use super::reader::Step;
use super::{Action, Bus, DENIED_MS, State};
use roundsman_core::time::Mono;

impl Bus {
    /// News of the port.
    pub fn handle_port(&mut self, port: Port, now: Mono) {
        self.held.clear();
        self.outbox.clear();
        self.preamble.clear();
        self.action = None;
        let former = std::mem::replace(&mut self.state, State::Free);
        if let State::Awaiting(awaiting) = former {
            let Queued { ticket, exchange, is_mirror, mut tries_left, since } = awaiting.queued;
            // The other end closed before it heard anything: that was no try.
            if !awaiting.heard && port == Port::Gone(Lost::Closed) && ticket != Ticket(0) {
                tries_left += 1;
            }
            let queued = Queued { ticket, exchange, is_mirror, tries_left, since };
            self.owe(&queued, awaiting.given_up_at, now);
            match (tries_left, port) {
                (0, Port::Gone(lost)) => self.finish(queued, Outcome::Gone(lost)),
                (0, Port::Open) => self.finish(queued, Outcome::Gone(Lost::Closed)),
                _ => self.queue.push(queued),
            }
        }
        match port {
            Port::Open => self.open(now),
            Port::Gone(lost) => {
                self.counters.lost += 1;
                self.state = State::Closed(lost, None);
                if lost == Lost::Closed {
                    self.ask_for_port(now);
                } else {
                    self.give_up_all(lost);
                }
            }
        }
    }

    pub(super) fn open(&mut self, now: Mono) {
        self.is_echoing = None;
        self.mute = 0;
        self.units.may_be_back();
        if self.line.recovery == Recovery::Reopen {
            self.units.forget_owed();
        }
        self.rest(now, self.line.gap_ms, self.line.gap_ms);
        let Some(opening) = &mut self.opening else {
            self.state = State::Free;
            return;
        };
        self.state = State::Opening(now.plus_ms(self.line.open_ms.into()));
        let step = opening.begin();
        self.step(step, now);
    }

    /// Carries out what the dialogue wants; says whether it goes on with what is held.
    pub(super) fn step(&mut self, step: Step, now: Mono) -> bool {
        match step {
            Step::More => false,
            Step::Say { taken, send } => {
                self.held.drain(..taken.min(self.held.len()));
                if !send.is_empty() {
                    self.outbox.push_back(send);
                }
                if self.opening.as_ref().is_some_and(|opening| opening.is_over()) {
                    return self.step(Step::Open { taken: 0 }, now);
                }
                taken > 0
            }
            Step::Open { taken } => {
                self.held.drain(..taken.min(self.held.len()));
                self.preamble = self.opening.as_mut().map_or(Vec::new(), |opening| opening.preamble());
                self.state = State::Free;
                self.rest(now, self.line.gap_ms, self.line.gap_ms);
                false
            }
            Step::Denied => {
                self.close(Lost::Denied, now);
                false
            }
        }
    }

    pub(super) fn close(&mut self, lost: Lost, now: Mono) {
        self.held.clear();
        self.state = State::Closed(lost, None);
        self.action = Some(Action::Close);
        if lost == Lost::Denied {
            self.denied_until = now.plus_ms(DENIED_MS);
        }
        self.give_up_all(lost);
    }

    /// The credentials were refused in an answer to a request: nothing of the queue has a chance.
    pub fn deny(&mut self, now: Mono) {
        self.counters.lost += 1;
        self.close(Lost::Denied, now);
    }

    pub(super) fn give_up_all(&mut self, lost: Lost) {
        for queued in self.queue.drain() {
            self.finish(queued, Outcome::Gone(lost));
        }
    }

    pub(super) fn ask_for_port(&mut self, now: Mono) {
        if let State::Closed(lost, None) = self.state
            && !self.queue.is_empty()
        {
            self.state = State::Closed(lost, Some(now.plus_ms(self.line.open_ms.into())));
            self.action = Some(Action::Open);
        }
    }
}
