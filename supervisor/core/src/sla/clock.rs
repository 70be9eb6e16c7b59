//! The clock of one fault.
//!
//! **A step of the wall clock adds nothing.** What passed since the last look is as long as the monotonic clock says;
//! the wall clock only says where in the week it lay: it ended now. So each look adds at most the time that passed,
//! and elapsed time never goes back. A step between two looks can place at most that one stretch wrongly.
//!
//! **One sum for all targets.** All targets of a fault start together and count the same service time; a target that
//! is stopped keeps what the sum was then. When the fault is restored the sum goes on, silently: reopened within its
//! time, the fault goes on with the original clock, and what passed in between counts.
//!
//! **What is said is said.** Each target warns once and breaches once. A breach stays, whatever policy, reopening or
//! amendment comes later. A breach found without a warning before it (the box was off) is not warned of any more.
//!
//! There is no pause: shelving a fault silences messages, it does not stop the contract.

use super::policy::{Policy, Target};
use crate::time::{Mono, Now, Wall};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Most time between two looks at a clock whose service hours depend on the wall clock, in ms: the wall clock may be
/// stepped into working hours, and then a limit is reached earlier than was foreseen.
pub const LOOK_AGAIN_MS: u64 = 60_000;

/// Something to be told, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The limit of this target is near.
    Warning(Target),
    /// The limit of this target is reached.
    Breach(Target),
}

/// When a target was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Service time until then, in ms.
    pub elapsed_ms: u64,
    /// The limit it had then, in ms: a later policy does not change what was done.
    pub limit_ms: Option<u64>,
    /// Whether time was missing from the clock then ([`Kept::uncertain`]); an amendment is added here too.
    pub uncertain: bool,
}

/// What became of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// When it was stopped; `None`: not yet, or not any more after a reopening.
    pub stopped: Option<Stop>,
    /// Whether its warning was given, or its breach made that needless.
    pub warned: bool,
    /// Service time at its breach, in ms.
    pub breached_ms: Option<u64>,
}

/// What the store keeps of a clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Service time since the start, in ms.
    pub elapsed_ms: u64,
    /// What had elapsed when the present policy came to hold, in ms; 0 for the first.
    pub bound_ms: u64,
    /// Whether time passed that nobody can know: the box was off and its clock unknown.
    pub uncertain: bool,
    /// What became of the targets, in the order of [`Target::ALL`].
    pub targets: [Progress; 3],
}

/// What passed between two looks at a clock of which the later one is after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downtime {
    /// So much time, which ended at this wall time.
    Known {
        /// Its end.
        until: Wall,
        /// How long it was, in ms.
        length_ms: u64,
    },
    /// Nobody can know how much.
    Unknown,
}

/// How a target stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its time runs.
    Running,
    /// Done within the limit.
    Met,
    /// Not done within the limit; done or not by now.
    Breached {
        /// Service time at the breach, in ms.
        at_ms: u64,
    },
    /// The fault was over before it was done or its limit reached.
    Unneeded,
}

/// The clock of one fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    policy: Arc<Policy>,
    /// The last look.
    at: Now,
    kept: Kept,
}

impl Clock {
    /// A clock that started `ago_ms` ago: more than 0 where the contract counts from the first bad evidence. Its
    /// first signals come with the next [`advance`](Clock::advance).
    pub fn start(policy: Arc<Policy>, ago_ms: u64, now: Now, utc_offset_s: i32) -> Clock {
        let mut clock = Clock { policy, at: now, kept: Kept::default() };
        clock.pass(now.wall, ago_ms, utc_offset_s);
        clock
    }

    /// A clock as it was kept, and what passed since then, in order: as a rule how long the box still ran after it
    /// was kept, then how long it was off. Its signals come with the next [`advance`](Clock::advance).
    pub fn restore(
        policy: Arc<Policy>,
        kept: Kept,
        passed: &[Downtime],
        now: Now,
        utc_offset_s: i32,
    ) -> Clock {
        let mut clock = Clock { policy, at: now, kept };
        for downtime in passed {
            match *downtime {
                Downtime::Known { until, length_ms } => clock.pass(until, length_ms, utc_offset_s),
                Downtime::Unknown => clock.kept.uncertain = true,
            }
        }
        clock
    }

