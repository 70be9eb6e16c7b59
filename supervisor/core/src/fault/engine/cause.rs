//! Root causes: of what a failed device cuts off nobody is told but that device's own fault.
//!
//! - A device that stops answering has those nearer to the box asked at once. Its own verdict waits for theirs, as long
//!   as they might explain it.
//! - What [`Topology::behind`] says is cut off is hidden: faults that are open, and those that come.
//! - When the way is free again a device says nothing until a fresh poll has judged: an episode of asking begins anew, a
//!   good poll lets value rules speak, four failed ones all faults.
//! - A device with several uplinks that has lost one of them has a fault of its own ([`redundancy`]).

mod redundancy;

use super::presence::{ASK_DEADLINE_MS, Absent, Evidence, RETRY_AFTER_MS};
use super::{Effect, Engine, FaultId, FaultKey, NO_DATA, Probe, Watched};
use crate::device::{Device, DeviceIx};
use crate::fault::Condition;
use crate::fault::mutation::{self, Mutation};
use crate::hidden::{Hiding, Root};
use crate::time::{Mono, Now};
use crate::topology::{Standing, Topology};
use redundancy::distinct_uplinks;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How long a verdict waits for those nearer to the box, ms: an episode of asking, and an answer that is late.
const HELD_MS: u64 = 2 * ASK_DEADLINE_MS;

/// A device is asked because of one behind it at most once in so many ms: a whole county falls silent at once.
const ASKED_AGAIN_MS: u64 = 5_000;

/// Who replied so lately, ms, was there while the one behind it was silent already: no poll is given up sooner.
const JUST_NOW_MS: u64 = 1_000;

/// The graph, and whether anything happened since it was looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Causes {
    topology: Topology,
    attached_to: Option<DeviceIx>,
    /// Devices with several uplinks.
    redundant: Vec<DeviceIx>,
    /// Who was hidden before the site is loaded, and who answered.
    kept: BTreeMap<Arc<str>, Root>,
    answering: BTreeSet<Arc<str>>,
    /// Verdicts wait.
    pub(super) holds: bool,
    /// Ways were lost when they were looked at last.
    degraded: bool,
    pub(super) unsettled: bool,
}

/// How one device stands in the graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// Its latest poll brought a valid reply.
    pub(super) answers: bool,
    /// When it replied last, to a poll or a probe.
    pub(super) answered_at: Mono,
    /// Its open `unreachable` fault.
    pub(super) out: Option<FaultId>,
    /// Since when nothing came through it.
    pub(super) out_since: Mono,
    /// The failed device that cuts it off now.
    cut: Option<Root>,
    /// As it was said last: it outlives `cut` until a fresh poll has judged.
    said: Option<Root>,
    /// Polls that failed since the way is free again, while faults wait for a fresh one.
    trial: Option<u8>,
    /// Its verdict waits for those nearer to the box, until then.
    pub(super) held_until: Option<Mono>,
    /// When it was asked last because of one behind it.
    asked: Option<Mono>,
}

impl Way {
    /// Whether a failed device cuts it off now, by all that is known.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }
}

impl Causes {
    /// The graph of a site. One with a loop is refused before it comes here; without a graph nothing is hidden.
    fn of(devices: &[Device], attached_to: Option<DeviceIx>) -> Causes {
        let topology = Topology::new(devices).unwrap_or_default();
        let all = (0..devices.len() as u32).map(DeviceIx);
        let redundant = all.filter(|device| distinct_uplinks(&devices[device.at()]).len() > 1).collect();
        let (unsettled, degraded) = (true, true);
        Causes { topology, attached_to, redundant, unsettled, degraded, ..Causes::default() }
    }

    /// What an earlier run knew: who is hidden, and who answered.
    pub(super) fn restore(&mut self, hidden: Vec<Hiding>, answering: BTreeSet<Arc<str>>) {
        let kept = hidden.into_iter().filter_map(|hiding| Some((hiding.device, hiding.behind?)));
        self.kept.extend(kept);
        self.answering = answering;
    }
}

/// Since when nothing comes through a device; `suspects`: also where its verdict is not there yet.
fn failed_since(watched: &Watched, suspects: bool) -> Option<Mono> {
    let Watched { presence, way, .. } = watched;
    if way.out.is_some() {
        return Some(way.out_since);
    }
    let held = || way.held_until.and(presence.since).map(|since| since.mono);
    suspects.then(|| presence.suspect_since(way.asked).or_else(held)).flatten()
}

