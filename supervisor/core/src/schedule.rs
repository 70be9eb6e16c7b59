//! Shared ticks: when which device is polled.
//!
//! Devices of one interval are spread over its seconds; all that fall into the same second start together (measured
//! three to five times less CPU than spreading each). At most [`Limits::in_flight`] polls run at once, at most
//! [`Limits::behind_uplink`] behind one uplink: county lines are thin. A device that stays silent is polled less
//! often, up to four times its interval and at most five minutes apart.
//!
//! Overflow: what is due while all places are taken waits in order; a device that is still waiting or running when it
//! is due again counts as missed, and is not queued twice.

use crate::device::{Device, DeviceIx};
use crate::time::Mono;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// Bounds on polls under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the whole box.
    pub in_flight: usize,
    /// Behind one uplink (the device that the polled ones hang on first).
    pub behind_uplink: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { in_flight: 64, behind_uplink: 8 }
    }
}

/// The first round is spread over at most this long, so that a page is full soon after start.
const FIRST_ROUND_S: u64 = 10;

/// Silent polls in a row per step of back-off; the fault is raised by then.
const SILENT_PER_STEP: u32 = 4;

/// Steps of back-off; each doubles the interval.
const MOST_STEPS: u32 = 2;

/// Back-off never goes beyond this, nor below the device's own interval.
const MOST_BACK_OFF_S: u64 = 300;

/// A poll to start now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Of this device.
    pub device: DeviceIx,
    /// How long ago it was due, in ms: it waited for a place, or for the loop.
    pub late_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Idle,
    Waiting,
    Running,
    /// Running, and asked for again meanwhile.
    RunningAskedAgain,
}

#[derive(Clone, Debug)]
struct Entry {
    interval_s: u64,
    uplink: Option<DeviceIx>,
    place: Place,
    silent: u32,
    due_s: u64,
}

/// The schedule of all polls.
#[derive(Clone, Debug)]
pub struct Schedule {
    limits: Limits,
    /// Nothing was due before: a schedule begins within a second.
    began: Mono,
    entries: Vec<Entry>,
    /// Second of the monotonic clock, device.
    calendar: BinaryHeap<Reverse<(u64, DeviceIx)>>,
    /// Polls asked for out of turn: moment, device.
    asks: BinaryHeap<Reverse<(Mono, DeviceIx)>>,
    /// Waiting for a place, with the moment they were due; asked ones in front.
    waiting: VecDeque<(Mono, DeviceIx)>,
    running: usize,
    running_behind: BTreeMap<DeviceIx, usize>,
    /// Polls missed that were not told of; one entry a device.
    missed: BTreeMap<DeviceIx, u64>,
}

