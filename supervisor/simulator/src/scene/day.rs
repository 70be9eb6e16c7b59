//! The load of a working day in China and its integral.
//!
//! Low at night, one hump before noon and one after it, little at weekends, seeded unrest on top. The unrest's periods
//! divide the day, so that the amount done up to any moment has a closed form: a counter needs no history.

use super::share;
use std::f64::consts::{PI, TAU};

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// How far the wall clock in China is ahead of UTC, in seconds.
const CHINA_S: f64 = 8.0 * 3_600.0;

/// Days from the Monday before to 1970-01-01, a Thursday.
const AFTER_MONDAY: u64 = 3;

/// The load that never goes away, as a share of the busiest moment's.
const NIGHT: f64 = 0.08;

/// How high the humps are at weekends, beside 1 on working days.
const WEEKEND: f64 = 0.2;

/// A raised cosine: centre and half width in seconds of the day, height.
struct Hump {
    centre: f64,
    half: f64,
    height: f64,
}

/// The two humps: 10:00 and 15:30, with a dip at lunch. Together with [`NIGHT`] they stay below 1.
const HUMPS: [Hump; 2] = [
    Hump { centre: 10.0 * 3_600.0, half: 3.5 * 3_600.0, height: 0.9 },
    Hump { centre: 15.5 * 3_600.0, half: 4.0 * 3_600.0, height: 0.82 },
];

/// Periods in seconds, each a whole part of the day, and shares of the unrest. Together the shares stay below 1: load
/// is never negative.
const UNREST: [(f64, f64); 3] = [(50.0, 0.07), (320.0, 0.1), (2_700.0, 0.1)];

/// A moment as day since 1970 and second of that day, on the wall in China.
fn on_the_wall(t: f64) -> (u64, f64) {
    let local = (t + CHINA_S).max(0.0);
    let day = (local / DAY_S).floor();
    (day as u64, local - day * DAY_S)
}

/// How high the humps of a day are.
fn weight(day: u64) -> f64 {
    if (day + AFTER_MONDAY) % 7 < 5 { 1.0 } else { WEEKEND }
}

/// Sum of [`weight`] over all days before `day`, but for a constant.
fn weight_before(day: u64) -> f64 {
    let (weeks, days) = ((day + AFTER_MONDAY) / 7, (day + AFTER_MONDAY) % 7);
    let (work, rest) = (weeks * 5 + days.min(5), weeks * 2 + days.saturating_sub(5));
    work as f64 + rest as f64 * WEEKEND
}

/// The load at a moment, from [`NIGHT`] to 1, without unrest.
pub(crate) fn load(t: f64) -> f64 {
    let (day, x) = on_the_wall(t);
    let humps: f64 = HUMPS.iter().map(|hump| hump.at(x)).sum();
    NIGHT + weight(day) * humps
}

impl Hump {
    fn at(&self, x: f64) -> f64 {
        let off = x - self.centre;
        if off.abs() >= self.half {
            return 0.0;
        }
        self.height * (1.0 + (PI * off / self.half).cos()) / 2.0
    }

    /// Integral up to the second `x` of the day, unrest included; `turns` is that of each wave at `x`.
    fn amount(&self, x: f64, waves: &[Wave; WAVES], turns: &[(f64, f64); WAVES]) -> f64 {
        let start = self.centre - self.half;
        if x <= start {
            return 0.0;
        }
        if x >= self.centre + self.half {
            return self.whole(waves);
        }
        let k = PI / self.half;
        let (sin, cos) = (k * (x - self.centre)).sin_cos();
        // An antiderivative of (1 + cos k(x - c)) / 2 * (1 + sum u sin(wx + p)), from the start, where the hump is a
        // whole half turn away from its centre.
        let plain = (x - start + sin / k) / 2.0;
        let unrest = waves.iter().zip(turns).map(|(wave, (wave_sin, wave_cos))| {
            let (fast, slow) = (wave.w + k, wave.w - k);
            let ahead = wave_cos * cos - wave_sin * sin;
            let behind = wave_cos * cos + wave_sin * sin;
            let at_start = (wave.w * start + wave.phase).cos();
            let alone = (wave_cos - at_start) / (2.0 * wave.w);
            let beats = (ahead + at_start) / fast + (behind + at_start) / slow;
            -wave.part * (alone + beats / 4.0)
        });
        self.height * (plain + unrest.sum::<f64>())
    }

