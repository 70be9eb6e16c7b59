//! The world's own record of what happened, in the format of `tests/simulation/figures.py`.
//!
//! It knows what the box is told ([`crate::world`]) and what the words mean: that a device is out of reach 7 s after the
//! first silent poll and back 2 s after the first good one, that the same condition within half an hour is the same
//! fault. It shares no code with the engine, the topology or the store.

use crate::product::{name, place};
use crate::world::{BootClock, DEVICES, Event, Evidence, Id, Physics, TICK};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// From the first poll that failed to the verdict, s: three retries, after 1, 2 and 4.
const VERDICT: u64 = 7;
/// From the first good poll to the second, s.
const BACK: u64 = 2;
/// Within so many seconds the same condition is the same fault.
const REOPEN: i64 = 1_800;

/// What lasts so much longer than the outage that it was part of is one of its own, s.
const ONE_OUTAGE: u64 = 200;

const UNREACHABLE: &str = "unreachable";
const NO_DATA: &str = "no-data";
const HOT: &str = "hot";

/// A true second, and the watch it was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct When {
    watch: usize,
    at: u64,
}

#[derive(Clone, Debug)]
struct Watch {
    boot: u32,
    from: u64,
    until: u64,
    /// Wall time minus true time, s; of one that is not dated as it was shown.
    offset: i64,
    dated: bool,
}

#[derive(Clone, Debug)]
struct Episode {
    since: When,
    confirmed: When,
    over: Option<When>,
    /// The fault that the device was first shown behind, and since when.
    root: Option<(usize, When)>,
    /// When it was not shown behind any, after that.
    gaps: Vec<(When, Option<When>)>,
}

#[derive(Clone, Debug)]
struct Fault {
    device: Id,
    rule: &'static str,
    number: (i64, u32),
    acknowledged: Option<When>,
    episodes: Vec<Episode>,
    ending: Option<&'static str>,
    /// What the clock showed when it ended.
    ended_shown: i64,
}

#[derive(Clone, Copy, Debug, Default)]
enum Heat {
    #[default]
    Cool,
    Hot(When),
    Fault(usize, u8),
}

#[derive(Clone, Debug, Default)]
struct Device {
    present: Vec<(When, Option<When>)>,
    hidden: Vec<(When, Option<When>, usize)>,
    /// The open presence fault.
    away: Option<usize>,
    answers: bool,
    heat: Heat,
    /// When the verdict falls, and since when it is bad.
    verdict: Option<(u64, When)>,
    /// The way to it is free again and it is asked anew: it stands for itself then.
    trial: Option<u64>,
    back: Option<u64>,
}

/// The record.
pub(crate) struct Log {
    base_s: i64,
    watches: Vec<Watch>,
    runs: bool,
    boot: u32,
    offset: i64,
    set_by: i64,
    synchronised: bool,
    devices: Vec<Device>,
    faults: Vec<Fault>,
    numbers: BTreeMap<i64, u32>,
    /// Ended faults that may come back, and until when.
    recent: BTreeMap<(Id, &'static str), (usize, i64)>,
}

impl Log {
    pub(crate) fn new(base_s: i64) -> Log {
        Log {
            base_s,
            watches: Vec::new(),
            runs: false,
            boot: 0,
            offset: 0,
            set_by: 0,
            synchronised: false,
            devices: vec![Device::default(); DEVICES],
            faults: Vec::new(),
            numbers: BTreeMap::new(),
            recent: BTreeMap::new(),
        }
    }

    fn shown(&self, at: u64) -> i64 {
        self.base_s + at as i64 + self.offset
    }

    /// Notes that the box knows of this second.
    fn when(&mut self, at: u64) -> When {
        let watch = self.watches.len() - 1;
        self.watches[watch].until = at;
        When { watch, at }
    }

    pub(crate) fn happens(&mut self, at: u64, event: Event, physics: &Physics) {
        match event {
            Event::Stop => {
                if self.runs {
                    self.when(at);
                }
                self.runs = false;
            }
            Event::Kill | Event::PowerOff => self.runs = false,
            Event::Start => self.start(at, physics),
            Event::Boot(clock) => {
                self.boot += 1;
                self.synchronised = clock == BootClock::Right;
                self.offset = match clock {
                    BootClock::Epoch => TICK as i64 - at as i64 - self.base_s,
                    BootClock::Right | BootClock::Unsure => self.set_by,
                };
                self.start(at, physics);
            }
            Event::Step(seconds) => {
                self.set_by += seconds;
                self.offset = self.set_by;
                self.when(at);
                self.watch(at);
            }
            Event::Synchronise => self.synchronise(at),
            Event::Add(_) | Event::Remove(_) | Event::Move(..) => self.load(at, physics),
            _ => {}
        }
    }

