//! Laws of `unreachable` and `no-data`: what each needs to have been heard, and when those nearer must have been asked.

use super::register::Register;
use super::sight::Sight;
use super::{Broken, Heard, Law, Scene};
use crate::site::Plan;
use crate::world::{Outcome, World, ways};
use roundsman_core::fault::{
    Ask, Change, Ending, FaultKey, Generation, NO_DATA, Probe, Transition, UNREACHABLE,
};
use roundsman_core::time::Mono;
use std::collections::VecDeque;

/// Polls of an episode before its verdict.
const VERDICT_POLLS: u32 = 4;
/// Answers in a row that make one of the two faults give way to the other.
const TURN_ANSWERS: u32 = 3;
/// Those nearer to the box were asked in the episode, or shortly before it.
const ASKED_BEFORE_MS: u64 = 60_000;
/// A verdict waits so long at most for what it asked; what never answers, or late, may take longer.
const UNANSWERED_MS: u64 = 300_000;
const LATE_MS: u64 = 10_000;

/// What was heard of one device.
#[derive(Clone, Debug, Default)]
struct Presence {
    /// Silent polls and probes since its last reply of any kind.
    silent: u32,
    unreached: u32,
    /// Of these probes, those since the poll that completes an episode.
    unreached_at_last: u32,
    /// Polls without data since the last one with data; replies of any kind since then, and in a row.
    barren: u32,
    replied: bool,
    replies: u32,
    good: u32,
    /// Of the silent and the barren ones, those that were started since its way is free.
    fresh_silent: u32,
    fresh_barren: u32,
    fresh_good: u32,
    freed: Mono,
    replied_at: Mono,
    /// When the first of the silent polls ended.
    began: Mono,
    /// When the poll of this step was started, if it brought data, and if it brought a reply without.
    data: Option<Mono>,
    mute: Option<Mono>,
    /// When it was asked or gave an answer last, and when an ask of it ran out of time.
    looked_at: Mono,
    ran_out: Option<Mono>,
    /// When an answer came late.
    late: Option<Mono>,
    /// Asks under way: deadline, moment, what, generation.
    asked: VecDeque<(Mono, Mono, Probe, Generation)>,
    generation: Generation,
}

/// All devices.
pub(super) struct Presences {
    of: Vec<Presence>,
    /// Ends of this step that are the one half of a turn.
    turned: Vec<(usize, bool)>,
}

impl Presence {
    fn silence(&mut self, started: Mono, now: Mono) {
        if self.silent == 0 {
            self.began = now;
        }
        self.silent += 1;
        if self.silent == VERDICT_POLLS {
            self.unreached_at_last = 0;
        }
        self.barren += 1;
        (self.good, self.fresh_good) = (0, 0);
        if started >= self.freed {
            self.fresh_silent += 1;
            self.fresh_barren += 1;
        }
    }

    fn silent_probe(&mut self) {
        self.unreached += 1;
        self.unreached_at_last += 1;
        self.replies = 0;
    }

    fn reply(&mut self, now: Mono) {
        self.replied_at = now;
        (self.silent, self.unreached, self.fresh_silent) = (0, 0, 0);
        (self.replied, self.replies) = (true, self.replies + 1);
    }
}

impl Presences {
    pub(super) fn new(count: usize) -> Presences {
        Presences { of: vec![Presence::default(); count], turned: Vec::new() }
    }

    /// Nothing that was heard before counts.
    pub(super) fn start_over(&mut self, now: Mono) {
        for presence in &mut self.of {
            *presence = Presence { freed: now, ..Presence::default() };
        }
    }

    /// What hid these since then is over. Who can be reached without it was free already: somebody on the way replied.
    pub(super) fn freed(
        &mut self,
        root: usize,
        devices: Vec<(usize, Mono)>,
        sight: &Sight,
        scene: Scene<'_>,
    ) {
        let Some(since) = devices.iter().map(|(_, since)| *since).min() else { return };
        let since = since.min(self.of[root].began);
        let has_replied = |at: &usize| self.of[*at].replied_at > since || scene.plan.attached == Some(*at);
        let mut next: Vec<usize> = (0..self.of.len()).filter(has_replied).collect();
        let mut free = vec![false; self.of.len()];
        while let Some(at) = next.pop() {
            if at != root && !std::mem::replace(&mut free[at], true) && !sight.has_failed(at) {
                next.extend(&scene.plan.near[at]);
            }
        }
        devices.into_iter().filter(|(at, _)| !free[*at]).for_each(|(at, _)| self.is_free(at, scene.now.mono));
    }

