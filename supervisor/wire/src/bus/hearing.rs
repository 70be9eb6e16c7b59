//! What comes in: of the awaited exchange, of others, of nobody.

use super::awaiting::Sight;
use super::line::Echo;
use super::reader::{Read, Step};
use super::{Bus, MOST_EVENTS, MOST_HELD, Resting, State};
use roundsman_core::time::Mono;

impl Bus {
    /// Octets came in.
    pub fn handle_octets(&mut self, octets: &[u8], now: Mono) {
        self.counters.octets_in += octets.len() as u64;
        if matches!(self.state, State::Closed(..)) {
            return;
        }
        self.paused(now);
        for part in octets.chunks(MOST_HELD) {
            let held = match &mut self.state {
                State::Closed(..) => return,
                State::Awaiting(awaiting) => &mut awaiting.held,
                State::Opening(_) | State::Free => &mut self.held,
            };
            if held.len() + part.len() > MOST_HELD {
                self.counters.noise_octets += held.len() as u64;
                held.clear();
            }
            held.extend_from_slice(part);
            self.last_octet = now;
            self.was_silent = false;
            self.settle(false, now);
        }
        if matches!(self.state, State::Free) {
            self.disturbed(now);
        }
    }

    /// What came before a pause is over before new octets belong to anything: by itself after the line's gap, and after
    /// its quiet time whatever was begun.
    fn paused(&mut self, now: Mono) {
        let pause_ms = now.since_ms(self.last_octet);
        if pause_ms > self.silence_ms() && !self.was_silent {
            self.was_silent = true;
            self.settle(true, now);
        }
        let (reader, held) = match &mut self.state {
            State::Awaiting(awaiting) => (&awaiting.queued.exchange.reader, &mut awaiting.held),
            State::Free => (&self.listener, &mut self.held),
            State::Closed(..) | State::Opening(_) => return,
        };
        if pause_ms > u64::from(self.line.quiet_ms) && reader.is_of_one_piece() {
            self.counters.noise_octets += held.len() as u64;
            held.clear();
        }
    }

    /// Understands what is held, as far as it goes.
    pub(super) fn settle(&mut self, silent: bool, now: Mono) {
        loop {
            let goes_on = match &mut self.state {
                State::Closed(..) => false,
                State::Opening(_) => {
                    let held = std::mem::take(&mut self.held);
                    let step = match &mut self.opening {
                        Some(opening) if !held.is_empty() => opening.read(&held),
                        _ => Step::More,
                    };
                    self.held = held;
                    self.step(step, now)
                }
                State::Free => self.overhear(silent, now),
                State::Awaiting(awaiting) => {
                    let sight = awaiting.look(&self.line, silent, now);
                    self.see(sight, now)
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// What one sight of the awaited exchange comes to; says whether there may be more in what is held.
    pub(super) fn see(&mut self, sight: Sight, now: Mono) -> bool {
        match sight {
            Sight::Nothing => return false,
            Sight::Echo => self.counters.echoes += 1,
            Sight::Skipped => {}
            Sight::Noise(len) => self.counters.noise_octets += len as u64,
            Sight::Foreign(frame) => self.stranger(frame, now),
            Sight::NoEcho => self.fail(now),
            Sight::Copy => {
                let quickly = self.is_echoing == Some(false) && self.line.echo == Echo::Learn;
                if let State::Awaiting(awaiting) = &mut self.state {
                    let settled = now.plus_ms(self.line.quiet_ms.into());
                    awaiting.copy_until = Some(if quickly { settled } else { awaiting.deadline });
                }
            }
            Sight::Answer(frame) => self.answered(frame, now),
        }
        true
    }

    /// What comes while nothing is awaited; says whether there may be more in what is held.
    pub(super) fn overhear(&mut self, silent: bool, now: Mono) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let read = match silent {
            true => self.listener.read_at_silence(&self.held),
            false => self.listener.read(&self.held),
        };
        let len = read.len().min(self.held.len());
        match read {
            Read::More if silent => {
                self.counters.noise_octets += self.held.len() as u64;
                self.held.clear();
                false
            }
            Read::More => false,
            Read::Skip(_) => {
                self.held.drain(..len);
                true
            }
            Read::Noise(_) => {
                self.counters.noise_octets += len as u64;
                self.held.drain(..len);
                true
            }
            Read::Answer(_) | Read::Unsolicited(_) => {
                let frame = self.held.drain(..len).collect();
                self.stranger(frame, now);
                true
            }
        }
    }

    /// A sound frame that is not the awaited answer: late, or somebody's own accord.
    pub(super) fn stranger(&mut self, frame: Vec<u8>, now: Mono) {
        if self.units.owe(&frame, now) {
            self.counters.late += 1;
            return;
        }
        self.mute = 0;
        self.counters.foreign += 1;
        if self.events.len() >= MOST_EVENTS {
            self.events.pop_front();
            self.counters.events_dropped += 1;
        }
        self.events.push_back(frame);
    }

    /// Octets came while nothing is awaited: the next request waits until they are over, but not for ever.
    pub(super) fn disturbed(&mut self, now: Mono) {
        if now > self.free_at {
            self.resting = Resting { since: now, after_octet_ms: self.line.gap_ms, was_counted: false };
        }
        let most = self.resting.since.plus_ms(self.line.quiet_ms_most.into());
        let wanted = now.plus_ms(self.resting.after_octet_ms.into());
        if wanted > most && !self.resting.was_counted {
            self.resting.was_counted = true;
            self.counters.never_quiet += 1;
        }
        self.free_at = self.free_at.max(wanted.min(most));
    }

    /// What the exchange did not take is overheard.
    pub(super) fn keep(&mut self, held: Vec<u8>) {
        self.held = held;
        self.was_silent = false;
    }

    /// From now on the line is waited for: `ms` at least, and `after_octet_ms` after each octet that still comes.
    pub(super) fn rest(&mut self, now: Mono, ms: u32, after_octet_ms: u32) {
        self.resting = Resting { since: now, after_octet_ms, was_counted: false };
        self.free_at = self.free_at.max(now.plus_ms(ms.into()));
    }
}