    fn watch(&mut self, at: u64) {
        let (boot, offset, dated) = (self.boot, self.offset, self.synchronised);
        self.watches.push(Watch { boot, from: at, until: at, offset, dated });
    }

    fn synchronise(&mut self, at: u64) {
        self.when(at);
        let was_right = self.offset == self.set_by;
        (self.offset, self.synchronised) = (self.set_by, true);
        for watch in self.watches.iter_mut().filter(|watch| watch.boot == self.boot && !watch.dated) {
            (watch.offset, watch.dated) = (self.set_by, true);
        }
        if !was_right {
            self.watch(at);
        }
    }

    fn start(&mut self, at: u64, physics: &Physics) {
        self.runs = true;
        self.watch(at);
        self.recent.clear();
        let shown = self.shown(at);
        for (id, fault) in self.faults.iter().enumerate().filter(|(_, fault)| fault.ending.is_some()) {
            let age = shown - fault.ended_shown;
            if age <= REOPEN {
                self.recent.insert((fault.device, fault.rule), (id, at as i64 + REOPEN - age.max(0)));
            }
        }
        self.devices.iter_mut().for_each(|device| device.answers = false);
        self.load(at, physics);
    }

    /// The site file was read.
    fn load(&mut self, at: u64, physics: &Physics) {
        let now = self.when(at);
        for id in 0..DEVICES {
            let device = &mut self.devices[id];
            (device.verdict, device.back, device.trial) = (None, None, None);
            device.heat = match device.heat {
                Heat::Fault(fault, _) => Heat::Fault(fault, 0),
                _ => Heat::Cool,
            };
            let is_present = device.present.last().is_some_and(|(_, to)| to.is_none());
            if physics.in_site[id] && !is_present {
                device.present.push((now, None));
                device.answers = false;
            }
            if !physics.in_site[id] && is_present {
                device.present.iter_mut().for_each(|(_, to)| *to = to.or(Some(now)));
                let heat = std::mem::take(&mut device.heat);
                let away = device.away.take();
                if let Heat::Fault(fault, _) = heat {
                    self.end(fault, "withdrawn", now);
                }
                away.into_iter().for_each(|fault| self.end(fault, "withdrawn", now));
            }
        }
    }

    /// What the box finds in this second.
    pub(crate) fn second(&mut self, at: u64, physics: &Physics) {
        if !self.runs {
            return;
        }
        if at.is_multiple_of(TICK) {
            self.when(at);
        }
        for id in (0..DEVICES).filter(|id| physics.in_site[*id]) {
            let evidence = physics.evidence(id);
            if at.is_multiple_of(TICK) {
                self.tick(id, at, evidence, physics);
            }
            if let Some((_, since)) = self.devices[id].verdict.filter(|(when, _)| *when == at) {
                self.devices[id].verdict = None;
                let rule = if evidence == Evidence::Mute { NO_DATA } else { UNREACHABLE };
                self.devices[id].away = Some(self.raise(id, rule, since, at));
            }
            if self.devices[id].back == Some(at) {
                self.devices[id].back = None;
                self.feel(id, at, physics);
                if let Some(fault) = self.devices[id].away.take() {
                    let now = self.when(at);
                    self.end(fault, "cleared", now);
                }
            }
        }
        self.hide(at, physics);
    }

    fn tick(&mut self, id: Id, at: u64, evidence: Evidence, physics: &Physics) {
        let now = self.when(at);
        let device = &mut self.devices[id];
        device.answers = evidence != Evidence::Silent;
        if device.away.is_none() {
            if evidence == Evidence::Data {
                return self.feel(id, at, physics);
            }
            device.verdict = Some((at + VERDICT, now));
            return;
        }
        if evidence == Evidence::Data {
            device.back = Some(at + BACK);
            self.feel(id, at, physics);
        }
    }

    /// A good poll brings the temperature.
    fn feel(&mut self, id: Id, at: u64, physics: &Physics) {
        let now = self.when(at);
        self.devices[id].heat = match (self.devices[id].heat, physics.hot[id]) {
            (Heat::Cool, true) => Heat::Hot(now),
            (Heat::Hot(since), true) => Heat::Fault(self.raise(id, HOT, since, at), 0),
            (Heat::Fault(fault, _), true) => Heat::Fault(fault, 0),
            (Heat::Fault(fault, 0), false) => Heat::Fault(fault, 1),
            (Heat::Fault(fault, _), false) => {
                self.end(fault, "cleared", now);
                Heat::Cool
            }
            (Heat::Cool | Heat::Hot(_), false) => Heat::Cool,
        };
    }