    /// The way to a device is free from now on.
    pub(super) fn is_free(&mut self, at: usize, now: Mono) {
        let presence = &mut self.of[at];
        (presence.fresh_silent, presence.fresh_barren, presence.fresh_good) = (0, 0, 0);
        presence.freed = now;
    }

    /// A step begins: asks whose time is over count as silence.
    pub(super) fn begin(&mut self, scene: Scene<'_>) {
        self.turned.clear();
        let now = scene.now.mono;
        for presence in &mut self.of {
            (presence.data, presence.mute) = (None, None);
            while let Some(&(deadline, moment, probe, generation)) = presence.asked.front()
                && deadline <= now
            {
                presence.asked.pop_front();
                if generation != presence.generation {
                    continue;
                }
                presence.ran_out = Some(now);
                match probe {
                    Probe::Poll => presence.silence(moment, now),
                    Probe::Reach => presence.silent_probe(),
                }
            }
        }
    }

    pub(super) fn asks(&mut self, at: usize, ask: &Ask, now: Mono) {
        let presence = &mut self.of[at];
        (presence.looked_at, presence.generation) = (now, ask.generation);
        let place = presence.asked.partition_point(|(deadline, ..)| *deadline <= ask.deadline);
        presence.asked.insert(place, (ask.deadline, ask.at, ask.probe, ask.generation));
    }

    pub(super) fn hear(&mut self, heard: &Heard, scene: Scene<'_>) {
        let now = scene.now.mono;
        match heard {
            Heard::Polled { at, generation, started, outcome } => {
                let presence = &mut self.of[*at];
                (presence.looked_at, presence.generation) = (now, *generation);
                if now.since_ms(*started) > LATE_MS {
                    presence.late = Some(now);
                }
                presence.asked.retain(|(_, _, probe, _)| *probe != Probe::Poll);
                match outcome {
                    Outcome::Silent => presence.silence(*started, now),
                    Outcome::Mute => {
                        presence.silence(*started, now);
                        presence.reply(now);
                        presence.mute = Some(*started);
                    }
                    Outcome::Data => {
                        presence.reply(now);
                        presence.good += 1;
                        presence.fresh_good += u32::from(*started >= presence.freed);
                        (presence.barren, presence.fresh_barren) = (0, 0);
                        (presence.replied, presence.replies, presence.data) = (false, 0, Some(*started));
                    }
                }
            }
            Heard::Reached { at, generation, answered } => {
                let presence = &mut self.of[*at];
                presence.generation = *generation;
                presence.asked.retain(|(_, _, probe, _)| *probe != Probe::Reach);
                match answered {
                    true => presence.reply(now),
                    false => presence.silent_probe(),
                }
            }
            _ => {}
        }
    }

    pub(super) fn transition(
        &mut self,
        at: usize,
        transition: &Transition,
        sight: &Sight,
        heard: &Heard,
        scene: Scene<'_>,
    ) -> Result<(), Broken> {
        let Transition { change, fault, .. } = transition;
        let presence = &self.of[at];
        let shown = || format!("{} {} of {}: {presence:?}", fault.key.rule, change.word(), fault.key.device);
        let turned = self.turned.iter().any(|(turned, _)| *turned == at);
        match (&*fault.key.rule, change) {
            (UNREACHABLE, Change::Raised | Change::Reopened) => {
                let episode = presence.silent >= VERDICT_POLLS && presence.unreached_at_last > 0;
                let turns = turned && presence.unreached >= TURN_ANSWERS;
                Law::Evidence.needs(episode || turns, shown)?;
                if fault.hidden_by.is_none() {
                    // A poll that was under way when the way became free may be the first of its episode.
                    Law::FreshPoll.needs(presence.fresh_silent + 1 >= VERDICT_POLLS || turns, shown)?;
                    self.way_was_asked(at, turned, sight, scene)?;
                }
            }
            (NO_DATA, Change::Raised | Change::Reopened) => {
                let episode = presence.barren >= VERDICT_POLLS;
                let turns = turned && presence.replies >= TURN_ANSWERS;
                Law::Evidence.needs((episode || turns) && presence.replied, shown)?;
            }
            (UNREACHABLE | NO_DATA, Change::Ended) if fault.ending == Some(Ending::Cleared) => {
                let is_unreachable = &*fault.key.rule == UNREACHABLE;
                let turns =
                    if is_unreachable { presence.replies } else { presence.unreached } >= TURN_ANSWERS;
                Law::Evidence.needs(presence.good >= 2 || turns, shown)?;
                self.turned.push((at, is_unreachable));
            }
            (_, Change::Revealed) => {
                let reply = presence.mute.filter(|_| &*fault.key.rule == NO_DATA).or(presence.data);
                let by_data = reply.is_some_and(|started| started >= presence.freed);
                let by_silence = presence.fresh_barren + 1 >= VERDICT_POLLS;
                let is_poll = matches!(heard, Heard::Polled { at: polled, .. } if *polled == at);
                let ran_out = presence.ran_out == Some(scene.now.mono);
                Law::FreshPoll.needs((is_poll || ran_out) && (by_data || by_silence), shown)?;
                return self.reveals_what_is_there(at, sight, scene);
            }
            _ => {}
        }
        Ok(())
    }