    /// Time passes until now. The site is `utc_offset_s` seconds ahead of UTC.
    #[must_use = "signals are given once"]
    pub fn advance(&mut self, now: Now, utc_offset_s: i32) -> Vec<Signal> {
        self.pass(now.wall, now.mono.since_ms(self.at.mono), utc_offset_s);
        self.at = Now { mono: now.mono.max(self.at.mono), wall: now.wall };
        Target::ALL.iter().filter_map(|&target| self.signal(target)).collect()
    }

    /// A target is done: acknowledged, arrived, cleared. Done again, it stays as it was.
    #[must_use = "signals are given once"]
    pub fn stop(&mut self, target: Target, now: Now, utc_offset_s: i32) -> Vec<Signal> {
        let signals = self.advance(now, utc_offset_s);
        let Kept { elapsed_ms, uncertain, .. } = self.kept;
        let stop = Stop { elapsed_ms, limit_ms: self.policy.limit_ms(target), uncertain };
        self.kept.targets[target as usize].stopped.get_or_insert(stop);
        signals
    }

    /// The fault came back: it is not restored any more, and the time since then counts. What else was done or
    /// breached stays so.
    #[must_use = "signals are given once"]
    pub fn reopen(&mut self, now: Now, utc_offset_s: i32) -> Vec<Signal> {
        self.kept.targets[Target::Restore as usize].stopped = None;
        self.advance(now, utc_offset_s)
    }

    /// Another policy holds from now on, as after a change of severity. What elapsed stays, as the old one's hours
    /// counted it; a limit that is passed already is breached now; what was done or breached stays so.
    ///
    /// Where no policy is for the new severity, leave the clock as it is: what was promised for the worse fault is
    /// not made up for by its getting better.
    #[must_use = "signals are given once"]
    pub fn rebind(&mut self, policy: Arc<Policy>, now: Now, utc_offset_s: i32) -> Vec<Signal> {
        let mut signals = self.advance(now, utc_offset_s);
        self.policy = policy;
        self.kept.bound_ms = self.kept.elapsed_ms;
        signals.extend(self.advance(now, utc_offset_s));
        signals
    }

    /// A person says how much service time passed that nobody could know; the clock is certain again. It counts for
    /// what was done since as well, and may show that to be too late. Nothing happens to a clock that is certain.
    #[must_use = "signals are given once"]
    pub fn amend(&mut self, missing_ms: u64, now: Now, utc_offset_s: i32) -> Vec<Signal> {
        let mut signals = self.advance(now, utc_offset_s);
        if !std::mem::take(&mut self.kept.uncertain) {
            return signals;
        }
        self.kept.elapsed_ms = self.kept.elapsed_ms.saturating_add(missing_ms);
        for target in Target::ALL {
            if self.end(*target).is_some_and(|stop| stop.uncertain) {
                let elapsed_ms = self.elapsed_ms(*target).saturating_add(missing_ms);
                signals.extend(self.breach(*target, elapsed_ms));
            }
        }
        let stops = self.kept.targets.iter_mut().filter_map(|progress| progress.stopped.as_mut());
        for stop in stops.filter(|stop| stop.uncertain) {
            stop.elapsed_ms = stop.elapsed_ms.saturating_add(missing_ms);
            stop.uncertain = false;
        }
        signals.extend(self.advance(now, utc_offset_s));
        signals
    }

    /// When to look again: the next warning or breach, as far as can be foreseen, or [`LOOK_AGAIN_MS`] after the last
    /// look where a step of the wall clock could bring it forward. `None` where nothing can come any more.
    ///
    /// It may be too early; then [`advance`](Clock::advance) gives nothing, and there is a new moment.
    pub fn next_due(&self, utc_offset_s: i32) -> Option<Mono> {
        let goals = Target::ALL.iter().filter(|&&target| self.is_running(target)).filter_map(|&target| {
            let progress = self.progress(target);
            let goal_ms =
                if progress.warned { self.policy.limit_ms(target) } else { self.policy.warn_ms(target) };
            goal_ms.filter(|_| progress.breached_ms.is_none())
        });
        let goal_ms = goals.min()?;
        let foreseen_ms = self.reached(goal_ms, utc_offset_s).map(|wall| wall.0.abs_diff(self.at.wall.0));
        let most_ms = if self.policy.calendar.is_always() { u64::MAX } else { LOOK_AGAIN_MS };
        Some(self.at.mono.plus_ms(foreseen_ms.unwrap_or(most_ms).min(most_ms)))
    }