    /// Integral over the whole hump: by symmetry only the wave at its centre counts.
    fn whole(&self, waves: &[Wave; WAVES]) -> f64 {
        let k = PI / self.half;
        let unrest = waves.iter().map(|wave| {
            let (fast, slow) = (wave.w + k, wave.w - k);
            // At the ends k turns by half: the sines of the beats are the wave's own, turned around.
            let reach = (wave.w * self.half).sin() * (1.0 / wave.w - 0.5 / fast - 0.5 / slow);
            wave.part * (wave.w * self.centre + wave.phase).sin() * reach
        });
        self.height * (self.half + unrest.sum::<f64>())
    }
}

/// Number of waves.
const WAVES: usize = UNREST.len();

/// One wave of the unrest: angular frequency, share, phase.
#[derive(Clone, Copy, Debug)]
struct Wave {
    w: f64,
    part: f64,
    phase: f64,
}

/// The unrest of one value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unrest([Wave; WAVES]);

impl Unrest {
    /// The unrest of a place.
    pub(crate) fn of(place: u64) -> Unrest {
        Unrest(std::array::from_fn(|at| {
            let (period, part) = UNREST[at];
            Wave { w: TAU / period, part, phase: TAU * share(place, at as u64) }
        }))
    }

    /// What the load is multiplied by at a moment; its mean is 1.
    pub(crate) fn factor(&self, t: f64) -> f64 {
        let (_, x) = on_the_wall(t);
        1.0 + self.0.iter().map(|wave| wave.part * (wave.w * x + wave.phase).sin()).sum::<f64>()
    }

    /// Integral of load times factor up to `t`, in seconds of the busiest moment; only differences mean something.
    pub(crate) fn amount(&self, t: f64) -> f64 {
        let (day, x) = on_the_wall(t);
        let waves = &self.0;
        let turns = waves.map(|wave| (wave.w * x + wave.phase).sin_cos());
        let unrest =
            waves.iter().zip(&turns).map(|(wave, (_, cos))| wave.part / wave.w * (cos - wave.phase.cos()));
        let flat = day as f64 * DAY_S + x - unrest.sum::<f64>();
        let whole: f64 = HUMPS.iter().map(|hump| hump.whole(waves)).sum();
        let today: f64 = HUMPS.iter().map(|hump| hump.amount(x, waves, &turns)).sum();
        NIGHT * flat + weight_before(day) * whole + weight(day) * today
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wednesday, 2026-11-18, 00:00 in China.
    const WEDNESDAY: f64 = 1_794_931_200.0;

    const HOUR: f64 = 3_600.0;

    #[test]
    fn a_working_day_has_two_humps_and_a_weekend_hardly_any() {
        let at = |hour: f64| load(WEDNESDAY + hour * HOUR);
        assert!(at(10.0) > 0.95 && at(15.5) > 0.85, "{} {}", at(10.0), at(15.5));
        assert!(at(12.6) < 0.5, "lunch: {}", at(12.6));
        assert!((at(3.0) - NIGHT).abs() < 1e-9 && at(22.0) < 0.1);
        let saturday = load(WEDNESDAY + (3.0 * 24.0 + 10.0) * HOUR);
        let monday = load(WEDNESDAY + (5.0 * 24.0 + 10.0) * HOUR);
        assert!(saturday < 0.3 && monday > 0.95, "{saturday} {monday}");
    }

    #[test]
    fn a_week_of_the_amount_is_the_integral_of_the_load() {
        let unrest = Unrest::of(77);
        let step = 5.0;
        let mut sum = 0.0;
        for at in 0..(7 * 86_400 / 5) {
            let (from, to) = (WEDNESDAY + f64::from(at) * step, WEDNESDAY + f64::from(at + 1) * step);
            let middle = (from + to) / 2.0;
            let (now, later) = (load(middle), unrest.factor(middle));
            assert!((0.0..=1.0).contains(&now) && later > 0.0 && later < 1.3);
            let grown = unrest.amount(to) - unrest.amount(from);
            // The rule of the midpoint over five seconds of a wave of 50.
            assert!((grown - now * later * step).abs() < 0.01, "at {at}: {grown} {}", now * later * step);
            sum += now * later * step;
        }
        let whole = unrest.amount(WEDNESDAY + 7.0 * DAY_S) - unrest.amount(WEDNESDAY);
        assert!((whole - sum).abs() < 1.0, "{whole} {sum}");
    }
}
