//! What one virtual device is at a moment: uptime, load, ports, temperature, disk, battery, toner.
//!
//! Every value is a pure function of (seed, device, object, time) and of what was done to the device (reboot, port
//! down, heat, …). Load follows a working day ([`day`]) with seeded unrest; its integral has a closed form, so that a
//! counter needs no history and never runs backwards.

mod battery;
mod day;
mod forced;
mod hostile;
mod port;

pub(crate) use port::Doing;

use battery::Battery;
use day::load;
pub(crate) use day::{Unrest, load as load_at};
pub(crate) use forced::Forced;
use port::Port;
use std::f64::consts::TAU;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

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

/// Places of [`mix`] that a device's own values take; those of quantities begin behind them.
const BOOT: u64 = 1;
const WARMTH: u64 = 2;
const BREATH: u64 = 3;
const HOSTILE: u64 = 4;
const FIRST_QUANTITY: u64 = 1_000;

/// Below so many percent a printer says that toner is low.
const LOW_TONER: f64 = 10.0;

/// Something that a device measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quantity {
    /// From `low` at rest to `high` at the busiest moment, and up to a quarter of the way beyond; `place` tells one
    /// such value of a device from the others.
    Load { place: u16, low: f64, high: f64 },
    /// The chassis temperature and so much above it, in degrees Celsius.
    Temperature { above: f64 },
    /// What is used of a file system of `total` units: `low` to `high` percent; `fills` is the one that a fault fills.
    Disk { total: f64, low: f64, high: f64, fills: bool },
    /// [`Quantity::Load`] while there is mains, else 0.
    Mains { place: u16, low: f64, high: f64 },
    /// What the output of a UPS comes from: upsOutputSource, 3 normal, 5 battery.
    Source,
    /// Number of alarms that a UPS has.
    Alarms,
    /// Charge of the battery in percent.
    Charge,
    /// upsBatteryStatus.
    BatteryStatus,
    /// Seconds on battery.
    OnBattery,
    /// Minutes that the battery lasts.
    TimeLeft,
    /// Volts of the battery.
    BatteryVolts,
    /// What is left of a supply that holds `full` units; `first` is the one that a fault empties.
    Supply { place: u16, full: f64, first: bool },
    /// hrPrinterDetectedErrorState as its first octet: lowToner, noToner (RFC 2790).
    PrinterErrors,
}

/// What is wrong with a device inside.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Trouble {
    /// Heated up to so many degrees Celsius.
    pub(crate) heat: Option<f64>,
    /// Its largest file system filled up to so many percent.
    pub(crate) disk: Option<f64>,
    /// Its first toner emptied down to so many percent.
    pub(crate) toner: Option<f64>,
    /// No mains.
    pub(crate) on_battery: bool,
    /// Its names are such as nobody wants to show.
    pub(crate) hostile: bool,
}

/// The state of one device.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    seed: u64,
    boot: f64,
    ports: Vec<Port>,
    heat: Forced,
    disk: Forced,
    toner: Forced,
    battery: Battery,
    hostile: bool,
}

impl Scene {
    /// A device that has been running for up to 200 days at `now`.
    pub(crate) fn new(seed: u64, ports: usize, now: f64) -> Scene {
        Scene {
            seed,
            boot: now - (1.0 + 200.0 * share(seed, BOOT)) * DAY_S,
            ports: vec![Port::default(); ports],
            heat: Forced::default(),
            disk: Forced::default(),
            toner: Forced::default(),
            battery: Battery::full(now),
            hostile: false,
        }
    }

    /// Starts it anew: uptime and all counters begin at 0.
    pub(crate) fn reboot(&mut self, now: f64) {
        self.boot = now;
        self.ports.iter_mut().for_each(|port| port.restart(now));
    }

    /// Has a port do something else; counters stand still while it is down.
    pub(crate) fn set_port(&mut self, port: usize, doing: Doing, now: f64) {
        if let Some(port) = self.ports.get_mut(port) {
            port.set(doing, now);
        }
    }

    /// What is wrong inside from now on, in place of what was.
    pub(crate) fn set_trouble(&mut self, trouble: Trouble, now: f64) {
        self.heat.set(trouble.heat, now);
        self.disk.set(trouble.disk, now);
        self.toner.set(trouble.toner, now);
        self.battery.set_mains(!trouble.on_battery, now);
        self.hostile = trouble.hostile;
    }

    /// Uptime in 1/100 s, wrapping after 497 days.
    pub(crate) fn uptime_ticks(&self, now: f64) -> u32 {
        ((now - self.boot).max(0.0) * 100.0) as u64 as u32
    }

    /// Whether a port is up.
    pub(crate) fn is_up(&self, port: usize, now: f64) -> bool {
        self.ports.get(port).is_none_or(|port| port.is_up(now))
    }

    /// sysUpTime at the port's last change, in 1/100 s.
    pub(crate) fn changed_ticks(&self, port: usize, now: f64) -> u32 {
        let changed = self.ports.get(port).and_then(|port| port.changed_at(now));
        changed.map_or(0, |at| self.uptime_ticks(at))
    }

    /// Whether its names are such as nobody wants to show.
    pub(crate) fn is_hostile(&self) -> bool {
        self.hostile
    }

    /// The bytes of a hostile name; `place` tells one name of the device from the others.
    pub(crate) fn hostile_name(&self, place: usize) -> Vec<u8> {
        hostile::name(mix(self.seed, HOSTILE), place)
    }

