//! Whether a device is there: `unreachable` and `no-data`.
//!
//! A failed poll opens an episode: the device is asked again after 1, 2 and 4 s, its reach probe beside each of
//! them. Any good value ends the episode. When the last retry failed too, the verdict is `unreachable` if no reply of
//! any kind came in the whole episode, else `no-data`. A fault of the one kind gives way to the other when the
//! evidence turns.

use super::Generation;
use super::mutation::{self, Mutation};
use crate::time::{Mono, Now};

/// When a failed device is asked again, in ms after the failure. Serves `unreachable` and `no-data` only.
pub(super) const RETRY_AFTER_MS: [u64; 3] = [1_000, 2_000, 4_000];

/// An asked poll or probe that has not answered by then counts as silent. Longer than any poll of the driver takes.
pub(super) const ASK_DEADLINE_MS: u64 = 30_000;

/// After the first good poll of a device that was away, how soon the second is asked for.
pub(super) const CONFIRM_GOOD_MS: u64 = 2_000;

/// Polls in a row that must contradict an open presence fault before it gives way to the other kind.
const CONTRARY_POLLS: u8 = 3;

/// What one poll says about presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// At least one good value.
    Data,
    /// Valid replies, no good value.
    Mute,
    /// No valid reply.
    Silent,
}

/// Which of the two faults is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    Unreachable,
    NoData,
}

/// What the engine is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask reach now, and poll at this moment.
    Retry { poll_at: Mono },
    /// Ask reach now; the verdict waits for it.
    AskReach,
    /// Poll at this moment, to confirm that it is back, or gone.
    Confirm { poll_at: Mono },
    /// Raise.
    Raise(Absent),
    /// End.
    Clear(Absent),
    /// End the one, raise the other.
    Turn { from: Absent, to: Absent },
}

/// Presence of one device.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    /// Episode number; answers of an older one are dropped.
    pub(super) generation: Generation,
    /// When the running episode began.
    pub(super) since: Option<Now>,
    /// Polls failed in this episode.
    failed: u8,
    /// Whether any reply, of reach or protocol, came in this episode.
    answered: bool,
    /// Deadline of a reach probe that has not answered.
    pub(super) reach_due: Option<Mono>,
    /// Deadline of an asked poll that has not answered.
    pub(super) poll_due: Option<Mono>,
    /// The verdict waits for the reach probe.
    deciding: bool,
    /// The open fault.
    pub(super) fault: Option<Absent>,
    /// Good polls in a row while a fault is open.
    good: u8,
    /// Polls in a row that contradict the open fault.
    contrary: u8,
    /// Since when a device whose `no-data` is open does not reply at all.
    mum_since: Option<Mono>,
    /// Whether it was ever polled.
    pub(super) known: bool,
}

impl Presence {
    /// The same device after a reload: answers on their way are void, the open fault is handed in again.
    pub(super) fn renewed(self) -> Presence {
        let generation = Generation(self.generation.0.wrapping_add(1));
        Presence { generation, known: self.known, ..Presence::default() }
    }

    /// What has been heard so far says nothing any more: the way to the device was not free. The episode begins anew.
    pub(super) fn start_over(&mut self) {
        self.next_generation();
        self.mum_since = None;
        (self.failed, self.good, self.contrary) = (0, 0, 0);
        (self.answered, self.deciding) = (false, false);
    }

    /// The verdict was not told to anybody and is void.
    pub(super) fn withdraw(&mut self) {
        self.fault = None;
    }

    /// Since when it may be gone without a verdict: it fell silent a moment ago, or was asked, at this moment, and has not
    /// answered. One without data may be gone as well as any other.
    pub(super) fn suspect_since(&self, asked: Option<Mono>) -> Option<Mono> {
        let asked = || self.poll_due.map(|_| asked.unwrap_or_default());
        match self.fault {
            None => self.since.map(|since| since.mono).or_else(asked),
            Some(Absent::NoData) => self.mum_since.or_else(asked),
            Some(Absent::Unreachable) => None,
        }
    }

    /// Whether one without data replied to the latest question of any kind.
    pub(super) fn replies_without_data(&self) -> bool {
        self.fault == Some(Absent::NoData) && self.contrary == 0
    }

    /// Whether the poll that just failed is the first of its episode.
    pub(super) fn has_just_failed(&self) -> bool {
        match self.fault {
            None => self.failed == 1,
            Some(Absent::NoData) => self.mum_since.is_some() && self.contrary == 0,
            Some(Absent::Unreachable) => false,
        }
    }

