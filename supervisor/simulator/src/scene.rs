//! What one virtual device is at a moment: uptime, load, ports, temperature.
//!
//! Every value is a pure function of (seed, device, object, time) and of what was done to the device (reboot, port
//! down, heat). Traffic follows a daily curve with seeded unrest; its integral has a closed form, so that a counter
//! needs no history and never runs backwards.

use std::f64::consts::TAU;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// Second of the day (UTC) at which the load is highest: 10:30 in China.
const BUSIEST_S: f64 = 9_000.0;

/// Periods of the unrest in seconds, without a common multiple worth naming.
const UNREST_S: [f64; 2] = [47.0, 611.0];

/// Shares of the mean rate: the steady part, the daily part, each unrest. Steady > sum of the others, so that rates
/// stay positive.
const STEADY: f64 = 1.0;
const DAILY: f64 = 0.6;
const UNREST: f64 = 0.15;

/// How long a device takes to heat up or cool down by a fault, in seconds.
pub(crate) const HEAT_S: f64 = 10.0;

/// A number made of a seed and a place, evenly spread (SplitMix64).
pub(crate) fn mix(seed: u64, place: u64) -> u64 {
    let mut z = seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// [`mix`] as a share from 0 to 1.
pub(crate) fn share(seed: u64, place: u64) -> f64 {
    (mix(seed, place) >> 11) as f64 / (1_u64 << 53) as f64
}

/// One port.
#[derive(Clone, Copy, Debug, Default)]
struct Port {
    /// Since when it is down, if it is.
    down_since: Option<f64>,
    /// Seconds it was down before: its counters stood still.
    paused_s: f64,
    /// When it last went up or down, if it ever did.
    changed: Option<f64>,
}

/// Heat brought in from outside: the way from one temperature to another.
#[derive(Clone, Copy, Debug)]
struct Heat {
    from: f64,
    /// `None`: back to what the device has by itself.
    to: Option<f64>,
    since: f64,
}

/// The state of one device.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    seed: u64,
    boot: f64,
    ports: Vec<Port>,
    heat: Option<Heat>,
}

impl Scene {
    /// A device that has been running for up to 200 days at `now`.
    pub(crate) fn new(seed: u64, ports: usize, now: f64) -> Scene {
        Scene {
            seed,
            boot: now - (1.0 + 200.0 * share(seed, 1)) * DAY_S,
            ports: vec![Port::default(); ports],
            heat: None,
        }
    }

    /// Starts it anew: uptime and all counters begin at 0.
    pub(crate) fn reboot(&mut self, now: f64) {
        self.boot = now;
        for port in &mut self.ports {
            *port = Port { down_since: port.down_since.map(|_| now), ..Port::default() };
        }
    }

    /// Takes a port down or up; counters stand still meanwhile.
    pub(crate) fn set_port(&mut self, port: usize, up: bool, now: f64) {
        let Some(port) = self.ports.get_mut(port) else {
            return;
        };
        match (port.down_since, up) {
            (Some(since), true) => {
                port.paused_s += now - since;
                port.down_since = None;
                port.changed = Some(now);
            }
            (None, false) => {
                port.down_since = Some(now);
                port.changed = Some(now);
            }
            _ => {}
        }
    }

    /// Takes every port up.
    pub(crate) fn all_ports_up(&mut self, now: f64) {
        (0..self.ports.len()).for_each(|port| self.set_port(port, true, now));
    }

    /// Heats the device to `to` degrees Celsius within [`HEAT_S`]; `None` lets it cool as fast.
    pub(crate) fn set_heat(&mut self, to: Option<f64>, now: f64) {
        if self.heat.is_none() && to.is_none() {
            return;
        }
        self.heat = Some(Heat { from: self.temperature(now), to, since: now });
    }

    /// Uptime in 1/100 s, wrapping after 497 days.
    pub(crate) fn uptime_ticks(&self, now: f64) -> u32 {
        ((now - self.boot).max(0.0) * 100.0) as u64 as u32
    }

    /// Whether a port is up.
    pub(crate) fn is_up(&self, port: usize) -> bool {
        self.ports.get(port).is_none_or(|port| port.down_since.is_none())
    }

    /// sysUpTime at the port's last change, in 1/100 s.
    pub(crate) fn changed_ticks(&self, port: usize) -> u32 {
        let changed = self.ports.get(port).and_then(|port| port.changed);
        changed.map_or(0, |at| self.uptime_ticks(at))
    }

    /// Temperature in degrees Celsius.
    pub(crate) fn temperature(&self, now: f64) -> f64 {
        let own = 38.0
            + 8.0 * share(self.seed, 2)
            + 2.0 * (TAU * (now - BUSIEST_S) / DAY_S).cos()
            + 0.6 * (TAU * (now / 90.0 + share(self.seed, 3))).sin();
        let Some(heat) = self.heat else { return own };
        let done = ((now - heat.since) / HEAT_S).clamp(0.0, 1.0);
        heat.from + (heat.to.unwrap_or(own) - heat.from) * done
    }