impl Watched {
    /// Whether it replies, and did so after a moment. One without data replies too: a reach probe, or an agent that
    /// refuses.
    fn replies_since(&self, since: Mono) -> bool {
        self.replies() && self.way.answered_at >= since
    }

    fn replies(&self) -> bool {
        self.way.answers || self.presence.replies_without_data()
    }
}

impl Engine {
    /// Notes who is hidden and who answers, before the devices go.
    pub(super) fn keep_causes(&mut self) {
        for Watched { site, way, .. } in &self.devices {
            let id = &site.device.id;
            self.causes.kept.extend(way.said.clone().map(|root| (id.clone(), root)));
            self.causes.answering.extend(way.answers.then(|| id.clone()));
        }
    }

    /// Loads the graph of the devices that the engine has now. Who answered is taken to have done so in spite of what
    /// had failed by then, but for those that were hidden: their latest poll was before.
    pub(super) fn load_causes(&mut self, attached_to: Option<DeviceIx>, now: Now) {
        let mut kept = std::mem::take(&mut self.causes.kept);
        for watched in &mut self.devices {
            let root = kept.remove(&watched.site.device.id);
            watched.way.answers = self.causes.answering.contains(&watched.site.device.id);
            watched.way.answered_at = if root.is_none() { now.mono } else { Mono::default() };
            watched.way.out_since = now.mono;
            let waits = root.is_none() && self.register.hides_any(&watched.site.device.id);
            watched.way.trial = waits.then_some(0);
            (watched.way.cut, watched.way.said) = (root.clone(), root);
            let root = watched.way.cut.as_ref().map(|root| root.fault);
            self.register.cut_off(&watched.site.device.id, root);
        }
        let gone: Vec<Hiding> = kept.into_keys().map(|device| Hiding { device, behind: None }).collect();
        gone.iter().for_each(|hiding| self.register.cut_off(&hiding.device, None));
        self.hide(gone);
        let mut devices: Vec<Device> =
            self.devices.iter().map(|watched| watched.site.device.clone()).collect();
        if mutation::is_on(Mutation::RedundancyIsCut) {
            devices.iter_mut().for_each(|device| device.uplinks.truncate(1));
        }
        self.causes = Causes::of(&devices, attached_to);
    }

    /// Has those next to a device asked whether they are there, on all ways to the box that are left: where it has
    /// several, each may be the one that carried it.
    pub(super) fn ask_the_way(&mut self, device: DeviceIx, now: Now) {
        if mutation::is_on(Mutation::UplinksNotAsked) {
            return;
        }
        let Some(attached_to) = self.causes.attached_to else { return };
        let is_out = |device: DeviceIx| self.devices.get(device.at()).is_some_and(|d| d.way.out.is_some());
        let cut_since = self.cut_since(attached_to, false);
        // What replies behind one that is out leads on.
        let leads_on = |device: &DeviceIx| {
            let since = cut_since.get(device.at()).copied().flatten();
            since.is_some_and(|since| self.devices[device.at()].replies_since(since))
        };
        let there = (0..self.devices.len() as u32).map(DeviceIx).filter(leads_on).chain([attached_to]);
        for nearer in self.causes.topology.towards(there, device, is_out) {
            let Some(Watched { presence, way, .. }) = self.devices.get_mut(nearer.at()) else { continue };
            let asked = way.asked.is_some_and(|at| now.mono.since_ms(at) < ASKED_AGAIN_MS);
            let lately = asked || (way.answers && now.mono.since_ms(way.answered_at) < JUST_NOW_MS);
            let is_suspect = presence.suspect_since(way.asked).is_some() || way.held_until.is_some();
            if is_suspect || way.out.is_some() || lately {
                continue;
            }
            way.asked = Some(now.mono);
            self.ask(nearer, Probe::Poll, now.mono);
        }
    }

    /// Whether a verdict has to wait: those that are not decided yet would explain the silence.
    pub(super) fn may_be_cut_off(&self, device: DeviceIx) -> bool {
        self.cut_off(true).get(device.at()).copied().flatten().is_some()
    }

    /// Whether that would explain it which is not decided yet; what is hidden already waits for nothing.
    pub(super) fn may_be_explained(&self, device: DeviceIx) -> bool {
        let is_cut = self.devices.get(device.at()).is_some_and(|watched| watched.way.is_cut());
        !is_cut && self.may_be_cut_off(device)
    }