    /// A verdict that people are told of: those nearer to the box were asked first, and do not explain it.
    fn way_was_asked(&self, at: usize, turned: bool, sight: &Sight, scene: Scene<'_>) -> Result<(), Broken> {
        let Scene { plan, now, .. } = scene;
        let presence = &self.of[at];
        let is_same = sight.unchanged_since(now.mono) < presence.began;
        for nearer in towards_the_box(plan, at, sight) {
            let asked = Mono(self.of[nearer].looked_at.0 + ASKED_BEFORE_MS) >= presence.began;
            Law::OneVoice.needs(asked || turned || !is_same || sight.is_out(nearer), || {
                format!("verdict about d{at}, but d{nearer} was not asked: {:?}", self.of[nearer])
            })?;
        }
        self.is_its_own(at, Mono(presence.began.0.saturating_sub(ASKED_BEFORE_MS)), now.mono, scene)
    }

    /// Its silence is not that of a device nearer to the box.
    fn is_its_own(&self, at: usize, lost_before: Mono, now: Mono, scene: Scene<'_>) -> Result<(), Broken> {
        let World { blocked, since, reached, .. } = scene.world;
        let explained = blocked[at] && since[at] < lost_before;
        let lately =
            |presence: &Presence| presence.ran_out.is_some_and(|at| now.since_ms(at) < UNANSWERED_MS);
        let unanswered = (0..self.of.len()).any(|other| !reached[other] && lately(&self.of[other]));
        Law::OneVoice.needs(!explained || unanswered, || {
            format!("d{at} speaks, its way is lost since {:?}", since[at])
        })
    }

    fn reveals_what_is_there(&self, at: usize, sight: &Sight, scene: Scene<'_>) -> Result<(), Broken> {
        let World { blocked, since, .. } = scene.world;
        let long = scene.now.mono.since_ms(since[at]) > UNANSWERED_MS;
        let cut = blocked[at] && long && sight.is_cut(at);
        Law::OneVoice.needs(!cut, || format!("d{at} is revealed, its way is lost since {:?}", since[at]))
    }

    /// Questions under way.
    pub(super) fn outstanding(&self) -> usize {
        self.of.iter().map(|presence| presence.asked.len()).sum()
    }

    /// When it replied last, to a poll or a probe.
    pub(super) fn replied_at(&self, at: usize) -> Mono {
        self.of[at].replied_at
    }

    /// Two good polls in a row end both faults, or two fresh ones where it was hidden.
    pub(super) fn well(&self, at: usize, register: &Register, plan: &Plan) -> Result<(), Broken> {
        if self.of[at].fresh_good < 2 || self.of[at].good < 3 {
            return Ok(());
        }
        for rule in [UNREACHABLE, NO_DATA] {
            let key = FaultKey { device: plan.places[at].id.clone(), rule: rule.into(), instance: "".into() };
            Law::NoneKept.needs(register.open(&key).is_none(), || format!("{key:?}: {:?}", self.of[at]))?;
        }
        Ok(())
    }
}

/// The devices beside one from which a way is left to the box that does not lead back through it.
fn towards_the_box(plan: &Plan, at: usize, sight: &Sight) -> Vec<usize> {
    let reached = ways(plan, |other| other == at || sight.has_failed(other));
    plan.near[at].iter().copied().filter(|&beside| plan.places[beside].present && reached[beside]).collect()
}