impl Schedule {
    /// A schedule for these devices, the first of them due now. A [`DeviceIx`] is the position in `devices`.
    pub fn new<'a>(devices: impl IntoIterator<Item = &'a Device>, limits: Limits, now: Mono) -> Schedule {
        let mut classes: BTreeMap<u64, Vec<DeviceIx>> = BTreeMap::new();
        let mut entries = Vec::new();
        for device in devices {
            let interval_s = u64::from(device.interval_s.max(1));
            classes.entry(interval_s).or_default().push(DeviceIx(entries.len() as u32));
            let uplink = device.uplinks.first().map(|uplink| uplink.device);
            entries.push(Entry { interval_s, uplink, place: Place::Idle, silent: 0, due_s: 0 });
        }
        let start_s = now.0 / 1000;
        let mut calendar = BinaryHeap::with_capacity(entries.len());
        for (interval_s, devices) in &classes {
            for (at, device) in devices.iter().enumerate() {
                let slot = at as u64 * interval_s / devices.len() as u64;
                let first = slot * FIRST_ROUND_S.min(*interval_s) / interval_s;
                // The regular slot follows the first poll by a third of an interval at least.
                let regular = if slot >= first + interval_s / 3 { slot } else { slot + interval_s };
                entries[device.at()].due_s = start_s + regular;
                calendar.push(Reverse((start_s + first, *device)));
            }
        }
        Schedule {
            limits,
            began: now,
            entries,
            calendar,
            asks: BinaryHeap::new(),
            waiting: VecDeque::new(),
            running: 0,
            running_behind: BTreeMap::new(),
            missed: BTreeMap::new(),
        }
    }

    /// Asks for a poll of a device out of turn, not before `at`. Asking twice before it starts gives one poll.
    pub fn ask(&mut self, device: DeviceIx, at: Mono) {
        if device.at() < self.entries.len() && !self.asks.iter().any(|Reverse(ask)| *ask == (at, device)) {
            self.asks.push(Reverse((at, device)));
        }
    }

    /// Moves what is due to the queue of waiting devices.
    pub fn tick(&mut self, now: Mono) {
        while let Some(Reverse((due_s, device))) = self.calendar.peek().copied()
            && due_s <= now.0 / 1000
        {
            self.calendar.pop();
            let next_s = self.next_due_s(device, due_s, now.0 / 1000);
            self.calendar.push(Reverse((next_s, device)));
            match self.entries[device.at()].place {
                Place::Idle => self.wait(device, self.moment(due_s), false),
                _ => self.miss(device, 1),
            }
        }
        while let Some(Reverse((at, device))) = self.asks.peek().copied()
            && at <= now
        {
            self.asks.pop();
            match self.entries[device.at()].place {
                Place::Idle => self.wait(device, at, true),
                Place::Running => self.entries[device.at()].place = Place::RunningAskedAgain,
                Place::Waiting | Place::RunningAskedAgain => {}
            }
        }
    }

    /// The next poll to start now, if the bounds leave a place; call until `None`. The caller must report its end
    /// with [`Schedule::finished`].
    pub fn start(&mut self, now: Mono) -> Option<Start> {
        if self.running >= self.limits.in_flight {
            return None;
        }
        let room = |(_, device): &(Mono, DeviceIx)| match self.entries[device.at()].uplink {
            Some(uplink) => self.running_behind.get(&uplink).is_none_or(|&n| n < self.limits.behind_uplink),
            None => true,
        };
        let at = self.waiting.iter().position(room)?;
        let (due, device) = self.waiting.remove(at)?;
        let entry = &mut self.entries[device.at()];
        entry.place = Place::Running;
        self.running += 1;
        if let Some(uplink) = entry.uplink {
            *self.running_behind.entry(uplink).or_default() += 1;
        }
        Some(Start { device, late_ms: now.since_ms(due) })
    }

    /// A poll ended; `answered` says whether any valid reply came.
    pub fn finished(&mut self, device: DeviceIx, answered: bool, now: Mono) {
        let Some(entry) = self.entries.get_mut(device.at()) else {
            return;
        };
        let again = match entry.place {
            Place::Running => false,
            Place::RunningAskedAgain => true,
            Place::Idle | Place::Waiting => return,
        };
        entry.place = Place::Idle;
        let was_backed_off = entry.silent >= SILENT_PER_STEP;
        entry.silent = if answered { 0 } else { entry.silent.saturating_add(1) };
        self.running -= 1;
        if let Some(uplink) = entry.uplink
            && let Some(behind) = self.running_behind.get_mut(&uplink)
        {
            *behind -= 1;
        }
        if answered && was_backed_off {
            // Back in its own rhythm: not only when the long interval is over.
            let next_s = now.0 / 1000 + entry.interval_s;
            if next_s < entry.due_s {
                entry.due_s = next_s + entry.interval_s;
                self.calendar.retain(|Reverse((_, other))| *other != device);
                self.calendar.push(Reverse((next_s, device)));
            }
        }
        if again {
            self.wait(device, now, true);
        }
    }

    /// When [`Schedule::tick`] is due next.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let regular = self.calendar.peek().map(|Reverse((due_s, _))| self.moment(*due_s));
        let asked = self.asks.peek().map(|Reverse((at, _))| *at);
        match (regular, asked) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Polls under way.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Devices that wait for a place.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// A device with the polls of it that were due while its last one was still waiting or running, since it was
    /// told of last; call until `None`.
    pub fn poll_missed(&mut self) -> Option<(DeviceIx, u64)> {
        self.missed.pop_first()
    }

    /// When a second of the calendar begins for this schedule.
    fn moment(&self, due_s: u64) -> Mono {
        Mono(due_s * 1000).max(self.began)
    }

    fn miss(&mut self, device: DeviceIx, polls: u64) {
        *self.missed.entry(device).or_default() += polls;
    }

    fn wait(&mut self, device: DeviceIx, due: Mono, in_front: bool) {
        self.entries[device.at()].place = Place::Waiting;
        match in_front {
            true => self.waiting.push_front((due, device)),
            false => self.waiting.push_back((due, device)),
        }
    }

    /// When a device that was due at `due_s` is due again; whole intervals that passed meanwhile count as missed.
    fn next_due_s(&mut self, device: DeviceIx, due_s: u64, now_s: u64) -> u64 {
        let entry = &mut self.entries[device.at()];
        if entry.due_s > due_s {
            return entry.due_s;
        }
        let steps = (entry.silent / SILENT_PER_STEP).min(MOST_STEPS);
        let backed_off_s = (entry.interval_s << steps).min(MOST_BACK_OFF_S.max(entry.interval_s));
        let mut next_s = due_s + backed_off_s;
        if next_s <= now_s {
            let behind = (now_s - next_s) / backed_off_s + 1;
            next_s += behind * backed_off_s;
            entry.due_s = next_s;
            self.miss(device, behind);
            return next_s;
        }
        entry.due_s = next_s;
        next_s
    }
}

#[cfg(test)]
mod tests;