    /// A device whose verdict waits has replied after all: the verdict is void. Says whether one waited.
    pub(super) fn drop_verdict(&mut self, device: DeviceIx) -> bool {
        let Some(Watched { presence, way, .. }) = self.devices.get_mut(device.at()) else { return false };
        let waited = way.held_until.take().is_some();
        if waited {
            presence.withdraw();
            presence.start_over();
            self.causes.unsettled = true;
        }
        waited
    }

    /// Lets a verdict wait.
    pub(super) fn hold(&mut self, device: DeviceIx, now: Now) {
        let until = now.mono.plus_ms(HELD_MS);
        if let Some(watched) = self.devices.get_mut(device.at()) {
            watched.way.held_until = Some(until);
            self.deadlines.push(Reverse((until, device)));
            (self.causes.holds, self.causes.unsettled) = (true, true);
        }
    }

    /// Per device the failed one that cuts it off; `suspects`: as if those had failed whose verdict is not there yet.
    ///
    /// A device that has replied since ([`Topology::cut_since`]) is not cut off, whatever the graph says. A reply from
    /// before says nothing: most of those behind a failed one were well when they were asked last.
    fn cut_off(&self, suspects: bool) -> Vec<Option<DeviceIx>> {
        let Some(attached_to) = self.causes.attached_to else { return Vec::new() };
        let failed = |device: DeviceIx| {
            self.devices.get(device.at()).and_then(|watched| failed_since(watched, suspects))
        };
        let by_the_graph = self.causes.topology.behind(attached_to, |device| match failed(device) {
            Some(_) => Standing::Failed,
            None => Standing::Silent,
        });
        let objects = |(watched, root): (&Watched, &Option<DeviceIx>)| root.is_some() && watched.replies();
        if !self.devices.iter().zip(&by_the_graph).any(objects) {
            return by_the_graph;
        }
        let cut_since = self.cut_since(attached_to, suspects);
        self.causes.topology.behind(attached_to, |device| {
            if failed(device).is_some() {
                return Standing::Failed;
            }
            let since = cut_since.get(device.at()).copied().flatten().unwrap_or_default();
            let replies = self.devices.get(device.at()).is_some_and(|watched| watched.replies_since(since));
            if replies { Standing::Answering } else { Standing::Silent }
        })
    }

    /// Per device since when the graph says that it is cut off.
    fn cut_since(&self, attached_to: DeviceIx, suspects: bool) -> Vec<Option<Mono>> {
        let failed = |device: DeviceIx| {
            self.devices.get(device.at()).and_then(|watched| failed_since(watched, suspects))
        };
        self.causes.topology.cut_since(attached_to, failed)
    }

    /// Works out anew who is hidden, if anything happened that bears on it, and lets verdicts go that nothing explains.
    pub(super) fn settle(&mut self, now: Now) {
        while std::mem::take(&mut self.causes.unsettled) {
            let is_calm = |watched: &Watched| {
                let Way { out, cut, held_until, .. } = &watched.way;
                out.is_none() && cut.is_none() && held_until.is_none()
            };
            let was_calm = self.devices.iter().all(is_calm);
            if !was_calm {
                self.hide_and_free(now);
                self.let_verdicts_go(now);
            }
            if !self.causes.unsettled && (!was_calm || self.causes.degraded) {
                self.look_at_redundancy(now);
            }
        }
    }

    fn hide_and_free(&mut self, now: Now) {
        let cut = self.cut_off(false);
        let root_of = |device: Option<DeviceIx>| {
            let watched = self.devices.get(device?.at())?;
            Some(Root { fault: watched.way.out?, device: watched.site.device.id.clone() })
        };
        let roots: Vec<Option<Root>> =
            (0..self.devices.len()).map(|at| root_of(cut.get(at).copied().flatten())).collect();
        let mut changes = Vec::new();
        for (at, root) in roots.into_iter().enumerate() {
            let way = &mut self.devices[at].way;
            if way.cut == root {
                continue;
            }
            way.cut.clone_from(&root);
            let id = self.devices[at].site.device.id.clone();
            self.register.cut_off(&id, root.as_ref().map(|root| root.fault));
            match root {
                Some(root) => {
                    self.register.hide(&id, root.fault, now);
                    let way = &mut self.devices[at].way;
                    (way.said, way.trial) = (Some(root.clone()), None);
                    changes.push(Hiding { device: id, behind: Some(root) });
                }
                None => changes.extend(self.free(DeviceIx(at as u32), now)),
            }
        }
        self.hide(changes);
    }

