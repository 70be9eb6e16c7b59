//! A past made from a seed: clocks that step, boxes that are off, devices that come, fail and go.

use crate::dice::Dice;
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::fault::{Ending, FaultId, FaultKey, FaultNumber};
use roundsman_core::figures::account::{Period, Stretch};
use roundsman_core::figures::availability::DeviceLife;
use roundsman_core::figures::faults::FaultLife;
use roundsman_core::figures::groups::Place;
use roundsman_core::figures::watch::{Moment, Watch, WatchNumber, Watches};
use roundsman_core::figures::{Figures, Past, figures};
use roundsman_core::rule::Severity;
use roundsman_core::time::Wall;

/// A whole past, in whole seconds.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) period: Period,
    pub(crate) watches: Watches,
    pub(crate) devices: Vec<DeviceLife>,
    pub(crate) faults: Vec<FaultLife>,
}

/// 2026-11-16 00:00 in Asia/Shanghai, a Monday.
pub(crate) const MONDAY_MS: i64 = 1_794_758_400_000;

impl World {
    pub(crate) fn figures(&self) -> Figures {
        self.figures_of(self.period)
    }

    pub(crate) fn figures_of(&self, period: Period) -> Figures {
        figures(period, self.past())
    }

    pub(crate) fn past(&self) -> Past<'_> {
        Past { watches: &self.watches, devices: &self.devices, faults: &self.faults }
    }

    /// From a seed; periods of one to three hours, so that counting seconds stays quick.
    pub(crate) fn from_seed(seed: u64) -> World {
        let dice = &mut Dice::new(seed);
        let length_s = 3600 + dice.below(7200);
        let to = MONDAY_MS + length_s as i64 * 1000;
        let period = Period::new(Wall(MONDAY_MS), Wall(to));
        let watches = watches(dice, length_s);
        let mut places = Vec::new();
        for _ in 0..dice.below(7) {
            places.push(Place {
                class: dice.pick(&[Class::Router, Class::Camera, Class::VideoWall]),
                tier: dice.pick(&[Tier::City, Tier::County]),
                network: dice.pick(&[Network::Business, Network::Lan, Network::Internet]),
            });
        }
        let devices =
            places.into_iter().enumerate().map(|(at, place)| device(dice, at, place, &watches)).collect();
        let faults = (1..=dice.below(40)).map(|id| fault(dice, id, &watches)).collect();
        World { period, watches: Watches::new(watches), devices, faults }
    }
}

/// What the box lived from before the period to after it.
fn watches(dice: &mut Dice, length_s: u64) -> Vec<Watch> {
    let mut wall_ms = MONDAY_MS - dice.below(3000) as i64 * 1000;
    let mut watches = Vec::new();
    let (mut number, mut after_ms) = (0, None);
    for _ in 0..dice.below(8) {
        number += 1 + dice.below(2);
        let length_ms = dice.below(length_s) * 1000;
        let is_undated = dice.chance(5);
        // 1970 as a clock without a battery shows it, or a time inside the period that is just not believed.
        let from = if is_undated && dice.chance(2) { 0 } else { wall_ms };
        let watch =
            Watch { number: WatchNumber(number), from: Wall(from), length_ms, after_ms, dated: !is_undated };
        watches.push(watch);
        wall_ms += length_ms as i64;
        let off_ms = dice.below(2000) as i64 * 1000;
        after_ms = match dice.below(4) {
            0 => {
                wall_ms -= off_ms;
                Some(0)
            }
            1 => {
                wall_ms += off_ms;
                Some(0)
            }
            2 => {
                wall_ms += off_ms;
                Some(off_ms as u64)
            }
            _ => {
                wall_ms += off_ms;
                None
            }
        };
    }
    watches
}

/// A moment of any watch, now and then of one that is not known any more.
fn moment(dice: &mut Dice, watches: &[Watch]) -> Moment {
    if watches.is_empty() || dice.chance(12) {
        return Moment::new(0, MONDAY_MS - 1000 * dice.below(9000) as i64);
    }
    let watch = watches[dice.below(watches.len() as u64) as usize];
    let inside_s = dice.below(watch.length_ms / 1000 + 1);
    Moment { watch: watch.number, wall: Wall(watch.from.0 + inside_s as i64 * 1000) }
}

/// Moments in the order they were lived.
fn moments<const N: usize>(dice: &mut Dice, watches: &[Watch]) -> [Moment; N] {
    let mut moments = [(); N].map(|()| moment(dice, watches));
    moments.sort_unstable();
    moments
}

fn stretches(dice: &mut Dice, watches: &[Watch], most: u64) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    for _ in 0..dice.below(most + 1) {
        let [from, to] = moments(dice, watches);
        stretches.push(match dice.below(6) {
            0 => Stretch::since(to),
            1 => Stretch::Agreed { from: from.wall, to: to.wall },
            // The wrong way round: nothing.
            2 => Stretch::lived(to, from),
            _ => Stretch::lived(from, to),
        });
    }
    stretches
}

fn device(dice: &mut Dice, at: usize, place: Place, watches: &[Watch]) -> DeviceLife {
    let always = Stretch::since(Moment::new(0, 0));
    DeviceLife {
        id: format!("d{at}").into(),
        place,
        present: if dice.chance(2) { vec![always] } else { stretches(dice, watches, 3) },
        unwatched: stretches(dice, watches, 1),
        excluded: stretches(dice, watches, 2),
        hidden: stretches(dice, watches, 1),
        down: stretches(dice, watches, 4),
    }
}

fn fault(dice: &mut Dice, id: u64, watches: &[Watch]) -> FaultLife {
    let [first_bad, raised, acknowledged, cleared, ended] = moments(dice, watches);
    let (is_open, latches) = (dice.chance(4), dice.chance(4));
    let ending = dice.pick(&[Ending::Cleared, Ending::Cleared, Ending::Closed, Ending::Withdrawn]);
    FaultLife {
        id: FaultId(id),
        number: FaultNumber { year: 2026, sequence: id as u32 },
        // Devices 0 to 6, of which not all exist.
        key: FaultKey {
            device: format!("d{}", dice.below(7)).into(),
            rule: dice.pick(&["unreachable", "no-data", "hot"]).into(),
            instance: dice.pick(&["", "r1c1"]).into(),
        },
        severity: dice.pick(Severity::ALL),
        first_bad,
        raised,
        acknowledged: dice.chance(2).then_some(acknowledged),
        cleared: match (is_open, latches) {
            (true, false) => None,
            (_, true) => Some(cleared),
            (false, false) => Some(ended),
        },
        ended: (!is_open).then_some((ended, ending)),
        behind: dice.chance(4).then(|| FaultId(1 + dice.below(40))),
    }
}
