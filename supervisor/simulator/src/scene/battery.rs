//! The battery of a UPS: full while there is mains, falling without.

/// Charge lost in a second without mains, in percent: 40 minutes of a real battery pass in eight.
const FALLS: f64 = 0.2;

/// Charge gained in a second with mains, in percent.
const RISES: f64 = 0.4;

/// Below so many percent a UPS calls its battery low (upsBatteryStatus, RFC 1628).
const LOW: f64 = 20.0;

/// Below so many percent it calls it depleted.
const DEPLETED: f64 = 2.0;

/// Minutes that each percent lasts.
const MINUTES: f64 = 0.42;

/// The battery's state since mains went or came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Battery {
    charge: f64,
    since: f64,
    discharging: bool,
}

impl Battery {
    /// A full battery, and mains.
    pub(crate) fn full(now: f64) -> Battery {
        Battery { charge: 100.0, since: now, discharging: false }
    }

    /// Takes mains away or brings it back.
    pub(crate) fn set_mains(&mut self, there: bool, now: f64) {
        if there == self.discharging {
            *self = Battery { charge: self.charge(now), since: now, discharging: !there };
        }
    }

    /// Whether the load hangs on it.
    pub(crate) fn discharging(&self) -> bool {
        self.discharging
    }

    /// Charge in percent.
    pub(crate) fn charge(&self, now: f64) -> f64 {
        let rate = if self.discharging { -FALLS } else { RISES };
        (self.charge + rate * (now - self.since)).clamp(0.0, 100.0)
    }

    /// Seconds on battery; 0 with mains.
    pub(crate) fn seconds(&self, now: f64) -> f64 {
        if self.discharging { (now - self.since).max(0.0) } else { 0.0 }
    }

    /// Minutes it lasts.
    pub(crate) fn minutes(&self, now: f64) -> f64 {
        self.charge(now) * MINUTES
    }

    /// upsBatteryStatus: 2 normal, 3 low, 4 depleted.
    pub(crate) fn status(&self, now: f64) -> u8 {
        match self.charge(now) {
            charge if charge < DEPLETED => 4,
            charge if charge < LOW => 3,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_falls_without_mains_and_fills_with_it() {
        let mut battery = Battery::full(1_000.0);
        assert_eq!((battery.charge(2_000.0), battery.seconds(2_000.0)), (100.0, 0.0));
        battery.set_mains(false, 2_000.0);
        battery.set_mains(false, 2_030.0);
        assert_eq!(battery.seconds(2_045.0), 45.0, "said twice, begun once");
        assert_eq!((battery.charge(2_045.0), battery.status(2_045.0)), (91.0, 2));
        assert_eq!((battery.status(2_401.0), battery.status(2_495.0)), (3, 4));
        assert_eq!(battery.charge(9_000.0), 0.0);
        battery.set_mains(true, 2_045.0);
        assert!(!battery.discharging());
        assert_eq!(battery.charge(2_055.0), 95.0);
        assert_eq!(battery.charge(2_155.0), 100.0);
    }
}