    /// What a port's counter shows that grows by `mean` a second on average. `object` tells counters apart; `port`
    /// is `None` for counters of the whole device.
    pub(crate) fn counter(&self, port: Option<usize>, object: u64, mean: f64, now: f64) -> u64 {
        let state = port.and_then(|port| self.ports.get(port)).copied().unwrap_or_default();
        let place = mix(self.seed, object ^ (port.map_or(0, |port| port as u64 + 1) << 8));
        let now = state.down_since.unwrap_or(now) - state.paused_s;
        let grown = amount(place, now) - amount(place, self.boot);
        (mean * grown).max(0.0) as u64
    }
}

/// Integral of the load from 1970 to `t`, whose mean is 1 a second.
fn amount(place: u64, t: f64) -> f64 {
    let wave = |period: f64, phase: f64| period / TAU * (TAU * (t / period + phase)).sin();
    let mut sum = STEADY * t + DAILY * wave(DAY_S, -BUSIEST_S / DAY_S);
    for (at, period) in UNREST_S.into_iter().enumerate() {
        sum += UNREST * wave(period, share(place, at as u64));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: f64 = 1_795_233_600.0;

    #[test]
    fn the_same_question_has_the_same_answer() {
        let one = Scene::new(7, 4, NOON);
        let other = Scene::new(7, 4, NOON);
        let later = NOON + 1234.5;
        assert_eq!(one.counter(Some(2), 10, 1e6, later), other.counter(Some(2), 10, 1e6, later));
        assert_eq!(one.uptime_ticks(later), other.uptime_ticks(later));
        assert_ne!(
            Scene::new(8, 4, NOON).counter(Some(2), 10, 1e6, later),
            one.counter(Some(2), 10, 1e6, later)
        );
    }

    #[test]
    fn a_counter_never_runs_backwards_and_follows_the_day() {
        let scene = Scene::new(3, 1, NOON);
        let mut before = 0;
        for second in 0..3_000 {
            let count = scene.counter(Some(0), 10, 1e6, NOON + f64::from(second));
            assert!(count >= before, "at {second}");
            before = count;
        }
        let midnight = (NOON / DAY_S).floor() * DAY_S;
        let hour = |from: f64| {
            scene.counter(Some(0), 10, 1e6, from + 3_600.0) - scene.counter(Some(0), 10, 1e6, from)
        };
        let (busy, quiet) = (hour(midnight + BUSIEST_S), hour(midnight + BUSIEST_S + DAY_S / 2.0));
        assert!(busy > 2 * quiet, "busy {busy}, quiet {quiet}");
    }

    #[test]
    fn a_port_that_is_down_counts_nothing_and_goes_on_where_it_stopped() {
        let mut scene = Scene::new(3, 2, NOON);
        let count = |scene: &Scene, at: f64| scene.counter(Some(1), 10, 1e6, at);
        let before = count(&scene, NOON + 10.0);
        scene.set_port(1, false, NOON + 10.0);
        assert!(!scene.is_up(1));
        assert_eq!(count(&scene, NOON + 500.0), before);
        scene.set_port(1, true, NOON + 500.0);
        assert!(scene.is_up(1));
        assert_eq!(count(&scene, NOON + 500.0), before);
        assert!(count(&scene, NOON + 501.0) > before);
        assert_eq!(scene.changed_ticks(1), scene.uptime_ticks(NOON + 500.0));
    }

    #[test]
    fn a_reboot_starts_uptime_and_counters_anew() {
        let mut scene = Scene::new(3, 1, NOON);
        scene.reboot(NOON + 5.0);
        assert_eq!(scene.uptime_ticks(NOON + 8.0), 300);
        assert!(scene.counter(Some(0), 10, 1e6, NOON + 8.0) < 6_000_000);
    }

    #[test]
    fn heat_comes_and_goes_gently() {
        let mut scene = Scene::new(3, 1, NOON);
        let own = scene.temperature(NOON);
        assert!((36.0..50.0).contains(&own), "{own}");
        scene.set_heat(Some(78.0), NOON);
        let half = scene.temperature(NOON + HEAT_S / 2.0);
        assert!(half > own + 10.0 && half < 70.0, "{half}");
        assert_eq!(scene.temperature(NOON + HEAT_S), 78.0);
        scene.set_heat(None, NOON + 60.0);
        assert_eq!(scene.temperature(NOON + 60.0), 78.0);
        assert!(scene.temperature(NOON + 60.0 + HEAT_S) < 50.0);
    }
}
