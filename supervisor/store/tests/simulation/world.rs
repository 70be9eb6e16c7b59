//! What happens: devices that break and are mended, a box that stops and starts, a clock that is set.
//!
//! Everything happens at a whole minute, just before the polls of that minute, so that what the box sees first is when it
//! was. Only acknowledgements come half a minute later.

use crate::dice::Dice;

/// Seconds of a tick: the interval of all polls.
pub(crate) const TICK: u64 = 60;

/// A device's number in the world.
pub(crate) type Id = usize;

/// Number of devices that there can be; the box hangs on device 0.
pub(crate) const DEVICES: usize = 8;

/// What a poll finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    Data,
    Mute,
    Silent,
}

/// What the clock of a box says after a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BootClock {
    /// The time, and the kernel knows it.
    Right,
    /// The time, but the kernel does not know that it is.
    Unsure,
    /// 1970.
    Epoch,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Break(Id),
    Mend(Id),
    Mute(Id),
    Unmute(Id),
    Heat(Id),
    Cool(Id),
    /// The site file has it from now on.
    Add(Id),
    /// The site file has it no longer.
    Remove(Id),
    /// It hangs on another device from now on.
    Move(Id, Id),
    /// The service ends in good order.
    Stop,
    /// It is killed.
    Kill,
    /// It starts again in the same boot.
    Start,
    /// The box loses power.
    PowerOff,
    /// It boots.
    Boot(BootClock),
    /// The wall clock is set by so many seconds.
    Step(i64),
    /// The kernel learns the time.
    Synchronise,
    /// Half a minute later somebody takes note of what is open on this device.
    Acknowledge(Id),
}

/// How things stand.
#[derive(Clone, Debug)]
pub(crate) struct Physics {
    pub(crate) uplink: [Option<Id>; DEVICES],
    pub(crate) in_site: [bool; DEVICES],
    broken: [bool; DEVICES],
    mute: [bool; DEVICES],
    pub(crate) hot: [bool; DEVICES],
}

impl Physics {
    /// A switch with the box, two trunks on it, stations on the trunks, one behind a station.
    pub(crate) fn new() -> Physics {
        let uplink = [None, Some(0), Some(0), Some(1), Some(1), Some(2), Some(2), Some(3)];
        let mut in_site = [true; DEVICES];
        in_site[6] = false;
        let no = [false; DEVICES];
        Physics { uplink, in_site, broken: no, mute: no, hot: no }
    }

    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Break(id) => self.broken[id] = true,
            Event::Mend(id) => self.broken[id] = false,
            Event::Mute(id) => self.mute[id] = true,
            Event::Unmute(id) => self.mute[id] = false,
            Event::Heat(id) => self.hot[id] = true,
            Event::Cool(id) => self.hot[id] = false,
            Event::Add(id) => self.in_site[id] = true,
            Event::Remove(id) => self.in_site[id] = false,
            Event::Move(id, to) => self.uplink[id] = Some(to),
            _ => {}
        }
    }

    /// The devices between the box and this one, the box's first.
    pub(crate) fn way(&self, id: Id) -> Vec<Id> {
        let mut way: Vec<Id> = std::iter::successors(self.uplink[id], |&at| self.uplink[at]).collect();
        way.reverse();
        way
    }

    /// The devices that one passes from one to another, the first included, the last not.
    pub(crate) fn between(&self, from: Id, to: Id) -> Vec<Id> {
        let up = |id: Id| -> Vec<Id> { self.way(id).into_iter().chain([id]).collect() };
        let (from, to) = (up(from), up(to));
        let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
        let turn = shared.saturating_sub(1);
        let mut way: Vec<Id> = from[turn..].iter().rev().chain(&to[shared..]).copied().collect();
        way.pop();
        way
    }

    /// The broken device nearest to the box that cuts this one off.
    pub(crate) fn cut(&self, id: Id) -> Option<Id> {
        self.way(id).into_iter().find(|&at| self.broken[at])
    }

    pub(crate) fn evidence(&self, id: Id) -> Evidence {
        match (self.broken[id] || self.cut(id).is_some(), self.mute[id]) {
            (true, _) => Evidence::Silent,
            (false, true) => Evidence::Mute,
            (false, false) => Evidence::Data,
        }
    }
}