    fn raise(&mut self, device: Id, rule: &'static str, since: When, at: u64) -> usize {
        let confirmed = self.when(at);
        let episode = |since| Episode { since, confirmed, over: None, root: None, gaps: Vec::new() };
        if let Some((id, until)) = self.recent.remove(&(device, rule))
            && self.faults[id].ending == Some("cleared")
            && at as i64 <= until
        {
            let fault = &mut self.faults[id];
            fault.ending = None;
            fault.episodes.push(episode(confirmed));
            return id;
        }
        let year = if self.shown(at) < 1_000_000_000 { 1970 } else { 2026 };
        let sequence = self.numbers.entry(year).or_default();
        *sequence += 1;
        self.faults.push(Fault {
            device,
            rule,
            number: (year, *sequence),
            acknowledged: None,
            episodes: vec![episode(since)],
            ending: None,
            ended_shown: 0,
        });
        self.faults.len() - 1
    }

    fn end(&mut self, id: usize, ending: &'static str, now: When) {
        let shown = self.shown(now.at);
        let fault = &mut self.faults[id];
        fault.episodes.iter_mut().for_each(|episode| episode.over = episode.over.or(Some(now)));
        (fault.ending, fault.ended_shown) = (Some(ending), shown);
        self.recent.insert((fault.device, fault.rule), (id, now.at as i64 + REOPEN));
    }

    /// Somebody takes note of all that is open on a device.
    pub(crate) fn acknowledge(&mut self, at: u64, id: Id) {
        let open =
            |fault: &Fault| fault.device == id && fault.ending.is_none() && fault.acknowledged.is_none();
        if !self.runs || !self.faults.iter().any(open) {
            return;
        }
        let now = self.when(at);
        self.faults.iter_mut().filter(|fault| open(fault)).for_each(|fault| fault.acknowledged = Some(now));
    }

    /// The fault behind which a device stands as far as the box can tell: every way to it, from the box and from all
    /// that answers, crosses something that is out of reach. Its name is that of the first such one, nearest to the box.
    fn root(&self, id: Id, physics: &Physics) -> Option<usize> {
        let failed = |id: Id| self.devices[id].away.filter(|fault| self.faults[*fault].rule == UNREACHABLE);
        let answers = |id: Id| failed(id).is_none() && self.devices[id].answers;
        let sources = |id: &Id| physics.in_site[*id] && (*id == 0 || answers(*id));
        let sources: Vec<Id> = (0..DEVICES).filter(sources).collect();
        let is_open = |id: Id| {
            sources.iter().any(|&from| physics.between(from, id).iter().all(|&at| failed(at).is_none()))
        };
        if !physics.in_site[id] || is_open(id) {
            return None;
        }
        let shuts = |&at: &Id| {
            let way = physics.between(at, id);
            at != id && physics.in_site[at] && is_open(at) && way.iter().all(|&on| on == at || !is_open(on))
        };
        let roots = (0..DEVICES).filter(|&at| failed(at).is_some()).filter(shuts);
        roots.min_by_key(|&at| physics.way(at).len()).and_then(failed)
    }

    /// What a device is shown behind: the root, or the one that it was behind until four polls have failed since.
    fn shown_behind(&mut self, id: Id, at: u64, last: Option<usize>, physics: &Physics) -> Option<usize> {
        let root = self.root(id, physics);
        let device = &mut self.devices[id];
        let was_hidden = last.is_some() && physics.in_site[id];
        if root.is_some() || !was_hidden || physics.evidence(id) != Evidence::Silent {
            device.trial = None;
            return root;
        }
        if device.trial.is_none() {
            device.verdict = device.verdict.map(|(_, since)| (at + VERDICT, since));
        }
        let has_faults = device.away.is_some() || matches!(device.heat, Heat::Fault(..));
        let until = *device.trial.get_or_insert(at + VERDICT);
        if has_faults && at < until { last } else { None }
    }

    fn hide(&mut self, at: u64, physics: &Physics) {
        for id in 0..DEVICES {
            let last =
                self.devices[id].hidden.last().filter(|(_, to, _)| to.is_none()).map(|(_, _, root)| *root);
            let root = self.shown_behind(id, at, last, physics);
            if last != root {
                let now = self.when(at);
                let hidden = &mut self.devices[id].hidden;
                hidden.iter_mut().for_each(|(_, to, _)| *to = to.or(Some(now)));
                hidden.extend(root.map(|root| (now, None, root)));
            }
            let Some(fault) = self.devices[id].away else { continue };
            let now = When { watch: self.watches.len() - 1, at };
            for episode in self.faults[fault].episodes.iter_mut().filter(|episode| episode.over.is_none()) {
                match (root, episode.root) {
                    (Some(root), None) => episode.root = Some((root, now)),
                    (Some(_), Some(_)) => episode.gaps.iter_mut().for_each(|(_, to)| *to = to.or(Some(now))),
                    (None, Some(_)) if episode.gaps.last().is_none_or(|(_, to)| to.is_some()) => {
                        episode.gaps.push((now, None));
                    }
                    (None, _) => {}
                }
            }
        }
    }