    /// The way to a device is free again: what was heard before says nothing, and it is asked at once.
    fn free(&mut self, device: DeviceIx, now: Now) -> Option<Hiding> {
        let Watched { site, presence, way, .. } = self.devices.get_mut(device.at())?;
        let waits = self.register.hides_any(&site.device.id);
        way.trial = waits.then_some(0);
        let id = site.device.id.clone();
        let is_silent = !way.answers && (presence.since.is_some() || presence.fault.is_some());
        // By its own reply, or by that of another or the end of what hid it: then a poll that is under way was started
        // before.
        let needs_a_poll = waits && !(way.answers && way.answered_at == now.mono);
        if needs_a_poll {
            presence.next_generation();
        }
        if is_silent && !mutation::is_on(Mutation::EpisodeNotRestarted) {
            presence.start_over();
            if way.held_until.take().is_some() {
                presence.withdraw();
            }
        }
        if is_silent || needs_a_poll {
            self.ask(device, Probe::Poll, now.mono);
        }
        if mutation::is_on(Mutation::RevealWithoutFreshPoll) {
            self.register.reveal(&id, |_| true, now);
        }
        if self.causes.attached_to.is_none() {
            // The site file no longer says where the box is: nothing is hidden at all.
            self.register.reveal(&id, |_| true, now);
        }
        let waits = waits && self.causes.attached_to.is_some();
        let way = &mut self.devices.get_mut(device.at())?.way;
        if waits && !way.answers {
            return None;
        }
        way.said.take().map(|_| Hiding { device: id, behind: None })
    }

    /// A poll of a device whose faults wait for a fresh one.
    pub(super) fn try_out(&mut self, device: DeviceIx, evidence: Evidence, now: Now) {
        let silent = self.devices.get(device.at()).and_then(|watched| watched.way.trial).unwrap_or_default();
        if evidence == Evidence::Silent
            && usize::from(silent) >= RETRY_AFTER_MS.len()
            && self.may_be_cut_off(device)
        {
            // Another failure may explain it: the next poll decides.
            return self.ask(device, Probe::Poll, now.mono.plus_ms(RETRY_AFTER_MS[2]));
        }
        let Some(Watched { site, way, .. }) = self.devices.get_mut(device.at()) else { return };
        let Some(failed) = way.trial.filter(|_| way.cut.is_none()) else { return };
        let id = site.device.id.clone();
        let is_over = match (evidence, RETRY_AFTER_MS.get(usize::from(failed))) {
            // It replies, so the way is good; what it says of its values is still to come.
            (Evidence::Mute, _) => {
                way.trial = Some(0);
                self.register.reveal(&id, |fault| &*fault.key.rule == NO_DATA, now);
                true
            }
            (Evidence::Data, _) => {
                way.trial = Some(0);
                let is_bad = |fault: &crate::fault::Fault| {
                    fault.condition == Condition::Active && !fault.stale && !fault.key.is_presence()
                };
                self.register.reveal(&id, is_bad, now);
                true
            }
            (_, Some(after_ms)) => {
                way.trial = Some(failed + 1);
                self.ask(device, Probe::Poll, now.mono.plus_ms(*after_ms));
                false
            }
            (_, None) => {
                self.register.reveal(&id, |fault| fault.condition != Condition::Cleared, now);
                true
            }
        };
        let waits = self.register.hides_any(&id);
        let Some(Watched { way, .. }) = self.devices.get_mut(device.at()) else { return };
        if !waits {
            way.trial = None;
        }
        if (is_over || !waits) && way.said.take().is_some() {
            self.causes.unsettled = true;
            self.hide(vec![Hiding { device: id, behind: None }]);
        }
    }

    fn hide(&mut self, changes: Vec<Hiding>) {
        if !changes.is_empty() {
            self.register.effects.push_back(Effect::Hide(changes));
        }
    }

    /// Raises what is held as soon as it is explained, or nothing is left that might explain it.
    fn let_verdicts_go(&mut self, now: Now) {
        let is_held = |watched: &Watched| watched.way.held_until.is_some();
        self.causes.holds = self.devices.iter().any(is_held);
        if !self.causes.holds {
            return;
        }
        let may_be_cut = self.cut_off(true);
        let all = (0..self.devices.len() as u32).map(DeviceIx);
        let is_free = |device: &DeviceIx| {
            let way = &self.devices[device.at()].way;
            let waits = may_be_cut.get(device.at()).copied().flatten().is_some();
            way.held_until.is_some_and(|until| way.cut.is_some() || !waits || until <= now.mono)
        };
        let free: Vec<DeviceIx> = all.filter(is_free).collect();
        for device in free {
            self.devices[device.at()].way.held_until = None;
            self.raise_absence(device, Absent::Unreachable, now);
        }
    }
}