    /// When the limit of a running target is reached, for people: the wall clock may be stepped before. `None` where
    /// the target has no limit, is done or passed it, or where there is no service time for fifty years.
    pub fn limit_at(&self, target: Target, utc_offset_s: i32) -> Option<Wall> {
        let limit_ms = self.policy.limit_ms(target).filter(|_| self.is_running(target))?;
        self.reached(limit_ms, utc_offset_s).filter(|_| self.progress(target).breached_ms.is_none())
    }

    /// How a target stands; `None` where it has no limit and never breached one.
    pub fn standing(&self, target: Target) -> Option<Standing> {
        let progress = self.progress(target);
        if let Some(at_ms) = progress.breached_ms {
            return Some(Standing::Breached { at_ms });
        }
        self.limit_ms(target)?;
        Some(match (progress.stopped, self.end(target)) {
            (Some(_), _) => Standing::Met,
            (None, Some(_)) => Standing::Unneeded,
            (None, None) => Standing::Running,
        })
    }

    /// Service time of a target as of the last look, in ms: until it was done, or the fault over.
    pub fn elapsed_ms(&self, target: Target) -> u64 {
        self.end(target).map_or(self.kept.elapsed_ms, |stop| stop.elapsed_ms)
    }

    /// Whether time is missing until a person amends it.
    pub fn is_uncertain(&self) -> bool {
        self.kept.uncertain
    }

    /// The policy that holds.
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// What the store is to keep, as of the last look.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    fn progress(&self, target: Target) -> &Progress {
        &self.kept.targets[target as usize]
    }

    /// When a target ended: when it was done, or else when the fault was over.
    fn end(&self, target: Target) -> Option<Stop> {
        self.progress(target).stopped.or(self.progress(Target::Restore).stopped)
    }

    /// The limit that holds for a target, or did when it was done.
    fn limit_ms(&self, target: Target) -> Option<u64> {
        let stopped = self.progress(target).stopped;
        stopped.map_or_else(|| self.policy.limit_ms(target), |stop| stop.limit_ms)
    }

    fn is_running(&self, target: Target) -> bool {
        self.end(target).is_none()
    }

    /// So much time passed, and ended at this wall time.
    fn pass(&mut self, until: Wall, length_ms: u64, utc_offset_s: i32) {
        let from = Wall(until.0.saturating_sub_unsigned(length_ms));
        let service_ms = self.policy.calendar.service_ms(from, length_ms, utc_offset_s);
        self.kept.elapsed_ms = self.kept.elapsed_ms.saturating_add(service_ms);
    }

    /// When so much service time will have passed since the start.
    fn reached(&self, goal_ms: u64, utc_offset_s: i32) -> Option<Wall> {
        let missing_ms = goal_ms.saturating_sub(self.kept.elapsed_ms);
        self.policy.calendar.after(self.at.wall, missing_ms, utc_offset_s)
    }

    /// What is to be told of a running target now.
    fn signal(&mut self, target: Target) -> Option<Signal> {
        if !self.is_running(target) {
            return None;
        }
        let elapsed_ms = self.kept.elapsed_ms;
        if let Some(breach) = self.breach(target, elapsed_ms) {
            return Some(breach);
        }
        let is_due = self.policy.warn_ms(target).is_some_and(|warn_ms| elapsed_ms >= warn_ms);
        let warned = &mut self.kept.targets[target as usize].warned;
        (is_due && !std::mem::replace(warned, *warned || is_due)).then_some(Signal::Warning(target))
    }

    /// Marks a breach, once, if the limit is reached: at the limit, or where the policy came to hold only after that,
    /// then.
    fn breach(&mut self, target: Target, elapsed_ms: u64) -> Option<Signal> {
        let limit_ms = self.limit_ms(target).filter(|&limit_ms| elapsed_ms >= limit_ms)?;
        let bound_ms = self.kept.bound_ms.min(elapsed_ms);
        let progress = &mut self.kept.targets[target as usize];
        if progress.breached_ms.is_some() {
            return None;
        }
        progress.warned = true;
        progress.breached_ms =
            Some(if progress.stopped.is_some() { limit_ms } else { limit_ms.max(bound_ms) });
        Some(Signal::Breach(target))
    }
}