    /// Whether no more time lies between than parts what belongs together, as far as anybody can know.
    fn is_soon(&self, from: When, to: When) -> bool {
        let known = |at: usize| {
            let (before, watch) = (&self.watches[at - 1], &self.watches[at]);
            before.boot == watch.boot || (before.dated && watch.dated)
        };
        to.at - from.at <= ONE_OUTAGE && (from.watch + 1..=to.watch).all(known)
    }

    /// The fault that an episode was nothing but a part of.
    fn hidden(&self, episode: &Episode, is_withdrawn: bool) -> Option<usize> {
        let (root, _) = episode.root.filter(|(_, since)| self.is_soon(episode.confirmed, *since))?;
        let over = episode.over.filter(|_| !is_withdrawn);
        let closed =
            |(from, to): &(When, Option<When>)| to.or(over).is_some_and(|to| self.is_soon(*from, to));
        episode.gaps.iter().all(closed).then_some(root)
    }

    fn moment(&self, when: When) -> Value {
        json!([when.watch + 1, self.base_s + when.at as i64 + self.watches[when.watch].offset])
    }

    fn stretch(&self, from: When, to: Option<When>) -> Value {
        json!({ "from": self.moment(from), "to": to.map(|to| self.moment(to)) })
    }

    fn device(&self, id: Id) -> Value {
        let device = &self.devices[id];
        let (class, tier, network) = place(id);
        let bad = |rule: &str| -> Value {
            let own = self.faults.iter().filter(|fault| fault.device == id && fault.rule == rule);
            own.flat_map(|fault| &fault.episodes).map(|e| self.stretch(e.since, e.over)).collect()
        };
        json!({
            "id": name(id), "class": class.word(), "tier": tier.word(), "network": network.word(),
            "present": device.present.iter().map(|(from, to)| self.stretch(*from, *to)).collect::<Value>(),
            "hidden": device.hidden.iter().map(|(from, to, _)| self.stretch(*from, *to)).collect::<Value>(),
            "unwatched": bad(NO_DATA), "excluded": [], "down": bad(UNREACHABLE),
        })
    }

    fn fault(&self, id: usize) -> Value {
        let fault = &self.faults[id];
        let (first, last) = (&fault.episodes[0], &fault.episodes[fault.episodes.len() - 1]);
        let over = last.over.map(|over| self.moment(over));
        let withdrawn = [fault.ending == Some("withdrawn")].into_iter().chain(std::iter::repeat(false));
        let roots = fault.episodes.iter().rev().zip(withdrawn);
        let roots: Option<Vec<usize>> =
            roots.map(|(episode, is_withdrawn)| self.hidden(episode, is_withdrawn)).collect();
        json!({
            "id": id + 1, "number": format!("F-{}-{:04}", fault.number.0, fault.number.1), "device": name(fault.device),
            "rule": fault.rule,
            "severity": match fault.rule { UNREACHABLE => "critical", NO_DATA => "major", _ => "minor" },
            "first_bad": self.moment(first.since), "raised": self.moment(first.confirmed),
            "acknowledged": fault.acknowledged.map(|at| self.moment(at)),
            "cleared": over, "ended": over, "ending": fault.ending,
            "behind": roots.filter(|_| fault.rule != HOT).and_then(|roots| roots.last().map(|root| root + 1)),
        })
    }

    /// All of it, and the period to be reckoned, in wall seconds.
    pub(crate) fn told(&self, from: i64, to: i64) -> Value {
        let watches = self.watches.iter().enumerate().map(|(at, watch)| {
            let before = at.checked_sub(1).map(|before| &self.watches[before]);
            let known = before.filter(|before| before.boot == watch.boot || (before.dated && watch.dated));
            json!({
                "number": at + 1, "from": self.base_s + watch.from as i64 + watch.offset,
                "length": watch.until - watch.from, "after": known.map(|before| watch.from - before.until),
                "dated": watch.dated,
            })
        });
        json!({
            "period": { "from": from, "to": to },
            "watches": watches.collect::<Value>(),
            "devices": (0..DEVICES).map(|id| self.device(id)).collect::<Value>(),
            "faults": (0..self.faults.len()).map(|id| self.fault(id)).collect::<Value>(),
        })
    }
}