    /// Another failure may explain its silence: it stays as it is until the next poll.
    pub(super) fn turn_later(&mut self, from: Absent, now: Now) {
        self.fault = Some(from);
        (self.contrary, self.mum_since) = (CONTRARY_POLLS - 1, Some(now.mono));
    }

    /// Takes a poll's evidence.
    pub(super) fn polled(&mut self, evidence: Evidence, now: Now) -> Option<Step> {
        self.known = true;
        self.poll_due = None;
        match evidence {
            Evidence::Data => self.back(now),
            Evidence::Mute | Evidence::Silent => self.failed_poll(evidence, now),
        }
    }

    fn back(&mut self, now: Now) -> Option<Step> {
        if self.since.take().is_some() {
            self.next_generation();
        }
        self.failed = 0;
        self.agree();
        self.answered = false;
        self.deciding = false;
        let fault = self.fault?;
        self.good += 1;
        let is_early = mutation::is_on(Mutation::ClearAfterOneGoodPoll);
        if u32::from(self.good) < super::condition::GOOD_POLLS_TO_CLEAR && !is_early {
            return Some(Step::Confirm { poll_at: now.mono.plus_ms(CONFIRM_GOOD_MS) });
        }
        self.good = 0;
        self.fault = None;
        Some(Step::Clear(fault))
    }

    fn failed_poll(&mut self, evidence: Evidence, now: Now) -> Option<Step> {
        if self.since.is_none() {
            self.since = Some(now);
            self.next_generation();
        }
        self.good = 0;
        self.answered |= evidence == Evidence::Mute;
        match self.fault {
            Some(fault) => self.failed_again(fault, evidence, now),
            None => {
                let retry = RETRY_AFTER_MS.get(usize::from(self.failed)).copied();
                self.failed = self.failed.saturating_add(1);
                match retry {
                    Some(after_ms) => Some(Step::Retry { poll_at: now.mono.plus_ms(after_ms) }),
                    None if self.answered || mutation::is_on(Mutation::VerdictWithoutReach) => self.verdict(),
                    None => {
                        self.deciding = true;
                        Some(Step::AskReach)
                    }
                }
            }
        }
    }

    /// A poll failed while a fault is open: does it fit the fault?
    fn failed_again(&mut self, fault: Absent, evidence: Evidence, now: Now) -> Option<Step> {
        match (fault, evidence) {
            (Absent::Unreachable, Evidence::Mute) => self.contradict(fault, now),
            (Absent::NoData, Evidence::Mute) => {
                self.agree();
                None
            }
            // Silence alone fits both: the reach probe tells them apart.
            (Absent::NoData, _) => {
                self.mum_since.get_or_insert(now.mono);
                Some(Step::AskReach)
            }
            _ => Some(Step::AskReach),
        }
    }

    /// Takes the answer of a reach probe, or its silence.
    pub(super) fn reached(&mut self, answered: bool, now: Now) -> Option<Step> {
        self.reach_due = None;
        self.answered |= answered;
        match self.fault {
            None if self.deciding => self.verdict(),
            None => None,
            Some(Absent::Unreachable) if answered => self.contradict(Absent::Unreachable, now),
            Some(Absent::NoData) if !answered => self.contradict(Absent::NoData, now),
            Some(_) => {
                self.agree();
                None
            }
        }
    }

    /// The evidence fits the open fault.
    fn agree(&mut self) {
        self.contrary = 0;
        self.mum_since = None;
    }

    fn contradict(&mut self, from: Absent, now: Now) -> Option<Step> {
        self.contrary += 1;
        if self.contrary < CONTRARY_POLLS {
            // Others may be hidden behind one that is gone: that is not left to the regular polls.
            let after_ms = RETRY_AFTER_MS.get(usize::from(self.contrary));
            let again = |after_ms: &u64| Step::Confirm { poll_at: now.mono.plus_ms(*after_ms) };
            return after_ms.filter(|_| from == Absent::NoData).map(again);
        }
        self.agree();
        let to = match from {
            Absent::Unreachable => Absent::NoData,
            Absent::NoData => Absent::Unreachable,
        };
        self.fault = Some(to);
        Some(Step::Turn { from, to })
    }

    fn verdict(&mut self) -> Option<Step> {
        self.deciding = false;
        let fault = if self.answered { Absent::NoData } else { Absent::Unreachable };
        self.fault = Some(fault);
        self.agree();
        Some(Step::Raise(fault))
    }

    /// Answers that are on their way are void.
    pub(super) fn next_generation(&mut self) {
        self.generation = Generation(self.generation.0.wrapping_add(1));
        self.reach_due = None;
        self.poll_due = None;
    }
}