/// What happens when, in true seconds, ordered.
pub(crate) type Script = Vec<(u64, Event)>;

/// A box's state while a script is made.
#[derive(PartialEq)]
enum Box {
    Runs,
    /// Stopped; the boot goes on.
    Stopped,
    Off,
}

/// A script of so many ticks.
pub(crate) fn script(dice: &mut Dice, ticks: u64) -> Script {
    let mut script =
        vec![(0, Event::Boot(dice.pick(&[BootClock::Right, BootClock::Right, BootClock::Epoch])))];
    let (mut box_, mut synchronised) = (Box::Runs, script[0].1 == Event::Boot(BootClock::Right));
    let mut physics = Physics::new();
    for tick in 1..ticks {
        let at = tick * TICK;
        let mut happens = Vec::new();
        match box_ {
            Box::Runs if dice.chance(40) => {
                happens.push(dice.pick(&[Event::Stop, Event::Kill, Event::PowerOff]))
            }
            Box::Stopped if dice.chance(8) => happens.push(Event::Start),
            Box::Stopped if dice.chance(30) => happens.push(Event::PowerOff),
            Box::Off if dice.chance(8) => {
                let clocks = [BootClock::Right, BootClock::Right, BootClock::Unsure, BootClock::Epoch];
                happens.push(Event::Boot(dice.pick(&clocks)));
            }
            Box::Runs if !synchronised && dice.chance(12) => happens.push(Event::Synchronise),
            Box::Runs if synchronised && dice.chance(40) => {
                // By more than any condition waits to be confirmed: a first sign is recorded in wall time alone, and
                // one that a step repeats is taken for the later one (docs/decisions/0009-past.md).
                let seconds = TICK as i64 * (30 + dice.below(20) as i64);
                happens.push(Event::Step(if dice.chance(2) { seconds } else { -seconds }));
            }
            _ => {}
        }
        for event in &happens {
            match event {
                Event::Stop | Event::Kill => box_ = Box::Stopped,
                Event::PowerOff => (box_, synchronised) = (Box::Off, false),
                Event::Start => box_ = Box::Runs,
                Event::Boot(clock) => (box_, synchronised) = (Box::Runs, *clock == BootClock::Right),
                Event::Synchronise => synchronised = true,
                _ => {}
            }
        }
        // Seven minutes apart: what follows closer than the box takes to see one end would look like one.
        if tick.is_multiple_of(7) {
            happens.push(outage(dice, &physics));
        }
        let id = dice.below(DEVICES as u64) as Id;
        happens.push(if physics.hot[id] { Event::Cool(id) } else { Event::Heat(id) });
        if box_ == Box::Runs && dice.chance(25) {
            happens.extend(change_of_site(dice, &physics));
        }
        if box_ == Box::Runs && dice.chance(4) {
            happens.push(Event::Acknowledge(dice.below(DEVICES as u64) as Id));
        }
        happens.iter().for_each(|event| physics.apply(*event));
        script.extend(happens.into_iter().map(|event| (at, event)));
    }
    script
}

/// Some break, others lose their data, and none both: how the one turns into the other behind a third that failed is the
/// matter of the fault engine's own simulation.
fn outage(dice: &mut Dice, physics: &Physics) -> Event {
    let id = dice.below(DEVICES as u64) as Id;
    match id {
        2 | 5 | 6 if physics.mute[id] => Event::Unmute(id),
        2 | 5 | 6 => Event::Mute(id),
        _ => {
            let id = id.max(1);
            if physics.broken[id] { Event::Mend(id) } else { Event::Break(id) }
        }
    }
}

/// The leaves 5, 6 and 7 come and go; station 4 is moved from trunk to trunk.
fn change_of_site(dice: &mut Dice, physics: &Physics) -> Option<Event> {
    if dice.chance(3) {
        let to = if physics.uplink[4] == Some(1) { 2 } else { 1 };
        return Some(Event::Move(4, to));
    }
    let id = 5 + dice.below(3) as Id;
    Some(if physics.in_site[id] { Event::Remove(id) } else { Event::Add(id) })
}