    /// Temperature of the chassis in degrees Celsius.
    fn temperature(&self, now: f64) -> f64 {
        let own = 33.0
            + 8.0 * share(self.seed, WARMTH)
            + 5.0 * load(now)
            + 0.6 * (TAU * (now / 90.0 + share(self.seed, BREATH))).sin();
        self.heat.value(own, now)
    }

    /// Something measured, in the quantity's own unit.
    pub(crate) fn measure(&self, quantity: Quantity, now: f64) -> f64 {
        let follow = |place: u16, low: f64, high: f64| {
            let unrest = Unrest::of(mix(self.seed, FIRST_QUANTITY + u64::from(place)));
            low + (high - low) * load(now) * unrest.factor(now)
        };
        let battery = &self.battery;
        match quantity {
            Quantity::Load { place, low, high } => follow(place, low, high),
            Quantity::Temperature { above } => self.temperature(now) + above,
            Quantity::Disk { total, low, high, fills } => {
                let own = low + (high - low) * load(now);
                total * if fills { self.disk.value(own, now) } else { own } / 100.0
            }
            Quantity::Mains { .. } if battery.discharging() => 0.0,
            Quantity::Mains { place, low, high } => follow(place, low, high),
            Quantity::Source => {
                if battery.discharging() {
                    5.0
                } else {
                    3.0
                }
            }
            Quantity::Alarms => {
                f64::from(u8::from(battery.discharging())) + f64::from(u8::from(battery.status(now) > 2))
            }
            Quantity::Charge => battery.charge(now),
            Quantity::BatteryStatus => f64::from(battery.status(now)),
            Quantity::OnBattery => battery.seconds(now),
            Quantity::TimeLeft => battery.minutes(now),
            Quantity::BatteryVolts => 262.0 + 0.1 * battery.charge(now),
            Quantity::Supply { place, full, first } => {
                let own = 40.0 + 55.0 * share(self.seed, FIRST_QUANTITY + u64::from(place));
                full * if first { self.toner.value(own, now) } else { own } / 100.0
            }
            Quantity::PrinterErrors => {
                // The octet's first bit is lowPaper, then noPaper, lowToner, noToner (RFC 2790).
                match self.toner.value(100.0, now) {
                    left if left < 1.0 => f64::from(0x10),
                    left if left < LOW_TONER => f64::from(0x20),
                    _ => 0.0,
                }
            }
        }
    }

    /// What a port's counter shows that grows by `mean` a second at the busiest moment. `object` tells counters
    /// apart; `port` is `None` for counters of the whole device.
    pub(crate) fn counter(&self, port: Option<usize>, object: u64, mean: f64, now: f64) -> u64 {
        let state = port.and_then(|port| self.ports.get(port)).copied().unwrap_or_default();
        let unrest = Unrest::of(mix(self.seed, object ^ (port.map_or(0, |port| port as u64 + 1) << 8)));
        let grown = unrest.amount(state.counts_until(now)) - unrest.amount(self.boot);
        (mean * grown).max(0.0) as u64
    }

    /// Ticks (1/100 s) since the start that `processors` were idle: what their busy counters (object, mean) leave.
    pub(crate) fn idle_ticks(&self, processors: f64, busy: &[(u8, f64)], now: f64) -> u64 {
        let busy: u64 =
            busy.iter().map(|(object, mean)| self.counter(None, (*object).into(), *mean, now)).sum();
        (((now - self.boot).max(0.0) * 100.0 * processors) as u64).saturating_sub(busy)
    }
}

#[cfg(test)]
mod tests {
    use super::forced::COURSE_S;
    use super::*;

    /// A Wednesday in China.
    const NOON: f64 = 1_794_974_400.0;

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
        let hour = |from: f64| {
            scene.counter(Some(0), 10, 1e6, from + 3_600.0) - scene.counter(Some(0), 10, 1e6, from)
        };
        let (busy, quiet) = (hour(NOON - 2.5 * 3_600.0), hour(NOON + 12.0 * 3_600.0));
        assert!(busy > 8 * quiet, "busy {busy}, quiet {quiet}");
    }

    #[test]
    fn a_port_that_is_down_counts_nothing_and_goes_on_where_it_stopped() {
        let mut scene = Scene::new(3, 2, NOON);
        let count = |scene: &Scene, at: f64| scene.counter(Some(1), 10, 1e6, at);
        let before = count(&scene, NOON + 10.0);
        scene.set_port(1, Doing::Down, NOON + 10.0);
        assert!(!scene.is_up(1, NOON + 10.0));
        assert_eq!(count(&scene, NOON + 500.0), before);
        scene.set_port(1, Doing::Up, NOON + 500.0);
        assert!(scene.is_up(1, NOON + 500.0));
        assert_eq!(count(&scene, NOON + 500.0), before);
        assert!(count(&scene, NOON + 501.0) > before);
        assert_eq!(scene.changed_ticks(1, NOON + 600.0), scene.uptime_ticks(NOON + 500.0));
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
        scene.set_trouble(Trouble { heat: Some(78.0), ..Trouble::default() }, NOON);
        let half = scene.temperature(NOON + COURSE_S / 2.0);
        assert!(half > own + 10.0 && half < 70.0, "{half}");
        assert_eq!(scene.temperature(NOON + COURSE_S), 78.0);
        scene.set_trouble(Trouble::default(), NOON + 60.0);
        assert_eq!(scene.temperature(NOON + 60.0), 78.0);
        assert!(scene.temperature(NOON + 60.0 + COURSE_S) < 50.0);
    }
}
