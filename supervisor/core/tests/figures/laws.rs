//! What holds for any past.

use crate::dice::Dice;
use crate::random::World;
use proptest::prelude::*;
use roundsman_core::figures::account::Period;
use roundsman_core::figures::availability::Durations;
use roundsman_core::figures::faults::Tally;
use roundsman_core::figures::health::{Health, Tenths};
use roundsman_core::figures::standing::Standing;
use roundsman_core::time::Wall;

/// Turns every list round, which must not matter.
fn turned(world: &World) -> World {
    let mut world = world.clone();
    for life in &mut world.devices {
        for list in
            [&mut life.present, &mut life.unwatched, &mut life.excluded, &mut life.hidden, &mut life.down]
        {
            list.reverse();
            let again = list.clone();
            list.extend(again);
        }
    }
    world.faults.reverse();
    world
}

fn sum<'a>(tallies: impl Iterator<Item = &'a Tally>) -> [u32; 5] {
    let mut sum = [0; 5];
    for tally in tallies {
        let counts = [tally.carried_in, tally.new, tally.ended, tally.open, tally.hidden];
        for (sum, count) in sum.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Every millisecond and every fault is somewhere, once.
    #[test]
    fn nothing_is_lost_or_counted_twice(seed: u64) {
        let world = World::from_seed(seed);
        let figures = world.figures();
        let whole = figures.period.length_ms() + figures.repeated_ms;
        let mut all = Durations::default();
        for time in &figures.devices {
            prop_assert_eq!(time.observed_ms() + time.unknown_ms + time.absent_ms, whole);
            prop_assert!(time.down_ms <= time.should_run_ms() && time.should_run_ms() <= time.observed_ms());
            prop_assert!(time.observed_ms() <= figures.watched_ms);
            prop_assert_eq!(time.availability().is_none(), time.should_run_ms() == 0);
            if time.in_site_ms() > 0 {
                all += *time;
            }
        }
        prop_assert_eq!(figures.time.all.time, all);
        for sums in [
            figures.time.classes.values().map(|t| (t.devices, t.time.total_ms())).collect::<Vec<_>>(),
            figures.time.tiers.values().map(|t| (t.devices, t.time.total_ms())).collect(),
            figures.time.networks.values().map(|t| (t.devices, t.time.total_ms())).collect(),
        ] {
            prop_assert_eq!(sums.iter().map(|(devices, _)| devices).sum::<u32>(), figures.time.all.devices);
            prop_assert_eq!(sums.iter().map(|(_, ms)| ms).sum::<u64>(), all.total_ms());
        }
        let tally = figures.faults.groups.all;
        prop_assert_eq!(tally.carried_in + tally.new, tally.ended + tally.open);
        prop_assert!(tally.withdrawn <= tally.ended && tally.unacknowledged <= tally.ended);
        prop_assert_eq!(tally.repair.count + tally.repair.unknown + tally.withdrawn, tally.ended);
        prop_assert_eq!(tally.acknowledgement.count + tally.acknowledgement.unknown + tally.unacknowledged, tally.ended);
        prop_assert_eq!(figures.faults.roots.values().sum::<u32>(), tally.hidden);
        prop_assert_eq!(sum(figures.faults.severities.values()), sum([&tally].into_iter()));
        prop_assert_eq!(sum(figures.faults.rules.values()), sum([&tally].into_iter()));
        let Standing { devices, critical, major, lesser, hidden, unseen, well } = figures.standing.all;
        prop_assert_eq!(devices, critical + major + lesser + hidden + unseen + well);
    }

    /// The order and repetition of what is handed in do not matter.
    #[test]
    fn order_does_not_matter(seed: u64) {
        let world = World::from_seed(seed);
        prop_assert_eq!(world.figures(), turned(&world).figures());
    }

    /// Two halves make the whole: durations add up, and what is open at the seam goes over it.
    #[test]
    fn periods_join(seed: u64) {
        let world = World::from_seed(seed);
        let (from, to) = (world.period.from(), world.period.to());
        let seam = Wall(from.0 + Dice::new(!seed).below(world.period.length_ms()) as i64);
        let whole = world.figures();
        let (first, second) = (world.figures_of(Period::new(from, seam)), world.figures_of(Period::new(seam, to)));
        for ((one, other), both) in first.devices.iter().zip(&second.devices).zip(&whole.devices) {
            let mut sum = *one;
            sum += *other;
            prop_assert_eq!(&sum, both);
        }
        let (a, b, all) = (first.faults.groups.all, second.faults.groups.all, whole.faults.groups.all);
        prop_assert_eq!(a.open, b.carried_in);
        prop_assert_eq!((a.carried_in, a.new + b.new, a.ended + b.ended, b.open), (all.carried_in, all.new, all.ended, all.open));
        // Who was never seen in the second half may have been seen in the first.
        let at_end = |Standing { devices, critical, major, lesser, hidden, unseen, well }: Standing| {
            [devices, critical, major, lesser, hidden, unseen + well]
        };
        prop_assert_eq!(at_end(second.standing.all), at_end(whole.standing.all));
    }

    /// Health: 0 to 100, its sum adds up, 100 only if nothing is missing, and nothing that gets worse raises it.
    #[test]
    fn health_is_monotonic(
        times in proptest::array::uniform5(prop_oneof![Just(0_u64), 0..100_u64, 0..u64::MAX / 8]),
        parts in proptest::array::uniform4(0..50_u32),
        moved in 0.0..=1.0_f64,
    ) {
        let [unknown_ms, excluded_ms, hidden_ms, down_ms, up_ms] = times;
        let time = Durations { absent_ms: 0, unknown_ms, excluded_ms, hidden_ms, down_ms, up_ms };
        let [critical, major, lesser, well] = parts;
        let devices = critical + major + lesser + well;
        let standing = Standing { devices, critical, major, lesser, hidden: 0, unseen: 0, well };
        let score = |time: &Durations, standing: &Standing| Health::of(time, standing).map(|health| health.score);
        let Some(health) = Health::of(&time, &standing) else {
            prop_assert_eq!(up_ms + down_ms, 0);
            return Ok(());
        };
        prop_assert_eq!(health.score.0 + health.unavailable.0 + health.faults.0 + health.without_data.0, 1000);
        let is_all_well = unknown_ms + hidden_ms + down_ms == 0 && critical + major == 0;
        prop_assert_eq!(health.score == Tenths(1000), is_all_well);
        let ms = (up_ms as f64 * moved) as u64;
        let less_up = Durations { up_ms: up_ms.saturating_sub(ms), ..time };
        let ms = up_ms - less_up.up_ms;
        for worse in [
            Durations { down_ms: down_ms + ms, ..less_up },
            Durations { unknown_ms: unknown_ms + ms, ..less_up },
            Durations { hidden_ms: hidden_ms + ms, ..less_up },
        ] {
            // Without anything left that should run there is no score.
            prop_assert!(score(&worse, &standing).is_none_or(|score| score <= health.score), "{:?}", worse);
        }
        for worse in [
            (well > 0).then(|| Standing { well: well - 1, major: major + 1, ..standing }),
            (lesser > 0).then(|| Standing { lesser: lesser - 1, major: major + 1, ..standing }),
            (major > 0).then(|| Standing { major: major - 1, critical: critical + 1, ..standing }),
        ].into_iter().flatten() {
            prop_assert!(score(&time, &worse) <= Some(health.score), "{:?}", worse);
        }
    }
}
